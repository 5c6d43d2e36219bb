"""How much history does a terminal have yet? All, or, while it synchronises, nothing or little.

The first call for a symbol's ticks or for the bars of one timeframe starts a download; until that
is done, calls fail or give what is there already [vendor].
"""

from typing import Final, Literal

from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.market.sessions import DAY_MSC
from tradingview_scraper.adapters.mt5.terminal.api import Rows

#: What a call gets meanwhile: a failure (None, -1), or the part that is there.
Meanwhile = Literal["none", "short"]

#: Newest ticks of a symbol that a terminal keeps at hand [vendor].
TICKS_AT_HAND: Final = 4_096


class Synchronising:
    """Which histories are complete. `seconds` is how long a download takes, in world time."""

    def __init__(self, clock: Clock, seconds: float, meanwhile: Meanwhile) -> None:
        self._clock: Final = clock
        self._seconds = seconds
        self._meanwhile = meanwhile
        self._began: dict[tuple[str, int], int] = {}

    def delay(self, seconds: float, meanwhile: Meanwhile) -> None:
        """From now on every history has to be downloaded anew, and takes so long; 0 ends it."""
        self._seconds, self._meanwhile = seconds, meanwhile
        self._began.clear()

    def ticks_from(
        self, market: Market, symbol: str, from_msc: int, count: int, flags: int
    ) -> Rows | None:
        """The first `count` ticks at or after `from_msc` among those that are there."""
        rows = market.ticks_from(symbol, from_msc, count, flags)
        if not self._seconds or rows is None or self._is_complete(symbol, 0):
            return rows
        if self._meanwhile == "none":
            return None
        newest = market.newest_ticks(symbol, TICKS_AT_HAND)
        if not len(newest):
            return rows[:0]
        there = int(newest["time_msc"][0])
        return market.ticks_from(symbol, max(from_msc, there), count, flags)

    def part(self, market: Market, symbol: str, timeframe: int, rows: Rows | None) -> Rows | None:
        """What is there of the `rows` that are asked for; timeframe 0 is ticks."""
        if not self._seconds or rows is None or self._is_complete(symbol, timeframe):
            return rows
        if self._meanwhile == "none":
            return None
        if timeframe:
            return rows[rows["time"] >= market.now_msc // DAY_MSC * (DAY_MSC // 1000)]
        newest = market.newest_ticks(symbol, TICKS_AT_HAND)
        return rows[rows["time_msc"] >= newest["time_msc"][0]] if len(newest) else rows[:0]

    def _is_complete(self, symbol: str, timeframe: int) -> bool:
        now = self._clock.utc_msc()
        began = self._began.setdefault((symbol, timeframe), now)
        return now - began >= self._seconds * 1000
