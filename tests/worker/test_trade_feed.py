"""Does the trade feed send every change once, whole at first, and nothing of another account?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.terminal.records import OrderSendResult
from tradingview_scraper.adapters.mt5.worker.frames import Foreign, Trade
from tradingview_scraper.adapters.mt5.worker.history_window import DEALS, recent_start
from tradingview_scraper.adapters.mt5.worker.identity import Expected
from tradingview_scraper.adapters.mt5.worker.library import CallFailed
from tradingview_scraper.adapters.mt5.worker.trade_feed import TradeFeed

NOW = 1_700_000_000
EXPECTED = Expected(login=7, server="Demo", may_trade=True, allow_real_account=False)
ACCOUNT_EVERY = 5.0


class Reader:
    """A feed that is read a whole reading at a time."""

    def __init__(self, library, deals_from=None, orders_from=None):
        self.feed = TradeFeed(library, 2, EXPECTED, 0.1, ACCOUNT_EVERY, deals_from, orders_from)
        self.now = 0.0

    def read(self):
        """The reports of one reading, and `now` moves to where the next one is due."""
        reports = []
        while True:
            report, due = self.feed.step(self.now)
            if report is not None:
                reports.append(report)
            if due > self.now or self.feed._pieces is None:
                self.now = max(due, self.now + 0.001)
                return reports

    def only(self):
        (report,) = self.read()
        return report

    def changes(self):
        """Reports of one reading that say something."""
        return [report for report in self.read() if is_news(report)]


def answer(order, *, deal=0, volume=0.0):
    """What the server said to a request; without a deal it knows of none yet."""
    return OrderSendResult(10009, deal, order, volume, 1.1, 1.1, 1.1, "", 1, 0, None)


def is_news(report):
    return isinstance(report, Foreign) or any(
        (
            report.orders,
            report.orders_gone,
            report.positions,
            report.positions_gone,
            report.deals,
            report.history,
        )
    )


def test_the_first_report_is_whole(library, make):
    library.orders = [make.order(1)]
    library.positions = [make.position(2)]
    library.deals = [make.deal(3, NOW)]
    library.history = [make.order(4, NOW)]

    report = Reader(library).only()

    assert report.full
    assert [row.ticket for row in (*report.orders, *report.positions)] == [1, 2]
    assert [row.ticket for row in (*report.deals, *report.history)] == [3, 4]
    assert report.account.login == 7


def test_then_only_changes_are_sent_and_every_reading_ends_in_a_report(library, make):
    library.orders = [make.order(1), make.order(2)]
    reader = Reader(library)
    reader.read()

    quiet = reader.only()
    assert not is_news(quiet) and not quiet.full and quiet.account is None

    library.orders = [make.order(2, sl=1.5), make.order(3)]
    library.positions = [make.position(9)]
    report = reader.only()
    assert [order.ticket for order in report.orders] == [2, 3]
    assert report.orders_gone == (1,)
    assert [position.ticket for position in report.positions] == [9]
    assert report.account is not None

    library.positions = []
    assert reader.only().positions_gone == (9,)


def test_figures_that_follow_the_prices_are_no_changes(library, make):
    library.orders = [make.order(1, price_current=1.0)]
    library.positions = [make.position(2, price_current=1.0, profit=5.0, swap=0.1)]
    reader = Reader(library)
    reader.read()

    library.orders = [make.order(1, price_current=2.0)]
    library.positions = [make.position(2, price_current=2.0, profit=9.0, swap=0.2)]
    library.account = library.account._replace(profit=9.0, equity=109.0, margin_free=109.0)

    report = reader.only()
    assert not is_news(report) and report.account is None


def test_the_account_is_sent_when_it_changes_and_now_and_then(library):
    reader = Reader(library)
    reader.read()
    assert reader.only().account is None

    library.account = library.account._replace(balance=90.0)
    assert reader.only().account.balance == 90.0
    assert reader.only().account is None

    library.account = library.account._replace(equity=91.0)
    reader.now += ACCOUNT_EVERY
    assert reader.only().account.equity == 91.0


def test_deals_leave_before_the_rest_is_read(library, make):
    reader = Reader(library)
    reader.read()
    library.deals.append(make.deal(3, NOW))
    library.history.append(make.order(4, NOW))
    library.positions.append(make.position(4))

    first, second = reader.read()

    assert [row.ticket for row in (*first.deals, *first.history)] == [3, 4]
    assert not first.positions
    assert [row.ticket for row in second.positions] == [4]


def test_after_a_request_deals_are_read_at_once_and_without_counting(library, make):
    reader = Reader(library)
    reader.read()
    library.calls.clear()
    library.deals.append(make.deal(3, NOW))

    reader.feed.request_was_sent(None)
    report, _ = reader.feed.step(reader.now)
    assert report is None
    assert [name for name, _, _ in library.calls] == ["history_deals_get"]
    assert reader.changes()[0].deals[0].ticket == 3


def test_deals_of_the_request_leave_before_the_account_is_looked_at(library, make):
    reader = Reader(library)
    reader.read()
    library.deals += [make.deal(3, NOW, order=4), make.deal(5, NOW, order=6)]
    library.history += [make.order(4, NOW), make.order(6, NOW)]
    library.calls.clear()

    reader.feed.request_was_sent(answer(4))
    while (report := reader.feed.step(reader.now)[0]) is None:
        pass

    assert [name for name, _, _ in library.calls] == ["history_deals_get", "history_orders_get"]
    assert [row.ticket for row in (*report.deals, *report.history)] == [3, 4]
    # What is not the request's waits until the account was compared.
    report, _ = reader.feed.step(reader.now)
    assert library.calls[-1][0] == "account_info"
    assert [row.ticket for row in (*report.deals, *report.history)] == [5, 6]


def test_deals_of_the_request_just_sent_leave_without_another_look_at_the_account(library, make):
    """It was compared directly before the request, and the server gave it that ticket."""
    reader = Reader(library)
    reader.read()
    library.deals += [make.deal(3, NOW, order=50), make.deal(4, NOW, order=51)]
    library.history += [make.order(50, NOW), make.order(51, NOW)]
    reader.feed.request_was_sent(answer(50))

    library.calls.clear()
    own = None
    while own is None:
        own, _ = reader.feed.step(reader.now)
    assert library.count("account_info") == 0
    assert [row.ticket for row in (*own.deals, *own.history)] == [3, 50]
    assert own.account is None

    (other, last) = reader.read()
    assert [row.ticket for row in (*other.deals, *other.history)] == [4, 51]
    assert other.account is not None and not is_news(last)


def test_deals_that_the_answer_explains_leave_before_their_order_is_read(library, make):
    """Who knows what was executed need not wait for the record: a round trip less for a fill."""
    reader = Reader(library)
    reader.read()
    library.deals += [make.deal(3, NOW, order=50, volume=0.2), make.deal(4, NOW, order=51)]
    library.history += [make.order(50, NOW), make.order(51, NOW)]
    reader.feed.request_was_sent(answer(50, deal=3, volume=0.2))

    library.calls.clear()
    own = None
    while own is None:
        own, _ = reader.feed.step(reader.now)

    assert [name for name, _, _ in library.calls] == ["history_deals_get"]
    assert [row.ticket for row in own.deals] == [3]
    assert own.answered == ((50, 0.2),)
    (rest, _) = reader.read()
    assert [row.ticket for row in rest.deals] == [4]
    assert sorted(row.ticket for row in rest.history) == [50, 51]
    assert rest.answered == ()


def test_other_deals_wait_for_a_look_at_the_account_after_a_request_too(library, make):
    reader = Reader(library)
    reader.read()
    library.deals.append(make.deal(3, NOW, order=50))
    reader.feed.request_was_sent(answer(51))
    library.account = library.account._replace(login=8)

    assert [type(report) for report in reader.read()] == [Foreign]


def test_after_a_request_readings_come_quickly_until_its_deals_are_there(library, make):
    reader = Reader(library)
    for _ in range(3):
        reader.read()
    start = reader.now
    reader.feed.request_was_sent(None)
    reader.read()
    reader.read()
    assert reader.now - start < 0.05

    library.deals.append(make.deal(3, NOW))
    reader.read()
    before = reader.now
    reader.read()
    assert reader.now - before > 0.05


def test_a_reading_waits_for_one_call_at_a_time(library, make):
    reader = Reader(library)
    reader.read()
    library.calls.clear()
    before = 0
    for _ in range(40):
        reader.feed.step(reader.now)
        assert len(library.calls) - before <= 1
        before = len(library.calls)


@pytest.mark.parametrize(
    "function",
    [
        "history_deals_total",
        "history_deals_get",
        "history_orders_total",
        "history_orders_get",
        "account_info",
        "orders_get",
        "positions_get",
    ],
)
def test_a_reading_that_fails_loses_nothing(library, make, function):
    reader = Reader(library)
    reader.read()
    library.deals.append(make.deal(3, NOW))
    library.history.append(make.order(4, NOW))
    library.orders.append(make.order(5))
    library.positions.append(make.position(6))
    library.failures[function] = [(-1, "Terminal: Call failed")]

    reports = []
    with pytest.raises(CallFailed) as caught:
        while True:
            report, _ = reader.feed.step(reader.now)
            reports += [report] if report else []
    assert caught.value.function == function
    reader.now = reader.feed.failed(reader.now)
    reports += reader.read()

    sent = {
        row.ticket
        for report in reports
        for row in (*report.deals, *report.history, *report.orders, *report.positions)
    }
    assert sent == {3, 4, 5, 6}


def test_the_first_reading_that_fails_is_read_whole_again(library, make):
    library.deals = [make.deal(3, NOW)]
    reader = Reader(library)
    library.failures["positions_get"] = [(-1, "Terminal: Call failed")]
    with pytest.raises(CallFailed):
        reader.read()
    reader.now = reader.feed.failed(reader.now)

    report = reader.only()

    assert report.full and report.deals[0].ticket == 3


def test_nothing_of_another_account_is_sent(library, make):
    library.positions = [make.position(1)]
    reader = Reader(library)
    reader.read()

    mine = library.account
    library.account = mine._replace(login=8)
    library.deals = [make.deal(99, NOW)]
    library.positions = []
    (foreign,) = reader.read()
    assert isinstance(foreign, Foreign)
    assert foreign.account.login == 8 and "expected account 7" in foreign.reason
    assert reader.read() == []

    library.account = mine
    library.deals = []
    library.positions = [make.position(1)]
    report = reader.only()
    assert report.full and not report.deals and report.positions[0].ticket == 1


def test_an_account_that_is_switched_while_positions_are_read_is_noticed(library, make):
    reader = Reader(library)
    reader.read()

    def switch(function):
        if function == "orders_get":
            library.account = library.account._replace(login=8)
            library.positions = [make.position(77)]

    library.on_call = switch
    reports = reader.read()

    assert [type(report) for report in reports] == [Foreign]


def test_a_terminal_that_is_logged_out_is_a_fault_and_not_another_account(library):
    reader = Reader(library)
    reader.read()
    mine = library.account
    library.account = mine._replace(login=0, server="")

    with pytest.raises(CallFailed, match="no account"):
        reader.read()
    reader.now = reader.feed.failed(reader.now)
    library.account = mine

    assert isinstance(reader.only(), Trade)


def test_a_deal_that_comes_late_and_with_an_old_time_is_found(library, make):
    """Such as after the server's clock has stepped back, or history was synchronised."""
    library.deals = [make.deal(1, NOW - 50_000), make.deal(2, NOW)]
    reader = Reader(library)
    reader.read()
    library.deals.append(make.deal(3, NOW - 7_200))

    assert [deal.ticket for report in reader.read() for deal in report.deals] == [3]
    assert reader.changes() == []


def test_a_terminal_that_counts_more_than_it_lists_is_asked_patiently(library, make):
    library.deals = [make.deal(1, NOW)]
    reader = Reader(library)
    reader.read()
    library._history_deals_total = lambda start, end: len(library.deals) + 1
    library.calls.clear()

    for _ in range(20):
        assert reader.changes() == []

    whole = [args for name, args, _ in library.calls if name == "history_deals_get"]
    assert sum(start == 1 for start, _ in whole) == 1
    library.deals.append(make.deal(2, NOW + 1))
    assert [deal.ticket for report in reader.read() for deal in report.deals] == [2]


def test_a_short_history_is_read_whole(library, make):
    library.deals = [make.deal(n, n + 1) for n in range(2_000)]

    assert len(Reader(library).only().deals) == 2_000


def test_of_a_long_history_the_newest_are_read(library, make):
    library.deals = [make.deal(n, NOW - 10 * (5_000 - n)) for n in range(5_000)]

    report = Reader(library).only()

    assert len(report.deals) == 1_000
    assert report.deals[-1].ticket == 4_999
    assert report.deals_from == report.deals[0].time - 9


def test_a_restarted_feed_reads_from_where_the_first_one_did(library, make):
    library.deals = [make.deal(n, NOW + n) for n in range(50)]

    report = Reader(library, deals_from=NOW + 40, orders_from=NOW).only()

    assert [deal.ticket for deal in report.deals] == list(range(40, 50))
    assert (report.deals_from, report.orders_from) == (NOW + 40, NOW)


@given(st.lists(st.integers(1, 2**31 - 2), max_size=20))
def test_a_window_is_found_at_any_server_time(make, times):
    library = make.library()
    library._history_deals_total = lambda start, end: 500 * sum(t >= start for t in times)

    search, calls = recent_start(library, DEALS), 0
    with pytest.raises(StopIteration) as stop:
        while True:
            next(search)
            calls += 1
    start = stop.value.value

    def count(second):
        return library._history_deals_total(second, 2**31 - 1)

    assert calls <= 33
    if count(1) <= 2_000:
        assert start == 1
    else:
        assert count(start) <= 1_000 < count(start - 1)
