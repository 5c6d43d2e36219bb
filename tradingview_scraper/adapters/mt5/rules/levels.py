"""Which prices may a request name? On the tick grid, and as far from the market as is asked for.

What needs the market is measured against a quote of the caller's: a server measures again, with
its own, when the request arrives.
"""

import math
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused, invalid
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderType,
    SymbolOrderMode,
    SymbolTradeExecution,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

#: A price this close to a tick (in ticks) is on it: floats of a terminal carry noise [recorded].
_NOISE: Final = 1e-4

BUYS: Final = frozenset(
    {OrderType.BUY, OrderType.BUY_LIMIT, OrderType.BUY_STOP, OrderType.BUY_STOP_LIMIT}
)
LIMITS: Final = frozenset({OrderType.BUY_LIMIT, OrderType.SELL_LIMIT})
STOPS: Final = frozenset({OrderType.BUY_STOP, OrderType.SELL_STOP})
STOP_LIMITS: Final = frozenset({OrderType.BUY_STOP_LIMIT, OrderType.SELL_STOP_LIMIT})


class Quote(NamedTuple):
    """The best prices of a symbol."""

    bid: float
    ask: float


def on_grid(info: SymbolInfo, name: str, price: float) -> float:
    """`price` without float noise. Raises `RequestRefused` when it lies between two ticks."""
    if not math.isfinite(price) or price < 0:
        raise invalid(f"{name} must be zero or more, was {price!r}")
    size = info.trade_tick_size or info.point
    if size > 0:
        ticks = price / size
        if abs(ticks - round(ticks)) > _NOISE:
            raise invalid(f"{name} must be a multiple of {size:g} on {info.name}, was {price!r}")
    return round(float(price), 10)


def check_stops(info: SymbolInfo, type: int, sl: float, tp: float, reference: Quote | None) -> None:
    """Stops that the symbol offers, on the right side of `reference`, as far as it asks for.

    A buy's stops are measured from the bid, a sell's from the ask [vendor]; of a pending order
    both are its own price. Without `reference` only what needs none is checked. Raises
    `RequestRefused`.
    """
    modes = SymbolOrderMode(info.order_mode)
    for name, price, bit in (("SL", sl, SymbolOrderMode.SL), ("TP", tp, SymbolOrderMode.TP)):
        if price and bit not in modes:
            raise RequestRefused("UNSUPPORTED_TP_SL", f"{info.name} takes no {name}: {modes!r}")
    if reference is None:
        return
    is_buy = type in BUYS
    price = reference.bid if is_buy else reference.ask
    least = info.trade_stops_level * info.point
    for name, stop, is_below in (("SL", sl, is_buy), ("TP", tp, not is_buy)):
        if not stop:
            continue
        distance = price - stop if is_below else stop - price
        if distance <= -_slack(info) or distance < least - _slack(info):
            side = "below" if is_below else "above"
            raise invalid(
                f"{name} must be at least {info.trade_stops_level} points {side} {price:g}, "
                f"was {stop:g}"
            )


def check_waiting(
    info: SymbolInfo, type: int, price: float, stoplimit: float, quote: Quote | None
) -> None:
    """The price of a pending order, that can wait.

    The limit of a stop limit order lies on the better side of its trigger [vendor]. A stop must be
    beyond the market of `quote`, by the stops level. A limit order that the market would fill at
    once is the server's to answer. Raises `RequestRefused`.
    """
    least = info.trade_stops_level * info.point - _slack(info)
    is_buy = type in BUYS
    if type in STOP_LIMITS:
        ahead = price - stoplimit if is_buy else stoplimit - price
        if ahead < least:
            side = "below" if is_buy else "above"
            raise invalid(
                f"the limit of a stop limit order must be at least {info.trade_stops_level} points "
                f"{side} its trigger {price:g}, was {stoplimit:g}"
            )
    if quote is None or type in LIMITS:
        return
    if info.trade_exemode == SymbolTradeExecution.EXCHANGE:
        # Triggered by the last price, which a quote does not have.
        return
    market = quote.ask if is_buy else quote.bid
    away = price - market if is_buy else market - price
    if away < least:
        side = "above the ask" if is_buy else "below the bid"
        raise invalid(
            f"the trigger must be at least {info.trade_stops_level} points {side} {market:g}, "
            f"was {price:g}"
        )


def room_points(info: SymbolInfo, type: int, limit: float, quote: Quote) -> int | None:
    """How many points the market of `quote` may get worse before `limit`; None: it is worse."""
    room = limit - quote.ask if type in BUYS else quote.bid - limit
    points = math.floor(room / info.point + _NOISE) if info.point > 0 else 0
    return points if room >= -_slack(info) else None


def _slack(info: SymbolInfo) -> float:
    return info.point * _NOISE
