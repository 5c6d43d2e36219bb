"""Two readings of one period: nothing lost, nothing doubled."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.archive.merging import is_ascending, merged
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

_times = st.lists(st.integers(0, 40), max_size=60).map(sorted)


def _ticks(times: list[int]) -> np.ndarray:
    rows = np.zeros(len(times), TICK_DTYPE)
    rows["time_msc"] = times
    rows["volume"] = np.arange(len(times))
    return rows


@given(_times, st.integers(0, 60), st.integers(0, 60))
def test_overlapping_windows_of_one_stream_give_the_stream_back(times, first, last) -> None:
    whole = _ticks(times)
    # Whole milliseconds: a reading never ends within one.
    at = whole["time_msc"]
    left, right = whole[at <= max(first, last)], whole[at >= min(first, last)]
    assert merged(left, right).tobytes() == whole.tobytes()
    assert merged(right, left).tobytes() == whole.tobytes()


@given(_times, _times)
def test_merging_keeps_order_and_every_moment_and_is_idempotent(one, other) -> None:
    both = merged(_ticks(one), _ticks(other))
    assert is_ascending(both)
    for moment in {*one, *other}:
        count = int((both["time_msc"] == moment).sum())
        assert count == max(one.count(moment), other.count(moment))
    assert merged(both, _ticks(other)).tobytes() == both.tobytes()


def test_reading_that_was_cut_within_a_millisecond_is_completed() -> None:
    whole = _ticks([1, 2, 2, 2, 3])
    assert merged(whole[:3], whole).tobytes() == whole.tobytes()
