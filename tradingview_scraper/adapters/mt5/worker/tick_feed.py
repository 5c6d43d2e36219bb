"""Which ticks of a symbol are new? Polled by a cheap look at the last one, read by the cursor."""

import time
from collections.abc import Callable
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
from tradingview_scraper.adapters.mt5.worker.frames import NoTicks, Ticks, row_bytes
from tradingview_scraper.adapters.mt5.worker.library import ask
from tradingview_scraper.adapters.mt5.worker.pace import Pace

#: Ticks asked for at once, and so at most in one frame: a handler runs a few milliseconds for it.
PAGE: Final = 2_048
#: Longest pause after a poll that failed.
_PATIENCE: Final = 1.0
#: Seconds that a gap must last before it is believed: a terminal that synchronises after a restart
#: has only its newest ticks at first, and the rest of them a moment later [vendor].
GAP_PATIENCE: Final = 3.0
#: Pause between two looks at a gap.
_GAP_PAUSE: Final = 0.1


class TickFeed:
    """The ticks of one symbol from a cursor on, each once.

    Without a cursor it begins with the symbol's current tick, so that a watcher has a quote at
    once; a symbol that has no tick yet is waited for, and all of its first ticks are sent. That it
    had none at `empty_ns` (wall clock) was seen by a feed before this one.
    """

    def __init__(
        self,
        library: TerminalLibrary,
        watch: int,
        symbol: str,
        every_secs: float,
        cursor: TickCursor | None,
        quiet_secs: float = 0.0,
        empty_ns: int = 0,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self.watch = watch
        self._library = library
        self._symbol = symbol
        self._wall = wall
        self._cursor = cursor
        self._selected = False
        self._count = PAGE
        self._behind = False
        self._pace = Pace(every_secs, quiet_secs)
        self._patience = max(_PATIENCE, every_secs)
        self._pause = self._pace.every
        self._seq = 0
        # The last tick up to which everything was sent: while it stays, nothing is asked for.
        self._last: Tick | None = None
        # The last look saw another tick than the one before, whether the copy has it yet or not.
        self._stirs = False
        # The newest tick that a look has seen, and the wall clock then, if an earlier look had
        # seen an older one.
        self._newest_msc = 0
        self._seen_ns = 0
        # When the symbol was last seen without any tick, wall clock; 0: never.
        self._empty_ns = empty_ns
        self._has_told_empty = False
        # When the gap that is being looked at was first seen.
        self._gap_at: float | None = None

    def step(self, now: float) -> tuple[Ticks | NoTicks | None, float]:
        report = self._poll(now)
        self._pause = self._pace.every
        if self._gap_at is not None:
            return report, now + _GAP_PAUSE
        if self._behind:
            return report, now
        return report, self._pace.next(now, found=self._stirs)

    def failed(self, now: float) -> float:
        self._selected = False
        self._behind = False
        self._last = None
        self._newest_msc = 0
        self._pause = min(self._pause * 2, self._patience)
        return self._pace.after(now, self._pause)

    def close(self) -> None:
        """The symbol stays in Market Watch: others may need it there."""

    def _poll(self, now: float) -> Ticks | NoTicks | None:
        if not self._selected:
            ask(self._library, "symbol_select", self._symbol, True)
            self._selected = True
        if self._behind and self._cursor is not None:
            return self._read(self._cursor, now)
        tick: Tick = ask(self._library, "symbol_info_tick", self._symbol)
        self._stirs = tick != self._last and tick.time_msc > 0
        # Zeros are no prices: nothing was quoted since the symbol was selected [recorded].
        if not tick.time_msc:
            self._empty_ns = self._wall()
            return self._without_ticks()
        if not self._stirs:
            return None
        self._last = tick
        if tick.time_msc != self._newest_msc:
            self._seen_ns = self._wall() if self._newest_msc else 0
            self._newest_msc = tick.time_msc
        report = self._read(self._cursor or self._beginning(tick), now)
        if self._cursor is None or self._cursor.time_msc < tick.time_msc:
            # The copy lags behind the last tick: look again.
            self._last = None
        return report

    def _without_ticks(self) -> NoTicks | None:
        """Said once: should this worker end, the next one must know that all ticks are new."""
        if self._has_told_empty or self._cursor is not None:
            return None
        self._has_told_empty = True
        self._seq += 1
        return NoTicks(self.watch, self._seq, self._empty_ns)

    def _beginning(self, tick: Tick) -> TickCursor:
        """The current tick; of a symbol that had none, the second in which it still had none."""
        if not self._empty_ns:
            return TickCursor(tick.time_msc, 0)
        since = max(0, self._wall() - self._empty_ns) // 1_000_000
        return TickCursor(max(tick.time_msc - since - 1, 1) // 1000 * 1000, 0)

    def _read(self, cursor: TickCursor, now: float) -> Ticks | None:
        rows = ask(
            self._library,
            "copy_ticks_from",
            self._symbol,
            request_second(cursor),
            self._count,
            int(CopyTicks.ALL),
        )
        step = advance(cursor, rows)
        if step.gap and not self._is_lasting(now):
            # Asked again from the same place, whatever the last tick is by then.
            self._last, self._behind = None, False
            return None
        self._gap_at = None
        self._behind = is_capped(rows, self._count)
        self._count = self._count * 2 if self._behind and not len(step.rows) else PAGE
        self._cursor = step.cursor
        if not len(step.rows):
            return None
        self._seq += 1
        is_newest = not self._behind and step.cursor.time_msc >= self._newest_msc
        return Ticks(
            self.watch,
            self._seq,
            step.cursor.time_msc,
            step.cursor.seen,
            step.gap,
            row_bytes(step.rows),
            self._seen_ns if is_newest else 0,
        )

    def _is_lasting(self, now: float) -> bool:
        if self._gap_at is None:
            self._gap_at = now
        return now - self._gap_at >= GAP_PATIENCE
