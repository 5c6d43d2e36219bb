"""A first node: quotes of two instruments, printed as they come.

    uv run python examples/first_node.py                      # the simulated terminal
    uv run python examples/first_node.py "C:\\...\\terminal64.exe" MetaTrader5   # yours, on Windows

Ends by itself after ten quotes of each instrument.
"""

import asyncio
import sys
from collections import Counter

from nautilus_trader.config import LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5 import (
    MT5DataClientConfig,
    MT5InstrumentProviderConfig,
    MT5LiveDataClientFactory,
    MT5TerminalConfig,
)

IDS = tuple(InstrumentId.from_str(text) for text in ("EURUSD.MT5", "USDJPY.MT5"))
SIMULATOR = "tradingview_scraper.adapters.mt5.simulator"


class Printer(Strategy):
    """Prints quotes until there are enough of each instrument."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[InstrumentId] = Counter()
        self.enough = asyncio.Event()

    def on_start(self) -> None:
        for instrument_id in IDS:
            self.subscribe_quote_ticks(instrument_id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        print(tick)
        self.seen[tick.instrument_id] += 1
        if all(self.seen[instrument_id] >= 10 for instrument_id in IDS):
            self.enough.set()


async def run(path: str, module: str) -> Counter[InstrumentId]:
    """Run a node until it has seen enough; how many quotes of each instrument it saw."""
    terminal = MT5TerminalConfig(path=path, module=module)
    instruments = MT5InstrumentProviderConfig(load_ids=frozenset(IDS))
    node = TradingNode(
        TradingNodeConfig(
            logging=LoggingConfig(log_level="WARNING"),
            data_clients={
                "MT5": MT5DataClientConfig(terminal=terminal, instrument_provider=instruments)
            },
            timeout_post_stop=0.1,
        )
    )
    printer = Printer()
    node.trader.add_strategy(printer)
    node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    try:
        await printer.enough.wait()
    finally:
        await node.stop_async()
        await running
    return printer.seen


def main(path: str = "demo-hedging", module: str = SIMULATOR) -> Counter[InstrumentId]:
    """Run the example on a terminal."""
    return asyncio.run(run(path, module))


if __name__ == "__main__":
    main(*sys.argv[1:3])
