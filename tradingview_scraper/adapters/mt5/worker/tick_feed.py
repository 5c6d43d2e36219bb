"""Which ticks of a symbol are new? Polled by a cheap look at the last one, read by the cursor."""

from typing import Final

from tradingview_scraper.adapters.mt5.rules.ticks import (
    TickCursor,
    advance,
    is_capped,
    request_second,
)
from tradingview_scraper.adapters.mt5.terminal.api import TerminalLibrary
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks
from tradingview_scraper.adapters.mt5.terminal.records import Tick
from tradingview_scraper.adapters.mt5.worker.frames import Ticks, row_bytes
from tradingview_scraper.adapters.mt5.worker.library import ask

#: Ticks asked for at once, and so at most in one frame: a handler runs a few milliseconds for it.
PAGE: Final = 2_048
#: Longest pause after a poll that failed.
_PATIENCE: Final = 1.0


class TickFeed:
    """The ticks of one symbol from a cursor on, each once.

    Without a cursor it begins with the symbol's current tick, so that a watcher has a quote at
    once; a symbol that has no tick yet is waited for.
    """

    def __init__(
        self,
        library: TerminalLibrary,
        watch: int,
        symbol: str,
        every_secs: float,
        cursor: TickCursor | None,
    ) -> None:
        self.watch = watch
        self._library = library
        self._symbol = symbol
        self._every = every_secs
        self._cursor = cursor
        self._selected = False
        self._count = PAGE
        self._behind = False
        self._due = 0.0
        self._pause = every_secs
        self._seq = 0
        # The last tick up to which everything was sent: while it stays, nothing is asked for.
        self._last: Tick | None = None

    def step(self, now: float) -> tuple[Ticks | None, float]:
        report = self._poll()
        self._pause = self._every
        if self._behind:
            return report, now
        self._due = max(min(self._due, now) + self._every, now)
        return report, self._due

    def failed(self, now: float) -> float:
        self._selected = False
        self._behind = False
        self._last = None
        self._pause = min(self._pause * 2, max(_PATIENCE, self._every))
        self._due = now + self._pause
        return self._due

    def _poll(self) -> Ticks | None:
        if not self._selected:
            ask(self._library, "symbol_select", self._symbol, True)
            self._selected = True
        if self._behind and self._cursor is not None:
            return self._read(self._cursor)
        tick: Tick = ask(self._library, "symbol_info_tick", self._symbol)
        # Zeros are no prices: nothing was quoted since the symbol was selected [recorded].
        if tick == self._last or not tick.time_msc:
            return None
        self._last = tick
        report = self._read(self._cursor or TickCursor(tick.time_msc, 0))
        if self._cursor is None or self._cursor.time_msc < tick.time_msc:
            # The copy lags behind the last tick: look again.
            self._last = None
        return report

    def _read(self, cursor: TickCursor) -> Ticks | None:
        rows = ask(
            self._library,
            "copy_ticks_from",
            self._symbol,
            request_second(cursor),
            self._count,
            int(CopyTicks.ALL),
        )
        step = advance(cursor, rows)
        self._behind = is_capped(rows, self._count)
        self._count = self._count * 2 if self._behind and not len(step.rows) else PAGE
        self._cursor = step.cursor
        if not len(step.rows):
            return None
        self._seq += 1
        return Ticks(
            self.watch,
            self._seq,
            step.cursor.time_msc,
            step.cursor.seen,
            step.gap,
            row_bytes(step.rows),
        )
