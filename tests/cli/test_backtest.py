"""``mt5 backtest`` and ``mt5 paper``: from the options to the exit status."""

from pathlib import Path

import pytest

from tests.library import LIBRARY
from tradingview_scraper.adapters.mt5.simulator.control import Control

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.timeout(120)


def test_example_runs_from_a_download_to_a_tearsheet(
    small: Control, mt5, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES)
    archive, page = tmp_path / "history", tmp_path / "page.html"
    mt5("download", "EURUSD", "--from", "2025-03-10", "--archive", archive,
        "--path", small.path, "--module", LIBRARY)  # fmt: skip
    # NautilusTrader computes the accounts of a simulated venue from then on: it has its own name.
    settings = tmp_path / "pulse.toml"
    example = (EXAMPLES / "pulse.toml").read_text("utf-8")
    settings.write_text(example.replace("EURUSD.MT5", "EURUSD.BACKTEST"), "utf-8")
    wanted = ("EURUSD", "--venue", "BACKTEST", "--config", settings, "--archive", archive)
    status, document, said = mt5("backtest", "pulse:Pulse", *wanted, "--tearsheet", page)
    assert status == 0 and document["quotes"] > 1000 and document["fills"] > 4
    assert "Backtest" in said and "Equity Curve" in (drawn := page.read_text("utf-8"))
    assert "Rolling Sharpe" not in drawn, "two days: it would be empty"
    status, document, _ = mt5("backtest", "pulse:Nothing", *wanted)
    assert status == 2 and "pulse:Nothing" in document["error"]
    status, document, _ = mt5("backtest", "pulse:Pulse", "EURUSDX", "--archive", archive)
    assert status == 2 and "did you mean EURUSD" in document["error"]


def test_example_trades_on_paper_however_quiet_the_market_is(
    small: Control, mt5, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stands still: there is one quote, the current one."""
    monkeypatch.chdir(EXAMPLES)
    settings = tmp_path / "pulse.toml"
    example = (EXAMPLES / "pulse.toml").read_text("utf-8")
    settings.write_text(example.replace("EURUSD.MT5", "EURUSD.PAPER"), "utf-8")
    status, document, said = mt5(
        "paper", "pulse:Pulse", "EURUSD", "--venue", "PAPER", "--config", settings,
        "--path", small.path, "--module", LIBRARY, "--seconds", "1",
    )  # fmt: skip
    assert status == 0 and document["quotes"] == 1
    assert document["orders"] >= 1 and document["fills"] >= 1
    assert "1 quotes" in said and "BUY 10_000" in said
    assert not small.books()["deals"][1:]


def test_paper_that_trades_nothing_says_how_many_quotes_it_saw(
    small: Control, mt5, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "idle.py").write_text(
        "from nautilus_trader.config import StrategyConfig\n"
        "from nautilus_trader.trading.strategy import Strategy\n"
        "class IdleConfig(StrategyConfig, frozen=True): ...\n"
        "class Idle(Strategy): ...\n",
        "utf-8",
    )
    status, document, said = mt5(
        "paper", "idle:Idle", "EURUSD", "--venue", "PAPER",
        "--path", small.path, "--module", LIBRARY, "--seconds", "1",
    )  # fmt: skip
    assert status == 0 and (document["quotes"], document["orders"]) == (0, 0)
    assert "No quote came" in said


def test_paper_needs_to_know_its_symbols(mt5) -> None:
    assert mt5("paper", "pulse:Pulse")[0] == 2
