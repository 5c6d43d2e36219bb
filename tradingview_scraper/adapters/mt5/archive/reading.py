"""How is one period read from the terminal, and has it all been there? Never a long call.

The terminal's own bars are the evidence: a day has ticks when it has a daily bar, an hour when it
has an H1 bar, and a day is over when a later daily bar exists. So no clock is asked, and an answer
that a synchronising terminal cuts short is noticed.
"""

from typing import Final, NamedTuple

import numpy as np

from tradingview_scraper.adapters.mt5.archive.patience import Patience
from tradingview_scraper.adapters.mt5.archive.periods import DAY_SECS, Period, Series
from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.rules.bars import closing_time
from tradingview_scraper.adapters.mt5.rules.history import split_seconds, within
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE

#: One call reads ticks of at most so many seconds, or so many bars.
TICKS_PIECE_SECS: Final = 6 * 3_600
BARS_PIECE: Final = 10_000

#: Days without trading that are usual: a history that begins so much later begins in time.
HOLIDAYS_SECS: Final = 4 * DAY_SECS
#: A day with fewer ticks than this share of what its bars counted is read again.
_SHORT: Final = 0.5


class Calendar(NamedTuple):
    """The days on which a symbol traded, as its daily bars say."""

    #: Rows of the D1 bars, ascending.
    days: Rows
    #: Opening of the newest daily bar that the terminal has: that day is not over. 0: none at all.
    newest: int

    def traded(self, day: Period) -> bool:
        """There was trading on `day`."""
        times = self.days["time"]
        at = int(times.searchsorted(day.first))
        return at < len(times) and int(times[at]) < day.end


class Reading(NamedTuple):
    """Rows of one period.

    `missing` says what its bars promise and the rows do not have, or "". `is_over`: nothing can be
    added to the period any more, because the terminal has something later.
    """

    rows: Rows
    missing: str
    is_over: bool


async def read_calendar(client: MT5Client, symbol: str, first: int, patience: Patience) -> Calendar:
    """The daily bars from server second `first` on. Raises `MT5Error`."""

    async def read() -> Calendar:
        newest = await client.copy_rates_from_pos(symbol, Timeframe.D1, 0, 1)
        if not len(newest):
            return Calendar(np.empty(0, RATE_DTYPE), 0)
        last = int(newest["time"][-1])
        days = newest
        if first < last:
            days = await client.copy_rates_range(symbol, Timeframe.D1, max(first, 1), last)
        return Calendar(days, last)

    def reaches_back(calendar: Calendar) -> bool:
        days = calendar.days["time"]
        return bool(len(days)) and int(days[0]) <= first + HOLIDAYS_SECS

    return await patience.ask(read, reaches_back)


async def newest_day(client: MT5Client, symbol: str, patience: Patience) -> int:
    """Opening second of the newest daily bar; 0 when there is none. Raises `MT5Error`."""
    rows = await patience.ask(lambda: client.copy_rates_from_pos(symbol, Timeframe.D1, 0, 1))
    return int(rows["time"][-1]) if len(rows) else 0


async def read_period(
    client: MT5Client,
    series: Series,
    period: Period,
    calendar: Calendar,
    patience: Patience,
    *,
    tries: int | None = None,
) -> Reading:
    """The ticks or the closed bars of a period, ascending. Raises `MT5Error`."""

    async def read() -> Reading:
        if series.timeframe is None:
            return await _ticks(client, series.symbol, period, calendar)
        return await _bars(client, series.symbol, series.timeframe, period, calendar)

    return await patience.ask(read, lambda reading: not reading.missing, tries=tries)


async def _ticks(client: MT5Client, symbol: str, day: Period, calendar: Calendar) -> Reading:
    hours = np.empty(0, RATE_DTYPE)
    if calendar.traded(day):
        # Before the ticks: what comes meanwhile is in the ticks, not in the bars.
        hours = await client.copy_rates_range(symbol, Timeframe.H1, day.first, day.last)
    pieces = [
        within(
            await client.copy_ticks_range(symbol, max(first, 1), last + 1, int(CopyTicks.ALL)),
            first,
            last,
        )
        for first, last in split_seconds(day.first, day.last, TICKS_PIECE_SECS)
    ]
    rows = np.concatenate(pieces) if pieces else np.empty(0, TICK_DTYPE)
    missing = _missing_ticks(rows, hours, calendar.traded(day))
    return Reading(rows, missing, calendar.newest >= day.end)


async def _bars(
    client: MT5Client, symbol: str, timeframe: Timeframe, month: Period, calendar: Calendar
) -> Reading:
    newest = await client.copy_rates_from_pos(symbol, timeframe, 0, 1)
    forming = int(newest["time"][-1]) if len(newest) else 0
    last = min(month.last, forming - 1)
    length = closing_time(month.first, timeframe) - month.first
    pieces = [
        await client.copy_rates_range(symbol, timeframe, max(begin, 1), end)
        for begin, end in split_seconds(month.first, last, length * BARS_PIECE)
    ]
    rows = np.concatenate(pieces) if pieces else np.empty(0, RATE_DTYPE)
    rows = rows[rows["time"] < forming]
    if timeframe >= Timeframe.D1:
        return Reading(rows, "", forming >= month.end)
    held = calendar.days["time"]
    held = held[(held >= month.first) & (held < month.end)]
    present = np.unique(rows["time"] // DAY_SECS * DAY_SECS)
    # The newest day may have no closed bar yet.
    absent = held[~np.isin(held, present) & (held < calendar.newest)]
    return Reading(rows, _days_text(len(absent), len(held), absent), forming >= month.end)


def _missing_ticks(rows: Rows, hours: Rows, traded: bool) -> str:
    if not len(rows):
        return "the terminal has no ticks of this day, but bars" if traded else ""
    present = np.unique(rows["time"] // 3_600 * 3_600)
    absent = hours["time"][~np.isin(hours["time"], present)]
    if len(absent):
        names = ", ".join(f"{int(hour) % DAY_SECS // 3_600:02}h" for hour in absent)
        return f"no ticks in hours that have bars: {names}"
    counted = int(hours["tick_volume"].sum())
    if len(rows) < counted * _SHORT:
        return f"{len(rows):,} ticks, but the bars counted {counted:,}"
    return ""


def _days_text(missing: int, of: int, days: Rows) -> str:
    if not missing:
        return ""
    first = days[0].astype("datetime64[s]").astype("datetime64[D]")
    return f"no bars on {missing} of {of} days that have a daily bar, first {first}"
