"""Which fraction of its notional value does a symbol take as margin?

A terminal calculates margin by formulas of its own [vendor]; a broker can put a rate on top that
the library does not show. So there are two sources: the formula, which needs nothing, and the
terminal's own answer, which knows everything. Where the formula says the same as the terminal it
is taken, because it does not wobble with the quotes that convert currencies.
"""

import math
from decimal import Decimal
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.rules.symbols import Sizing
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolCalcMode
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo


class MarginProbe(NamedTuple):
    """The volume and the price at which a terminal is asked for a symbol's margin."""

    lots: float
    price: float


def probe(info: SymbolInfo, sizing: Sizing) -> MarginProbe | None:
    """What to ask the terminal with; None when it has no price for the symbol yet.

    As few lots as give a margin whose rounding to cents does not matter: brokers ask more for
    large volumes.
    """
    price = info.ask or info.bid or info.last
    if not math.isfinite(price) or price <= 0:
        return None
    worth = float(sizing.lot * sizing.multiplier) * price
    steps = math.ceil(max(1.0, _ENOUGH / worth) / info.volume_step)
    least = math.ceil(info.volume_min / info.volume_step)
    most = math.floor(info.volume_max / info.volume_step) if info.volume_max > 0 else steps
    return MarginProbe(float(f"{max(least, min(steps, most)) * info.volume_step:.8g}"), price)


def measured_rate(margin: float, worth: float) -> Decimal | None:
    """The rate behind a `margin` that was asked for, and the `worth` of the same volume.

    Both in the account's currency, so that no conversion is needed. None when they are no answer.
    """
    if not (math.isfinite(margin) and math.isfinite(worth) and margin >= 0 and worth > 0):
        return None
    return _rounded(Decimal(margin) / Decimal(worth))


def formula_rate(info: SymbolInfo, sizing: Sizing, leverage: int) -> Decimal | None:
    """The rate by the formula of the calculation mode [vendor]; None when it cannot say.

    It cannot when the margin currency is another one than the formula's amount can be compared
    with, when a fixed margin per lot meets no price, and for options.
    """
    if info.margin_initial > 0:
        price = info.ask or info.bid or info.last
        if info.currency_margin != info.currency_profit or not price > 0:
            return None
        worth = Decimal(price) * sizing.lot * sizing.multiplier
        return _rounded(Decimal(info.margin_initial) / worth)
    mode = info.trade_calc_mode
    by_leverage = Decimal(1) / leverage if leverage > 0 else Decimal(1)
    if mode in _IN_BASE:
        if info.currency_margin != info.currency_base:
            return None
        return by_leverage if mode == SymbolCalcMode.FOREX else Decimal(1)
    if info.currency_margin != info.currency_profit:
        return None
    if mode == SymbolCalcMode.CFDLEVERAGE:
        return by_leverage
    if mode == SymbolCalcMode.CFDINDEX:
        if info.trade_tick_value <= 0 or info.trade_tick_size <= 0:
            return None
        return _rounded(Decimal(info.trade_tick_value) / Decimal(info.trade_tick_size))
    return Decimal(1) if mode in _WHOLE else None


def margin_rate(formula: Decimal | None, measured: Decimal | None) -> Decimal:
    """The rate to work with: the terminal's, or the formula's where both mean the same.

    With neither, the whole value: too much margin refuses an order that would have been taken, too
    little sends one that the broker refuses [decision].
    """
    if measured is None:
        return formula if formula is not None else Decimal(1)
    if formula is not None and abs(measured - formula) <= _SPREADS * formula:
        return formula
    return measured


def maintenance_rate(info: SymbolInfo, initial: Decimal) -> Decimal:
    """The rate that keeps a position: in proportion to the symbol's two margins, where it has both.

    A maintenance margin of 0 means the initial one [vendor].
    """
    if info.margin_initial > 0 and info.margin_maintenance > 0:
        share = Decimal(info.margin_maintenance) / Decimal(info.margin_initial)
        return _rounded(initial * share)
    return initial


#: Notional value, in the profit currency, from which on a margin says enough about its rate.
_ENOUGH: Final = 10_000.0
#: How far the quotes that convert a margin may be off those that convert a value: they are the two
#: sides of pairs. Rates of brokers differ by more [decision].
_SPREADS: Final = Decimal("0.01")
#: Significant digits of a rate that is worked out.
_DIGITS: Final = 6

_IN_BASE: Final = frozenset({SymbolCalcMode.FOREX, SymbolCalcMode.FOREX_NO_LEVERAGE})
_WHOLE: Final = frozenset(
    {SymbolCalcMode.CFD, SymbolCalcMode.EXCH_STOCKS, SymbolCalcMode.EXCH_STOCKS_MOEX}
)


def _rounded(value: Decimal) -> Decimal:
    return Decimal(f"{value:.{_DIGITS}g}")
