"""May a pending order be placed, changed, removed, or two positions closed by each other?

The checks in their order; the order as it would be, with nothing done yet.
"""

from typing import NamedTuple

from tradingview_scraper.adapters.mt5.simulator.broker import checks
from tradingview_scraper.adapters.mt5.simulator.broker.account import Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.money import rounded
from tradingview_scraper.adapters.mt5.simulator.broker.orders import (
    PENDING,
    STOP_LIMITS,
    new_order,
    side_of,
)
from tradingview_scraper.adapters.mt5.simulator.broker.statement import Statement
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.market.sessions import DAY_MSC
from tradingview_scraper.adapters.mt5.simulator.schema import BrokerSpec
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderReason,
    OrderState,
    OrderTime,
    OrderType,
    SymbolOrderMode,
    TradeRetcode,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    SymbolInfo,
    TradeOrder,
    TradePosition,
    TradeRequest,
)


class ClosePlan(NamedTuple):
    """Two positions that may be closed by each other, and the order that does it."""

    info: SymbolInfo
    order: TradeOrder
    by: TradePosition


def plan_placing(
    request: TradeRequest,
    reason: OrderReason,
    statement: Statement,
    broker: BrokerSpec,
    *,
    live: bool,
) -> TradeOrder | TradeRetcode:
    """The pending order that is asked for, or the code of its refusal."""
    ledger, market = statement.ledger, statement.market
    spec = market.spec(request.symbol)
    if spec is None:
        return TradeRetcode.INVALID
    info, now = spec.info, market.now_msc
    refusal = (
        checks.account_refusal(spec, ledger.spec)
        or checks.pending_type_refusal(info, request.type)
        or checks.pending_filling_refusal(info, request.type, request.type_filling)
        or checks.volume_refusal(info, request.volume)
        or checks.opening_refusal(info, side_of(request.type))
        or checks.expiration_refusal(info, request.type_time, request.expiration, now)
        or _grid_refusal(info, request, request.type)
    )
    if refusal is not None:
        return refusal
    order = new_order(
        ticket=ledger.tickets.order,
        msc=now,
        symbol=request.symbol,
        type=request.type,
        volume=round(round(request.volume / info.volume_step) * info.volume_step, 8),
        price_open=round(request.price, info.digits),
        stoplimit=_stoplimit(info, request, request.type),
        type_filling=request.type_filling,
        type_time=request.type_time,
        expiration=_expiration(request, now),
        magic=request.magic,
        reason=int(reason),
        sl=round(request.sl, info.digits),
        tp=round(request.tp, info.digits),
        comment=request.comment[: broker.comment_limit],
        state=OrderState.PLACED,
    )
    refusal = _limits_refusal(info, order, ledger)
    if refusal is None and live:
        refusal = _live_refusal(info, order, market)
    if refusal is None:
        refusal = _money_refusal(order, statement)
    return order if refusal is None else refusal


def plan_change(
    request: TradeRequest, ledger: Ledger, market: Market, *, live: bool
) -> TradeOrder | TradeRetcode:
    """The order with its new price, stops and expiration: what is left out is removed [vendor]."""
    order = ledger.orders.get(request.order)
    spec = None if order is None else market.spec(order.symbol)
    if order is None or spec is None or order.type not in PENDING:
        return TradeRetcode.INVALID
    info, now = spec.info, market.now_msc
    refusal = checks.expiration_refusal(
        info, request.type_time, request.expiration, now
    ) or _grid_refusal(info, request, order.type)
    if refusal is not None:
        return refusal
    changed = order._replace(
        price_open=round(request.price, info.digits),
        price_stoplimit=_stoplimit(info, request, order.type),
        sl=round(request.sl, info.digits),
        tp=round(request.tp, info.digits),
        type_time=request.type_time,
        # A day's order keeps its day.
        time_expiration=_expiration(request, order.time_setup_msc),
    )
    if changed == order:
        return TradeRetcode.NO_CHANGES
    if live:
        refusal = checks.pending_freeze_refusal(info, order, market.quote(info.name))
        refusal = refusal or _live_refusal(info, changed, market)
    return changed if refusal is None else refusal


def plan_removal(
    request: TradeRequest, ledger: Ledger, market: Market, *, live: bool
) -> TradeOrder | TradeRetcode:
    """The order that is to be cancelled, or the code of the refusal."""
    order = ledger.orders.get(request.order)
    spec = None if order is None else market.spec(order.symbol)
    if order is None or spec is None:
        return TradeRetcode.INVALID
    if live:
        if not market.is_open(order.symbol):
            return TradeRetcode.MARKET_CLOSED
        refusal = checks.pending_freeze_refusal(spec.info, order, market.quote(order.symbol))
        if refusal is not None:
            return refusal
    return order


def plan_close_by(
    request: TradeRequest, reason: OrderReason, ledger: Ledger, market: Market, *, live: bool
) -> ClosePlan | TradeRetcode:
    """Two opposite positions of one symbol, of a hedging account."""
    if not ledger.is_hedging:
        return TradeRetcode.INVALID
    named, by = ledger.by_ticket(request.position), ledger.by_ticket(request.position_by)
    if named is None or by is None:
        return TradeRetcode.POSITION_CLOSED
    if any(checks.closing_volume(one, ledger.orders.values()) for one in (named, by)):
        return TradeRetcode.CLOSE_ORDER_EXIST
    spec = market.spec(named.symbol)
    if spec is None or named.symbol != by.symbol or named.type == by.type:
        return TradeRetcode.INVALID
    if not spec.info.order_mode & SymbolOrderMode.CLOSEBY:
        return TradeRetcode.INVALID_ORDER
    if live:
        tick = market.quote(named.symbol)
        if not market.is_open(named.symbol):
            return TradeRetcode.MARKET_CLOSED
        refusal = checks.freeze_refusal(spec.info, named, tick) or checks.freeze_refusal(
            spec.info, by, tick
        )
        if refusal is not None:
            return refusal
    order = new_order(
        ticket=ledger.tickets.order,
        msc=market.now_msc,
        symbol=named.symbol,
        type=int(OrderType.CLOSE_BY),
        volume=min(named.volume, by.volume),
        price_open=by.price_open,
        type_filling=request.type_filling,
        magic=request.magic,
        reason=int(reason),
        comment=request.comment,
        position_id=named.identifier,
        position_by_id=by.identifier,
    )
    return ClosePlan(spec.info, order, by)


def _stoplimit(info: SymbolInfo, request: TradeRequest, type: int) -> float:
    return round(request.stoplimit, info.digits) if type in STOP_LIMITS else 0.0


def _expiration(request: TradeRequest, msc: int) -> int:
    """`time_expiration`: for DAY 00:00 of the day itself [recorded], none for GTC."""
    match request.type_time:
        case OrderTime.GTC:
            return 0
        case OrderTime.DAY:
            return msc // DAY_MSC * DAY_MSC // 1000
    return request.expiration


def _grid_refusal(info: SymbolInfo, request: TradeRequest, type: int) -> TradeRetcode | None:
    prices = [request.price, *([request.stoplimit] if type in STOP_LIMITS else [])]
    fits = all(price > 0.0 and checks.on_grid(info, price) for price in prices)
    return None if fits else TradeRetcode.INVALID_PRICE


def _limits_refusal(info: SymbolInfo, order: TradeOrder, ledger: Ledger) -> TradeRetcode | None:
    if 0 < ledger.spec.limit_orders <= len(ledger.orders):
        return TradeRetcode.LIMIT_ORDERS
    waiting = [other for other in ledger.orders.values() if other.symbol == order.symbol]
    held = ledger.in_symbol(order.symbol)
    return checks.limit_refusal(info, side_of(order.type), order.volume_initial, held, waiting)


def _live_refusal(info: SymbolInfo, order: TradeOrder, market: Market) -> TradeRetcode | None:
    if not market.is_open(info.name):
        return TradeRetcode.MARKET_CLOSED
    return checks.pending_price_refusal(
        info, order, market.quote(info.name)
    ) or checks.pending_stops_refusal(info, order)


def _money_refusal(order: TradeOrder, statement: Statement) -> TradeRetcode | None:
    """10019 when the order would hold more margin than is free: on an exchange only."""
    margin = statement.valuation.order_margin(order)
    if margin is None:
        return TradeRetcode.PRICE_OFF
    digits = statement.ledger.spec.currency_digits
    free = rounded(statement.account().margin_free - margin, digits)
    return TradeRetcode.NO_MONEY if margin > 0.0 and free < 0.0 else None
