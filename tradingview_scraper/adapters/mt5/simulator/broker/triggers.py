"""What does a tick touch? The first stop or waiting order among rows of ticks."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np

from tradingview_scraper.adapters.mt5.simulator.broker.orders import Trigger, trigger_of
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import OrderReason, PositionType
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder, TradePosition

#: A position or an order that was touched: ("position", identifier) or ("order", ticket).
Key = tuple[str, int]


class StopHit(NamedTuple):
    """A stop of a position that the tick in row `row` touched."""

    row: int
    position: TradePosition
    reason: OrderReason
    #: The level that was touched; the fill is at the price of the tick.
    level: float

    @property
    def key(self) -> Key:
        return "position", self.position.identifier


class OrderHit(NamedTuple):
    """A waiting order that the tick in row `row` activates."""

    row: int
    order: TradeOrder

    @property
    def key(self) -> Key:
        return "order", self.order.ticket


def first_hit(
    rows: Rows,
    positions: Iterable[TradePosition],
    orders: Iterable[TradeOrder],
    point: float,
    tried: Collection[Key] = (),
) -> StopHit | OrderHit | None:
    """The first of these positions' stops and orders (of one symbol) that the rows touch.

    A buy position's stops are touched by the bid, a sell position's by the ask [vendor]; prices of
    0 touch nothing. Within one tick positions go before orders, the older before the newer, and a
    stop loss before a take profit. What was `tried` at the first row is looked for after it.
    """
    if not len(rows):
        return None
    touches = _Touches(rows, point)
    best: StopHit | OrderHit | None = None
    for position in positions:
        skip = 1 if ("position", position.identifier) in tried else 0
        for reason, level in ((OrderReason.SL, position.sl), (OrderReason.TP, position.tp)):
            if not level:
                continue
            row = touches.first(_stop_trigger(position, reason, level), skip)
            if row is not None and (best is None or row < best.row):
                best = StopHit(row, position, reason, level)
    for order in orders:
        skip = 1 if ("order", order.ticket) in tried else 0
        row = touches.first(trigger_of(order), skip)
        if row is not None and (best is None or row < best.row):
            best = OrderHit(row, order)
    return best


def stop_comment(reason: OrderReason, level: float, digits: int) -> str:
    """``[sl 1.09900]``: what the server writes on the closing order and deal [recorded]."""
    return f"[{reason.name.lower()} {level:.{digits}f}]"


def _stop_trigger(position: TradePosition, reason: OrderReason, level: float) -> Trigger:
    bought = position.type == PositionType.BUY
    return Trigger("bid" if bought else "ask", bought == (reason == OrderReason.SL), level)


class _Touches:
    """Looks levels up in rows; their extremes spare most levels the search."""

    def __init__(self, rows: Rows, point: float) -> None:
        self._rows = rows
        self._noise = point * 1e-3
        self._extremes: dict[str, tuple[float, float]] = {}

    def first(self, trigger: Trigger | None, skip: int) -> int | None:
        if trigger is None:
            both = (self._rows["bid"] > 0.0) & (self._rows["ask"] > 0.0)
            return _first(both, skip)
        low, high = self._range(trigger.column)
        if trigger.falling:
            if not 0.0 < low <= trigger.level + self._noise:
                return None
            prices = self._rows[trigger.column]
            return _first((prices <= trigger.level + self._noise) & (prices > 0.0), skip)
        if high < trigger.level - self._noise or high <= 0.0:
            return None
        prices = self._rows[trigger.column]
        return _first((prices >= trigger.level - self._noise) & (prices > 0.0), skip)

    def _range(self, column: str) -> tuple[float, float]:
        if column not in self._extremes:
            prices = self._rows[column]
            prices = prices[prices > 0.0]
            found = (float(prices.min()), float(prices.max())) if len(prices) else (0.0, 0.0)
            self._extremes[column] = found
        return self._extremes[column]


def _first(touched: np.ndarray, skip: int) -> int | None:
    touched = touched[skip:]
    index = int(np.argmax(touched)) if len(touched) else 0
    return index + skip if len(touched) and touched[index] else None
