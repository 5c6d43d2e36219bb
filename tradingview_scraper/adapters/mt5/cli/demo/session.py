"""How does the demo's node run? A terminal process, a `TradingNode`, a strategy, a comparison."""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from nautilus_trader.config import (
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, TraderId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.position import Position
from rich.console import Console

from tradingview_scraper.adapters.mt5.cli.demo.check import Check, compare
from tradingview_scraper.adapters.mt5.cli.demo.progress import Progress
from tradingview_scraper.adapters.mt5.cli.demo.strategy import (
    DemoStrategy,
    DemoStrategyConfig,
    Observed,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5InstrumentProviderConfig,
    MT5QualityConfig,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.factories import (
    MT5LiveDataClientFactory,
    MT5LiveExecClientFactory,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.heap import frozen_heap
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario, load_scenario
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolTradeMode

#: Traded when the scenario has them; otherwise the first symbols that are selected.
_PREFERRED = ("EURUSD", "USDJPY")
_START_SECS = 90.0
_FLAT_SECS = 15.0
_STOP_SECS = 30.0


class DemoFailed(Exception):
    """The demo could not run; the text says what is missing and what to do."""


class DemoResult(NamedTuple):
    """What the node saw, what the books say, and whether the two agree."""

    scenario: str
    library: str
    seconds: float
    symbols: tuple[str, ...]
    observed: Observed
    orders: list[Any]
    positions: list[Position]
    instruments: dict[str, Instrument]
    books: dict[str, Any]
    checks: list[Check]
    #: Execution quality, a row for each symbol and order type.
    quality: list[dict[str, Any]]

    @property
    def fills(self) -> list[OrderFilled]:
        """Every fill, in order."""
        return self.observed.fills

    @property
    def agrees(self) -> bool:
        """Something was traded, everything is closed, and every comparison holds."""
        return bool(self.fills) and all(check.agrees for check in self.checks)


class _Known(NamedTuple):
    """What the node's cache knew at its end."""

    orders: list[Any]
    positions: list[Position]
    instruments: dict[str, Instrument]
    open_orders: int

    @classmethod
    def of(cls, cache: Any, strategy: DemoStrategy) -> "_Known":
        return cls(
            cache.orders(strategy_id=strategy.id),
            cache.positions(),
            {instrument.raw_symbol.value: instrument for instrument in cache.instruments()},
            len(cache.orders_open()) + len(cache.orders_inflight()),
        )


def trade(*, seconds: float, scenario: str, library: str, console: Console) -> DemoResult:
    """Run the whole demo; `DemoFailed` when it could not run at all."""
    try:
        world = load_scenario(scenario)
        control = launch(scenario)
    except (OSError, ValueError, RuntimeError) as error:
        raise DemoFailed(str(error)) from error
    with control, tempfile.TemporaryDirectory(prefix="mt5-demo-") as folder:
        return _trade_on(control, world, seconds, library, console, Path(folder))


def _trade_on(
    control: Control,
    world: Scenario,
    seconds: float,
    library: str,
    console: Console,
    folder: Path,
) -> DemoResult:
    symbols = _choose(world)
    ids = tuple(InstrumentId.from_str(f"{symbol}.MT5") for symbol in symbols)
    strategy = DemoStrategy(
        DemoStrategyConfig(
            instrument_ids=ids,
            account_currency=world.account.currency,
            hold_secs=max(0.5, min(5.0, seconds / 10)),
        )
    )
    terminal = MT5TerminalConfig(
        path=control.path,
        login=world.account.login,
        server=world.account.server,
        module=library,
        server_time_zone=world.clock.zone,
    )
    quality = folder / "quality.json"
    provider = MT5InstrumentProviderConfig(load_ids=frozenset(ids))
    node_config = TradingNodeConfig(
        trader_id=TraderId("DEMO-001"),
        logging=LoggingConfig(log_level="ERROR"),
        data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
        risk_engine=LiveRiskEngineConfig(graceful_shutdown_on_exception=True),
        exec_engine=LiveExecEngineConfig(
            graceful_shutdown_on_exception=True, reconciliation_startup_delay_secs=0
        ),
        data_clients={"MT5": MT5DataClientConfig(terminal=terminal, instrument_provider=provider)},
        exec_clients={
            "MT5": MT5ExecClientConfig(
                terminal=terminal,
                instrument_provider=provider,
                oms_type="HEDGING" if world.account.margin_mode == "hedging" else "NETTING",
                quality=MT5QualityConfig(json_path=str(quality)),
            )
        },
        timeout_connection=_START_SECS,
        timeout_post_stop=0.1,
    )
    with asyncio.Runner() as runner:
        node = TradingNode(config=node_config, loop=runner.get_loop())
        node.trader.add_strategy(strategy)
        node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
        node.add_exec_client_factory("MT5", MT5LiveExecClientFactory)
        node.build()
        with frozen_heap(), Progress(console, seconds, symbols, strategy) as progress:
            known = runner.run(_drive(node, strategy, seconds, progress))
    books = control.books()
    checks = compare(
        fills=strategy.observed.fills,
        positions=known.positions,
        open_orders=known.open_orders,
        instruments=known.instruments,
        books=books,
    )
    return DemoResult(
        world.source,
        library,
        seconds,
        symbols,
        strategy.observed,
        known.orders,
        known.positions,
        known.instruments,
        books,
        checks,
        json.loads(quality.read_text(encoding="utf-8"))["rows"] if quality.exists() else [],
    )


async def _drive(
    node: TradingNode, strategy: DemoStrategy, seconds: float, progress: Progress
) -> _Known:
    running = asyncio.ensure_future(node.run_async())
    try:
        if not await _until(lambda: strategy.is_running, _START_SECS, running):
            raise DemoFailed(
                "the node did not start; the log above says why. Is another program using the "
                "terminal? Try again with a longer time, or `mt5 terminal` by hand."
            )
        end = time.monotonic() + seconds
        while time.monotonic() < end and not running.done():
            progress.show(seconds - (end - time.monotonic()))
            await asyncio.sleep(0.1)
        strategy.finish()
        await _until(strategy.is_flat, _FLAT_SECS, running)
        progress.show(seconds)
    finally:
        if not running.done():
            await node.stop_async()
            await asyncio.wait([running], timeout=_STOP_SECS)
        known = _Known.of(node.cache, strategy)
        # Disposing of the node would stop the loop that is running.
        node.kernel.dispose()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
    return known


async def _until(condition: Any, seconds: float, running: "asyncio.Future[None]") -> bool:
    """Wait until `condition()` holds; False when the time is over or the node has ended."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end or running.done():
            return bool(condition())
        await asyncio.sleep(0.02)
    return True


def _choose(world: Scenario) -> tuple[str, ...]:
    """Two symbols that can be traded now: the preferred ones, else the first that are selected."""
    tradable = [
        symbol.name
        for symbol in world.symbols
        if symbol.selected and symbol.info.trade_mode == SymbolTradeMode.FULL
    ]
    chosen = [name for name in _PREFERRED if name in tradable]
    chosen += [name for name in tradable if name not in chosen]
    if not chosen:
        raise DemoFailed("the scenario has no selected symbol with trade mode FULL; select one")
    return tuple(chosen[:2])


def platform_name() -> str:
    """The operating system, as the report shows it."""
    return {"win32": "Windows", "linux": "Linux", "darwin": "macOS"}.get(sys.platform, sys.platform)
