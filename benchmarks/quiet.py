"""What do quiet subscribed symbols cost the node and its lane, from 10 of them to 1,000?"""

import asyncio
import time

import psutil
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from benchmarks.figures import Figure
from benchmarks.node import first_tick, run_node, terminal_config, until
from tradingview_scraper.adapters.mt5.client import Lane
from tradingview_scraper.adapters.mt5.simulator.control import launch

COUNTS = (10, 200, 1_000)
SETTLE_SECS, SECS = 8.0, 8.0


class Subscriber(Strategy):
    """Subscribes to quotes and counts them."""

    def __init__(self, symbols: list[str]) -> None:
        super().__init__()
        self._symbols = symbols
        self.seen = 0

    def on_start(self) -> None:
        for symbol in self._symbols:
            self.subscribe_quote_ticks(InstrumentId.from_str(f"{symbol}.MT5"))

    def on_quote_tick(self, tick: object) -> None:
        self.seen += 1


def run() -> list[Figure]:
    """Shares of a core in percent, over some seconds, after the symbols have become quiet."""
    figures = []
    for count in COUNTS:
        node, lane = _shares(count)
        limits = (2.0, 25.0) if count == 200 else (None, None)
        figures.append(Figure(f"node, {count} quiet symbols", node, "% of a core", limits[0]))
        figures.append(Figure(f"quotes lane, {count} symbols", lane, "% of a core", limits[1]))
    return figures


def _shares(count: int) -> tuple[float, float]:
    symbols = [f"EURUSD.{number:04d}" for number in range(count)]
    scenario = {
        "extends": "demo-hedging",
        "symbols": [{"name": symbol, "like": "EURUSD"} for symbol in symbols],
        "prices": {"synthetic": False},
    }
    shares: list[float] = []
    with launch(scenario) as control:
        for symbol in symbols:
            control.push_ticks(symbol, first_tick())
        strategy = Subscriber(symbols)

        async def drive(node: TradingNode) -> None:
            await until(lambda: strategy.seen >= count, 120)
            client = node.kernel.data_engine._clients[ClientId("MT5")]
            processes = [psutil.Process(), psutil.Process(client._mt5.pids[Lane.QUOTES])]
            await asyncio.sleep(SETTLE_SECS)
            before, began = [_cpu(process) for process in processes], time.perf_counter()
            await asyncio.sleep(SECS)
            elapsed = time.perf_counter() - began
            for process, used in zip(processes, before, strict=True):
                shares.append((_cpu(process) - used) / elapsed * 100)

        run_node(terminal_config(control), symbols, strategy, drive)
    return shares[0], shares[1]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
