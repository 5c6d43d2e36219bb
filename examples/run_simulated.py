"""Run an ordinary MetaTrader5 script on a simulated terminal, minutes in a moment, with trouble.

``python examples/run_simulated.py``. The script imports ``MetaTrader5``; here that name is the
simulator's module. The clock is stepped: where the script would sleep, server time passes.
"""

import os
import sys
from pathlib import Path

import tradingview_scraper.adapters.mt5.simulator as simulator
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch

SCENARIO = {
    "extends": "demo-hedging",
    "seed": 7,
    "clock": {"mode": "stepped", "start": "2025-03-12T13:00:00Z"},
    "faults": [
        # In the fifth minute the next market order is requoted, later the price jumps.
        {"at": 290, "do": "requote", "n": 1},
        {"at": 900, "do": "gap", "symbol": "EURUSD", "points": 150},
    ],
}


def main() -> float:
    """The profit of the script, which is the same in every run."""
    before = sys.modules.get("MetaTrader5")
    sys.modules["MetaTrader5"] = simulator
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        import moving_average

        with launch(SCENARIO) as terminal:
            os.environ["MT5_SIMULATOR_SCENARIO"] = terminal.path
            profit = moving_average.main(pause=terminal.advance)
            check(terminal)
            return float(profit)
    finally:
        os.environ.pop("MT5_SIMULATOR_SCENARIO", None)
        sys.path.pop(0)
        sys.modules.pop("moving_average", None)
        sys.modules.pop("MetaTrader5")
        if before is not None:
            sys.modules["MetaTrader5"] = before


def check(terminal: Control) -> None:
    """The broker's truth: nothing is open, and the balance is the sum of all deals."""
    books = terminal.books()
    assert books["positions"] == []
    money = sum(
        deal[field] for deal in books["deals"] for field in ("profit", "commission", "swap", "fee")
    )
    assert round(money, 2) == books["account"]["balance"]


if __name__ == "__main__":
    main()
