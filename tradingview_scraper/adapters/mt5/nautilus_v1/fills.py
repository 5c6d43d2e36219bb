"""Which events does a fact of the trade feed become? `TradeEvents`."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import LiquiditySide
from nautilus_trader.model.enums import OrderType as NautilusOrderType
from nautilus_trader.model.identifiers import ClientOrderId, PositionId, TradeId, VenueOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.holdings import Holdings
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import (
    commission,
    deal_side,
    fill_info,
    fill_report,
    is_trade,
    order_of,
    order_report,
    position_id,
    price,
    venue_order_id,
    volume,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.rules.facts import (
    AccountSeen,
    Dealt,
    Fact,
    OrderChanged,
    OrderDone,
    OrderPlaced,
)
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import DealEntry, OrderState, OrderType
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo, TradeDeal, TradeOrder

#: Seconds that a report waits for the engine to apply the fills before it.
_APPLY_SECS: Final = 5.0
#: Seconds after a deal until the account is published though it was not read anew.
_ACCOUNT_SECS: Final = 0.5

#: States in which the server has the order.
_TAKEN: Final = frozenset({OrderState.PLACED, OrderState.PARTIAL, OrderState.FILLED})


class TradeEvents:
    """Publishes what happened on the account: each deal once, in the order it happened.

    What an order of this node did becomes its events: accepted, filled, cancelled. Everything else
    (closed by hand, stop loss, another program) becomes reports, from which the engine makes
    external orders: first the order, without fills, then each fill with its real price and money.

    The engine applies events later, from its queue, but reports at once: a report therefore waits
    until the fills before it are applied. So a fact may have to wait, and then all behind it do.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        *,
        journal: Journal,
        holdings: Holdings,
        provider: MT5InstrumentProvider,
        zone: ZoneRule,
        hedging: bool,
        deposit: str,
        loop: asyncio.AbstractEventLoop,
        publish_account: Callable[[AccountInfo | None], None],
    ) -> None:
        self._out = out
        self._cache = out._cache
        self._log = out._log
        self._journal = journal
        self._holdings = holdings
        self._provider = provider
        self._zone = zone
        self._hedging = hedging
        self._deposit = deposit
        self._loop = loop
        self._publish_account = publish_account
        self._backlog: deque[Fact] = deque()
        self._drain_task: asyncio.Task[None] | None = None
        self._account_timer: asyncio.TimerHandle | None = None
        self._unapplied: list[tuple[ClientOrderId, TradeId]] = []
        self._unlisted: set[str] = set()

    def publish(self, facts: list[Fact]) -> None:
        """Take the next facts of the feed. Publishes them at once where nothing has to wait."""
        for fact in facts:
            self._holdings.apply(fact)
        self._backlog.extend(facts)
        if self._drain_task is None and not self._advance():
            self._drain_task = self._loop.create_task(self._drain())
        accounts = [fact.account for fact in facts if isinstance(fact, AccountSeen)]
        if accounts:
            self._say_account(accounts[-1])
        elif any(isinstance(fact, Dealt) for fact in facts) and self._account_timer is None:
            # The account is read after its deals; should it look the same, it is said all the same.
            self._account_timer = self._loop.call_later(_ACCOUNT_SECS, self._say_account, None)

    def accept(self, entry: Entry, ticket: int, ts_event: int) -> None:
        """The venue has the order: once, whoever says so first."""
        if entry.ticket:
            if entry.ticket != ticket:
                self._log.error(
                    f"{entry.client_order_id} was accepted as {entry.ticket}, now as {ticket}"
                )
            return
        if entry.is_refused:
            self._log.error(
                f"{entry.client_order_id} was refused, but the venue has it as {ticket}: its fills "
                f"follow; check the account"
            )
        self._journal.accept(entry, ticket)
        if not entry.is_refused:
            self._out.generate_order_accepted(
                entry.strategy_id,
                entry.instrument_id,
                entry.client_order_id,
                VenueOrderId(str(ticket)),
                ts_event,
            )

    def close(self) -> None:
        """Publish nothing more."""
        self._backlog.clear()
        if self._account_timer is not None:
            self._account_timer.cancel()
            self._account_timer = None
        if self._drain_task is not None:
            self._drain_task.cancel()
            self._drain_task = None

    def _say_account(self, account: AccountInfo | None) -> None:
        if self._account_timer is not None:
            self._account_timer.cancel()
            self._account_timer = None
        self._publish_account(account)

    def _advance(self) -> bool:
        """Publish until a fact has to wait. True when none is left."""
        while self._backlog:
            if not self._is_ready(self._backlog[0]):
                return False
            fact = self._backlog.popleft()
            try:
                self._publish(fact)
            except Exception as error:
                # The facts behind it are as true as before.
                self._log.exception(f"Cannot publish {fact}", error)
        return True

    async def _drain(self) -> None:
        try:
            while not self._advance():
                await self._prepare(self._backlog[0])
        finally:
            self._drain_task = None

    def _is_ready(self, fact: Fact) -> bool:
        symbol = _symbol_of(fact)
        if not symbol:
            return True
        if self._provider.listing(symbol) is None and symbol not in self._unlisted:
            return False
        return self._is_own(fact) or self._is_applied()

    async def _prepare(self, fact: Fact) -> None:
        symbol = _symbol_of(fact)
        if self._provider.listing(symbol) is None and symbol not in self._unlisted:
            try:
                listing = await self._provider.listing_for(symbol)
            except MT5Error as error:
                self._log.error(f"Cannot load {symbol}, trying again: {error}")
                await asyncio.sleep(1.0)
                return
            if listing is None:
                self._unlisted.add(symbol)
            else:
                self._cache.add_instrument(listing.instrument)
        deadline = self._loop.time() + _APPLY_SECS
        while not self._is_applied() and not self._is_own(fact):
            if self._loop.time() > deadline:
                self._log.error(f"The engine has not applied the fills {self._unapplied}")
                self._unapplied.clear()
            await asyncio.sleep(0)

    def _is_own(self, fact: Fact) -> bool:
        match fact:
            case OrderPlaced(order) | OrderChanged(order, _) | OrderDone(order):
                return self._journal.owner(order) is not None
            case Dealt(deal, order):
                return self._journal.owner_of_deal(deal, order) is not None
        return True

    def _is_applied(self) -> bool:
        self._unapplied = [
            (client_order_id, trade_id)
            for client_order_id, trade_id in self._unapplied
            if not self._has_fill(self._cache.order(client_order_id), trade_id)
        ]
        return not self._unapplied

    def _publish(self, fact: Fact) -> None:
        match fact:
            case OrderPlaced(order):
                self._on_placed(order)
            case OrderChanged(order, _):
                self._on_changed(order)
            case Dealt(deal, order) if is_trade(deal):
                self._on_dealt(deal, order)
            case OrderDone(order):
                self._on_done(order)

    def _on_placed(self, order: TradeOrder) -> None:
        self._journal.note_foreign(order.magic)
        entry = self._journal.owner(order)
        if entry is None:
            self._report_working(order)
        elif order.state in _TAKEN:
            self.accept(entry, order.ticket, self._zone.utc_ns(order.time_setup_msc))

    def _on_changed(self, order: TradeOrder) -> None:
        if self._journal.owner(order) is None:
            self._report_working(order)

    def _on_dealt(self, deal: TradeDeal, order: TradeOrder | None) -> None:
        if self._journal.is_reported(deal):
            return
        self._journal.report(deal)
        self._journal.note_foreign(deal.magic)
        listing = self._provider.listing(deal.symbol)
        if listing is None:
            self._log.error(f"{deal.symbol} is no instrument, its deal is not reported: {deal}")
            return
        entry = self._journal.owner_of_deal(deal, order)
        if entry is not None:
            self._fill(entry, deal, listing)
        else:
            self._report_fill(deal, order, listing)

    def _fill(self, entry: Entry, deal: TradeDeal, listing: Listing) -> None:
        ts_event = self._zone.utc_ns(deal.time_msc)
        self.accept(entry, deal.order, ts_event)
        trade_id = TradeId(str(deal.ticket))
        order = self._cache.order(entry.client_order_id)
        if self._has_fill(order, trade_id):
            return
        instrument = listing.instrument
        self._out.generate_order_filled(
            strategy_id=entry.strategy_id,
            instrument_id=entry.instrument_id,
            client_order_id=entry.client_order_id,
            venue_order_id=venue_order_id(deal),
            venue_position_id=position_id(deal.position_id, self._hedging),
            trade_id=trade_id,
            order_side=deal_side(deal),
            order_type=order.order_type if order is not None else NautilusOrderType.MARKET,
            last_qty=volume(deal.volume, listing),
            last_px=price(deal.price, instrument),
            quote_currency=instrument.quote_currency,
            commission=commission(deal, instrument, self._deposit),
            liquidity_side=LiquiditySide.TAKER,
            ts_event=ts_event,
            info=fill_info(deal, self._deposit),
        )
        if order is not None and not entry.is_refused:
            self._unapplied.append((entry.client_order_id, trade_id))

    def _report_fill(self, deal: TradeDeal, order: TradeOrder | None, listing: Listing) -> None:
        known = self._cached(venue_order_id(deal))
        if self._has_fill(known, TradeId(str(deal.ticket))):
            return
        if deal.entry in (DealEntry.OUT, DealEntry.OUT_BY) and not self._holds(deal, listing):
            self._log.warning(f"{deal} closes a position that Nautilus does not hold: not reported")
            return
        if known is None:
            self._report_order(order_of(order, [deal]), listing, known_by=deal)
        self._out._send_fill_report(
            fill_report(
                deal,
                listing,
                hedging=self._hedging,
                deposit=self._deposit,
                account_id=self._out.account_id,
                zone=self._zone,
                ts_init=self._out._clock.timestamp_ns(),
            )
        )

    def _on_done(self, order: TradeOrder) -> None:
        if order.state == OrderState.FILLED:
            return
        entry = self._journal.owner(order)
        if entry is None:
            known = self._cached(VenueOrderId(str(order.ticket)))
            listing = self._provider.listing(order.symbol)
            if known is not None and known.is_open and listing is not None:
                self._report_order(order, listing, is_open=False)
            return
        ts_event = self._zone.utc_ns(order.time_done_msc)
        whose = (entry.strategy_id, entry.instrument_id, entry.client_order_id)
        if order.state == OrderState.REJECTED:
            if not entry.is_refused:
                entry.is_refused = True
                reason = f"rejected by the server: {order.comment}"
                self._out.generate_order_rejected(*whose, reason=reason, ts_event=ts_event)
            return
        self.accept(entry, order.ticket, ts_event)
        ticket = VenueOrderId(str(order.ticket))
        if order.state == OrderState.EXPIRED:
            self._out.generate_order_expired(*whose, ticket, ts_event)
        elif order.state == OrderState.CANCELED or order.volume_current:
            self._out.generate_order_canceled(*whose, ticket, ts_event)

    def _report_working(self, order: TradeOrder) -> None:
        """A pending order of somebody else. Market orders are reported with their first deal."""
        listing = self._provider.listing(order.symbol)
        if order.type in (OrderType.BUY, OrderType.SELL, OrderType.CLOSE_BY):
            return
        if listing is None:
            self._log.error(f"{order.symbol} is no instrument, an order is not reported: {order}")
            return
        self._report_order(order, listing)

    def _report_order(
        self,
        order: TradeOrder,
        listing: Listing,
        *,
        is_open: bool = True,
        known_by: TradeDeal | None = None,
    ) -> None:
        """An order without fills: these are reported one by one."""
        self._out._send_order_status_report(
            order_report(
                order,
                [],
                listing,
                is_open=is_open,
                hedging=self._hedging,
                account_id=self._out.account_id,
                zone=self._zone,
                ts_init=self._out._clock.timestamp_ns(),
                known_by=known_by,
            )
        )

    def _holds(self, deal: TradeDeal, listing: Listing) -> bool:
        """Whether Nautilus has the position open that a deal closes."""
        if self._hedging:
            position = self._cache.position(PositionId(str(deal.position_id)))
            return position is not None and position.is_open
        return bool(
            self._cache.positions_open(
                instrument_id=listing.instrument.id, account_id=self._out.account_id
            )
        )

    def _cached(self, ticket: VenueOrderId) -> Order | None:
        client_order_id = self._cache.client_order_id(ticket)
        return self._cache.order(client_order_id) if client_order_id is not None else None

    def _has_fill(self, order: Order | None, trade_id: TradeId) -> bool:
        return order is not None and trade_id in order.trade_ids


def _symbol_of(fact: Fact) -> str:
    match fact:
        case OrderPlaced(order) | OrderChanged(order, _) | OrderDone(order):
            return order.symbol
        case Dealt(deal, _):
            return deal.symbol if is_trade(deal) else ""
    return ""
