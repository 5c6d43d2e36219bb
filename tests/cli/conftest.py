"""A small world whose clock stands still, and commands on it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from tradingview_scraper.adapters.mt5.cli.main import main
from tradingview_scraper.adapters.mt5.simulator.control import Control
from tradingview_scraper.adapters.mt5.terminal.config import ENVIRONMENT

#: Wednesday noon; few ticks, and a history of eight days.
SMALL = {
    "extends": "demo-hedging",
    "clock": {"mode": "stepped", "start": "2025-03-12T12:00:00Z"},
    "prices": {"history_from": "2025-03-04", "rate": 0.02},
    "symbols": [
        "EURUSD",
        "USDJPY",
        "#AAPL",
        {"name": "EUR/USD*", "like": "EURUSD", "selected": False},
    ],
}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ENVIRONMENT.values():
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def small(terminal: Control) -> Control:
    terminal.reset(SMALL)
    return terminal


Mt5 = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def mt5() -> Mt5:
    """Runs a command with ``--json``: exit status, document, and what people read."""

    def run(*arguments: object) -> tuple[int, dict[str, Any], str]:
        result = CliRunner().invoke(main, [*map(str, arguments), "--json"])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, json.loads(result.stdout.splitlines()[-1]), result.stderr

    return run
