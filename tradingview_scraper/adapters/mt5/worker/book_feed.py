"""What stands in the depth of a symbol? Polled only while somebody watches."""

import time
from collections import Counter
from typing import Final

from tradingview_scraper.adapters.mt5.terminal.api import TerminalLibrary
from tradingview_scraper.adapters.mt5.terminal.records import BookInfo
from tradingview_scraper.adapters.mt5.worker.frames import Book
from tradingview_scraper.adapters.mt5.worker.library import CallFailed, ask

#: Longest pause after a poll that failed.
_PATIENCE: Final = 5.0


class BookFeed:
    """The depth of one symbol, whole: at once, empty or not, and then whenever it is another.

    `users` counts the feeds of a worker by symbol: the first one asks the terminal for the depth,
    the last one gives it back.
    """

    def __init__(
        self,
        library: TerminalLibrary,
        watch: int,
        symbol: str,
        every_secs: float,
        users: Counter[str],
    ) -> None:
        self.watch = watch
        self._library = library
        self._symbol = symbol
        self._every = every_secs
        self._users = users
        self._is_added = False
        self._due = 0.0
        self._pause = every_secs
        self._seq = 0
        self._last: tuple[BookInfo, ...] | None = None

    def step(self, now: float) -> tuple[Book | None, float]:
        self._add()
        entries = tuple(map(BookInfo._make, ask(self._library, "market_book_get", self._symbol)))
        taken = time.time_ns()
        self._pause = self._every
        self._due = max(min(self._due, now) + self._every, now)
        if entries == self._last:
            return None, self._due
        self._last = entries
        self._seq += 1
        return Book(self.watch, self._seq, taken, entries), self._due

    def failed(self, now: float) -> float:
        # Asked for anew: a terminal that has lost its connection has lost the depth as well.
        self.close()
        self._pause = min(self._pause * 2, max(_PATIENCE, self._every))
        self._due = now + self._pause
        return self._due

    def close(self) -> None:
        """Give the depth back, if this is the last feed that needs it."""
        if not self._is_added:
            return
        self._is_added = False
        self._users[self._symbol] -= 1
        if not self._users[self._symbol]:
            # Whatever it answers: there is nothing to be done about it.
            self._library.market_book_release(self._symbol)

    def _add(self) -> None:
        if self._is_added:
            return
        ask(self._library, "symbol_select", self._symbol, True)
        if not self._users[self._symbol] and not self._library.market_book_add(self._symbol):
            # `last_error` says Success whatever the reason was [recorded].
            raise CallFailed(
                "market_book_add",
                self._library.last_error()[0],
                f"the terminal has no depth of {self._symbol!r}",
            )
        self._users[self._symbol] += 1
        self._is_added = True
