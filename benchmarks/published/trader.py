"""How does the published adapter do the work? Run by its own interpreter, prints JSON.

``python trader.py LOGIN PASSWORD SERVER``, with the scenario in ``MT5_SIMULATOR_SCENARIO``: orders
one after the other (milliseconds from `submit_order` to its events), then the longest
stall of the loop while a call hangs, then an order whose reply is lost after its execution.
"""

import asyncio
import json
import sys
import time
from typing import Any

from mt5connect.config import MT5Config
from mt5connect.factories import (
    MT5LiveDataClientFactory,
    MT5LiveExecClientFactory,
    build_mt5_node_config,
)
from nautilus_trader.config import LoggingConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Quantity
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5.simulator.control import connect

ID = InstrumentId.from_str("EURUSD.MT5")
ORDERS, HANG_SECS = 30, 5.0


class Trader(Strategy):
    """Sends orders of 0.01 lot, in lots as the published adapter counts, and keeps the events."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, int] = {}

    def on_start(self) -> None:
        self.subscribe_quote_ticks(ID)

    def on_event(self, event: Any) -> None:
        if hasattr(event, "client_order_id"):
            self.seen[f"{event.client_order_id} {type(event).__name__}"] = time.perf_counter_ns()

    def trade(self, side: OrderSide) -> tuple[str, int]:
        order = self.order_factory.market(ID, side, Quantity.from_str("0.01"))
        sent = time.perf_counter_ns()
        self.submit_order(order)
        return order.client_order_id.value, sent


async def first(trader: Trader, name: str, kinds: tuple[str, ...], seconds: float) -> str:
    """The first of the kinds of event that an order gets, "" when it gets none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for kind in kinds:
            if f"{name} {kind}" in trader.seen:
                return kind
        await asyncio.sleep(0.001)
    return ""


async def measure(trader: Trader, control: Any) -> dict[str, Any]:
    spent: dict[str, list[float]] = {"OrderAccepted": [], "OrderFilled": []}
    for number in range(ORDERS):
        name, sent = trader.trade(OrderSide.SELL if number % 2 else OrderSide.BUY)
        for kind, found in spent.items():
            if await first(trader, name, (kind,), 3.0):
                found.append((trader.seen[f"{name} {kind}"] - sent) / 1e6)
        await asyncio.sleep(0.05)
    # Before the lost reply: that may cost the library its connection.
    stall = await stalled(control)
    before = len(control.books()["deals"])
    control.lose_reply("order_send", when="after")
    name, _ = trader.trade(OrderSide.BUY)
    verdict = await first(trader, name, ("OrderRejected", "OrderFilled"), 10.0)
    executed = len(control.books()["deals"]) - before
    return {
        "orders": ORDERS,
        "accepted_ms": spent["OrderAccepted"],
        "filled_ms": spent["OrderFilled"],
        "lost_reply": {"verdict": verdict, "deals": executed},
        "stall_ms": stall,
    }


async def stalled(control: Any) -> float:
    control.hang(HANG_SECS, "symbol_info_tick")
    longest, end = 0.0, time.perf_counter() + HANG_SECS + 2
    last = time.perf_counter()
    while last < end:
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last - 0.001), now
    return longest * 1e3


async def main(login: str, password: str, server: str, path: str) -> None:
    settings = MT5Config(account=int(login), password=password, server=server, symbols=["EURUSD"])
    config = build_mt5_node_config(settings, logging_config=LoggingConfig(log_level="ERROR"))
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    trader = Trader()
    node.trader.add_strategy(trader)
    node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
    node.add_exec_client_factory("MT5", MT5LiveExecClientFactory)
    node.build()
    running = asyncio.ensure_future(node.run_async())
    end = time.monotonic() + 60
    while node.cache.quote_tick(ID) is None:
        if time.monotonic() > end:
            raise TimeoutError("no quote after 60 s: the node has not started")
        await asyncio.sleep(0.01)
    document = await measure(trader, connect(path))
    sys.stdout.write("\n" + json.dumps(document) + "\n")
    sys.stdout.flush()
    running.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
