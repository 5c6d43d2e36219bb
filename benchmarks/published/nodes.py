"""How is a node of each adapter made? Each with its own defaults, on the same simulated terminal.

The modules of an adapter are imported where it is made: each runs in an interpreter of its own.
"""

import asyncio
from decimal import Decimal
from typing import Any, Final, NamedTuple

from nautilus_trader.config import LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode

_LOGGING: Final = LoggingConfig(log_level="ERROR")


class Account(NamedTuple):
    """Whom to log in as, and at which terminal."""

    login: int
    password: str
    server: str
    path: str


def ours(account: Account, poll_ms: int | None) -> TradingNode:
    """A node of this adapter, trading `EURUSD.MT5` in units."""
    from tradingview_scraper.adapters.mt5 import (
        MT5DataClientConfig,
        MT5ExecClientConfig,
        MT5InstrumentProviderConfig,
        MT5LiveDataClientFactory,
        MT5LiveExecClientFactory,
        MT5TerminalConfig,
    )
    from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE

    polled: dict[str, Any] = {} if poll_ms is None else {"quote_poll_ms": poll_ms}
    clients: dict[str, Any] = {
        "terminal": MT5TerminalConfig(
            path=account.path,
            login=account.login,
            module=SIMULATOR_MODULE,
            server_time_zone="UTC",
            **polled,
        ),
        "instrument_provider": MT5InstrumentProviderConfig(load_ids=frozenset({"EURUSD.MT5"})),
    }
    config = TradingNodeConfig(
        logging=_LOGGING,
        data_clients={"MT5": MT5DataClientConfig(**clients)},
        exec_clients={"MT5": MT5ExecClientConfig(oms_type="HEDGING", **clients)},
    )
    return _with(config, MT5LiveDataClientFactory, MT5LiveExecClientFactory)


def published(account: Account, poll_ms: int | None) -> TradingNode:
    """A node of mt5-connector, trading `EURUSD.MT5` in lots."""
    from mt5connect.config import MT5Config
    from mt5connect.factories import (
        MT5LiveDataClientFactory,
        MT5LiveExecClientFactory,
        build_mt5_node_config,
    )

    polled: dict[str, Any] = {} if poll_ms is None else {"poll_interval_ms": poll_ms}
    settings = MT5Config(
        account=account.login,
        password=account.password,
        server=account.server,
        symbols=["EURUSD"],
        **polled,
    )
    config = build_mt5_node_config(settings, logging_config=_LOGGING)
    return _with(config, MT5LiveDataClientFactory, MT5LiveExecClientFactory)


#: By name of the adapter: how its node is made, and how it counts 0.01 lot of EURUSD.
ADAPTERS: Final = {"ours": (ours, Decimal(1_000)), "published": (published, Decimal("0.01"))}


def _with(config: TradingNodeConfig, data_factory: Any, exec_factory: Any) -> TradingNode:
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    node.add_data_client_factory("MT5", data_factory)
    node.add_exec_client_factory("MT5", exec_factory)
    return node
