"""A recorder: every quote of some symbols into a NautilusTrader catalog, while it runs.

    uv run python examples/recorder.py                                  # the simulated terminal
    uv run python examples/recorder.py "C:\\...\\terminal64.exe" MetaTrader5   # yours, on Windows

Here it ends after a hundred quotes. NautilusTrader streams them to disk as they come; at the end
they become the catalog that a backtest reads. A catalog is read by the platform that wrote it: to
record on Windows and backtest elsewhere, take ``mt5 download`` and ``mt5 catalog``.
"""

import asyncio
import sys
from pathlib import Path

from nautilus_trader.config import LoggingConfig, StreamingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5 import (
    MT5DataClientConfig,
    MT5InstrumentProviderConfig,
    MT5LiveDataClientFactory,
    MT5TerminalConfig,
)

IDS = [InstrumentId.from_str(text) for text in ("EURUSD.MT5", "USDJPY.MT5")]
SIMULATOR = "tradingview_scraper.adapters.mt5.simulator"


class Listener(Strategy):
    """Subscribes, so that there is something to record."""

    def __init__(self, enough: int) -> None:
        super().__init__()
        self.seen: list[QuoteTick] = []
        self._enough = enough
        self.done = asyncio.Event()

    def on_start(self) -> None:
        for instrument_id in IDS:
            self.subscribe_quote_ticks(instrument_id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.seen.append(tick)
        if len(self.seen) >= self._enough:
            self.done.set()


async def run(path: str, module: str, folder: Path, enough: int) -> list[QuoteTick]:
    """Record into the catalog in `folder`; the quotes that came."""
    terminal = MT5TerminalConfig(path=path, module=module)
    instruments = MT5InstrumentProviderConfig(load_ids=frozenset(IDS))
    node = TradingNode(
        TradingNodeConfig(
            logging=LoggingConfig(log_level="ERROR"),
            data_clients={
                "MT5": MT5DataClientConfig(terminal=terminal, instrument_provider=instruments)
            },
            streaming=StreamingConfig(
                catalog_path=str(folder), include_types=[QuoteTick], flush_interval_ms=1_000
            ),
            timeout_post_stop=0.1,
        )
    )
    listener = Listener(enough)
    node.trader.add_strategy(listener)
    node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    try:
        await listener.done.wait()
    finally:
        await node.stop_async()
        await running
        catalog = ParquetDataCatalog(str(folder))
        catalog.write_data(node.cache.instruments())
        node.kernel.dispose()
        catalog.convert_stream_to_data(
            node.kernel.instance_id.value, QuoteTick, subdirectory="live"
        )
    return listener.seen


def main(
    path: str = "demo-hedging",
    module: str = SIMULATOR,
    folder: str = "catalog",
    enough: int = 100,
) -> list[QuoteTick]:
    """Run the example on a terminal."""
    seen = asyncio.run(run(path, module, Path(folder), enough))
    for instrument in ParquetDataCatalog(folder).instruments():
        print(f"{instrument.id}: recorded in {folder}")
    return seen


if __name__ == "__main__":
    main(*sys.argv[1:4])
