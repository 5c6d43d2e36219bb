"""Which brackets of an earlier run does the cache have, and how far were they told?"""

from collections.abc import Iterable, Iterator

from nautilus_trader.cache.cache import Cache
from nautilus_trader.model.enums import ContingencyType
from nautilus_trader.model.enums import OrderType as NautilusOrderType
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.bracket import Bracket
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import BracketOrders, Leg, leg_of
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal


def earlier_brackets(
    orders: Iterable[Order], journal: Journal, cache: Cache
) -> Iterator[tuple[Entry, BracketOrders]]:
    """The brackets among `orders`. The journal has their entries already."""
    for order in orders:
        entry = journal.of_order(order.client_order_id)
        if order.contingency_type != ContingencyType.OTO or entry is None:
            continue
        linked = [cache.order(one) for one in order.linked_order_ids or ()]
        stops = {
            leg: stop
            for stop in linked
            if stop is not None and (leg := leg_of(stop) or _sent_as(stop, order)) is not None
        }
        if stops:
            yield entry, BracketOrders(order, stops)


def take_up(bracket: Bracket, orders: BracketOrders) -> None:
    """What Nautilus had been told of a bracket."""
    bracket.filled = orders.entry.filled_qty.as_decimal()
    bracket.deals.update(
        int(trade.value) for trade in orders.entry.trade_ids if trade.value.isdecimal()
    )
    bracket.is_entry_done = orders.entry.is_closed
    for leg, stop in bracket.stops.items():
        stop.is_over = orders.stops[leg].is_closed
        stop.filled = orders.stops[leg].filled_qty.as_decimal()


def _sent_as(stop: Order, entry: Order) -> Leg | None:
    """Which stop an order without an id at the venue was sent as, with an entry in flight."""
    if stop.is_closed or not entry.is_inflight:
        return None
    return Leg.SL if stop.order_type == NautilusOrderType.STOP_MARKET else Leg.TP
