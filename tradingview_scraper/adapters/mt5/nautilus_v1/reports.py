"""How does the account stand? One reading of it as reports of orders, fills and positions. Pure."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from nautilus_trader.execution.reports import FillReport, OrderStatusReport, PositionStatusReport
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, VenueOrderId
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from tradingview_scraper.adapters.mt5.client.results import Snapshot
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import filled_before
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import (
    fill_report,
    flat_report,
    is_trade,
    order_of,
    order_report,
    position_report,
    venue_order_id,
)
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import DealType, OrderType, PositionType
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder

#: Lots that are no difference: sums of floats.
_NOISE_LOTS = 1e-8


class Setting(NamedTuple):
    """What the reports of an account share."""

    account_id: AccountId
    hedging: bool
    deposit: str
    zone: ZoneRule
    ts_init: int
    #: Symbols that can be reported; records of others are left out.
    listings: Mapping[str, Listing]
    #: The order of this node that a ticket is, given its record and a deal of it.
    owner: Callable[[TradeOrder | None, TradeDeal | None], ClientOrderId | None]
    #: An order as Nautilus has it.
    known: Callable[[ClientOrderId], Order | None]
    #: The ticket under which Nautilus has an order, of its own ticket and magic number.
    standing: Callable[[int, int], int] = lambda ticket, _: ticket
    #: Whether an order is not over, though its ticket may be.
    is_replacing: Callable[[int], bool] = lambda _: False
    #: Tickets that are reported whosever they are, and also when they ended without a fill.
    also: Collection[int] = ()


def symbols_in(snapshot: Snapshot) -> set[str]:
    """The symbols that reports of `snapshot` may speak of."""
    return {
        *(order.symbol for order in snapshot.orders),
        *(position.symbol for position in snapshot.positions),
        *(deal.symbol for deal in snapshot.deals if is_trade(deal)),
    }


def partial_positions(snapshot: Snapshot) -> set[int]:
    """Positions whose deals in `snapshot` do not add up to what the account holds.

    Their opening lies before the snapshot's window: reported as fills, its later deals would make
    a position that never was. The account's own word, a position report, is right for them.
    """
    sums: defaultdict[int, float] = defaultdict(float)
    for deal in snapshot.deals:
        if is_trade(deal):
            sums[deal.position_id] += deal.volume if deal.type == DealType.BUY else -deal.volume
    for position in snapshot.positions:
        sign = 1.0 if position.type == PositionType.BUY else -1.0
        sums[position.identifier] -= sign * position.volume
    return {identifier for identifier, rest in sums.items() if abs(rest) > _NOISE_LOTS}


def order_reports(
    snapshot: Snapshot, deals: Iterable[TradeDeal], setting: Setting
) -> list[OrderStatusReport]:
    """Orders that work, orders that `deals` filled, and finished ones of this node.

    `deals` are those that Nautilus has or gets together with these reports: an order is reported
    as filled as far as they say, never further.
    """
    working = {order.ticket: order for order in snapshot.orders}
    records = {
        order.ticket: order
        for order in (*snapshot.history, *snapshot.orders)
        if setting.standing(order.ticket, order.magic) == order.ticket
    }
    groups: defaultdict[str, list[TradeDeal]] = defaultdict(list)
    for deal in sorted(deals, key=lambda deal: (deal.time_msc, deal.ticket)):
        now = setting.standing(deal.order, deal.magic)
        if now == deal.order:
            groups[venue_order_id(deal).value].append(deal)
        elif now in records:
            groups[str(now)].append(deal)
    reports = []
    for group in groups.values():
        record = records.pop(setting.standing(group[0].order, group[0].magic), None)
        order = order_of(record, group)
        reports.append(_order_report(order, group, record, working, setting))
    for order in records.values():
        is_market = order.type in (OrderType.BUY, OrderType.SELL, OrderType.CLOSE_BY)
        is_working = order.ticket in working
        is_wanted = order.ticket in setting.also or setting.owner(order, None) is not None
        if not is_wanted and (is_market or not is_working):
            continue
        reports.append(_order_report(order, [], order, working, setting))
    return [report for report in reports if report is not None]


def fill_reports(
    snapshot: Snapshot, deals: Iterable[TradeDeal], setting: Setting
) -> list[FillReport]:
    """Trading deals, ascending."""
    records = {order.ticket: order for order in (*snapshot.history, *snapshot.orders)}
    reports = []
    for deal in sorted(deals, key=lambda deal: (deal.time_msc, deal.ticket)):
        if deal.symbol not in setting.listings:
            continue
        report = fill_report(
            deal,
            setting.listings[deal.symbol],
            hedging=setting.hedging,
            deposit=setting.deposit,
            account_id=setting.account_id,
            zone=setting.zone,
            ts_init=setting.ts_init,
            client_order_id=setting.owner(None, deal),
            order=records.get(deal.order),
        )
        now = setting.standing(deal.order, deal.magic)
        if now != deal.order:
            report.venue_order_id = VenueOrderId(str(now))
        reports.append(report)
    return reports


def position_reports(
    snapshot: Snapshot, cached: Iterable[Position], setting: Setting
) -> list[PositionStatusReport]:
    """Open positions, and FLAT for each of `cached` (open in Nautilus) that the account lacks.

    On a hedging account one report a ticket. A cached position under an id that is no ticket is a
    strategy's own netting of tickets: the account cannot say how it stands.
    """
    reports = [
        position_report(
            position,
            setting.listings[position.symbol],
            hedging=setting.hedging,
            account_id=setting.account_id,
            zone=setting.zone,
            ts_init=setting.ts_init,
        )
        for position in snapshot.positions
        if position.symbol in setting.listings
    ]
    tickets = {str(position.identifier) for position in snapshot.positions}
    instruments = {report.instrument_id for report in reports}
    flat = set()
    for position in cached:
        if setting.hedging:
            is_gone = position.id.value.isdecimal() and position.id.value not in tickets
            key = (position.instrument_id, position.id)
        else:
            is_gone = position.instrument_id not in instruments
            key = (position.instrument_id, None)
        if not is_gone or key in flat:
            continue
        flat.add(key)
        reports.append(
            flat_report(
                *key,
                size_precision=position.size_precision,
                account_id=setting.account_id,
                ts_init=setting.ts_init,
            )
        )
    return reports


def _order_report(
    order: TradeOrder,
    deals: list[TradeDeal],
    record: TradeOrder | None,
    working: Mapping[int, TradeOrder],
    setting: Setting,
) -> OrderStatusReport | None:
    listing = setting.listings.get(order.symbol)
    if listing is None:
        return None
    filled = sum(deal.volume for deal in deals if deal.order == order.ticket)
    client_order_id = setting.owner(record, deals[0] if deals else None)
    # Finished, but not all of its deals are counted: it is open until they are.
    is_ahead = order.volume_initial - order.volume_current - filled > _NOISE_LOTS
    known = setting.known(client_order_id) if client_order_id is not None else None
    return order_report(
        order,
        deals,
        listing,
        is_open=order.ticket in working or is_ahead or setting.is_replacing(order.ticket),
        hedging=setting.hedging,
        account_id=setting.account_id,
        zone=setting.zone,
        ts_init=setting.ts_init,
        client_order_id=client_order_id,
        known=known,
        filled_before=filled_before(known) if known is not None else Decimal(0),
    )
