"""What happens in a call of the library? An error slot, one connection, one exchange, a result.

`Library` holds what the real library has once per process. Every call first resets the slot to
``(1, "Success")``; a failing one leaves its code there. Nothing is ever raised to the caller but
the SystemErrors that the real library provokes. All of it is [recorded].
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.layout import Layout, WireError
from tradingview_scraper.adapters.mt5.simulator.library import answers, arguments
from tradingview_scraper.adapters.mt5.simulator.library.answers import Read
from tradingview_scraper.adapters.mt5.simulator.library.arguments import Positional
from tradingview_scraper.adapters.mt5.simulator.library.attach import NoTerminal, attach
from tradingview_scraper.adapters.mt5.simulator.library.groups import group_pattern
from tradingview_scraper.adapters.mt5.simulator.library.pipe import (
    Pipe,
    PipeError,
    SendFailed,
    pause,
)
from tradingview_scraper.adapters.mt5.simulator.library.structs import STRUCTS
from tradingview_scraper.adapters.mt5.simulator.library.values import Refused
from tradingview_scraper.adapters.mt5.simulator.wire import Command, State
from tradingview_scraper.adapters.mt5.terminal.constants import ResultCode

#: Terminals before this build cannot list symbols [recorded].
LEAST_BUILD: Final = 2364

_SUCCESS: Final = (int(ResultCode.S_OK), "Success")

#: What the library says of itself in its hello.
_HELLO: Final = (3, "Python")
_POLL_MSC: Final = 100

_TEXTS: Final = {
    -1: "Terminal: Call failed",
    -2: "Terminal: Invalid params",
    -3: "Terminal: Out of memory",
    -4: "Terminal: Not found",
    -5: "Terminal: Incompatible versions, please install the latest version of Terminal and "
    "Python module",
    -6: "Terminal: Authorization failed",
    -7: "Terminal: Unsupported function",
    -10000: "IPC call failed",
    -10001: "IPC send failed",
    -10002: "IPC recv failed",
    -10003: "IPC initialize failed, ",
    -10004: "No IPC connection",
    -10005: "IPC timeout",
}
_NO_CERTIFICATE: Final = "Unsupported authorization mode, OTP or certificate password needed"
_TRADE_API_DISABLED: Final = "Auto-Trading using Python API disabled in Terminal"


class Listing(NamedTuple):
    """The commands behind a function that lists records, by what is asked."""

    layout: Layout
    every: Command
    of_ticket: Command
    of_owner: Command


class Failed(Exception):
    """The call reached nothing or was refused: what ``last_error`` will say."""

    def __init__(self, code: int, text: str | None = None) -> None:
        super().__init__(code, text)
        self.code = int(code)
        self.text = _TEXTS.get(self.code, _TEXTS[-1]) if text is None else text


class LeftPending(Exception):
    """The C code made the call, but left the `cause` pending, and Python objects to that."""

    def __init__(self, cause: Exception, failed: Failed | None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.failed = failed


class Library:
    """One client of one terminal.

    Methods take parsed values, except those that choose by their arguments (`initialize`, `login`,
    `symbols_get`, `listed`, `history`, `trade`). They raise `Failed`, `Refused` or `LeftPending`;
    `run` turns those into what the caller of the library sees.
    """

    def __init__(self) -> None:
        self._pipe: Pipe | None = None
        self._build = 0
        self._error = (0, "")
        # Calls of several threads never mix in the library, which does not let go of the GIL; we
        # do, for moments.
        self._alone = threading.Lock()

    def last_error(self) -> tuple[int, str]:
        """Code and text that the last call left, ``(0, "")`` before the first one."""
        return self._error

    def run(
        self, name: str, failure: Any, refusal: Any, body: Callable[..., Any], *args: Any
    ) -> Any:
        """One call of the function `name`: its result, `refusal` of bad arguments, or `failure`."""
        with self._alone:
            self._error = _SUCCESS
            try:
                return body(*args)
            except Failed as failed:
                self._error = (failed.code, failed.text)
            except Refused as refused:
                self._error = (int(ResultCode.E_INVALID_PARAMS), refused.text)
                if refused.cause is not None:
                    raise _system_error(name) from refused.cause
                return refusal
            except LeftPending as pending:
                if pending.failed is not None:
                    self._error = (pending.failed.code, pending.failed.text)
                raise _system_error(name) from pending.cause
            return failure

    def initialize(self, args: tuple[Any, ...], keywords: Mapping[str, Any] | None) -> bool:
        """Attach to a terminal. The former connection is closed first, whatever comes.

        A hello that is refused leaves the new connection open; any later failure closes it.
        """
        self._close()
        given = arguments.INITIALIZE.parse(args, keywords)
        try:
            self._pipe = attach(given["path"])
        except NoTerminal as error:
            code = ResultCode.E_INTERNAL_FAIL_INIT
            raise Failed(code, _TEXTS[code] + str(error)) from None
        self._build = self.ask(Command.HELLO, _NUMBER, *_HELLO)
        login, password, server = given["login"], given["password"], given["server"]
        try:
            if (login, password, server) != (None, None, None):
                self._log_in(login or 0, password or "", server or "")
            self._await_account(given["timeout"])
        except Failed:
            self._close()
            raise
        return True

    def login(self, args: tuple[Any, ...], keywords: Mapping[str, Any] | None) -> bool:
        """Switch the terminal, and so every client of it, to an account."""
        given = arguments.LOGIN.parse(args, keywords)
        if given["login"] is None:
            raise Refused('Invalid "login" argument')
        self._log_in(given["login"], given["password"], given["server"])
        self._await_account(given["timeout"])
        return True

    def shutdown(self) -> bool:
        """Let go of the terminal, which keeps running."""
        self._close()
        return True

    def version(self) -> tuple[int, int, str]:
        """``(500, build, date)``; a status of 0 says that there is none."""
        status, body = self._exchange(Command.VERSION, wire.request_of(Command.VERSION, 0))
        found: tuple[int, int, str] = _read(wire.VERSION.decode, body)
        return found if status > 0 else NO_VERSION

    def ask(self, command: Command, read: Read, *values: Any) -> Any:
        """Send `values` and read the answer."""
        return self.send(command, read, wire.request_of(command, *values))

    def send(self, command: Command, read: Read, frame: bytes) -> Any:
        """Send a whole request and read the answer."""
        _, body = self._exchange(command, frame)
        return _read(read, body)

    def call(self, command: Command, signature: Positional, read: Read, *args: Any) -> Any:
        """Send positional arguments and read the answer."""
        values, pending = signature.parse(args)
        if pending is None:
            return self.ask(command, read, *values)
        failed: Failed | None = None
        try:
            self.ask(command, read, *values)
        except Failed as error:
            failed = error
        raise LeftPending(pending, failed)

    def switch_depth(self, command: Command, signature: Positional, *args: Any) -> bool | None:
        """Open or close the depth of market: False when that fails, and no error is left behind."""
        try:
            switched: bool = self.call(command, signature, answers.done, *args)
        except Failed:
            return False
        return switched

    def symbols_total(self) -> int:
        """How many symbols the terminal has."""
        self._need_symbol_names()
        total: int = self.ask(Command.SYMBOLS_TOTAL, _NUMBER)
        return total

    def symbols_get(self, args: tuple[Any, ...], keywords: Mapping[str, Any] | None) -> Any:
        """Symbols, filtered by the terminal."""
        group = arguments.SYMBOLS.parse(args, keywords)["group"]
        self._need_symbol_names()
        if group:
            return self.ask(Command.SYMBOLS_OF_GROUP, _SYMBOLS, group)
        return self.ask(Command.SYMBOLS, _SYMBOLS)

    def listed(
        self, listing: Listing, args: tuple[Any, ...], keywords: Mapping[str, Any] | None
    ) -> Any:
        """Orders or positions: a ticket wins over a symbol, a symbol over a group."""
        by = arguments.LISTED.parse(args, keywords)
        if by["ticket"] is not None:
            return self._of_ticket(listing, by["ticket"])
        read = answers.records(listing.layout)
        if by["symbol"] is not None:
            return self.ask(listing.of_owner, read, by["symbol"])
        return _in_group(by["group"], self.ask(listing.every, read))

    def history(
        self, listing: Listing, args: tuple[Any, ...], keywords: Mapping[str, Any] | None
    ) -> Any:
        """Orders or deals of the past: by ticket, by position, or between two dates."""
        by = arguments.HISTORY.parse((), keywords)
        if by["ticket"] is not None:
            return self._of_ticket(listing, by["ticket"])
        read = answers.records(listing.layout)
        if by["position"] is not None:
            return self.ask(listing.of_owner, read, by["position"])
        return _in_group(
            by["group"], self.call(listing.every, arguments.HISTORY_DATES, read, *args)
        )

    def trade(
        self,
        command: Command,
        layout: Layout,
        args: tuple[Any, ...],
        keywords: Mapping[str, Any] | None,
    ) -> Any:
        """Send or check a request. The result carries the library's own copy of it."""
        request = arguments.trade_request(args, keywords)
        try:
            frame = wire.request(command, wire.REQUEST.encode(request))
            _, body = self._exchange(command, frame)
        except Failed as failed:
            disabled = (Command.ORDER_SEND, ResultCode.E_AUTO_TRADING_DISABLED)
            if (command, failed.code) == disabled:
                raise Failed(failed.code, _TRADE_API_DISABLED) from None
            raise
        result = _read(layout.decode, body)
        return STRUCTS[layout.record.__name__]((*result, STRUCTS["TradeRequest"](request)))

    def _of_ticket(self, listing: Listing, ticket: int) -> tuple[Any, ...]:
        frame = wire.request_of(listing.of_ticket, ticket)
        try:
            status, body = self._exchange(listing.of_ticket, frame)
        except Failed as failed:
            if failed.code == ResultCode.E_NOT_FOUND:
                return ()
            raise
        found = _read(answers.record(listing.layout), body)
        return (found,) if status > 0 else ()

    def _need_symbol_names(self) -> None:
        if self._build < LEAST_BUILD:
            raise Failed(ResultCode.E_INVALID_VERSION)

    def _log_in(self, login: int, password: str, server: str) -> None:
        try:
            self.ask(Command.LOGIN, answers.done, 0, login, password, server)
        except Failed as failed:
            if failed.code == ResultCode.E_UNSUPPORTED:
                raise Failed(failed.code, _NO_CERTIFICATE) from None
            raise

    def _await_account(self, timeout: int) -> None:
        command = Command.CONNECTION_STATE
        frame = wire.request_of(command)
        status, body = self._exchange(command, frame)
        if _is_connected(body):
            return
        usual = wire.answer(command, status, bytes(body))
        polls = len(range(0, timeout or arguments.DEFAULT_TIMEOUT, _POLL_MSC))
        assert self._pipe is not None
        try:
            for content in self._pipe.others(frame, usual, _POLL_MSC, polls - 1):
                if _is_connected(_split(command, content)[1]):
                    return
        except PipeError as error:
            raise self._broken(error) from None
        pause(_POLL_MSC)
        raise Failed(ResultCode.E_INTERNAL_FAIL_TIMEOUT)

    def _exchange(self, command: Command, frame: bytes) -> tuple[int, memoryview]:
        """Status (0 or above) and body of the answer."""
        if self._pipe is None:
            raise Failed(ResultCode.E_INTERNAL_FAIL_CONNECT)
        try:
            content = self._pipe.exchange(frame)
        except PipeError as error:
            raise self._broken(error) from None
        return _split(command, content)

    def _broken(self, error: PipeError) -> Failed:
        # Only a break that shows as one makes the library forget its connection.
        if error.lost:
            self._close()
        if isinstance(error, SendFailed):
            return Failed(ResultCode.E_INTERNAL_FAIL_SEND)
        return Failed(ResultCode.E_INTERNAL_FAIL_RECEIVE)

    def _close(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()


#: What ``version()`` gives when there is none.
NO_VERSION: Final = (0, 0, "")

_NUMBER: Final = answers.number(wire.TOTAL)
_SYMBOLS: Final = answers.records(wire.SYMBOL_INFO)


def _split(command: Command, content: bytes | memoryview) -> tuple[int, memoryview]:
    """Status (0 or above) and body of an answer that should be one to `command`."""
    answer = wire.split_answer(content)
    if answer is None:
        raise Failed(ResultCode.E_INTERNAL_FAIL_RECEIVE)
    answered, status, body = answer
    if answered != command:
        raise Failed(ResultCode.E_INTERNAL_FAIL)
    if status < 0:
        raise Failed(status)
    return status, body


def _is_connected(body: memoryview) -> bool:
    """Whether the terminal is on its account; False is "not yet"."""
    state = _read(_NUMBER, body)
    if state == State.REJECTED:
        raise Failed(ResultCode.E_AUTH_FAILED)
    return bool(state == State.CONNECTED)


def _read(read: Read, body: memoryview) -> Any:
    try:
        return read(body)
    except WireError:
        raise Failed(ResultCode.E_INTERNAL_FAIL_RECEIVE) from None


def _in_group(group: str | None, records: tuple[Any, ...]) -> tuple[Any, ...]:
    if group is None:
        return records
    pattern = group_pattern(group)
    return tuple(record for record in records if pattern.matches(record.symbol))


def _system_error(name: str) -> SystemError:
    return SystemError(f"<built-in function {name}> returned a result with an exception set")
