"""What does watching a full account cost, and how soon is a change seen? 200 orders, 100 positions.

While nothing changes the worker of the trade lane reads orders, positions, account and history at
each poll and reports nothing. Then changes are made by hand, at random moments within the poll
interval, and timed from the terminal's answer to the strategy's event.
"""

import asyncio
import random
import time

import numpy as np
import psutil
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.events import OrderEvent
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from benchmarks.figures import Figure
from benchmarks.node import first_tick, run_node, terminal_config, until
from tradingview_scraper.adapters.mt5.client import Lane
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch
from tradingview_scraper.adapters.mt5.terminal.constants import OrderFilling, TradeAction

ORDERS, POSITIONS = 200, 100
POLL_MS = 50
SETTLE_SECS, SECS = 5.0, 10.0
CHANGES = 120


class Watcher(Strategy):
    """Notes when it heard that an order made by hand was cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[str, int] = {}

    def on_start(self) -> None:
        self.subscribe_quote_ticks(InstrumentId.from_str("EURUSD.MT5"))
        self.msgbus.subscribe("events.order.*", self._on_event)

    def _on_event(self, event: OrderEvent) -> None:
        if type(event).__name__ == "OrderCanceled":
            self.heard[event.venue_order_id.value] = time.perf_counter_ns()


def run() -> list[Figure]:
    """Shares of a core in percent; milliseconds from a change to its event."""
    shares: list[float] = []
    waited: list[float] = []
    scenario = {"extends": "demo-hedging", "symbols": ["EURUSD"], "prices": {"synthetic": False}}
    with launch({**scenario, "account": {"leverage": 500}}) as control:
        tickets = _fill(control)
        watcher = Watcher()

        async def drive(node: TradingNode) -> None:
            await until(lambda: len(node.cache.orders_open()) >= ORDERS, 60)
            await until(lambda: len(node.cache.positions_open()) >= POSITIONS, 60)
            client = node.kernel.exec_engine._clients[ClientId("MT5")]
            processes = [psutil.Process(), psutil.Process(client._mt5.pids[Lane.TRADE])]
            await asyncio.sleep(SETTLE_SECS)
            before, began = [_cpu(process) for process in processes], time.perf_counter()
            await asyncio.sleep(SECS)
            elapsed = time.perf_counter() - began
            for process, used in zip(processes, before, strict=True):
                shares.append((_cpu(process) - used) / elapsed * 100)
            chance = random.Random(7)
            for ticket in tickets[:CHANGES]:
                await asyncio.sleep(0.1 + chance.random() * POLL_MS / 1000)
                await asyncio.to_thread(_remove, control, ticket)
                done = time.perf_counter_ns()
                await until(lambda: str(ticket) in watcher.heard, 10, 0.002)  # noqa: B023
                waited.append((watcher.heard[str(ticket)] - done) / 1e6)

        config = terminal_config(control, trade_poll_ms=POLL_MS)
        run_node(config, ["EURUSD"], watcher, drive, trading=True)
    p50, p99 = np.percentile(waited, [50, 99])
    return [
        Figure(f"node, {ORDERS} orders and {POSITIONS} positions", shares[0], "% of a core", 2.0),
        Figure("trade lane", shares[1], "% of a core"),
        Figure("change -> event, p50", float(p50), "ms", POLL_MS + 2.0),
        Figure("change -> event, p99", float(p99), "ms"),
        Figure("floor: half a poll interval", POLL_MS / 2, "ms"),
    ]


def _fill(control: Control) -> list[int]:
    """Positions and waiting orders; returns the orders' tickets."""
    filling = int(OrderFilling.IOC)
    control.push_ticks("EURUSD", first_tick())
    for _ in range(POSITIONS):
        result = control.trade_by_hand(
            action=int(TradeAction.DEAL), symbol="EURUSD", type=0, volume=0.01, type_filling=filling
        )
        assert result["retcode"] == 10009, result
    tickets = []
    for number in range(ORDERS):
        result = control.trade_by_hand(
            action=int(TradeAction.PENDING),
            symbol="EURUSD",
            type=2,
            volume=0.01,
            price=round(1.05 - number * 1e-5, 5),
            type_filling=int(OrderFilling.RETURN),
        )
        assert result["retcode"] == 10009, result
        tickets.append(int(result["order"]))
    return tickets


def _remove(control: Control, ticket: int) -> None:
    result = control.trade_by_hand(action=int(TradeAction.REMOVE), order=ticket)
    assert result["retcode"] == 10009, result


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
