"""Which rate comes of a formula, of a terminal's answer, and of both?"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.margin import (
    formula_rate,
    maintenance_rate,
    margin_rate,
    measured_rate,
    probe,
)
from tradingview_scraper.adapters.mt5.rules.symbols import sizing
from tradingview_scraper.adapters.mt5.simulator.market.catalogue import CATALOGUE


def symbol(name="EURUSD", **fields):
    return CATALOGUE[name].info._replace(**({"bid": 2.0, "ask": 2.0} | fields))


@pytest.mark.parametrize(
    ("name", "fields", "rate"),
    [
        ("EURUSD", {}, "0.01"),
        ("EURUSD", {"trade_calc_mode": 5}, "1"),
        ("EURUSD", {"currency_margin": "USD"}, None),
        ("EURUSD", {"margin_initial": 1_000.0, "currency_margin": "USD"}, "0.005"),
        ("EURUSD", {"margin_initial": 1_000.0}, None),
        ("Germany 40", {}, "0.01"),
        ("BTCUSD", {"trade_calc_mode": 2}, "1"),
        ("US500", {}, "1"),
        ("US500", {"currency_margin": "EUR"}, None),
        ("#AAPL", {}, "1"),
        ("@ES", {"ask": 6_000.0}, "0.04"),
        ("@ES", {"margin_initial": 0.0}, None),
        ("@ES", {"ask": 0.0, "bid": 0.0}, None),
    ],
)
def test_formula(name, fields, rate):
    info = symbol(name, **fields)
    expected = None if rate is None else Decimal(rate)
    assert formula_rate(info, sizing(info), 100) == expected


@pytest.mark.parametrize(
    ("formula", "measured", "rate"),
    [
        ("0.01", None, "0.01"),
        (None, "0.2", "0.2"),
        (None, None, "1"),
        ("0.01", "0.010002", "0.01"),
        ("0.01", "0.05", "0.05"),
        ("1", "0", "0"),
    ],
)
def test_the_terminal_has_the_last_word(formula, measured, rate):
    given_rates = [None if text is None else Decimal(text) for text in (formula, measured)]
    assert margin_rate(*given_rates) == Decimal(rate)


@pytest.mark.parametrize("answer", [(1.0, 0.0), (-1.0, 5.0), (float("nan"), 5.0)])
def test_what_is_no_answer_is_no_rate(answer):
    assert measured_rate(*answer) is None


def test_a_maintenance_margin_of_zero_is_the_initial_one():
    assert maintenance_rate(symbol("@ES", margin_maintenance=0.0), Decimal("0.04")) == Decimal(
        "0.04"
    )
    assert maintenance_rate(symbol("@ES", margin_maintenance=6_000.0), Decimal("0.04")) == Decimal(
        "0.02"
    )


@given(price=st.floats(0.0001, 1e6))
@pytest.mark.parametrize("name", ["EURUSD", "US500", "#AAPL", "@ES"])
def test_the_terminal_is_asked_with_a_volume_that_it_takes(name, price):
    info = symbol(name, bid=price, ask=price)
    lots, at = probe(info, sizing(info))
    assert at == price
    assert info.volume_min <= lots <= info.volume_max
    steps = lots / info.volume_step
    assert steps == pytest.approx(round(steps))


def test_without_a_price_there_is_nothing_to_ask():
    info = symbol(bid=0.0, ask=0.0)
    assert probe(info, sizing(info)) is None
