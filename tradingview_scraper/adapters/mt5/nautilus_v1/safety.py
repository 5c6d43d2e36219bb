"""May this account trade, and does somebody need to look at it? `Safety`.

Watches an account for what is not an order's own business: permissions, the day's loss, the margin
level, another account, missing stop losses. Asked before each request is sent.
"""

import asyncio
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.lanes import Lane, LaneState, State
from tradingview_scraper.adapters.mt5.client.results import SendOutcome, Snapshot
from tradingview_scraper.adapters.mt5.client.watches import Watch
from tradingview_scraper.adapters.mt5.nautilus_v1.alarms import Alarms
from tradingview_scraper.adapters.mt5.nautilus_v1.config import MT5ExecClientConfig
from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5AlarmKind
from tradingview_scraper.adapters.mt5.nautilus_v1.guards import Guards
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.protection import Protection
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.nautilus_v1.rates import provide_rates
from tradingview_scraper.adapters.mt5.rules.clock import ClockState, Verdict
from tradingview_scraper.adapters.mt5.rules.daily_loss import DailyLoss, Turn
from tradingview_scraper.adapters.mt5.rules.facts import AccountSeen, Dealt, Fact
from tradingview_scraper.adapters.mt5.rules.permissions import (
    Finding,
    account_findings,
    terminal_findings,
)
from tradingview_scraper.adapters.mt5.rules.stop_out import MarginChange, MarginWatch, MarginZone
from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction, TradeRetcode
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    TerminalInfo,
    TradePosition,
)
from tradingview_scraper.adapters.mt5.worker.arguments import LAST_DATE

#: Seconds between two looks at what only time changes.
_LOOK_SECS: Final = 0.5
_DAY_SECS: Final = 86_400

#: Answers that say that a switch forbids trading, whatever it was when it was last looked at.
_FORBIDDEN: Final = frozenset(
    {
        TradeRetcode.CLIENT_DISABLES_AT,
        TradeRetcode.SERVER_DISABLES_AT,
        TradeRetcode.TRADE_DISABLED,
    }
)


class Safety:
    """Says no before a request is sent, and raises alarms. From `watch` on, until `close`."""

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        provider: MT5InstrumentProvider,
        config: MT5ExecClientConfig,
        positions: Iterable[TradePosition],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._out = out
        self._log = out._log
        self._clock = out._clock
        self._client = client
        self._provider = provider
        self._config = config
        self._loop = loop
        self._deposit: str = client.account.currency
        self._alarms = Alarms(out)
        self._guards = Guards(
            config.guards,
            client,
            out._cache,
            provider=provider,
            positions=positions,
            hedging=config.oms_type == "HEDGING",
            deposit=self._deposit,
        )
        self._protection = Protection(
            client, self._alarms, restores=config.restore_stop_loss, loop=loop
        )
        #: Where a stop loss that is put on a position, or taken off on purpose, is to be told.
        self.protection = self._protection.audit
        self._margin = MarginWatch()
        self._loss: DailyLoss | None = None
        if config.guards.max_daily_loss is not None:
            self._loss = DailyLoss(
                config.guards.max_daily_loss,
                zone=client.zone,
                counts_floating=config.guards.daily_loss_counts_floating,
            )
        self._has_dealt = False
        self._terminal_says: list[Finding] = []
        self._account_says: list[Finding] = []
        self._told: list[Finding] = []
        self._is_refused = False
        self._is_clock_wrong = False
        self._asking: asyncio.Task[None] | None = None
        self._ask_due_ns = 0
        self._timer: asyncio.TimerHandle | None = None
        self._watches: list[Watch] = []

    def watch(self) -> None:
        """Follow the account from here on."""
        self._watches.append(self._client.watch_trade(self._on_facts, self._loop))
        self._watches.append(self._client.watch_state(self._on_lane, self._loop))
        self._watches.append(self._client.watch_clock(self._on_clock, self._loop))

    async def begin(self, snapshot: Snapshot) -> None:
        """Take in how the account stands at the start. Raises `MT5Error`."""
        if self._loss is not None:
            await self._recount(self._loss)
            if not self._has_dealt:
                self._loss.read(snapshot.account)
        if self._guards.limits.order_notional is not None:
            await self._provide_rates()
        self.protection.seed(
            snapshot.positions,
            snapshot.history,
            namespaces=(self._config.magic_namespace, *self._config.own_namespaces),
        )
        self._on_terminal(self._client.terminal)
        self._on_account(snapshot.account)
        self._look()

    def admit(
        self, order: Order, request: Mapping[str, int | float | str], listing: Listing
    ) -> None:
        """Let a request pass that is sent next, and count it. Raises `Denied` with the reason."""
        findings = [*self._terminal_says, *self._account_says]
        if findings:
            raise Denied(f"TRADING_HALTED: {findings[0]}")
        now = self._clock.timestamp_ns()
        opens = self._guards.opens(order, request, listing)
        self._look_at_loss(now)
        if self._loss is not None and self._loss.stopped is not None and opens:
            raise Denied(self._loss.stopped.text)
        breach = self._guards.admit(order, request, listing, opens, now)
        if breach is not None:
            raise Denied(breach.text)
        self.protection.ordered(
            int(request["magic"]),
            sl=float(request.get("sl", 0.0)),
            tp=float(request.get("tp", 0.0)),
        )

    def admit_change(
        self,
        order: Order,
        request: Mapping[str, int | float | str],
        listing: Listing,
        whole: Decimal,
        left: Decimal,
    ) -> None:
        """Let a waiting order become `request`, of `whole` units with `left` to be filled.

        Raises `Denied` with the reason.

        Where it is placed anew, what forbids an order forbids that: the cancel before it would not
        be undone.
        """
        now = self._clock.timestamp_ns()
        if request["action"] == TradeAction.PENDING:
            findings = [*self._terminal_says, *self._account_says]
            if findings:
                raise Denied(f"TRADING_HALTED: {findings[0]}")
            self._look_at_loss(now)
            if self._loss is not None and self._loss.stopped is not None:
                raise Denied(self._loss.stopped.text)
        lot = listing.sizing.lot
        breach = self._guards.admit_change(
            order, request, listing, whole=float(whole / lot), left=float(left / lot)
        )
        if breach is not None:
            raise Denied(breach.text)

    def heard(self, outcome: SendOutcome) -> None:
        """What the venue answered to a request: it may know of a switch before it is read."""
        if outcome.result is not None and outcome.result.retcode in _FORBIDDEN:
            self._ask_terminal()

    def close(self) -> None:
        """Say nothing more."""
        for watch in self._watches:
            watch.close()
        self._watches.clear()
        self._protection.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _on_facts(self, facts: list[Fact]) -> None:
        now = self._clock.timestamp_ns()
        for fact in facts:
            self.protection.apply(fact)
            match fact:
                case Dealt(deal, _):
                    self._has_dealt = True
                    if self._loss is not None:
                        self._loss.dealt(deal, now)
                case AccountSeen(account):
                    self._on_account(account)
        self._look_at_loss(now)
        self._protection.look(now)

    def _on_account(self, account: AccountInfo) -> None:
        if self._loss is not None:
            self._loss.read(account)
        self._account_says = account_findings(account)
        self._tell_permissions()
        change = self._margin.read(account)
        if change is not None:
            self._tell_margin(change)

    def _on_terminal(self, terminal: TerminalInfo) -> None:
        self._terminal_says = terminal_findings(terminal)
        self._tell_permissions()

    def _on_lane(self, state: LaneState) -> None:
        if state.lane is not Lane.TRADE:
            return
        if state.state is State.REFUSED and not self._is_refused:
            self._is_refused = True
            self._alarms.tell(
                MT5AlarmKind.ACCOUNT_SWITCHED,
                f"trading and reading have stopped until the client connects anew: {state.reason}",
            )
        elif state.state is State.ATTACHED:
            self._ask_due_ns = 0
            if self._is_refused:
                self._is_refused = False
                self._alarms.tell(
                    MT5AlarmKind.ACCOUNT_SWITCHED,
                    "the terminal is on the expected account again, and trading goes on",
                    is_over=True,
                )

    def _on_clock(self, verdict: Verdict) -> None:
        is_wrong = verdict.state is ClockState.WRONG
        if is_wrong or self._is_clock_wrong:
            self._alarms.tell(MT5AlarmKind.SERVER_CLOCK_WRONG, verdict.text, is_over=not is_wrong)
        self._is_clock_wrong = is_wrong

    def _look(self) -> None:
        """What only time changes: the server's day, a stop loss missing too long, a switch."""
        self._timer = self._loop.call_later(_LOOK_SECS, self._look)
        now = self._clock.timestamp_ns()
        self._look_at_loss(now)
        self._protection.look(now)
        if now >= self._ask_due_ns:
            self._ask_terminal()

    def _look_at_loss(self, now_ns: int) -> None:
        if self._loss is None:
            return
        turn = self._loss.look(now_ns)
        if turn is Turn.STOPPED and self._loss.stopped is not None:
            stopped = self._loss.stopped
            self._alarms.tell(
                MT5AlarmKind.DAILY_LOSS, stopped.text, figure=stopped.figure, limit=stopped.limit
            )
        elif turn is Turn.RESUMED:
            self._alarms.tell(
                MT5AlarmKind.DAILY_LOSS,
                "a new day has begun on the server's clock: orders that open are taken again",
                is_over=True,
                figure=self._loss.loss(now_ns),
                limit=self._loss.limit,
            )

    def _tell_permissions(self) -> None:
        findings = [*self._terminal_says, *self._account_says]
        for finding in findings:
            if finding not in self._told:
                self._alarms.tell(
                    MT5AlarmKind.TRADING_NOT_ALLOWED, f"no orders are taken: {finding}"
                )
        for finding in self._told:
            if finding not in findings:
                self._alarms.tell(
                    MT5AlarmKind.TRADING_NOT_ALLOWED,
                    f"no longer so: {finding.what} ({finding.switch})",
                    is_over=True,
                )
        self._told = findings

    def _tell_margin(self, change: MarginChange) -> None:
        names = {
            MarginZone.MARGIN_CALL: (MT5AlarmKind.MARGIN_CALL, "margin call level"),
            MarginZone.STOP_OUT: (MT5AlarmKind.STOP_OUT, "stop-out level"),
        }
        is_over = change.zone < change.before
        kind, name = names[max(change.zone, change.before)]
        where = "above" if is_over else "at or below"
        what = "free margin" if change.unit != "%" else "margin level"
        text = (
            f"the {what} is {change.figure:.2f} {change.unit}, {where} the account's {name} "
            f"{change.level:.2f} {change.unit}"
        )
        if not is_over:
            text += ": reduce positions or add money"
            text += "; the server closes positions by force" * (change.zone is MarginZone.STOP_OUT)
        self._alarms.tell(kind, text, is_over=is_over, figure=change.figure, limit=change.level)

    def _ask_terminal(self) -> None:
        """Read the terminal's switches: they are in no feed."""
        if self._asking is None:
            every = self._config.terminal.account_poll_ms
            self._ask_due_ns = self._clock.timestamp_ns() + every * 1_000_000
            self._asking = self._loop.create_task(self._read_terminal())

    async def _read_terminal(self) -> None:
        try:
            # Not the trade lane, which is for requests, nor the history lane, which may be long.
            asked = self._client.submit("terminal_info", lane=Lane.QUOTES)
            self._on_terminal(await asyncio.wrap_future(asked))
        except MT5Error as error:
            # A lane that is down says so itself.
            self._log.debug(f"The terminal's switches cannot be read: {error}")
        finally:
            self._asking = None

    async def _recount(self, loss: DailyLoss) -> None:
        """Count the deals of the server's day, and of the one before: clocks may differ."""
        now = self._client.zone.server_seconds(self._clock.timestamp_ns())
        since = now - now % _DAY_SECS - _DAY_SECS
        loss.seed(await self._client.history_deals_get(since, LAST_DATE))

    async def _provide_rates(self) -> None:
        listings = [
            listing
            for instrument in self._provider.list_all()
            if (listing := self._provider.adopt(instrument)) is not None
        ]
        missing = await provide_rates(
            self._client, self._provider, self._out._cache, listings, self._deposit
        )
        if missing:
            self._log.error(
                f"The terminal has no pair that converts {', '.join(missing)} into "
                f"{self._deposit}: orders in it are denied, because guards.max_order_notional "
                f"cannot be compared"
            )
