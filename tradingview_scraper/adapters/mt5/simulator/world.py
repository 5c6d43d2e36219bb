"""Which world does a terminal process run, and what of it outlives the process? `World`.

A killed terminal comes back on the same books, at the same time: the broker's journals and the ticks
that were pushed are on disk, and beside them how far the clock was advanced.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingview_scraper.adapters.mt5.simulator import address
from tradingview_scraper.adapters.mt5.simulator.books import Books
from tradingview_scraper.adapters.mt5.simulator.broker import Broker
from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.market import Market
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario, load_scenario
from tradingview_scraper.adapters.mt5.simulator.terminal import Terminal
from tradingview_scraper.adapters.mt5.terminal.api import Rows

_ADVANCED: Final = "advanced.json"


class World:
    """A scenario with its clock, market, broker and terminal, on books in a directory."""

    def __init__(self, path: str, scenario: Scenario, books: Path) -> None:
        self.path: Final = path
        self.books: Final = books
        books.mkdir(parents=True, exist_ok=True)
        scenario = msgspec.structs.replace(scenario, books=books)
        self._advanced = _advanced(books)
        self.clock: Final = Clock(scenario.clock)
        self.clock.advance(self._advanced)
        self.market: Final = Market(scenario, self.clock)
        self.broker: Final = Broker(scenario, self.market, self.clock, Books(books))
        self.terminal: Final = Terminal(
            scenario, self.clock, self.market, self.broker, path=path, data_path=str(books)
        )

    @classmethod
    def open(cls, path: str, books: Path | None) -> "World":
        """The world of `path` on its books, wherever they are. Raises `ScenarioError`."""
        scenario = load_scenario(path)
        return cls(path, scenario, books or scenario.books or address.books_directory(path))

    def anew(self) -> "World":
        """The same path on fresh books, with the scenario as it reads now. `ScenarioError`."""
        scenario = load_scenario(self.path)
        shutil.rmtree(self.books)
        return World(self.path, scenario, self.books)

    def advance(self, seconds: float) -> None:
        """Let time pass at once; everything that falls into it happens."""
        self.clock.advance(seconds)
        self._advanced += seconds
        (self.books / _ADVANCED).write_text(json.dumps(self._advanced))
        self.terminal.run()

    def push_ticks(self, symbol: str, rows: Rows) -> None:
        """Add ticks to a symbol; `time_msc` 0 is now. Raises ValueError as the market does."""
        self.terminal.run()
        self.market.push_ticks(symbol, rows)
        self.terminal.run()

    def log_in(self, account: Mapping[str, Any]) -> None:
        """A person switches to an account; ValueError when it is not one of the scenario's."""
        self.terminal.log_in(account["login"])


def _advanced(books: Path) -> float:
    file = books / _ADVANCED
    return float(json.loads(file.read_text())) if file.exists() else 0.0
