"""Is it known of every call whether it can have been sent?"""

import pytest

from tradingview_scraper.adapters.mt5.client.pending import PIPE_ROOM, Pending, PendingCalls
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallTimeout, MT5LaneLost


def pending(call_id, function="symbols_total", size=100):
    return Pending(call_id, function, 5.0, lambda settlement: None, bytearray(size), 0.0)


@pytest.mark.parametrize("function", ["symbols_total", "order_send"])
def test_what_was_never_written_was_not_sent(function):
    call = pending(1, function)

    assert call.lost("gone").sent is False


def test_a_call_that_was_written_may_have_been_sent():
    calls, call = PendingCalls(0.0), pending(1)
    calls.add(call)
    calls.write(call)

    assert call.lost("gone").sent is True
    assert isinstance(call.overdue("late"), MT5CallTimeout)


def test_a_request_was_not_sent_before_its_worker_said_so():
    calls, request = PendingCalls(0.0), pending(1, "order_send")
    calls.add(request)
    calls.write(request)

    assert request.lost("gone").sent is False
    late = request.overdue("late")
    assert isinstance(late, MT5LaneLost) and late.sent is False

    calls.started(1, 1.0)
    assert request.lost("gone").sent is True
    assert isinstance(request.overdue("late"), MT5CallTimeout)


def test_a_started_request_is_what_the_worker_works_on():
    calls = PendingCalls(0.0)
    for call in (pending(1), pending(2), pending(3, "order_send")):
        calls.add(call)
        calls.write(call)
    calls.started(3, 1.5)

    assert calls.head().id == 3
    assert calls.progress == 1.5
    calls.answered(3, 2.0)
    assert calls.head().id == 1


def test_a_pipe_is_not_filled_beyond_what_it_takes_without_a_reader():
    calls = PendingCalls(0.0)
    for call_id in range(PIPE_ROOM // 100):
        call = pending(call_id)
        assert calls.has_room(call)
        calls.add(call)
        calls.write(call)

    assert not calls.has_room(pending(99))
    calls.answered(0, 1.0)
    assert calls.has_room(pending(99))


def test_a_frame_is_not_kept_after_it_was_written():
    """It may hold a password."""
    calls, call = PendingCalls(0.0), pending(1)
    calls.add(call)

    assert len(calls.write(call)) == 100
    assert call.frame == b""
