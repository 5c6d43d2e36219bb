"""When does a tick touch a stop? The first hit among rows of ticks, and its name."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import OrderReason, PositionType
from tradingview_scraper.adapters.mt5.terminal.records import TradePosition


class StopHit(NamedTuple):
    """A stop that the tick in row `row` touched."""

    row: int
    position: TradePosition
    reason: OrderReason
    #: The level that was touched; the fill is at the price of the tick.
    level: float


def first_hit(rows: Rows, positions: Iterable[TradePosition], point: float) -> StopHit | None:
    """The first stop of these positions (of one symbol) that the rows touch.

    A buy position's stops are touched by the bid, a sell position's by the ask [vendor]; prices of
    0 touch nothing. Within one tick the older position goes first, and a stop loss before a take
    profit.
    """
    hits = [
        StopHit(row, position, reason, level)
        for position in positions
        for reason, level in ((OrderReason.SL, position.sl), (OrderReason.TP, position.tp))
        if level and (row := _touch(rows, position.type, reason, level, point)) is not None
    ]
    return min(hits, key=lambda hit: hit.row, default=None)


def stop_comment(reason: OrderReason, level: float, digits: int) -> str:
    """``[sl 1.09900]``: what the server writes on the closing order and deal [recorded]."""
    return f"[{reason.name.lower()} {level:.{digits}f}]"


def _touch(rows: Rows, side: int, reason: OrderReason, level: float, point: float) -> int | None:
    prices = rows["bid"] if side == PositionType.BUY else rows["ask"]
    falling = (side == PositionType.BUY) == (reason == OrderReason.SL)
    noise = point * 1e-3
    touched = prices <= level + noise if falling else prices >= level - noise
    touched &= prices > 0.0
    index = int(np.argmax(touched))
    return index if len(rows) and touched[index] else None
