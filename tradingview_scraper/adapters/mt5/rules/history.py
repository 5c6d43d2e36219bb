"""How is a long range of history asked for? In pieces, each second in exactly one of them."""

from collections.abc import Iterator

from tradingview_scraper.adapters.mt5.terminal.api import Rows


def split_seconds(start: int, end: int, chunk: int) -> Iterator[tuple[int, int]]:
    """``(first, last)`` seconds, both inclusive, ascending, disjoint, covering start..end.

    Each holds at most `chunk` seconds. Nothing when `end` is before `start`. Raises ValueError
    for a chunk below one second.

    The library's ranges are inclusive at both ends, but ``copy_ticks_range`` stops at the *first*
    millisecond of its last second: ask for ``(first, last + 1)`` and keep `within` of the answer.
    """
    if chunk < 1:
        raise ValueError(f"chunk must be at least one second, was {chunk}")
    return _pieces(start, end, chunk)


def within(rows: Rows, first: int, last: int) -> Rows:
    """The `rows` (ticks or rates, ascending) whose `time` is in first..last, both inclusive."""
    times = rows["time"]
    return rows[times.searchsorted(first, "left") : times.searchsorted(last, "right")]


def _pieces(start: int, end: int, chunk: int) -> Iterator[tuple[int, int]]:
    for first in range(start, end + 1, chunk):
        yield first, min(first + chunk - 1, end)
