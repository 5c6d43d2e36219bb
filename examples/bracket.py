"""A bracket: one order with stop loss and take profit, which the server keeps.

    uv run python examples/bracket.py                   # the simulated terminal

Buys 0.01 lot of EURUSD with stops 500 points away, prints what becomes of the orders, and ends.
The position stays open: the node is gone, its stops at the server are not.
"""

import asyncio
import sys
from decimal import Decimal

from nautilus_trader.config import LoggingConfig, TradingNodeConfig
from nautilus_trader.core.message import Event
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderEvent
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import OrderList
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5 import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5InstrumentProviderConfig,
    MT5LiveDataClientFactory,
    MT5LiveExecClientFactory,
    MT5TerminalConfig,
)

EURUSD = InstrumentId.from_str("EURUSD.MT5")
DISTANCE = Decimal("0.00500")
SIMULATOR = "tradingview_scraper.adapters.mt5.simulator"


class Bracket(Strategy):
    """Sends one bracket, at the first quote."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: OrderList | None = None
        self.settled = asyncio.Event()

    def on_start(self) -> None:
        self.subscribe_quote_ticks(EURUSD)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        if self.sent is not None:
            return
        instrument = self.cache.instrument(EURUSD)
        ask = tick.ask_price.as_decimal()
        self.sent = self.order_factory.bracket(
            EURUSD,
            OrderSide.BUY,
            instrument.make_qty(1_000),
            sl_trigger_price=instrument.make_price(ask - DISTANCE),
            tp_price=instrument.make_price(ask + DISTANCE),
        )
        self.submit_order_list(self.sent)

    def on_event(self, event: Event) -> None:
        if self.sent is None or not isinstance(event, OrderEvent):
            return
        print(f"{event.client_order_id} {type(event).__name__}")
        entry, *stops = self.sent.orders
        if entry.is_closed and all(stop.is_open or stop.is_closed for stop in stops):
            self.settled.set()


async def run(path: str, login: int, module: str) -> list[str]:
    """Run a node until the bracket stands; how its orders do."""
    terminal = MT5TerminalConfig(path=path, login=login, module=module)
    instruments = MT5InstrumentProviderConfig(load_ids=frozenset({EURUSD}))
    clients = {"terminal": terminal, "instrument_provider": instruments}
    node = TradingNode(
        TradingNodeConfig(
            logging=LoggingConfig(log_level="WARNING"),
            data_clients={"MT5": MT5DataClientConfig(**clients)},
            exec_clients={"MT5": MT5ExecClientConfig(oms_type="HEDGING", **clients)},
            timeout_post_stop=0.1,
        )
    )
    strategy = Bracket()
    node.trader.add_strategy(strategy)
    node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
    node.add_exec_client_factory("MT5", MT5LiveExecClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    try:
        await strategy.settled.wait()
        assert strategy.sent is not None
        return [order.status_string() for order in strategy.sent.orders]
    finally:
        await node.stop_async()
        await running


def main(path: str = "demo-hedging", login: int = 5001234, module: str = SIMULATOR) -> list[str]:
    """Run the example on a terminal."""
    return asyncio.run(run(path, login, module))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:4])
    else:
        main()
