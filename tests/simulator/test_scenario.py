"""Scenarios: what they may say, and how they say what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from tradingview_scraper.adapters.mt5.simulator.scenario import (
    ScenarioError,
    built_in_names,
    load_scenario,
)
from tradingview_scraper.adapters.mt5.terminal.constants import (
    AccountMarginMode,
    AccountTradeMode,
    SymbolCalcMode,
    SymbolChartMode,
)
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError


def test_built_in_scenarios_load_by_name() -> None:
    modes = {name: load_scenario(name).account.margin_mode_code for name in built_in_names()}
    assert modes == {
        "demo-hedging": AccountMarginMode.RETAIL_HEDGING,
        "demo-netting": AccountMarginMode.RETAIL_NETTING,
        "exchange-netting": AccountMarginMode.EXCHANGE,
    }


def test_demo_hedging_has_every_kind_of_symbol() -> None:
    infos = {symbol.name: symbol.info for symbol in load_scenario("demo-hedging").symbols}
    assert infos["EURUSD"].digits == 5
    assert infos["USDJPY"].digits == 3
    assert infos["XAUUSD"].currency_base == "XAU"
    assert infos["US500"].trade_calc_mode == SymbolCalcMode.CFDINDEX
    assert infos["US500"].volume_step == 0.1
    assert infos["BTCUSD"].trade_contract_size == 1.0
    share = infos["#AAPL"]
    assert (share.chart_mode, share.trade_exemode) == (SymbolChartMode.LAST, 3)
    assert (share.ticks_bookdepth, share.volume_step) == (10, 1.0)
    assert infos["EURUSD.a"].path == "Forex\\EURUSD.a"


def test_netting_demo_is_the_hedging_world_on_a_netted_account() -> None:
    hedging, netting = load_scenario("demo-hedging"), load_scenario("demo-netting")
    assert netting.symbols == hedging.symbols
    assert netting.broker == hedging.broker
    assert netting.account.login != hedging.account.login


def test_symbol_table_renames_and_overrides() -> None:
    table = {
        "like": "EURUSD",
        "name": "EUR USD.pro",
        "digits": 4,
        "trade_stops_level": 20,
        "selected": False,
        "spread_points": 7,
        "commission_per_lot": 2.0,
    }
    (symbol,) = load_scenario({"symbols": [table]}).symbols
    assert (symbol.name, symbol.like, symbol.selected) == ("EUR USD.pro", "EURUSD", False)
    assert (symbol.info.point, symbol.info.trade_tick_size) == (0.0001, 0.0001)
    assert symbol.info.trade_tick_value == 10.0
    assert symbol.info.trade_stops_level == 20
    assert symbol.model.spread_points == 7
    assert symbol.commission_per_lot == 2.0


def test_extends_merges_tables_and_replaces_lists(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(
        'extends = "demo-hedging"\nseed = 5\n[account]\nbalance = 50.0\n[broker]\nlatency_ms = 9\n'
    )
    child = tmp_path / "child.toml"
    child.write_text(
        'extends = "base.toml"\nsymbols = ["EURUSD"]\nbooks = "books"\n[account]\nlogin = 7\n'
    )
    scenario = load_scenario(child)
    assert (scenario.seed, scenario.account.balance, scenario.account.login) == (5, 50.0, 7)
    assert scenario.broker.latency_ms == 9
    assert scenario.broker.commission_per_lot == 3.5
    assert [symbol.name for symbol in scenario.symbols] == ["EURUSD"]
    assert scenario.books == tmp_path / "books"


def test_a_scenario_that_extends_itself_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "loop.toml"
    file.write_text('extends = "other.toml"\n')
    (tmp_path / "other.toml").write_text('extends = "loop.toml"\n')
    with pytest.raises(ScenarioError, match="extends itself"):
        load_scenario(file)


def test_books_are_in_memory_by_default() -> None:
    assert load_scenario("demo-hedging").books is None


def test_real_account_is_a_matter_of_the_scenario() -> None:
    scenario = load_scenario({"account": {"trade_mode": "real"}})
    assert scenario.account.trade_mode_code is AccountTradeMode.REAL


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({"acount": {}}, "unknown field `acount`"),
        ({"account": {"bar": 1}}, "field `account`.*unknown field `bar`"),
        ({"account": {"login": "x"}}, "field `account.login`: Expected `int`"),
        ({"account": {"login": 0}}, "field `account.login`"),
        ({"account": {"margin_mode": "hedge"}}, "field `account.margin_mode`"),
        ({"accounts": [{"login": 5_001_234}]}, r"field `accounts\[0\].login`.*used once"),
        ({"clock": {"zone": "Mars/North"}}, "field `clock.zone`.*Mars/North"),
        (
            {"clock": {"mode": "stepped", "start": "2025-03-10T12:00:00"}},
            "field `clock.start`.*UTC",
        ),
        ({"clock": {"start": "2025-03-10T12:00:00Z"}}, "field `clock.start`.*real"),
        ({"symbols": ["NOPE"]}, r"field `symbols\[0\].like`.*EURUSD.*got 'NOPE'"),
        ({"symbols": ["EURUSD", "EURUSD"]}, r"field `symbols\[1\].name`.*used once"),
        ({"symbols": [{"name": "EURUSD", "digits": "5"}]}, r"field `symbols\[0\].digits`"),
        ({"symbols": [{"name": "EURUSD", "bid": 1.0}]}, "unknown field `bid`"),
        ({"symbols": [{"name": "EURUSD", "sessions": "Mo"}]}, r"`symbols\[0\].sessions`.*Mo"),
        ({"symbols": [{"name": "EURUSD", "volume_step": 0.0}]}, "volume_step.*more than 0"),
        ({"symbols": [{"like": "EURUSD", "name": "E" * 30}]}, "1 to 29 characters"),
        (
            {"symbols": ["USDJPY"], "account": {"currency": "EUR"}},
            r"field `account.currency`.*USDJPY.*converts JPY into EUR",
        ),
        ({"prices": {"rate": 0.0}}, "field `prices.rate`"),
        ({"prices": {"history_from": "yesterday"}}, "field `prices.history_from`"),
        ({"broker": {"comment_limit": 40}}, "field `broker.comment_limit`"),
        ({"broker": {"deal_lag_ms": -1}}, "field `broker.deal_lag_ms`"),
        ({"extends": "no-such-thing"}, "field `extends`.*demo-hedging"),
        ({"seed": -1}, "field `seed`"),
    ],
)
def test_mistakes_are_named(tables: dict[str, Any], expected: str) -> None:
    with pytest.raises(ScenarioError, match=expected):
        load_scenario(tables)


def test_mistake_in_a_file_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[account]\nleverage = 1.5\n")
    with pytest.raises(MT5ConfigError, match=r"my\.toml.*field `account.leverage`"):
        load_scenario(str(file))


def test_broken_toml_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[account\n")
    with pytest.raises(ScenarioError, match=r"my\.toml: not TOML"):
        load_scenario(file)


def test_missing_file_lists_the_built_in_names() -> None:
    with pytest.raises(ScenarioError, match="demo-hedging, demo-netting, exchange-netting"):
        load_scenario("demo-hegding")
