"""How old is a tick when the strategy sees it? 20 symbols, 20 ticks/s each, polled every 10 ms.

The terminal reveals a tick at its own millisecond stamp, exactly, so the clock's reading in
`on_quote_tick` minus the stamp is the age, from the tick being in the terminal.
"""

import importlib
import time

import numpy as np
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from benchmarks.figures import Figure
from benchmarks.node import first_tick, run_node, terminal_config, until
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

SYMBOLS = [f"EURUSD.{number:02d}" for number in range(20)]
PER_SECOND = 20
WARM_SECS, SECS = 3, 20


class Watcher(Strategy):
    """Notes when each quote arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.ages: list[tuple[int, int]] = []

    def on_start(self) -> None:
        for symbol in SYMBOLS:
            self.subscribe_quote_ticks(InstrumentId.from_str(f"{symbol}.MT5"))

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.ages.append((tick.ts_event, time.time_ns() - tick.ts_event))


def run() -> list[Figure]:
    """Percentiles of the ticks' age, and the time of a sweep over the symbols."""
    scenario = {
        "extends": "demo-hedging",
        "symbols": [{"name": symbol, "like": "EURUSD"} for symbol in SYMBOLS],
        "prices": {"synthetic": False},
    }
    with launch(scenario) as control:
        for symbol in SYMBOLS:
            control.push_ticks(symbol, first_tick())
        watcher = Watcher()
        expected = 0

        async def drive(_: TradingNode) -> None:
            nonlocal expected
            await until(lambda: len(watcher.ages) == len(SYMBOLS), 30)
            expected = _schedule(control) + len(SYMBOLS)
            await until(lambda: len(watcher.ages) >= expected, WARM_SECS + SECS + 30, 0.05)

        run_node(terminal_config(control), SYMBOLS, watcher, drive)
        sweep = _sweep(control)
    begin = watcher.ages[len(SYMBOLS)][0] + WARM_SECS * 1_000_000_000
    ages = np.array([age for stamp, age in watcher.ages if stamp >= begin]) / 1e6
    p50, p99 = np.percentile(ages, [50, 99])
    return [
        Figure("ticks measured", len(ages), ""),
        Figure("age at on_quote_tick, p50", float(p50), "ms", limit=5.5),
        Figure("age at on_quote_tick, p99", float(p99), "ms", limit=13.0),
        Figure("floor: half a poll interval", 5.0, "ms"),
        Figure("p50 / floor", float(p50) / 5.0, "x"),
        Figure("one sweep of symbol_info_tick over 20 symbols", sweep, "ms"),
    ]


def _schedule(control: Control) -> int:
    """Ticks at random milliseconds of the next seconds; returns how many."""
    random = np.random.default_rng(7)
    now = ZoneRule.parse("America/New_York+7h").server_msc(time.time_ns())
    count = PER_SECOND * (WARM_SECS + SECS)
    for number, symbol in enumerate(SYMBOLS):
        rows = np.zeros(count, TICK_DTYPE)
        offsets = np.sort(random.integers(500, (WARM_SECS + SECS) * 1000, count))
        rows["time_msc"] = now + offsets
        rows["time"] = rows["time_msc"] // 1000
        rows["bid"] = 1.1 + number * 0.01 + np.arange(count) * 1e-5
        rows["ask"] = rows["bid"] + 0.0001
        rows["flags"] = 6
        control.push_ticks(symbol, rows)
    return count * len(SYMBOLS)


def _sweep(control: Control) -> float:
    library = importlib.import_module(SIMULATOR_MODULE)
    library.initialize(control.path)
    rounds = 50
    started = time.perf_counter()
    for _ in range(rounds):
        for symbol in SYMBOLS:
            library.symbol_info_tick(symbol)
    elapsed = time.perf_counter() - started
    library.shutdown()
    return elapsed / rounds * 1e3
