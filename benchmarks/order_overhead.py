"""What does the adapter add to an order? From `submit_order` to `OrderFilled`, less the terminal.

The same market orders are sent once through a node, once directly through the library's module in a
process of its own. What lies between the two is NautilusTrader's engines, measured alone beside it,
and ours: two processes, the identity check and the reading that turns an answer into a deal.
"""

import asyncio
import json
import subprocess
import sys
import time

import numpy as np
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from benchmarks import nautilus_alone
from benchmarks.figures import Figure
from benchmarks.node import run_node, terminal_config, until
from tradingview_scraper.adapters.mt5.simulator.control import launch

ORDERS, WARM, PAUSE_SECS = 300, 30, 0.05
_DIRECT = """
import json, sys, time
import tradingview_scraper.adapters.mt5.simulator as mt5
path, count = sys.argv[1], int(sys.argv[2])
assert mt5.initialize(path), mt5.last_error()
info = mt5.symbol_info("EURUSD")
mt5.symbol_select("EURUSD", True)
spent, position = [], 0
for number in range(count):
    request = {"action": 1, "symbol": "EURUSD", "volume": 0.01, "type": number % 2,
               "price": mt5.symbol_info_tick("EURUSD").ask, "type_filling": 1, "magic": 7}
    if number % 2:
        request["position"] = position
    started = time.perf_counter_ns()
    result = mt5.order_send(request)
    spent.append(time.perf_counter_ns() - started)
    assert result is not None and result.retcode == 10009, (result, mt5.last_error())
    position = result.order
    time.sleep(0.05)
mt5.shutdown()
print(json.dumps(spent))
"""


class Trader(Strategy):
    """Opens and closes 0.01 lot of EURUSD, one order after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.instrument_id = InstrumentId.from_str("EURUSD.MT5")
        self.spent: list[int] = []
        self.sent = 0
        self.filled = asyncio.Event()

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.instrument_id)

    def trade(self) -> None:
        """Send the next order."""
        instrument = self.cache.instrument(self.instrument_id)
        side = OrderSide.SELL if len(self.spent) % 2 else OrderSide.BUY
        order = self.order_factory.market(self.instrument_id, side, instrument.make_qty(1_000))
        open_positions = self.cache.positions_open(instrument_id=self.instrument_id)
        position_id = open_positions[0].id if open_positions else None
        self.sent = time.perf_counter_ns()
        self.submit_order(order, position_id=position_id)

    def on_order_filled(self, event: OrderFilled) -> None:
        self.spent.append(time.perf_counter_ns() - self.sent)
        self.filled.set()


def run() -> list[Figure]:
    """Percentiles through the node, directly, and their difference."""
    with launch("demo-hedging") as control:
        trader = Trader()

        async def drive(node: TradingNode) -> None:
            await until(lambda: node.cache.quote_tick(trader.instrument_id) is not None, 30)
            for _ in range(ORDERS):
                trader.filled.clear()
                trader.trade()
                await asyncio.wait_for(trader.filled.wait(), 30)
                await asyncio.sleep(PAUSE_SECS)

        run_node(terminal_config(control), ["EURUSD"], trader, drive, trading=True)
        answer = subprocess.run(
            [sys.executable, "-c", _DIRECT, control.path, str(ORDERS)],
            check=True,
            capture_output=True,
            text=True,
        )
    alone = np.array(nautilus_alone.spent_ns(ORDERS, PAUSE_SECS)[WARM:]) / 1e6
    ours = np.array(trader.spent[WARM:]) / 1e6
    direct = np.array(json.loads(answer.stdout)[WARM:]) / 1e6
    our_p50, our_p99 = np.percentile(ours, [50, 99])
    direct_p50, direct_p99 = np.percentile(direct, [50, 99])
    return [
        Figure("submit_order -> OrderFilled, p50", float(our_p50), "ms"),
        Figure("submit_order -> OrderFilled, p99", float(our_p99), "ms"),
        Figure("order_send directly, p50 (floor)", float(direct_p50), "ms"),
        Figure("order_send directly, p99", float(direct_p99), "ms"),
        Figure("NautilusTrader alone, p50 (floor)", float(np.median(alone)), "ms"),
        Figure("overhead, p50", float(our_p50 - direct_p50), "ms", limit=1.5),
        Figure("overhead, p99", float(our_p99 - direct_p50), "ms", limit=6.0),
    ]
