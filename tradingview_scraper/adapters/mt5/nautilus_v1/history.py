"""How is a range of ticks or bars read from the terminal's history? In pages, with patience."""

import asyncio
import time
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

import numpy as np

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.rules.bars import (
    closing_time,
    closing_within,
    opening_time,
)
from tradingview_scraper.adapters.mt5.rules.history import split_seconds, within
from tradingview_scraper.adapters.mt5.rules.ticks import (
    TickCursor,
    advance,
    is_capped,
    request_second,
)
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, ResultCode, Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError, MT5LaneLost
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE

#: Rows that one call asks for at most; the lane is free for another call between two.
PAGE: Final = 50_000
#: Ticks that the first call of a range asks for; the density decides from then on.
_FIRST_PAGE: Final = 4_096
#: Periods of bars in one call.
_BARS_PIECE: Final = 20_000

#: What is read where a request names no start and no limit.
_DEFAULT_TICKS_SECS: Final = 86_400
_DEFAULT_BARS: Final = 1_000

#: How far back a request for "the last n ticks" looks, and its first step back.
_FURTHEST_TICKS_SECS: Final = 14 * 86_400
_FIRST_WINDOW_SECS: Final = 600
_LARGEST_WINDOW_SECS: Final = 86_400

#: A start before this (1980) means "from the beginning".
_BEGINNING_NS: Final = 315_532_800 * 10**9

#: Pauses between two tries of what is not there yet: doubled from the first to the last.
_FIRST_PAUSE: Final = 0.1
_LAST_PAUSE: Final = 2.0
#: A tick or a bar so long before a start proves that the history reaches back to it: no market is
#: closed for longer.
_CLOSED_SECS: Final = 5 * 86_400
#: Seconds between two lines of progress in the log.
_PROGRESS_SECS: Final = 5.0

#: Errors that will not go away by asking again.
_FINAL: Final = frozenset({ResultCode.E_NOT_FOUND, ResultCode.E_INVALID_PARAMS})


class TickRows(NamedTuple):
    """Ticks of a range. `before`: the ticks of the first one's millisecond that were cut off."""

    rows: Rows
    before: Rows


class History:
    """Reads ranges from one terminal. `log` gets a line now and then while a range is long.

    A terminal downloads a history when it is first asked for it, and fails or gives too little
    until it is there [vendor]. So each series is, once, asked for again for `sync_secs` at most
    until it reaches back to what is wanted; calls that fail are repeated for as long.
    """

    def __init__(
        self,
        client: MT5Client,
        *,
        sync_secs: float = 10.0,
        log: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._client = client
        self._sync_secs = sync_secs
        self._log = log
        self._reached: dict[tuple[str, int], int] = {}

    async def ticks(
        self,
        symbol: str,
        *,
        start_ns: int | None,
        end_ns: int,
        limit: int,
        flags: CopyTicks,
    ) -> TickRows:
        """Ticks stamped within start..end, both inclusive, ascending; the *last* `limit` of them.

        `start_ns` None (or before 1980) reads the last day before `end_ns`, and with a limit as
        far back as it needs, up to 14 days. Raises `MT5Error`.
        """
        end_msc = self._client.zone.server_msc(end_ns)
        end = end_msc // 1000
        start_msc = (end - _DEFAULT_TICKS_SECS) * 1000
        is_open = start_ns is None or start_ns < _BEGINNING_NS
        if start_ns is not None and not is_open:
            start_msc = self._client.zone.server_msc(start_ns)
        elif limit > 0:
            start_msc = (end - _FURTHEST_TICKS_SECS) * 1000
        start = max(start_msc // 1000, 1)
        if end < start:
            return _cut(np.empty(0, TICK_DTYPE), 0)
        if not (is_open and limit):
            await self._reach(symbol, 0, start, lambda: self._oldest_tick(symbol, start))
        pieces: list[Rows] = []
        if limit > 0:
            # Newest first, so that the limit ends the reading.
            last, window = end, _FIRST_WINDOW_SECS
            while last >= start and sum(map(len, pieces)) < limit:
                first = max(start, last - window + 1)
                piece = await self._pages(symbol, first, last, flags)
                pieces.insert(0, _until(piece, end_msc))
                last, window = first - 1, min(window * 2, _LARGEST_WINDOW_SECS)
        else:
            pieces.append(_until(await self._pages(symbol, start, end, flags), end_msc))
        found = await _joined(pieces, TICK_DTYPE)
        cut = bisect_left(found["time_msc"], start_msc)
        return _cut(found, max(cut, len(found) - limit) if limit > 0 else cut)

    async def bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        *,
        start_ns: int | None,
        end_ns: int,
        limit: int,
    ) -> Rows:
        """Bars that closed within start..end, both inclusive, ascending; the *last* `limit`.

        The forming bar is never among them: the newest bar that the terminal has is not closed
        before a later one exists. `start_ns` None (or before 1980) reads the last 1000, or
        `limit`. Raises `MT5Error`.
        """
        client = self._client
        end = client.zone.server_seconds(end_ns)
        newest = await self._ask(client.copy_rates_from_pos, symbol, timeframe, 0, 1)
        if not len(newest):
            return np.empty(0, RATE_DTYPE)
        forming = int(newest["time"][-1])
        last_open = min(end, forming) - 1
        start = 0
        if start_ns is None or start_ns < _BEGINNING_NS:
            limit = limit if limit > 0 else _DEFAULT_BARS
            found = await self._last_bars(symbol, timeframe, last_open, limit)
        else:
            start = client.zone.server_seconds(start_ns, round_up=True)
            first_open = max(opening_time(max(start - 1, 1), timeframe), 1)
            if first_open <= last_open:
                await self._reach(
                    symbol,
                    int(timeframe),
                    first_open,
                    lambda: client.copy_rates_from(symbol, timeframe, first_open, 1),
                )
            found = await self._rates(symbol, timeframe, first_open, last_open)
        found = closing_within(found, timeframe, start, end)
        found = found[: bisect_left(found["time"], forming)]
        return found[-limit:] if limit > 0 else found

    async def _pages(self, symbol: str, first: int, last: int, flags: CopyTicks) -> Rows:
        """The ticks of seconds first..last, both inclusive, in pages behind a cursor."""
        cursor, count = TickCursor(first * 1000, 0), _FIRST_PAGE
        pieces: list[Rows] = []
        found, said = 0, time.monotonic()
        while True:
            rows = await self._ask(
                self._client.copy_ticks_from, symbol, request_second(cursor), count, int(flags)
            )
            step = advance(cursor, rows)
            cursor = step.cursor
            pieces.append(within(step.rows, first, last))
            found += len(pieces[-1])
            if not is_capped(rows, count) or int(rows["time"][-1]) > last:
                return await _joined(pieces, TICK_DTYPE)
            if not len(step.rows):
                # A single second holds more than that.
                count *= 2
                continue
            done = max(cursor.time_msc // 1000 - first, 1)
            left = max(last - cursor.time_msc // 1000, 1)
            count = max(_FIRST_PAGE, min(PAGE, found * left * 5 // (done * 4)))
            if time.monotonic() - said >= _PROGRESS_SECS:
                said = time.monotonic()
                share = 100 * done // (done + left)
                self._log(f"{symbol}: {found} ticks of history read, about {share} % of the range")

    async def _rates(self, symbol: str, timeframe: Timeframe, first: int, last: int) -> Rows:
        """The bars that open within first..last, both inclusive."""
        period = closing_time(first, timeframe) - first
        pieces: list[Rows] = []
        said = time.monotonic()
        for begin, end in split_seconds(first, last, period * _BARS_PIECE):
            pieces.append(
                await self._ask(self._client.copy_rates_range, symbol, timeframe, begin, end)
            )
            if time.monotonic() - said >= _PROGRESS_SECS:
                said = time.monotonic()
                share = 100 * (end - first) // max(last - first, 1)
                self._log(f"{symbol} {timeframe.name}: {share} % of the history read")
        return await _joined(pieces, RATE_DTYPE)

    async def _last_bars(
        self, symbol: str, timeframe: Timeframe, last_open: int, count: int
    ) -> Rows:
        """The last `count` bars, and one more: the bar that holds the end has not closed by it."""
        key = symbol, int(timeframe)
        ends, pause = time.monotonic() + self._sync_secs, _FIRST_PAUSE
        while True:
            pieces: list[Rows] = []
            at, left = last_open, count + 1
            while left > 0:
                rows = await self._ask(
                    self._client.copy_rates_from, symbol, timeframe, at, min(left, PAGE)
                )
                if not len(rows):
                    break
                pieces.insert(0, rows)
                at, left = int(rows["time"][0]) - 1, left - len(rows)
            if left <= 0 or key in self._reached or time.monotonic() + pause > ends:
                self._reached.setdefault(key, last_open)
                return await _joined(pieces, RATE_DTYPE)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_PAUSE)

    async def _oldest_tick(self, symbol: str, start: int) -> Rows:
        """The first tick that lies at most `_CLOSED_SECS` before `start`."""
        since = max(start - _CLOSED_SECS, 1)
        return await self._client.copy_ticks_from(symbol, since, 1, int(CopyTicks.ALL))

    async def _reach(
        self, symbol: str, timeframe: int, start: int, oldest: Callable[[], Awaitable[Rows]]
    ) -> None:
        """Wait, once for each series, until its history reaches back to `start`."""
        key = symbol, timeframe
        if self._reached.get(key, start + 1) <= start:
            return
        ends, pause = time.monotonic() + self._sync_secs, _FIRST_PAUSE
        while True:
            rows = await self._ask(oldest)
            if len(rows) and int(rows["time"][0]) <= start:
                break
            if time.monotonic() + pause > ends:
                self._log(f"{symbol}: the terminal's history does not reach back to the start")
                break
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_PAUSE)
        self._reached[key] = start

    async def _ask(self, question: Callable[..., Awaitable[Rows]], *args: Any) -> Rows:
        """An answer, asked for again while the terminal has none. Raises the last `MT5Error`."""
        ends, pause = time.monotonic() + self._sync_secs, _FIRST_PAUSE
        while True:
            try:
                return await question(*args)
            except (MT5CallError, MT5LaneLost) as error:
                is_final = isinstance(error, MT5CallError) and error.code in _FINAL
                if is_final or time.monotonic() + pause > ends:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_PAUSE)


async def _joined(pieces: list[Rows], dtype: "np.dtype[np.void]") -> Rows:
    """The pieces as one; a long history is copied beside the loop."""
    if len(pieces) > 1:
        return await asyncio.to_thread(np.concatenate, pieces)
    return pieces[0] if pieces else np.empty(0, dtype)


def _until(rows: Rows, end_msc: int) -> Rows:
    return rows[: bisect_right(rows["time_msc"], end_msc)]


def _cut(rows: Rows, at: int) -> TickRows:
    """`rows` from `at` on, and those of the same millisecond before it."""
    if at <= 0 or at >= len(rows):
        return TickRows(rows[max(at, 0) :], rows[:0])
    begin = bisect_left(rows["time_msc"], rows["time_msc"][at])
    return TickRows(rows[at:], rows[begin:at])
