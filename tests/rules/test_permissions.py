"""Which switch forbids trading, and where it is."""

import pytest

from tradingview_scraper.adapters.mt5.rules.permissions import (
    account_findings,
    symbol_findings,
    terminal_findings,
)
from tradingview_scraper.adapters.mt5.rules.stop_out import MarginWatch, MarginZone
from tradingview_scraper.adapters.mt5.simulator.market.catalogue import CATALOGUE
from tradingview_scraper.adapters.mt5.terminal.constants import AccountStopoutMode, SymbolTradeMode
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo, TerminalInfo

_ZEROS = {bool: False, int: 0, float: 0.0, str: ""}


def blank(record, **fields):
    return record(**{name: _ZEROS[kind] for name, kind in record.__annotations__.items()} | fields)


def test_nothing_is_found_where_everything_is_allowed():
    assert terminal_findings(blank(TerminalInfo, trade_allowed=True)) == []
    assert account_findings(blank(AccountInfo, trade_allowed=True, trade_expert=True)) == []
    assert symbol_findings(CATALOGUE["EURUSD"].info) == []


@pytest.mark.parametrize(
    ("fields", "switch", "words"),
    [
        ({"trade_allowed": False}, "terminal_info.trade_allowed", "Algo Trading"),
        ({"tradeapi_disabled": True}, "terminal_info.tradeapi_disabled", "Python API"),
    ],
)
def test_switch_of_the_terminal_is_named(fields, switch, words):
    terminal = blank(TerminalInfo, **{"trade_allowed": True, **fields})
    (finding,) = terminal_findings(terminal)
    assert finding.switch == switch
    assert words in str(finding) and "Expert Advisors" in finding.where


@pytest.mark.parametrize(
    ("field", "words"), [("trade_allowed", "investor"), ("trade_expert", "broker")]
)
def test_right_of_the_account_is_named(field, words):
    rights = {"trade_allowed": True, "trade_expert": True, field: False}
    (finding,) = account_findings(blank(AccountInfo, login=7, **rights))
    assert finding.switch == f"account_info.{field}"
    assert words in str(finding) and "7" in finding.what


@pytest.mark.parametrize("mode", [mode for mode in SymbolTradeMode if mode.name != "FULL"])
def test_restricted_symbol_is_named(mode):
    (finding,) = symbol_findings(CATALOGUE["EURUSD"].info._replace(trade_mode=int(mode)))
    assert "EURUSD" in finding.what
    assert finding.forbids == (mode is SymbolTradeMode.DISABLED)


def account(equity, **fields):
    levels = {"margin_so_call": 50.0, "margin_so_so": 30.0, "margin": 100.0, **fields}
    return blank(AccountInfo, equity=equity, margin_free=equity - levels["margin"], **levels)


def test_each_margin_level_is_said_once_and_left_only_with_some_room():
    watch = MarginWatch()
    zones = [
        change.zone if (change := watch.read(account(equity))) else None
        for equity in (200.0, 50.0, 49.0, 51.0, 30.0, 31.0, 40.0, 53.0)
    ]
    call, out, free = MarginZone.MARGIN_CALL, MarginZone.STOP_OUT, MarginZone.FREE
    assert zones == [None, call, None, None, out, None, call, free]


def test_account_without_positions_or_levels_is_in_no_zone():
    assert MarginWatch().read(account(0.0, margin=0.0)) is None
    assert MarginWatch().read(account(1.0, margin_so_call=0.0, margin_so_so=0.0)) is None


def test_levels_in_money_are_compared_with_the_free_margin():
    mode = int(AccountStopoutMode.MONEY)
    watch = MarginWatch()
    assert watch.read(account(200.0, margin_so_mode=mode, currency="EUR")) is None
    change = watch.read(account(140.0, margin_so_mode=mode, currency="EUR"))
    assert (change.zone, change.figure, change.unit) == (MarginZone.MARGIN_CALL, 40.0, "EUR")
