"""``mt5 doctor``: a verdict and a remedy per line, for all that can be wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

import tradingview_scraper.adapters.mt5.simulator as library
from tests.library import LIBRARY
from tradingview_scraper.adapters.mt5.cli.doctor.findings import (
    Verdict,
    of_clock,
    of_no_terminal,
    of_symbol,
    of_terminal,
)
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch
from tradingview_scraper.adapters.mt5.simulator.market.catalogue import CATALOGUE
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5ConnectionError,
    MT5LibraryMissing,
)
from tradingview_scraper.adapters.mt5.terminal.records import TerminalInfo

pytestmark = pytest.mark.timeout(120)


def _at(control: Control) -> tuple[str, ...]:
    return ("--path", control.path, "--module", LIBRARY)


def _verdicts(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["subject"]: (one["verdict"], one["remedy"]) for one in document["findings"]}


def test_everything_in_order_is_said_and_nothing_is_sent(small: Control, mt5) -> None:
    status, document, said = mt5("doctor", "EURUSD", "#AAPL", *_at(small))
    verdicts = _verdicts(document)
    assert status == 0 and document["ok"] and "Ready" in said
    assert verdicts["symbol EURUSD"][0] == verdicts["history #AAPL"][0] == "ok"
    assert verdicts["clock"][0] == "skip", "this server's clock stands still"
    assert set(document["latency_ms"]) >= {"account_info", "symbol_info_tick"}
    assert "order_send" not in small.stats()["calls"]


def test_each_switch_that_is_off_has_a_remedy(mt5) -> None:
    scenario = {
        "extends": "demo-hedging",
        "account": {"trade_allowed": False, "trade_expert": False},
        "terminal": {
            "trade_allowed": False, "tradeapi_disabled": True, "maxbars": 5000,
            "ping_last": 400_000,
        },
    }  # fmt: skip
    with launch(scenario) as control:
        status, document, _ = mt5("doctor", "EURUSD", *_at(control))
    verdicts = _verdicts(document)
    assert status == 1
    for name in ("AutoTrading", "Python API", "log-in", "programs"):
        verdict, remedy = verdicts[f"permission: {name}"]
        assert verdict == "fail" and remedy
    assert verdicts["bars"][0] == verdicts["ping"][0] == "note"


def test_clock_of_another_zone_is_noticed(mt5) -> None:
    with launch(
        {"extends": "demo-hedging", "clock": {"zone": "UTC+2"}, "prices": {"rate": 20.0}}
    ) as control:
        _, document, _ = mt5("doctor", "EURUSD", *_at(control), "--zone", "UTC")
        verdict, remedy = _verdicts(document)["clock"]
        assert verdict == "fail" and "2 h larger" in remedy


def test_wrong_name_gets_the_broker_s_names(small: Control, mt5) -> None:
    status, document, _ = mt5("doctor", "EURUSD.x", *_at(small))
    verdict, remedy = _verdicts(document)["symbol EURUSD.x"]
    assert status == 1 and verdict == "fail" and "EURUSD" in remedy


def test_other_account_than_the_expected_is_a_finding(small: Control, mt5) -> None:
    status, document, _ = mt5("doctor", *_at(small), "--login", "42")
    assert status == 1
    assert document["findings"][0]["subject"] in ("account", "terminal")
    assert "42" in document["findings"][0]["said"]


@pytest.mark.parametrize(
    ("platform", "remedy"),
    [("linux", "Wine"), ("darwin", "Windows"), ("win32", "pip install MetaTrader5")],
)
def test_missing_library_has_a_remedy_for_this_system(platform: str, remedy: str) -> None:
    found = of_no_terminal(MT5LibraryMissing("no module"), platform)
    assert found.verdict is Verdict.FAIL and remedy in found.remedy


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(-10003, "terminal64.exe"), (-10005, "logged in"), (-6, "MT5_PASSWORD"), (0, "start it")],
)
def test_each_code_of_the_library_has_its_remedy(code: int, remedy: str) -> None:
    assert remedy in of_no_terminal(MT5ConnectionError("failed", code, "text"), "win32").remedy


def test_no_module_ends_with_the_same_report(mt5) -> None:
    status, document, said = mt5("doctor", "--module", "no_such_library")
    assert status == 1 and document["findings"][0]["verdict"] == "fail" and "->" in said


def test_lost_link_and_an_old_terminal_fail() -> None:
    zeros: dict[type, Any] = {bool: False, int: 0, float: 0.0, str: ""}
    blank = TerminalInfo(*(zeros[kind] for kind in TerminalInfo.__annotations__.values()))
    findings = {one.subject: one for one in of_terminal(blank._replace(build=2000))}
    assert findings["link"].verdict is findings["terminal"].verdict is Verdict.FAIL


def test_skew_is_told_from_a_zone() -> None:
    assert of_clock([("EURUSD", 3.0)], "UTC").verdict is Verdict.OK
    assert "3.5 h larger" in of_clock([("EURUSD", 12_590.0)], "UTC").remedy
    assert "set this machine's clock" in of_clock([("EURUSD", 400.0)], "UTC").remedy
    assert of_clock([], "UTC").verdict is Verdict.SKIP


def test_symbol_that_cannot_be_traded_says_why() -> None:
    info = CATALOGUE["EURUSD"].info
    assert of_symbol(info._replace(trade_mode=3)).verdict is Verdict.NOTE
    assert of_symbol(info._replace(volume_step=0.0)).verdict is Verdict.FAIL


def test_twin_loads_and_trades_like_its_original(mt5, tmp_path: Path) -> None:
    scenario = {
        "extends": "demo-hedging",
        "account": {"currency": "EUR", "leverage": 30, "server": "Their-Live 3"},
        "broker": {"commission_per_lot": 2.5, "comment_limit": 12},
    }
    twin = tmp_path / "twin.toml"
    with launch(scenario) as control:
        for side in (0, 1):
            control.trade_by_hand(action=1, symbol="EURUSD", volume=0.5, type=side, magic=7,
                                  type_filling=1, comment="a comment that is long")  # fmt: skip
        status, document, _ = mt5("doctor", "EURUSD", "US500", *_at(control), "--record", twin)
    assert status == 0 and document["twin"] == str(twin)
    assert "5001234" not in "".join(
        f.read_text("utf-8") for f in tmp_path.rglob("*") if f.is_file()
    )
    with launch(str(twin)) as control:
        assert library.initialize(control.path)
        try:
            account, symbol = library.account_info(), library.symbol_info("EURUSD")
            assert (account.currency, account.leverage, account.server) == (
                "EUR", 30, "Their-Live 3",
            )  # fmt: skip
            assert symbol.filling_mode == CATALOGUE["EURUSD"].info.filling_mode
            assert {info.name for info in library.symbols_get()} == {"EURUSD", "US500"}
            result = library.order_send(
                {"action": 1, "symbol": "EURUSD", "volume": 1.0, "type": 0, "type_filling": 1,
                 "comment": "a comment that is long"}
            )  # fmt: skip
        finally:
            library.shutdown()
        books = control.books()
    if result.retcode == 10009:  # Their trading hours hold on the twin too: not at weekends.
        deal = books["deals"][-1]
        assert deal["commission"] == -2.5 and deal["comment"] == "a comment th"
    else:
        assert result.retcode == 10018


def test_instruments_are_listed_searched_shown_and_written(
    small: Control, mt5, tmp_path: Path
) -> None:
    status, document, _ = mt5("instruments", *_at(small))
    assert status == 0
    assert [one["symbol"] for one in document["instruments"]] == [
        "#AAPL", "EUR/USD*", "EURUSD", "USDJPY",
    ]  # fmt: skip
    for words, found in ((("yen",), ["USDJPY"]), (("*USD*,!EUR*",), ["USDJPY"])):
        _, document, _ = mt5("instruments", *words, *_at(small))
        assert [one["symbol"] for one in document["instruments"]] == found
    status, document, said = mt5(
        "instruments", "--show", "EURUSD", "--catalog", tmp_path, *_at(small)
    )
    (one,) = document["instruments"]
    assert one["symbol_info"]["digits"] == one["instrument"]["price_precision"] == 5
    assert "what Nautilus gets" in said and json.dumps(document)
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
