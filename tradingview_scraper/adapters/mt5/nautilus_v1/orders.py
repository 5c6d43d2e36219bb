"""May an order go to the broker, and as which request? Pure: nothing is sent from here."""

from collections.abc import Iterable
from decimal import Decimal

from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import (
    ContingencyType,
    OrderSide,
    TimeInForce,
    order_type_to_str,
    time_in_force_to_str,
)
from nautilus_trader.model.enums import OrderType as NautilusOrderType
from nautilus_trader.model.objects import MONEY_MAX
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.rules.requests import (
    RequestRefused,
    market_deal,
    market_filling,
)
from tradingview_scraper.adapters.mt5.rules.symbols import VolumeError, lots, units
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    PositionType,
    SymbolTradeExecution,
)
from tradingview_scraper.adapters.mt5.terminal.records import TradePosition

_PRICED = (SymbolTradeExecution.REQUEST, SymbolTradeExecution.INSTANT)


class Denied(Exception):
    """The order is not sent. The text begins with a reason code: ``CODE: why``."""


def request_for(
    command: SubmitOrder,
    listing: Listing,
    *,
    hedging: bool,
    positions: Iterable[TradePosition],
    reducing: Decimal,
    quote: QuoteTick | None,
    magic: int,
    deviation: int,
) -> dict[str, int | float | str]:
    """The ``order_send`` request of a command. Raises `Denied` for what cannot or must not be sent.

    `positions` are the account's, `reducing` the units of reduce-only orders on the same side of
    the symbol that are still in flight, `quote` the last one of the symbol.

    A hedging account closes by ticket: `command.position_id` names it, and a reduce-only order
    without one is denied, because any ticket could be meant [decision]. A netting account has one
    position a symbol: a reduce-only order must be against it and not above it.
    """
    order = command.order
    _check_kind(order, command)
    info = listing.info
    filling = _filling(order, listing)
    price = _price(order, listing, quote)
    _check_worth(order, listing, price)
    own = [position for position in positions if position.symbol == info.name]
    ticket = 0
    if hedging:
        ticket = _ticket(order, command, own)
    elif order.is_reduce_only:
        _check_reduces(order, listing, own, reducing)
    try:
        return market_deal(
            info,
            side=OrderType.BUY if order.side == OrderSide.BUY else OrderType.SELL,
            lots=_lots(order, listing, closes=bool(ticket)),
            magic=magic,
            price=price,
            deviation=deviation,
            position=ticket,
            comment=order.client_order_id.value[-16:],
            filling=filling,
        )
    except RequestRefused as error:
        raise Denied(str(error)) from error


def _check_kind(order: Order, command: SubmitOrder) -> None:
    if order.order_type != NautilusOrderType.MARKET:
        raise Denied(
            f"UNSUPPORTED_ORDER_TYPE: order_type={order_type_to_str(order.order_type)}, "
            f"supported=MARKET"
        )
    if order.is_quote_quantity:
        raise Denied("UNSUPPORTED_QUOTE_QUANTITY: the quantity must be in units, not in money")
    if order.contingency_type != ContingencyType.NO_CONTINGENCY:
        raise Denied("UNSUPPORTED_ORDER_LIST: contingent orders are not supported")
    if command.params:
        raise Denied(f"UNSUPPORTED_PARAMS: params={sorted(command.params)}, supported=none")


def _filling(order: Order, listing: Listing) -> OrderFilling:
    wanted = {
        TimeInForce.GTC: None,
        TimeInForce.IOC: False,
        TimeInForce.FOK: True,
    }
    if order.time_in_force not in wanted:
        raise Denied(
            f"UNSUPPORTED_TIME_IN_FORCE: "
            f"time_in_force={time_in_force_to_str(order.time_in_force)}, supported=GTC, IOC, FOK"
        )
    try:
        return market_filling(listing.info, all_or_none=wanted[order.time_in_force])
    except RequestRefused as error:
        raise Denied(str(error)) from error


def _price(order: Order, listing: Listing, quote: QuoteTick | None) -> float:
    if quote is not None:
        side = quote.ask_price if order.side == OrderSide.BUY else quote.bid_price
        return float(side)
    if listing.info.trade_exemode in _PRICED:
        raise Denied(
            f"NO_QUOTE: {listing.instrument.id} is executed at a requested price: subscribe to its "
            f"quotes before trading"
        )
    return 0.0


def _check_worth(order: Order, listing: Listing, price: float) -> None:
    # A notional value above the wheel's money raises inside an engine's queue: process ends.
    instrument = listing.instrument
    most = instrument.max_quantity
    if most is not None and order.quantity > most:
        raise Denied(f"VALIDATION_FAILED: quantity={order.quantity}, max_quantity={most}")
    worth = float(order.quantity) * price * float(instrument.multiplier)
    if worth > MONEY_MAX:
        raise Denied(
            f"VALIDATION_FAILED: the order is worth {worth:_.0f} {instrument.quote_currency}, "
            f"above the {MONEY_MAX:_.0f} that this build of NautilusTrader can count"
        )


def _lots(order: Order, listing: Listing, *, closes: bool) -> float:
    quantity = order.quantity.as_decimal()
    if closes:
        # A ticket may be smaller than today's minimum, and must be closable.
        return float(quantity / listing.sizing.lot)
    try:
        return lots(quantity, listing.sizing, listing.info)
    except VolumeError as error:
        raise Denied(f"VALIDATION_FAILED: {error}") from error


def _ticket(order: Order, command: SubmitOrder, own: list[TradePosition]) -> int:
    """The ticket that the order closes; 0 for one that opens."""
    if command.position_id is None:
        if order.is_reduce_only:
            raise Denied(
                "VALIDATION_FAILED: a reduce-only order on a hedging account needs the "
                "position_id of the ticket to close"
            )
        return 0
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
    if _is_long(held) == (order.side == OrderSide.BUY):
        raise Denied(
            f"VALIDATION_FAILED: ticket {held.ticket} cannot be increased, only closed: leave "
            f"position_id out to open another one"
        )
    return held.ticket


def _check_reduces(
    order: Order, listing: Listing, own: list[TradePosition], reducing: Decimal
) -> None:
    against = sum(
        (
            units(one.volume, listing.sizing)
            for one in own
            if _is_long(one) != (order.side == OrderSide.BUY)
        ),
        Decimal(0),
    )
    if order.quantity.as_decimal() > against - reducing:
        raise Denied(
            f"VALIDATION_FAILED: reduce-only quantity={order.quantity}, position to "
            f"reduce={against}, being reduced={reducing}"
        )


def _is_long(position: TradePosition) -> bool:
    return position.type == PositionType.BUY
