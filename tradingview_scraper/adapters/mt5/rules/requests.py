"""How is a trade request written? As the library takes it, and as the symbol allows it.

The library takes plain Python ints, floats and texts of at most 29 UTF-16 units, and leaves out
nothing of importance silently: a missing ``type_filling`` is FOK, a missing ``sl`` of a change
removes it [recorded]. What the server would certainly refuse is refused here; what only probably
fails is the server's to judge.
"""

import math
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.rules import symbols
from tradingview_scraper.adapters.mt5.rules.expiry import Expiry
from tradingview_scraper.adapters.mt5.rules.filling import PRICED, market_filling
from tradingview_scraper.adapters.mt5.rules.levels import (
    BUYS,
    LIMITS,
    STOP_LIMITS,
    STOPS,
    Quote,
    check_stops,
    check_waiting,
    on_grid,
)
from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused, invalid
from tradingview_scraper.adapters.mt5.rules.symbols import UnsupportedSymbol, VolumeError
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderTime,
    OrderType,
    SymbolOrderMode,
    SymbolTradeMode,
    TradeAction,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    SymbolInfo,
    TradeOrder,
    TradePosition,
)

#: What ``order_send`` takes.
Fields = dict[str, int | float | str]


class Terms(NamedTuple):
    """What of a pending order can be changed. `price` is a stop limit order's trigger."""

    price: float
    stoplimit: float = 0.0
    sl: float = 0.0
    tp: float = 0.0
    type_time: int = int(OrderTime.GTC)
    expiration: int = 0

    def asks(self) -> tuple[float | int, ...]:
        """What is compared of two terms: servers write an expiration where none was asked for."""
        dated = self.type_time in (OrderTime.SPECIFIED, OrderTime.SPECIFIED_DAY)
        prices = (round(price, 8) for price in self[:4])
        return *prices, self.type_time, self.expiration if dated else 0


def terms_of(order: TradeOrder) -> Terms:
    """The terms of an order as the terminal lists it."""
    return Terms(
        order.price_open,
        order.price_stoplimit,
        order.sl,
        order.tp,
        order.type_time,
        order.time_expiration,
    )


def terms_in(request: Fields) -> Terms:
    """The terms that a PENDING or MODIFY request asks for."""
    return Terms(
        float(request["price"]),
        float(request["stoplimit"]),
        float(request["sl"]),
        float(request["tp"]),
        int(request["type_time"]),
        int(request["expiration"]),
    )


def market_deal(
    info: SymbolInfo,
    *,
    side: OrderType,
    lots: float,
    magic: int,
    price: float = 0.0,
    deviation: int = 0,
    position: int = 0,
    sl: float = 0.0,
    tp: float = 0.0,
    comment: str = "",
    filling: OrderFilling | None = None,
    quote: Quote | None = None,
    opens: bool = False,
) -> Fields:
    """A request to trade at the market, for ``order_send``.

    `price` is needed for Request and Instant execution only, `deviation` (in points) counts there
    only. `position` is the *ticket* to close on a hedging account; limits of the volume are then
    the server's to judge, because a position may be smaller than today's minimum. Without
    `filling` it is `market_filling`. Stops are measured against `quote`, where one is given.
    `opens`: it certainly opens or adds to a position. Raises `RequestRefused`.
    """
    if side not in (OrderType.BUY, OrderType.SELL):
        raise invalid(f"side must be BUY or SELL, was {side!r}")
    _check_symbol(info, SymbolOrderMode.MARKET)
    if opens:
        _check_opening(info, side)
    if info.trade_exemode in PRICED and not price > 0:
        raise invalid(
            f"{info.name} is executed at a requested price: price must be positive, was {price:g}"
        )
    if filling == OrderFilling.BOC:
        raise RequestRefused("UNSUPPORTED_TIME_IN_FORCE", "a market order cannot be book-or-cancel")
    sl, tp = on_grid(info, "sl", sl), on_grid(info, "tp", tp)
    check_stops(info, side, sl, tp, quote)
    if filling is None:
        filling = market_filling(info)
    return {
        "action": int(TradeAction.DEAL),
        "symbol": info.name,
        "volume": _volume(info, lots) if not position else _number("lots", lots, positive=True),
        "type": int(side),
        # Where no price is asked for it is only told, and a quote may lie off the grid.
        "price": on_grid(info, "price", price)
        if info.trade_exemode in PRICED
        else _number("price", price),
        "sl": sl,
        "tp": tp,
        "deviation": _count("deviation", deviation),
        "magic": _count("magic", magic),
        "position": _count("position", position),
        "type_filling": int(filling),
        "type_time": int(OrderTime.GTC),
        "comment": comment_text(comment),
    }


def pending_order(
    info: SymbolInfo,
    *,
    type: OrderType,
    lots: float,
    price: float,
    magic: int,
    expiry: Expiry,
    filling: OrderFilling,
    stoplimit: float = 0.0,
    sl: float = 0.0,
    tp: float = 0.0,
    comment: str = "",
    quote: Quote | None = None,
    opens: bool = False,
) -> Fields:
    """A request to place a limit, stop or stop limit order, for ``order_send``.

    `price` of a stop limit order is its trigger, `stoplimit` its limit. Prices are measured
    against `quote`, where one is given. `opens`: it certainly opens or adds to a position when it
    is filled. Raises `RequestRefused`.
    """
    if type not in _OFFERED:
        raise invalid(f"type must be that of a pending order, was {type!r}")
    _check_symbol(info, _OFFERED[type])
    if opens:
        _check_opening(info, type)
    terms = Terms(price, stoplimit, sl, tp, *expiry)
    return {
        "action": int(TradeAction.PENDING),
        "symbol": info.name,
        "volume": _volume(info, lots),
        "type": int(type),
        **_terms(info, type, terms, quote),
        "magic": _count("magic", magic),
        "type_filling": int(filling),
        "comment": comment_text(comment),
    }


def modify_order(
    info: SymbolInfo, *, ticket: int, type: int, terms: Terms, quote: Quote | None = None
) -> Fields:
    """A request to change a pending order to `terms`, all of them: what is 0 is removed [vendor].

    Volume, type and filling cannot be changed [vendor]. Raises `RequestRefused`.
    """
    if type not in _OFFERED:
        raise invalid(f"only a pending order can be changed, it is {OrderType(type).name}")
    return {
        "action": int(TradeAction.MODIFY),
        "symbol": info.name,
        "order": _count("ticket", ticket),
        **_terms(info, type, terms, quote),
    }


def remove_order(ticket: int) -> Fields:
    """A request to cancel an order that waits."""
    return {"action": int(TradeAction.REMOVE), "order": _count("ticket", ticket)}


def position_stops(
    info: SymbolInfo, position: TradePosition, *, sl: float, tp: float, quote: Quote | None = None
) -> Fields:
    """A request to set both stops of a position; 0 removes one. Raises `RequestRefused`."""
    sl, tp = on_grid(info, "sl", sl), on_grid(info, "tp", tp)
    check_stops(info, position.type, sl, tp, quote)
    return {
        "action": int(TradeAction.SLTP),
        "symbol": info.name,
        "sl": sl,
        "tp": tp,
        "position": _count("position", position.ticket),
        "magic": position.magic,
    }


def close_by(
    info: SymbolInfo, *, position: int, position_by: int, magic: int, comment: str = ""
) -> Fields:
    """A request to close two opposite tickets of a hedging account by each other.

    The smaller of their volumes is closed of both, at the opening price of `position_by` [vendor].
    Raises `RequestRefused`.
    """
    _check_symbol(info, SymbolOrderMode.CLOSEBY)
    return {
        "action": int(TradeAction.CLOSE_BY),
        "symbol": info.name,
        "position": _count("position", position),
        "position_by": _count("position_by", position_by),
        "magic": _count("magic", magic),
        "comment": comment_text(comment),
    }


def comment_text(text: str, limit: int = 16) -> str:
    """`text` as printable ASCII, at most `limit` characters: servers cut there [recorded].

    A comment is decoration: servers overwrite it, so nothing may depend on it.
    """
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:limit].rstrip()


_LONGEST_SYMBOL: Final = 29  # UTF-16 units [recorded]
_U64: Final = 1 << 64

_OFFERED: Final[dict[int, SymbolOrderMode]] = {
    **dict.fromkeys(LIMITS, SymbolOrderMode.LIMIT),
    **dict.fromkeys(STOPS, SymbolOrderMode.STOP),
    **dict.fromkeys(STOP_LIMITS, SymbolOrderMode.STOP_LIMIT),
}


def _terms(info: SymbolInfo, type: int, terms: Terms, quote: Quote | None) -> Fields:
    price = on_grid(info, "price", terms.price)
    stoplimit = on_grid(info, "stoplimit", terms.stoplimit)
    sl, tp = on_grid(info, "sl", terms.sl), on_grid(info, "tp", terms.tp)
    if not price > 0 or (type in STOP_LIMITS and not stoplimit > 0):
        raise invalid(f"the prices of a pending order must be positive, were {price}, {stoplimit}")
    check_waiting(info, type, price, stoplimit, quote)
    at = stoplimit if type in STOP_LIMITS else price
    check_stops(info, type, sl, tp, Quote(at, at))
    return {
        "price": price,
        "stoplimit": stoplimit if type in STOP_LIMITS else 0.0,
        "sl": sl,
        "tp": tp,
        "type_time": int(terms.type_time),
        "expiration": _count("expiration", terms.expiration),
    }


def _check_symbol(info: SymbolInfo, needed: SymbolOrderMode) -> None:
    if not 0 < len(info.name.encode("utf-16-le")) // 2 <= _LONGEST_SYMBOL:
        raise invalid(
            f"the library takes symbols of 1 to {_LONGEST_SYMBOL} characters, was {info.name!r}"
        )
    if info.trade_mode == SymbolTradeMode.DISABLED:
        raise RequestRefused("TRADING_HALTED", f"trading of {info.name} is disabled at the server")
    modes = SymbolOrderMode(info.order_mode)
    if needed not in modes:
        raise RequestRefused(
            "UNSUPPORTED_ORDER_TYPE", f"{info.name} takes no {needed.name} orders: {modes!r}"
        )


def _check_opening(info: SymbolInfo, type: int) -> None:
    refused = {
        SymbolTradeMode.LONGONLY: () if type in BUYS else ("only long positions",),
        SymbolTradeMode.SHORTONLY: ("only short positions",) if type in BUYS else (),
        SymbolTradeMode.CLOSEONLY: ("closing only",),
    }
    for what in refused.get(SymbolTradeMode(info.trade_mode), ()):
        raise RequestRefused("TRADING_HALTED", f"{info.name} allows {what}")


def _volume(info: SymbolInfo, lots: float) -> float:
    try:
        steps = symbols.sizing(info)
        return symbols.lots(symbols.units(lots, steps), steps, info)
    except (UnsupportedSymbol, VolumeError) as error:
        raise invalid(str(error)) from error


def _number(name: str, value: float, *, positive: bool = False) -> float:
    """`value` without the noise that prices and volumes of a terminal carry [recorded]."""
    if not math.isfinite(value) or value < 0 or (positive and not value):
        least = "positive" if positive else "zero or more"
        raise invalid(f"{name} must be {least}, was {value!r}")
    return round(float(value), 10)


def _count(name: str, value: int) -> int:
    if not 0 <= value < _U64:
        raise invalid(f"{name} must be within 0..2**64-1, was {value!r}")
    return int(value)
