"""May a trade request be executed? The trade server's checks, in its words: return codes.

A check gives the code of a refusal, or None. The texts are those that terminals show; a program
must not rely on them.
"""

from collections.abc import Iterable
from typing import Final

from tradingview_scraper.adapters.mt5.simulator.broker.matching import closing_type
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
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
    TradePosition,
    TradeRequest,
)

#: What the terminal writes beside a code.
COMMENTS: Final[dict[int, str]] = {
    0: "Done",
    TradeRetcode.REQUOTE: "Requote",
    TradeRetcode.DONE: "Request executed",
    TradeRetcode.INVALID: "Invalid request",
    TradeRetcode.INVALID_VOLUME: "Invalid volume",
    TradeRetcode.INVALID_PRICE: "Invalid price",
    TradeRetcode.INVALID_STOPS: "Invalid stops",
    TradeRetcode.TRADE_DISABLED: "Trade disabled",
    TradeRetcode.MARKET_CLOSED: "Market closed",
    TradeRetcode.NO_MONEY: "No money",
    TradeRetcode.PRICE_OFF: "No prices",
    TradeRetcode.NO_CHANGES: "No changes",
    TradeRetcode.SERVER_DISABLES_AT: "AutoTrading disabled by server",
    TradeRetcode.CLIENT_DISABLES_AT: "AutoTrading disabled by client",
    TradeRetcode.FROZEN: "Order or position frozen",
    TradeRetcode.INVALID_FILL: "Unsupported filling mode",
    TradeRetcode.LIMIT_VOLUME: "Volume limit reached",
    TradeRetcode.INVALID_ORDER: "Invalid order",
    TradeRetcode.POSITION_CLOSED: "Position doesn't exist",
    TradeRetcode.INVALID_CLOSE_VOLUME: "Invalid close volume",
    TradeRetcode.LONG_ONLY: "Only long positions allowed",
    TradeRetcode.SHORT_ONLY: "Only short positions allowed",
    TradeRetcode.CLOSE_ONLY: "Only position closing allowed",
}

#: How far a number may be off its grid, in steps: float noise.
_NOISE: Final = 1e-4


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
    info: SymbolInfo, side: int, volume: float, positions: Iterable[TradePosition]
) -> TradeRetcode | None:
    """10034 when one direction of the symbol would hold more lots than its limit; 0 is none."""
    if info.volume_limit <= 0.0:
        return None
    held = sum(position.volume for position in positions if position.type == side)
    return TradeRetcode.LIMIT_VOLUME if held + volume > info.volume_limit + 1e-9 else None


def closing_refusal(request: TradeRequest, position: TradePosition) -> TradeRetcode | None:
    """Whether a request with a `position` ticket closes that position: 10013, 10038."""
    if request.symbol != position.symbol or request.type != closing_type(position):
        return TradeRetcode.INVALID
    if request.volume > position.volume + 1e-9:
        return TradeRetcode.INVALID_CLOSE_VOLUME
    return None


def stops_refusal(
    info: SymbolInfo, side: int, sl: float, tp: float, tick: Tick
) -> TradeRetcode | None:
    """10016 for stops on the wrong side, too near, off the price grid or not offered.

    A buy position's stops are measured from the bid, a sell position's from the ask, and must keep
    the stops level [vendor].
    """
    for price, bit in ((sl, SymbolOrderMode.SL), (tp, SymbolOrderMode.TP)):
        steps = price / info.trade_tick_size
        if price and (not info.order_mode & bit or abs(steps - round(steps)) > _NOISE):
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


def price_refusal(info: SymbolInfo, request: TradeRequest, tick: Tick) -> TradeRetcode | None:
    """10021 without a price; with Instant and Request execution also 10015 and 10004."""
    if tick.bid <= 0.0 or tick.ask <= 0.0:
        return TradeRetcode.PRICE_OFF
    if info.trade_exemode in (SymbolTradeExecution.MARKET, SymbolTradeExecution.EXCHANGE):
        return None
    steps = request.price / info.trade_tick_size
    if request.price <= 0.0 or abs(steps - round(steps)) > _NOISE:
        return TradeRetcode.INVALID_PRICE
    price = tick.ask if request.type == OrderType.BUY else tick.bid
    if abs(price - request.price) > (request.deviation + _NOISE) * info.point:
        return TradeRetcode.REQUOTE
    return None
