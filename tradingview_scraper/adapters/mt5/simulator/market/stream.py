"""Which ticks has a symbol had? The synthetic ones of its seed and those that were pushed, as one.

Live and history are one stream: what is "now" only says how much of it is revealed. At the same
millisecond synthetic ticks come first, and pushed ones in the order in which they were pushed.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
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
EMPTY_TICKS.setflags(write=False)


class BlockTicks(NamedTuple):
    """One block of ticks, with their times packed for searching."""

    rows: Rows
    times: NDArray[np.int64]

    def between(self, start: int, end: int) -> Rows:
        low = bisect_left(self.times, start)
        return self.rows[low : bisect_left(self.times, end + 1, low)]


_NO_TICKS: Final = BlockTicks(EMPTY_TICKS, np.zeros(0, dtype=np.int64))


class BlockCache:
    """The blocks of ticks that were used last, of all symbols, up to `capacity` rows."""

    def __init__(self, capacity: int = 3_000_000) -> None:
        self._capacity = capacity
        self._rows = 0
        self._blocks: OrderedDict[tuple[str, int], BlockTicks] = OrderedDict()

    def get(self, key: tuple[str, int]) -> BlockTicks | None:
        found = self._blocks.get(key)
        if found is not None:
            self._blocks.move_to_end(key)
        return found

    def __contains__(self, key: tuple[str, int]) -> bool:
        return key in self._blocks

    def put(self, key: tuple[str, int], ticks: BlockTicks) -> None:
        self._blocks[key] = ticks
        self._rows += len(ticks.rows)
        while self._rows > self._capacity and len(self._blocks) > 1:
            _, dropped = self._blocks.popitem(last=False)
            self._rows -= len(dropped.rows)

    def forget(self, name: str) -> None:
        """Drop the blocks of one symbol."""
        for key in [key for key in self._blocks if key[0] == name]:
            self._rows -= len(self._blocks.pop(key).rows)


class Standing(NamedTuple):
    """What the last tick is from `since` to before `until`; None: there is none."""

    row: np.void | None
    since: int
    until: int


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
        times = self._times
        low = bisect_left(times, start, 0, self._count)
        return self._rows[low : bisect_left(times, end + 1, low, self._count)]

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
        cache: BlockCache,
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
        copied._cache = BlockCache()
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
        return joined_rows([self.part(*span) for span in self.spans(start, end)])

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """That range in pieces, ascending, those left out that cannot have ticks."""
        if self._prices is None:
            if end >= start:
                yield start, end
            return
        first = self._first_day * DAY_MSC
        if start < first and len(self.pushed):
            yield start, min(end, first - 1)
        length = self._block_msc
        for begin in range(max(start, first) // length * length, end + 1, length):
            yield max(start, begin), min(end, begin + length - 1)

    def part(self, start: int, end: int) -> Rows:
        """The ticks of one of the `spans`."""
        pushed = self.pushed.between(start, end)
        made = self._block(start).between(start, end)
        if not len(pushed):
            return made
        if not len(made):
            return pushed
        rows = joined_rows([made, pushed])
        return rows[np.argsort(rows["time_msc"], kind="stable")]

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
        return self.standing(at).row

    def standing(self, at: int) -> Standing:
        """The last tick at or before `at`, and how long it stays that."""
        row: np.void | None = None
        since, until = -(2**62), 2**62
        if len(self.pushed):
            index = int(np.searchsorted(self.pushed.times, at, "right"))
            if index:
                row, since = self.pushed.rows[index - 1], int(self.pushed.times[index - 1])
            if index < len(self.pushed):
                until = int(self.pushed.times[index])
        if self._prices is not None:
            # A pushed tick is the later one among those of the same millisecond.
            begin, made_until = self._block_span(at)
            until = min(until, made_until)
            ticks = self._block(at)
            index = int(np.searchsorted(ticks.times, at, "right"))
            if index < len(ticks.times):
                until = min(until, int(ticks.times[index]))
            if not index and row is not None and since >= begin:
                return Standing(row, since, until)
            made = ticks.rows[index - 1] if index else self._made_before(begin, since)
            if made is not None and made["time_msc"] > since:
                row, since = made, int(made["time_msc"])
            if not index:
                since = max(since, begin)
        return Standing(row, since, until)

    def next_time(self, after: int) -> int | None:
        """The time of the first tick later than `after`."""
        best: int | None = None
        pushed = int(np.searchsorted(self.pushed.times, after, "right")) if len(self.pushed) else 0
        if pushed < len(self.pushed):
            best = int(self.pushed.times[pushed])
        for begin in self._begins(after, after + _LONGEST_PAUSE * DAY_MSC):
            if best is not None and best < begin:
                break
            times = self._block(begin).times
            index = int(np.searchsorted(times, after, "right"))
            if index < len(times):
                found = int(times[index])
                return found if best is None else min(best, found)
        return best

    def prepare(self, at: int) -> bool:
        """Draw the ticks around that moment, unless they are there; True: they were not."""
        if self._prices is None or (self.name, at // self._block_msc) in self._cache:
            return False
        self._block(at)
        return True

    def synthetic_bars(self, day: int) -> Rows:
        """M1 bars of the synthetic ticks of a whole day."""
        if self._prices is None or day < self._first_day:
            return np.zeros(0, dtype=RATE_DTYPE)
        rows = self._prices.bars(day, self._minutes(day))
        return self._shifted(rows, rows["time"] * 1000, ("open", "high", "low", "close"))

    def _made_before(self, msc: int, since: int) -> np.void | None:
        """The last synthetic tick before `msc`, looked for no further back than `since`."""
        earliest = max(since, msc - _LONGEST_PAUSE * DAY_MSC)
        for begin in reversed(self._begins(earliest, msc - 1)):
            rows = self._block(begin).rows
            if len(rows):
                newest: np.void = rows[-1]
                return newest
        return None

    def _begins(self, start: int, end: int) -> list[int]:
        """Where the blocks begin that are open at some time in that range."""
        if self._prices is None:
            return []
        length = self._block_msc
        minutes = self._prices.block_minutes
        found: list[int] = []
        for day in range(max(start // DAY_MSC, self._first_day), end // DAY_MSC + 1):
            opened = self._minutes(day).reshape(-1, minutes).any(axis=1)
            begins = day * DAY_MSC + np.flatnonzero(opened) * length
            found += begins[(begins > start - length) & (begins <= end)].tolist()
        return found

    @property
    def _block_msc(self) -> int:
        assert self._prices is not None
        return self._prices.block_minutes * MINUTE_MSC

    def _block_span(self, at: int) -> tuple[int, int]:
        begin = at // self._block_msc * self._block_msc
        return begin, begin + self._block_msc

    def _block(self, at: int) -> BlockTicks:
        """The synthetic ticks of the block that `at` lies in."""
        if self._prices is None or at < self._first_day * DAY_MSC:
            return _NO_TICKS
        length = self._block_msc
        number = at // length
        found = self._cache.get((self.name, number))
        if found is None:
            day = at // DAY_MSC
            begin = day * (MINUTES // self._prices.block_minutes)
            rows = self._prices.block(day, number - begin, self._minutes(day))
            if self.gaps:
                rows = self._shifted(rows, rows["time_msc"], ("bid", "ask", "last"))
            rows.setflags(write=False)
            found = BlockTicks(rows, np.ascontiguousarray(rows["time_msc"]))
            self._cache.put((self.name, number), found)
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


def joined_rows(parts: Sequence[Rows]) -> Rows:
    """The rows of the parts one after the other; of a single part, the part itself."""
    filled = [part for part in parts if len(part)]
    if len(filled) < 2:
        return filled[0] if filled else EMPTY_TICKS
    # As plain bytes: numpy copies records one by one, which takes ten times as long.
    plain = [np.ascontiguousarray(part).view(np.uint8) for part in filled]
    return np.concatenate(plain).view(TICK_DTYPE)
