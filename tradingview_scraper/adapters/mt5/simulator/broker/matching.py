"""What does a fill do to a position? Open, add, reduce, close or reverse: pure functions."""

from typing import NamedTuple

from tradingview_scraper.adapters.mt5.simulator.broker.orders import side_of
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    OrderReason,
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
    """Lots of an order that are traded at a price."""

    order: TradeOrder
    deal: int
    time_msc: int
    volume: float
    price: float

    @property
    def type(self) -> PositionType:
        """The direction of the deal."""
        return side_of(self.order.type)


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
        return Effect(DealEntry.IN, fill.order.ticket, 0.0, _opened(fill, fill.order.ticket))
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


class Charges(NamedTuple):
    """What a deal brings and costs, in the account's currency."""

    profit: float = 0.0
    commission: float = 0.0
    swap: float = 0.0
    fee: float = 0.0


def deal_of(fill: Fill, entry: DealEntry, position_id: int, charges: Charges) -> TradeDeal:
    """The deal of a fill."""
    order = fill.order
    return TradeDeal(
        ticket=fill.deal,
        order=order.ticket,
        time=fill.time_msc // 1000,
        time_msc=fill.time_msc,
        type=int(fill.type),
        entry=int(entry),
        magic=order.magic,
        position_id=position_id,
        reason=order.reason,
        volume=fill.volume,
        price=fill.price,
        commission=charges.commission,
        swap=charges.swap,
        profit=charges.profit,
        fee=charges.fee,
        symbol=order.symbol,
        comment=order.comment,
        external_id="",
    )


def closing_type(position: TradePosition) -> OrderType:
    """The market order that closes a position."""
    return OrderType.SELL if position.type == PositionType.BUY else OrderType.BUY


def _opened(fill: Fill, identifier: int) -> TradePosition:
    reasons = {int(OrderReason.MOBILE), int(OrderReason.WEB), int(OrderReason.EXPERT)}
    order = fill.order
    return TradePosition(
        ticket=order.ticket,
        time=fill.time_msc // 1000,
        time_msc=fill.time_msc,
        time_update=fill.time_msc // 1000,
        time_update_msc=fill.time_msc,
        type=int(fill.type),
        magic=order.magic,
        identifier=identifier,
        reason=order.reason if order.reason in reasons else int(PositionReason.CLIENT),
        volume=fill.volume,
        price_open=fill.price,
        sl=order.sl,
        tp=order.tp,
        price_current=fill.price,
        swap=0.0,
        profit=0.0,
        symbol=order.symbol,
        comment=order.comment,
        external_id="",
    )


def _added(fill: Fill, position: TradePosition) -> TradePosition:
    volume = round(position.volume + fill.volume, 8)
    value = position.price_open * position.volume + fill.price * fill.volume
    return _touched(fill, position)._replace(
        volume=volume,
        price_open=round(value / volume, 10),
        # Stops of the new order replace the old ones; none leaves them as they are.
        sl=fill.order.sl or position.sl,
        tp=fill.order.tp or position.tp,
    )


def _touched(fill: Fill, position: TradePosition) -> TradePosition:
    return position._replace(time_update=fill.time_msc // 1000, time_update_msc=fill.time_msc)
