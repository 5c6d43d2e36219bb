"""``mt5 demo``: it trades, compares, reports, and its exit status says the truth."""

import copy
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from tradingview_scraper.adapters.mt5.cli.demo import session
from tradingview_scraper.adapters.mt5.cli.demo.check import compare
from tradingview_scraper.adapters.mt5.cli.demo.report import write_report
from tradingview_scraper.adapters.mt5.cli.demo.session import DemoResult
from tradingview_scraper.adapters.mt5.cli.demo.view import as_document
from tradingview_scraper.adapters.mt5.cli.main import main
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE

pytestmark = pytest.mark.timeout(300)


def _trade(scenario: str) -> DemoResult:
    return session.trade(
        seconds=6.0, scenario=scenario, library=SIMULATOR_MODULE, console=Console(quiet=True)
    )


@pytest.fixture(scope="module")
def hedging() -> DemoResult:
    return _trade("demo-hedging")


def test_node_agrees_with_the_books_on_a_hedging_account(hedging: DemoResult) -> None:
    assert hedging.symbols == ("EURUSD", "USDJPY")
    assert len(hedging.fills) >= 4
    assert hedging.books["positions"] == []
    assert [check for check in hedging.checks if not check.agrees] == []
    assert hedging.agrees


def test_node_agrees_with_the_books_on_a_netting_account() -> None:
    result = _trade("demo-netting")
    assert len(result.fills) >= 4
    assert [check for check in result.checks if not check.agrees] == []


def _compared(result: DemoResult, books: dict[str, object]) -> list[str]:
    checks = compare(
        fills=result.fills,
        positions=result.positions,
        open_orders=0,
        instruments=result.instruments,
        books=books,
    )
    return [check.subject for check in checks if not check.agrees]


@pytest.mark.parametrize(
    ("field", "by", "subject"),
    [
        ("price", 1e-4, "price"),
        ("volume", 0.01, "quantity"),
        ("commission", -0.05, "commission"),
        ("profit", 0.2, "profit"),
    ],
)
def test_wrong_book_is_noticed(hedging: DemoResult, field: str, by: float, subject: str) -> None:
    books = copy.deepcopy(hedging.books)
    closing = [deal for deal in books["deals"] if deal["symbol"] == "EURUSD" and deal["entry"] == 1]
    closing[-1][field] += by
    assert any(subject in difference for difference in _compared(hedging, books))


def test_missing_and_unknown_deals_are_noticed(hedging: DemoResult) -> None:
    without = copy.deepcopy(hedging.books)
    lost = next(deal for deal in without["deals"] if deal["symbol"])
    without["deals"].remove(lost)
    assert f"deal {lost['ticket']}" in _compared(hedging, without)
    more = copy.deepcopy(hedging.books)
    more["deals"].append(dict(lost, ticket=42))
    assert "deal 42" in _compared(hedging, more)


def test_position_left_open_is_noticed(hedging: DemoResult) -> None:
    books = copy.deepcopy(hedging.books)
    books["positions"].append({"ticket": 1})
    assert "open positions" in _compared(hedging, books)


def test_report_is_one_page_that_needs_nothing_else(hedging: DemoResult, tmp_path: Path) -> None:
    page = write_report(hedging, tmp_path / "new" / "folder")
    text = page.read_text(encoding="utf-8")
    assert all(fill.trade_id.value in text for fill in hedging.fills)
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=", text)


def test_report_shows_the_slippage_and_requotes_of_a_bad_broker(tmp_path: Path) -> None:
    scenario = tmp_path / "slipping.toml"
    scenario.write_text(
        'extends = "demo-hedging"\n[broker]\nslippage_points = 400\n'
        '[[faults]]\nat = 0\ndo = "requote"\nn = 1\n'
    )
    result = _trade(str(scenario))
    assert {row["order_type"] for row in result.quality} == {"market"}
    slipped = [row["slippage_points"] for row in result.quality]
    # On a slow machine the market moves on too while an order is under way.
    assert all(300.0 < points["min"] <= points["max"] < 500.0 for points in slipped)
    assert sum(row["requotes"] for row in result.quality) == 1
    assert sum(row["fills"] for row in result.quality) == len(result.fills)
    text = write_report(result, tmp_path).read_text(encoding="utf-8")
    assert "Execution quality" in text
    assert all(f"<td class=number>{points['mean']:.2f}</td>" in text for points in slipped)


def test_document_is_plain_json(hedging: DemoResult) -> None:
    document = json.loads(json.dumps(as_document(hedging, None)))
    assert document["ok"] is True
    assert document["fills"] == len(hedging.fills)
    assert document["latency_ms"]["submit_to_fill"]["p50"] > 0


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_json_is_the_last_line_also_when_the_demo_cannot_run() -> None:
    result = _run("demo", "--scenario", "no-such-scenario", "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout.splitlines()[-1])
    assert document["ok"] is False
    assert "demo-hedging" in document["error"]


def test_terminal_says_what_scenarios_there_are() -> None:
    result = _run("terminal", "no-such-scenario")
    assert result.exit_code == 2
    assert "demo-hedging" in result.stderr


def test_every_command_explains_itself() -> None:
    result = _run("--help")
    assert result.exit_code == 0
    for command in main.commands:
        assert command in result.output
        assert _run(command, "--help").exit_code == 0
