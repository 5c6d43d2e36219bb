"""Names that brokers write in another way."""

import pytest

from tradingview_scraper.adapters.mt5.rules.suggestions import did_you_mean, suggestions

NAMES = ["EURUSD.a", "EURUSD.pro", "EURGBP.a", "XAUUSD", "US500", "#AAPL", "m.BTCUSD"]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("EURUSD", "EURUSD.a"),
        ("eurusd.A", "EURUSD.a"),
        ("EURUDS.a", "EURUSD.a"),
        ("AAPL", "#AAPL"),
        ("BTCUSD", "m.BTCUSD"),
        ("XAUUSD.raw", "XAUUSD"),
        ("US 500", "US500"),
    ],
)
def test_likeliest_comes_first(name: str, first: str) -> None:
    assert suggestions(name, NAMES)[0] == first


def test_nothing_alike_says_where_to_look() -> None:
    assert suggestions("ZZZ", NAMES) == []
    assert "mt5 instruments" in did_you_mean("ZZZ", NAMES)
