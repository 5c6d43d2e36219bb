"""When does a bar open and close? On the server's own calendar.

Bars up to D1 are aligned to the server's midnight, W1 opens on Sunday 00:00 and MN1 on the 1st
[recorded]. All times are seconds of server time; UTC is `rules.time`'s business, and only after
the closing time has been taken here (an hour is not always 3600 s apart in UTC).
"""

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe

_DAY: Final = 86_400
_WEEK: Final = 7 * _DAY
_FIRST_SUNDAY: Final = 3 * _DAY  # 1970-01-04
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def closing_time(opened: int, timeframe: Timeframe) -> int:
    """When the bar that opened at `opened` closes: the opening time of the period after it."""
    if timeframe is Timeframe.MN1:
        day = _EPOCH + timedelta(seconds=opened)
        return _first_of_month(day.year + day.month // 12, day.month % 12 + 1)
    return opened + _length(timeframe)


def closing_times(opened: NDArray[np.int64], timeframe: Timeframe) -> NDArray[np.int64]:
    """`closing_time` of each of `opened` (int64 seconds)."""
    if timeframe is Timeframe.MN1:
        months = opened.astype("datetime64[s]").astype("datetime64[M]") + np.timedelta64(1, "M")
        return months.astype("datetime64[s]").astype(np.int64)
    return opened + np.int64(_length(timeframe))


def opening_time(at: int, timeframe: Timeframe) -> int:
    """When the bar that holds the moment `at` opens; `at` itself when a bar opens there."""
    if timeframe is Timeframe.MN1:
        day = _EPOCH + timedelta(seconds=at)
        return _first_of_month(day.year, day.month)
    if timeframe is Timeframe.W1:
        return at - (at - _FIRST_SUNDAY) % _WEEK
    return at - at % _length(timeframe)


def closed_rows(rows: Rows) -> Rows:
    """All but the last of `rows` (rates, ascending, up to now).

    The last one may still be forming: there is no timer at the server, a bar is certainly closed
    only when a later one exists [recorded].
    """
    return rows[:-1]


def closing_within(rows: Rows, timeframe: Timeframe, start: int, end: int) -> Rows:
    """Those of `rows` (rates, ascending) that close within start..end, both inclusive.

    A view; a handful of rows is looked at, however many there are.
    """
    opened = rows["time"]

    def closed(at: np.int64) -> int:
        return closing_time(int(at), timeframe)

    first = bisect_left(opened, start, key=closed)
    return rows[first : bisect_right(opened, end, first, key=closed)]


def _length(timeframe: Timeframe) -> int:
    if timeframe is Timeframe.W1:
        return _WEEK
    hours = timeframe & 0x4000
    return (timeframe & 0x3FFF) * (3_600 if hours else 60)


def _first_of_month(year: int, month: int) -> int:
    return (datetime(year, month, 1, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
