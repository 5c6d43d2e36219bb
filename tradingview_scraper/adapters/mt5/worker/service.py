"""In which order does a worker work? Requests first, then the other calls, then what polls are due.

One thread owns the library. A command
waits for the piece of a poll that is running, and for the commands before it; trade requests pass
the other calls. After a command that was served, due polls get a short turn even if more commands
wait, so that neither starves the other.
"""

import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final

from tradingview_scraper.adapters.mt5.rules.ticks import TickCursor
from tradingview_scraper.adapters.mt5.terminal.records import OrderSendResult
from tradingview_scraper.adapters.mt5.worker.attach import AttachFailed, Attachment, attach
from tradingview_scraper.adapters.mt5.worker.bar_feed import BarFeed
from tradingview_scraper.adapters.mt5.worker.book_feed import BookFeed
from tradingview_scraper.adapters.mt5.worker.commands import Commands
from tradingview_scraper.adapters.mt5.worker.feeds import Feed, Schedule
from tradingview_scraper.adapters.mt5.worker.frames import (
    Alive,
    Answer,
    Attach,
    Attached,
    Call,
    Command,
    Failed,
    FailureKind,
    Fault,
    Lost,
    Polls,
    Report,
    Started,
    TakeSnapshot,
    Unwatch,
    WatchBars,
    WatchBook,
    WatchLink,
    WatchSymbol,
    WatchTicks,
    WatchTrade,
    encode,
    encode_value,
)
from tradingview_scraper.adapters.mt5.worker.library import (
    LINK_IS_GONE,
    CallFailed,
    account_of,
    call,
    is_failure,
)
from tradingview_scraper.adapters.mt5.worker.link_feed import LinkFeed
from tradingview_scraper.adapters.mt5.worker.snapshot import ForeignAccount, take_snapshot
from tradingview_scraper.adapters.mt5.worker.symbol_feed import SymbolFeed
from tradingview_scraper.adapters.mt5.worker.tick_feed import TickFeed
from tradingview_scraper.adapters.mt5.worker.trade_feed import TradeFeed

#: Seconds of silence after which the worker says that it is alive.
_SILENCE: Final = 1.0
#: Seconds that due polls may take between two commands while more commands wait.
_TURN: Final = 0.02
#: Seconds between two reports of what polling takes.
_COUNT: Final = 5.0
#: Seconds before the same fault of a feed is reported again.
_REPEAT: Final = 10.0
#: The trade request, which passes the other calls.
_REQUEST: Final = "order_send"
_CHECK: Final = "order_check"


class Service:
    """Serves `commands` and writes reports with `write` until the end."""

    def __init__(
        self,
        commands: Commands,
        write: Callable[[bytearray], None],
    ) -> None:
        self._commands = commands
        self._write = write
        self._requests: deque[Call] = deque()
        self._others: deque[Command] = deque()
        self._schedule = Schedule()
        self._attachment: Attachment | None = None
        self._trade: TradeFeed | None = None
        self._book_users: Counter[str] = Counter()
        self._faults: dict[int, tuple[tuple[str, int, str], float]] = {}
        self._sent_at = time.perf_counter()
        self._polled: dict[str, tuple[int, float, float]] = {}
        self._counted_at = self._sent_at
        self._is_over = False

    def run(self) -> None:
        """Until the node wants an end or the terminal is gone; then detach."""
        turn_ends = 0.0
        while not self._is_over:
            self._collect(self._idle_secs())
            command = self._take()
            if command is not None:
                self._serve(command)
                turn_ends = time.perf_counter() + _TURN
            self._poll(turn_ends)
            if self._polled and time.perf_counter() - self._counted_at >= _COUNT:
                self._tell_polls()
            if time.perf_counter() - self._sent_at >= _SILENCE:
                self._send(Alive())
        self._refuse_the_rest()
        if self._attachment is not None:
            self._attachment.library.shutdown()

    def _idle_secs(self) -> float:
        if self._requests or self._others:
            return 0.0
        now = time.perf_counter()
        wake = self._sent_at + _SILENCE
        due = self._schedule.next_due()
        return max(0.0, (wake if due is None else min(wake, due)) - now)

    def _collect(self, wait_secs: float) -> None:
        """Sort what has arrived; wait for the first at most `wait_secs`."""
        for command in self._commands.arrived(wait_secs):
            if isinstance(command, Call) and command.function == _REQUEST:
                self._requests.append(command)
            else:
                self._others.append(command)
        self._is_over = self._is_over or self._commands.is_over

    def _take(self) -> Command | None:
        if self._is_over:
            return None
        if self._requests and self._attachment is not None:
            return self._requests.popleft()
        return self._others.popleft() if self._others else None

    def _poll(self, turn_ends: float) -> None:
        """Do what is due, a piece at a time, until a command waits and the turn is over."""
        while not self._is_over:
            now = time.perf_counter()
            feed = self._schedule.take(now)
            if feed is None:
                return
            try:
                report, due = feed.step(now)
            except CallFailed as error:
                self._failed_poll(feed, error, now)
            else:
                if report is not None:
                    self._send(report)
                self._schedule.again(feed, due)
            self._count(feed, time.perf_counter() - now)
            if now >= turn_ends and (self._requests or self._others or self._commands.is_waiting()):
                return

    def _count(self, feed: Feed, seconds: float) -> None:
        kind = type(feed).__name__.removesuffix("Feed").lower()
        pieces, total, longest = self._polled.get(kind, (0, 0.0, 0.0))
        self._polled[kind] = pieces + 1, total + seconds, max(longest, seconds)

    def _tell_polls(self) -> None:
        polled, self._polled = self._polled, {}
        self._counted_at = time.perf_counter()
        self._send(Polls(polled))

    def _is_wanted(self) -> bool:
        return bool(self._requests or self._others) or self._commands.is_waiting()

    def _failed_poll(self, feed: Feed, error: CallFailed, now: float) -> None:
        if error.link_is_gone:
            self._lose(error.function, error.code, error.text)
            return
        fault = (error.function, error.code, error.text)
        known, until = self._faults.get(feed.watch, (None, 0.0))
        if known != fault or now >= until:
            self._faults[feed.watch] = fault, now + _REPEAT
            self._send(Fault(feed.watch, *fault))
        self._schedule.again(feed, feed.failed(now))

    def _serve(self, command: Command) -> None:
        match command:
            case Call():
                self._call(command)
            case TakeSnapshot():
                self._snapshot(command)
            case Attach():
                self._attach(command)
            case Unwatch():
                self._schedule.remove(command.watch)
                self._faults.pop(command.watch, None)
                self._done(command)
            case (
                WatchTicks()
                | WatchBars()
                | WatchSymbol()
                | WatchTrade()
                | WatchBook()
                | WatchLink()
            ):
                self._schedule.add(self._feed(command, self._attached()), time.perf_counter())
                self._done(command)

    def _attach(self, command: Attach) -> None:
        try:
            attachment = attach(command)
        except AttachFailed as error:
            self._fail(command, error.kind, error.function, error.code, error.text)
            self._is_over = True
            return
        self._attachment = attachment
        self._send(Attached(command.id, attachment.terminal, attachment.account))

    def _call(self, command: Call) -> None:
        attachment = self._attached()
        function = command.function
        try:
            if command.check and not self._is_taken(command, attachment):
                return
            if function == _REQUEST and not self._may_trade(command, attachment):
                return
            reply = call(attachment.library, function, command.args, command.kwargs)
            failed = is_failure(function, reply.value, reply.code)
            value = _NOTHING if failed else encode_value(reply.value)
        except CallFailed as error:
            # Only the look at the account before a request raises it: the request was not sent.
            self._fail(command, FailureKind.UNSENT, error.function, error.code, error.text)
            if error.link_is_gone:
                self._lose(error.function, error.code, error.text)
            return
        except Exception as error:
            self._fail(command, FailureKind.RAISED, function, 0, f"{type(error).__name__}: {error}")
            return
        if failed:
            self._send(Failed(command.id, FailureKind.CALL, function, *reply[1:]))
            if reply.code in LINK_IS_GONE:
                self._lose(function, reply.code, reply.text)
        else:
            self._send(Answer(command.id, value, *reply[1:]))
        if function == _REQUEST and self._trade is not None:
            self._trade.request_was_sent(None if failed else OrderSendResult._make(reply.value))
            self._schedule.hurry(self._trade.watch, time.perf_counter())

    def _is_taken(self, command: Call, attachment: Attachment) -> bool:
        """Ask ``order_check`` what it thinks of the request, in the same job."""
        reply = call(attachment.library, _CHECK, command.args)
        if reply.value is None:
            raise CallFailed(_CHECK, reply.code, reply.text)
        if reply.value.retcode == 0:
            return True
        code, text = reply.value.retcode, reply.value.comment
        self._fail(command, FailureKind.UNSENT, _CHECK, code, text)
        return False

    def _may_trade(self, command: Call, attachment: Attachment) -> bool:
        """Compare the account directly before the request, in the same job."""
        account = account_of(attachment.library)
        objection = attachment.expected.trading_objection(account)
        if objection is not None:
            self._fail(command, FailureKind.IDENTITY, _REQUEST, 0, objection)
            return False
        self._send(Started(command.id))
        return True

    def _snapshot(self, command: TakeSnapshot) -> None:
        attachment = self._attached()
        expected = attachment.expected.pinned(attachment.account)
        started = time.time_ns()
        try:
            reading = take_snapshot(attachment.library, expected, command.since)
        except ForeignAccount as error:
            self._fail(command, FailureKind.IDENTITY, "account_info", 0, str(error))
        except CallFailed as error:
            self._fail(command, FailureKind.CALL, error.function, error.code, error.text)
            if error.link_is_gone:
                self._lose(error.function, error.code, error.text)
        else:
            value = encode_value(reading)
            self._send(Answer(command.id, value, 1, "", started, time.time_ns()))

    def _feed(
        self,
        command: WatchTicks | WatchBars | WatchSymbol | WatchTrade | WatchBook | WatchLink,
        attachment: Attachment,
    ) -> Feed:
        library, watch, every = attachment.library, command.watch, command.every_ms / 1_000
        match command:
            case WatchTicks():
                cursor = None
                if command.time_msc is not None:
                    cursor = TickCursor(command.time_msc, command.seen)
                quiet = command.quiet_ms / 1_000
                return TickFeed(
                    library, watch, command.symbol, every, cursor, quiet, command.empty_ns
                )
            case WatchBook():
                return BookFeed(library, watch, command.symbol, every, self._book_users)
            case WatchLink():
                return LinkFeed(library, watch, every)
            case WatchBars():
                return BarFeed(
                    library, watch, command.symbol, command.timeframe, every, command.after
                )
            case WatchSymbol():
                quiet_secs = command.quiet_ms / 1_000
                return SymbolFeed(
                    library,
                    watch,
                    command.symbol,
                    every,
                    command.fields,
                    quiet_secs,
                    command.selects,
                )
            case WatchTrade():
                self._trade = TradeFeed(
                    library,
                    watch,
                    attachment.expected.pinned(attachment.account),
                    every,
                    command.account_every_ms / 1_000,
                    command.deals_from,
                    command.orders_from,
                )
                return self._trade

    def _attached(self) -> Attachment:
        if self._attachment is None:
            raise RuntimeError("the first command must be Attach")
        return self._attachment

    def _lose(self, function: str, code: int, text: str) -> None:
        self._is_over = True
        self._send(Lost(function, code, text))

    def _refuse_the_rest(self) -> None:
        """What did not get its turn is certainly unsent; say so."""
        self._collect(0.0)
        for command in (*self._requests, *self._others):
            self._fail(command, FailureKind.UNSENT, "", 0, "the worker ends")

    def _fail(
        self, command: Command, kind: FailureKind, function: str, code: int, text: str
    ) -> None:
        self._send(Failed(command.id, kind, function, code, text, 0, 0))

    def _done(self, command: Command) -> None:
        self._send(Answer(command.id, _NOTHING, 1, "", 0, 0))

    def _send(self, report: Report) -> None:
        self._write(encode(report))
        self._sent_at = time.perf_counter()


_NOTHING: Final[Any] = encode_value(None)
