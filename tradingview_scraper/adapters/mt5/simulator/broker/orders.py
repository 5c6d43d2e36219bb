"""What is an order while it waits? Its side, its trigger, its end, and how it is filled."""

from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.simulator.market.sessions import DAY_MSC
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderState,
    OrderTime,
    OrderType,
    PositionType,
    SymbolOrders,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo, TradeOrder

#: The order types of market orders.
SIDES: Final = (OrderType.BUY, OrderType.SELL)
LIMITS: Final = (OrderType.BUY_LIMIT, OrderType.SELL_LIMIT)
STOPS: Final = (OrderType.BUY_STOP, OrderType.SELL_STOP)
STOP_LIMITS: Final = (OrderType.BUY_STOP_LIMIT, OrderType.SELL_STOP_LIMIT)
PENDING: Final = (*LIMITS, *STOPS, *STOP_LIMITS)

_FALLING: Final = (
    OrderType.BUY_LIMIT,
    OrderType.SELL_STOP,
    OrderType.SELL_STOP_LIMIT,
)


class Trigger(NamedTuple):
    """A price level: the tick's `column` must come down to it, or up to it."""

    column: str
    falling: bool
    level: float


def side_of(type: int) -> PositionType:
    """The direction of an order of any type but CLOSE_BY."""
    return PositionType(type % 2)


def trigger_of(order: TradeOrder) -> Trigger | None:
    """What activates a waiting order: the ask for who buys, the bid for who sells [vendor].

    None: every tick does, as for the rest of a market order and of a stop that was activated.
    """
    rest = order.type in STOPS and order.state == OrderState.PARTIAL
    if order.type in SIDES or rest:
        return None
    column = "ask" if side_of(order.type) == PositionType.BUY else "bid"
    return Trigger(column, order.type in _FALLING, order.price_open)


def expires_msc(order: TradeOrder, info: SymbolInfo) -> int | None:
    """When the order ends unfilled, in milliseconds of server time; None never.

    DAY: at the end of the day of its setup. SPECIFIED_DAY: at 23:59:59 of that day [vendor]. With
    `order_gtc_mode` other than GTC a good-till-cancelled order lives for its day only [vendor].
    """
    end_of_day = order.time_setup_msc // DAY_MSC * DAY_MSC + DAY_MSC
    match order.type_time:
        case OrderTime.DAY:
            return end_of_day
        case OrderTime.SPECIFIED:
            return order.time_expiration * 1000
        case OrderTime.SPECIFIED_DAY:
            day = order.time_expiration * 1000 // DAY_MSC
            return day * DAY_MSC + DAY_MSC - 1000
    return None if info.order_gtc_mode == SymbolOrders.GTC else end_of_day


def done(order: TradeOrder, state: OrderState, msc: int) -> TradeOrder:
    """The order as history shows it from then on."""
    return order._replace(state=int(state), time_done=msc // 1000, time_done_msc=msc)


def filled(
    order: TradeOrder, volume: float, price: float, position_id: int, msc: int, *, waits: bool
) -> TradeOrder:
    """The order after a fill: FILLED, or with a rest PARTIAL when it `waits`, else CANCELED."""
    rest = round(order.volume_current - volume, 8)
    order = order._replace(volume_current=rest, price_current=price, position_id=position_id)
    if rest <= 0.0:
        return done(order, OrderState.FILLED, msc)
    if waits:
        return order._replace(state=int(OrderState.PARTIAL))
    return done(order, OrderState.CANCELED, msc)


def is_done(order: TradeOrder) -> bool:
    """Whether the order belongs into history."""
    return order.time_done_msc > 0


def new_order(
    *,
    ticket: int,
    msc: int,
    symbol: str,
    type: int,
    volume: float,
    price_open: float,
    type_filling: int,
    reason: int,
    comment: str = "",
    magic: int = 0,
    sl: float = 0.0,
    tp: float = 0.0,
    stoplimit: float = 0.0,
    type_time: int = int(OrderTime.GTC),
    expiration: int = 0,
    position_id: int = 0,
    position_by_id: int = 0,
    state: OrderState = OrderState.STARTED,
) -> TradeOrder:
    """An order that nothing has happened to yet."""
    return TradeOrder(
        ticket=ticket,
        time_setup=msc // 1000,
        time_setup_msc=msc,
        time_done=0,
        time_done_msc=0,
        time_expiration=expiration,
        type=type,
        type_time=type_time,
        type_filling=type_filling,
        state=int(state),
        magic=magic,
        position_id=position_id,
        position_by_id=position_by_id,
        reason=reason,
        volume_initial=volume,
        volume_current=volume,
        price_open=price_open,
        sl=sl,
        tp=tp,
        price_current=price_open,
        price_stoplimit=stoplimit,
        symbol=symbol,
        comment=comment,
        external_id="",
    )
