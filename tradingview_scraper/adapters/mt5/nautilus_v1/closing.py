"""Which position does an order close? By ticket on hedging accounts, by net on the others."""

from collections.abc import Iterable
from decimal import Decimal

from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.rules.symbols import units
from tradingview_scraper.adapters.mt5.terminal.constants import PositionType
from tradingview_scraper.adapters.mt5.terminal.records import TradePosition


def ticket_to_close(
    order: Order,
    command: SubmitOrder,
    listing: Listing,
    own: Iterable[TradePosition],
    reducing: Decimal,
) -> int:
    """The ticket that an order on a hedging account closes; 0 for one that opens.

    `command.position_id` names it. A reduce-only order without one takes the oldest ticket against
    it that it fits into; none when all are smaller: one order is one request, and in Nautilus
    belongs to one position [decision]. `reducing` are the units that other reduce-only orders on
    the same side are taking off. Raises `Denied`.
    """
    if command.position_id is not None:
        return _named(order, command, own)
    if order.is_reduce_only:
        return _oldest(order, listing, own, reducing)
    return 0


def tickets_to_match(
    order: Order, command: SubmitOrder, listing: Listing, own: Iterable[TradePosition], by: int
) -> tuple[int, int]:
    """The two tickets that close each other, by their position ids. Raises `Denied`.

    The smaller volume of the two is closed of both, and the order must say so.
    """
    if command.position_id is None:
        raise Denied("VALIDATION_FAILED: close_by needs the position_id that it closes")
    held = {position.identifier: position for position in own}
    name = command.position_id.value
    first = held.get(int(name)) if name.isdecimal() else None
    second = held.get(by)
    if first is None or second is None:
        missing = name if first is None else by
        raise Denied(f"VALIDATION_FAILED: close_by: {missing} is no open ticket of the symbol")
    if first.type == second.type or is_long(first) == (order.side == OrderSide.BUY):
        raise Denied(
            f"VALIDATION_FAILED: close_by: {name} and {by} must be opposite, and the order against "
            f"{name}"
        )
    smaller = units(min(first.volume, second.volume), listing.sizing)
    if order.quantity.as_decimal() != smaller:
        raise Denied(
            f"VALIDATION_FAILED: close_by closes the smaller of both volumes: quantity must be "
            f"{smaller}, was {order.quantity}"
        )
    return first.ticket, second.ticket


def check_reduces(
    order: Order, listing: Listing, own: Iterable[TradePosition], reducing: Decimal
) -> None:
    """A reduce-only order on a netting account is against the position, and not above it.

    Raises `Denied`.
    """
    against = sum((units(one.volume, listing.sizing) for one in _against(order, own)), Decimal(0))
    if order.quantity.as_decimal() > against - reducing:
        raise Denied(
            f"VALIDATION_FAILED: reduce-only quantity={order.quantity}, position to "
            f"reduce={against}, being reduced={reducing}"
        )


def is_long(position: TradePosition) -> bool:
    """Whether a position was bought."""
    return position.type == PositionType.BUY


def _named(order: Order, command: SubmitOrder, own: Iterable[TradePosition]) -> int:
    name = command.position_id.value
    if not name.isdecimal():
        raise Denied(
            f"VALIDATION_FAILED: position_id={name} is no ticket; a hedging account names its "
            f"positions itself: leave position_id out to open one"
        )
    held = next((one for one in own if one.identifier == int(name)), None)
    if held is None:
        # Perhaps just opened, and not seen yet. The server knows: it refuses a ticket that is gone.
        return int(name)
    if is_long(held) == (order.side == OrderSide.BUY):
        raise Denied(
            f"VALIDATION_FAILED: ticket {held.ticket} cannot be increased, only closed: leave "
            f"position_id out to open another one"
        )
    return held.ticket


def _oldest(order: Order, listing: Listing, own: Iterable[TradePosition], reducing: Decimal) -> int:
    against = sorted(_against(order, own), key=lambda one: (one.time_msc, one.identifier))
    quantity = order.quantity.as_decimal()
    taken = reducing
    for position in against:
        volume = units(position.volume, listing.sizing)
        # Whichever tickets the others are closing: the oldest ones are thought to be theirs.
        left = volume - min(taken, volume)
        taken -= volume - left
        if quantity <= left:
            return position.ticket
    sizes = ", ".join(f"{one.identifier}: {units(one.volume, listing.sizing)}" for one in against)
    raise Denied(
        f"VALIDATION_FAILED: reduce-only quantity={quantity}, being reduced={reducing}, but an "
        f"order closes one ticket and none against it is as large ({sizes or 'none is open'}): "
        f"send an order a ticket, with its position_id"
    )


def _against(order: Order, own: Iterable[TradePosition]) -> list[TradePosition]:
    return [one for one in own if is_long(one) != (order.side == OrderSide.BUY)]
