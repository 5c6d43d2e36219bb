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
        self._used: dict[tuple[str, PositionType], tuple[tuple[float, ...], float]] = {}

    def available(self, info: SymbolInfo, side: PositionType, tick: Tick, wanted: float) -> float:
        """As much of `wanted` as there is, on the grid of the volume step."""
        if self._lots <= 0.0:
            return wanted
        left = self._lots - self._used_at(info.name, side, tick)
        steps = math.floor(left / info.volume_step + 1e-6)
        return min(wanted, round(max(steps, 0) * info.volume_step, 8))

    def take(self, info: SymbolInfo, side: PositionType, tick: Tick, volume: float) -> None:
        """What was traded at this quote is gone until the next tick."""
        if self._lots > 0.0:
            used = self._used_at(info.name, side, tick) + volume
            self._used[info.name, side] = (_quote(tick), used)

    def _used_at(self, symbol: str, side: PositionType, tick: Tick) -> float:
        quote, used = self._used.get((symbol, side), ((), 0.0))
        return used if quote == _quote(tick) else 0.0


def _quote(tick: Tick) -> tuple[float, ...]:
    return (float(tick.time_msc), tick.bid, tick.ask)
