"""Is every second of a range asked for exactly once?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.history import split_seconds, within
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE


@given(start=st.integers(1, 1_000), length=st.integers(0, 300), chunk=st.integers(1, 400))
def test_pieces_are_disjoint_ascending_and_cover_the_range(start, length, chunk):
    end = start + length
    seconds = []
    for first, last in split_seconds(start, end, chunk):
        assert first <= last < first + chunk
        seconds += range(first, last + 1)
    assert seconds == list(range(start, end + 1))


def test_empty_range_has_no_pieces():
    assert list(split_seconds(10, 9, 5)) == []


@pytest.mark.parametrize("chunk", [0, -1])
def test_chunk_below_a_second_is_refused_at_once(chunk):
    with pytest.raises(ValueError, match=f"at least one second, was {chunk}"):
        split_seconds(1, 2, chunk)


@given(
    times=st.lists(st.integers(1_000, 9_999), max_size=40).map(sorted),
    chunk=st.integers(1, 4),
)
def test_pieces_of_ticks_join_to_all_ticks(times, chunk):
    ticks = np.zeros(len(times), TICK_DTYPE)
    ticks["time_msc"] = times
    ticks["time"] = ticks["time_msc"] // 1000

    def copy_ticks_range(first, last):
        """As the library does: up to the first millisecond of the last second."""
        msc = ticks["time_msc"]
        return ticks[(msc >= first * 1000) & (msc <= last * 1000)]

    joined = []
    for first, last in split_seconds(1, 9, chunk):
        answer = copy_ticks_range(first, last + 1)
        joined += within(answer, first, last)["time_msc"].tolist()
    assert joined == times
