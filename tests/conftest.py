"""Which simulated terminals, and which looks at processes, do tests share?"""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tradingview_scraper.adapters.mt5.simulator.control import launch

#: A hedging account whose clock stands still, on a Monday noon in London, until it is advanced.
STEPPED = {
    "extends": "demo-hedging",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
}


@pytest.fixture
def terminal():
    """A terminal of its own, on fresh books, with a clock that stands still."""
    with launch(STEPPED) as control:
        yield control


@pytest.fixture(scope="session")
def processes() -> ModuleType:
    """``processes.lives(pid)`` and ``processes.kill(pid)``."""
    spec = importlib.util.spec_from_file_location(
        "processes", Path(__file__).with_name("processes.py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
