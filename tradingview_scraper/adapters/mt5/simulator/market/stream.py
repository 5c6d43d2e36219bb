"""Which ticks has a symbol had? The synthetic ones of its seed and those that were pushed, as one.

Live and history are one stream: what is "now" only says how much of it is revealed. At the same
millisecond synthetic ticks come first, and pushed ones in the order in which they were pushed.
"""

from collections import OrderedDict
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tradingview_scraper.adapters.mt5.simulator.market.prices import FIRST_DAY, SyntheticPrices
from tradingview_scraper.adapters.mt5.simulator.market.sessions import (
    DAY_MSC,
    MINUTE_MSC,
    MINUTES,
    Sessions,
)
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE, SymbolInfo

#: Days without a tick that a search for the last or the next one looks through.
_LONGEST_PAUSE: Final = 10

EMPTY_TICKS: Final[Rows] = np.zeros(0, dtype=TICK_DTYPE)


class DayTicks(NamedTuple):
    """One day of ticks, with their times packed for searching."""

    rows: Rows
    times: NDArray[np.int64]

    def between(self, start: int, end: int) -> Rows:
        low, high = np.searchsorted(self.times, (start, end + 1))
        return self.rows[low:high]


class DayCache:
    """The days of ticks that were used last, of all symbols together, up to `capacity` rows."""

    def __init__(self, capacity: int = 5_000_000) -> None:
        self._capacity = capacity
        self._rows = 0
        self._days: OrderedDict[tuple[str, int], DayTicks] = OrderedDict()

    def get(self, key: tuple[str, int]) -> DayTicks | None:
        found = self._days.get(key)
        if found is not None:
            self._days.move_to_end(key)
        return found

    def put(self, key: tuple[str, int], ticks: DayTicks) -> None:
        self._days[key] = ticks
        self._rows += len(ticks.rows)
        while self._rows > self._capacity and len(self._days) > 1:
            _, dropped = self._days.popitem(last=False)
            self._rows -= len(dropped.rows)

    def forget(self, name: str) -> None:
        """Drop the days of one symbol."""
        for key in [key for key in self._days if key[0] == name]:
            self._rows -= len(self._days.pop(key).rows)


class PushedTicks:
    """Ticks that were pushed, ascending; with a file, they outlive the terminal."""

    def __init__(self, file: Path | None = None, recorded: Rows | None = None) -> None:
        self._file = file
        self._rows: Rows = np.zeros(256, dtype=TICK_DTYPE)
        self._times = np.zeros(256, dtype=np.int64)
        self._count = 0
        if recorded is not None:
            self._add(recorded)
        if file is not None and file.exists():
            raw = file.read_bytes()
            whole = len(raw) // TICK_DTYPE.itemsize
            if len(raw) != whole * TICK_DTYPE.itemsize:
                # A killed terminal left half a row; the next one must not follow it.
                with file.open("r+b") as torn:
                    torn.truncate(whole * TICK_DTYPE.itemsize)
            self._add(np.frombuffer(raw, dtype=TICK_DTYPE, count=whole))

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> Rows:
        return self._rows[: self._count]

    @property
    def times(self) -> NDArray[np.int64]:
        return self._times[: self._count]

    def frozen(self) -> "PushedTicks":
        """What is there now; what is pushed later is not in it."""
        # Rows are only ever added behind those, or sorted into new arrays.
        return copy(self)

    def push(self, rows: Rows) -> None:
        """Add rows (`TICK_DTYPE`, ascending)."""
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as file:
                file.write(rows.tobytes())
        self._add(rows)

    def between(self, start: int, end: int) -> Rows:
        if not self._count or end < self._times[0] or start > self._times[self._count - 1]:
            return EMPTY_TICKS
        low, high = np.searchsorted(self.times, (start, end + 1))
        return self._rows[low:high]

    def _add(self, rows: Rows) -> None:
        total = self._count + len(rows)
        if total > len(self._rows):
            capacity = max(total, 2 * len(self._rows))
            self._rows = np.concatenate(
                (self.rows, np.zeros(capacity - self._count, dtype=TICK_DTYPE))
            )
            self._times = np.concatenate(
                (self.times, np.zeros(capacity - self._count, dtype=np.int64))
            )
        self._rows[self._count : total] = rows
        self._times[self._count : total] = rows["time_msc"]
        in_order = self._count == 0 or not len(rows) or rows["time_msc"][0] >= self.times[-1]
        self._count = total
        if not (in_order and np.all(rows["time_msc"][1:] >= rows["time_msc"][:-1])):
            order = np.argsort(self.times, kind="stable")
            self._rows, self._times = self._rows[order], self._times[order]


class Gap(NamedTuple):
    """Prices jump: ticks later than `msc` are `amount` higher, in steps of 1 / `scale`."""

    msc: int
    amount: int
    scale: float


class TickStream:
    """All ticks of one symbol, revealed or not, and the minutes in which it is open.

    `prices` None: only pushed ticks. `always_from`: server milliseconds from which the sessions do
    not count, or None. `history_from`: first day with synthetic ticks, in days since 1970-01-01.
    """

    def __init__(
        self,
        name: str,
        *,
        prices: SyntheticPrices | None,
        pushed: PushedTicks,
        sessions: Sessions,
        always_from: int | None,
        history_from: int,
        cache: DayCache,
    ) -> None:
        self.name = name
        self.pushed = pushed
        self._prices = prices
        self._sessions = sessions
        self._always_from = always_from
        self._first_day = max(history_from, FIRST_DAY)
        self._cache = cache
        self.gaps: tuple[Gap, ...] = ()

    def frozen(self) -> "TickStream":
        """The stream as it is now: what is pushed or jumps later is not in it."""
        copied = copy(self)
        copied.pushed = self.pushed.frozen()
        copied._cache = DayCache()
        return copied

    def gap(self, msc: int, points: int, info: SymbolInfo) -> None:
        """Synthetic ticks later than `msc` are `points` higher."""
        scale = 10.0**info.digits
        self.gaps = (*self.gaps, Gap(msc, points * max(1, round(info.point * scale)), scale))
        self._cache.forget(self.name)

    def is_open(self, msc: int) -> bool:
        """Whether the symbol trades at that moment."""
        if self._always_from is not None and msc >= self._always_from:
            return True
        return self._sessions.is_open(msc)

    def between(self, start: int, end: int) -> Rows:
        """The ticks from `start` to `end`, both inclusive, in milliseconds."""
        parts = [
            self._merged(day, max(start, day * DAY_MSC), min(end, (day + 1) * DAY_MSC - 1))
            for day in self.days(start, end)
        ]
        parts = [part for part in parts if len(part)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts or [EMPTY_TICKS])

    def days(self, start: int, end: int) -> Iterator[int]:
        """The days of that range that may have ticks, ascending."""
        first, last = start // DAY_MSC, end // DAY_MSC
        if self._prices is None:
            pushed = self.pushed.between(start, end)
            yield from np.unique(pushed["time_msc"] // DAY_MSC).tolist()
            return
        if len(self.pushed):
            first = max(first, min(self._first_day, int(self.pushed.times[0]) // DAY_MSC))
        else:
            first = max(first, self._first_day)
        yield from range(first, last + 1)

    def days_back(self, end: int) -> Iterator[int]:
        """The days up to the one of `end` that may have ticks, descending."""
        if self._prices is None:
            pushed = self.pushed.between(0, (end // DAY_MSC + 1) * DAY_MSC - 1)
            yield from np.unique(pushed["time_msc"] // DAY_MSC)[::-1].tolist()
            return
        first = self._first_day
        if len(self.pushed):
            first = min(first, int(self.pushed.times[0]) // DAY_MSC)
        yield from range(end // DAY_MSC, first - 1, -1)

    def last(self, at: int) -> np.void | None:
        """The last tick at or before `at`."""
        best: np.void | None = None
        pushed = int(np.searchsorted(self.pushed.times, at, "right")) if len(self.pushed) else 0
        if pushed:
            best = self.pushed.rows[pushed - 1]
        if self._prices is not None:
            for day in range(at // DAY_MSC, at // DAY_MSC - _LONGEST_PAUSE, -1):
                if best is not None and best["time_msc"] >= (day + 1) * DAY_MSC:
                    break
                ticks = self._synthetic(day)
                index = int(np.searchsorted(ticks.times, at, "right"))
                if index:
                    if best is None or ticks.times[index - 1] > best["time_msc"]:
                        best = ticks.rows[index - 1]
                    break
        return best

    def next_time(self, after: int) -> int | None:
        """The time of the first tick later than `after`."""
        best: int | None = None
        pushed = int(np.searchsorted(self.pushed.times, after, "right")) if len(self.pushed) else 0
        if pushed < len(self.pushed):
            best = int(self.pushed.times[pushed])
        if self._prices is not None:
            for day in range(after // DAY_MSC, after // DAY_MSC + _LONGEST_PAUSE):
                if best is not None and best < day * DAY_MSC:
                    break
                ticks = self._synthetic(day)
                index = int(np.searchsorted(ticks.times, after, "right"))
                if index < len(ticks.times):
                    found = int(ticks.times[index])
                    best = found if best is None else min(best, found)
                    break
        return best

    def synthetic_bars(self, day: int) -> Rows:
        """M1 bars of the synthetic ticks of a whole day."""
        if self._prices is None or day < self._first_day:
            return np.zeros(0, dtype=RATE_DTYPE)
        rows = self._prices.bars(day, self._minutes(day))
        return self._shifted(rows, rows["time"] * 1000, ("open", "high", "low", "close"))

    def _merged(self, day: int, start: int, end: int) -> Rows:
        pushed = self.pushed.between(start, end)
        made = self._synthetic(day).between(start, end)
        if not len(pushed):
            return made
        if not len(made):
            return pushed
        rows = np.concatenate((made, pushed))
        return rows[np.argsort(rows["time_msc"], kind="stable")]

    def _synthetic(self, day: int) -> DayTicks:
        if self._prices is None or day < self._first_day:
            return DayTicks(EMPTY_TICKS, np.zeros(0, dtype=np.int64))
        found = self._cache.get((self.name, day))
        if found is None:
            rows = self._prices.ticks(day, self._minutes(day))
            rows = self._shifted(rows, rows["time_msc"], ("bid", "ask", "last"))
            rows.setflags(write=False)
            found = DayTicks(rows, np.ascontiguousarray(rows["time_msc"]))
            self._cache.put((self.name, day), found)
        return found

    def _shifted(self, rows: Rows, times: NDArray[np.int64], fields: tuple[str, ...]) -> Rows:
        """The rows with the jumps of the price before them."""
        for gap in self.gaps:
            later = times > gap.msc
            for field in fields:
                # In whole steps, so that the float is the one that the decimal text would give.
                steps = np.rint(rows[field][later] * gap.scale)
                rows[field][later] = np.where(steps > 0, (steps + gap.amount) / gap.scale, 0.0)
        return rows

    def _minutes(self, day: int) -> NDArray[np.bool_]:
        minutes = self._sessions.minutes(day)
        if self._always_from is not None and (day + 1) * DAY_MSC > self._always_from:
            begins = np.arange(MINUTES) * MINUTE_MSC + day * DAY_MSC
            minutes = minutes | (begins + MINUTE_MSC > self._always_from)
        return minutes
