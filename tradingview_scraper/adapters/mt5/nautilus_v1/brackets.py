"""What becomes of the stops of a bracket? `Brackets`.

A bracket is one order at the server, with its stop loss and take profit as fields; the position
that it opens has them then. In Nautilus the stops are orders. Whatever changes the fields, fills
the entry or closes the position is an event of these orders, and this module says which.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, TradeId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.results import Snapshot
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket import (
    Bracket,
    Stop,
    is_same_level,
    levels_of,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import (
    BracketOrders,
    Leg,
    check_room,
    level_of,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_restoring import earlier_brackets, take_up
from tradingview_scraper.adapters.mt5.nautilus_v1.holdings import Holdings
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import deal_side, is_trade, volume
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.nautilus_v1.stop_events import StopEvents
from tradingview_scraper.adapters.mt5.rules.facts import (
    Dealt,
    Fact,
    OrderDone,
    PositionChanged,
    PositionClosed,
    PositionOpened,
)
from tradingview_scraper.adapters.mt5.rules.requests import Terms, terms_of
from tradingview_scraper.adapters.mt5.rules.symbols import units
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import DealReason, DealType, PositionType
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder, TradePosition

_REASONS = {DealReason.SL: Leg.SL, DealReason.TP: Leg.TP}


class Brackets:
    """The brackets of an account, and the events of their stops.

    Stops are accepted with their entry, under ids that they keep: the entry's ticket and ``-SL`` or
    ``-TP``. A stop covers the entry's quantity until it is filled, then the volume of the position,
    however that changes; when nothing is left to cover, it is cancelled. It is filled by the deal
    with which the server closes the position for its reason. `facts` are to come in order, each
    after its own event was published.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        *,
        journal: Journal,
        provider: MT5InstrumentProvider,
        zone: ZoneRule,
        hedging: bool,
        deposit: str,
        restores_stop_loss: bool,
    ) -> None:
        self._out = out
        self._cache = out._cache
        self._log = out._log
        self._journal = journal
        self._provider = provider
        self._zone = zone
        self._hedging = hedging
        self._events = StopEvents(out, hedging=hedging, deposit=deposit)
        self._restores = restores_stop_loss
        self._brackets: dict[ClientOrderId, Bracket] = {}
        self._stops: dict[ClientOrderId, tuple[Bracket, Stop]] = {}
        self._live: dict[ClientOrderId, Bracket] = {}
        self._by_position: dict[int, dict[ClientOrderId, Bracket]] = {}
        #: The account's positions, counting the deals that were told.
        self.told = Holdings()

    def __iter__(self) -> Iterator[Bracket]:
        """Those that are not over."""
        return iter(tuple(self._live.values()))

    def watch(self) -> None:
        """Facts follow from here on, a reading (`seed`) later."""
        self.told.watch()

    def restore(self, orders: Iterable[Order]) -> None:
        """Take up the brackets of an earlier run. The journal has their entries already."""
        for entry, linked in earlier_brackets(orders, self._journal, self._cache):
            bracket = self.enter(entry, linked)
            take_up(bracket, linked)
            self._forget(bracket)

    def seed(self, snapshot: Snapshot) -> None:
        """The account at one moment since `watch`: what has happened to restored brackets."""
        self.told.seed(snapshot.positions, snapshot.deals)
        joined = {deal.order: deal.position_id for deal in snapshot.deals}
        for bracket in self._brackets.values():
            # A netted position may be older than the entry, and its stops fill under its ticket.
            if position := joined.get(bracket.entry.ticket):
                self._place(bracket, position)
        for bracket in self:
            self._take_stock(bracket, snapshot)

    def adopt(self, entry: Entry, snapshot: Snapshot) -> None:
        """`snapshot` has shown the ticket of an entry that was in flight when its node ended, or
        that no cache has.

        Its stops are reported with it then; but not where the facts are yet to tell of its deals:
        `on_accepted` is for that.
        """
        bracket = self._brackets.get(entry.client_order_id)
        if bracket is None or bracket.position:
            return
        deals = [deal for deal in snapshot.deals if deal.order == entry.ticket]
        if all(self.told.has_counted(deal) for deal in deals):
            self._place(bracket, deals[-1].position_id if deals else entry.ticket)
            self._take_stock(bracket, snapshot)

    def admit(self, orders: BracketOrders, positions: Iterable[TradePosition]) -> None:
        """Raise `Denied` where the account cannot hold one more bracket on the symbol."""
        if self._hedging:
            return
        listing = self._listing(orders.entry.instrument_id)
        held = {position.symbol for position in positions}
        check_room(
            orders.entry,
            [one.entry.client_order_id for one in self if self._is_beside(one, orders.entry)],
            has_position=listing is not None and listing.info.name in held,
        )

    def enter(self, entry: Entry, orders: BracketOrders) -> Bracket:
        """Take up a bracket whose entry is handed over now."""
        stops = {
            leg: Stop(
                order.client_order_id,
                order.strategy_id,
                order.instrument_id,
                leg,
                order.side,
                order.quantity.as_decimal(),
            )
            for leg, order in orders.stops.items()
        }
        levels = {leg: level_of(orders.stops[leg]) if leg in stops else 0.0 for leg in Leg}
        bracket = Bracket(entry, stops, orders.entry.quantity.as_decimal(), levels)
        self._brackets[entry.client_order_id] = bracket
        self._live[entry.client_order_id] = bracket
        if entry.ticket:
            self._place(bracket, entry.ticket)
        for stop in stops.values():
            self._stops[stop.client_order_id] = bracket, stop
        return bracket

    def find(self, client_order_id: ClientOrderId) -> tuple[Bracket, Stop] | None:
        """The stop that an order is."""
        return self._stops.get(client_order_id)

    def stop_hit(self, deal: TradeDeal) -> tuple[Bracket, Stop] | None:
        """The stop that a deal filled."""
        if deal.reason not in _REASONS:
            return None
        leg = _REASONS[DealReason(deal.reason)]
        for bracket in self._by_position.get(deal.position_id, {}).values():
            stop = bracket.stops.get(leg)
            if (
                stop is not None
                and stop.side == deal_side(deal)
                and (stop.filled or not stop.is_over)
            ):
                return bracket, stop
        return None

    def stop_to_fill(self, deal: TradeDeal) -> tuple[Bracket, Stop] | None:
        """The stop that a deal fills now."""
        hit = self.stop_hit(deal)
        return hit if hit is not None and not hit[1].is_over else None

    def position_of(self, bracket: Bracket) -> TradePosition | None:
        """The bracket's position, counting the deals that were told."""
        for position in self.told:
            if position.identifier == bracket.position:
                is_long = position.type == PositionType.BUY
                return position if is_long == (bracket.entry.side == OrderSide.BUY) else None
        return None

    def covered(self, bracket: Bracket) -> Decimal:
        """Units that the stops are there for."""
        held, listing = self.position_of(bracket), self._listing(bracket.entry.instrument_id)
        if held is not None and listing is not None and bracket.filled:
            return units(held.volume, listing.sizing)
        return Decimal(0) if bracket.is_entry_done else bracket.quantity - bracket.filled

    def on_accepted(self, entry: Entry, ts_event: int) -> None:
        """The server has the entry, and so its stops."""
        bracket = self._brackets.get(entry.client_order_id)
        if bracket is None:
            return
        if not bracket.position:
            self._place(bracket, entry.ticket)
        for stop in bracket.stops.values():
            if not stop.is_over:
                self._events.accepted(bracket, stop, ts_event)

    def on_refused(self, entry: Entry, reason: str, ts_event: int) -> None:
        """The entry was denied or rejected."""
        bracket = self._brackets.pop(entry.client_order_id, None)
        self._live.pop(entry.client_order_id, None)
        if bracket is None:
            return
        for stop in bracket.stops.values():
            self._stops.pop(stop.client_order_id)
            stop.is_over = True
            self._events.refused(bracket, stop, reason, ts_event)

    def on_terms(self, entry: Entry, terms: Terms, ts_event: int) -> None:
        """The waiting entry has these terms now."""
        bracket = self._brackets.get(entry.client_order_id)
        if bracket is not None and not bracket.filled:
            self._show(bracket, {Leg.SL: terms.sl, Leg.TP: terms.tp}, ts_event)

    def set_level(self, bracket: Bracket, stop: Stop, level: float, ts_event: int) -> None:
        """The server has a stop at `level` now, as it was asked to; 0 cancels it."""
        bracket.levels[stop.leg] = level
        if not stop.is_over and level:
            self.update(bracket, stop, ts_event)
        elif not stop.is_over:
            self.cancel(bracket, stop, ts_event)

    def update(self, bracket: Bracket, stop: Stop, ts_event: int) -> None:
        """Tell how a stop stands."""
        listing = self._listing(stop.instrument_id)
        if listing is not None:
            self._events.updated(bracket, stop, listing, ts_event)

    def cancel(self, bracket: Bracket, stop: Stop, ts_event: int) -> None:
        """Tell, once, that a stop is no more."""
        if stop.is_over:
            return
        stop.is_over = True
        self._events.canceled(bracket, stop, ts_event)

    def fill(
        self,
        hit: tuple[Bracket, Stop],
        deal: TradeDeal,
        order: TradeOrder | None,
        listing: Listing,
    ) -> tuple[ClientOrderId, TradeId] | None:
        """The server closed the position at a stop: the fill that the engine is to apply.

        None if the engine has it.
        """
        bracket, stop = hit
        ts_event = self._zone.utc_ns(deal.time_msc)
        trade_id = TradeId(str(deal.ticket))
        known = self._cache.order(stop.client_order_id)
        if known is None or trade_id in known.trade_ids:
            return None
        dealt = volume(deal.volume, listing).as_decimal()
        held = self.position_of(bracket)
        left = units(held.volume, listing.sizing) if held is not None else dealt
        covered = stop.filled + max(dealt, left)
        if stop.quantity != covered:
            stop.quantity = covered
            self.update(bracket, stop, ts_event)
        stop.filled += dealt
        self._events.filled(bracket, stop, deal, order, listing, ts_event)
        if stop.filled >= stop.quantity:
            stop.is_over = True
            self._end(bracket, ts_event)
        return stop.client_order_id, trade_id

    def count_fill(self, bracket: Bracket, stop: Stop, deal: TradeDeal) -> None:
        """A report tells this fill, and it was not told before."""
        known = self._cache.order(stop.client_order_id)
        if known is None or TradeId(str(deal.ticket)) not in known.trade_ids:
            stop.filled += self._units(bracket, deal.volume)

    def apply(self, fact: Fact) -> list[Bracket]:
        """Take in what was just published. The brackets whose held cancels can be decided now."""
        self.told.apply(fact)
        decided = []
        match fact:
            case Dealt(deal, _) if is_trade(deal):
                now = self._zone.utc_ns(deal.time_msc)
                for bracket in self:
                    if self._count(bracket, deal):
                        decided.append(bracket)
                    if deal.position_id == bracket.position:
                        self._resize(bracket, now)
            case OrderDone(order):
                for bracket in self:
                    if order.ticket == bracket.entry.ticket:
                        bracket.is_entry_done = True
                        self._resize(bracket, self._zone.utc_ns(order.time_done_msc))
            case PositionOpened(position):
                shown = {
                    leg: level for leg, level in levels_of(position).items() if level
                }  # What is missing may still come: the audit of stop losses says when not.
                self._on_position(position, shown)
            case PositionChanged(position, before):
                old = levels_of(before)
                new = levels_of(position)
                self._on_position(position, {leg: new[leg] for leg in Leg if new[leg] != old[leg]})
            case PositionClosed(position):
                for bracket in self:
                    if position.identifier == bracket.position:
                        self._resize(bracket, self._now())
        for bracket in self:
            self._forget(bracket)
        return decided

    def _take_stock(self, bracket: Bracket, snapshot: Snapshot) -> None:
        """What has happened to a bracket of an earlier run."""
        for deal in snapshot.deals:
            self._count(bracket, deal)
        order = next((one for one in snapshot.orders if one.ticket == bracket.entry.ticket), None)
        held = self.position_of(bracket)
        is_closed = _is_flat(bracket.position, snapshot.deals)
        if not self._hedging and held is None and bracket.filled and not is_closed:
            held = next((one for one in self.told if one.symbol == bracket.entry.symbol), None)
            if held is not None:
                self._place(bracket, held.identifier)
        bracket.is_entry_done = bool(bracket.entry.ticket) and order is None
        if order is not None and bracket.entry.terms is None:
            # It waits, and its stops can be changed.
            bracket.entry.terms = terms_of(order)
        record: TradeOrder | TradePosition | None = order
        if held is not None:
            record = next(
                (one for one in snapshot.positions if one.identifier == held.identifier), None
            )
        if record is not None:
            bracket.levels = levels_of(record)

    def _is_beside(self, bracket: Bracket, entry: Order) -> bool:
        return bracket.entry.instrument_id == entry.instrument_id and not bracket.is_over

    def _count(self, bracket: Bracket, deal: TradeDeal) -> bool:
        """Whether a deal filled the entry, and was not counted yet."""
        if deal.order != bracket.entry.ticket or deal.ticket in bracket.deals:
            return False
        bracket.deals.add(deal.ticket)
        bracket.filled += self._units(bracket, deal.volume)
        self._place(bracket, deal.position_id)
        return True

    def _place(self, bracket: Bracket, position: int) -> None:
        """Its position is this one."""
        key = bracket.entry.client_order_id
        self._by_position.get(bracket.position, {}).pop(key, None)
        bracket.position = position
        self._by_position.setdefault(position, {})[key] = bracket

    def _forget(self, bracket: Bracket) -> None:
        if bracket.is_over and bracket.is_entry_done:
            self._live.pop(bracket.entry.client_order_id, None)

    def _on_position(self, position: TradePosition, shown: dict[Leg, float]) -> None:
        for bracket in self:
            if bracket.position == position.identifier and bracket.filled:
                self._show(bracket, shown, self._now())

    def _show(self, bracket: Bracket, shown: dict[Leg, float], ts_event: int) -> None:
        """The server shows these levels."""
        for leg, level in shown.items():
            is_same = is_same_level(bracket.levels[leg], level)
            stop = bracket.stops.get(leg)
            if is_same or stop is None or stop.is_over:
                bracket.levels[leg] = level
            elif not level and leg is Leg.SL and self._restores and not stop.is_cancelling:
                self._log.warning(f"{stop.client_order_id} is gone at the server: it is set again")
            else:
                self.set_level(bracket, stop, level, ts_event)

    def _resize(self, bracket: Bracket, ts_event: int) -> None:
        covered = self.covered(bracket)
        if not covered:
            self._end(bracket, ts_event)
            return
        for stop in bracket.stops.values():
            if not stop.is_over and stop.quantity != stop.filled + covered:
                stop.quantity = stop.filled + covered
                self.update(bracket, stop, ts_event)

    def _end(self, bracket: Bracket, ts_event: int) -> None:
        """Nothing is left to cover, or a stop was filled."""
        for stop in bracket.stops.values():
            self.cancel(bracket, stop, ts_event)

    def _units(self, bracket: Bracket, lots: float) -> Decimal:
        listing = self._listing(bracket.entry.instrument_id)
        return units(lots, listing.sizing) if listing is not None else Decimal(str(lots))

    def _listing(self, instrument_id: InstrumentId) -> Listing | None:
        instrument = self._cache.instrument(instrument_id)
        return self._provider.adopt(instrument) if instrument is not None else None

    def _now(self) -> int:
        return int(self._out._clock.timestamp_ns())


def _is_flat(position: int, deals: Iterable[TradeDeal]) -> bool:
    """Whether `deals` show how a position was opened and closed."""
    lots = [
        deal.volume if deal.type == DealType.BUY else -deal.volume
        for deal in deals
        if is_trade(deal) and deal.position_id == position
    ]
    return bool(lots) and abs(sum(lots)) < _NOISE


_NOISE = 1e-8
