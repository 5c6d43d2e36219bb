"""Do symbols and ticks come from recordings, and does a clock run fast?"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.market.catalogue import CATALOGUE
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.market.replay import read_ticks
from tradingview_scraper.adapters.mt5.simulator.scenario import ScenarioError, load_scenario
from tradingview_scraper.adapters.mt5.simulator.schema import ClockSpec
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE, SymbolInfo

STEPPED = {"mode": "stepped", "start": "2025-03-10T12:00:00Z"}
#: That moment at the server, in milliseconds.
NOON = 1741618800_000
EXPORT = (
    "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\r\n"
    "2025.03.10\t15:00:01.250\t1.08210\t1.08222\t\t\t6\r\n"
    "2025.03.10\t15:00:01.250\t\t1.08223\t\t\t4\r\n"
    "2025.03.10\t15:00:02.001\t1.08205\t\t\t\t2\r\n"
)
#: Key figures of symbols that real brokers have.
GERMANY = {
    "name": "Germany 40",
    "digits": 2,
    "point": 0.01,
    "spread": 120,
    "spread_float": True,
    "trade_calc_mode": 4,
    "trade_mode": 4,
    "trade_exemode": 2,
    "trade_stops_level": 150,
    "trade_tick_size": 0.01,
    "trade_tick_value": 0.01,
    "trade_contract_size": 1.0,
    "volume_min": 0.1,
    "volume_max": 20.0,
    "volume_step": 0.1,
    "swap_mode": 5,
    "swap_rollover3days": 5,
    "filling_mode": 1,
    "expiration_mode": 15,
    "order_mode": 63,
    "margin_hedged_use_leg": True,
    "currency_base": "EUR",
    "currency_profit": "EUR",
    "currency_margin": "EUR",
    "path": "Stock Indices\\Germany 40",
    "bid": 19616.2,
    "ask": 19617.4,
    "time": 1729238694,
    "select": True,
}
YEN = {
    "name": "USDJPY",
    "digits": 3,
    "point": 0.001,
    "spread": 22,
    "trade_calc_mode": 0,
    "trade_mode": 4,
    "trade_exemode": 2,
    "trade_tick_size": 0.001,
    "trade_tick_value": 0.6659784888948087,
    "trade_contract_size": 100000.0,
    "volume_min": 0.01,
    "volume_max": 50.0,
    "volume_step": 0.01,
    "filling_mode": 1,
    "order_mode": 127,
    "currency_base": "USD",
    "currency_profit": "JPY",
    "currency_margin": "USD",
    "bid": 150.133,
    "ask": 150.155,
}
OPTION = {
    "name": "PETRQ266",
    "chart_mode": 1,
    "digits": 2,
    "point": 0.01,
    "spread": 1,
    "trade_calc_mode": 35,
    "trade_mode": 4,
    "trade_exemode": 3,
    "trade_tick_size": 0.01,
    "trade_tick_value": 0.01,
    "trade_contract_size": 1,
    "volume_min": 100.0,
    "volume_max": 1000000.0,
    "volume_step": 100.0,
    "filling_mode": 3,
    "order_mode": 127,
    "currency_base": "BRL",
    "currency_profit": "BRL",
    "currency_margin": "BRL",
    "bid": 0.13,
    "ask": 0.14,
    "last": 0.14,
}


def saved(folder: Path, fields: dict[str, Any]) -> str:
    file = folder / f"{fields['name']}.json"
    file.write_text(json.dumps(fields), "utf-8")
    return str(file)


def market_of(**tables: Any) -> tuple[Market, Clock]:
    scenario = load_scenario({"clock": STEPPED, **tables})
    clock = Clock(scenario.clock)
    return Market(scenario, clock), clock


def run(market: Market, clock: Clock, seconds: float) -> None:
    clock.advance(seconds)
    market.run_to(clock.now_msc(), lambda symbol, rows: None, only=())


@pytest.mark.parametrize("fields", [GERMANY, YEN, OPTION], ids=lambda fields: fields["name"])
def test_a_recorded_symbol_is_a_symbol_with_that_contract(tmp_path: Path, fields: Any) -> None:
    currency = fields["currency_profit"]
    (symbol,) = load_scenario(
        {"symbols": [{"file": saved(tmp_path, fields)}], "account": {"currency": currency}}
        if currency != "JPY"
        else {"symbols": [{"file": saved(tmp_path, fields)}]}
    ).symbols
    live = {"bid", "ask", "last", "spread", "time", "select", "trade_tick_value"}
    for name in fields.keys() - live:
        assert getattr(symbol.info, name) == fields[name], name
    assert (symbol.info.bid, symbol.info.time, symbol.info.select) == (0.0, 0, False)
    assert symbol.model.start_price == fields["bid"]
    assert symbol.model.spread_points == fields["spread"]


def test_its_tick_value_is_worked_out_in_the_accounts_currency(tmp_path: Path) -> None:
    symbols = [{"file": saved(tmp_path, YEN)}]
    market, clock = market_of(symbols=symbols)
    run(market, clock, 60)
    info = market.info("USDJPY")
    assert info is not None
    assert info.trade_tick_value == pytest.approx(100.0 / info.bid, rel=1e-3)


def test_a_recorded_symbol_can_be_renamed_and_overridden(tmp_path: Path) -> None:
    entry = {
        "file": saved(tmp_path, YEN),
        "name": "USDJPY.x",
        "volume_max": 7.0,
        "spread_points": 3,
    }
    (symbol,) = load_scenario({"symbols": [entry]}).symbols
    assert (symbol.name, symbol.info.volume_max, symbol.model.spread_points) == ("USDJPY.x", 7.0, 3)


def test_what_as_dict_gives_of_our_own_symbols_loads_again(tmp_path: Path) -> None:
    for name in ("EURUSD", "XAUUSD", "#AAPL"):
        info = CATALOGUE[name].info._replace(bid=10.0, ask=10.1, spread=10)
        (symbol,) = load_scenario({"symbols": [{"file": saved(tmp_path, info._asdict())}]}).symbols
        blank = SymbolInfo._make(type(value)() for value in info)
        assert symbol.info == info._replace(bid=blank.bid, ask=blank.ask, spread=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "not JSON"),
        ("[]", "expected an object"),
        ('{"name": "A", "colour": 1}', "colour"),
        ("{}", "no name"),
        ('{"name": "A", "digits": "5"}', "digits: expected int"),
        ('{"name": "A", "point": 0.01}', "expected a bid"),
    ],
)
def test_a_file_that_is_no_symbol_is_named(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(ScenarioError, match=rf"symbols\[0\].file.*x\.json.*{expected}"):
        load_scenario({"symbols": [{"file": str(file)}]})


def test_files_are_found_beside_the_scenario_that_names_them(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    saved(below, YEN)
    (below / "base.toml").write_text('symbols = [{ file = "USDJPY.json" }]\n')
    top = tmp_path / "top.toml"
    top.write_text('extends = "below/base.toml"\nseed = 3\n')
    assert load_scenario(top).symbols[0].name == "USDJPY"


def test_an_export_is_replayed_at_its_own_times(tmp_path: Path) -> None:
    file = tmp_path / "eurusd.csv"
    file.write_bytes(EXPORT.encode())
    market, clock = market_of(symbols=[{"name": "EURUSD", "ticks": str(file)}])
    assert market.quote("EURUSD").time == 0
    run(market, clock, 1.5)
    tick = market.quote("EURUSD")
    assert (tick.bid, tick.ask, tick.time_msc) == (1.0821, 1.08223, NOON + 1250)
    run(market, clock, 3600)
    rows = market.ticks_from("EURUSD", NOON, 10, CopyTicks.ALL)
    assert rows is not None
    assert rows["bid"].tolist() == [1.0821, 1.0821, 1.08205]
    assert rows["ask"].tolist() == [1.08222, 1.08223, 1.08223]
    assert rows["flags"].tolist() == [6, 4, 2]
    assert (rows["time"] == rows["time_msc"] // 1000).all()


def test_a_replay_can_begin_with_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "eurusd.csv"
    file.write_bytes(EXPORT.replace("2025.03.10", "2019.01.02").encode())
    market, clock = market_of(
        symbols=[{"name": "EURUSD", "ticks": str(file)}], prices={"replay": "start"}
    )
    run(market, clock, 10)
    rows = market.ticks_from("EURUSD", 0, 10, CopyTicks.ALL)
    assert rows is not None
    assert rows["time_msc"].tolist() == [NOON, NOON, NOON + 751]


def test_arrays_parquet_and_exports_of_the_same_ticks_are_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(EXPORT.encode("utf-16"))
    rows = read_ticks(file)
    np.save(tmp_path / "a.npy", rows)
    assert bytes(read_ticks(tmp_path / "a.npy")) == bytes(rows)
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    columns = {name: rows[name] for name in ("time_msc", "bid", "ask", "flags")}
    parquet.write_table(arrow.table(columns), tmp_path / "a.parquet")
    assert bytes(read_ticks(tmp_path / "a.parquet")) == bytes(rows)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"time,bid\r\n", "line 1: expected <DATE>"),
        ("a.csv", EXPORT.replace("15:00:02.001", "noon").encode(), "line 4: not a tick"),
        ("a.csv", EXPORT.replace("15:00:02", "15:00:00").encode(), "tick 3 is earlier"),
        ("a.npy", b"nothing", "not an array"),
        ("a.txt", b"", "expected ticks in one of .csv"),
    ],
)
def test_ticks_that_cannot_be_used_are_named(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ScenarioError, match=expected):
        read_ticks(file)


def test_a_file_of_ticks_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nowhere\.csv"):
        read_ticks(tmp_path / "nowhere.csv")


def test_history_can_carry_the_undocumented_flag_bits() -> None:
    market, clock = market_of(symbols=["EURUSD", "#AAPL"], prices={"flag_bits": True})
    plain, _ = market_of(symbols=["EURUSD", "#AAPL"])
    run(market, clock, 5 * 3600)
    plain.run_to(market.now_msc, lambda symbol, rows: None, only=())
    for symbol, kinds in (("EURUSD", {4, 130, 134}), ("#AAPL", None)):
        rows = market.ticks_range(symbol, NOON, market.now_msc, CopyTicks.ALL)
        same = plain.ticks_range(symbol, NOON, market.now_msc, CopyTicks.ALL)
        assert rows is not None
        assert same is not None
        assert len(rows) > 100
        assert (rows["flags"] & 0x7E == same["flags"]).all()
        if kinds is None:
            assert (rows["flags"] & 0x400 != 0).all()
        else:
            assert set(rows["flags"].tolist()) == kinds
    assert market.quote("EURUSD").flags in (2, 4, 6)


def test_tick_values_of_cfds_can_be_raw() -> None:
    symbols = ["Germany 40", "EURUSD"]
    values = {}
    for raw in (False, True):
        market, clock = market_of(symbols=symbols, prices={"raw_tick_values": raw})
        run(market, clock, 60)
        info, rate = market.info("Germany 40"), market.quote("EURUSD")
        assert info is not None
        values[raw] = info.trade_tick_value / (info.trade_tick_size * info.trade_contract_size)
    assert values[True] == pytest.approx(1.0)
    assert values[False] == pytest.approx(rate.bid, rel=1e-3)


def test_a_fast_clock_runs_by_its_factor_from_its_start() -> None:
    spec = load_scenario(
        {"clock": {"mode": "fast", "start": "2025-03-10T12:00:00Z", "factor": 1000.0}}
    ).clock
    now = time.time_ns() // 1_000_000
    clock = Clock(spec, now - 5_000)
    passed = clock.now_msc() - NOON
    assert 5_000_000 <= passed <= 5_000_000 + 1000 * (time.time_ns() // 1_000_000 + 1 - now)
    clock.advance(3600)
    assert clock.now_msc() - NOON >= passed + 3_600_000
    assert not clock.is_stepped


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({"clock": {"factor": 2.0}}, "clock.factor.*none with the mode real"),
        ({"clock": {"mode": "fast", "factor": 0.0}}, "clock.factor.*0.01"),
        ({"broker": {"latency_spread_ms": -1.0}}, "latency_spread_ms"),
        ({"terminal": {"connections": -1}}, "connections"),
        ({"symbols": [{"file": "x.json", "like": "EURUSD"}]}, r"symbols\[0\].like"),
    ],
)
def test_mistakes_are_named(tables: dict[str, Any], expected: str) -> None:
    with pytest.raises(ScenarioError, match=expected):
        load_scenario(tables)


def test_a_real_clock_needs_no_beginning() -> None:
    assert Clock(ClockSpec(zone="UTC"), 1).now_msc() > NOON


def test_ticks_are_the_librarys_rows() -> None:
    assert TICK_DTYPE.itemsize == 60
