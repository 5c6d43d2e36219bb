"""What did an earlier run leave unsettled of orders that wait at the server? `resume_changes`.

A change or cancel that was sent, and whose answer nobody heard, is one of unknown outcome. An order
that was being placed anew may have another ticket by now, or get one yet.
"""

from collections.abc import Callable
from decimal import Decimal

from nautilus_trader.cache.cache import Cache
from nautilus_trader.model.events import (
    OrderFilled,
    OrderPendingCancel,
    OrderPendingUpdate,
    OrderTriggered,
)
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.results import Snapshot
from tradingview_scraper.adapters.mt5.nautilus_v1.changes import Changes
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.placing import filled_of, is_linked
from tradingview_scraper.adapters.mt5.rules.requests import terms_of
from tradingview_scraper.adapters.mt5.rules.symbols import units
from tradingview_scraper.adapters.mt5.terminal.constants import OrderState
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder


def resume_changes(
    snapshot: Snapshot,
    cache: Cache,
    *,
    journal: Journal,
    changes: Changes,
    listing_of: Callable[[Order], Listing | None],
    replaces: bool,
    now: int,
) -> None:
    """Take up the orders of the cache that an earlier run has left between two states.

    `replaces`: orders may have been placed anew with another quantity; until that is proved not to
    be so, an order whose ticket is cancelled is not over.
    """
    found = {
        entry.client_order_id: records
        for entry, records in journal.successors(snapshot.orders, snapshot.history)
    }
    working = {order.ticket for order in snapshot.orders}
    history = {order.ticket: order for order in snapshot.history}
    for order in (*cache.orders_open(), *cache.orders_inflight()):
        entry = journal.of_order(order.client_order_id)
        listing = listing_of(order)
        if entry is None or not entry.ticket or listing is None or order.is_closed:
            continue
        successors = found.pop(order.client_order_id, [])
        if successors:
            _adopt(entry, order, successors, snapshot, listing, journal)
            changes.tell(entry, terms_of(successors[-1]), now)
        awaited = _awaited(order)
        if not awaited:
            continue
        is_cancelled = OrderPendingCancel in awaited
        record = history.get(entry.ticket)
        if entry.ticket in working:
            if is_cancelled or not successors:
                changes.resume(order, is_cancelled=is_cancelled, is_placing=False)
        elif (
            replaces
            and OrderPendingUpdate in awaited
            and not successors
            and not is_linked(order)
            and record is not None
            and record.state == OrderState.CANCELED
        ):
            filled = entry.filled_before + filled_of(record, listing)
            changes.replacements.resume(order, entry, listing, filled, is_cancelled=is_cancelled)
            changes.resume(order, is_cancelled=is_cancelled, is_placing=True)


def _awaited(order: Order) -> set[type]:
    """What the strategy asked for, and nobody has answered: a fill is no answer."""
    found: set[type] = set()
    for event in reversed(order.events):
        if isinstance(event, OrderPendingUpdate | OrderPendingCancel):
            found.add(type(event))
        elif not isinstance(event, OrderFilled | OrderTriggered):
            break
    return found


def _adopt(
    entry: Entry,
    order: Order,
    records: list[TradeOrder],
    snapshot: Snapshot,
    listing: Listing,
    journal: Journal,
) -> None:
    """The order was placed anew, and nobody heard the answer: it has another ticket."""
    for record in records:
        journal.replace(entry, record.ticket)
    deals = [
        units(deal.volume, listing.sizing) for deal in snapshot.deals if deal.order in entry.former
    ]
    # What was told before came of the former tickets too; the snapshot may begin after it.
    entry.filled_before = max(sum(deals, Decimal(0)), order.filled_qty.as_decimal())
    entry.quantity = entry.filled_before + units(record.volume_initial, listing.sizing)
    entry.terms = terms_of(record)
