"""Which bars of a series have closed? A bar is closed when a later one exists."""

from typing import Final

from tradingview_scraper.adapters.mt5.rules.bars import closed_rows
from tradingview_scraper.adapters.mt5.terminal.api import Rows, TerminalLibrary
from tradingview_scraper.adapters.mt5.worker.frames import Bars, row_bytes
from tradingview_scraper.adapters.mt5.worker.library import ask

#: Bars asked for by a poll: the forming one and the one before it.
_FEW: Final = 2
#: Bars sent in one frame at most.
_PAGE: Final = 4_096
_PATIENCE: Final = 5.0


class BarFeed:
    """The closed bars of one series that open after `after` (server seconds), each once.

    Without `after` it begins with the bar that is forming now.
    """

    def __init__(
        self,
        library: TerminalLibrary,
        watch: int,
        symbol: str,
        timeframe: int,
        every_secs: float,
        after: int | None,
    ) -> None:
        self.watch = watch
        self._library = library
        self._symbol = symbol
        self._timeframe = timeframe
        self._every = every_secs
        self._after = after
        self._selected = False
        self._due = 0.0
        self._pause = every_secs
        self._seq = 0

    def step(self, now: float) -> tuple[Bars | None, float]:
        rows = self._new_rows()
        self._pause = self._every
        if rows is None or not len(rows):
            self._due = max(self._due + self._every, now)
            return None, self._due
        page = rows[:_PAGE]
        self._after = int(page["time"][-1])
        self._seq += 1
        self._due = max(self._due + self._every, now) if len(page) == len(rows) else now
        return Bars(self.watch, self._seq, row_bytes(page)), self._due

    def failed(self, now: float) -> float:
        self._selected = False
        self._pause = min(self._pause * 2, max(_PATIENCE, self._every))
        self._due = now + self._pause
        return self._due

    def close(self) -> None:
        """The symbol stays in Market Watch: others may need it there."""

    def _new_rows(self) -> Rows | None:
        if not self._selected:
            ask(self._library, "symbol_select", self._symbol, True)
            self._selected = True
        count = _FEW
        while True:
            rows = self._read(count)
            if not len(rows):
                return None
            closed = closed_rows(rows)
            if self._after is None:
                # Server time before the first bar of a series that is still empty.
                self._after = int(closed["time"][-1]) if len(closed) else 0
                return None
            reaches_back = int(rows["time"][0]) <= self._after
            if reaches_back or len(rows) < count:
                return closed[closed["time"] > self._after]
            count *= 8

    def _read(self, count: int) -> Rows:
        rows: Rows = ask(
            self._library, "copy_rates_from_pos", self._symbol, self._timeframe, 0, count
        )
        return rows
