"""Which order takes the place of a waiting one that is to have another quantity? Pure."""

from decimal import Decimal

from nautilus_trader.execution.messages import ModifyOrder
from nautilus_trader.model.enums import ContingencyType
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.rules.expiry import Expiry
from tradingview_scraper.adapters.mt5.rules.levels import STOPS
from tradingview_scraper.adapters.mt5.rules.requests import Fields, Terms, pending_order
from tradingview_scraper.adapters.mt5.rules.symbols import VolumeError, lots, units
from tradingview_scraper.adapters.mt5.terminal.constants import OrderFilling, OrderTime, OrderType
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder


def wanted_quantity(command: ModifyOrder, order: Order, entry: Entry | None) -> Decimal | None:
    """The units that a change asks for, where they are others. Raises `Denied`."""
    wanted: Decimal | None = None
    if command.quantity is not None:
        wanted = command.quantity.as_decimal()
    if wanted is None or wanted == (
        entry.quantity if entry is not None else order.quantity.as_decimal()
    ):
        return None
    if entry is None:
        raise Denied("UNSUPPORTED_MODIFY: the quantity of an order that this node did not send")
    if is_linked(order):
        raise Denied(
            "UNSUPPORTED_MODIFY: a bracket's quantity cannot be changed: its stops have the id of "
            "its entry's ticket, and would lose it: cancel it, and send another one"
        )
    return wanted


def is_linked(order: Order) -> bool:
    """Whether other orders depend on the order's ticket: it is never placed anew."""
    return bool(order.contingency_type != ContingencyType.NO_CONTINGENCY)


def filled_of(record: TradeOrder, listing: Listing) -> Decimal:
    """The units that an order has filled under its ticket."""
    return units(record.volume_initial - record.volume_current, listing.sizing)


def successor(
    record: TradeOrder,
    entry: Entry,
    listing: Listing,
    terms: Terms,
    wanted: Decimal,
    *,
    told: Decimal,
    hedging: bool,
) -> Fields:
    """The order that `record` is, with other terms, for what is left of `wanted` units.

    `told`: units of the order whose fills Nautilus has. A deal can be known before the list of
    orders is read again, and `record` behind it.

    Raises `Denied` and `RequestRefused`. On a hedging account what is placed anew opens a position
    of its own, and an order of Nautilus has one: there only an order without fills has a successor.
    The rest of a stop order that was activated is no stop order any more.
    """
    here = max(filled_of(record, listing), told - entry.filled_before)
    filled = entry.filled_before + here
    if wanted <= filled:
        raise Denied(f"UNSUPPORTED_MODIFY: quantity={wanted}, but {filled} are filled already")
    if hedging and filled:
        raise Denied(
            f"UNSUPPORTED_MODIFY: {filled} are filled already, and what is placed anew would open "
            f"another position: cancel the order, and send another one"
        )
    if here and record.type in STOPS:
        raise Denied("UNSUPPORTED_MODIFY: the order was activated already, and is executed")
    try:
        volume = lots(wanted - filled, listing.sizing, listing.info)
    except VolumeError as error:
        raise Denied(f"VALIDATION_FAILED: {error}") from error
    return pending_order(
        listing.info,
        type=OrderType(record.type),
        lots=volume,
        price=terms.price,
        stoplimit=terms.stoplimit,
        sl=terms.sl,
        tp=terms.tp,
        magic=entry.magic,
        expiry=Expiry(OrderTime(terms.type_time), terms.expiration),
        filling=OrderFilling(record.type_filling),
        comment=record.comment,
        opens=hedging,
    )
