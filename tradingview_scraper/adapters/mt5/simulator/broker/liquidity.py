"""How many lots are there to trade? `Liquidity`: what is left at each quote."""

import math
from typing import Final

from tradingview_scraper.adapters.mt5.terminal.constants import PositionType
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo, Tick


class Liquidity:
    """Every tick brings `lots` on each side, for all accounts together; 0 is without end.

    What server-side closes take (stops, stop-out) is always there [decision].
    """

    def __init__(self, lots: float) -> None:
        self._lots: Final = lots
        self._scripted = (0.0, 0)
        self._used: dict[tuple[str, PositionType], tuple[tuple[float, ...], float]] = {}

    def script(self, lots: float, fills: int) -> None:
        """Only so many lots are there for each of the next `fills`; 0 fills ends it."""
        self._scripted = (lots, fills)

    def available(self, info: SymbolInfo, side: PositionType, tick: Tick, wanted: float) -> float:
        """As much of `wanted` as there is, on the grid of the volume step."""
        lots, fills = self._scripted
        if fills:
            wanted = min(wanted, _on_grid(lots, info.volume_step))
        if self._lots <= 0.0:
            return wanted
        left = self._lots - self._used_at(info.name, side, tick)
        return min(wanted, _on_grid(left, info.volume_step))

    def take(self, info: SymbolInfo, side: PositionType, tick: Tick, volume: float) -> None:
        """What was traded at this quote is gone until the next tick."""
        lots, fills = self._scripted
        self._scripted = (lots, max(0, fills - 1))
        if self._lots > 0.0:
            used = self._used_at(info.name, side, tick) + volume
            self._used[info.name, side] = (_quote(tick), used)

    def _used_at(self, symbol: str, side: PositionType, tick: Tick) -> float:
        quote, used = self._used.get((symbol, side), ((), 0.0))
        return used if quote == _quote(tick) else 0.0


def _on_grid(lots: float, step: float) -> float:
    return round(max(math.floor(lots / step + 1e-6), 0) * step, 8)


def _quote(tick: Tick) -> tuple[float, ...]:
    return (float(tick.time_msc), tick.bid, tick.ask)
