"""Does a tick feed send every tick exactly once, whatever the polls see?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.ticks import TickCursor
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE
from tradingview_scraper.adapters.mt5.worker.frames import NoTicks
from tradingview_scraper.adapters.mt5.worker.library import CallFailed
from tradingview_scraper.adapters.mt5.worker.tick_feed import GAP_PATIENCE, PAGE, TickFeed

START = 1_700_000_000_000
EVERY = 0.01


def polled(feed, polls, now=0.0):
    """The reports of so many polls, each when it is due."""
    reports = []
    for _ in range(polls):
        report, now = feed.step(now)
        if report is not None:
            reports.append(report)
    return reports


def numbers(reports):
    return [
        int(number)
        for report in reports
        for number in np.frombuffer(report.rows, TICK_DTYPE)["bid"]
    ]


def tick_feed(library, cursor=None):
    return TickFeed(library, 3, "EURUSD", EVERY, cursor)


def test_a_feed_begins_with_the_current_tick(library, make):
    library.ticks["EURUSD"] = make.ticks([START, START + 5, START + 900])

    reports = polled(tick_feed(library), 3)

    assert numbers(reports) == [3]
    assert (reports[0].watch, reports[0].seq, reports[0].gap) == (3, 1, False)


def test_all_ticks_of_the_current_millisecond_are_sent(library, make):
    library.ticks["EURUSD"] = make.ticks([START, START + 5, START + 5])

    assert numbers(polled(tick_feed(library), 3)) == [2, 3]


def test_a_symbol_without_a_tick_is_waited_for(library, make):
    """Zeros are no prices, and a history from 1970 on is not asked for."""
    feed = tick_feed(library)
    (said,) = polled(feed, 3)
    assert isinstance(said, NoTicks) and said.at_ns > 0
    assert library.count("copy_ticks_from") == 0

    library.ticks["EURUSD"] = make.ticks([START])
    assert numbers(polled(feed, 2)) == [1]


def test_the_symbol_is_selected_before_it_is_looked_at(library, make):
    library.ticks["EURUSD"] = make.ticks([START])
    polled(tick_feed(library), 1)

    assert library.calls[0] == ("symbol_select", ("EURUSD", True), {})


def test_a_quiet_symbol_costs_one_cheap_call(library, make):
    library.ticks["EURUSD"] = make.ticks([START])
    feed = tick_feed(library)
    polled(feed, 2)
    library.calls.clear()

    polled(feed, 10)

    assert library.count("symbol_info_tick") == 10
    assert library.count("copy_ticks_from") == 0


def test_a_tick_that_the_copy_does_not_have_yet_is_asked_for_again(library, make):
    library.ticks["EURUSD"] = make.ticks([START])
    feed = tick_feed(library)
    polled(feed, 2)
    whole = make.ticks([START, START + 40])
    library.ticks["EURUSD"] = whole

    def copy_lags(function):
        library.ticks["EURUSD"] = whole if function == "symbol_info_tick" else whole[:1]

    library.on_call = copy_lags
    assert polled(feed, 2) == []
    library.on_call = lambda function: None
    library.ticks["EURUSD"] = whole

    assert numbers(polled(feed, 1)) == [2]


def test_only_a_tick_that_a_look_saw_appear_is_stamped(library, make):
    """The server's clock is told by such ticks: what was there before may be days old."""
    library.ticks["EURUSD"] = make.ticks([START])
    feed = tick_feed(library)
    (first,) = polled(feed, 2)
    library.ticks["EURUSD"] = make.ticks([START, START + 40])
    (moved,) = polled(feed, 2, 0.02)
    library.ticks["EURUSD"] = make.ticks(START + np.arange(3 * PAGE))
    *pages, last = polled(feed, 8, 0.04)

    assert first.seen_ns == 0
    assert moved.seen_ns > 0
    assert len(pages) >= 2 and not any(page.seen_ns for page in pages)
    assert last.seen_ns > moved.seen_ns


def test_a_feed_that_failed_begins_to_look_anew(library, make):
    library.ticks["EURUSD"] = make.ticks([START])
    feed = tick_feed(library)
    polled(feed, 2)
    again = feed.failed(0.02)
    library.ticks["EURUSD"] = make.ticks([START, START + 40])

    assert [report.seen_ns for report in polled(feed, 2, again)] == [0]


def test_a_backlog_comes_in_pages_at_once(library, make):
    library.ticks["EURUSD"] = make.ticks(START + np.arange(5 * PAGE) // 3)
    feed = tick_feed(library, TickCursor(START, 0))

    now, reports = 0.0, []
    while now == 0.0:
        report, now = feed.step(now)
        reports += [report] if report else []

    assert numbers(reports) == list(range(1, 5 * PAGE + 1))
    assert max(len(report.rows) // TICK_DTYPE.itemsize for report in reports) <= PAGE
    assert library.count("symbol_info_tick") == 1
    assert [report.seq for report in reports] == list(range(1, len(reports) + 1))


def test_a_second_with_more_ticks_than_a_page_is_read(library, make):
    library.ticks["EURUSD"] = make.ticks(np.full(3 * PAGE, START))
    feed = tick_feed(library, TickCursor(START, PAGE))

    assert numbers(polled(feed, 10)) == list(range(PAGE + 1, 3 * PAGE + 1))


def test_a_new_feed_goes_on_behind_the_cursor_of_the_last_frame(library, make):
    rows = make.ticks(START + np.array([0, 0, 3, 3, 3, 3, 9, 1200]))
    library.ticks["EURUSD"] = rows[:4]
    (last,) = polled(tick_feed(library, TickCursor(START, 0)), 2)
    library.ticks["EURUSD"] = rows

    resumed = tick_feed(library, TickCursor(last.time_msc, last.seen))

    assert numbers(polled(resumed, 3)) == [5, 6, 7, 8]


def test_what_the_terminal_has_lost_is_a_gap(library, make):
    library.ticks["EURUSD"] = make.ticks([START + 10_000])
    feed = tick_feed(library, TickCursor(START, 4))

    reports, now = [], 0.0
    while not reports:
        asked_at = now
        report, now = feed.step(now)
        reports += [report] if report else []

    assert reports[0].gap
    assert GAP_PATIENCE <= asked_at < 2 * GAP_PATIENCE


def test_ticks_that_come_back_while_the_terminal_synchronises_are_no_gap(library, make):
    whole = make.ticks([START, START, START + 5, START + 10_000])
    library.ticks["EURUSD"] = whole[3:]
    feed = tick_feed(library, TickCursor(START, 2))
    assert polled(feed, 5) == []

    library.ticks["EURUSD"] = whole
    reports = polled(feed, 2, GAP_PATIENCE * 0.9)

    assert numbers(reports) == [3, 4]
    assert not reports[0].gap


class Wall:
    """A wall clock that is put on by hand, in nanoseconds."""

    now = 1_700_000_000_000_000_000

    def __call__(self):
        return self.now


def waiting_feed(library, polls=2, wall=None):
    """A feed of a symbol that has no tick yet, and what it has said about that."""
    feed = TickFeed(library, 3, "EURUSD", EVERY, None, wall=wall or Wall())
    (said,) = polled(feed, polls)
    assert isinstance(said, NoTicks)
    return feed, said


def test_all_first_ticks_of_a_symbol_that_had_none_are_sent(library, make):
    feed, _ = waiting_feed(library, 3)

    library.ticks["EURUSD"] = make.ticks([START + 2, START + 5, START + 9])
    reports = polled(feed, 2, 0.02)

    assert numbers(reports) == [1, 2, 3]
    assert [report.seq for report in reports] == [2]


def test_first_ticks_on_both_sides_of_a_second_are_sent(library, make):
    wall = Wall()
    feed, _ = waiting_feed(library, wall=wall)

    library.ticks["EURUSD"] = make.ticks([START - 4, START + 1])
    wall.now += 20_000_000

    assert numbers(polled(feed, 2, 0.02)) == [1, 2]


def test_first_ticks_that_came_after_a_worker_died_are_sent_by_the_next(library, make):
    wall = Wall()
    _, said = waiting_feed(library, wall=wall)

    library.ticks["EURUSD"] = make.ticks([START - 3_000, START + 5, START + 2_000])
    wall.now += 6_000_000_000
    resumed = TickFeed(library, 3, "EURUSD", EVERY, None, empty_ns=said.at_ns, wall=wall)

    assert numbers(polled(resumed, 2)) == [1, 2, 3]


def test_old_ticks_are_not_the_first_ones(library, make):
    """A symbol that was selected just now shows its last tick a moment later: of Friday."""
    feed, _ = waiting_feed(library)

    library.ticks["EURUSD"] = make.ticks([START - 60_000, START - 1, START + 500])

    sent = numbers(polled(feed, 2, 0.02))
    assert sent[-1] == 3 and 1 not in sent


def test_a_quiet_symbol_is_looked_at_less_often_and_a_busy_one_at_full_speed(library, make):
    library.ticks["EURUSD"] = make.ticks([START])
    feed = TickFeed(library, 3, "EURUSD", EVERY, None, quiet_secs=0.2)
    now, pauses = 100.0, []
    for _ in range(400):
        _, due = feed.step(now)
        pauses.append(due - now)
        now = due

    assert max(pauses) == pytest.approx(0.2)
    assert pauses[10] == pytest.approx(EVERY)
    assert all(pause <= max(EVERY, 0.06 * (now - 100.0)) + 1e-9 for pause in pauses)

    library.ticks["EURUSD"] = make.ticks([START, START + 9_000])
    report, due = feed.step(now)
    assert report is not None and due - now == pytest.approx(EVERY)


@pytest.mark.parametrize("function", ["symbol_select", "symbol_info_tick", "copy_ticks_from"])
def test_a_poll_that_fails_loses_nothing(library, make, function):
    library.ticks["EURUSD"] = make.ticks([START, START + 1])
    feed = tick_feed(library, TickCursor(START, 0))
    library.failures[function] = [(-4, "Terminal: Not found")]

    with pytest.raises(CallFailed) as caught:
        feed.step(0.0)
    again = feed.failed(0.0)

    assert caught.value.function == function
    assert again > 0.0
    assert numbers(polled(feed, 2, again)) == [1, 2]


def test_polls_that_fail_come_less_often_until_one_succeeds(library, make):
    feed = tick_feed(library)
    library.failures["symbol_select"] = [(-4, "Terminal: Not found")] * 20
    now, pauses = 0.0, []
    for _ in range(20):
        with pytest.raises(CallFailed):
            feed.step(now)
        again = feed.failed(now)
        pauses.append(again - now)
        now = again

    assert pauses[0] < pauses[3] < pauses[-1] == pytest.approx(1.0)
    _, due = feed.step(now)
    assert due - now == pytest.approx(EVERY)


def test_polls_start_at_fixed_intervals(library, make):
    library.ticks["EURUSD"] = make.ticks([START])
    feed = tick_feed(library)
    _, due = feed.step(100.0)
    assert due == pytest.approx(100.0)
    _, due = feed.step(100.001)
    assert due == pytest.approx(100.01)
    _, late = feed.step(100.5)
    assert late == pytest.approx(100.5)


@given(
    steps=st.lists(st.sampled_from([0, 0, 0, 1, 7, 400, 1000, 2500]), max_size=60),
    seen_by_poll=st.lists(st.integers(0, 60), max_size=30),
    restarts=st.sets(st.integers(0, 29)),
)
def test_every_tick_once_and_in_order(make, steps, seen_by_poll, restarts):
    library = make.library()
    rows = make.ticks(START + np.cumsum(steps, dtype=np.int64))
    feed = tick_feed(library, TickCursor(START, 0))
    sent, cursor, visible = [], (START, 0), 0
    for poll, more in enumerate([*seen_by_poll, 60, 60]):
        visible = max(visible, min(more, len(rows)))
        library.ticks["EURUSD"] = rows[:visible]
        if poll in restarts:
            feed = tick_feed(library, TickCursor(*cursor))
        for report in polled(feed, 2):
            sent += numbers([report])
            cursor = report.time_msc, report.seen
            assert not report.gap

    assert sent == list(range(1, len(rows) + 1))
