"""May an order go to the broker, and as which request? Pure: nothing is sent from here."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import (
    OrderSide,
    TimeInForce,
    TriggerType,
    order_type_to_str,
    time_in_force_to_str,
    trigger_type_to_str,
)
from nautilus_trader.model.enums import OrderType as NautilusOrderType
from nautilus_trader.model.objects import MONEY_MAX
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.closing import (
    check_reduces,
    ticket_to_close,
    tickets_to_match,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.params import Params, order_params
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.rules.expiry import (
    Expiry,
    for_the_day,
    good_till_cancelled,
    keeps_stops,
    until,
)
from tradingview_scraper.adapters.mt5.rules.filling import (
    PRICED,
    market_filling,
    pending_filling,
)
from tradingview_scraper.adapters.mt5.rules.levels import Quote, room_points
from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused
from tradingview_scraper.adapters.mt5.rules.requests import (
    Fields,
    close_by,
    market_deal,
    pending_order,
)
from tradingview_scraper.adapters.mt5.rules.symbols import VolumeError, lots
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    SymbolTradeExecution,
)
from tradingview_scraper.adapters.mt5.terminal.records import TradePosition


class Circumstances(NamedTuple):
    """What decides about an order besides itself."""

    hedging: bool
    #: Of the account.
    positions: Iterable[TradePosition]
    #: Units of reduce-only orders on the same side of the symbol that are on their way.
    reducing: Decimal
    #: The last one of the symbol.
    quote: QuoteTick | None
    #: `quote` is so young that what it forbids is certainly forbidden.
    is_fresh: bool
    magic: int
    #: Points.
    deviation: int
    zone: ZoneRule
    #: What the server drops at the end of its day may be sent.
    may_be_dropped: bool = False


def request_for(command: SubmitOrder, listing: Listing, now: Circumstances) -> Fields:
    """The ``order_send`` request of a command. Raises `Denied` for what cannot or must not be sent.

    A market order is a deal, as is an order with a price that must be filled at once where the
    server keeps to a requested price (Request, Instant); everything else with a price waits at the
    server. A reduce-only order must be executed at once: what waits at the server may meet another
    position than the one it was meant to reduce [decision].
    """
    order = command.order
    _check_kind(order, listing)
    params = order_params(command.params)
    _check_worth(order, listing, now.quote)
    own = [position for position in now.positions if position.symbol == listing.info.name]
    try:
        if params.close_by is not None:
            return _close_by(command, listing, now, own, params)
        if params.sl or params.tp:
            _check_protection(listing, now)
        if order.order_type == NautilusOrderType.MARKET or _is_priced_deal(order, listing):
            return _deal(command, listing, now, own, params)
        return _pending(command, listing, now, params)
    except RequestRefused as error:
        raise Denied(str(error)) from error


def expiry_of(
    listing: Listing,
    time_in_force: TimeInForce,
    expire_time_ns: int,
    zone: ZoneRule,
    *,
    may_be_dropped: bool,
) -> Expiry:
    """How long an order waits at the server. A GTD order ends with the server second that its time
    lies in, or the one after it: never before. Raises `Denied` and `RequestRefused`.
    """
    match time_in_force:
        case TimeInForce.GTC:
            return good_till_cancelled(listing.info, may_be_dropped=may_be_dropped)
        case TimeInForce.DAY:
            return for_the_day(listing.info)
        case TimeInForce.GTD:
            return until(listing.info, zone.server_seconds(expire_time_ns, round_up=True))
    raise Denied(
        f"UNSUPPORTED_TIME_IN_FORCE: time_in_force={time_in_force_to_str(time_in_force)}, "
        f"supported=GTC, DAY, GTD, IOC, FOK"
    )


_LIMIT: Final = NautilusOrderType.LIMIT
PENDING_TYPES: Final[dict[tuple[NautilusOrderType, OrderSide], OrderType]] = {
    (NautilusOrderType.LIMIT, OrderSide.BUY): OrderType.BUY_LIMIT,
    (NautilusOrderType.LIMIT, OrderSide.SELL): OrderType.SELL_LIMIT,
    (NautilusOrderType.STOP_MARKET, OrderSide.BUY): OrderType.BUY_STOP,
    (NautilusOrderType.STOP_MARKET, OrderSide.SELL): OrderType.SELL_STOP,
    (NautilusOrderType.STOP_LIMIT, OrderSide.BUY): OrderType.BUY_STOP_LIMIT,
    (NautilusOrderType.STOP_LIMIT, OrderSide.SELL): OrderType.SELL_STOP_LIMIT,
}
#: The answer to "all or nothing?" of what must be filled at once.
_AT_ONCE: Final = {TimeInForce.IOC: False, TimeInForce.FOK: True}


def _check_kind(order: Order, listing: Listing) -> None:
    kind = order.order_type
    if kind != NautilusOrderType.MARKET and (kind, order.side) not in PENDING_TYPES:
        raise Denied(
            f"UNSUPPORTED_ORDER_TYPE: order_type={order_type_to_str(kind)}, supported=MARKET, "
            f"LIMIT, STOP_MARKET, STOP_LIMIT; others with emulation_trigger=BID_ASK"
        )
    if order.is_quote_quantity:
        raise Denied("UNSUPPORTED_QUOTE_QUANTITY: the quantity must be in units, not in money")
    if getattr(order, "display_qty", None) is not None:
        raise Denied("UNSUPPORTED_DISPLAY_QTY: a server shows the whole order, or none of it")
    trigger = getattr(order, "trigger_type", TriggerType.DEFAULT)
    at_exchange = listing.info.trade_exemode == SymbolTradeExecution.EXCHANGE
    native = TriggerType.LAST_PRICE if at_exchange else TriggerType.BID_ASK
    if trigger not in (TriggerType.DEFAULT, TriggerType.NO_TRIGGER, native):
        raise Denied(
            f"UNSUPPORTED_TRIGGER_TYPE: trigger_type={trigger_type_to_str(trigger)}, "
            f"supported=DEFAULT, {trigger_type_to_str(native)}"
        )


def _check_worth(order: Order, listing: Listing, quote: QuoteTick | None) -> None:
    # A notional value above the wheel's money raises inside an engine's queue: process ends.
    instrument = listing.instrument
    most = instrument.max_quantity
    if most is not None and order.quantity > most:
        raise Denied(f"VALIDATION_FAILED: quantity={order.quantity}, max_quantity={most}")
    prices = [_market_price(order, quote) if quote is not None else 0.0]
    prices += [float(order.price)] if order.has_price else []
    prices += [float(order.trigger_price)] if order.has_trigger_price else []
    worth = float(order.quantity) * max(prices) * float(instrument.multiplier)
    if worth > MONEY_MAX:
        raise Denied(
            f"VALIDATION_FAILED: the order is worth {worth:_.0f} {instrument.quote_currency}, "
            f"above the {MONEY_MAX:_.0f} that this build of NautilusTrader can count"
        )


def _check_protection(listing: Listing, now: Circumstances) -> None:
    if not now.may_be_dropped and not keeps_stops(listing.info):
        raise Denied(
            f"UNSUPPORTED_TP_SL: the server drops stops of {listing.info.name} at the end of its "
            f"day: set allow_daily_expiry to send them all the same"
        )


def _is_priced_deal(order: Order, listing: Listing) -> bool:
    """Whether an order with a price is executed at once, and its price is kept to."""
    return (
        order.order_type == _LIMIT
        and order.time_in_force in _AT_ONCE
        and listing.info.trade_exemode in PRICED
    )


def _deal(
    command: SubmitOrder,
    listing: Listing,
    now: Circumstances,
    own: list[TradePosition],
    params: Params,
) -> Fields:
    order, info = command.order, listing.info
    if order.is_post_only:
        raise Denied("UNSUPPORTED_POST_ONLY: what is executed at once is never post-only")
    side = OrderType.BUY if order.side == OrderSide.BUY else OrderType.SELL
    ticket = 0
    if now.hedging:
        ticket = ticket_to_close(order, command, listing, own, now.reducing)
    elif order.is_reduce_only:
        check_reduces(order, listing, own, now.reducing)
    if ticket and (params.sl or params.tp):
        raise Denied("UNSUPPORTED_TP_SL: an order that closes a ticket has no stops of its own")
    filling = params.filling
    if filling is None:
        filling = _deal_filling(order, listing)
    price, deviation = _deal_price(order, listing, now, side, params)
    return market_deal(
        info,
        side=side,
        lots=_lots(order, listing, closes=bool(ticket)),
        magic=now.magic,
        price=price,
        deviation=deviation,
        position=ticket,
        sl=params.sl or 0.0,
        tp=params.tp or 0.0,
        comment=_comment(order, params),
        filling=filling,
        quote=_fresh(now) if not ticket else None,
        opens=now.hedging and not ticket,
    )


def _pending(command: SubmitOrder, listing: Listing, now: Circumstances, params: Params) -> Fields:
    order, info = command.order, listing.info
    type = PENDING_TYPES[order.order_type, order.side]
    if order.is_reduce_only:
        raise Denied(
            "UNSUPPORTED_REDUCE_ONLY: an order that waits at the server may open a position: use "
            "stop loss and take profit, or emulation_trigger"
        )
    if now.hedging and command.position_id is not None:
        raise Denied(
            f"VALIDATION_FAILED: a waiting order cannot close ticket {command.position_id}: it "
            f"would open another one; use stop loss and take profit, or emulation_trigger"
        )
    if params.deviation is not None:
        raise Denied("UNSUPPORTED_PARAMS: deviation is of orders that are executed at once")
    at_once = _AT_ONCE.get(order.time_in_force)
    filling = params.filling
    if filling is None or order.is_post_only:
        filling = pending_filling(info, type, all_or_none=at_once, post_only=order.is_post_only)
    if at_once is not None:
        if order.order_type != _LIMIT:
            raise Denied(
                f"UNSUPPORTED_TIME_IN_FORCE: "
                f"time_in_force={time_in_force_to_str(order.time_in_force)} of an order that "
                f"waits for its trigger, supported=GTC, DAY, GTD"
            )
        # Over at once, whatever the server does at the end of the day.
        expiry = good_till_cancelled(info, may_be_dropped=True)
    else:
        expiry = expiry_of(
            listing,
            order.time_in_force,
            getattr(order, "expire_time_ns", 0),
            now.zone,
            may_be_dropped=now.may_be_dropped,
        )
    has_trigger = order.has_trigger_price
    return pending_order(
        info,
        type=type,
        lots=_lots(order, listing, closes=False),
        price=float(order.trigger_price if has_trigger else order.price),
        stoplimit=float(order.price) if has_trigger and order.has_price else 0.0,
        magic=now.magic,
        expiry=expiry,
        filling=filling,
        sl=params.sl or 0.0,
        tp=params.tp or 0.0,
        comment=_comment(order, params),
        quote=_fresh(now),
        opens=now.hedging,
    )


def _close_by(
    command: SubmitOrder,
    listing: Listing,
    now: Circumstances,
    own: list[TradePosition],
    params: Params,
) -> Fields:
    order, by = command.order, params.close_by
    if not now.hedging or order.order_type != NautilusOrderType.MARKET or by is None:
        raise Denied("VALIDATION_FAILED: close_by is of market orders on hedging accounts")
    ticket, ticket_by = tickets_to_match(order, command, listing, own, by)
    return close_by(
        listing.info,
        position=ticket,
        position_by=ticket_by,
        magic=now.magic,
        comment=_comment(order, params),
    )


def _deal_filling(order: Order, listing: Listing) -> OrderFilling:
    at_once = _AT_ONCE.get(order.time_in_force)
    if order.time_in_force not in (TimeInForce.GTC, *_AT_ONCE):
        raise Denied(
            f"UNSUPPORTED_TIME_IN_FORCE: "
            f"time_in_force={time_in_force_to_str(order.time_in_force)}, supported=GTC, IOC, FOK"
        )
    if order.is_reduce_only and at_once is None:
        # What an exchange does not fill at once would wait there, and meet another position.
        try:
            return market_filling(listing.info, all_or_none=False)
        except RequestRefused:
            pass
    return market_filling(listing.info, all_or_none=at_once)


def _deal_price(
    order: Order, listing: Listing, now: Circumstances, side: OrderType, params: Params
) -> tuple[float, int]:
    """Price and deviation. A limit is kept to by the deviation that is left to it."""
    deviation = now.deviation if params.deviation is None else params.deviation
    quote = _quote(now)
    if order.order_type == _LIMIT:
        limit = float(order.price)
        room = room_points(listing.info, side, limit, quote) if quote is not None else None
        if room is None or quote is None:
            return limit, 0
        return _market_price(order, now.quote), room
    if now.quote is not None:
        return _market_price(order, now.quote), deviation
    if listing.info.trade_exemode in PRICED:
        raise Denied(
            f"NO_QUOTE: {listing.instrument.id} is executed at a requested price: subscribe to its "
            f"quotes before trading"
        )
    return 0.0, deviation


def _market_price(order: Order, quote: QuoteTick) -> float:
    return float(quote.ask_price if order.side == OrderSide.BUY else quote.bid_price)


def _quote(now: Circumstances) -> Quote | None:
    if now.quote is None:
        return None
    return Quote(float(now.quote.bid_price), float(now.quote.ask_price))


def _fresh(now: Circumstances) -> Quote | None:
    return _quote(now) if now.is_fresh else None


def _lots(order: Order, listing: Listing, *, closes: bool) -> float:
    quantity = order.quantity.as_decimal()
    if closes:
        # A ticket may be smaller than today's minimum, and must be closable.
        return float(quantity / listing.sizing.lot)
    try:
        return lots(quantity, listing.sizing, listing.info)
    except VolumeError as error:
        raise Denied(f"VALIDATION_FAILED: {error}") from error


def _comment(order: Order, params: Params) -> str:
    # The end of a client order id tells more than its beginning.
    return order.client_order_id.value[-16:] if params.comment is None else params.comment
