"""Symbols as names of folders, on every file system."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.archive.names import folder_name, symbol_of


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("EURUSD", "EURUSD"),
        ("#AAPL", "#AAPL"),
        ("EUR/USD", "EUR%2FUSD"),
        ("A*B", "A%2AB"),
        ("US 500", "US%20500"),
        ("EURUSD.", "EURUSD%2E"),
        (".DE40", "%2EDE40"),
        ("AUX", "%41UX"),
        ("con.x", "%63on.x"),
        ("100%", "100%25"),
    ],
)
def test_folder_is_safe_and_readable(symbol: str, name: str) -> None:
    assert folder_name(symbol) == name
    assert symbol_of(name) == symbol


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=29))
@example("%41")
@example("..")
@example("NUL.txt")
def test_every_symbol_comes_back_and_no_two_share_a_folder(symbol: str) -> None:
    name = folder_name(symbol)
    assert symbol_of(name) == symbol
    assert not set(name) & set('<>:"/\\|?*') and name[-1] not in ". "
    assert name.upper().split(".")[0] not in ("CON", "NUL", "AUX", "PRN", "COM1", "LPT1")
