"""Every example runs, on a simulated terminal."""

import asyncio
import importlib.util
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest
from nautilus_trader.config import TradingNodeConfig
from nautilus_trader.model.data import Bar
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE

EXAMPLES = Path(__file__).parents[2] / "examples"


def _load(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_first_node_prints_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    example = _load("first_node")
    with launch({"extends": "demo-hedging", "prices": {"rate": 20.0}}) as terminal:
        seen = example.main(terminal.path, SIMULATOR_MODULE)
    assert all(seen[instrument_id] >= 10 for instrument_id in example.IDS)
    assert capsys.readouterr().out.count("EURUSD.MT5") >= 10


def test_bracket_leaves_its_stops_at_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    example = _load("bracket")
    with launch({"extends": "demo-hedging", "prices": {"rate": 20.0}}) as terminal:
        assert example.main(terminal.path) == ["FILLED", "ACCEPTED", "ACCEPTED"]
        (position,) = terminal.books()["positions"]
        assert position["sl"] < position["price_open"] < position["tp"]
    assert "OrderFilled" in capsys.readouterr().out


def test_bars_come_from_history_and_live(capsys: pytest.CaptureFixture[str]) -> None:
    example = _load("bars")
    # A minute of the server lasts a second here, so that bars close.
    clock = {"mode": "fast", "factor": 60.0}
    with launch({"extends": "demo-hedging", "clock": clock}) as terminal:
        seen = example.main(terminal.path, SIMULATOR_MODULE)
    every: list[Bar] = [*seen.history, *seen.live]
    assert len(seen.history) > 100
    assert len(seen.live) >= 2
    opened = [bar.ts_event for bar in every]
    assert opened == sorted(set(opened))
    assert "bars of history" in capsys.readouterr().out


def test_manual_trade_is_heard_of_and_closed(capsys: pytest.CaptureFixture[str]) -> None:
    example = _load("manual_trades")
    with launch({"extends": "demo-hedging", "prices": {"rate": 20.0}}) as terminal:
        (closed,) = example.on_simulator(terminal)
        books = terminal.books()
    assert closed.strategy_id.value.startswith("WARDEN")
    assert books["positions"] == []
    by_hand, ours = [deal for deal in books["deals"] if deal["symbol"]]
    assert (by_hand["magic"], by_hand["volume"]) == (0, 0.02)
    assert (ours["position_id"], ours["volume"]) == (by_hand["position_id"], 0.02)
    assert ours["magic"] != 0
    assert "opened by hand" in capsys.readouterr().out


def test_two_accounts_trade_where_it_is_cheaper(capsys: pytest.CaptureFixture[str]) -> None:
    example = _load("two_accounts")
    scenarios = [
        {"extends": "demo-hedging", "prices": {"rate": 20.0}},
        {
            "extends": "demo-netting",
            "prices": {"rate": 20.0},
            "symbols": [{"name": "EURUSD", "spread_points": 100}],
        },
    ]
    with launch(scenarios[0]) as alpha, launch(scenarios[1]) as beta:
        bought = example.main(alpha.path, beta.path)
        deals = [
            [deal["volume"] for deal in terminal.books()["deals"] if deal["symbol"]]
            for terminal in (alpha, beta)
        ]
    assert str(bought) == "EURUSD.ALPHA"
    assert deals == [[0.01, 0.01], []]
    assert "in account ALPHA-5001234" in capsys.readouterr().out


def test_recorder_writes_every_quote_into_a_catalog(tmp_path: Path) -> None:
    example = _load("recorder")
    with launch({"extends": "demo-hedging", "prices": {"rate": 20.0}}) as terminal:
        seen = example.main(terminal.path, SIMULATOR_MODULE, str(tmp_path), 40)
    catalog = ParquetDataCatalog(str(tmp_path))
    assert {instrument.id for instrument in catalog.instruments()} == set(example.IDS)
    # The stopping strategy hears less than the writer. As texts: quotes of a catalog and of a feed
    # cannot be compared with each other.
    recorded = [repr(quote) for quote in catalog.quote_ticks()]
    assert len(seen) >= 40
    assert {repr(quote) for quote in seen} <= set(recorded)
    assert len(set(recorded)) == len(recorded)


def test_second_node_hears_data_and_events_over_redis(redis_port: int) -> None:
    example = _load("two_nodes")
    address = f"127.0.0.1:{redis_port}"
    with launch({"extends": "demo-hedging", "prices": {"rate": 20.0}}) as terminal:
        command = [sys.executable, EXAMPLES / "two_nodes.py", "trade", address, terminal.path]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as trader:
            heard = example.listen(address)
            trader.kill()
        books = terminal.books()
    by_kind = defaultdict(list)
    for message in heard:
        by_kind[type(message).__name__].append(message)
    closed = by_kind["PositionClosed"][-1]
    deals = {str(deal["ticket"]): deal for deal in books["deals"] if deal["symbol"]}
    fills = [fill for fill in by_kind["OrderFilled"] if fill.position_id == closed.position_id]
    # Each once, and what the broker has.
    assert fills[-1].client_order_id == closed.closing_order_id
    assert len({fill.trade_id for fill in fills}) == len(fills)
    for fill in fills:
        deal = deals[fill.trade_id.value]
        assert (float(fill.last_px), int(fill.last_qty)) == (deal["price"], 1_000)
        assert deal["position_id"] == int(closed.position_id.value)
    assert {figures.account for figures in by_kind["MT5AccountFigures"]} == {"MT5-5001234"}
    quotes = by_kind["QuoteTick"]
    assert {quote.instrument_id for quote in quotes} == {example.EURUSD}
    stamps = [quote.ts_event for quote in quotes]
    assert stamps == sorted(stamps)
    assert len(set(map(repr, quotes))) == len(quotes) > 0


def test_windows_node_is_configured_from_the_environment() -> None:
    example = _load("windows_node")
    given = {
        "MT5_LOGIN": "1234567",
        "MT5_TERMINAL_PATH": "C:\\mt5\\terminal64.exe",
        "REDIS_HOST": "127.0.0.1",
    }
    config: TradingNodeConfig = example.node_config(given)
    trading = config.exec_clients["MT5"]
    assert (trading.terminal.login, trading.terminal.path) == (1234567, given["MT5_TERMINAL_PATH"])
    assert trading.terminal == config.data_clients["MT5"].terminal
    assert (trading.terminal.module, trading.terminal.allow_real_account) == ("MetaTrader5", False)
    assert config.cache.database.host == "127.0.0.1"
    assert config.logging.log_level_file == "INFO"
    assert example.node_config({}).cache.database is None


def test_windows_node_runs_and_ends_in_order_at_ctrl_c(tmp_path: Path) -> None:
    example = _load("windows_node")
    asyncio.set_event_loop(asyncio.new_event_loop())
    with launch({"extends": "demo-hedging", "prices": {"rate": 20.0}}) as terminal:
        given = {
            "MT5_LOGIN": "5001234",
            "MT5_TERMINAL_PATH": terminal.path,
            "LOG_DIRECTORY": str(tmp_path),
        }
        node = example.built(example.node_config(given, SIMULATOR_MODULE))
        (strategy,) = node.trader.strategies()
        ended: list[str] = []

        def interrupt(_quote: object) -> None:
            node.kernel.msgbus.unsubscribe("data.quotes.*", interrupt)
            node.kernel.loop.call_soon(press)

        def press() -> None:
            strategy.on_stop = lambda: ended.append("in order")
            raise KeyboardInterrupt

        node.kernel.msgbus.subscribe("data.quotes.*", interrupt)
        example.run(node)
    assert not node.is_running()
    assert ended == ["in order"]
    assert strategy.is_disposed
