"""Which bars does a symbol have as of now? Its M1 bars day by day, and all timeframes from them."""

from collections import OrderedDict
from typing import Final

import numpy as np

from tradingview_scraper.adapters.mt5.simulator.market.bars import (
    EMPTY_RATES,
    aggregate,
    bars_from_ticks,
    last_second,
    opening_times,
)
from tradingview_scraper.adapters.mt5.simulator.market.sessions import DAY_MSC, MINUTE_MSC
from tradingview_scraper.adapters.mt5.simulator.market.stream import TickStream
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe

_KEPT_DAYS: Final = 48
_LONG: Final = (Timeframe.D1, Timeframe.W1, Timeframe.MN1)


class BarSeries:
    """The bars of one symbol. `limit` bounds the rows of one answer, the newest win."""

    def __init__(self, stream: TickStream, *, point: float, by_last: bool, limit: int) -> None:
        self._stream = stream
        self._point = point
        self._by_last = by_last
        self._limit = limit
        self._minutes: OrderedDict[int, tuple[tuple[int, int, int], Rows]] = OrderedDict()
        self._days: dict[int, tuple[tuple[int, int, int], Rows]] = {}

    def of(self, stream: TickStream) -> "BarSeries":
        """The same kind of series of another stream."""
        return BarSeries(stream, point=self._point, by_last=self._by_last, limit=self._limit)

    def before(self, timeframe: Timeframe, at: int, count: int, now_msc: int) -> Rows:
        """The last `count` bars that begin at or before `at` (server seconds)."""
        count = min(count, self._limit)
        if count <= 0:
            return EMPTY_RATES
        last = last_second(_opening(at, timeframe), timeframe)
        rows = self._backwards(timeframe, last, count, now_msc, at)
        return rows[rows["time"] <= at][-count:]

    def between(self, timeframe: Timeframe, start: int, end: int, now_msc: int) -> Rows:
        """The bars that begin from `start` to `end` (server seconds), both inclusive."""
        parts: list[Rows] = []
        found = 0
        if end < start:
            return EMPTY_RATES
        last = last_second(_opening(end, timeframe), timeframe)
        for day in self._stream.days_back(min(last * 1000 + 999, now_msc)):
            if (day + 1) * DAY_MSC <= start * 1000 or found > self._limit + 1:
                break
            part = self._day(day, timeframe, now_msc)
            parts.append(part)
            found += len(part) if timeframe not in (Timeframe.W1, Timeframe.MN1) else 0
        rows = _joined(parts, timeframe)
        return rows[(rows["time"] >= start) & (rows["time"] <= end)][-self._limit :]

    def from_position(self, timeframe: Timeframe, position: int, count: int, now_msc: int) -> Rows:
        """`count` bars that end with the one `position` bars before the forming one."""
        count = min(count, self._limit - position)
        if count <= 0:
            return EMPTY_RATES
        now = now_msc // 1000
        rows = self._backwards(timeframe, now, position + count, now_msc, now)
        end = len(rows) - position
        return rows[max(0, end - count) : max(0, end)]

    def _backwards(
        self, timeframe: Timeframe, last: int, count: int, now_msc: int, at: int
    ) -> Rows:
        """At least the newest `count` bars up to the second `last` that begin at or before `at`."""
        parts: list[Rows] = []
        found, opened = 0, -1
        for day in self._stream.days_back(min(last * 1000 + 999, now_msc)):
            part = self._day(day, timeframe, now_msc)
            if not len(part):
                continue
            if timeframe in (Timeframe.W1, Timeframe.MN1):
                # A bar is complete when a day of the bar before it has been seen.
                current = _opening(int(part["time"][0]), timeframe)
                if current != opened:
                    if found == count:
                        break
                    opened = current
                    found += 1
                parts.append(part)
                continue
            parts.append(part)
            found += int(np.count_nonzero(part["time"] <= at))
            if found >= count:
                break
        return _joined(parts, timeframe)

    def _day(self, day: int, timeframe: Timeframe, now_msc: int) -> Rows:
        """The bars of one day; for the timeframes above a day, its D1 bar."""
        if timeframe in _LONG:
            key = self._state(day, now_msc)
            kept = self._days.get(day)
            if kept is None or kept[0] != key or now_msc < (day + 1) * DAY_MSC:
                kept = (key, aggregate(self._minute_bars(day, now_msc), Timeframe.D1))
                self._days[day] = kept
            return kept[1]
        rows = self._minute_bars(day, now_msc)
        return rows if timeframe is Timeframe.M1 else aggregate(rows, timeframe)

    def _state(self, day: int, now_msc: int) -> tuple[int, int, int]:
        """What a day's closed minutes depend on: their number, what was pushed, what jumped."""
        begin = day * DAY_MSC
        closed = min(now_msc + 1, begin + DAY_MSC) // MINUTE_MSC * MINUTE_MSC
        low, high = np.searchsorted(self._stream.pushed.times, (begin, closed))
        return closed, int(high - low), len(self._stream.gaps)

    def _minute_bars(self, day: int, now_msc: int) -> Rows:
        key = self._state(day, now_msc)
        kept = self._minutes.get(day)
        if kept is None or kept[0] != key:
            kept = (key, self._closed_minutes(day, key[0]))
            self._minutes[day] = kept
            if len(self._minutes) > _KEPT_DAYS:
                self._minutes.popitem(last=False)
        self._minutes.move_to_end(day)
        closed_until = key[0]
        if closed_until >= (day + 1) * DAY_MSC:
            return kept[1]
        forming = self._from_ticks(closed_until, now_msc)
        return np.concatenate((kept[1], forming)) if len(forming) else kept[1]

    def _closed_minutes(self, day: int, until: int) -> Rows:
        begin = day * DAY_MSC
        rows = self._stream.synthetic_bars(day)
        rows = rows[rows["time"] * 1000 < until]
        pushed = self._stream.pushed.between(begin, until - 1)
        jumps = [gap.msc for gap in self._stream.gaps if begin <= gap.msc < until]
        if not len(pushed) and not jumps:
            return rows
        if not len(rows):
            return self._from_ticks(begin, until - 1)
        # Minutes with pushed ticks among the synthetic ones, or with a jump within them, are built
        # again, from all their ticks.
        minutes = np.concatenate((pushed["time_msc"], np.array(jumps, dtype=np.int64)))
        touched = np.unique(minutes // MINUTE_MSC)
        kept = rows[~np.isin(rows["time"] // 60, touched)]
        runs = np.split(touched, np.flatnonzero(np.diff(touched) != 1) + 1)
        built = [
            self._from_ticks(int(run[0]) * MINUTE_MSC, (int(run[-1]) + 1) * MINUTE_MSC - 1)
            for run in runs
        ]
        rows = np.concatenate((kept, *built))
        return rows[np.argsort(rows["time"], kind="stable")]

    def _from_ticks(self, start: int, end: int) -> Rows:
        ticks = self._stream.between(start, end)
        return bars_from_ticks(ticks, Timeframe.M1, point=self._point, by_last=self._by_last)


def _opening(second: int, timeframe: Timeframe) -> int:
    return int(opening_times(np.array([second], dtype=np.int64), timeframe)[0])


def _joined(parts: list[Rows], timeframe: Timeframe) -> Rows:
    """The days, given newest first, as one ascending series."""
    if not parts:
        return EMPTY_RATES
    rows = np.concatenate(parts[::-1])
    return aggregate(rows, timeframe) if timeframe in (Timeframe.W1, Timeframe.MN1) else rows
