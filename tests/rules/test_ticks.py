"""Is every tick delivered exactly once and in order, and is what the terminal lost said to be?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.ticks import (
    TickCursor,
    advance,
    cursor_after,
    is_capped,
    request_second,
)
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

#: Many equal milliseconds, quiet spells, and steps onto whole seconds.
steps = st.sampled_from([0, 0, 0, 0, 1, 7, 400, 999, 1000, 2500])


def ticks(times):
    """Rows at `times`; `bid` numbers them, so that any two can be told apart."""
    rows = np.zeros(len(times), TICK_DTYPE)
    rows["time_msc"] = times
    rows["time"] = rows["time_msc"] // 1000
    rows["bid"] = np.arange(1, len(times) + 1)
    return rows


@st.composite
def streams(draw, start=1_700_000_000_000):
    """A terminal's ticks of one symbol."""
    return ticks(start + np.cumsum(draw(st.lists(steps, max_size=90)), dtype=np.int64))


def copy_ticks_from(rows, second, count):
    return rows[rows["time_msc"] >= second * 1000][:count]


def poll(rows, cursor, count, deliver):
    """One poll as a feed does it: asks again while the answer may have been cut."""
    while True:
        answer = copy_ticks_from(rows, request_second(cursor), count)
        step = advance(cursor, answer)
        deliver(step)
        cursor = step.cursor
        if not is_capped(answer, count):
            return cursor
        if not len(step.rows):
            count *= 2


@given(
    stream=streams(),
    polls=st.lists(st.integers(0, 20), max_size=20),
    count=st.integers(1, 70),
)
def test_each_tick_is_delivered_once_in_order_however_it_is_polled(stream, polls, count):
    delivered = []

    def deliver(step):
        assert not step.gap
        delivered.extend(step.rows["bid"])

    cursor, visible = TickCursor(1_700_000_000_000, 0), 0
    for more in [*polls, len(stream)]:
        visible += more
        cursor = poll(stream[:visible], cursor, count, deliver)
    assert delivered == stream["bid"].tolist()


@given(stream=streams(), polls=st.lists(st.integers(0, 20), max_size=20), data=st.data())
def test_reader_that_commits_piece_by_piece_resumes_without_loss_or_repetition(stream, polls, data):
    """The feed dies at any moment; the next one starts behind what was delivered of its frames."""
    delivered = []
    committed = feed = TickCursor(1_700_000_000_000, 0)
    visible = 0
    for more in [*polls, len(stream)]:
        visible += more
        step = advance(feed, copy_ticks_from(stream[:visible], request_second(feed), 1_000))
        feed, rest, dies = step.cursor, step.rows, False
        while len(rest) and not dies:
            size = data.draw(st.integers(1, len(rest)))
            frame, rest = rest[:size], rest[size:]
            delivered.extend(frame["bid"])
            committed = cursor_after(frame, committed)
            dies = data.draw(st.booleans())
        if dies:
            feed = committed
    last = advance(feed, copy_ticks_from(stream, request_second(feed), 1_000))
    delivered.extend(last.rows["bid"])
    assert delivered == stream["bid"].tolist()


@given(stream=streams(), data=st.data())
def test_ticks_that_the_terminal_lost_are_a_gap_and_none_comes_twice(stream, data):
    taken = data.draw(st.integers(0, len(stream)))
    lost = data.draw(st.integers(0, len(stream)))
    cursor = TickCursor(1_700_000_000_000, 0)
    step = advance(cursor, stream[:taken])
    before, cursor = step.rows["bid"].tolist(), step.cursor
    # What is left after the terminal has synchronised again: it forgets whole milliseconds.
    kept = stream[stream["time_msc"] > stream["time_msc"][lost - 1]] if lost else stream
    after = advance(cursor, copy_ticks_from(kept, request_second(cursor), 1_000))
    delivered = before + after.rows["bid"].tolist()
    assert delivered == sorted(set(delivered))
    if not taken:
        assert not after.gap
        assert delivered == kept["bid"].tolist()
    elif len(kept) and kept["time_msc"][0] <= cursor.time_msc:
        assert not after.gap
        assert delivered == stream["bid"].tolist()
    else:
        assert after.gap == bool(len(kept))
        assert after.rows["bid"].tolist() == kept["bid"].tolist()


@given(stream=streams())
def test_gap_is_said_once(stream):
    cursor = TickCursor(1_699_999_000_000, 3)
    step = advance(cursor, stream)
    assert step.gap == bool(len(stream))
    assert not advance(step.cursor, stream).gap
    assert not len(advance(step.cursor, stream).rows)


def test_new_tick_of_the_last_millisecond_is_no_repetition():
    stream = ticks([1_500, 1_500, 1_500])
    step = advance(TickCursor(1_500, 2), stream)
    assert step.rows["bid"].tolist() == [3]
    assert step.cursor == TickCursor(1_500, 3)


def test_start_takes_everything_from_its_millisecond_on_and_nothing_before():
    step = advance(TickCursor(1_500, 0), ticks([1_200, 1_500, 1_700]))
    assert step.rows["bid"].tolist() == [2, 3]
    assert step.cursor == TickCursor(1_700, 1)
    assert not step.gap


def test_start_in_a_quiet_spell_is_no_gap():
    assert not advance(TickCursor(1_500, 0), ticks([9_000])).gap


def test_lost_tick_at_the_cursor_is_a_gap_though_others_share_its_millisecond():
    step = advance(TickCursor(1_500, 3), ticks([1_500, 1_500, 2_000]))
    assert step.gap
    assert step.rows["bid"].tolist() == [3]
    assert step.cursor == TickCursor(2_000, 1)


@pytest.mark.parametrize("times", [[], [1_100], [1_100, 1_500]])
def test_answer_that_ends_at_the_cursor_proves_nothing(times):
    cursor = TickCursor(1_500, 3)
    step = advance(cursor, ticks(times))
    assert not len(step.rows)
    assert step.cursor == cursor
    assert not step.gap


def test_second_with_more_ticks_than_asked_for_needs_a_larger_count():
    stream = ticks([1_500] * 10 + [1_600])
    cursor = TickCursor(1_500, 4)
    answer = copy_ticks_from(stream, request_second(cursor), 4)
    assert is_capped(answer, 4)
    assert not len(advance(cursor, answer).rows)
    answer = copy_ticks_from(stream, request_second(cursor), 8)
    assert advance(cursor, answer).rows["bid"].tolist() == [5, 6, 7, 8]


def test_answer_below_the_count_is_complete():
    assert not is_capped(ticks([1_500]), 2)


def test_rows_out_of_order_are_put_in_order():
    step = advance(TickCursor(1_000, 0), ticks([3_000, 1_000, 1_000]))
    assert step.rows["bid"].tolist() == [2, 3, 1]
    assert step.cursor == TickCursor(3_000, 1)


def test_answer_is_not_copied_and_may_be_read_only():
    rows = ticks([1_500, 1_600])
    rows.setflags(write=False)
    assert np.shares_memory(advance(TickCursor(1_500, 1), rows).rows, rows)


@pytest.mark.parametrize(
    ("time_msc", "second"), [(0, 1), (999, 1), (1_000, 1), (1_999, 1), (2_000, 2)]
)
def test_request_starts_at_the_cursors_second_and_never_at_0(time_msc, second):
    assert request_second(TickCursor(time_msc, 0)) == second


def test_position_after_rows_counts_those_of_the_last_millisecond():
    assert cursor_after(ticks([1_000, 1_500, 1_500])) == TickCursor(1_500, 2)


def test_position_after_a_further_frame_of_the_same_millisecond_counts_both():
    assert cursor_after(ticks([1_500]), TickCursor(1_500, 2)) == TickCursor(1_500, 3)
    assert cursor_after(ticks([1_500, 1_600]), TickCursor(1_500, 2)) == TickCursor(1_600, 1)


def test_nothing_is_no_position():
    with pytest.raises(ValueError, match="at least one tick"):
        cursor_after(ticks([]))
    assert cursor_after(ticks([]), TickCursor(1_500, 2)) == TickCursor(1_500, 2)
