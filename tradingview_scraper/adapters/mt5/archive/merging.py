"""What is the whole of two readings of the same period? Nothing lost, nothing doubled."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE


def merged(known: Rows, new: Rows) -> Rows:
    """Rows of both (ticks or rates, each ascending), ascending.

    A moment (a millisecond of ticks, the opening second of a bar) is taken whole from one of them:
    from the one that has more rows in it, and from `known` when both have as many. Ticks have no
    number of their own, so rows of two readings cannot be told apart one by one [decision].
    """
    if not len(known):
        return new
    if not len(new):
        return known
    column = "time_msc" if known.dtype == TICK_DTYPE else "time"
    old_times, old_counts = _runs(known[column])
    new_times, new_counts = _runs(new[column])
    fuller = new_counts > _counts_at(new_times, old_times, old_counts)
    taken = np.repeat(fuller, new_counts)
    if not taken.any():
        return known
    replaced = np.isin(old_times, new_times[fuller], assume_unique=True)
    kept = known[np.repeat(~replaced, old_counts)]
    both = np.concatenate((kept, new[taken]))
    return both[np.argsort(both[column], kind="stable")]


def is_ascending(rows: Rows) -> bool:
    """Ticks never step back in time; every bar opens later than the one before it."""
    if rows.dtype == TICK_DTYPE:
        return bool((np.diff(rows["time_msc"]) >= 0).all())
    return bool((np.diff(rows["time"]) > 0).all())


def _runs(times: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    found: Final = np.unique(times, return_counts=True)
    return found[0], found[1].astype(np.int64)


def _counts_at(
    wanted: NDArray[np.int64], times: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How many rows there are at each of the `wanted` times."""
    places = times.searchsorted(wanted).clip(max=len(times) - 1)
    return np.where(times[places] == wanted, counts[places], 0)
