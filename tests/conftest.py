"""Which simulated terminals do tests share?"""

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
