"""How is a range of ticks or bars read from the terminal's history?"""

from typing import Final

import numpy as np

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.rules.bars import closing_time, closing_times, opening_time
from tradingview_scraper.adapters.mt5.rules.history import split_seconds, within
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE

#: Ticks are asked for in pieces of this many seconds, bars of this many periods: a piece is one
#: call, and the lane is free for another between two.
_TICKS_PIECE_SECS: Final = 6 * 3_600
_BARS_PIECE: Final = 20_000

#: What is read where a request names no start and no limit.
_DEFAULT_TICKS_SECS: Final = 86_400
_DEFAULT_BARS: Final = 1_000

#: How far back a request for "the last n ticks" looks.
_FURTHEST_TICKS_SECS: Final = 14 * 86_400

#: A start before this (1980) means "from the beginning".
_BEGINNING_NS: Final = 315_532_800 * 10**9


async def read_ticks(
    client: MT5Client,
    symbol: str,
    *,
    start_ns: int | None,
    end_ns: int,
    limit: int,
    flags: CopyTicks,
) -> Rows:
    """Ticks stamped within start..end, both inclusive, ascending; the *last* `limit` of them.

    `start_ns` None (or before 1980) reads the last day before `end_ns`, and with a limit as far
    back as it needs, up to 14 days. Raises `MT5Error`.
    """
    end_msc = client.zone.server_msc(end_ns)
    end = end_msc // 1000
    start_msc = None
    start = end - _DEFAULT_TICKS_SECS
    if start_ns is not None and start_ns >= _BEGINNING_NS:
        start_msc = client.zone.server_msc(start_ns)
        start = start_msc // 1000
    elif limit > 0:
        start = end - _FURTHEST_TICKS_SECS
    pieces: list[Rows] = []
    # Newest first, so that a limit ends the reading.
    for first, last in reversed(list(split_seconds(max(start, 1), end, _TICKS_PIECE_SECS))):
        rows = within(
            await client.copy_ticks_range(symbol, first, last + 1, int(flags)), first, last
        )
        if not pieces:
            rows = rows[: rows["time_msc"].searchsorted(end_msc, "right")]
        pieces.append(rows)
        if 0 < limit <= sum(map(len, pieces)):
            break
    found = np.concatenate([*reversed(pieces)]) if pieces else np.empty(0, TICK_DTYPE)
    if start_msc is not None:
        found = found[found["time_msc"].searchsorted(start_msc, "left") :]
    return found[-limit:] if limit > 0 else found


async def read_bars(
    client: MT5Client,
    symbol: str,
    timeframe: Timeframe,
    *,
    start_ns: int | None,
    end_ns: int,
    limit: int,
) -> Rows:
    """Bars that closed within start..end, both inclusive, ascending; the *last* `limit` of them.

    The forming bar is never among them: the newest bar that the terminal has is not closed before
    a later one exists. `start_ns` None (or before 1980) reads the last 1000, or `limit`. Raises
    `MT5Error`.
    """
    end = client.zone.server_seconds(end_ns)
    newest = await client.copy_rates_from_pos(symbol, timeframe, 0, 1)
    if not len(newest):
        return np.empty(0, RATE_DTYPE)
    forming = int(newest["time"][-1])
    last_open = min(end, forming) - 1
    if start_ns is None or start_ns < _BEGINNING_NS:
        count = limit if limit > 0 else _DEFAULT_BARS
        # One more, because the bar that holds `end` has not closed by then.
        found = await client.copy_rates_from(symbol, timeframe, last_open, count + 1)
        limit = count
    else:
        start = client.zone.server_seconds(start_ns, round_up=True)
        first_open = opening_time(max(start - 1, 1), timeframe)
        period = closing_time(first_open, timeframe) - first_open
        pieces = [
            await client.copy_rates_range(symbol, timeframe, first, last)
            for first, last in split_seconds(max(first_open, 1), last_open, period * _BARS_PIECE)
        ]
        found = np.concatenate(pieces) if pieces else np.empty(0, RATE_DTYPE)
        found = found[closing_times(found["time"], timeframe) >= start]
    found = found[closing_times(found["time"], timeframe) <= end]
    found = found[found["time"] < forming]
    return found[-limit:] if limit > 0 else found
