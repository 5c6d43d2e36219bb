"""What is a position worth, and what margin does it take? Formulas by calculation mode.

Amounts are in the symbol's profit or margin currency; changing them into an account's currency is
the caller's. Margin rates are 1 [decision: the library does not show them].
"""

import math
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.terminal.constants import (
    CALC_MODE_EXCH_OPTIONS_REPORTED,
    PositionType,
    SymbolCalcMode,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

_BY_CONTRACT: Final = frozenset(
    {
        SymbolCalcMode.FOREX,
        SymbolCalcMode.FOREX_NO_LEVERAGE,
        SymbolCalcMode.CFD,
        SymbolCalcMode.CFDINDEX,
        SymbolCalcMode.CFDLEVERAGE,
        SymbolCalcMode.EXCH_STOCKS,
        SymbolCalcMode.EXCH_STOCKS_MOEX,
    }
)
_BY_TICK: Final = frozenset(
    {
        SymbolCalcMode.FUTURES,
        SymbolCalcMode.EXCH_FUTURES,
        SymbolCalcMode.EXCH_OPTIONS,
        CALC_MODE_EXCH_OPTIONS_REPORTED,
    }
)

#: The calculation modes whose money the broker can work out.
SUPPORTED_MODES: Final = _BY_CONTRACT | _BY_TICK


class Holding(NamedTuple):
    """A part of a symbol's exposure: direction, lots and opening price."""

    type: int
    volume: float
    price: float


def rounded(amount: float, digits: int) -> float:
    """Money to the digits of its currency, halves away from zero, free of float noise."""
    scale = 10.0**digits
    steps = round(amount, 8) * scale
    whole = math.floor(steps)
    # Only near the middle between two steps does float noise decide; elsewhere floats are exact
    # enough, and ten times as fast.
    if abs(steps - whole - 0.5) > 1e-8 * scale and abs(steps) < 2**50:
        return (whole if steps - whole < 0.5 else whole + 1) / scale + 0.0
    exact = Decimal(repr(round(amount, 8)))
    return float(exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)) + 0.0


def profit(
    info: SymbolInfo, type: int, volume: float, price_open: float, price_close: float
) -> float:
    """Profit in `currency_profit` [vendor]. `trade_tick_value` must be in that currency."""
    move = round(price_close - price_open, 10)
    if type == PositionType.SELL:
        move = -move
    if info.trade_calc_mode in _BY_TICK:
        return move / info.trade_tick_size * info.trade_tick_value * volume
    return move * info.trade_contract_size * volume


def margin(info: SymbolInfo, volume: float, price: float, leverage: int) -> float:
    """Margin in `currency_margin` [vendor]; the symbol's `margin_initial` overrides the formula."""
    if info.margin_initial > 0.0:
        return volume * info.margin_initial
    size = info.trade_contract_size
    match info.trade_calc_mode:
        case SymbolCalcMode.FOREX:
            return volume * size / leverage
        case SymbolCalcMode.FOREX_NO_LEVERAGE:
            return volume * size
        case SymbolCalcMode.CFDLEVERAGE:
            return volume * size * price / leverage
        case SymbolCalcMode.CFDINDEX:
            return volume * size * price * info.trade_tick_value / info.trade_tick_size
        case _:
            return volume * size * price


def hedged_margin(
    info: SymbolInfo, holdings: Iterable[Holding], leverage: int
) -> list[tuple[float, float]]:
    """Margin of all holdings in one symbol: amounts in `currency_margin`, each with its price.

    With `margin_hedged_use_leg` the larger leg pays. Otherwise the uncovered part pays in full and
    the covered part by `margin_hedged`: a contract size, or money per lot where the symbol has a
    `margin_initial`; 0 is free [vendor]. A leg's price is its volume-weighted opening price.
    """
    legs = {PositionType.BUY: [0.0, 0.0], PositionType.SELL: [0.0, 0.0]}
    for holding in holdings:
        leg = legs[PositionType(holding.type)]
        leg[0] += holding.volume
        leg[1] += holding.volume * holding.price
    sides = [(volume, value / volume) for volume, value in legs.values() if volume > 0.0]
    if not sides:
        return []
    amounts = [(margin(info, volume, price, leverage), price) for volume, price in sides]
    if info.margin_hedged_use_leg or len(sides) == 1:
        return [max(amounts)]
    (larger, price), (covered, _) = sorted(sides, reverse=True)
    uncovered = round(larger - covered, 8)
    parts = [(margin(info, uncovered, price, leverage), price)]
    if info.margin_initial > 0.0:
        parts.append((covered * info.margin_hedged, price))
    elif info.margin_hedged > 0.0:
        half = info._replace(trade_contract_size=info.margin_hedged)
        parts.append((margin(half, covered, price, leverage), price))
    return parts
