"""Does every tick arrive once and in order though the quotes worker is killed again and again?

A million ticks, many in one millisecond, are revealed piece by piece; ten times on the way the
worker is killed. The bid numbers the ticks, so that the strategy sees what is lost or doubled.
"""

import asyncio
from datetime import UTC, datetime

import numpy as np
import psutil
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from benchmarks.figures import Figure
from benchmarks.node import first_tick, run_node, terminal_config, until
from tradingview_scraper.adapters.mt5.client import Lane
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

TICKS, PIECES, KILLS, SPAN_SECS = 1_000_000, 50, 10, 200
START_MSC = ZoneRule.parse("America/New_York+7h").server_msc(1_772_618_400_000_000_000)
ID = InstrumentId.from_str("EURUSD.MT5")


class Auditor(Strategy):
    """Counts what comes next, what comes again and what is missing."""

    def __init__(self) -> None:
        super().__init__()
        self.next = 0
        self.lost = 0
        self.doubled = 0
        self.disordered = 0
        self._last_ns = 0

    def on_start(self) -> None:
        self.subscribe_quote_ticks(ID)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        number = round(float(tick.bid_price) * 100_000) - 100_000
        if number < self.next:
            self.doubled += 1
        else:
            self.lost += number - self.next
            self.next = number + 1
        self.disordered += tick.ts_event < self._last_ns
        self._last_ns = tick.ts_event


def run() -> list[Figure]:
    """All limits are zero."""
    scenario = {
        "extends": "demo-hedging",
        "symbols": ["EURUSD"],
        "clock": {"mode": "stepped", "start": datetime(2026, 3, 4, 10, tzinfo=UTC)},
        "prices": {"synthetic": False},
    }
    kills = 0
    with launch(scenario) as control:
        first = first_tick()
        first["bid"] = 1.0
        control.push_ticks("EURUSD", first)
        auditor = Auditor()

        async def drive(node: TradingNode) -> None:
            nonlocal kills
            await until(lambda: auditor.next == 1, 30)
            client = node.kernel.data_engine._clients[ClientId("MT5")]._mt5
            for piece, rows in enumerate(np.array_split(_rows(), PIECES)):
                await asyncio.to_thread(control.push_ticks, "EURUSD", rows)
                await asyncio.to_thread(control.advance, SPAN_SECS / PIECES)
                if piece % (PIECES // KILLS) == 1:
                    # In the middle of what it has to send.
                    await until(lambda: client.pids[Lane.QUOTES] and client.is_ready, 30)
                    psutil.Process(client.pids[Lane.QUOTES]).kill()
                    kills += 1
            await asyncio.to_thread(control.advance, 10)
            await until(lambda: auditor.next > TICKS, 120, 0.05)
            await asyncio.sleep(0.5)

        run_node(terminal_config(control, restart_delay_ms=50), ["EURUSD"], auditor, drive)
    return [
        Figure("ticks delivered", auditor.next, ""),
        Figure("workers killed", kills, "", limit=KILLS, at_least=True),
        Figure("lost", auditor.lost, "", limit=0),
        Figure("doubled", auditor.doubled, "", limit=0),
        Figure("out of order", auditor.disordered, "", limit=0),
    ]


def _rows() -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    """Ticks at random milliseconds, five in one on average; the bid numbers them from 1 on."""
    random = np.random.default_rng(11)
    rows = np.zeros(TICKS, TICK_DTYPE)
    rows["time_msc"] = START_MSC + 1 + np.sort(random.integers(0, SPAN_SECS * 1000, TICKS))
    rows["time"] = rows["time_msc"] // 1000
    rows["bid"] = np.round(1.0 + np.arange(1, TICKS + 1) * 1e-5, 5)
    rows["ask"], rows["flags"] = rows["bid"] + 0.0001, 6
    return rows
