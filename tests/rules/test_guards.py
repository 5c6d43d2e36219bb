"""Limits of one's own: what an order may open, how often, and until when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.guards import Asked, Limits, Line, OrderLimits

SECOND = 1_000_000_000
LOTS = st.integers(0, 500).map(lambda hundredths: hundredths / 100)
LINES = st.builds(Line, LOTS, LOTS, LOTS, LOTS)


def asked(**fields):
    given = {"symbol": "EURUSD", "opens": 1.0, "notional": 1_000.0, **fields}
    return Asked(**given)


@pytest.mark.parametrize(
    ("limits", "fields", "rule"),
    [
        ({"order_lots": 1.0}, {"opens": 1.01}, "GUARD_ORDER_LOTS"),
        ({"order_notional": 999.0}, {}, "GUARD_ORDER_NOTIONAL"),
        ({"order_notional": 999.0}, {"notional": None}, "GUARD_ORDER_NOTIONAL"),
        ({"open_lots": 3.0}, {"account_before": 2.5, "account_with": 3.5}, "GUARD_OPEN_LOTS"),
        ({"symbol_lots": 3.0}, {"symbol_before": 2.5, "symbol_with": 3.5}, "GUARD_SYMBOL_LOTS"),
    ],
)
def test_order_beyond_a_limit_is_refused_with_figure_and_limit(limits, fields, rule):
    (limit,) = limits.values()
    breach = OrderLimits(Limits(**limits)).admit(asked(**fields), 0)
    assert breach.rule == rule
    assert breach.limit == limit
    assert f"limit={limit:g}" in breach.text and breach.text.startswith(f"{rule}: ")
    assert OrderLimits(Limits(**limits)).admit(asked(**{**fields, "opens": 0.0}), 0) is None


def test_order_at_the_limit_passes():
    limits = Limits(order_lots=0.3, order_notional=1_000.0, open_lots=0.3, symbol_lots=0.3)
    at = asked(opens=0.1 + 0.2, account_with=0.1 + 0.2, symbol_with=0.1 + 0.2)
    assert OrderLimits(limits).admit(at, 0) is None


def test_order_that_leaves_no_more_open_passes_above_the_limit():
    """Somebody opened more by hand: an order against it is not refused for that."""
    limits = OrderLimits(Limits(open_lots=1.0, symbol_lots=1.0))
    against = asked(account_before=5.0, account_with=5.0, symbol_before=5.0, symbol_with=5.0)
    assert limits.admit(against, 0) is None


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 5))
def test_no_minute_has_more_opening_orders_than_the_limit(pauses, limit):
    limits = OrderLimits(Limits(orders_per_minute=limit))
    now, sent = 0, []
    for pause in pauses:
        now += pause * SECOND
        within = [at for at in sent if at > now - 60 * SECOND]
        breach = limits.admit(asked(), now)
        assert (breach is None) == (len(within) < limit)
        if breach is None:
            sent.append(now)


def test_closing_orders_count_for_the_rate_and_are_not_refused_by_it():
    limits = OrderLimits(Limits(orders_per_minute=2))
    assert [limits.admit(asked(opens=0.0), 0) for _ in range(3)] == [None] * 3
    assert limits.admit(asked(), 1).rule == "GUARD_ORDER_RATE"
    assert limits.admit(asked(), 60 * SECOND) is None


@given(LINES, st.booleans(), LOTS)
def test_what_an_order_opens_is_at_most_the_order(line, buys, lots):
    assert line.opened_by(buys=buys, lots=lots, hedging=True) == lots
    opened = line.opened_by(buys=buys, lots=lots, hedging=False)
    assert 0 <= opened <= lots


@given(LINES, st.booleans(), LOTS)
def test_an_order_that_only_closes_leaves_no_more_open(line, buys, lots):
    if line.opened_by(buys=buys, lots=lots, hedging=False) == 0:
        after = line.with_order(buys=buys, lots=lots).most(hedging=False)
        assert after <= line.most(hedging=False) + 1e-6


@given(LINES, st.booleans(), LOTS, st.booleans())
def test_one_more_order_never_leaves_less_open(line, buys, lots, hedging):
    after = line.with_order(buys=buys, lots=lots).most(hedging=hedging)
    assert after >= line.most(hedging=hedging) - 1e-9
