"""How do the stops of brackets stand? As reports, beside those of the account's own orders."""

from collections.abc import Iterable
from decimal import Decimal

from nautilus_trader.cache.cache import Cache
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import FillReport, OrderStatusReport
from nautilus_trader.model.enums import OrderStatus, TriggerType
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.bracket import (
    Bracket,
    Stop,
    id_of,
    is_same_level,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import Leg, level_of
from tradingview_scraper.adapters.mt5.nautilus_v1.brackets import Brackets
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import quantity
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import (
    fill_report,
    position_id,
    price,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.reports import Setting
from tradingview_scraper.adapters.mt5.rules.symbols import units
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal

_ASKED_FOR = (OrderStatus.PENDING_UPDATE, OrderStatus.PENDING_CANCEL)


def parted(
    deals: Iterable[TradeDeal], brackets: Brackets
) -> tuple[list[TradeDeal], list[TradeDeal]]:
    """Deals that filled a stop of a bracket, and the others."""
    of_stops: list[TradeDeal] = []
    others: list[TradeDeal] = []
    for deal in deals:
        (others if brackets.stop_hit(deal) is None else of_stops).append(deal)
    return of_stops, others


def stop_fills(
    deals: Iterable[TradeDeal], brackets: Brackets, setting: Setting
) -> list[FillReport]:
    """Fills of stops."""
    reports = []
    for deal in deals:
        hit = brackets.stop_hit(deal)
        if hit is None or deal.symbol not in setting.listings:
            continue
        report = fill_report(
            deal,
            setting.listings[deal.symbol],
            hedging=setting.hedging,
            deposit=setting.deposit,
            account_id=setting.account_id,
            zone=setting.zone,
            ts_init=setting.ts_init,
            client_order_id=hit[1].client_order_id,
        )
        report.venue_order_id = id_of(*hit)
        reports.append(report)
    return reports


def stop_orders(
    deals: Iterable[TradeDeal], brackets: Brackets, cache: Cache, setting: Setting
) -> list[OrderStatusReport]:
    """Stops that cover something, and those whose end Nautilus has not been told.

    `deals` are those of stops that count as their fills.
    """
    groups: dict[Stop, list[TradeDeal]] = {}
    for deal in deals:
        hit = brackets.stop_hit(deal)
        if hit is not None:
            groups.setdefault(hit[1], []).append(deal)
    reports = []
    for bracket in brackets:
        for stop in bracket.stops.values():
            order = cache.order(stop.client_order_id)
            if order is None or not bracket.entry.ticket or order.is_closed or stop.is_over:
                continue
            report = _report(bracket, stop, order, groups.get(stop, []), brackets, setting)
            if report is not None:
                reports.append(report)
    return reports


def take_up_stops(deals: Iterable[TradeDeal], brackets: Brackets, cache: Cache, now: int) -> None:
    """The engine gets the reports of all stops now: how they stood before is settled by them.

    It sees no moved trigger in the reports that it starts with [measured]: that is told.
    """
    for deal in deals:
        hit = brackets.stop_hit(deal)
        if hit is not None and not hit[1].is_over:
            # It stays the order of this deal.
            brackets.count_fill(*hit, deal)
    for bracket in brackets:
        for stop in bracket.stops.values():
            if not is_covering(bracket, stop, brackets):
                stop.is_over = True
            order = cache.order(stop.client_order_id)
            if order is None or stop.is_over or not order.is_open:
                continue
            if not is_same_level(level_of(order), bracket.levels[stop.leg]):
                brackets.update(bracket, stop, now)


def is_covering(bracket: Bracket, stop: Stop, brackets: Brackets) -> bool:
    """Whether the server has the stop."""
    return bool(bracket.levels[stop.leg]) and bool(brackets.covered(bracket))


def _report(
    bracket: Bracket,
    stop: Stop,
    order: Order,
    deals: list[TradeDeal],
    brackets: Brackets,
    setting: Setting,
) -> OrderStatusReport | None:
    listing = setting.listings.get(bracket.entry.symbol)
    if listing is None:
        return None
    instrument = listing.instrument
    sizes = [units(deal.volume, listing.sizing) for deal in deals]
    filled = max(sum(sizes, Decimal(0)), order.filled_qty.as_decimal())
    total = order.quantity.as_decimal()
    if is_covering(bracket, stop, brackets):
        total = filled + brackets.covered(bracket)
        if order.status in _ASKED_FOR:
            status = order.status
        else:
            status = OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.ACCEPTED
    elif filled:
        status, total = OrderStatus.FILLED, filled
    else:
        status = OrderStatus.CANCELED
    level = bracket.levels[stop.leg]
    shown = price(level, instrument) if level else None
    average = Decimal(str(order.avg_px or 0)) or None
    if deals:
        worth = sum(
            (size * Decimal(str(deal.price)) for size, deal in zip(sizes, deals, strict=True)),
            Decimal(0),
        )
        average = worth / sum(sizes)
    is_stop_loss = stop.leg is Leg.SL
    done = [setting.zone.utc_ns(deal.time_msc) for deal in deals]
    return OrderStatusReport(
        account_id=setting.account_id,
        instrument_id=stop.instrument_id,
        client_order_id=stop.client_order_id,
        venue_order_id=id_of(bracket, stop),
        venue_position_id=position_id(bracket.position, setting.hedging)
        if bracket.filled
        else None,
        order_side=stop.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        contingency_type=order.contingency_type,
        order_status=status,
        price=None if is_stop_loss else shown or order.price,
        trigger_price=(shown or order.trigger_price) if is_stop_loss else None,
        trigger_type=order.trigger_type if is_stop_loss else TriggerType.NO_TRIGGER,
        quantity=quantity(total, instrument.size_precision),
        filled_qty=quantity(filled, instrument.size_precision),
        avg_px=average,
        post_only=order.is_post_only,
        reduce_only=order.is_reduce_only,
        report_id=UUID4(),
        ts_accepted=order.ts_accepted or setting.ts_init,
        ts_last=max([order.ts_last, *done]),
        ts_init=setting.ts_init,
    )
