"""Bars: two hours of history, then closed bars as they come.

    uv run python examples/bars.py                                        # the simulated terminal
    uv run python examples/bars.py "C:\\...\\terminal64.exe" MetaTrader5     # yours, on Windows

Ends by itself after two live bars, which takes up to three minutes. ``BID-EXTERNAL`` are the
terminal's own bars; they are built from bids, except on exchange symbols, whose bars are
``LAST-EXTERNAL``.
"""

import asyncio
import sys
from datetime import timedelta

from nautilus_trader.config import LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5 import (
    MT5DataClientConfig,
    MT5InstrumentProviderConfig,
    MT5LiveDataClientFactory,
    MT5TerminalConfig,
)

MINUTES = BarType.from_str("EURUSD.MT5-1-MINUTE-BID-EXTERNAL")
SIMULATOR = "tradingview_scraper.adapters.mt5.simulator"


class Bars(Strategy):
    """Keeps what it is given: the history that it asks for, then live bars."""

    def __init__(self) -> None:
        super().__init__()
        self.history: list[Bar] = []
        self.live: list[Bar] = []
        self.enough = asyncio.Event()

    def on_start(self) -> None:
        start = self.clock.utc_now() - timedelta(hours=2)
        self.request_bars(MINUTES, start=start, callback=self.on_history)

    def on_historical_data(self, data: Bar) -> None:
        self.history.append(data)

    def on_history(self, _request: object) -> None:
        """The history is complete: go on with what is live."""
        print(f"{len(self.history)} bars of history, the last one {self.history[-1]}")
        self.subscribe_bars(MINUTES)

    def on_bar(self, bar: Bar) -> None:
        print(bar)
        self.live.append(bar)
        if len(self.live) >= 2:
            self.enough.set()


async def run(path: str, module: str) -> Bars:
    """Run a node until it has seen enough; what it saw."""
    terminal = MT5TerminalConfig(path=path, module=module)
    instruments = MT5InstrumentProviderConfig(load_ids=frozenset({MINUTES.instrument_id}))
    node = TradingNode(
        TradingNodeConfig(
            logging=LoggingConfig(log_level="ERROR"),
            data_clients={
                "MT5": MT5DataClientConfig(terminal=terminal, instrument_provider=instruments)
            },
            timeout_post_stop=0.1,
        )
    )
    bars = Bars()
    node.trader.add_strategy(bars)
    node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    try:
        await bars.enough.wait()
    finally:
        await node.stop_async()
        await running
    return bars


def main(path: str = "demo-hedging", module: str = SIMULATOR) -> Bars:
    """Run the example on a terminal."""
    return asyncio.run(run(path, module))


if __name__ == "__main__":
    main(*sys.argv[1:3])
