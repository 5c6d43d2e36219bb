"""How do tests and scripts hold a simulated terminal by the hand? `launch`, `connect`, `Control`.

>>> with launch("demo-hedging") as terminal:
...     mt5.initialize(terminal.path)
...     terminal.hang(5, "symbol_info_tick")

The control channel is not the library's protocol and works while the terminal's clients wait.
Functions are named as in the library. Seconds are real ones, but those of `advance`.
"""

import base64
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from tradingview_scraper.adapters.mt5.simulator import address
from tradingview_scraper.adapters.mt5.simulator.library.process import (
    EXIT_ALREADY_SERVED,
    last_words,
    start_terminal,
)
from tradingview_scraper.adapters.mt5.simulator.scenario import with_whole_paths
from tradingview_scraper.adapters.mt5.simulator.terminal import channel
from tradingview_scraper.adapters.mt5.simulator.terminal.toml import to_toml
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

#: How long a terminal process may take until it listens, and to end when it is told to.
START_LIMIT_SECS: Final = 90.0
STOP_LIMIT_SECS: Final = 15.0
_STEP_SECS: Final = 0.02

_ERRORS: Final[dict[str, type[Exception]]] = {
    error.__name__: error for error in (ValueError, TypeError, RuntimeError)
}


def launch(scenario: str | os.PathLike[str] | Mapping[str, Any]) -> "Control":
    """Start a terminal of its own on fresh books; the end of the ``with`` block stops it.

    `scenario` is a built-in one's name, a TOML file, or tables (``{"extends": "demo-hedging",
    ...}``). Nobody else's terminal has its path. Raises RuntimeError with the terminal's last words
    when it does not come up.
    """
    directory = Path(tempfile.mkdtemp(prefix="mt5-terminal-"))
    file = directory / "terminal.toml"
    # The terminal's address depends on the file, which must be there when it is worked out.
    file.touch()
    control = Control(str(file), directory)
    try:
        control._write_scenario(scenario)
        control.start()
    except BaseException:
        control.close()
        raise
    return control


def connect(path: str) -> "Control":
    """Hold the terminal that serves `path` already. Raises ConnectionError when none does."""
    control = Control(path, None)
    control.stats()
    return control


class Control:
    """One simulated terminal, from the side where the strings are pulled.

    `path` is what goes into ``initialize`` and ``MT5TerminalConfig.path``. Every method but `start`
    and `close` raises ConnectionError when the terminal is not there and ValueError for what it
    cannot do.
    """

    def __init__(self, path: str, directory: Path | None) -> None:
        self.path: Final = path
        self._directory = directory
        self._where: Final = address.control_address(path)
        self._process: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None

    def __enter__(self) -> "Control":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process that serves the path now."""
        return int(self._ask("where")["pid"])

    def push_ticks(self, symbol: str, rows: Rows) -> None:
        """Add ticks (`TICK_DTYPE`, ascending); a `time_msc` of 0 means now."""
        if rows.dtype != TICK_DTYPE:
            raise ValueError(f"rows must be ticks of {TICK_DTYPE}, were {rows.dtype}")
        data = base64.b64encode(np.ascontiguousarray(rows).tobytes()).decode()
        self._ask("push_ticks", symbol=symbol, rows=data)

    def advance(self, seconds: float) -> None:
        """Let server time pass at once, with all that happens in it."""
        self._ask("advance", seconds=seconds)

    def hang(self, seconds: float, function: str | None = None) -> None:
        """Answer the next call of `function` (None: of any) only `seconds` after it arrived.

        What it does is done at once. Until then every further call that it meets waits as well, of
        any client; other functions are served. Then it is over.
        """
        self._ask("hang", seconds=seconds, function=function)

    def slow(self, seconds: float, function: str | None = None) -> None:
        """Answer every call of `function` (None: of all) so much later, from now on; 0 ends it."""
        self._ask("slow", seconds=seconds, function=function)

    def drop_connections(self) -> int:
        """Close the connections of all clients; gives their number."""
        return int(self._ask("drop_connections"))

    def set_connected(self, connected: bool) -> None:
        """Cut or restore the link to the trade server: clients keep reading the last state.

        Requests get 10031 meanwhile. The broker goes on: stops trigger, and `books` shows it.
        """
        self._ask("set_connected", connected=connected)

    def lose_reply(
        self, function: str, when: Literal["before", "after", "during"] = "after"
    ) -> None:
        """Close the connection instead of the next answer: before or after the call is done.

        With ``during`` it is done, and half of the answer comes.
        """
        self._ask("lose_reply", function=function, when=when)

    def answer(self, function: str, retcode: int, n: int = 1, *, executed: bool = False) -> None:
        """Answer the next `n` calls with a retcode (requests) or a negative error code.

        With `executed` the request is carried out behind that answer.
        """
        self._ask("answer", function=function, retcode=retcode, n=n, executed=executed)

    def fault(
        self,
        kind: Literal["hang", "slow", "lose", "answer"],
        function: str | Sequence[str] | None = None,
        *,
        seconds: float = 0.0,
        when: Literal["before", "after", "during"] = "after",
        code: int = 0,
        executed: bool = False,
        count: int | None = None,
        lasts: float | None = None,
        where: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Put a fault in force for the calls that it meets: the general form of the verbs above.

        It is over after `count` calls, after `lasts` seconds of world time, or with
        `clear_faults`. `function` is a name, a pattern (``"copy_*"``) or a list of those; `where`
        narrows it to calls whose arguments fulfil all conditions of a table, or of one of a list of
        tables. A condition is a value, a list of conditions (one of them), or a table of ``min``,
        ``max``, ``like`` (a pattern) and ``not`` (a condition):
        ``where={"symbol": {"like": "EUR*"}, "volume": {"min": 1.0}, "action": [5, 7]}``.
        """
        self._ask(
            "fault",
            kind=kind,
            function=function if function is None or isinstance(function, str) else list(function),
            seconds=seconds,
            when=when,
            code=code,
            executed=executed,
            count=count,
            lasts=lasts,
            where=dict(where or {})
            if isinstance(where, Mapping | None)
            else list(map(dict, where)),
        )

    def clear_faults(self) -> None:
        """End all faults that calls meet."""
        self._ask("clear_faults")

    def requote(self, n: int) -> None:
        """Answer the next `n` market orders with 10004 and the prices that are offered instead."""
        self._ask("requote", n=n)

    def delay_history(self, seconds: float, meanwhile: Literal["none", "short"] = "none") -> None:
        """From now on history must be downloaded: `seconds` (world time) from each first call on.

        Until then ticks and bars are None with -1, or, with ``short``, what is at hand: today's
        bars, the last 4,096 ticks. 0 ends it.
        """
        self._ask("delay_history", seconds=seconds, meanwhile=meanwhile)

    def shift_clock(self, seconds: float) -> None:
        """Put the server's clock wrong by so much more, either way, as in a night of DST.

        After a shift backwards nothing new happens until the clock has caught up.
        """
        self._ask("shift_clock", seconds=seconds)

    def gap(self, symbol: str, points: int) -> None:
        """Let the prices of a symbol jump by so many points, from the next synthetic tick on."""
        self._ask("gap", symbol=symbol, points=points)

    def partial_fill(self, lots: float, n: int = 1) -> None:
        """Let only so many lots be there for each of the next `n` fills; ``n=0`` ends it.

        FOK orders are refused by it, IOC orders lose their rest, RETURN orders keep it waiting.
        """
        self._ask("partial_fill", lots=lots, n=n)

    def operate(self, kind: str, amount: float, comment: str = "") -> dict[str, Any]:
        """Move money without a trade, in or, when negative, out; gives the deal.

        `kind` is that of the deal: ``balance`` (deposits and withdrawals), ``credit``, ``charge``,
        ``correction``, ``commission``, ``interest``, ``dividend``, ``tax``. ValueError for more
        than there is.
        """
        deal: dict[str, Any] = self._ask("operate", kind=kind, amount=amount, comment=comment)
        return deal

    def login(self, account: int | Mapping[str, Any]) -> None:
        """A person switches the terminal to another account: a known number, or a new account."""
        if isinstance(account, Mapping):
            self._ask("login", account=dict(account))
        else:
            self._ask("login", account={"login": account})

    def set_trade_allowed(self, allowed: bool) -> None:
        """Press the AutoTrading button: without it requests of programs get 10027."""
        self._ask("set_trade_allowed", allowed=allowed)

    def live_update(self, seconds: float = 1.0, build: int | None = None) -> None:
        """The terminal closes to update itself, and is back `seconds` later on the same books.

        All connections break; `build` is the new one, or the next. Scripted faults are gone.
        """
        self._ask("live_update", seconds=seconds, build=build)

    def trade_by_hand(self, **request: Any) -> dict[str, Any]:
        """Send a trade request as a person does; gives the answer's fields."""
        answer: dict[str, Any] = self._ask("trade_by_hand", request=request)
        return answer

    def set_limit(self, *, connections: int | None) -> None:
        """Serve so many clients at once; ``initialize`` of a further one waits. None: no limit."""
        self._ask("set_limit", connections=connections)

    def books(self) -> dict[str, Any]:
        """The broker's truth: orders, deals, positions, account, history."""
        books: dict[str, Any] = self._ask("books")
        return books

    def stats(self) -> dict[str, Any]:
        """``calls``: how many arrived, by function (0 where none); ``sessions`` and ``waiting``:
        clients now.
        """
        stats: dict[str, Any] = self._ask("stats")
        return {**stats, "calls": Counter(stats["calls"])}

    def journal(self) -> list[dict[str, Any]]:
        """Every call and verb so far; ValueError unless the scenario has ``journal = true``."""
        entries: list[dict[str, Any]] = self._ask("journal")
        return entries

    def reset(self, scenario: str | os.PathLike[str] | Mapping[str, Any] | None = None) -> None:
        """Begin anew on fresh books, in another scenario when one is given; clients are dropped."""
        if scenario is None:
            self._ask("reset")
            return
        before = self._write_scenario(scenario)
        try:
            self._ask("reset")
        except ValueError:
            Path(self.path).write_text(before, "utf-8")
            raise

    def kill(self) -> None:
        """Kill the terminal process as it stands; its books stay."""
        with suppress(ConnectionError):
            self._pid = self.pid
        if self._pid is None:
            raise ConnectionError(f"no terminal serves {self.path}")
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self._pid, _KILL)
        self._await(lambda: not channel.listens(self._where), STOP_LIMIT_SECS, "end")
        if self._process is not None and self._process.pid == self._pid:
            self._process.wait(STOP_LIMIT_SECS)

    def start(self) -> None:
        """Start the terminal process, again on the same books, and wait until it listens."""
        log = address.log_file(self.path)
        process = start_terminal(self.path, log, dies_with_starter=self._directory is not None)

        def is_up() -> bool:
            if channel.listens(self._where):
                return True
            if process.poll() not in (None, EXIT_ALREADY_SERVED):
                raise RuntimeError(f"the terminal of {self.path} ended: {last_words(log)}")
            return False

        self._process = process
        self._await(is_up, START_LIMIT_SECS, "come up")
        self._pid = self.pid

    def stop(self) -> None:
        """End the terminal process in order; its books stay."""
        self._ask("stop")
        self._await(lambda: not channel.listens(self._where), STOP_LIMIT_SECS, "end")

    def close(self) -> None:
        """Stop the terminal, if `launch` started it, and remove its books."""
        if self._directory is None:
            return
        with suppress(ConnectionError, TimeoutError):
            self.stop()
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(STOP_LIMIT_SECS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for left in (self._where, address.terminal_address(self.path)):
            # A killed process leaves its sockets behind; pipes go with it.
            with suppress(OSError):
                Path(left).unlink()
        with suppress(OSError):
            address.lock_file(self.path).unlink()
        shutil.rmtree(self._directory, ignore_errors=True)

    def perform(self, verb: str, **arguments: Any) -> Any:
        """Do a verb by its name, as a journal and a timetable have it; gives its result."""
        return self._ask(verb, **arguments)

    def _write_scenario(self, scenario: str | os.PathLike[str] | Mapping[str, Any]) -> str:
        """Put `scenario` into the terminal's file; gives what stood there."""
        if self._directory is None:
            raise ValueError("a terminal that was not launched here keeps its scenario: reset()")
        if not isinstance(scenario, Mapping):
            name = os.fspath(scenario)
            found = address.scenario_file(name)
            if found is None:
                raise ValueError(f"expected a built-in scenario or a TOML file, got {name!r}")
            built_in = found.parent == address.SCENARIOS
            scenario = {"extends": name if built_in else str(found.resolve())}
        else:
            scenario = with_whole_paths(scenario, Path.cwd())
        file = Path(self.path)
        before = file.read_text("utf-8")
        file.write_text(to_toml(scenario), "utf-8")
        return before

    def _ask(self, verb: str, **arguments: Any) -> Any:
        answer = channel.ask(self._where, {"verb": verb, "arguments": arguments})
        if "error" in answer:
            raise _ERRORS.get(answer["kind"], RuntimeError)(answer["error"])
        return answer["result"]

    def _await(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the terminal of {self.path} did not {what} in {seconds:g} s")
            time.sleep(_STEP_SECS)


#: SIGKILL; where there is none, `os.kill` terminates the process with any number.
_KILL: Final = getattr(signal, "SIGKILL", signal.SIGTERM)
