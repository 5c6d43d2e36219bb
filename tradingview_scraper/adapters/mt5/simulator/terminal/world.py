"""Which world does a terminal process run, and what of it outlives the process? `World`.

A killed terminal comes back on the same books, at the same time, on the same account: the broker's
journals and the ticks that were pushed are on disk, and beside them what `_State` holds.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingview_scraper.adapters.mt5.simulator import address
from tradingview_scraper.adapters.mt5.simulator.broker.books import Books
from tradingview_scraper.adapters.mt5.simulator.broker.broker import Broker
from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.market.replay import recorded_ticks
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario, load_scenario
from tradingview_scraper.adapters.mt5.simulator.schema import AccountSpec
from tradingview_scraper.adapters.mt5.simulator.terminal.journal import Journal
from tradingview_scraper.adapters.mt5.simulator.terminal.terminal import Terminal
from tradingview_scraper.adapters.mt5.simulator.terminal.timetable import Entry, Timetable
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import DealType

_STATE: Final = "terminal.json"
_JOURNAL: Final = "journal.jsonl"


class _Gap(msgspec.Struct):
    """A price that jumped for good."""

    symbol: str
    msc: int
    points: int


class _State(msgspec.Struct):
    """What a terminal remembers."""

    #: When the terminal was started first, by this machine's clock and in world time (UTC), in ms.
    began_msc: int = 0
    began_utc_msc: int = 0
    #: Seconds that the clock was advanced.
    advanced: float = 0.0
    #: The account that it is on; None: the scenario's.
    login: int | None = None
    #: Accounts that were opened beside the scenario's.
    accounts: list[AccountSpec] = []
    #: Seconds that the server's clock was put wrong.
    shifted: float = 0.0
    #: The AutoTrading button, when somebody pressed it.
    trade_allowed: bool | None = None
    #: The build after an update.
    build: int | None = None
    gaps: list[_Gap] = []
    #: Entries of the timetable that have happened.
    happened: int = 0


class World:
    """A scenario with its clock, market, broker and terminal, on books in a directory."""

    def __init__(self, path: str, scenario: Scenario, books: Path) -> None:
        self.path: Final = path
        self.books: Final = books
        books.mkdir(parents=True, exist_ok=True)
        self._state = state = _remembered(books)
        if not state.began_msc:
            state.began_msc = time.time_ns() // 1_000_000
            state.began_utc_msc = Clock(scenario.clock, state.began_msc).utc_msc()
            self._remember()
        program = scenario.terminal
        if state.build is not None:
            program = msgspec.structs.replace(program, build=state.build)
        if state.trade_allowed is not None:
            program = msgspec.structs.replace(program, trade_allowed=state.trade_allowed)
        scenario = msgspec.structs.replace(scenario, books=books, terminal=program)
        self.scenario: Final = scenario
        self.clock: Final = Clock(scenario.clock, state.began_msc)
        self.clock.advance(state.advanced)
        self.clock.shift(state.shifted)
        self.timetable: Final = Timetable(
            [Entry(fault.at, fault.do, fault.arguments) for fault in scenario.faults],
            state.happened,
        )
        self.market: Final = Market(scenario, self.clock, began_utc_msc=state.began_utc_msc)
        for gap in state.gaps:
            self.market.gap(gap.symbol, gap.points, gap.msc)
        self.broker: Final = Broker(scenario, self.market, self.clock, Books(books))
        self.journal: Final = Journal(
            books / _JOURNAL if scenario.terminal.journal else None, lambda: self.market.now_msc
        )
        self.terminal: Final = Terminal(
            scenario,
            self.clock,
            self.market,
            self.broker,
            path=path,
            data_path=str(books),
            journal=self.journal if scenario.terminal.journal else None,
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

    def anew(self, check: Callable[[Scenario], None]) -> "World":
        """The same path on fresh books, with the scenario as it reads now.

        Raises `ScenarioError`, also that of `check`, while the old books are still there.
        """
        scenario = load_scenario(self.path)
        check(scenario)
        recorded_ticks(scenario, 0)
        Books(self.books).clear()
        self.journal.clear()
        (self.books / _STATE).unlink(missing_ok=True)
        return World(self.path, scenario, self.books)

    def advance(self, seconds: float) -> None:
        """Let time pass at once; everything that falls into it happens."""
        self.clock.advance(seconds)
        self._state.advanced += seconds
        self._remember()
        self.terminal.run()

    def close(self) -> None:
        """Let go of what is open; nothing may be asked afterwards."""
        self.journal.close()

    @property
    def elapsed(self) -> float:
        """Seconds of world time since the terminal's first start."""
        return (self.clock.utc_msc() - self._state.began_utc_msc) / 1000

    def take_due(self) -> Entry | None:
        """The next entry of the timetable whose time has come; it will not come again."""
        due = self.timetable.next_at
        if due is None or due > self.elapsed:
            return None
        entry = self.timetable.take()
        self._state.happened = self.timetable.done
        self._remember()
        return entry

    def shift(self, seconds: float) -> None:
        """Put the server's clock wrong; what falls into a jump forward happens."""
        self.clock.shift(seconds)
        self._state.shifted += seconds
        self._remember()
        self.terminal.run()

    def gap(self, symbol: str, points: int) -> None:
        """A symbol's prices jump by so many points and stay there. ValueError as the market."""
        self.terminal.run()
        msc = self.market.now_msc
        self.market.gap(symbol, points, msc)
        self._state.gaps.append(_Gap(symbol, msc, points))
        self._remember()

    def operate(self, kind: str, amount: float, comment: str) -> dict[str, Any]:
        """A balance operation on the account, by the name of its kind of deal; gives the deal.

        Raises ValueError for an unknown kind and as the broker does.
        """
        name = kind.upper()
        if name not in DealType.__members__:
            raise ValueError(f"kind must be that of a deal, like 'balance', was {kind!r}")
        self.terminal.run()
        return self.broker.operate(DealType[name], amount, comment)._asdict()

    def allow_trading(self, allowed: bool) -> None:
        """Press the AutoTrading button."""
        self.broker.auto_trading = allowed
        self._state.trade_allowed = allowed
        self._remember()

    def update(self, build: int | None) -> None:
        """Remember the build of the next start; None is the one after this one."""
        self._state.build = self.scenario.terminal.build + 1 if build is None else build
        self._remember()

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
