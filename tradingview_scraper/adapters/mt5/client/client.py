"""How does a trading node speak with one terminal? `MT5Client`."""

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from tradingview_scraper.adapters.mt5.client.answers import SNAPSHOT, value_of
from tradingview_scraper.adapters.mt5.client.audience import Audience
from tradingview_scraper.adapters.mt5.client.calls import Calls
from tradingview_scraper.adapters.mt5.client.clock import ServerClock
from tradingview_scraper.adapters.mt5.client.connection import Connection
from tradingview_scraper.adapters.mt5.client.delivery import Deliveries
from tradingview_scraper.adapters.mt5.client.detection import detect_zone
from tradingview_scraper.adapters.mt5.client.lanes import (
    LANE_OF,
    Lane,
    LaneState,
    State,
    deadline_secs,
)
from tradingview_scraper.adapters.mt5.client.metrics import ClientFigures, Metrics
from tradingview_scraper.adapters.mt5.client.pending import Progress
from tradingview_scraper.adapters.mt5.client.results import SendOutcome, Snapshot
from tradingview_scraper.adapters.mt5.client.selection import Selection
from tradingview_scraper.adapters.mt5.client.sending import outcome_of
from tradingview_scraper.adapters.mt5.client.supervision import Supervisor, TerminalState
from tradingview_scraper.adapters.mt5.client.terminal_link import TerminalLink
from tradingview_scraper.adapters.mt5.client.trade import TradeState
from tradingview_scraper.adapters.mt5.client.watches import FeedWatch, TickWatch, Watch
from tradingview_scraper.adapters.mt5.client.watching import Watching
from tradingview_scraper.adapters.mt5.rules.clock import Verdict as ClockVerdict
from tradingview_scraper.adapters.mt5.rules.lifecycle import Fact
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.api import Request
from tradingview_scraper.adapters.mt5.terminal.config import AUTO_ZONE, MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5ConnectionError,
    MT5Error,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    TerminalInfo,
    TradeOrder,
    TradePosition,
)
from tradingview_scraper.adapters.mt5.worker.arguments import LAST_DATE, prepare, prepare_request
from tradingview_scraper.adapters.mt5.worker.frames import (
    Attached,
    Call,
    Command,
    Started,
    TakeSnapshot,
)

_log = logging.getLogger(__name__)


class MT5Client(Calls, Watching):
    """One MetaTrader 5 terminal, through workers that can be killed: nothing here waits for it.

    Methods may be called from any thread. Coroutines may run on any loop. Handlers run on the
    loop given with them, in the order of the frames of their lane, and must not block it; what a
    handler was given counts as delivered, even if it raises. A worker that hangs or dies is
    replaced, feeds go on where they were, and calls that it had not answered fail. Nothing is ever
    sent twice.

    When the terminal shows another account than the expected one (config.login and server, or the
    account found at the first attach), the client is *refused*: every call and request fails with
    `MT5IdentityError`, unsent, until the right account is back and `connect` is called anew.
    """

    def __init__(self, config: MT5TerminalConfig) -> None:
        """Starts nothing. Fields left out are filled from the environment. `MT5ConfigError`."""
        super().__init__()
        self.config = config.with_environment(os.environ)
        lock, deliveries = threading.RLock(), Deliveries(_nothing)
        self._facts = Audience[list[Fact]](lock, deliveries)
        self._lane_states = Audience[LaneState](lock, deliveries)
        self._terminal_states = Audience[TerminalState](lock, deliveries)
        self._verdicts = Audience[ClockVerdict](lock, deliveries)
        self._trade = TradeState(
            next(self._ids),
            self.config,
            self._tell_facts,
            lambda reason: self._connection.refuse(reason),
        )
        self._terminal: TerminalInfo | None = None
        self._supervisor = Supervisor(self._tell_terminal)
        link = TerminalLink(next(self._ids), self.config.link_poll_ms, self._see_terminal)
        self._metrics = Metrics()
        self._connection = Connection(
            self.config, self._trade, link, self._metrics, self._tell_state, self._settle_zone
        )
        self._selection = Selection(self.submit)
        text = self.config.server_time_zone
        self.clock = ServerClock(
            None if text == AUTO_ZONE else ZoneRule.parse(text), self._verdicts.tell
        )

    async def connect(self) -> None:
        """Attach every lane, the trade lane first; returns when the account was read once.

        Reference counted: each user of the client connects and disconnects once. The workers start
        with the first. Raises `MT5ConnectionError` (with the library's code and text) or
        `MT5IdentityError`, within the attach deadline of each lane; nothing is left running then.
        With ``server_time_zone="auto"`` the zone is detected here, and `MT5ConfigError` raised when
        nothing is live.
        """
        await self._connection.connect()

    async def ready(self, secs: float | None = None) -> None:
        """Wait until every lane is attached, `secs` at most (None: `attach_timeout_secs`).

        Workers that died are replaced meanwhile. Raises `MT5ConnectionError` when that does not
        help in time, and at once when nothing changes before `connect`.
        """
        loop = asyncio.get_running_loop()
        told: asyncio.Future[None] = loop.create_future()

        def look(_: LaneState) -> None:
            if (self.is_ready or self.is_given_up) and not told.done():
                told.set_result(None)

        watch = self.watch_state(look, loop)
        try:
            await asyncio.wait([told], timeout=secs or self.config.attach_timeout_secs)
        finally:
            watch.close()
        if not self.is_ready:
            raise MT5ConnectionError(f"expected a ready terminal, it is {self.state}")

    async def disconnect(self) -> None:
        """Leave; the last one stops the workers, orderly and within seconds. Never raises."""
        await self._selection.settle()
        await self._connection.disconnect()

    @property
    def zone(self) -> ZoneRule:
        """The rule that converts server time, the same from connect to disconnect.

        Raises `MT5ConnectionError` before `connect` where it is to be detected.
        """
        rule = self.clock.rule
        if rule is None:
            raise MT5ConnectionError(
                "expected a connected client: server_time_zone='auto' is detected by connect()"
            )
        return rule

    @property
    def account(self) -> AccountInfo:
        """The account as of the last trade frame. Raises `MT5ConnectionError` before `connect`."""
        account = self._trade.account
        return account if account is not None else self._attachment().account

    @property
    def terminal(self) -> TerminalInfo:
        """The terminal when its link or a switch changed last. `MT5ConnectionError` before that."""
        terminal = self._terminal
        return terminal if terminal is not None else self._attachment().terminal

    @property
    def state(self) -> TerminalState:
        """How the terminal is as a whole; its `may_trade` says whether requests make sense."""
        return self._supervisor.state

    def check_link(self) -> None:
        """Raise `MT5ConnectionError` unless the terminal shows its server's word, and not old news.

        Reads of a terminal without its trade server succeed [recorded].
        """
        state = self.state
        if not state.may_trade:
            raise MT5ConnectionError(f"the terminal is {state}")

    @property
    def orders(self) -> Mapping[int, TradeOrder]:
        """Open orders by ticket, as of the last trade frame; current prices may be older."""
        return self._trade.orders

    @property
    def positions(self) -> Mapping[int, TradePosition]:
        """Open positions by ticket, as of the last trade frame; prices and profit may be older."""
        return self._trade.positions

    @property
    def trade_frames(self) -> int:
        """Frames of the trade feed so far; it does not look while a request is with the broker."""
        return self._trade.frames

    @property
    def is_ready(self) -> bool:
        """Every lane is attached."""
        return all(state.state is State.ATTACHED for state in self.states.values())

    @property
    def is_given_up(self) -> bool:
        """A lane is down, and only `connect` changes that."""
        return any(state.state in _FINAL for state in self.states.values())

    @property
    def is_used(self) -> bool:
        """Somebody has connected and not disconnected."""
        return self._connection.is_used

    @property
    def states(self) -> Mapping[Lane, LaneState]:
        """Each lane's state."""
        return dict(self._connection.states)

    @property
    def gaps(self) -> Mapping[str, int]:
        """How often the terminal has lost ticks, by symbol; those that it never did are not in."""
        return dict(self._gaps)

    @property
    def metrics(self) -> ClientFigures:
        """Calls, latencies, polls, restarts and unknown outcomes since connect, and all gaps."""
        return self._metrics.figures(self._gaps.total())

    @property
    def pids(self) -> Mapping[Lane, int | None]:
        """The process of each lane's worker; the same one twice when lanes share it."""
        return self._connection.pids

    def submit(
        self,
        function: str,
        *args: Any,
        lane: Lane | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> "concurrent.futures.Future[Any]":
        """Call a function of the library; the future is its answer, in the library's records.

        Never waits. Without `lane` and `timeout` (seconds) they are those of the function. The
        future raises `MT5CallError` for a call that fails, `MT5CallTimeout`, `MT5LaneLost` or
        `MT5IdentityError`; it cannot be cancelled. Raises ValueError for arguments that the
        library would take wrongly. Do not wait for it on an event loop's thread.
        """
        if function not in LANE_OF:
            raise ValueError(f"expected one of {', '.join(LANE_OF)}, was {function!r}")
        lane = LANE_OF[function] if lane is None else lane
        if function == _REQUEST and lane is not Lane.TRADE:
            raise ValueError(f"{_REQUEST} goes to the trade lane, was sent to {lane}")
        call_args, call_kwargs = prepare(function, args, kwargs)
        seconds = deadline_secs(function, lane, self.config) if timeout is None else timeout
        return self._start(
            lane, function, lambda i: Call(i, function, call_args, call_kwargs), seconds
        )

    def send(
        self,
        request: Request,
        done: Callable[[SendOutcome], None],
        loop: asyncio.AbstractEventLoop,
        *,
        check: bool = False,
        begun: Callable[[], None] | None = None,
    ) -> None:
        """``order_send`` without waiting; requests leave in the order in which they were given.

        `done` runs on `loop` exactly once, before any facts that follow from the request. With
        `check` it is only sent when ``order_check`` takes it, directly before. `begun` runs on
        `loop` when it is about to be sent, and not at all when it is not. Raises ValueError for a
        request that the library would take wrongly; nothing is called then.
        """
        prepared = prepare_request(request)
        deliveries = self._connection.deliveries(Lane.TRADE)

        def settle(settlement: Progress) -> None:
            if not isinstance(settlement, Started):
                outcome = outcome_of(request, settlement)
                if outcome.outcome is Outcome.UNKNOWN:
                    self._metrics.unknown()
                deliveries.put(loop, done, outcome)
            elif begun is not None:
                deliveries.put(loop, begun)

        self._connection.put(
            Lane.TRADE,
            _REQUEST,
            lambda i: Call(i, _REQUEST, [prepared], {}, check),
            self.config.order_timeout_secs,
            settle,
        )

    @contextlib.asynccontextmanager
    async def selected(self, symbol: str) -> AsyncIterator[None]:
        """`symbol` is in Market Watch within the block, and leaves it then if nobody needs it.

        Raises `MT5Error` when the terminal does not select it.
        """
        selecting = self._selection.hold(symbol)
        try:
            await asyncio.wrap_future(selecting)
            yield
        finally:
            self._selection.release(symbol)

    def watch_trade(
        self, handler: Callable[[list[Fact]], None], loop: asyncio.AbstractEventLoop
    ) -> Watch:
        """What happens on the account from now on, as facts in order, each once."""
        return self._facts.add(handler, loop)

    def watch_state(
        self, handler: Callable[[LaneState], None], loop: asyncio.AbstractEventLoop
    ) -> Watch:
        """Each lane's state, now and whenever it changes."""
        return self._lane_states.add(handler, loop, lambda: list(self.states.values()))

    def watch_clock(
        self, handler: Callable[[ClockVerdict], None], loop: asyncio.AbstractEventLoop
    ) -> Watch:
        """What live ticks prove about the server's zone, and whenever that changes.

        They are those of `watch_ticks`. A verdict that is WRONG says what to set; nothing is
        changed by itself. Nothing is told while nothing is proven.
        """
        return self._verdicts.add(
            handler, loop, lambda: [told] if (told := self.clock.told) is not None else []
        )

    def watch_terminal(
        self, handler: Callable[[TerminalState], None], loop: asyncio.AbstractEventLoop
    ) -> Watch:
        """The terminal's state as a whole, now and whenever it changes."""
        return self._terminal_states.add(handler, loop, lambda: [self.state])

    async def snapshot(self, since: int | None = None) -> Snapshot:
        """Orders, history, deals, positions and account, read at one quiet moment.

        History from server second `since` on; None: the newest (1,000 to 2,000 records at most).
        Raises when any part fails, when the terminal has no link to its trade server, or when the
        account did not keep still: never less than all, and never old.
        """
        if since is not None and not 1 <= since <= LAST_DATE:
            raise ValueError(f"since must be server seconds from 1 to {LAST_DATE}, was {since}")
        seconds = self.config.history_timeout_secs
        asked = self._start(Lane.HISTORY, SNAPSHOT, lambda i: TakeSnapshot(i, since), seconds)
        snapshot: Snapshot = await asyncio.wrap_future(asked)
        return snapshot

    def _start(
        self, lane: Lane, function: str, make: Callable[[int], Command], timeout_secs: float
    ) -> "concurrent.futures.Future[Any]":
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        future.set_running_or_notify_cancel()

        def settle(settlement: Progress) -> None:
            if isinstance(settlement, Started):
                return
            try:
                future.set_result(value_of(function, settlement))
            except MT5Error as error:
                future.set_exception(error)

        self._connection.put(lane, function, make, timeout_secs, settle)
        return future

    def _attachment(self) -> Attached:
        if self._connection.attached is None:
            raise MT5ConnectionError("expected a connected client; await connect() first")
        return self._connection.attached

    def _tell_state(self, state: LaneState) -> None:
        self._lane_states.tell(state)
        self._supervisor.lane_changed(state)

    def _see_terminal(self, terminal: TerminalInfo) -> None:
        self._terminal = terminal
        self._supervisor.link_seen(bool(terminal.connected))

    def _tell_terminal(self, state: TerminalState) -> None:
        is_fine = state.state in _FINE or not self._connection.is_established
        level = logging.INFO if is_fine else logging.WARNING
        _log.log(level, "terminal %s", state)
        self._terminal_states.tell(state)

    def _settle_zone(self) -> None:
        if self.config.server_time_zone == AUTO_ZONE:
            secs = self.config.clock_timeout_secs
            self.clock.rule = detect_zone(self.submit, self._selection, secs)
        # Looks up the zone's switches, which would keep the loop from the first tick for 40 ms.
        self.zone.utc_ns(0)

    def _tell_facts(self, facts: list[Fact], deliveries: Deliveries) -> None:
        self._facts.tell_in_frames(lambda: list(facts), deliveries)

    def _add_feed(self, lane: Lane, watch: FeedWatch) -> None:
        if watch.selects:
            self._selection.hold(watch.symbol)
        self._connection.add_feed(lane, watch)

    def _drop_feed(self, watch: FeedWatch) -> None:
        self._connection.drop_feed(watch.id)
        if isinstance(watch, TickWatch):
            self.clock.unwatch(watch.symbol)
        if watch.selects:
            self._selection.release(watch.symbol)


_REQUEST: Final = "order_send"
#: States of a lane that only `connect` ends.
_FINAL: Final = frozenset({State.FAILED, State.REFUSED, State.STOPPED})
#: States of a terminal that nobody has to look at.
_FINE: Final = frozenset({State.STARTING, State.ATTACHED, State.STOPPED})


def _nothing() -> None:
    pass
