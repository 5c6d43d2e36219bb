"""How fast do rows of history become objects?

The floor is the fastest construction from the same rows: Nautilus' own from arrays, or integers
scaled in numpy and the raw constructor.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any

import numpy as np
from nautilus_trader.model.data import Bar, BarType, QuoteTick
from nautilus_trader.model.identifiers import InstrumentId, Venue
from nautilus_trader.model.objects import FIXED_PRECISION, Quantity

from benchmarks.figures import Figure
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.bars import bars
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.ticks import quote_ticks
from tradingview_scraper.adapters.mt5.rules.bars import closing_times
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.simulator.market.catalogue import CATALOGUE
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE

ROWS, ROUNDS = 50_000, 15
ID = InstrumentId.from_str("EURUSD.MT5")
ZONE = ZoneRule.parse("America/New_York+7h")
START = int((datetime(2025, 3, 10, 12, tzinfo=UTC) + timedelta(hours=2)).timestamp())


def run() -> list[Figure]:
    """Best of several rounds each, in turns."""
    return [*_quotes(), *_bars()]


def _quotes() -> list[Figure]:
    rows = np.zeros(ROWS, TICK_DTYPE)
    rows["time_msc"] = START * 1000 + np.arange(ROWS) * 7
    rows["time"] = rows["time_msc"] // 1000
    rows["bid"] = np.round(1.1 + np.arange(ROWS) % 1000 * 1e-5, 5)
    rows["ask"], rows["flags"] = rows["bid"] + 0.0001, 6
    size = Quantity.from_int(100_000)
    sizes = np.full(ROWS, 100_000.0)
    scale = 10 ** (FIXED_PRECISION - 5)

    def ours() -> Any:
        return quote_ticks(rows, instrument_id=ID, price_precision=5, size=size, zone=ZONE)

    def from_arrays() -> Any:
        stamps = ZONE.utc_ns_array(rows["time_msc"])
        return QuoteTick.from_raw_arrays_to_list(
            ID, 5, 0, rows["bid"], rows["ask"], sizes, sizes, stamps, stamps
        )

    def from_raw() -> Any:
        bids = (np.rint(rows["bid"] * 1e5).astype(np.int64) * scale).tolist()
        asks = (np.rint(rows["ask"] * 1e5).astype(np.int64) * scale).tolist()
        stamps = ZONE.utc_ns_array(rows["time_msc"]).tolist()
        five, raw, none = repeat(5), repeat(size.raw), repeat(0)
        make = QuoteTick.from_raw
        return list(
            map(make, repeat(ID), bids, asks, five, five, raw, raw, none, none, stamps, stamps)
        )

    return _compared("quotes", ours, [from_arrays, from_raw])


def _bars() -> list[Figure]:
    rows = np.zeros(ROWS, RATE_DTYPE)
    rows["time"] = START + np.arange(ROWS) * 60
    rows["open"] = rows["close"] = np.round(1.1 + np.arange(ROWS) % 1000 * 1e-5, 5)
    rows["high"], rows["low"], rows["tick_volume"] = rows["open"] + 1e-3, rows["open"] - 1e-3, 40
    bar_type = BarType.from_str("EURUSD.MT5-1-MINUTE-BID-EXTERNAL")
    info = CATALOGUE["EURUSD"].info
    known = listing(info, venue=Venue("MT5"), leverage=100, zone=ZONE, ts_init=1)

    def ours() -> Any:
        return bars(rows, bar_type=bar_type, timeframe=Timeframe.M1, listing=known, zone=ZONE)

    def from_arrays() -> Any:
        stamps = ZONE.utc_ns_array(closing_times(rows["time"], Timeframe.M1) * 1000)
        prices = (rows["open"], rows["high"], rows["low"], rows["close"])
        volumes = rows["tick_volume"].astype(np.float64)
        return Bar.from_raw_arrays_to_list(bar_type, 5, 0, *prices, volumes, stamps, stamps)

    return _compared("bars", ours, [from_arrays])


def _compared(name: str, ours: Callable[[], Any], floors: list[Callable[[], Any]]) -> list[Figure]:
    best = dict.fromkeys((ours, *floors), float("inf"))
    for _ in range(ROUNDS):
        for make in best:
            started = time.perf_counter()
            made = make()
            best[make] = min(best[make], time.perf_counter() - started)
            del made
    rate, floor = ROWS / best[ours], ROWS / min(best[make] for make in floors)
    return [
        Figure(f"{name} from rows", rate / 1e6, "M/s"),
        Figure(f"{name}, fastest construction (floor)", floor / 1e6, "M/s"),
        Figure(f"{name} / floor", rate / floor, "x", limit=0.8, at_least=True),
    ]
