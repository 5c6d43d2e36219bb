"""What of a symbol does a worker look at again and again for a node? A method for each kind."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count

from tradingview_scraper.adapters.mt5.client.clock import ServerClock
from tradingview_scraper.adapters.mt5.client.lanes import Lane
from tradingview_scraper.adapters.mt5.client.watches import (
    BarWatch,
    BookReading,
    BookWatch,
    FeedWatch,
    SymbolReading,
    SymbolWatch,
    TickGap,
    TickWatch,
    Watch,
)
from tradingview_scraper.adapters.mt5.rules.ticks import TickCursor
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe

_log = logging.getLogger(__name__)


class Watching(ABC):
    """The feeds of a client's workers.

    A handler runs on the loop given with it and must not block it. What it was given counts as
    delivered, even if it raises; when a worker is replaced, its feeds go on behind that.
    """

    config: MT5TerminalConfig
    #: What live ticks say about the zone; `ServerClock.verdict` is how it stands now.
    clock: ServerClock

    def __init__(self) -> None:
        self._ids = count(1)
        self._gaps: Counter[str] = Counter()

    @abstractmethod
    def _add_feed(self, lane: Lane, watch: FeedWatch) -> None:
        """Let the lane's worker poll for `watch`, now and after every restart."""

    @abstractmethod
    def _drop_feed(self, watch: FeedWatch) -> None:
        """The watch was closed."""

    def watch_ticks(
        self,
        symbol: str,
        handler: Callable[[str, Rows], None],
        loop: asyncio.AbstractEventLoop,
        *,
        after: TickCursor | None = None,
        on_gap: Callable[[TickGap], None] | None = None,
    ) -> Watch:
        """Every tick of `symbol` once, in order, `TICK_DTYPE`, server time; the symbol is selected.

        Behind `after`, or from the symbol's current tick on (which comes at once). Rows are
        read-only. What the terminal itself has lost is logged, counted in `gaps`, and told to
        `on_gap` on `loop`, directly before the ticks that follow it.
        """

        def gap_found(gap: TickGap) -> None:
            self._gaps[gap.symbol] += 1
            _log.warning("the terminal has lost ticks: %s", gap)
            if on_gap is not None:
                on_gap(gap)

        watch = TickWatch(
            next(self._ids),
            loop,
            self._drop_feed,
            symbol,
            handler,
            self.config.quote_poll_ms,
            self.config.quote_poll_quiet_ms,
            after,
            gap_found,
            self.clock,
        )
        self.clock.watch(symbol)
        self._add_feed(Lane.QUOTES, watch)
        return watch

    def watch_bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        handler: Callable[[str, Timeframe, Rows], None],
        loop: asyncio.AbstractEventLoop,
        *,
        after: int | None = None,
    ) -> Watch:
        """Every bar once, when it is closed, `RATE_DTYPE`, `time` is its opening server second.

        Those that opened after `after` (server seconds), or from the one forming now on. Read by
        the history lane: a terminal may synchronise for long, and ticks do not wait for that.
        """
        watch = BarWatch(
            next(self._ids),
            loop,
            self._drop_feed,
            symbol,
            timeframe,
            handler,
            self.config.bar_poll_ms,
            after,
        )
        self._add_feed(Lane.HISTORY, watch)
        return watch

    def watch_book(
        self,
        symbol: str,
        handler: Callable[[BookReading], None],
        loop: asyncio.AbstractEventLoop,
        *,
        on_fault: Callable[[str], None] | None = None,
    ) -> Watch:
        """The depth of `symbol`, whole: at once, be it empty, and whenever it is another.

        The terminal is asked for the depth as long as somebody watches. `on_fault` is told on
        `loop` when it refuses (there is no depth of the symbol) or fails; polling goes on.
        """
        watch = BookWatch(
            next(self._ids),
            loop,
            self._drop_feed,
            symbol,
            handler,
            self.config.book_poll_ms,
            on_fault,
        )
        self._add_feed(Lane.QUOTES, watch)
        return watch

    def watch_symbol(
        self,
        symbol: str,
        handler: Callable[[SymbolReading], None],
        loop: asyncio.AbstractEventLoop,
        *,
        fields: Iterable[str],
        every_secs: float,
        quiet_secs: float = 0.0,
        selects: bool = True,
    ) -> Watch:
        """`symbol_info` of `symbol` as it is, and again when one of its `fields` has changed.

        Polled every `every_secs` beside the library. With `quiet_secs` above 0 also when the
        terminal loses or finds its trade server, and when quotes stop or begin to move.
        Without `selects` the symbol need not be in Market Watch: definitions can be read so.
        """
        watch = SymbolWatch(
            next(self._ids),
            loop,
            self._drop_feed,
            symbol,
            handler,
            max(1, round(every_secs * 1_000)),
            fields,
            round(quiet_secs * 1_000),
            selects,
        )
        self._add_feed(Lane.QUOTES, watch)
        return watch
