"""Which trades are in the ticks that a terminal sent?"""

import struct
from collections.abc import Callable
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.identifiers import InstrumentId, TradeId
from nautilus_trader.model.objects import PRICE_MAX, QUANTITY_MAX, Price, Quantity

from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolChartMode, TickFlag
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

_TRADED: Final = int(TickFlag.LAST | TickFlag.VOLUME | TickFlag.BUY | TickFlag.SELL)
_SIDES: Final = int(TickFlag.BUY | TickFlag.SELL)
_AGGRESSORS: Final = {
    int(TickFlag.BUY): AggressorSide.BUYER,
    int(TickFlag.SELL): AggressorSide.SELLER,
}
_pack: Final[Callable[[float, float], bytes]] = struct.Struct("<dd").pack


class Place(NamedTuple):
    """Trades counted so far at a millisecond: the next one of it has this number."""

    time_msc: int
    taken: int


#: Before the first trade.
NOWHERE: Final = Place(0, 0)


class Trades(NamedTuple):
    """Trades in the order of their rows. `skipped` rows reported a trade without price or volume.

    `place` is for the rows that follow.
    """

    ticks: list[TradeTick]
    skipped: int
    place: Place


def has_trades(info: SymbolInfo) -> bool:
    """Whether the terminal has last prices of a symbol, and so trades."""
    return info.chart_mode == SymbolChartMode.LAST or info.last > 0.0


def trade_rows(rows: Rows) -> Rows:
    """The rows that report a trade."""
    return rows[(rows["flags"] & _TRADED) != 0]


def place_after(rows: Rows, before: Place = NOWHERE) -> Place:
    """Where the count stands behind `rows` (any ticks, ascending)."""
    traded = trade_rows(rows)
    if not len(traded):
        return before
    times = traded["time_msc"]
    last = int(times[-1])
    count = len(traded) - int(times.searchsorted(last))
    return Place(last, count + before.taken if before.time_msc == last else count)


def trade_ticks(
    rows: Rows,
    *,
    instrument_id: InstrumentId,
    price_precision: int,
    size_precision: int,
    lot: float,
    zone: ZoneRule,
    ts_init: int | None = None,
    place: Place = NOWHERE,
) -> Trades:
    """The trades among rows of `TICK_DTYPE`, ascending.

    Size is units: `volume_real` (`volume` where that is zero) times `lot`. The aggressor is what
    the flags say; none when they say nothing, or both. The id is the millisecond of server time,
    the number of the trade in it, and a checksum of price and volume: the same trade has the same
    id live, after a restart and in history, as long as the rows begin with a whole millisecond, or
    `place` says how many of its trades came before. `ts_init` None: the event's own time.
    """
    rows = trade_rows(rows)
    if not len(rows):
        return Trades([], 0, place)
    times = rows["time_msc"]
    events = zone.utc_ns_array(times).tolist()
    # The number in the millisecond: how far a row is from the first one of its millisecond.
    numbers = np.arange(len(rows)) - times.searchsorted(times)
    if int(times[0]) == place.time_msc:
        numbers[times == times[0]] += place.taken
    ticks: list[TradeTick] = []
    skipped = 0
    for (_, _, _, last, volume, msc, flags, exact), number, event in zip(
        rows.tolist(), numbers.tolist(), events, strict=True
    ):
        lots = exact or float(volume)
        units = lots * lot
        size = Quantity(units, size_precision) if 0.0 < units <= QUANTITY_MAX else None
        if not (last and abs(last) <= PRICE_MAX) or size is None or not size.raw:
            skipped += 1
            continue
        ticks.append(
            TradeTick(
                instrument_id,
                Price(last, price_precision),
                size,
                _AGGRESSORS.get(flags & _SIDES, AggressorSide.NO_AGGRESSOR),
                TradeId(f"{msc}-{number}-{crc32(_pack(last, lots)):08x}"),
                event,
                event if ts_init is None else ts_init,
            )
        )
    return Trades(ticks, skipped, Place(int(times[-1]), int(numbers[-1]) + 1))
