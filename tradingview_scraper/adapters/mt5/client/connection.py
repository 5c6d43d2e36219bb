"""How does a client get to its terminal, stay there, and leave? The lanes together.

The trade lane attaches first, alone with credentials; the others follow one at a time and verify.
When the terminal takes no further connection, lanes share the trade lane's worker. When it shows
another account, everything stops.
"""

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import Callable

from tradingview_scraper.adapters.mt5.client.delivery import Deliveries
from tradingview_scraper.adapters.mt5.client.lane import Feed, LaneWorker
from tradingview_scraper.adapters.mt5.client.lanes import Lane, LaneState, State, deadline_secs
from tradingview_scraper.adapters.mt5.client.metrics import Metrics
from tradingview_scraper.adapters.mt5.client.pending import Progress
from tradingview_scraper.adapters.mt5.client.terminal_link import TerminalLink
from tradingview_scraper.adapters.mt5.client.trade import TradeState
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5ConnectionError,
    MT5Error,
    MT5IdentityError,
    MT5LibraryMissing,
)
from tradingview_scraper.adapters.mt5.worker.frames import (
    Attached,
    Call,
    Command,
    Failed,
    FailureKind,
    Polls,
    Started,
)

_log = logging.getLogger(__name__)


class Connection:
    """The workers of one terminal, from the first user's `connect` to the last one's `disconnect`.

    Thread-safe. `tell` gets every lane's changes of state, in order. `prepare` runs, on a thread
    that may wait, when the first user's workers have attached; if it raises, nothing is connected.
    """

    def __init__(
        self,
        config: MT5TerminalConfig,
        trade: TradeState,
        terminal: TerminalLink,
        metrics: Metrics,
        tell: Callable[[LaneState], None],
        prepare: Callable[[], None],
    ) -> None:
        self.states = {lane: LaneState(lane, State.STOPPED, "not started") for lane in Lane}
        self.attached: Attached | None = None
        self._config = config
        self._trade = trade
        self._terminal = terminal
        self._metrics = metrics
        self._tell = tell
        self._prepare = prepare
        self._lock = threading.RLock()
        #: One connect or disconnect at a time.
        self._changing = threading.Lock()
        self._connecting: concurrent.futures.Future[None] | None = None
        self._users = 0
        self._is_fresh = True
        self._is_running = False
        self._refusal: str | None = None
        self._feeds: dict[int, tuple[Lane, Feed]] = {}
        self._workers = {lane: LaneWorker(lane, config, self) for lane in Lane}
        #: The worker that serves a lane: its own, or the trade lane's.
        self._serving = dict(self._workers)
        self.add_feed(Lane.TRADE, trade)
        self.add_feed(Lane.TRADE, terminal)

    @property
    def is_established(self) -> bool:
        """Between `connect` and `disconnect`: before and after, what lanes do is no news."""
        return self._is_running and self.is_used

    @property
    def is_used(self) -> bool:
        return self._users > 0

    @property
    def pids(self) -> dict[Lane, int | None]:
        return {lane: worker.pid for lane, worker in self._serving.items()}

    def deliveries(self, lane: Lane) -> Deliveries:
        """Where things are put that must not overtake, or be overtaken by, a lane's frames."""
        return self._serving[lane].deliveries

    async def connect(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._is_fresh = True
            if self._connecting is None:
                self._connecting = _in_thread(self._establish)
            connecting = self._connecting
        try:
            await asyncio.wrap_future(connecting)
        except BaseException:
            if self._leave():
                _in_thread(self._end)
            raise

    async def disconnect(self) -> None:
        if self._leave():
            await asyncio.wrap_future(_in_thread(self._end))

    def put(
        self,
        lane: Lane,
        function: str,
        make: Callable[[int], Command],
        timeout_secs: float,
        settle: Callable[[Progress], None],
    ) -> None:
        """Give a lane's worker a command; `settle` is called exactly once, on any thread."""
        refusal = self._refusal
        if refusal is not None:
            settle(MT5IdentityError(f"{function} was not sent: {refusal}"))
            return

        asked = time.perf_counter()

        def look_and_settle(settlement: Progress) -> None:
            if not isinstance(settlement, Started):
                failed = isinstance(settlement, Failed | MT5Error)
                seconds = time.perf_counter() - asked
                self._metrics.answered(lane, function, seconds, failed=failed)
            if isinstance(settlement, Failed) and settlement.kind is FailureKind.IDENTITY:
                self._found_foreign(settlement.text)
            settle(settlement)

        self._serving[lane].submit(function, make, timeout_secs, look_and_settle)

    def add_feed(self, lane: Lane, feed: Feed) -> None:
        with self._lock:
            self._feeds[feed.id] = lane, feed
            self._serving[lane].watch(feed)

    def drop_feed(self, feed_id: int) -> None:
        with self._lock:
            lane, _ = self._feeds.pop(feed_id)
            self._serving[lane].unwatch(feed_id)

    def refuse(self, reason: str) -> None:
        """Stop trading and reading: the terminal is on another account."""
        with self._lock:
            if self._refusal is not None:
                return
            self._refusal = reason
            for lane in Lane:
                self._set_state(LaneState(lane, State.REFUSED, reason))
        _log.error("trading and reading stop until connect() is called anew: %s", reason)
        self._trade.refuse(MT5IdentityError(reason))

    def _found_foreign(self, reason: str) -> None:
        """A worker said so. Without a configured account it only refuses to trade."""
        if self._config.login is not None:
            self.refuse(reason)

    # What the lanes tell, on their threads.

    def lane_changed(self, lane: Lane, state: State, reason: str) -> None:
        """A lane's worker has changed; lanes that share it change with it."""
        with self._lock:
            if self._refusal is not None and state is not State.STOPPED:
                return
            worker = self._workers[lane]
            if state is State.LOST:
                self._metrics.lost(lane)
            for served, serving in self._serving.items():
                if serving is worker:
                    self._set_state(LaneState(served, state, reason))

    def lane_attached(self, lane: Lane, report: Attached) -> None:
        """A worker has attached. The first one pins the account for all that follow."""
        with self._lock:
            if lane is Lane.TRADE:
                self.attached = report
                self._terminal.saw(report.terminal)
            for worker in self._workers.values():
                worker.pin(report.account)

    def lane_refused(self, lane: Lane, reason: str) -> None:
        """A restarted worker has found another account."""
        self.refuse(reason)

    def lane_polled(self, lane: Lane, report: Polls) -> None:
        """What polling took in a lane's worker."""
        for feed, (pieces, seconds, longest) in report.feeds.items():
            self._metrics.polled(lane, feed, pieces, seconds, longest)

    # Connecting, on a thread of its own.

    def _establish(self) -> None:
        try:
            with self._changing:
                refusal = self._refusal
                has_failed = any(state.state is State.FAILED for state in self.states.values())
                if self._is_running and refusal is None and not has_failed:
                    return
                self._stop_workers()
                try:
                    self._start_workers()
                except MT5Error as error:
                    if refusal is not None:
                        # Whoever else uses the client is refused as before.
                        self.refuse(str(error) if isinstance(error, MT5IdentityError) else refusal)
                    raise
                self._is_running = True
                self._is_fresh = False
        finally:
            with self._lock:
                self._connecting = None

    def _start_workers(self) -> None:
        with self._lock:
            self._refusal = None
            self._serve_apart()
            if self._is_fresh:
                self._trade.forget()
                self._metrics.clear()
                for worker in self._workers.values():
                    worker.unpin()
        try:
            trade, *others = self._workers.values()
            attached = trade.start(attach_at_once=True, password=self._config.password)
            waiting = [(worker, worker.start(attach_at_once=False)) for worker in others]
            attached.result()
            shared: MT5ConnectionError | None = None
            for worker, attaching in waiting:
                if shared is None:
                    worker.let_attach()
                    shared = self._refused_connection(attaching)
                if shared is not None:
                    self._share(worker, shared)
            self._wait_for_baseline()
            if self._is_fresh:
                self._prepare()
        except BaseException:
            self._stop_workers()
            raise

    def _refused_connection(
        self, attaching: "concurrent.futures.Future[Attached]"
    ) -> MT5ConnectionError | None:
        """None when the lane is attached; the error when only another connection is refused."""
        try:
            attaching.result()
        except MT5LibraryMissing:
            raise
        except MT5ConnectionError as error:
            # Is the terminal there at all? The trade lane answers that.
            if self._workers[Lane.TRADE].state is not State.ATTACHED:
                raise
            self._ask_trade_lane()
            return error
        return None

    def _share(self, worker: LaneWorker, error: MT5ConnectionError) -> None:
        """Let the trade lane's worker serve this lane as well."""
        worker.stop()
        worker.join()
        trade = self._workers[Lane.TRADE]
        reason = f"shares the trade lane's worker, the terminal takes no further one: {error}"
        _log.warning("%s lane: %s", worker.lane, reason)
        with self._lock:
            self._serving[worker.lane] = trade
            for lane, feed in self._feeds.values():
                if lane is worker.lane:
                    worker.unwatch(feed.id)
                    trade.watch(feed)
            trade.be_patient(worker.silence_secs)
            self._set_state(LaneState(worker.lane, trade.state, reason))

    def _serve_apart(self) -> None:
        """Every lane by its own worker again; none is running."""
        trade = self._workers[Lane.TRADE]
        for lane, feed in self._feeds.values():
            trade.unwatch(feed.id)
            self._workers[lane].watch(feed)
        self._serving = dict(self._workers)

    def _wait_for_baseline(self) -> None:
        seconds = self._config.attach_timeout_secs
        try:
            self._trade.baseline.result(seconds)
        except TimeoutError:
            raise MT5ConnectionError(
                f"the account's orders, positions and history could not be read within "
                f"{seconds:g} s; see the log for what failed"
            ) from None

    def _leave(self) -> bool:
        """One user less; True when it was the last. An attach that is under way ends then."""
        with self._lock:
            if self._users == 0:
                return False
            self._users -= 1
            if self._users:
                return False
            for worker in self._workers.values():
                worker.stop()
            return True

    def _end(self) -> None:
        with self._changing:
            with self._lock:
                if self._users:
                    return
                self._refusal = None
            self._stop_workers()

    def _stop_workers(self) -> None:
        for worker in self._workers.values():
            worker.stop()
        for worker in self._workers.values():
            worker.join()
        self._is_running = False

    def _ask_trade_lane(self) -> None:
        """Raises unless the terminal answers the trade lane."""
        asked: concurrent.futures.Future[None] = concurrent.futures.Future()

        def settle(settlement: Progress) -> None:
            if isinstance(settlement, Failed | MT5Error):
                asked.set_exception(MT5ConnectionError(f"the terminal is gone: {settlement}"))
            else:
                asked.set_result(None)

        function = "account_info"
        seconds = deadline_secs(function, Lane.TRADE, self._config)
        self.put(Lane.TRADE, function, lambda i: Call(i, function, [], {}), seconds, settle)
        asked.result()

    def _set_state(self, state: LaneState) -> None:
        self.states[state.lane] = state
        self._tell(state)


def _in_thread(work: Callable[[], None]) -> "concurrent.futures.Future[None]":
    """Run something that waits for workers without holding up a loop."""
    future: concurrent.futures.Future[None] = concurrent.futures.Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(None)

    threading.Thread(target=run, name="mt5-connection", daemon=True).start()
    return future
