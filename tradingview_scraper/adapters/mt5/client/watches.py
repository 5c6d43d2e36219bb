"""Who gets what a feed finds, and how far have they got? Watches, which outlive the workers."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from tradingview_scraper.adapters.mt5.client.delivery import Deliveries
from tradingview_scraper.adapters.mt5.client.link import Link
from tradingview_scraper.adapters.mt5.rules.ticks import TickCursor
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import (
    RATE_DTYPE,
    TICK_DTYPE,
    SymbolInfo,
)
from tradingview_scraper.adapters.mt5.worker.frames import (
    Bars,
    Command,
    Report,
    SymbolState,
    Ticks,
    WatchBars,
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
        on_close: Callable[[Watch], None],
    ) -> None:
        super().__init__(on_close)
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
        if not isinstance(report, Ticks | Bars | SymbolState) or link is not self._link:
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
            found = self._commit(report)
        self._handle(found)

    def _command(self, command_id: int) -> Command:
        raise NotImplementedError

    def _commit(self, report: Any) -> Any:
        raise NotImplementedError

    def _handle(self, found: Any) -> None:
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
        on_close: Callable[[Watch], None],
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
        on_close: Callable[[Watch], None],
        symbol: str,
        handler: Callable[[str, Rows], None],
        every_ms: int,
        cursor: TickCursor | None,
    ) -> None:
        super().__init__(watch_id, loop, on_close)
        self.symbol = symbol
        self._handler = handler
        self._every_ms = every_ms
        self._cursor = cursor

    def _command(self, command_id: int) -> WatchTicks:
        time_msc, seen = self._cursor or (None, 0)
        return WatchTicks(command_id, self.id, self.symbol, self._every_ms, time_msc, seen)

    def _commit(self, report: Ticks) -> Rows:
        self._cursor = TickCursor(report.time_msc, report.seen)
        if report.gap:
            _log.warning("%s: the terminal has lost ticks before this frame", self.symbol)
        return np.frombuffer(report.rows, dtype=TICK_DTYPE)

    def _handle(self, rows: Rows) -> None:
        self._handler(self.symbol, rows)


class BarWatch(FeedWatch):
    """The closed bars of one series."""

    def __init__(
        self,
        watch_id: int,
        loop: asyncio.AbstractEventLoop,
        on_close: Callable[[Watch], None],
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
