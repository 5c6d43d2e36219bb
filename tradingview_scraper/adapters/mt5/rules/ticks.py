"""Which ticks are new? The cursor that delivers each of a symbol's ticks exactly once, in order.

The terminal numbers no ticks, several share one millisecond, and a request starts at a whole
second [recorded]. So the cursor remembers the last millisecond and how many of its ticks were
taken, every poll asks again from that second, and what was taken before is dropped::

    rows = copy_ticks_from(symbol, request_second(cursor), count, CopyTicks.ALL)
    step = advance(cursor, rows)
    # deliver step.rows (and say that ticks are missing before them when step.gap), then:
    cursor = step.cursor
    # when is_capped(rows, count): ask again at once, with a larger count if step.rows is empty

A server clock that steps back (the repeated hour of the autumn switch, on symbols that trade
through it) writes ticks before the cursor; they count as taken until the clock has caught up.
"""

from bisect import bisect_left
from typing import Final, NamedTuple

import numpy as np

from tradingview_scraper.adapters.mt5.terminal.api import Rows

#: Up to so many rows a list is looked at faster than an array [measured].
_FEW: Final = 64


class TickCursor(NamedTuple):
    """Where a symbol's ticks were read to.

    All before `time_msc` (milliseconds of server time) are done, and `seen` of those at it.
    ``TickCursor(t, 0)`` means: everything from `t` on.
    """

    time_msc: int
    seen: int


class TickStep(NamedTuple):
    """What one answer brings: the new `rows`, and the `cursor` for after their delivery.

    With `gap`, ticks are missing between the old cursor and `rows`, or were replaced by others.
    """

    rows: Rows
    cursor: TickCursor
    gap: bool


def request_second(cursor: TickCursor) -> int:
    """``date_from`` for ``copy_ticks_from``; never 0, which the library does not take."""
    return max(1, cursor.time_msc // 1000)


def advance(cursor: TickCursor, rows: Rows) -> TickStep:
    """What of `rows` (`TICK_DTYPE`, answered for `request_second`) is new after `cursor`.

    Dropped are ticks before the cursor's millisecond and the first ``seen`` at it. A *gap* is
    proven by later ticks while fewer than ``seen`` came back at the cursor: the terminal has lost
    or rewritten its history; then nothing at the cursor's millisecond is delivered again, all that
    is later is. An answer that ends at or before the cursor proves nothing and leaves it alone.
    (Ticks have no number: one that another of its millisecond has replaced cannot be told.)
    """
    rows = _ascending(rows)
    times = rows["time_msc"]
    at = bisect_left(times, cursor.time_msc)
    later = bisect_left(times, cursor.time_msc + 1, at)
    gap = later - at < cursor.seen
    new = rows[later if gap else at + cursor.seen :]
    if not len(new):
        return TickStep(new, cursor, gap=False)
    last = int(times[-1])
    seen = len(rows) - bisect_left(times, last)
    return TickStep(new, TickCursor(last, seen), gap)


def cursor_after(rows: Rows, before: TickCursor | None = None) -> TickCursor:
    """The cursor after delivering all of `rows` (ascending, not empty) to somebody at `before`.

    Without `before` the first of `rows` must be the first tick of its millisecond. Raises
    ValueError when `rows` is empty and there is no `before`: that is no position.
    """
    if not len(rows):
        if before is None:
            raise ValueError("rows must hold at least one tick to be a position, were empty")
        return before
    times = rows["time_msc"]
    last = int(times[-1])
    seen = len(rows) - bisect_left(times, last)
    if before is not None and before.time_msc == last:
        seen += before.seen
    return TickCursor(last, seen)


def is_capped(rows: Rows, count: int) -> bool:
    """Whether the answer may have been cut at `count`: ask again at once.

    With the same count when the answer brought something new; with a larger one (twice) when it
    did not, because a single second then holds more than `count` ticks.
    """
    return len(rows) >= count


def _ascending(rows: Rows) -> Rows:
    """`rows` in order of time; those of one millisecond stay in order of arrival."""
    times = rows["time_msc"]
    if len(rows) <= _FEW:
        few = times.tolist()
        in_order = few == sorted(few)
    else:
        in_order = bool((times[1:] >= times[:-1]).all())
    if in_order:
        return rows
    return rows[np.argsort(times, kind="stable")]
