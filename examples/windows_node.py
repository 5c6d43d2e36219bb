"""A live node for Windows: log files, a Redis cache, guards, a strategy.

    set MT5_LOGIN=1234567
    set MT5_TERMINAL_PATH=C:\\Program Files\\MetaTrader 5\\terminal64.exe
    .venv\\Scripts\\python.exe examples\\windows_node.py

With ``REDIS_HOST`` set, orders and positions outlive the node in Redis, with the client order ids
and the strategies that they belong to. Without it the node takes them over from the account at
start. Ctrl-C ends it in order. See ``docs/windows.md`` for the machine and the terminal.
"""

import gc
import os
from collections.abc import Mapping

from nautilus_trader.config import (
    CacheConfig,
    DatabaseConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import InstrumentId, TraderId
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5 import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5GuardsConfig,
    MT5InstrumentProviderConfig,
    MT5LiveDataClientFactory,
    MT5LiveExecClientFactory,
    MT5TerminalConfig,
)

EURUSD = InstrumentId.from_str("EURUSD.MT5")


class Watcher(Strategy):
    """Put your own strategy here. This one logs each quote, and trades nothing."""

    def on_start(self) -> None:
        self.subscribe_quote_ticks(EURUSD)

    def on_quote_tick(self, tick: object) -> None:
        self.log.info(str(tick))


def node_config(environment: Mapping[str, str], module: str = "MetaTrader5") -> TradingNodeConfig:
    """The node's configuration. The terminal's account and path come from the environment."""
    terminal = MT5TerminalConfig(module=module).with_environment(environment)
    instruments = MT5InstrumentProviderConfig(load_ids=frozenset({EURUSD}))
    clients = {"terminal": terminal, "instrument_provider": instruments}
    redis = environment.get("REDIS_HOST")
    return TradingNodeConfig(
        trader_id=TraderId("WINDOWS-001"),
        logging=LoggingConfig(
            log_level="INFO",
            log_level_file="INFO",
            log_directory=environment.get("LOG_DIRECTORY", "logs"),
            log_file_max_size=50_000_000,
            log_file_max_backup_count=20,
            log_colors=False,
        ),
        cache=CacheConfig(database=DatabaseConfig(host=redis) if redis else None),
        exec_engine=LiveExecEngineConfig(reconciliation=True),
        data_clients={"MT5": MT5DataClientConfig(**clients)},
        exec_clients={
            "MT5": MT5ExecClientConfig(
                oms_type="HEDGING",
                guards=MT5GuardsConfig(max_order_lots=0.1, max_open_lots=0.5, max_daily_loss=100.0),
                **clients,
            )
        },
        # A terminal that has to be started first takes up to a minute.
        timeout_connection=120.0,
    )


def built(config: TradingNodeConfig) -> TradingNode:
    """A node that is ready to run."""
    node = TradingNode(config)
    node.trader.add_strategy(Watcher())
    node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
    node.add_exec_client_factory("MT5", MT5LiveExecClientFactory)
    node.build()
    return node


def run(node: TradingNode) -> None:
    """Run until Ctrl-C, then stop in order: NautilusTrader handles no signals on Windows."""
    # What the node is built of stays: the collector need not walk it, for 50 ms at a time.
    gc.collect()
    gc.freeze()
    try:
        node.run()
    except KeyboardInterrupt:
        node.stop()
    finally:
        node.dispose()


if __name__ == "__main__":
    run(built(node_config(os.environ)))
