"""Does a bar feed send every closed bar once, and none that is still forming?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE
from tradingview_scraper.adapters.mt5.worker.bar_feed import BarFeed
from tradingview_scraper.adapters.mt5.worker.library import CallFailed

SERIES = ("EURUSD", int(Timeframe.M1))


def bars(opened):
    rows = np.zeros(len(opened), RATE_DTYPE)
    rows["time"] = opened
    return rows


def bar_feed(library, after=None):
    return BarFeed(library, 4, *SERIES, 0.25, after)


def polled(feed, polls):
    opened, now = [], 0.0
    for _ in range(polls):
        report, now = feed.step(now)
        if report is not None:
            opened += np.frombuffer(report.rows, RATE_DTYPE)["time"].tolist()
    return opened


def test_the_forming_bar_is_not_sent_until_a_later_one_exists(library):
    library.rates[SERIES] = bars([60, 120])
    feed = bar_feed(library)
    assert polled(feed, 3) == []

    library.rates[SERIES] = bars([60, 120, 240])
    assert polled(feed, 3) == [120]


def test_an_empty_series_is_waited_for(library):
    feed = bar_feed(library)
    assert polled(feed, 2) == []

    library.rates[SERIES] = bars([60])
    assert polled(feed, 1) == []
    library.rates[SERIES] = bars([60, 120])
    assert polled(feed, 1) == [60]


def test_a_new_feed_catches_up_from_where_the_last_one_was(library):
    library.rates[SERIES] = bars(range(60, 60 * 1001, 60))

    assert polled(bar_feed(library, after=60 * 300), 3) == list(range(60 * 301, 60 * 1000, 60))


def test_bars_that_the_terminal_no_longer_has_are_not_waited_for(library):
    library.rates[SERIES] = bars([600, 660, 720])

    assert polled(bar_feed(library, after=60), 2) == [600, 660]


def test_a_poll_that_fails_loses_nothing(library):
    library.rates[SERIES] = bars([60, 120, 180])
    feed = bar_feed(library, after=60)
    library.failures["copy_rates_from_pos"] = [(-1, "Terminal: Call failed")]

    with pytest.raises(CallFailed):
        feed.step(0.0)
    assert feed.failed(0.0) > 0.0

    assert polled(feed, 1) == [120]


@given(
    gaps=st.lists(st.integers(1, 5), min_size=1, max_size=40),
    polls=st.lists(st.integers(0, 40), max_size=20),
)
def test_every_closed_bar_once_and_in_order(make, gaps, polls):
    library = make.library()
    rows = bars(60 * np.cumsum(gaps))
    feed = bar_feed(library, after=0)
    sent, there = [], 0
    for more in [*polls, 40]:
        there = max(there, min(more, len(rows)))
        library.rates[SERIES] = rows[:there]
        sent += polled(feed, 1)

    assert sent == rows["time"][:-1].tolist()
