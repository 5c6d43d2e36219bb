"""What real terminals have answered, as NautilusTrader gets it: symbols, and the ends of weeks.

Recorded from demo accounts of Tickmill (2026), Deriv (2024), MetaQuotes (2022) and IC Markets
(bars of 2025, server time New York + 7 h), and from a terminal on B3 (2023).
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from nautilus_trader.model.data import BarType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.instruments import Cfd, CurrencyPair, OptionContract

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.bars import bars
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import listing
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE

NEW_YORK = ZoneInfo("America/New_York")


class Symbol(NamedTuple):
    """The fields that decide, as they were answered, and what they make."""

    broker: str
    name: str
    calc_mode: int
    currencies: str
    digits: int
    contract_size: float
    volume_min: float
    volume_step: float
    volume_max: float
    kind: type
    #: Units.
    increment: str
    most: str


SYMBOLS = [
    Symbol(
        "Tickmill", "EURUSD", 0, "EUR USD EUR", 5, 1e5, 0.01, 0.01, 100, CurrencyPair, "1000", "1e7"
    ),
    Symbol(
        "Tickmill", "XAUUSD", 0, "XAU USD XAU", 2, 100, 0.01, 0.01, 100, CurrencyPair, "1", "1e4"
    ),
    Symbol("Tickmill", "USTEC", 3, "USD USD USD", 2, 1, 0.01, 0.01, 250, Cfd, "0.01", "250"),
    Symbol("Tickmill", "BTCUSD", 2, "USD USD USD", 2, 1, 0.01, 0.01, 30, Cfd, "0.01", "30"),
    Symbol("Deriv", "EURUSD", 0, "EUR USD EUR", 5, 1e5, 0.01, 0.01, 10, CurrencyPair, "1e3", "1e6"),
    Symbol("Deriv", "USDJPY", 0, "USD JPY USD", 3, 1e5, 0.01, 0.01, 10, CurrencyPair, "1e3", "1e6"),
    Symbol("Deriv", "XAUUSD", 0, "XAU USD XAU", 2, 100, 0.01, 0.01, 10, CurrencyPair, "1", "1000"),
    Symbol("Deriv", "Germany 40", 4, "EUR EUR EUR", 2, 1, 0.1, 0.1, 100, Cfd, "0.1", "100"),
    Symbol("Deriv", "US Oil", 4, "USD USD USD", 3, 1, 1, 1, 1000, Cfd, "1", "1000"),
    Symbol("Deriv", "BTCUSD", 2, "USD USD USD", 3, 1, 0.01, 0.01, 5, Cfd, "0.01", "5"),
    Symbol("Deriv", "AAPL", 3, "USD USD USD", 2, 1, 1, 1, 100, Cfd, "1", "100"),
    Symbol(
        "Deriv", "Volatility 75 Index", 4, "USD USD USD", 2, 1, 0.001, 0.001, 1, Cfd, "0.001", "1"
    ),
    Symbol(
        "MetaQuotes",
        "EURUSD",
        0,
        "EUR USD EUR",
        5,
        1e5,
        0.01,
        0.01,
        500,
        CurrencyPair,
        "1e3",
        "5e7",
    ),
]


@pytest.mark.parametrize("symbol", SYMBOLS, ids=lambda symbol: f"{symbol.broker} {symbol.name}")
def test_recorded_symbol_maps(info_of, zone, symbol):
    base, profit, margin = symbol.currencies.split()
    info = info_of(
        "EURUSD",
        name=symbol.name,
        trade_calc_mode=symbol.calc_mode,
        currency_base=base,
        currency_profit=profit,
        currency_margin=margin,
        digits=symbol.digits,
        point=10.0**-symbol.digits,
        trade_tick_size=10.0**-symbol.digits,
        trade_contract_size=symbol.contract_size,
        volume_min=symbol.volume_min,
        volume_step=symbol.volume_step,
        volume_max=symbol.volume_max,
    )
    made = listing(info, venue=Venue("MT5"), leverage=100, zone=zone, ts_init=1).instrument
    assert type(made) is symbol.kind
    assert made.id.value == f"{symbol.name}.MT5"
    assert made.price_precision == symbol.digits
    assert made.price_increment.as_decimal() == Decimal(10) ** -symbol.digits
    assert made.size_increment.as_decimal() == Decimal(symbol.increment)
    assert made.min_quantity.as_decimal() == Decimal(symbol.increment)
    assert made.max_quantity.as_decimal() == Decimal(symbol.most)
    assert made.quote_currency.code == profit


def test_recorded_option_of_an_exchange_maps(info_of, zone):
    info = info_of(
        "EURUSD",
        name="PETRQ266",
        trade_calc_mode=35,
        currency_base="BRL",
        currency_profit="BRL",
        currency_margin="BRL",
        digits=2,
        point=0.01,
        trade_tick_size=0.01,
        trade_contract_size=1.0,
        volume_min=100.0,
        volume_step=100.0,
        volume_max=56_020_428.0,
        expiration_time=1_684_540_799,
        option_strike=21.18,
        option_right=1,
        basis="PETR4",
        isin="BRPETR4Q0YD8",
    )
    found = listing(info, venue=Venue("MT5"), leverage=100, zone=zone, ts_init=1)
    assert type(found.instrument) is OptionContract
    assert (found.instrument.underlying, str(found.instrument.strike_price)) == ("PETR4", "21.18")
    # NautilusTrader lets no option have a step of its own: orders are checked against ours.
    assert (found.sizing.min_units, found.sizing.size_increment) == (100, 100)


#: Server seconds and close of the last M1 bar of a week and of the first of the next one.
MINUTES = [
    (1741391760, 1.08321, 1741564800, 1.08254),
    (1741996560, 1.08802, 1742169600, 1.08706),
    (1742601360, 1.08124, 1742774400, 1.08116),
    (1743206160, 1.08306, 1743379200, 1.08203),
]
#: The same of H1 bars in autumn, when Europe's clocks and New York's go back a week apart.
HOURS = [
    (1760742000, 1.16511, 1760918400, 1.16558),
    (1761346800, 1.16278, 1761523200, 1.16284),
    (1761951600, 1.15376, 1762128000, 1.15303),
    (1762556400, 1.15642, 1762732800, 1.15551),
]


@pytest.fixture
def translated(listing_of, zone):
    """Recorded bars of EURUSD, given as server seconds and closes."""

    def translate(timeframe, step, *recorded):
        rows = np.zeros(len(recorded), RATE_DTYPE)
        rows["time"] = [at for at, _ in recorded]
        for field in ("open", "high", "low", "close"):
            rows[field] = [close for _, close in recorded]
        kind = BarType.from_str(f"EURUSD.MT5-{step}-BID-EXTERNAL")
        made = bars(
            rows, bar_type=kind, timeframe=timeframe, listing=listing_of("EURUSD"), zone=zone
        )
        return [
            (datetime.fromtimestamp(bar.ts_event / 1e9, UTC), bar.close.as_double())
            for bar in made.bars
        ]

    return translate


@pytest.mark.parametrize(("last_at", "last", "first_at", "first"), MINUTES)
def test_recorded_week_ends_on_friday_and_opens_on_sunday_at_17_in_new_york(
    translated, last_at, last, first_at, first
):
    """Over the night of 9 March 2025, when New York's clocks went forward, and after it."""
    (closed, its), (opened, others) = translated(
        Timeframe.M1, "1-MINUTE", (last_at, last), (first_at, first)
    )
    assert (its, others) == (last, first)
    # A bar is stamped with its end.
    assert closed.astimezone(NEW_YORK).strftime("%a %H:%M") == "Fri 16:57"
    assert opened.astimezone(NEW_YORK).strftime("%a %H:%M") == "Sun 17:01"


@pytest.mark.parametrize(("last_at", "last", "first_at", "first"), HOURS)
def test_recorded_week_opens_at_17_in_new_york_in_autumn_too(
    translated, last_at, last, first_at, first
):
    (closed, its), (opened, others) = translated(
        Timeframe.H1, "1-HOUR", (last_at, last), (first_at, first)
    )
    assert (its, others) == (last, first)
    assert closed.astimezone(NEW_YORK).strftime("%a %H:%M") == "Fri 17:00"
    assert opened.astimezone(NEW_YORK).strftime("%a %H:%M") == "Sun 18:00"


def test_recorded_weeks_end_at_17_in_new_york_when_the_next_one_could_begin(translated):
    recorded = [
        (1740873600, 1.08321),
        (1741478400, 1.08802),
        (1742083200, 1.08124),
        (1742688000, 1.08306),
        (1743292800, 1.09636),
    ]
    made = translated(Timeframe.W1, "1-WEEK", *recorded)
    assert [close for _, close in made] == [close for _, close in recorded]
    assert [at.astimezone(NEW_YORK).strftime("%a %d %H:%M") for at, _ in made] == [
        "Sat 08 17:00",
        "Sat 15 17:00",
        "Sat 22 17:00",
        "Sat 29 17:00",
        "Sat 05 17:00",
    ]
