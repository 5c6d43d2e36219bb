"""How does one lane live? Start a worker, attach, serve, kill it when it hangs, start another.

A thread per lane owns its workers, since on Linux a worker dies with the thread that started it.
Nothing is ever sent twice: what a worker that is gone has not answered fails.
"""

import concurrent.futures
import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from tradingview_scraper.adapters.mt5.client.answers import error_of
from tradingview_scraper.adapters.mt5.client.delivery import Deliveries
from tradingview_scraper.adapters.mt5.client.lanes import Lane, State, silence_secs
from tradingview_scraper.adapters.mt5.client.link import Link
from tradingview_scraper.adapters.mt5.client.pending import Progress
from tradingview_scraper.adapters.mt5.client.process import spawn
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5AttachTimeout,
    MT5ConnectionError,
    MT5Error,
    MT5IdentityError,
    MT5LaneLost,
)
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo
from tradingview_scraper.adapters.mt5.worker.frames import (
    Attach,
    Attached,
    Bars,
    Book,
    Command,
    Failed,
    Fault,
    Foreign,
    LinkState,
    Lost,
    NoTicks,
    Polls,
    Report,
    SymbolState,
    Ticks,
    Trade,
    Unwatch,
)

_log = logging.getLogger(__name__)

#: Seconds that a worker has for its orderly end.
_GRACE: Final = 3.0
#: Workers that may die one after the other before the lane's first attach, without a word why.
_FIRST_TRIES: Final = 5


class Feed(Protocol):
    """A watch as its lane sees it; it outlives the workers."""

    id: int

    def resume(self, link: Link, command_id: int) -> Command:
        """The command that starts it in the worker behind `link`, after what was handed over."""

    def receive(self, link: Link, report: Report, deliveries: Deliveries) -> None:
        """A frame of it, on the reader's thread."""


class Owner(Protocol):
    """Who is told what happens on a lane, on the lane's threads."""

    def lane_changed(self, lane: Lane, state: State, reason: str) -> None: ...
    def lane_attached(self, lane: Lane, report: Attached) -> None: ...
    def lane_refused(self, lane: Lane, reason: str) -> None: ...
    def lane_polled(self, lane: Lane, report: Polls) -> None: ...


class LaneWorker:
    """One lane: at most one worker at a time, what is asked of it, and the feeds it runs."""

    def __init__(self, lane: Lane, config: MT5TerminalConfig, owner: Owner) -> None:
        self.lane = lane
        self._config = config
        self._owner = owner
        self.silence_secs = silence_secs(lane, config)
        self._changed = threading.Condition()
        self.deliveries = Deliveries(self._wake)
        self._feeds: dict[int, Feed] = {}
        self._state = State.STOPPED
        self._link: Link | None = None
        self._thread: threading.Thread | None = None
        self._first: concurrent.futures.Future[Attached] = concurrent.futures.Future()
        self._pinned: tuple[int, str] | None = None
        self._password: str | None = None
        self._may_attach = False
        self._is_stopping = False
        self._stop_by = 0.0
        self._ends: MT5Error | None = None
        # Of the last worker: when it attached, and whether it ended because its terminal did.
        self._attached_at: float | None = None
        self._is_terminal_gone = False

    @property
    def state(self) -> State:
        return self._state

    @property
    def pid(self) -> int | None:
        """The worker's process, while there is one."""
        link = self._link
        return None if link is None else link.process.pid

    def start(
        self, *, attach_at_once: bool, password: str | None = None
    ) -> "concurrent.futures.Future[Attached]":
        """Start a worker; the future is its first attach, or why there is none.

        Without `attach_at_once` the worker gets ready and waits for `let_attach`. If the terminal
        cannot be attached to, the lane ends. A worker that dies on the way without saying why is
        replaced, a few times; after the first attach, any one is.
        """
        self.join()
        self._first = concurrent.futures.Future()
        self._password = password
        self._may_attach = attach_at_once
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=f"mt5-{self.lane}", daemon=True)
        self._thread.start()
        return self._first

    def let_attach(self) -> None:
        with self._changed:
            self._may_attach = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Ask for the orderly end of the worker; bounded, returns at once."""
        with self._changed:
            self._is_stopping = True
            self._stop_by = time.perf_counter() + _GRACE
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for the end that `stop` asked for."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def submit(
        self,
        function: str,
        make: Callable[[int], Command],
        timeout_secs: float,
        settle: Callable[[Progress], None],
    ) -> None:
        """Give the worker a command. `settle` is called exactly once, on another thread or here.

        Never waits: not for the worker, and not for its pipe.
        """
        with self._changed:
            link, state = self._link, self._state
            if link is not None and state is State.ATTACHED:
                link.put(function, make, timeout_secs, settle)
                return
        text = f"{function} was not sent: the {self.lane} lane is {state}"
        settle(MT5LaneLost(text, sent=False))

    def watch(self, feed: Feed) -> None:
        """Run a feed in this lane's worker, and in those that follow it."""
        with self._changed:
            self._feeds[feed.id] = feed
            if self._link is not None and self._state is State.ATTACHED:
                self._resume(self._link, feed)

    def unwatch(self, feed_id: int) -> None:
        with self._changed:
            if self._feeds.pop(feed_id, None) is None:
                return
            if self._link is not None and self._state is State.ATTACHED:
                self._link.put("unwatch", lambda i: Unwatch(i, feed_id), self.silence_secs, _ignore)

    def pin(self, account: AccountInfo) -> None:
        """Every further worker must find this account, if none is configured."""
        if self._pinned is None:
            self._pinned = account.login, account.server

    def unpin(self) -> None:
        self._pinned = None

    def be_patient(self, silence_secs: float) -> None:
        """The worker serves slower calls as well, and may be silent for longer."""
        with self._changed:
            self.silence_secs = max(self.silence_secs, silence_secs)
            if self._link is not None:
                self._link.silence_secs = self.silence_secs

    # The life of the lane, on its own thread.

    def _run(self) -> None:
        shortest = self._config.restart_delay_ms / 1_000
        longest = self._config.restart_delay_max_ms / 1_000
        pause = shortest
        deaths = tries = 0
        while True:
            born = time.perf_counter()
            self._attached_at = None
            self._become(State.STARTING, "a worker is being started")
            error = self._live()
            if self._is_stopping:
                self._become(State.STOPPED, "stopped")
                if not self._first.done():
                    self._first.set_exception(MT5ConnectionError("stopped while attaching"))
                return
            if not self._first.done():
                tries += 1
                if not isinstance(error, _WorkerDied) or tries == _FIRST_TRIES:
                    self._become(State.STOPPED, str(error))
                    self._first.set_exception(error)
                    return
                _log.warning("%s lane, attaching: %s", self.lane, error)
            if isinstance(error, MT5IdentityError):
                self._become(State.REFUSED, str(error))
                self._owner.lane_refused(self.lane, str(error))
                return
            now = time.perf_counter()
            if now - born > longest:
                pause = shortest
            deaths = self._count_death(deaths, now - longest)
            if self._config.restart_limit and deaths >= self._config.restart_limit:
                self._become(
                    State.FAILED,
                    f"its last {deaths} workers died within {longest:g} s of their attach, and "
                    f"none is started any more; the last one: {error}",
                )
                return
            self._become(State.LOST, f"{error}; the next worker starts in {pause:g} s")
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopping, pause)
            pause = min(pause * 2, longest)

    def _count_death(self, deaths: int, since: float) -> int:
        """How many workers have died in a row, each soon after its attach.

        One that lived long ends the row. One that found no terminal neither ends nor lengthens it.
        """
        if self._attached_at is None or self._is_terminal_gone:
            return deaths
        return deaths + 1 if self._attached_at > since else 0

    def _live(self) -> MT5Error:
        """One worker's life, from start to burial; why it ended."""
        try:
            process = spawn()
        except OSError as error:
            return MT5ConnectionError(f"a worker cannot be started: {error}")
        link = Link(process, self._changed, self.deliveries, self._receive, self.silence_secs)
        with self._changed:
            self._link = link
            self._ends = None
            self._is_terminal_gone = False
        hung = self._watch_over(link)
        with self._changed:
            link.is_closing = True
            was_attached = self._state is State.ATTACHED
            if was_attached:
                self._state = State.STOPPED if self._is_stopping else State.LOST
        if hung is None:
            link.close(self._stop_by if self._is_stopping else time.perf_counter() + _GRACE)
        else:
            link.kill()
        link.bury(hung or "its worker ended", is_overdue=hung is not None)
        self._link = None
        return self._ends or self._end_of(link, hung, was_attached)

    def _end_of(self, link: Link, hung: str | None, was_attached: bool) -> MT5Error:
        if hung is None:
            status = link.process.returncode
            return _WorkerDied(f"the worker ended with exit status {status}")
        if was_attached:
            return MT5ConnectionError(f"{hung}; its worker was killed")
        seconds = self._config.attach_timeout_secs
        return MT5AttachTimeout(
            f"the worker was killed: attaching took longer than {seconds:g} s; check that "
            f"{self._config.path!r} is a MetaTrader 5 terminal, and that it shows no dialog"
        )

    def _watch_over(self, link: Link) -> str | None:
        """Until the worker ends or the lane stops; why the worker must be killed, if so."""
        is_asked = False
        with self._changed:
            while not link.is_read and not self._is_stopping:
                if self._may_attach and not is_asked:
                    is_asked = True
                    self._ask_to_attach(link)
                deadline, reason = link.deadline()
                left = deadline - time.perf_counter()
                if left > 0:
                    self._changed.wait(left)
                elif reason:
                    return reason
        return None

    def _ask_to_attach(self, link: Link) -> None:
        config = self._config
        login, server = self._pinned or (None, None)
        # The library's own wait for the broker; there are two when it has to log in as well.
        patience = config.attach_timeout_secs * (0.8 if self._password is None else 0.4)
        password = self._password

        def command(call_id: int) -> Command:
            return Attach(
                call_id,
                module=config.module,
                path=config.path,
                portable=config.portable,
                timeout_ms=max(1, int(patience * 1_000)),
                login=login if config.login is None else config.login,
                server=server if config.server is None else config.server,
                may_trade=config.login is not None,
                password=password,
                allow_real_account=config.allow_real_account,
                search_path=[entry or str(Path.cwd()) for entry in sys.path],
            )

        link.put(
            "initialize",
            command,
            config.attach_timeout_secs,
            lambda settlement: self._settle_attach(link, settlement),
        )

    def _settle_attach(self, link: Link, settlement: Progress) -> None:
        if isinstance(settlement, Failed):
            self._ends = error_of(settlement)
        if not isinstance(settlement, Attached):
            return
        self._owner.lane_attached(self.lane, settlement)
        with self._changed:
            if link.is_closing:
                return
            self._state = State.ATTACHED
            self._attached_at = time.perf_counter()
            # A restart never logs in: it would switch the account for everybody.
            self._password = None
            for feed in self._feeds.values():
                self._resume(link, feed)
        self._owner.lane_changed(self.lane, State.ATTACHED, "attached")
        if not self._first.done():
            self._first.set_result(settlement)

    def _resume(self, link: Link, feed: Feed) -> None:
        link.put("watch", lambda call_id: feed.resume(link, call_id), self.silence_secs, _ignore)

    def _receive(self, link: Link, report: Report) -> None:
        """A report of a feed, or of the worker itself; on the reader's thread."""
        match report:
            case (
                Ticks()
                | NoTicks()
                | Bars()
                | Trade()
                | SymbolState()
                | LinkState()
                | Foreign()
                | Book()
            ):
                self._pass_on(link, report.watch, report)
            case Polls():
                self._owner.lane_polled(self.lane, report)
            case Fault():
                self._pass_on(link, report.watch, report)
                _log.warning(
                    "%s lane: %s failed, polling goes on: (%d, %r)",
                    self.lane,
                    report.function,
                    report.code,
                    report.text,
                )
            case Lost():
                self._is_terminal_gone = True
                self._ends = MT5ConnectionError(
                    f"the terminal is gone, {report.function} failed: "
                    f"({report.code}, {report.text!r})",
                    report.code,
                    report.text,
                )
            case _:
                pass

    def _pass_on(self, link: Link, watch: int, report: Report) -> None:
        feed = self._feeds.get(watch)
        if feed is not None:
            feed.receive(link, report, self.deliveries)

    def _become(self, state: State, reason: str) -> None:
        with self._changed:
            self._state = state
        self._owner.lane_changed(self.lane, state, reason)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class _WorkerDied(MT5ConnectionError):
    """A worker has ended, and neither it nor the library has said why."""


def _ignore(settlement: Progress) -> None:
    """A feed that cannot be started says so by a fault, or its worker is gone anyway."""
