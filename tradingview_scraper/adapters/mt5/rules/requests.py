"""How is a trade request written? As the library takes it, and as the symbol allows it.

The library takes plain Python ints, floats and texts of at most 29 UTF-16 units, and leaves out
nothing of importance silently: a missing ``type_filling`` is FOK [recorded]. What the server would
certainly refuse is refused here; what only probably fails is the server's to judge.
"""

import math
from typing import Final

from tradingview_scraper.adapters.mt5.rules import symbols
from tradingview_scraper.adapters.mt5.rules.symbols import UnsupportedSymbol, VolumeError
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderTime,
    OrderType,
    SymbolFilling,
    SymbolOrderMode,
    SymbolTradeExecution,
    SymbolTradeMode,
    TradeAction,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo


class RequestRefused(ValueError):
    """The request was not written, because it cannot succeed.

    `code` is one of Nautilus' reason codes: ``VALIDATION_FAILED``, ``UNSUPPORTED_TIME_IN_FORCE``,
    ``UNSUPPORTED_ORDER_TYPE``, ``UNSUPPORTED_TP_SL`` or ``TRADING_HALTED``. `text` says what was
    expected and what it was.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


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
) -> dict[str, int | float | str]:
    """A request to trade at the market, for ``order_send``.

    `price` is needed for Request and Instant execution only, `deviation` (in points) counts there
    only. `position` is the *ticket* to close on a hedging account; limits of the volume are then
    the server's to judge, because a position may be smaller than today's minimum. Without
    `filling` it is `market_filling`. Raises `RequestRefused`.
    """
    if side not in (OrderType.BUY, OrderType.SELL):
        raise _invalid(f"side must be BUY or SELL, was {side!r}")
    _check_symbol(info, sl=sl, tp=tp)
    if info.trade_exemode in _PRICED and not price > 0:
        raise _invalid(
            f"{info.name} is executed at a requested price: price must be positive, was {price:g}"
        )
    if filling == OrderFilling.BOC:
        raise RequestRefused("UNSUPPORTED_TIME_IN_FORCE", "a market order cannot be book-or-cancel")
    if filling is None:
        filling = market_filling(info)
    return {
        "action": int(TradeAction.DEAL),
        "symbol": info.name,
        "volume": _volume(info, lots) if not position else _number("lots", lots, positive=True),
        "type": int(side),
        "price": _number("price", price),
        "sl": _number("sl", sl),
        "tp": _number("tp", tp),
        "deviation": _count("deviation", deviation),
        "magic": _count("magic", magic),
        "position": _count("position", position),
        "type_filling": int(filling),
        "type_time": int(OrderTime.GTC),
        "comment": comment_text(comment),
    }


def market_filling(info: SymbolInfo, *, all_or_none: bool | None = None) -> OrderFilling:
    """How a market order may be filled on the symbol [vendor].

    `all_or_none` True asks for FOK, False for IOC (what is not there is cancelled), None for what
    comes nearest to "until it is filled": RETURN on an exchange, else IOC where the symbol has it,
    else FOK. Raises `RequestRefused` when the symbol does not take what was asked for.
    """
    if info.trade_exemode in _PRICED:
        # Every filling passes there, whatever the bits say.
        return OrderFilling.IOC if all_or_none is False else OrderFilling.FOK
    if info.trade_exemode == SymbolTradeExecution.EXCHANGE and all_or_none is None:
        return OrderFilling.RETURN
    bits = SymbolFilling(info.filling_mode)
    if all_or_none is not True and SymbolFilling.IOC in bits:
        return OrderFilling.IOC
    if all_or_none is not False and SymbolFilling.FOK in bits:
        return OrderFilling.FOK
    wanted = {True: "FOK", False: "IOC", None: "IOC or FOK"}[all_or_none]
    raise RequestRefused(
        "UNSUPPORTED_TIME_IN_FORCE",
        f"{info.name} does not fill market orders {wanted}: its filling mode is {bits!r}",
    )


def comment_text(text: str, limit: int = 16) -> str:
    """`text` as printable ASCII, at most `limit` characters: servers cut there [recorded].

    A comment is decoration: servers overwrite it, so nothing may depend on it.
    """
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:limit].rstrip()


_LONGEST_SYMBOL: Final = 29  # UTF-16 units [recorded]
_U64: Final = 1 << 64
_PRICED: Final = frozenset({SymbolTradeExecution.REQUEST, SymbolTradeExecution.INSTANT})


def _check_symbol(info: SymbolInfo, *, sl: float, tp: float) -> None:
    if not 0 < len(info.name.encode("utf-16-le")) // 2 <= _LONGEST_SYMBOL:
        raise _invalid(
            f"the library takes symbols of 1 to {_LONGEST_SYMBOL} characters, was {info.name!r}"
        )
    if info.trade_mode == SymbolTradeMode.DISABLED:
        raise RequestRefused("TRADING_HALTED", f"trading of {info.name} is disabled at the server")
    modes = SymbolOrderMode(info.order_mode)
    if SymbolOrderMode.MARKET not in modes:
        raise RequestRefused(
            "UNSUPPORTED_ORDER_TYPE", f"{info.name} takes no market orders: {modes!r}"
        )
    for name, price, bit in (("SL", sl, SymbolOrderMode.SL), ("TP", tp, SymbolOrderMode.TP)):
        if price and bit not in modes:
            raise RequestRefused("UNSUPPORTED_TP_SL", f"{info.name} takes no {name}: {modes!r}")


def _volume(info: SymbolInfo, lots: float) -> float:
    try:
        steps = symbols.sizing(info)
        return symbols.lots(symbols.units(lots, steps), steps, info)
    except (UnsupportedSymbol, VolumeError) as error:
        raise _invalid(str(error)) from error


def _number(name: str, value: float, *, positive: bool = False) -> float:
    """`value` without the noise that prices and volumes of a terminal carry [recorded]."""
    if not math.isfinite(value) or value < 0 or (positive and not value):
        least = "positive" if positive else "zero or more"
        raise _invalid(f"{name} must be {least}, was {value!r}")
    return round(float(value), 10)


def _count(name: str, value: int) -> int:
    if not 0 <= value < _U64:
        raise _invalid(f"{name} must be within 0..2**64-1, was {value!r}")
    return int(value)


def _invalid(text: str) -> RequestRefused:
    return RequestRefused("VALIDATION_FAILED", text)
