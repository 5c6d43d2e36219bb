"""How do ticks become bars? The aggregation law of the terminal.

Open of the first, highest, lowest, close of the last, the number of ticks, the *smallest* spread in
points, the sum of the volumes; a bar only where there are ticks [recorded]. Bars of the larger
timeframes follow from the M1 bars by the same law, and W1 begins on Sunday, MN1 on the 1st.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import TickFlag, Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE

_DAY: Final = 86_400

EMPTY_RATES: Final[Rows] = np.zeros(0, dtype=RATE_DTYPE)


def period_seconds(timeframe: Timeframe) -> int:
    """Length of the timeframes up to D1, in seconds. Raises ValueError for W1 and MN1."""
    if timeframe in (Timeframe.W1, Timeframe.MN1):
        raise ValueError(f"{timeframe.name} has no length of a day or less")
    if timeframe < Timeframe.H1:
        return int(timeframe) * 60
    return (int(timeframe) & 0x3FFF) * 3600


def opening_times(times: NDArray[np.int64], timeframe: Timeframe) -> NDArray[np.int64]:
    """When the bars begin that those server seconds fall into."""
    if timeframe is Timeframe.W1:
        # 1970-01-01 was a Thursday: four days after a Sunday.
        return times - (times + 4 * _DAY) % (7 * _DAY)
    if timeframe is Timeframe.MN1:
        months = times.astype("datetime64[s]").astype("datetime64[M]")
        return months.astype("datetime64[s]").astype(np.int64)
    return times - times % period_seconds(timeframe)


def last_second(opened: int, timeframe: Timeframe) -> int:
    """The last server second of the bar that begins at `opened`."""
    if timeframe is Timeframe.W1:
        return opened + 7 * _DAY - 1
    if timeframe is Timeframe.MN1:
        month = np.datetime64(opened, "s").astype("datetime64[M]") + np.timedelta64(1, "M")
        return int(month.astype("datetime64[s]").astype(np.int64)) - 1
    return opened + period_seconds(timeframe) - 1


def bars_from_ticks(
    ticks: Rows, timeframe: Timeframe, *, point: float, by_last: bool = False
) -> Rows:
    """Bars (`RATE_DTYPE`, ascending) of ticks (`TICK_DTYPE`, ascending).

    Built from bids, or with `by_last` from the ticks that are trades [decision: only those count].
    """
    if by_last:
        ticks = ticks[(ticks["flags"] & int(TickFlag.LAST | TickFlag.VOLUME)) != 0]
        prices = ticks["last"]
    else:
        ticks = ticks[ticks["bid"] > 0.0]
        prices = ticks["bid"]
    if not len(ticks):
        return EMPTY_RATES
    single = np.zeros(len(ticks), dtype=RATE_DTYPE)
    single["time"] = ticks["time_msc"] // 1000
    for field in ("open", "high", "low", "close"):
        single[field] = prices
    single["tick_volume"] = 1
    quoted = (ticks["bid"] > 0.0) & (ticks["ask"] > 0.0)
    single["spread"] = np.where(quoted, np.rint((ticks["ask"] - ticks["bid"]) / point), 0)
    if by_last:
        single["real_volume"] = ticks["volume"]
    return aggregate(single, timeframe)


def aggregate(bars: Rows, timeframe: Timeframe) -> Rows:
    """Bars of a larger timeframe from ascending ones of a smaller that divides it."""
    if not len(bars):
        return EMPTY_RATES
    opened = opening_times(bars["time"], timeframe)
    first = np.flatnonzero(np.concatenate(([True], opened[1:] != opened[:-1])))
    last = np.concatenate((first[1:], [len(bars)])) - 1
    rows = np.zeros(len(first), dtype=RATE_DTYPE)
    rows["time"] = opened[first]
    rows["open"] = bars["open"][first]
    rows["high"] = np.maximum.reduceat(bars["high"], first)
    rows["low"] = np.minimum.reduceat(bars["low"], first)
    rows["close"] = bars["close"][last]
    rows["tick_volume"] = np.add.reduceat(bars["tick_volume"], first)
    rows["spread"] = np.minimum.reduceat(bars["spread"], first)
    rows["real_volume"] = np.add.reduceat(bars["real_volume"], first)
    return rows
