"""How does a node without a cache know its own orders again? By the magic numbers at the venue.

Where the client order id that a magic number was made of is found, and only there, the order is put
into the cache as its strategy's, before the reports of it come. What is not recovered stays
external, and nothing is guessed.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.identifiers import ClientOrderId, StrategyId
from nautilus_trader.model.objects import Quantity
from nautilus_trader.model.orders import OrderUnpacker

from tradingview_scraper.adapters.mt5.client.results import Snapshot
from tradingview_scraper.adapters.mt5.nautilus_v1.brackets import Brackets
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import is_trade
from tradingview_scraper.adapters.mt5.nautilus_v1.recovered_orders import (
    bracket_of,
    initialized,
    levels_at,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.reports import partial_positions
from tradingview_scraper.adapters.mt5.nautilus_v1.statements import Statements
from tradingview_scraper.adapters.mt5.rules.identity import namespace_of, shape_of
from tradingview_scraper.adapters.mt5.rules.recovery import IdSearch, Recovered
from tradingview_scraper.adapters.mt5.rules.requests import terms_of
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import OrderReason, OrderType
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder

#: Ids that are hashed at most at a start, some seconds of work.
_MOST_IDS: Final = 3_000_000
_STRATEGY_TOPIC: Final = "events.order."


async def recover_orders(
    out: LiveExecutionClient,
    journal: Journal,
    statements: Statements,
    brackets: Brackets,
    snapshot: Snapshot,
    *,
    namespaces: Collection[int],
    zone: ZoneRule,
) -> int:
    """Put orders of this node that only the venue remembers into cache and journal. How many.

    Only of strategies that run on this node, and of positions whose opening is in `snapshot` too: a
    close without it would open a position that never was.
    """
    strategies = strategies_on(out)
    lost = _unknown_orders(journal, snapshot, namespaces)
    if not lost or not strategies:
        return 0
    trader_tag = out.trader_id.get_tag()
    searches: dict[int | None, IdSearch] = {
        one: IdSearch(one, trader_tag, list(strategies)) for one in namespaces
    }
    found = await asyncio.to_thread(_find, lost, searches, zone)
    deals = statements.whole(snapshot)
    tickets = {order.ticket for order in lost}
    reports = {
        report.venue_order_id.value: report
        for report in statements.orders(snapshot, deals, also=tickets)
    }
    count = 0
    for order, *former in _by_magic(lost):
        # Placed anew an order has the id that it was given when it was sent first.
        every = (order, *former)
        recovered = next((found[one.ticket] for one in every if one.ticket in found), None)
        report = reports.get(str(order.ticket))
        if recovered is None or report is None:
            continue
        client_order_id = ClientOrderId(recovered.client_order_id)
        if out._cache.order(client_order_id) is not None:
            continue
        before = [reports[str(one.ticket)] for one in former if str(one.ticket) in reports]
        filled = sum((one.filled_qty.as_decimal() for one in before), Decimal(0))
        total = Quantity(report.quantity.as_decimal() + filled, report.quantity.precision)
        first = initialized(report, total, client_order_id, strategies[recovered.strategy_tag], out)
        bracket = bracket_of(first, recovered.stops, levels_at(every, snapshot), out)
        known = bracket.entry if bracket is not None else OrderUnpacker.from_init(first)
        for one in (known, *(bracket.stops.values() if bracket is not None else ())):
            out._cache.add_order(one, None, out.id)
        journal.restore(known, shape_of(order.magic))
        entry = journal.of_order(client_order_id)
        if entry is not None:
            if bracket is not None:
                brackets.enter(entry, bracket)
            journal.accept(entry, order.ticket)
            for one in former:
                journal.note_former(entry, one.ticket)
            entry.filled_before = filled
            if any(working.ticket == order.ticket for working in snapshot.orders):
                entry.terms = terms_of(order)
            brackets.adopt(entry, snapshot)
        count += 1 + len(former)
    out._log.info(
        f"Of {len(lost)} orders with magic namespace {' or '.join(map(str, namespaces))} that the "
        f"cache does not have, {count} are recovered as orders of "
        f"{', '.join(map(str, strategies.values()))}; the others stay external"
    )
    return count


def strategies_on(out: LiveExecutionClient) -> dict[str, StrategyId]:
    """The strategies of this node by their tags: whoever listens to the events of its orders."""
    found = {}
    for subscription in out._msgbus.subscriptions():
        name = subscription.topic.removeprefix(_STRATEGY_TOPIC)
        if name == subscription.topic or "*" in name or "-" not in name:
            continue
        strategy_id = StrategyId(name)
        found[strategy_id.get_tag()] = strategy_id
    return found


def _unknown_orders(
    journal: Journal, snapshot: Snapshot, namespaces: Collection[int]
) -> list[TradeOrder]:
    """Orders with a magic number of ours that nobody knows: what works or was filled, the newest
    first, then what ended without a fill.
    """
    partial = partial_positions(snapshot)
    torn = {deal.order for deal in snapshot.deals if is_trade(deal) and deal.position_id in partial}
    records = {order.ticket: order for order in (*snapshot.history, *snapshot.orders)}
    lost = [
        order
        for order in records.values()
        if namespace_of(order.magic) in namespaces
        and order.reason == OrderReason.EXPERT
        and order.type != OrderType.CLOSE_BY
        and order.ticket not in torn
        and journal.owner(order) is None
    ]
    at_stake = {order.ticket for order in snapshot.orders} | {deal.order for deal in snapshot.deals}
    return sorted(lost, key=lambda one: (one.ticket not in at_stake, -one.time_setup_msc))


def _by_magic(orders: Iterable[TradeOrder]) -> list[list[TradeOrder]]:
    """Orders of one magic number together: one that was placed anew, the newest ticket first."""
    groups: dict[int, list[TradeOrder]] = {}
    for order in orders:
        groups.setdefault(order.magic, []).append(order)
    return [sorted(group, key=lambda order: -order.ticket) for group in groups.values()]


def _find(
    orders: Iterable[TradeOrder], searches: Mapping[int | None, IdSearch], zone: ZoneRule
) -> dict[int, Recovered]:
    found = {}
    left = _MOST_IDS
    for order in orders:
        second = zone.utc_ns(order.time_setup_msc) // 1_000_000_000
        search = searches[namespace_of(order.magic)]
        left -= search.unseen(second) * search.ids_per_second
        if left < 0:
            break
        recovered = search.find(order.magic, second)
        if recovered is not None:
            found[order.ticket] = recovered
    return found
