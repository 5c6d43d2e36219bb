"""Which world does a terminal process run, and what of it outlives the process? `World`.

A killed terminal comes back on the same books, at the same time, on the same account: the broker's
journals and the ticks that were pushed are on disk, and beside them what `_State` holds.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingview_scraper.adapters.mt5.simulator import address
from tradingview_scraper.adapters.mt5.simulator.broker.books import Books
from tradingview_scraper.adapters.mt5.simulator.broker.broker import Broker
from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario, load_scenario
from tradingview_scraper.adapters.mt5.simulator.schema import AccountSpec
from tradingview_scraper.adapters.mt5.simulator.terminal.terminal import Terminal
from tradingview_scraper.adapters.mt5.terminal.api import Rows

_STATE: Final = "terminal.json"


class _State(msgspec.Struct):
    """What a terminal remembers."""

    #: Seconds that the clock was advanced.
    advanced: float = 0.0
    #: The account that it is on; None: the scenario's.
    login: int | None = None
    #: Accounts that were opened beside the scenario's.
    accounts: list[AccountSpec] = []


class World:
    """A scenario with its clock, market, broker and terminal, on books in a directory."""

    def __init__(self, path: str, scenario: Scenario, books: Path) -> None:
        self.path: Final = path
        self.books: Final = books
        books.mkdir(parents=True, exist_ok=True)
        scenario = msgspec.structs.replace(scenario, books=books)
        self._state = _remembered(books)
        self.clock: Final = Clock(scenario.clock)
        self.clock.advance(self._state.advanced)
        self.market: Final = Market(scenario, self.clock)
        self.broker: Final = Broker(scenario, self.market, self.clock, Books(books))
        self.terminal: Final = Terminal(
            scenario, self.clock, self.market, self.broker, path=path, data_path=str(books)
        )
        for account in self._state.accounts:
            self.terminal.open_account(account)
        if self._state.login is not None:
            self.terminal.log_in(self._state.login)
        self.terminal.on_login = self._remember_login

    @classmethod
    def open(cls, path: str, books: Path | None) -> "World":
        """The world of `path` on its books, wherever they are. Raises `ScenarioError`."""
        scenario = load_scenario(path)
        return cls(path, scenario, books or scenario.books or address.books_directory(path))

    def anew(self) -> "World":
        """The same path on fresh books, with the scenario as it reads now. `ScenarioError`."""
        scenario = load_scenario(self.path)
        Books(self.books).clear()
        (self.books / _STATE).unlink(missing_ok=True)
        return World(self.path, scenario, self.books)

    def advance(self, seconds: float) -> None:
        """Let time pass at once; everything that falls into it happens."""
        self.clock.advance(seconds)
        self._state.advanced += seconds
        self._remember()
        self.terminal.run()

    def push_ticks(self, symbol: str, rows: Rows) -> None:
        """Add ticks to a symbol; `time_msc` 0 is now. Raises ValueError as the market does."""
        self.terminal.run()
        self.market.push_ticks(symbol, rows)
        self.terminal.run()

    def log_in(self, account: Mapping[str, Any]) -> None:
        """A person switches to an account: a known one by its `login`, or a new one.

        An unknown login with more fields, those of a scenario's ``[account]``, opens that account.
        Raises ValueError for an unknown login alone and for fields that no account has.
        """
        if len(account) > 1 and not self.terminal.knows(account["login"]):
            try:
                new = msgspec.convert(account, AccountSpec)
            except msgspec.ValidationError as error:
                raise ValueError(f"account: {error}") from None
            self.terminal.open_account(new)
            self._state.accounts.append(new)
            self._remember()
        self.terminal.log_in(account["login"])

    def _remember_login(self, login: int) -> None:
        self._state.login = login
        self._remember()

    def _remember(self) -> None:
        file = self.books / _STATE
        fresh = file.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(self._state))
        fresh.replace(file)


def _remembered(books: Path) -> _State:
    file = books / _STATE
    return msgspec.json.decode(file.read_bytes(), type=_State) if file.exists() else _State()
