"""What does a fill do to a position? Open, add, reduce, close or reverse: pure functions."""

from typing import NamedTuple

from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    OrderReason,
    OrderState,
    OrderType,
    PositionReason,
    PositionType,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    TradeDeal,
    TradeOrder,
    TradePosition,
)


class Fill(NamedTuple):
    """A market order that is executed as a whole. `type` is BUY or SELL of order and deal."""

    order: int
    deal: int
    time_msc: int
    symbol: str
    type: int
    volume: float
    price: float
    asked_price: float
    sl: float
    tp: float
    type_filling: int
    type_time: int
    magic: int
    reason: int
    comment: str


class Effect(NamedTuple):
    """What became of the position that a fill met.

    `closed` lots of it ended at the fill's price; `position` is what is open afterwards, or None.
    """

    entry: DealEntry
    identifier: int
    closed: float
    position: TradePosition | None


def effect(fill: Fill, position: TradePosition | None) -> Effect:
    """What a fill does to the position that it meets; None opens a new one.

    An added position keeps its ticket and averages its price; a reversed one keeps its identifier
    and takes the reversing order's ticket, stops and magic [vendor].
    """
    if position is None:
        return Effect(DealEntry.IN, fill.order, 0.0, _opened(fill, fill.order))
    if position.type == fill.type:
        return Effect(DealEntry.IN, position.identifier, 0.0, _added(fill, position))
    rest = round(position.volume - fill.volume, 8)
    if rest > 0.0:
        reduced = _touched(fill, position)._replace(volume=rest)
        return Effect(DealEntry.OUT, position.identifier, fill.volume, reduced)
    if rest == 0.0:
        return Effect(DealEntry.OUT, position.identifier, fill.volume, None)
    reversed_ = _opened(fill, position.identifier)._replace(volume=-rest)
    return Effect(DealEntry.INOUT, position.identifier, position.volume, reversed_)


def done_order(fill: Fill, identifier: int) -> TradeOrder:
    """The order of a fill, as history shows it."""
    return TradeOrder(
        ticket=fill.order,
        time_setup=fill.time_msc // 1000,
        time_setup_msc=fill.time_msc,
        time_done=fill.time_msc // 1000,
        time_done_msc=fill.time_msc,
        time_expiration=0,
        type=fill.type,
        type_time=fill.type_time,
        type_filling=fill.type_filling,
        state=int(OrderState.FILLED),
        magic=fill.magic,
        position_id=identifier,
        position_by_id=0,
        reason=fill.reason,
        volume_initial=fill.volume,
        volume_current=0.0,
        price_open=fill.asked_price,
        sl=fill.sl,
        tp=fill.tp,
        price_current=fill.price,
        price_stoplimit=0.0,
        symbol=fill.symbol,
        comment=fill.comment,
        external_id="",
    )


def deal_of(fill: Fill, result: Effect, *, profit: float, commission: float) -> TradeDeal:
    """The deal of a fill; money in the account's currency."""
    return TradeDeal(
        ticket=fill.deal,
        order=fill.order,
        time=fill.time_msc // 1000,
        time_msc=fill.time_msc,
        type=fill.type,
        entry=int(result.entry),
        magic=fill.magic,
        position_id=result.identifier,
        reason=fill.reason,
        volume=fill.volume,
        price=fill.price,
        commission=commission,
        swap=0.0,
        profit=profit,
        fee=0.0,
        symbol=fill.symbol,
        comment=fill.comment,
        external_id="",
    )


def closing_type(position: TradePosition) -> OrderType:
    """The market order that closes a position."""
    return OrderType.SELL if position.type == PositionType.BUY else OrderType.BUY


def _opened(fill: Fill, identifier: int) -> TradePosition:
    reasons = {int(OrderReason.MOBILE), int(OrderReason.WEB), int(OrderReason.EXPERT)}
    return TradePosition(
        ticket=fill.order,
        time=fill.time_msc // 1000,
        time_msc=fill.time_msc,
        time_update=fill.time_msc // 1000,
        time_update_msc=fill.time_msc,
        type=fill.type,
        magic=fill.magic,
        identifier=identifier,
        reason=fill.reason if fill.reason in reasons else int(PositionReason.CLIENT),
        volume=fill.volume,
        price_open=fill.price,
        sl=fill.sl,
        tp=fill.tp,
        price_current=fill.price,
        swap=0.0,
        profit=0.0,
        symbol=fill.symbol,
        comment=fill.comment,
        external_id="",
    )


def _added(fill: Fill, position: TradePosition) -> TradePosition:
    volume = round(position.volume + fill.volume, 8)
    value = position.price_open * position.volume + fill.price * fill.volume
    return _touched(fill, position)._replace(
        volume=volume,
        price_open=round(value / volume, 10),
        # Stops of the new order replace the old ones; none leaves them as they are.
        sl=fill.sl or position.sl,
        tp=fill.tp or position.tp,
    )


def _touched(fill: Fill, position: TradePosition) -> TradePosition:
    return position._replace(time_update=fill.time_msc // 1000, time_update_msc=fill.time_msc)
