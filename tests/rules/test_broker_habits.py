"""What past deals and bars say of a broker: commissions and trading hours."""

from typing import Any

import numpy as np

from tradingview_scraper.adapters.mt5.rules.commissions import commission_per_lot
from tradingview_scraper.adapters.mt5.rules.trading_hours import trading_hours
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal

MONDAY = 1_741_564_800


def _deal(**fields: Any) -> TradeDeal:
    zeros = {int: 0, float: 0.0, str: ""}
    blank = {name: zeros[kind] for name, kind in TradeDeal.__annotations__.items()}
    return TradeDeal(**{**blank, **fields})


def test_commission_is_by_lot_and_symbol_and_balance_operations_do_not_count() -> None:
    deals = [
        _deal(symbol="EURUSD", type=0, volume=0.01, commission=-0.04),
        _deal(symbol="EURUSD", type=1, volume=2.0, commission=-7.0, fee=-0.0),
        _deal(symbol="US500", type=1, volume=1.0),
        _deal(type=2, profit=10_000.0),
    ]
    assert commission_per_lot(deals) == {"EURUSD": 3.5, "US500": 0.0}


def test_hours_bridge_quiet_quarters_and_keep_pauses() -> None:
    day = np.arange(0, 86_400, 900)
    open_ = day[(day < 60 * 600) | (day >= 60 * 660)]
    quiet = open_[open_ != 7_200]
    bars = np.concatenate([MONDAY + quiet, MONDAY + 4 * 86_400 + quiet])
    assert trading_hours(bars, 900) == (
        "Mon 00:00-10:00, Mon 11:00-24:00, Fri 00:00-10:00, Fri 11:00-24:00"
    )


def test_market_that_never_closes_is_always_open() -> None:
    assert trading_hours(np.arange(MONDAY, MONDAY + 7 * 86_400, 900), 900) == "always"
    assert trading_hours(np.empty(0, np.int64), 900) == ""
