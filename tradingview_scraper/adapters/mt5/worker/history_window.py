"""Which deals, or history orders, are new? The recent end of one of the two histories.

History is asked for up to the end of time, never up to a "now": the server's clock is not ours,
and it may be anything. Where a window begins is found by counting, without any clock.
"""

from collections.abc import Generator
from typing import Any, Final, NamedTuple

from tradingview_scraper.adapters.mt5.terminal.api import TerminalLibrary
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder
from tradingview_scraper.adapters.mt5.worker.arguments import LAST_DATE
from tradingview_scraper.adapters.mt5.worker.library import ask

#: A history of up to this many records is read whole.
_WHOLE: Final = 2_000
#: From a longer one, at most this many of the newest.
_RECENT: Final = 1_000
#: Seconds before the newest record that are read again: records come late and out of order.
_OVERLAP: Final = 180
#: The same when records are looked for that were made just now; the count shows what it misses.
_JUST_NOW: Final = 0
#: Seconds between two readings of the whole window, while the terminal counts more than it lists.
_AUDIT_SECS: Final = 5.0


class Kind(NamedTuple):
    """One of the two histories: its functions, its records, and where they have their time."""

    total: str
    get: str
    record: type[TradeDeal] | type[TradeOrder]
    time_field: int


DEALS: Final = Kind(
    "history_deals_total", "history_deals_get", TradeDeal, TradeDeal._fields.index("time")
)
#: Terminals filter history orders by the time they were done [recorded].
ORDERS: Final = Kind(
    "history_orders_total", "history_orders_get", TradeOrder, TradeOrder._fields.index("time_done")
)


def recent_start(library: TerminalLibrary, kind: Kind) -> Generator[None, None, int]:
    """Find the server second from which at most `_RECENT` records exist; 1 when all are few.

    Yields after each call of the library.
    """

    def counted(start: int) -> int:
        total: int = ask(library, kind.total, start, LAST_DATE)
        return total

    few = counted(1) <= _WHOLE
    yield
    if few:
        return 1
    low, high = 1, LAST_DATE
    while low < high:
        middle = (low + high) // 2
        if counted(middle) <= _RECENT:
            high = middle
        else:
            low = middle + 1
        yield
    return low


class HistoryWindow:
    """All records from `start` on as far as they were read, and which of them are new."""

    def __init__(self, library: TerminalLibrary, kind: Kind, start: int) -> None:
        self.start = start
        self._library = library
        self._kind = kind
        self._known: dict[int, tuple[Any, ...]] = {}
        self._newest = start
        self._audit_due = 0.0

    def read_all(self) -> list[Any]:
        """Records from `start` on that are new or changed, as the library has them."""
        return self._read(self.start)

    def read_new(
        self, found: list[Any], now: float, *, straight: bool
    ) -> Generator[None, None, None]:
        """Add new records to `found`: those near the newest, and all when the count says so.

        Yields after each call of the library. `straight`: without counting first and only the
        newest second and later, for when something was done just now.
        """
        if straight:
            found += self._read(self._newest - _JUST_NOW)
            yield
            return
        total: int = ask(self._library, self._kind.total, self.start, LAST_DATE)
        yield
        if total == len(self._known):
            return
        found += self._read(self._newest - _OVERLAP)
        yield
        # Records before the overlap: they came late, or the server's clock has stepped back.
        if total > len(self._known) and now >= self._audit_due:
            self._audit_due = now + _AUDIT_SECS
            found += self._read(self.start)
            yield

    def _read(self, start: int) -> list[Any]:
        rows = ask(self._library, self._kind.get, max(self.start, start), LAST_DATE)
        known = self._known
        time_field = self._kind.time_field
        new = []
        for row in rows:
            if known.get(row[0]) != row:
                known[row[0]] = row
                new.append(row)
                self._newest = max(self._newest, row[time_field])
        return new
