"""Which order book is in the depth that a terminal showed?"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from nautilus_trader.model.data import (
    NULL_ORDER,
    BookOrder,
    OrderBookDelta,
    OrderBookDeltas,
    OrderBookDepth10,
)
from nautilus_trader.model.enums import BookAction, OrderSide, RecordFlag
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import PRICE_MAX, QUANTITY_MAX, Price, Quantity

from tradingview_scraper.adapters.mt5.terminal.constants import BookType
from tradingview_scraper.adapters.mt5.terminal.records import BookInfo

#: Levels a side that an `OrderBookDepth10` holds.
_LEVELS: Final = 10

_SNAPSHOT: Final = int(RecordFlag.F_SNAPSHOT)
_LAST: Final = int(RecordFlag.F_SNAPSHOT | RecordFlag.F_LAST)


class Sides(NamedTuple):
    """Price levels, the best one first on each side, each price once."""

    bids: list[BookOrder]
    asks: list[BookOrder]


def sides(
    entries: Sequence[BookInfo], *, price_precision: int, size_precision: int, lot: float
) -> Sides:
    """The price levels of a depth. Sizes are units: `volume_dbl` (or `volume`) times `lot`.

    Entries of market orders (`BookType` 3 and 4) have no price level and are left out, and so is
    what has no price or no volume. Two entries at one price are one level.
    """
    found: dict[OrderSide, dict[float, float]] = {OrderSide.BUY: {}, OrderSide.SELL: {}}
    for entry in entries:
        side = _SIDES.get(entry.type)
        price = round(entry.price, price_precision) if math.isfinite(entry.price) else 0.0
        lots = entry.volume_dbl or float(entry.volume)
        if side is None or not 0.0 < abs(price) <= PRICE_MAX or not lots > 0.0:
            continue
        levels = found[side]
        levels[price] = levels.get(price, 0.0) + lots * lot
    made = {}
    for side, levels in found.items():
        prices = sorted(levels, reverse=side is OrderSide.BUY)
        made[side] = [
            BookOrder(side, Price(price, price_precision), size, 0)
            for price in prices
            if levels[price] <= QUANTITY_MAX
            and (size := Quantity(levels[price], size_precision)).raw
        ]
    return Sides(made[OrderSide.BUY], made[OrderSide.SELL])


_SIDES: Final = {int(BookType.SELL): OrderSide.SELL, int(BookType.BUY): OrderSide.BUY}


def deltas(
    levels: Sides, *, instrument_id: InstrumentId, sequence: int, ts_event: int, ts_init: int
) -> OrderBookDeltas:
    """The whole book as a snapshot: a Clear, then an Add for each level.

    `F_SNAPSHOT` is on all of them and `F_LAST` on the last; an empty book is a Clear with both.
    """
    orders = [*levels.bids, *levels.asks]

    def delta(action: BookAction, order: BookOrder | None, is_last: bool) -> OrderBookDelta:
        return OrderBookDelta(
            instrument_id=instrument_id,
            action=action,
            order=order,
            flags=_LAST if is_last else _SNAPSHOT,
            sequence=sequence,
            ts_event=ts_event,
            ts_init=ts_init,
        )

    last = len(orders) - 1
    return OrderBookDeltas(
        instrument_id,
        [
            delta(BookAction.CLEAR, None, not orders),
            *(delta(BookAction.ADD, order, n == last) for n, order in enumerate(orders)),
        ],
    )


def depth10(
    levels: Sides, *, instrument_id: InstrumentId, sequence: int, ts_event: int, ts_init: int
) -> OrderBookDepth10:
    """The ten best levels a side, and empty ones behind them: all are empty in an empty book."""
    bids, asks = levels.bids[:_LEVELS], levels.asks[:_LEVELS]
    return OrderBookDepth10(
        instrument_id=instrument_id,
        bids=[*bids, *[NULL_ORDER] * (_LEVELS - len(bids))],
        asks=[*asks, *[NULL_ORDER] * (_LEVELS - len(asks))],
        bid_counts=[1] * len(bids) + [0] * (_LEVELS - len(bids)),
        ask_counts=[1] * len(asks) + [0] * (_LEVELS - len(asks)),
        flags=_LAST,
        sequence=sequence,
        ts_event=ts_event,
        ts_init=ts_init,
    )
