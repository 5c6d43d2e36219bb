"""Do bars open and close on the server's calendar?"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.bars import (
    closed_rows,
    closing_time,
    closing_times,
    closing_within,
    opening_time,
)
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
times = st.integers(0, 4_102_444_800)
timeframes = st.sampled_from(Timeframe)


def at(*fields: int) -> int:
    return (datetime(*fields, tzinfo=UTC) - EPOCH) // timedelta(seconds=1)


@given(at=times, timeframe=timeframes)
def test_every_moment_is_in_exactly_one_bar(at, timeframe):
    opened = opening_time(at, timeframe)
    assert opened <= at < closing_time(opened, timeframe)
    assert opening_time(opened, timeframe) == opened
    assert opening_time(closing_time(opened, timeframe), timeframe) == closing_time(
        opened, timeframe
    )
    assert opening_time(closing_time(opened, timeframe) - 1, timeframe) == opened


@given(at=st.lists(times, max_size=10), timeframe=timeframes)
def test_array_and_scalar_agree(at, timeframe):
    opened = [opening_time(moment, timeframe) for moment in at]
    closed = closing_times(np.array(opened, np.int64), timeframe)
    assert closed.dtype == np.int64
    assert closed.tolist() == [closing_time(moment, timeframe) for moment in opened]


@given(
    at=st.lists(times, max_size=10), start=times, end=times, timeframe=timeframes, data=st.data()
)
def test_bars_that_close_within_a_range_are_cut_out(at, start, end, timeframe, data):
    opened = sorted({opening_time(moment, timeframe) for moment in at})
    closed = [closing_time(moment, timeframe) for moment in opened]
    if closed:
        start = data.draw(st.sampled_from([start, *closed]))
        end = data.draw(st.sampled_from([end, *closed]))
    rows = np.zeros(len(opened), RATE_DTYPE)
    rows["time"] = opened
    found = closing_within(rows, timeframe, start, end)
    assert found["time"].tolist() == [
        moment for moment, end_of in zip(opened, closed, strict=True) if start <= end_of <= end
    ]


@pytest.mark.parametrize(
    ("timeframe", "opened", "closed"),
    [
        (Timeframe.M1, at(2025, 3, 11, 9, 41), at(2025, 3, 11, 9, 42)),
        (Timeframe.M12, at(2025, 3, 11, 9, 36), at(2025, 3, 11, 9, 48)),
        (Timeframe.H1, at(2025, 3, 11, 9), at(2025, 3, 11, 10)),
        (Timeframe.H4, at(2025, 3, 11, 8), at(2025, 3, 11, 12)),
        (Timeframe.H12, at(2025, 3, 11), at(2025, 3, 11, 12)),
        (Timeframe.D1, at(2025, 3, 11), at(2025, 3, 12)),
        (Timeframe.W1, at(2025, 3, 9), at(2025, 3, 16)),
        (Timeframe.MN1, at(2025, 3, 1), at(2025, 4, 1)),
    ],
)
def test_bar_that_holds_a_moment(timeframe, opened, closed):
    moment = at(2025, 3, 11, 9, 41, 30)
    assert opening_time(moment, timeframe) == opened
    assert closing_time(opened, timeframe) == closed


def test_weeks_open_on_sunday_midnight():
    # Recorded: 2025-01-05 was a Sunday, and the stamp of a W1 bar.
    assert opening_time(at(2025, 1, 10, 23, 59), Timeframe.W1) == at(2025, 1, 5)
    assert opening_time(at(2025, 1, 5), Timeframe.W1) == at(2025, 1, 5)
    assert opening_time(at(2025, 1, 4, 23, 59, 59), Timeframe.W1) == at(2024, 12, 29)


@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        (at(2024, 2, 1), at(2024, 3, 1)),
        (at(2025, 2, 1), at(2025, 3, 1)),
        (at(2025, 12, 1), at(2026, 1, 1)),
    ],
)
def test_months_close_by_the_calendar(opened, closed):
    assert closing_time(opened, Timeframe.MN1) == closed


def test_last_row_is_not_closed():
    rows = np.zeros(3, RATE_DTYPE)
    rows["time"] = [60, 120, 240]
    assert closed_rows(rows)["time"].tolist() == [60, 120]


@pytest.mark.parametrize("count", [0, 1])
def test_forming_bar_alone_closes_nothing(count):
    assert len(closed_rows(np.zeros(count, RATE_DTYPE))) == 0
