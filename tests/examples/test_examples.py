"""Every example runs, on a simulated terminal."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

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
