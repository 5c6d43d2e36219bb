"""How do the benchmarks build a node? A `TradingNode` on a simulated terminal, on its own loop."""

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from nautilus_trader.config import (
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import InstrumentId, TraderId
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5InstrumentProviderConfig,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.factories import (
    MT5LiveDataClientFactory,
    MT5LiveExecClientFactory,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.heap import frozen_heap
from tradingview_scraper.adapters.mt5.simulator.control import Control
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE, MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

#: Whether the nodes run as docs/operations.md recommends; both are worth a look.
IS_FROZEN = os.environ.get("MT5_BENCH_FROZEN", "1") != "0"


def terminal_config(control: Control, **fields: Any) -> MT5TerminalConfig:
    """The config of a simulated terminal."""
    account = control.books()["account"]
    return MT5TerminalConfig(
        path=control.path, login=account["login"], module=SIMULATOR_MODULE, **fields
    )


def run_node(
    terminal: MT5TerminalConfig,
    symbols: list[str],
    strategy: Strategy,
    drive: Callable[[TradingNode], Awaitable[None]],
    *,
    trading: bool = False,
) -> None:
    """Run a node with `strategy` for as long as `drive` takes, on a loop of its own."""
    ids = frozenset(InstrumentId.from_str(f"{symbol}.MT5") for symbol in symbols)
    provider = MT5InstrumentProviderConfig(load_ids=ids)
    exec_clients = {
        "MT5": MT5ExecClientConfig(
            terminal=terminal, instrument_provider=provider, oms_type="HEDGING"
        )
    }
    config = TradingNodeConfig(
        trader_id=TraderId("BENCH-001"),
        logging=LoggingConfig(log_level="ERROR"),
        data_engine=LiveDataEngineConfig(qsize=1_000_000, graceful_shutdown_on_exception=True),
        risk_engine=LiveRiskEngineConfig(
            graceful_shutdown_on_exception=True, max_order_submit_rate="100000/00:00:01"
        ),
        exec_engine=LiveExecEngineConfig(
            graceful_shutdown_on_exception=True, reconciliation_startup_delay_secs=0
        ),
        data_clients={"MT5": MT5DataClientConfig(terminal=terminal, instrument_provider=provider)},
        exec_clients=exec_clients if trading else {},
        timeout_post_stop=0.1,
    )

    async def whole() -> None:
        node = TradingNode(config=config, loop=asyncio.get_running_loop())
        node.trader.add_strategy(strategy)
        node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
        if trading:
            node.add_exec_client_factory("MT5", MT5LiveExecClientFactory)
        await live(node, strategy, drive)

    asyncio.run(whole())


async def live(
    node: TradingNode, strategy: Strategy, drive: Callable[[TradingNode], Awaitable[None]]
) -> None:
    """Build and run a node for as long as `drive` takes, and leave nothing of it on the loop."""
    node.build()
    with frozen_heap() if IS_FROZEN else contextlib.nullcontext():
        running = asyncio.ensure_future(node.run_async())
        try:
            await until(lambda: strategy.is_running, 60)
            await drive(node)
        finally:
            await node.stop_async()
            await asyncio.wait([running], timeout=30)
            node.kernel.dispose()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)


async def until(condition: Callable[[], bool], seconds: float, step: float = 0.01) -> None:
    """Wait until `condition()`; TimeoutError after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"still waiting after {seconds:g} s")
        await asyncio.sleep(step)


def first_tick() -> Rows:
    """One tick, now: a subscriber begins with the current tick, so there has to be one."""
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = 1.1, 1.1001
    return rows
