"""The day's loss by the server's midnight: what counts, when it stops, when it ends."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.daily_loss import TRANSFERS, DailyLoss, Turn
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import DealType
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo, TradeDeal

ZONE = ZoneRule.parse("America/New_York+7h")
SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
#: Noon in London is 14:00 on the server's clock in winter.
NOON = int(datetime(2026, 1, 14, 12, tzinfo=UTC).timestamp()) * SECOND
MIDNIGHT = NOON + 10 * HOUR

_ZEROS = {bool: False, int: 0, float: 0.0, str: ""}


def blank(record, **fields):
    return record(**{name: _ZEROS[kind] for name, kind in record.__annotations__.items()} | fields)


def deal(ticket, at_ns, **fields):
    return blank(TradeDeal, ticket=ticket, time_msc=ZONE.server_msc(at_ns), **fields)


def account(floating=0.0):
    return blank(AccountInfo, balance=1_000.0, credit=50.0, equity=1_050.0 + floating)


def daily(limit=100.0, *, counts_floating=True):
    return DailyLoss(limit, zone=ZONE, counts_floating=counts_floating)


def test_profit_commission_swap_and_fee_count():
    loss = daily()
    loss.dealt(deal(1, NOON, profit=-50.0, commission=-20.0, swap=-20.0, fee=-9.0), NOON)
    assert loss.loss(NOON) == 99.0
    assert loss.look(NOON) is None and loss.stopped is None
    loss.dealt(deal(2, NOON, profit=-1.0), NOON)
    assert loss.look(NOON) is Turn.STOPPED
    assert loss.stopped.text.startswith("GUARD_DAILY_LOSS: ")
    assert "=100.00, limit=100.00" in loss.stopped.text


@pytest.mark.parametrize("kind", list(DealType))
def test_deposits_and_withdrawals_are_no_loss(kind):
    loss = daily()
    loss.dealt(deal(1, NOON, type=int(kind), profit=-500.0), NOON)
    assert (loss.look(NOON) is None) == (kind in TRANSFERS)


def test_deal_told_twice_counts_once():
    loss = daily()
    losing = deal(1, NOON, profit=-60.0)
    loss.seed([losing])
    loss.dealt(losing, NOON)
    assert loss.loss(NOON) == 60.0


def test_yesterdays_deals_do_not_count():
    loss = daily()
    loss.seed([deal(1, MIDNIGHT - SECOND, profit=-500.0), deal(2, MIDNIGHT, profit=-7.0)])
    assert loss.loss(MIDNIGHT) == 7.0


def test_floating_loss_counts_as_configured():
    for counts in (True, False):
        loss = daily(counts_floating=counts)
        loss.read(account(-100.0))
        assert (loss.look(NOON) is Turn.STOPPED) == counts


def test_closing_a_losing_position_does_not_count_its_loss_twice():
    loss = daily()
    loss.read(account(-60.0))
    # The deal comes before the account is read anew.
    loss.dealt(deal(1, NOON, profit=-60.0), NOON)
    assert loss.loss(NOON) == 60.0
    loss.read(account(-5.0))
    assert loss.loss(NOON) == 65.0


def test_stopped_until_midnight_whatever_is_won_back():
    loss = daily()
    loss.dealt(deal(1, NOON, profit=-150.0), NOON)
    assert loss.look(NOON) is Turn.STOPPED
    loss.dealt(deal(2, NOON, profit=500.0), NOON)
    assert loss.look(MIDNIGHT - SECOND) is None and loss.stopped is not None
    assert loss.look(MIDNIGHT) is Turn.RESUMED
    assert loss.stopped is None and loss.look(MIDNIGHT) is None


def test_a_floating_loss_over_midnight_stops_the_next_day_too():
    loss = daily()
    loss.read(account(-150.0))
    assert loss.look(NOON) is Turn.STOPPED
    assert loss.look(MIDNIGHT) is Turn.STOPPED
    assert loss.stopped is not None


def test_server_clock_that_is_not_what_the_rule_says_is_learnt_from_new_deals():
    """By the rule it is a new day already; the server stamps deals three hours earlier."""
    loss = daily()
    loss.seed([deal(1, MIDNIGHT - HOUR, profit=-60.0)])
    assert loss.loss(MIDNIGHT + HOUR) == 0.0
    loss.dealt(deal(2, MIDNIGHT - 2 * HOUR, profit=-60.0), MIDNIGHT + HOUR)
    assert loss.look(MIDNIGHT + HOUR) is Turn.STOPPED
    assert loss.loss(MIDNIGHT + HOUR) == 120.0
    assert loss.look(MIDNIGHT + 2 * HOUR) is None
    assert loss.look(MIDNIGHT + 3 * HOUR) is Turn.RESUMED


def test_a_deal_that_came_late_does_not_set_the_clock_back():
    loss = daily()
    loss.dealt(deal(1, NOON, profit=-1.0), NOON)
    loss.dealt(deal(2, NOON - 20 * HOUR, profit=-200.0), NOON + SECOND)
    assert loss.loss(NOON + SECOND) == 1.0


@given(
    st.lists(st.tuples(st.integers(0, 120), st.integers(-60, 60)), max_size=40),
)
def test_once_stopped_it_stays_stopped_until_a_midnight(steps):
    loss = daily()
    now, stopped_day = NOON, None
    for ticket, (minutes, money) in enumerate(steps):
        now += minutes * 60 * SECOND
        day = ZONE.server_msc(now) // 86_400_000
        loss.dealt(deal(ticket, now, profit=float(money)), now)
        turn = loss.look(now)
        if stopped_day == day:
            assert turn is None and loss.stopped is not None
        elif loss.loss(now) >= 100.0:
            assert turn is Turn.STOPPED and loss.stopped is not None
            stopped_day = day
        else:
            assert turn is (Turn.RESUMED if stopped_day is not None else None)
            assert loss.stopped is None
            stopped_day = None
