"""May a trade request be executed? The trade server's checks, in its words: return codes.

A check gives the code of a refusal, or None. The texts are those that terminals show; a program
must not rely on them.
"""

from collections.abc import Iterable
from typing import Final

from tradingview_scraper.adapters.mt5.simulator.broker.matching import closing_type
from tradingview_scraper.adapters.mt5.simulator.broker.money import SUPPORTED_MODES
from tradingview_scraper.adapters.mt5.simulator.broker.orders import (
    LIMITS,
    PENDING,
    STOP_LIMITS,
    STOPS,
    side_of,
    trigger_of,
)
from tradingview_scraper.adapters.mt5.simulator.market.sessions import DAY_MSC
from tradingview_scraper.adapters.mt5.simulator.schema import AccountSpec, SymbolSpec
from tradingview_scraper.adapters.mt5.terminal.constants import (
    AccountTradeMode,
    OrderFilling,
    OrderTime,
    OrderType,
    PositionType,
    SymbolFilling,
    SymbolOrderMode,
    SymbolTradeExecution,
    SymbolTradeMode,
    TradeRetcode,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    SymbolInfo,
    Tick,
    TradeOrder,
    TradePosition,
    TradeRequest,
)

#: What the terminal writes beside a code.
COMMENTS: Final[dict[int, str]] = {
    0: "Done",
    TradeRetcode.REQUOTE: "Requote",
    TradeRetcode.REJECT: "Request rejected",
    TradeRetcode.PLACED: "Order placed",
    TradeRetcode.DONE: "Request executed",
    TradeRetcode.DONE_PARTIAL: "Request executed partially",
    TradeRetcode.INVALID: "Invalid request",
    TradeRetcode.INVALID_VOLUME: "Invalid volume",
    TradeRetcode.INVALID_PRICE: "Invalid price",
    TradeRetcode.INVALID_STOPS: "Invalid stops",
    TradeRetcode.TRADE_DISABLED: "Trade disabled",
    TradeRetcode.MARKET_CLOSED: "Market closed",
    TradeRetcode.NO_MONEY: "No money",
    TradeRetcode.PRICE_CHANGED: "Prices changed",
    TradeRetcode.PRICE_OFF: "No prices",
    TradeRetcode.ONLY_REAL: "Only real accounts allowed",
    TradeRetcode.INVALID_EXPIRATION: "Invalid expiration",
    TradeRetcode.NO_CHANGES: "No changes",
    TradeRetcode.SERVER_DISABLES_AT: "AutoTrading disabled by server",
    TradeRetcode.CLIENT_DISABLES_AT: "AutoTrading disabled by client",
    TradeRetcode.FROZEN: "Order or position frozen",
    TradeRetcode.INVALID_FILL: "Unsupported filling mode",
    TradeRetcode.LIMIT_ORDERS: "Orders limit reached",
    TradeRetcode.LIMIT_VOLUME: "Volume limit reached",
    TradeRetcode.INVALID_ORDER: "Invalid order",
    TradeRetcode.POSITION_CLOSED: "Position doesn't exist",
    TradeRetcode.INVALID_CLOSE_VOLUME: "Invalid close volume",
    TradeRetcode.LIMIT_POSITIONS: "Positions limit reached",
    TradeRetcode.TOO_MANY_REQUESTS: "Too many requests",
    TradeRetcode.CLOSE_ORDER_EXIST: "Close order already exists",
    TradeRetcode.LONG_ONLY: "Only long positions allowed",
    TradeRetcode.SHORT_ONLY: "Only short positions allowed",
    TradeRetcode.CLOSE_ONLY: "Only position closing allowed",
    TradeRetcode.FIFO_CLOSE: "Positions must be closed in the order of their opening",
    TradeRetcode.HEDGE_PROHIBITED: "Opposite positions are not allowed",
}

#: How far a number may be off its grid, in steps: float noise.
_NOISE: Final = 1e-4


def account_refusal(spec: SymbolSpec, account: AccountSpec) -> TradeRetcode | None:
    """10017 when nobody may trade the symbol, 10032 when only accounts with real money may."""
    info = spec.info
    if info.trade_mode == SymbolTradeMode.DISABLED or info.trade_calc_mode not in SUPPORTED_MODES:
        return TradeRetcode.TRADE_DISABLED
    if spec.real_only and account.trade_mode_code != AccountTradeMode.REAL:
        return TradeRetcode.ONLY_REAL
    return None


def volume_refusal(info: SymbolInfo, volume: float) -> TradeRetcode | None:
    """10014 unless the volume is within the symbol's limits and on its grid."""
    steps = volume / info.volume_step
    on_grid = abs(steps - round(steps)) <= _NOISE
    within = info.volume_min - 1e-9 <= volume <= info.volume_max + 1e-9
    return None if on_grid and within else TradeRetcode.INVALID_VOLUME


def filling_refusal(info: SymbolInfo, filling: int) -> TradeRetcode | None:
    """10030 unless a market order may be filled so: by execution mode and mask [recorded]."""
    allowed = set()
    if info.trade_exemode in (SymbolTradeExecution.REQUEST, SymbolTradeExecution.INSTANT):
        allowed = {OrderFilling.FOK, OrderFilling.IOC, OrderFilling.RETURN}
    else:
        if info.filling_mode & SymbolFilling.FOK:
            allowed.add(OrderFilling.FOK)
        if info.filling_mode & SymbolFilling.IOC:
            allowed.add(OrderFilling.IOC)
        if info.trade_exemode == SymbolTradeExecution.EXCHANGE:
            allowed.add(OrderFilling.RETURN)
    return None if filling in allowed else TradeRetcode.INVALID_FILL


def opening_refusal(info: SymbolInfo, side: int) -> TradeRetcode | None:
    """10042, 10043 or 10044 when the symbol may not be bought or sold to open."""
    match info.trade_mode:
        case SymbolTradeMode.LONGONLY if side == OrderType.SELL:
            return TradeRetcode.LONG_ONLY
        case SymbolTradeMode.SHORTONLY if side == OrderType.BUY:
            return TradeRetcode.SHORT_ONLY
        case SymbolTradeMode.CLOSEONLY:
            return TradeRetcode.CLOSE_ONLY
    return None


def limit_refusal(
    info: SymbolInfo,
    side: int,
    volume: float,
    positions: Iterable[TradePosition],
    orders: Iterable[TradeOrder],
) -> TradeRetcode | None:
    """10034 when one direction of the symbol would hold more lots than its limit; 0 is none.

    Pending orders count [vendor].
    """
    if info.volume_limit <= 0.0:
        return None
    held = sum(position.volume for position in positions if position.type == side)
    held += sum(order.volume_current for order in orders if side_of(order.type) == side)
    return TradeRetcode.LIMIT_VOLUME if held + volume > info.volume_limit + 1e-9 else None


def closing_refusal(
    request: TradeRequest, position: TradePosition, orders: Iterable[TradeOrder]
) -> TradeRetcode | None:
    """Whether a request with a `position` ticket closes that position: 10013, 10038, 10039.

    Closing orders that still wait for their rest take a part of the position [vendor].
    """
    if request.symbol != position.symbol or request.type != closing_type(position):
        return TradeRetcode.INVALID
    if request.volume > position.volume + 1e-9:
        return TradeRetcode.INVALID_CLOSE_VOLUME
    if request.volume + closing_volume(position, orders) > position.volume + 1e-9:
        return TradeRetcode.CLOSE_ORDER_EXIST
    return None


def closing_volume(position: TradePosition, orders: Iterable[TradeOrder]) -> float:
    """Lots of waiting market orders that close a position (hedging accounts)."""
    return sum(
        order.volume_current
        for order in orders
        if order.type == closing_type(position) and order.position_id == position.identifier
    )


def stops_refusal(
    info: SymbolInfo, side: int, sl: float, tp: float, tick: Tick
) -> TradeRetcode | None:
    """10016 for stops on the wrong side, too near, off the price grid or not offered.

    A buy position's stops are measured from the bid, a sell position's from the ask, and must keep
    the stops level [vendor].
    """
    for price, bit in ((sl, SymbolOrderMode.SL), (tp, SymbolOrderMode.TP)):
        if price and not (info.order_mode & bit and on_grid(info, price)):
            return TradeRetcode.INVALID_STOPS
    level = info.trade_stops_level * info.point - info.point * _NOISE
    if side == PositionType.BUY:
        wrong = (sl and sl > tick.bid - level) or (tp and tp < tick.bid + level)
    else:
        wrong = (sl and sl < tick.ask + level) or (tp and tp > tick.ask - level)
    return TradeRetcode.INVALID_STOPS if wrong or sl < 0.0 or tp < 0.0 else None


def freeze_refusal(info: SymbolInfo, position: TradePosition, tick: Tick) -> TradeRetcode | None:
    """10029 while the price is within the freeze level of one of the position's stops."""
    if info.trade_freeze_level <= 0:
        return None
    price = tick.bid if position.type == PositionType.BUY else tick.ask
    near = info.trade_freeze_level * info.point + info.point * _NOISE
    stops = [stop for stop in (position.sl, position.tp) if stop]
    frozen = any(abs(price - stop) <= near for stop in stops)
    return TradeRetcode.FROZEN if frozen else None


def price_refusal(
    info: SymbolInfo, request: TradeRequest, tick: Tick, price: float
) -> TradeRetcode | None:
    """10021 without a quote; with Instant and Request execution also 10015 and 10004.

    `price` is what the server would fill at: within the deviation of the asked one it does.
    """
    if tick.bid <= 0.0 or tick.ask <= 0.0:
        return TradeRetcode.PRICE_OFF
    if info.trade_exemode in (SymbolTradeExecution.MARKET, SymbolTradeExecution.EXCHANGE):
        return None
    if request.price <= 0.0 or not on_grid(info, request.price):
        return TradeRetcode.INVALID_PRICE
    if abs(price - request.price) > (request.deviation + _NOISE) * info.point:
        return TradeRetcode.REQUOTE
    return None


def on_grid(info: SymbolInfo, price: float) -> bool:
    """Whether a price is a multiple of the tick size, but for float noise."""
    steps = price / info.trade_tick_size
    return abs(steps - round(steps)) <= _NOISE


def pending_type_refusal(info: SymbolInfo, type: int) -> TradeRetcode | None:
    """10035 for a type that is no pending order's or that the symbol does not offer."""
    offered = {
        **dict.fromkeys(LIMITS, SymbolOrderMode.LIMIT),
        **dict.fromkeys(STOPS, SymbolOrderMode.STOP),
        **dict.fromkeys(STOP_LIMITS, SymbolOrderMode.STOP_LIMIT),
    }
    bit = offered.get(OrderType(type)) if type in PENDING else None
    return None if bit and info.order_mode & bit else TradeRetcode.INVALID_ORDER


def pending_filling_refusal(info: SymbolInfo, type: int, filling: int) -> TradeRetcode | None:
    """10030 unless a pending order may be filled so: RETURN, and on an exchange by the mask."""
    allowed = {OrderFilling.RETURN}
    if info.trade_exemode == SymbolTradeExecution.EXCHANGE:
        if info.filling_mode & SymbolFilling.FOK:
            allowed.add(OrderFilling.FOK)
        if info.filling_mode & SymbolFilling.IOC:
            allowed.add(OrderFilling.IOC)
        if info.filling_mode & SymbolFilling.BOC and type not in STOPS:
            allowed.add(OrderFilling.BOC)
    return None if filling in allowed else TradeRetcode.INVALID_FILL


def expiration_refusal(
    info: SymbolInfo, type_time: int, expiration: int, now_msc: int
) -> TradeRetcode | None:
    """10022 for a kind that the symbol does not offer or a moment that has passed."""
    wrong = type_time not in tuple(OrderTime) or not info.expiration_mode & 1 << type_time
    if not wrong and type_time == OrderTime.SPECIFIED:
        wrong = expiration * 1000 <= now_msc
    if not wrong and type_time == OrderTime.SPECIFIED_DAY:
        wrong = expiration * 1000 // DAY_MSC < now_msc // DAY_MSC
    return TradeRetcode.INVALID_EXPIRATION if wrong else None


def pending_price_refusal(info: SymbolInfo, order: TradeOrder, tick: Tick) -> TradeRetcode | None:
    """10015 for prices off the grid, on the wrong side of the market or within the stops level.

    On an exchange a limit price is not measured against the market [vendor]. The limit of a stop
    limit order lies on the better side of its trigger [vendor].
    """
    if tick.bid <= 0.0 or tick.ask <= 0.0:
        return TradeRetcode.PRICE_OFF
    level = info.trade_stops_level * info.point - info.point * _NOISE
    trigger = trigger_of(order)
    price = order.price_open
    market = tick.ask if side_of(order.type) == PositionType.BUY else tick.bid
    if trigger is not None:
        wrong = price > market - level if trigger.falling else price < market + level
        exchange = info.trade_exemode == SymbolTradeExecution.EXCHANGE
        if wrong and not (exchange and order.type in LIMITS):
            return TradeRetcode.INVALID_PRICE
    if order.type in STOP_LIMITS:
        ahead = price - order.price_stoplimit
        if side_of(order.type) == PositionType.SELL:
            ahead = -ahead
        if ahead < level:
            return TradeRetcode.INVALID_PRICE
    return None


def pending_stops_refusal(info: SymbolInfo, order: TradeOrder) -> TradeRetcode | None:
    """10016 for stops of a pending order: measured from the price that it fills at [vendor]."""
    price = order.price_stoplimit if order.type in STOP_LIMITS else order.price_open
    at_price = Tick(0, price, price, 0.0, 0, 0, 0, 0.0)
    return stops_refusal(info, side_of(order.type), order.sl, order.tp, at_price)


def pending_freeze_refusal(info: SymbolInfo, order: TradeOrder, tick: Tick) -> TradeRetcode | None:
    """10029 while the price is within the freeze level of the order's activation."""
    trigger = trigger_of(order)
    if info.trade_freeze_level <= 0 or trigger is None:
        return None
    price = tick.ask if trigger.column == "ask" else tick.bid
    near = info.trade_freeze_level * info.point + info.point * _NOISE
    return TradeRetcode.FROZEN if abs(price - trigger.level) <= near else None
