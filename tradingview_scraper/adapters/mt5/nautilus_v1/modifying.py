"""Which terms does a change ask for, and which prices are terms in Nautilus' words? Pure."""

from decimal import Decimal
from typing import Final

from nautilus_trader.execution.messages import ModifyOrder
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.enums import OrderType as NautilusOrderType
from nautilus_trader.model.objects import Price
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.orders import PENDING_TYPES, expiry_of
from tradingview_scraper.adapters.mt5.nautilus_v1.params import change_params
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import price as price_of
from tradingview_scraper.adapters.mt5.rules.levels import LIMITS, STOP_LIMITS, STOPS
from tradingview_scraper.adapters.mt5.rules.requests import Terms
from tradingview_scraper.adapters.mt5.rules.symbols import units
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import OrderType
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder

_LIMIT_OF: Final = {OrderSide.BUY: OrderType.BUY_LIMIT, OrderSide.SELL: OrderType.SELL_LIMIT}


def type_of(order: Order) -> int:
    """The terminal's type of a waiting order. A stop limit order becomes its limit order."""
    if order.order_type == NautilusOrderType.STOP_LIMIT and order.is_triggered:
        return _LIMIT_OF[order.side]
    kind = PENDING_TYPES.get((order.order_type, order.side))
    if kind is None:
        raise Denied("UNSUPPORTED_MODIFY: a market order cannot be changed")
    return kind


def units_left(order: Order, record: TradeOrder | None, listing: Listing) -> Decimal:
    """Units of a waiting order that may still be filled, by its record where there is one."""
    if record is None:
        return Decimal(order.leaves_qty.as_decimal())
    return units(record.volume_current, listing.sizing)


def changed_terms(
    command: ModifyOrder,
    known: Terms,
    kind: int,
    listing: Listing,
    zone: ZoneRule,
    *,
    may_be_dropped: bool,
) -> Terms:
    """`known` with what `command` names, and nothing else changed. Raises `Denied` and
    `RequestRefused`.
    """
    params = change_params(command.params)
    terms = known
    price = float(command.price) if command.price is not None else None
    trigger = float(command.trigger_price) if command.trigger_price is not None else None
    if kind in STOP_LIMITS:
        terms = terms._replace(
            price=terms.price if trigger is None else trigger,
            stoplimit=terms.stoplimit if price is None else price,
        )
    elif kind in STOPS and trigger is not None:
        terms = terms._replace(price=trigger)
    elif kind in LIMITS:
        if trigger is not None:
            raise Denied("UNSUPPORTED_MODIFY: the order was triggered already, it has no trigger")
        terms = terms._replace(price=terms.price if price is None else price)
    if params.sl is not None:
        terms = terms._replace(sl=params.sl)
    if params.tp is not None:
        terms = terms._replace(tp=params.tp)
    if params.expire_time is not None:
        expiry = expiry_of(
            listing, TimeInForce.GTD, params.expire_time, zone, may_be_dropped=may_be_dropped
        )
        terms = terms._replace(type_time=int(expiry.type_time), expiration=expiry.expiration)
    return terms


def prices_of(order: Order, terms: Terms, listing: Listing) -> tuple[Price | None, Price | None]:
    """Price and trigger price of an order with these terms; None for what it does not have."""
    first = price_of(terms.price, listing.instrument)
    if order.order_type == NautilusOrderType.STOP_LIMIT and terms.stoplimit:
        return price_of(terms.stoplimit, listing.instrument), first
    if order.order_type == NautilusOrderType.STOP_MARKET:
        return None, first
    return first, None
