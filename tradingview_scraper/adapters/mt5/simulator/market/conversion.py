"""Through which symbols is one currency changed into another, and what does it give?

A server changes money at the prices of its own currency pairs, directly, the other way round, or
over one currency in between.
"""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from tradingview_scraper.adapters.mt5.terminal.constants import SymbolCalcMode
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo, Tick

#: Which price of a pair changes money: always its bid or its ask, or the worse one for who sells
#: a profit, or the other one for who buys what covers a loss.
Side = Literal["bid", "ask", "profit", "loss"]

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


class Conversion:
    """Changes money at the quotes of the pairs among `infos`.

    `quote` gives the last tick of a symbol now, `quote_at` the one at a moment (milliseconds of
    server time) that is revealed.
    """

    def __init__(
        self,
        infos: Iterable[SymbolInfo],
        quote: Callable[[str], Tick],
        quote_at: Callable[[str, int], Tick],
    ) -> None:
        self._infos = tuple(infos)
        self._quote = quote
        self._quote_at = quote_at
        self._pairs: dict[tuple[str, str], tuple[str, ...]] = {}
        self._paths: dict[tuple[str, str], tuple[Leg, ...] | None] = {}

    def convert(
        self, amount: float, source: str, target: str, side: Side, at: int | None = None
    ) -> float | None:
        """Change money; None without a way or a price. `at`: a revealed moment instead of now."""
        if amount == 0.0 or source == target:
            return amount
        for leg in self._path(source, target) or (None,):
            if leg is None:
                return None
            tick = self._quote(leg.symbol) if at is None else self._quote_at(leg.symbol, at)
            price = tick.ask if _takes_ask(side, leg) else tick.bid
            if price <= 0.0:
                return None
            amount = amount / price if leg.inverse else amount * price
        return amount

    def symbols_between(self, source: str, target: str) -> tuple[str, ...]:
        """The pairs whose quotes change one currency's money into the other's."""
        found = self._pairs.get((source, target))
        if found is None:
            legs = self._path(source, target) or ()
            found = self._pairs[source, target] = tuple(leg.symbol for leg in legs)
        return found

    def _path(self, source: str, target: str) -> tuple[Leg, ...] | None:
        key = (source, target)
        if key not in self._paths:
            self._paths[key] = conversion_path(self._infos, source, target)
        return self._paths[key]


def _takes_ask(side: Side, leg: Leg) -> bool:
    return {"bid": False, "ask": True, "profit": leg.inverse, "loss": not leg.inverse}[side]
