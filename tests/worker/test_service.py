"""Does a worker serve in the right order, once, and say exactly what may have been sent?"""

import sys
import time
from itertools import pairwise

import pytest

from tradingview_scraper.adapters.mt5.worker.frames import (
    Alive,
    Answer,
    Attach,
    Attached,
    Call,
    Failed,
    FailureKind,
    Fault,
    Lost,
    Started,
    TakeSnapshot,
    Ticks,
    Trade,
    Unwatch,
    WatchBars,
    WatchTicks,
    WatchTrade,
    decode_report,
)
from tradingview_scraper.adapters.mt5.worker.service import Service

MODULE = "scripted_mt5_library"
REQUEST = {"action": 1, "symbol": "EURUSD", "volume": 0.01}


class Script:
    """Commands in batches: each is there when the service has worked off the one before.

    Between batches come `turns` empty looks, in which polls run. Then the node wants an end.
    """

    def __init__(self, batches, turns=3):
        self.is_over = False
        self._looks = [batch for commands in batches for batch in ([*commands], *[[]] * turns)]

    def arrived(self, wait_secs):
        if not self._looks:
            self.is_over = True
            return []
        batch = self._looks.pop(0)
        if not batch:
            time.sleep(min(wait_secs, 0.002))
        return batch

    def is_waiting(self):
        return not self._looks or bool(self._looks[0])


@pytest.fixture
def served(library, monkeypatch):
    """The reports of a service over the scripted library, attached first."""
    monkeypatch.setitem(sys.modules, MODULE, library)

    def served(*batches, login=7, turns=3):
        attach = Attach(
            1, MODULE, None, False, 1000, login, None, login is not None, None, False, []
        )
        reports = []

        def write(frame):
            reports.append(decode_report(bytes(frame[4:])))

        Service(Script([[attach], *batches], turns), write).run()
        assert isinstance(reports[0], Attached)
        return reports[1:]

    return served


def kinds(reports):
    return [type(report) for report in reports]


def send(call_id):
    return Call(call_id, "order_send", [REQUEST], {})


def read(call_id, function="symbols_total"):
    return Call(call_id, function, [], {})


def test_calls_are_answered_in_their_order(served, library):
    library._symbols_total = lambda: 3
    reports = served([read(2), read(3), read(4)])

    assert [report.id for report in reports] == [2, 3, 4]
    assert kinds(reports) == [Answer] * 3


def test_a_request_passes_the_calls_that_wait(served, library):
    """When lanes share a worker, an order waits for the call that is running, not for the rest."""
    library._symbols_total = lambda: 3
    reports = served([read(2), read(3), send(4), send(5)])

    answered = [report.id for report in reports if isinstance(report, Answer)]
    assert answered == [4, 5, 2, 3]


def test_the_account_is_looked_at_directly_before_every_request(served, library):
    served([send(2), send(3)])

    names = [name for name, _, _ in library.calls]
    before = [first for first, second in pairwise(names) if second == "order_send"]
    assert before == ["account_info", "account_info"]


def test_a_started_request_is_announced_before_it_is_sent(served):
    reports = served([send(2)])

    assert kinds(reports) == [Started, Answer]


def test_on_another_account_a_request_is_not_sent(served, library):
    def switch(function):
        if function == "symbols_total":
            library.account = library.account._replace(login=8)

    library._symbols_total = lambda: 3
    library.on_call = switch
    reports = served([read(2)], [send(3)])

    assert library.count("order_send") == 0
    assert (reports[-1].kind, reports[-1].id) == (FailureKind.IDENTITY, 3)
    assert "expected account 7" in reports[-1].text


def test_without_an_expected_account_nothing_is_traded(served, library):
    (failed,) = served([send(2)], login=None)

    assert library.count("order_send") == 0
    assert failed.kind is FailureKind.IDENTITY
    assert "login=7" in failed.text


def test_a_request_whose_account_cannot_be_read_is_not_sent(served, library):
    library.failures["account_info"] = []
    reports = None

    def fail(function):
        if function == "symbols_total":
            library.failures["account_info"] = [(-1, "Terminal: Call failed")]

    library._symbols_total = lambda: 3
    library.on_call = fail
    reports = served([read(2)], [send(3)])

    assert library.count("order_send") == 0
    assert (reports[-1].kind, reports[-1].code) == (FailureKind.UNSENT, -1)


def test_a_call_that_fails_carries_last_error(served, library):
    library.failures["orders_get"] = [(-5, "Terminal: Incompatible versions")]
    (failed,) = served([read(2, "orders_get")])

    assert (failed.kind, failed.function) == (FailureKind.CALL, "orders_get")
    assert (failed.code, failed.text) == (-5, "Terminal: Incompatible versions")


def test_a_library_that_raises_is_an_answer_and_not_the_end(served, library):
    def broken():
        raise SystemError("returned a result with an exception set")

    library._symbols_total = broken
    reports = served([read(2)], [read(3, "orders_get")])

    assert (reports[0].kind, reports[0].id) == (FailureKind.RAISED, 2)
    assert "SystemError" in reports[0].text
    assert isinstance(reports[1], Answer)


@pytest.mark.parametrize("code", [-10001, -10002, -10004])
def test_a_lost_terminal_ends_the_worker_and_what_waits_is_unsent(served, library, code):
    library.failures["orders_get"] = [(code, "IPC")]
    failed, lost, *rest = served([read(2, "orders_get"), send(3), read(4, "positions_get")])

    # The request passes the calls, so it is out before the terminal is lost.
    assert isinstance(failed, Started)
    assert isinstance(lost, Answer)
    assert isinstance(rest[0], Failed) and rest[0].code == code
    assert isinstance(rest[1], Lost) and rest[1].code == code
    assert (rest[2].id, rest[2].kind) == (4, FailureKind.UNSENT)
    assert library.count("positions_get") == 0


def test_a_lost_terminal_is_noticed_by_a_poll(served, library):
    library.failures["symbol_select"] = [(-10001, "IPC send failed")]
    reports = served([WatchTicks(2, 50, "EURUSD", 10, 10, None, 0)], [send(3)])

    assert kinds(reports) == [Answer, Lost]


def test_the_node_that_ends_leaves_nothing_half_done(library, monkeypatch):
    """What has not begun when the end comes is said to be unsent."""
    monkeypatch.setitem(sys.modules, MODULE, library)
    reports = []

    class Ending:
        is_over = False

        def arrived(self, wait_secs):
            if not reports:
                return [Attach(1, MODULE, None, False, 1000, 7, None, True, None, False, [])]
            commands = [] if self.is_over else [send(2), read(3)]
            self.is_over = True
            return commands

        def is_waiting(self):
            return True

    Service(Ending(), lambda frame: reports.append(decode_report(bytes(frame[4:])))).run()

    assert [(report.id, report.kind) for report in reports[1:]] == [
        (2, FailureKind.UNSENT),
        (3, FailureKind.UNSENT),
    ]
    assert library.count("order_send") == 0
    assert library.is_shut


def test_the_trade_state_is_read_at_once_after_a_request(served, library, make):
    watch = WatchTrade(2, 60, 3_600_000, 3_600_000, None, None)

    def fill(function):
        if function == "order_send":
            library.deals.append(make.deal(9, 1000))
            library.history.append(make.order(8, 1000))

    library.on_call = fill
    reports = served([watch], [send(3)], turns=30)

    answer = next(n for n, r in enumerate(reports) if isinstance(r, Answer) and r.id == 3)
    trades = [report for report in reports[answer:] if isinstance(report, Trade)]
    assert [deal.ticket for deal in trades[0].deals] == [9]


def test_a_poll_that_fails_is_reported_once_and_goes_on(served, library, make):
    library.ticks["EURUSD"] = make.ticks([1_700_000_000_000])
    library.failures["symbol_info_tick"] = [(-4, "Terminal: Not found")] * 3
    reports = served([WatchTicks(2, 50, "EURUSD", 1, 1, None, 0)], turns=100)

    assert sum(isinstance(report, Fault) for report in reports) == 1
    assert sum(isinstance(report, Ticks) for report in reports) == 1


def test_a_feed_that_is_dropped_polls_no_more(served, library, make):
    def tick(function):
        if function == "symbol_info_tick":
            library.ticks["EURUSD"] = make.ticks([1_700_000_000_000 + len(library.calls)])

    library.on_call = tick
    reports = served([WatchTicks(2, 50, "EURUSD", 1, 1, None, 0)], [Unwatch(3, 50)], turns=20)

    dropped = next(n for n, r in enumerate(reports) if isinstance(r, Answer) and r.id == 3)
    assert Ticks in kinds(reports[:dropped])
    assert kinds(reports[dropped + 1 :]) == []


def test_polls_get_a_turn_between_calls_that_never_end(served, library, make):
    library._symbols_total = lambda: 3
    library.ticks["EURUSD"] = make.ticks([1_700_000_000_000])
    busy = [[read(10 + n)] for n in range(50)]
    reports = served([WatchTicks(2, 50, "EURUSD", 1, 1, None, 0)], *busy, turns=0)

    ticks = next(n for n, report in enumerate(reports) if isinstance(report, Ticks))
    assert ticks < 10


def test_a_worker_with_nothing_to_say_says_so(served, library, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def pass_time(seconds):
        now[0] += 0.3

    monkeypatch.setattr(time, "sleep", pass_time)
    reports = served(turns=20)

    assert reports and set(kinds(reports)) == {Alive}


def test_a_snapshot_is_one_answer(served, library, make):
    library.positions = [make.position(4)]
    (answer,) = served([TakeSnapshot(2, 1)])

    assert (type(answer), answer.id) == (Answer, 2)


def test_a_snapshot_of_another_account_fails(served, library):
    library._symbols_total = lambda: 3

    def switch(function):
        if function == "symbols_total":
            library.account = library.account._replace(server="Other")

    library.on_call = switch
    reports = served([read(2)], [TakeSnapshot(3, 1)])

    assert reports[-1].kind is FailureKind.IDENTITY


def test_bars_are_watched(served, library):
    reports = served([WatchBars(2, 51, "EURUSD", 1, 250, None)])

    assert kinds(reports) == [Answer]
    assert library.count("copy_rates_from_pos") >= 1
