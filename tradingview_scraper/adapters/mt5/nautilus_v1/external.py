"""Which reports does a record of somebody else's become? `ExternalActivity`."""

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.identifiers import PositionId, TradeId, VenueOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.changes import Changes
from tradingview_scraper.adapters.mt5.nautilus_v1.holdings import Holdings
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import (
    fill_report,
    order_of,
    order_report,
    venue_order_id,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.rules.requests import terms_of
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import DealEntry, OrderState, OrderType
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder


class ExternalActivity:
    """What a person, another program or the server did, as the engine wants to hear it.

    First the order, without fills, then each fill with its real price and money: the engine makes
    external orders of them, or those of a strategy that claims the instrument.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        *,
        changes: Changes,
        provider: MT5InstrumentProvider,
        told: Holdings,
        zone: ZoneRule,
        hedging: bool,
        deposit: str,
    ) -> None:
        self._out = out
        self._cache = out._cache
        self._log = out._log
        self._changes = changes
        self._provider = provider
        self._told = told
        self._zone = zone
        self._hedging = hedging
        self._deposit = deposit

    def placed(self, order: TradeOrder) -> None:
        """A pending order. Market orders are reported with their first deal."""
        if order.type in (OrderType.BUY, OrderType.SELL, OrderType.CLOSE_BY):
            return
        listing = self._provider.listing(order.symbol)
        if listing is None:
            self._log.error(f"{order.symbol} is no instrument, an order is not reported: {order}")
            return
        self._report(order, listing)

    def changed(self, order: TradeOrder, before: TradeOrder) -> None:
        """A pending order is no longer what it was."""
        known = self._cached(VenueOrderId(str(order.ticket)))
        if known is not None and terms_of(order).asks() != terms_of(before).asks():
            self._changes.on_changed(known.client_order_id, order)
        self.placed(order)

    def dealt(self, deal: TradeDeal, order: TradeOrder | None, listing: Listing) -> None:
        """A deal was made."""
        known = self._cached(venue_order_id(deal))
        if known is not None and TradeId(str(deal.ticket)) in known.trade_ids:
            return
        if deal.entry in (DealEntry.OUT, DealEntry.OUT_BY) and not self._holds(deal, listing):
            self._log.warning(f"{deal} closes a position that Nautilus does not hold: not reported")
            return
        if known is None:
            self._report(order_of(order, [deal]), listing, known_by=deal)
        self._out._send_fill_report(
            fill_report(
                deal,
                listing,
                order=order,
                hedging=self._hedging,
                deposit=self._deposit,
                account_id=self._out.account_id,
                zone=self._zone,
                ts_init=self._out._clock.timestamp_ns(),
            )
        )

    def done(self, order: TradeOrder) -> None:
        """An order is over. Its fills have told the rest of a filled one."""
        known = self._cached(VenueOrderId(str(order.ticket)))
        if known is not None:
            self._changes.on_done(known.client_order_id, OrderState(order.state).name)
        listing = self._provider.listing(order.symbol)
        if order.state == OrderState.FILLED or listing is None:
            return
        if known is not None and known.is_open:
            self._report(order, listing, is_open=False)

    def _report(
        self,
        order: TradeOrder,
        listing: Listing,
        *,
        is_open: bool = True,
        known_by: TradeDeal | None = None,
    ) -> None:
        ticket = venue_order_id(known_by) if known_by else VenueOrderId(str(order.ticket))
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
                known=self._cached(ticket),
            )
        )

    def _holds(self, deal: TradeDeal, listing: Listing) -> bool:
        """Whether Nautilus has the position open that a deal closes.

        A netted one may have been closed before by a later deal, that of an order of ours: its
        answer comes ahead of the feed. Then the account is flat as well, by the deals told so far.
        """
        if self._hedging:
            position = self._cache.position(PositionId(str(deal.position_id)))
            return position is not None and position.is_open
        held = self._cache.positions_open(
            instrument_id=listing.instrument.id, account_id=self._out.account_id
        )
        return bool(held) or self._told.is_flat(deal.symbol)

    def _cached(self, ticket: VenueOrderId) -> Order | None:
        client_order_id = self._cache.client_order_id(ticket)
        return self._cache.order(client_order_id) if client_order_id is not None else None
