"""Who gets what a feed finds, and how far have they got? Watches, which outlive the workers."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from tradingview_scraper.adapters.mt5.client.clock import ServerClock
from tradingview_scraper.adapters.mt5.client.delivery import Deliveries
from tradingview_scraper.adapters.mt5.client.link import Link
from tradingview_scraper.adapters.mt5.rules.ticks import TickCursor
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import (
    RATE_DTYPE,
    TICK_DTYPE,
    BookInfo,
    SymbolInfo,
)
from tradingview_scraper.adapters.mt5.worker.frames import (
    Bars,
    Book,
    Command,
    Fault,
    NoTicks,
    Report,
    SymbolState,
    Ticks,
    WatchBars,
    WatchBook,
    WatchSymbol,
    WatchTicks,
)

_log = logging.getLogger(__name__)


class Watch:
    """What a handler gets, until it is closed."""

    def __init__(self, on_close: Callable[["Watch"], None]) -> None:
        self._on_close = on_close
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def close(self) -> None:
        """Nothing is handed over any more from now on. Closing again does nothing."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._on_close(self)


class HandlerWatch[T](Watch):
    """Hands over what happens: facts, states."""

    def __init__(
        self,
        handler: Callable[[T], None],
        loop: asyncio.AbstractEventLoop,
        on_close: Callable[[Watch], None],
    ) -> None:
        super().__init__(on_close)
        self.loop = loop
        self._handler = handler

    def hand_over(self, news: T) -> None:
        """Runs on the loop."""
        if not self._is_closed:
            self._handler(news)


class TickGap(NamedTuple):
    """The terminal has lost ticks of `symbol`, or has replaced them by others.

    They lie after `after_msc`, the last tick that was handed over, and up to `until_msc`, the first
    one that is: milliseconds of server time.
    """

    symbol: str
    after_msc: int
    until_msc: int


class FeedWatch(Watch):
    """A feed of a worker. Its cursor is behind what was handed over, and resumes the next worker.

    A frame of a worker that was replaced in the meantime is dropped: the new one sends it again.
    """

    #: In Market Watch for as long as the watch is open, unless `selects` is False.
    symbol: str
    selects = True

    def __init__(
        self,
        watch_id: int,
        loop: asyncio.AbstractEventLoop,
        on_close: Callable[["FeedWatch"], None],
    ) -> None:
        super().__init__(lambda _: on_close(self))
        self.id = watch_id
        self._loop = loop
        self._link: Link | None = None
        self._seq = 0

    def resume(self, link: Link, command_id: int) -> Command:
        with self._lock:
            self._link = link
            self._seq = 0
            return self._command(command_id)

    def receive(self, link: Link, report: Report, deliveries: Deliveries) -> None:
        if (
            not isinstance(report, Ticks | NoTicks | Bars | Book | SymbolState)
            or link is not self._link
        ):
            return
        self._seq += 1
        if report.seq != self._seq:
            raise ValueError(f"expected frame {self._seq} of watch {self.id}, was {report.seq}")
        deliveries.put_frame(self._loop, self._hand_over, link, report)

    def _hand_over(self, link: Link, report: Report) -> None:
        # What is committed here is with the handler, whatever becomes of the worker meanwhile.
        with self._lock:
            if self._is_closed or link is not self._link:
                return
            news = self._commit(report)
        self._handle(news)

    def _command(self, command_id: int) -> Command:
        raise NotImplementedError

    def _commit(self, report: Any) -> Any:
        """What of a frame is handed over; the next worker begins behind it. Locked."""
        raise NotImplementedError

    def _handle(self, news: Any) -> None:
        raise NotImplementedError


class SymbolReading(NamedTuple):
    """A symbol as it is now. `info` None: the terminal does not have it (any more).

    Where the watch asks for it, `connected` is the terminal's link to its trade server, and `quiet`
    whether no quote has moved for the time asked for (None: not known yet).
    """

    info: SymbolInfo | None
    connected: bool
    quiet: bool | None


class SymbolWatch(FeedWatch):
    """The record of one symbol, now and when one of `fields` changes."""

    def __init__(
        self,
        watch_id: int,
        loop: asyncio.AbstractEventLoop,
        on_close: Callable[[FeedWatch], None],
        symbol: str,
        handler: Callable[[SymbolReading], None],
        every_ms: int,
        fields: Iterable[str],
        quiet_ms: int,
        selects: bool,
    ) -> None:
        super().__init__(watch_id, loop, on_close)
        self.symbol = symbol
        self._handler = handler
        self._every_ms = every_ms
        self._fields = [SymbolInfo._fields.index(field) for field in fields]
        self._quiet_ms = quiet_ms
        self.selects = selects
        self._last: SymbolReading | None = None

    def _command(self, command_id: int) -> WatchSymbol:
        return WatchSymbol(
            command_id,
            self.id,
            self.symbol,
            self._every_ms,
            self._fields,
            self._quiet_ms,
            self.selects,
        )

    def _commit(self, report: SymbolState) -> SymbolReading | None:
        reading = SymbolReading(report.info, report.connected, report.quiet)
        if self._last is not None and self._compared(reading) == self._compared(self._last):
            # A worker that has just started says what is known already.
            return None
        self._last = reading
        return reading

    def _handle(self, reading: SymbolReading | None) -> None:
        if reading is not None:
            self._handler(reading)

    def _compared(self, reading: SymbolReading) -> tuple[Any, ...]:
        info = reading.info
        values = None if info is None else tuple(info[place] for place in self._fields)
        return values, reading.connected, reading.quiet


class TickWatch(FeedWatch):
    """The ticks of one symbol."""

    def __init__(
        self,
        watch_id: int,
        loop: asyncio.AbstractEventLoop,
        on_close: Callable[[FeedWatch], None],
        symbol: str,
        handler: Callable[[str, Rows], None],
        every_ms: int,
        quiet_ms: int,
        cursor: TickCursor | None,
        on_gap: Callable[[TickGap], None],
        clock: ServerClock,
    ) -> None:
        super().__init__(watch_id, loop, on_close)
        self.symbol = symbol
        self._handler = handler
        self._every_ms = every_ms
        self._quiet_ms = quiet_ms
        self._cursor = cursor
        self._on_gap = on_gap
        self._clock = clock
        # When the terminal had no tick of the symbol yet, by the wall clock; 0: it had.
        self._empty_ns = 0

    def _command(self, command_id: int) -> WatchTicks:
        time_msc, seen = self._cursor or (None, 0)
        return WatchTicks(
            command_id,
            self.id,
            self.symbol,
            self._every_ms,
            self._quiet_ms,
            time_msc,
            seen,
            self._empty_ns,
        )

    def _commit(self, report: Ticks | NoTicks) -> tuple[TickGap | None, Rows, Ticks] | None:
        if isinstance(report, NoTicks):
            self._empty_ns = report.at_ns
            return None
        before, self._cursor = self._cursor, TickCursor(report.time_msc, report.seen)
        rows: Rows = np.frombuffer(report.rows, dtype=TICK_DTYPE)
        gap = None
        if report.gap and before is not None:
            gap = TickGap(self.symbol, before.time_msc, int(rows["time_msc"][0]))
        return gap, rows, report

    def _handle(self, news: tuple[TickGap | None, Rows, Ticks] | None) -> None:
        if news is None:
            return
        gap, rows, report = news
        if gap is not None:
            try:
                self._on_gap(gap)
            except Exception:
                _log.exception("a handler of gaps raised; the ticks after the gap are delivered")
        try:
            self._handler(self.symbol, rows)
        finally:
            # The clock can wait: a tick is handed over first.
            if report.seen_ns:
                self._clock.seen(self.symbol, report.time_msc, report.seen_ns)


class BarWatch(FeedWatch):
    """The closed bars of one series."""

    def __init__(
        self,
        watch_id: int,
        loop: asyncio.AbstractEventLoop,
        on_close: Callable[[FeedWatch], None],
        symbol: str,
        timeframe: Timeframe,
        handler: Callable[[str, Timeframe, Rows], None],
        every_ms: int,
        after: int | None,
    ) -> None:
        super().__init__(watch_id, loop, on_close)
        self.symbol = symbol
        self._timeframe = timeframe
        self._handler = handler
        self._every_ms = every_ms
        self._after = after

    def _command(self, command_id: int) -> WatchBars:
        timeframe = int(self._timeframe)
        return WatchBars(command_id, self.id, self.symbol, timeframe, self._every_ms, self._after)

    def _commit(self, report: Bars) -> Rows:
        rows: Rows = np.frombuffer(report.rows, dtype=RATE_DTYPE)
        self._after = int(rows["time"][-1])
        return rows

    def _handle(self, rows: Rows) -> None:
        self._handler(self.symbol, self._timeframe, rows)


class BookReading(NamedTuple):
    """The depth of `symbol`, whole: what the terminal said, and the wall clock after it was read.

    Of no entries when the book is empty, or (right after the watch began) not there yet.
    """

    symbol: str
    entries: tuple[BookInfo, ...]
    taken_ns: int


class BookWatch(FeedWatch):
    """The depth of one symbol. There is no cursor: every worker begins with the whole book."""

    def __init__(
        self,
        watch_id: int,
        loop: asyncio.AbstractEventLoop,
        on_close: Callable[[FeedWatch], None],
        symbol: str,
        handler: Callable[[BookReading], None],
        every_ms: int,
        on_fault: Callable[[str], None] | None,
    ) -> None:
        super().__init__(watch_id, loop, on_close)
        self.symbol = symbol
        self._handler = handler
        self._every_ms = every_ms
        self._on_fault = on_fault
        self._last: tuple[BookInfo, ...] | None = None

    def receive(self, link: Link, report: Report, deliveries: Deliveries) -> None:
        if not isinstance(report, Fault):
            super().receive(link, report, deliveries)
        elif self._on_fault is not None and link is self._link:
            text = f"{report.function} failed: ({report.code}, {report.text!r})"
            deliveries.put(self._loop, self._tell_fault, text)

    def _command(self, command_id: int) -> WatchBook:
        return WatchBook(command_id, self.id, self.symbol, self._every_ms)

    def _commit(self, report: Book) -> BookReading | None:
        """None when a new worker begins with the book that was handed over last."""
        if report.entries == self._last:
            return None
        self._last = report.entries
        return BookReading(self.symbol, report.entries, report.taken_ns)

    def _handle(self, news: BookReading | None) -> None:
        if news is not None:
            self._handler(news)

    def _tell_fault(self, text: str) -> None:
        if self._on_fault is not None and not self.is_closed:
            self._on_fault(text)
