"""Through which symbols is one currency changed into another?

A server changes money at the prices of its own currency pairs, directly, the other way round, or
over one currency in between.
"""

from collections.abc import Iterable
from typing import NamedTuple

from tradingview_scraper.adapters.mt5.terminal.constants import SymbolCalcMode
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

_PAIRS = (SymbolCalcMode.FOREX, SymbolCalcMode.FOREX_NO_LEVERAGE)


class Leg(NamedTuple):
    """One step: multiply by the price of `symbol`, or divide when `inverse`."""

    symbol: str
    inverse: bool


def conversion_path(
    infos: Iterable[SymbolInfo], source: str, target: str
) -> tuple[Leg, ...] | None:
    """The legs from one currency to another, none for the same; None when there is no way.

    Direct pairs come before inverse ones, one leg before two, and symbols in their own order.
    """
    if source == target:
        return ()
    steps: dict[str, dict[str, Leg]] = {}
    pairs = [info for info in infos if info.trade_calc_mode in _PAIRS]
    for inverse in (False, True):
        for info in pairs:
            ends = (info.currency_base, info.currency_profit)
            first, second = reversed(ends) if inverse else ends
            if first != second:
                steps.setdefault(first, {}).setdefault(second, Leg(info.name, inverse))
    first_legs = steps.get(source, {})
    if target in first_legs:
        return (first_legs[target],)
    for middle, leg in first_legs.items():
        if target in steps.get(middle, {}):
            return (leg, steps[middle][target])
    return None
