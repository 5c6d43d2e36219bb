"""Which reports answer the engine's questions about an account?"""

import asyncio
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Final

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock
from nautilus_trader.execution.reports import FillReport, OrderStatusReport, PositionStatusReport
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    PositionId,
    TradeId,
    VenueOrderId,
)

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import Snapshot
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_reports import (
    parted,
    stop_fills,
    stop_orders,
    take_up_stops,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.brackets import Brackets
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.keepalive import as_it_stands
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import is_trade, venue_order_id
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.nautilus_v1.reports import (
    Setting,
    fill_reports,
    order_reports,
    partial_positions,
    position_reports,
    symbols_in,
)
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder

#: Readings, a poll of the trade feed apart, in which it may catch up.
_LOOKS: Final = 5


class Statements:
    """Reports of an account, each set from one consistent reading. A failed reading raises."""

    def __init__(
        self,
        client: MT5Client,
        *,
        provider: MT5InstrumentProvider,
        cache: Cache,
        clock: LiveClock,
        journal: Journal,
        brackets: Brackets,
        account_id: AccountId,
        hedging: bool,
        deposit: str,
    ) -> None:
        self._client = client
        self._provider = provider
        self._cache = cache
        self._clock = clock
        self._journal = journal
        self._brackets = brackets
        self._account_id = account_id
        self._hedging = hedging
        self._deposit = deposit
        self._listings: dict[str, Listing] = {}
        #: Deals that were there when the feed began: it does not bring them.
        self._before: set[int] = set()

    def begin(self, snapshot: Snapshot) -> None:
        """The feed brings what comes after the deals of `snapshot`, a reading without `since`."""
        self._before = {deal.ticket for deal in snapshot.deals}

    async def read_told(self) -> Snapshot:
        """The account now, without a deal that Nautilus has not heard of from the feed.

        Of a position that is ahead of its fills the engine would make up the fills, and count them
        twice when they come. Raises RuntimeError when the feed stays behind, as it does while the
        broker takes his time for an order.
        """
        for _ in range(_LOOKS):
            snapshot = await self.read()
            untold = [
                deal
                for deal in self._trades(snapshot)
                if deal.ticket not in self._before and not self._has(deal)
            ]
            if not untold:
                return snapshot
            await asyncio.sleep(self._client.config.trade_poll_ms / 1_000)
        raise RuntimeError(
            f"positions cannot be reported before their fills: deal {untold[0].ticket} of "
            f"{untold[0].symbol} is at the account, and its fill on the way"
        )

    async def read(self, since_ns: int | None = None) -> Snapshot:
        """The account now, and its history since `since_ns` (None: a recent window).

        The instruments of all that it speaks of are in the cache then: Nautilus ignores reports of
        others.
        """
        since = None
        if since_ns is not None:
            since = max(1, self._client.zone.server_seconds(since_ns))
        snapshot = await self._client.snapshot(since)
        symbols = symbols_in(snapshot)
        # What of ours has ended is reported, also where nothing else of the symbol is.
        symbols |= {
            order.symbol
            for order in snapshot.history
            if self._journal.has_namespace(order.magic) or self._journal.owner(order)
        }
        for symbol in sorted(symbols - self._listings.keys()):
            listing = await self._provider.listing_for(symbol)
            if listing is not None:
                self._listings[symbol] = listing
                self._cache.add_instrument(listing.instrument)
        return snapshot

    def listings(self, symbols: Iterable[str]) -> list[Listing]:
        """What `read` found of these symbols."""
        return [self._listings[symbol] for symbol in symbols if symbol in self._listings]

    def orders(
        self, snapshot: Snapshot, deals: list[TradeDeal], also: Collection[int] = ()
    ) -> list[OrderStatusReport]:
        """Orders, filled as far as `deals` say; those of the tickets `also` whosever they are."""
        setting = self._setting()._replace(also=also)
        of_stops, others = parted(deals, self._brackets)
        reports = [
            *order_reports(snapshot, others, setting),
            *stop_orders(of_stops, self._brackets, self._cache, setting),
        ]
        told = {report.client_order_id for report in reports}
        return [*reports, *self._between_tickets(told)]

    def orders_told(self, snapshot: Snapshot) -> list[OrderStatusReport]:
        """Orders as a running node has them: the feed tells their fills and prices, no report.

        A snapshot may be older than a change that was told since: its price would undo it. One that
        the engine still takes for submitted is not in: our event is on its way there, and the
        engine would make a second one of the report.
        """
        told = []
        for report in self.orders(snapshot, self.delivered(snapshot)):
            order = self._cache.order(report.client_order_id) if report.client_order_id else None
            entry = self._journal.of_order(order.client_order_id) if order is not None else None
            if order is not None and entry is not None:
                if order.status == OrderStatus.SUBMITTED:
                    continue
                if entry.terms is not None and order.is_open:
                    report.price = order.price if order.has_price else None
                    report.trigger_price = order.trigger_price if order.has_trigger_price else None
            told.append(report)
        return told

    def fills(self, snapshot: Snapshot, deals: list[TradeDeal]) -> list[FillReport]:
        """Fills of these deals."""
        setting = self._setting()
        of_stops, others = parted(deals, self._brackets)
        return [
            *fill_reports(snapshot, others, setting),
            *stop_fills(of_stops, self._brackets, setting),
        ]

    def positions(
        self, snapshot: Snapshot, instrument_id: InstrumentId | None = None
    ) -> list[PositionStatusReport]:
        """Open positions, and those that Nautilus has and the account no longer."""
        cached = self._cache.positions_open(
            instrument_id=instrument_id, account_id=self._account_id
        )
        return [
            report
            for report in position_reports(snapshot, cached, self._setting())
            if instrument_id is None or report.instrument_id == instrument_id
        ]

    def unexplained(
        self, snapshot: Snapshot, deals: Iterable[TradeDeal]
    ) -> list[PositionStatusReport]:
        """Positions of a mass status that has all orders, and fills of these deals.

        On a netting account without those that follow from the fills: for an instrument whose
        position is reported, the engine puts aside all orders and fills from before it was flat
        last [wheel], and what ended while no node ran would stay open in the cache.
        """
        reports = self.positions(snapshot)
        if self._hedging:
            return reports
        units: dict[InstrumentId, Decimal] = {}
        for position in self._cache.positions_open(account_id=self._account_id):
            held = units.get(position.instrument_id, Decimal(0))
            units[position.instrument_id] = held + position.signed_decimal_qty()
        for fill in self.fills(snapshot, [deal for deal in deals if not self._has(deal)]):
            sign = 1 if fill.order_side == OrderSide.BUY else -1
            held = units.get(fill.instrument_id, Decimal(0))
            units[fill.instrument_id] = held + sign * fill.last_qty.as_decimal()
        return [
            report
            for report in reports
            if units.get(report.instrument_id, Decimal(0)) != report.signed_decimal_qty
        ]

    def whole(self, snapshot: Snapshot) -> list[TradeDeal]:
        """Deals that may be reported together with their orders, when a node starts.

        Not those of positions whose opening is neither in `snapshot` nor known to Nautilus.
        """
        partial = partial_positions(snapshot)
        return [
            deal
            for deal in self._trades(snapshot)
            if deal.position_id not in partial or self._is_known(deal)
        ]

    def delivered(self, snapshot: Snapshot) -> list[TradeDeal]:
        """Deals that Nautilus has: while a node runs, a report never runs ahead of the feed."""
        return [deal for deal in self._trades(snapshot) if self._has(deal)]

    def settle(self, snapshot: Snapshot) -> None:
        """Orders in flight that the account shows are reported from here on: by their tickets."""
        records = {order.ticket: order for order in (*snapshot.history, *snapshot.orders)}
        found = [(self._journal.owner(order), order.ticket) for order in records.values()]
        found += [
            (self._journal.owner_of_deal(deal, records.get(deal.order)), deal.order)
            for deal in self._trades(snapshot)
        ]
        for entry, ticket in found:
            if entry is not None and not entry.ticket:
                self._journal.accept(entry, ticket)
                self._brackets.adopt(entry, snapshot)

    def take_up(self, deals: Iterable[TradeDeal]) -> list[TradeDeal]:
        """The engine gets all orders and `deals` from reports now: the feed need not repeat.

        Gives those that it did not have.
        """
        deals = list(deals)
        new = [deal for deal in deals if not self._has(deal)]
        for deal in deals:
            self._journal.report(deal)
        now = self._clock.timestamp_ns()
        for bracket in self._brackets:
            if bracket.entry.ticket and not bracket.position:
                self._brackets.on_accepted(bracket.entry, now)
        take_up_stops(deals, self._brackets, self._cache, now)
        return new

    def _between_tickets(self, told: Collection[ClientOrderId | None]) -> list[OrderStatusReport]:
        """Orders that are being placed anew, and of which the snapshot has no record any more."""
        orders = [
            self._cache.order(entry.client_order_id)
            for entry in self._journal.replacing()
            if entry.client_order_id not in told
        ]
        now = self._clock.timestamp_ns()
        return [
            as_it_stands(order, self._account_id, now)
            for order in orders
            if order is not None and order.is_open
        ]

    def _setting(self) -> Setting:
        return Setting(
            account_id=self._account_id,
            hedging=self._hedging,
            deposit=self._deposit,
            zone=self._client.zone,
            ts_init=self._clock.timestamp_ns(),
            listings=self._listings,
            owner=self._owner,
            known=self._cache.order,
            standing=self._journal.standing,
            is_replacing=self._journal.is_replacing,
        )

    def _owner(self, order: TradeOrder | None, deal: TradeDeal | None) -> ClientOrderId | None:
        if deal is not None:
            entry = self._journal.owner_of_deal(deal, order)
        else:
            entry = self._journal.owner(order) if order is not None else None
        if entry is not None:
            return entry.client_order_id
        ticket = venue_order_id(deal) if deal is not None else None
        if ticket is None and order is not None:
            ticket = VenueOrderId(str(order.ticket))
        return self._cache.client_order_id(ticket) if ticket is not None else None

    def _trades(self, snapshot: Snapshot) -> list[TradeDeal]:
        return [deal for deal in snapshot.deals if is_trade(deal) and deal.symbol in self._listings]

    def _is_known(self, deal: TradeDeal) -> bool:
        if self._owner(None, deal) is not None:
            return True
        if self._hedging:
            return self._cache.position(PositionId(str(deal.position_id))) is not None
        instrument_id = self._listings[deal.symbol].instrument.id
        held = self._cache.positions_open(instrument_id=instrument_id, account_id=self._account_id)
        return bool(held)

    def _has(self, deal: TradeDeal) -> bool:
        if self._journal.is_reported(deal):
            return True
        hit = self._brackets.stop_hit(deal)
        client_order_id = self._cache.client_order_id(venue_order_id(deal))
        entry = self._journal.of_ticket(deal.order)
        if entry is not None:
            client_order_id = entry.client_order_id
        elif hit is not None:
            client_order_id = hit[1].client_order_id
        order = self._cache.order(client_order_id) if client_order_id is not None else None
        return order is not None and TradeId(str(deal.ticket)) in order.trade_ids
