"""Which order, fill or position is a record of the account, in Nautilus' words?"""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from nautilus_trader.core.datetime import unix_nanos_to_dt
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import FillReport, OrderStatusReport, PositionStatusReport
from nautilus_trader.model.enums import (
    LiquiditySide,
    OrderSide,
    OrderStatus,
    PositionSide,
    TimeInForce,
    TriggerType,
)
from nautilus_trader.model.enums import OrderType as NautilusOrderType
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    PositionId,
    TradeId,
    VenueOrderId,
)
from nautilus_trader.model.instruments import CurrencyPair, Instrument
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import (
    Listing,
    currency,
    quantity,
)
from tradingview_scraper.adapters.mt5.rules.levels import LIMITS
from tradingview_scraper.adapters.mt5.rules.symbols import units
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    DealReason,
    DealType,
    OrderFilling,
    OrderState,
    OrderTime,
    OrderType,
    PositionType,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    TradeDeal,
    TradeOrder,
    TradePosition,
)

_BUYS = frozenset(
    {OrderType.BUY, OrderType.BUY_LIMIT, OrderType.BUY_STOP, OrderType.BUY_STOP_LIMIT}
)

_ORDER_TYPES = {
    OrderType.BUY: NautilusOrderType.MARKET,
    OrderType.SELL: NautilusOrderType.MARKET,
    OrderType.BUY_LIMIT: NautilusOrderType.LIMIT,
    OrderType.SELL_LIMIT: NautilusOrderType.LIMIT,
    OrderType.BUY_STOP: NautilusOrderType.STOP_MARKET,
    OrderType.SELL_STOP: NautilusOrderType.STOP_MARKET,
    OrderType.BUY_STOP_LIMIT: NautilusOrderType.STOP_LIMIT,
    OrderType.SELL_STOP_LIMIT: NautilusOrderType.STOP_LIMIT,
    OrderType.CLOSE_BY: NautilusOrderType.MARKET,
}

_MARKET_TERMS = {OrderFilling.FOK: TimeInForce.FOK, OrderFilling.IOC: TimeInForce.IOC}

#: What a strategy has asked for, and nobody has answered.
_ASKED_FOR = frozenset({OrderStatus.PENDING_UPDATE, OrderStatus.PENDING_CANCEL})

_CLOSED = {
    OrderState.CANCELED: OrderStatus.CANCELED,
    OrderState.REJECTED: OrderStatus.REJECTED,
    OrderState.EXPIRED: OrderStatus.EXPIRED,
}


def is_trade(deal: TradeDeal) -> bool:
    """Whether a deal traded a symbol; the others are balance operations."""
    return deal.type in (DealType.BUY, DealType.SELL)


def venue_order_id(deal: TradeDeal) -> VenueOrderId:
    """The id of the order that a deal filled: its ticket.

    A close-by is one order with a deal on each of two positions; Nautilus binds an order to one
    position, so each leg gets an id of its own [decision].
    """
    if deal.entry == DealEntry.OUT_BY:
        return VenueOrderId(f"{deal.order}-{deal.position_id}")
    return VenueOrderId(str(deal.order))


def deal_side(deal: TradeDeal) -> OrderSide:
    """The side of a trading deal."""
    return OrderSide.BUY if deal.type == DealType.BUY else OrderSide.SELL


def position_id(identifier: int, hedging: bool) -> PositionId | None:
    """A position's identifier as Nautilus' id on hedging accounts; netting accounts have none."""
    return PositionId(str(identifier)) if hedging else None


def volume(lots: float, listing: Listing) -> Quantity:
    """A volume of the terminal as a quantity of units."""
    return quantity(units(lots, listing.sizing), listing.instrument.size_precision)


def price(value: float, instrument: Instrument) -> Price:
    """A price of the terminal, without its float noise."""
    return Price(value, instrument.price_precision)


def commission(deal: TradeDeal, instrument: Instrument, deposit: str) -> Money:
    """What a deal cost: commission and fee; positive is a cost.

    In the account's currency `deposit`, but for a pair whose base is that currency: there in the
    quote currency at the deal's price, because Nautilus takes a commission in the base currency
    off the position, which then never closes [decision, measured].
    """
    cost = -(deal.commission + deal.fee)
    if isinstance(instrument, CurrencyPair) and instrument.base_currency.code == deposit:
        return Money(cost * deal.price, instrument.quote_currency)
    return Money(cost, currency(deposit))


def liquidity_side(deal: TradeDeal, order: TradeOrder | None) -> LiquiditySide:
    """MAKER for a limit order that had waited for its price; everything else took one [decision].

    The terminal does not say. Stops, take profits and limit orders that are filled in the
    millisecond of their setup take; so does what is not known.
    """
    if order is not None and order.type in LIMITS and deal.time_msc > order.time_setup_msc:
        return LiquiditySide.MAKER
    return LiquiditySide.TAKER


def deal_kind(deal: TradeDeal) -> str:
    """What a deal is, in the terminal's words: ``BUY``, ``BALANCE``, ``DIVIDEND``."""
    try:
        return DealType(deal.type).name
    except ValueError:
        return f"deal of type {deal.type}"


def fill_info(deal: TradeDeal, deposit: str) -> dict[str, Any]:
    """What a fill cannot say otherwise: the deal's money as the broker booked it."""
    return {
        "deal": deal.ticket,
        "order": deal.order,
        "position": deal.position_id,
        "entry": DealEntry(deal.entry).name,
        "reason": _reason(deal.reason),
        "currency": deposit,
        "commission": deal.commission,
        "fee": deal.fee,
        "swap": deal.swap,
        "profit": deal.profit,
        "magic": deal.magic,
        "comment": deal.comment,
    }


def order_of(order: TradeOrder | None, deals: Sequence[TradeDeal]) -> TradeOrder:
    """The record to report for `deals`: the order's own, or what the deals say of it.

    The second where the terminal has no record, and for a leg of a close-by: its order has the
    other position's side and volume. `deals` are ascending, of one order and one position.
    """
    if order is not None and order.type != OrderType.CLOSE_BY:
        return order
    first, last = deals[0], deals[-1]
    done = OrderType.BUY if first.type == DealType.BUY else OrderType.SELL
    return TradeOrder(
        ticket=first.order,
        time_setup=first.time,
        time_setup_msc=first.time_msc,
        time_done=last.time,
        time_done_msc=last.time_msc,
        time_expiration=0,
        type=done,
        type_time=OrderTime.GTC,
        type_filling=OrderFilling.RETURN,
        state=OrderState.FILLED,
        magic=first.magic,
        position_id=first.position_id,
        position_by_id=order.position_by_id if order is not None else 0,
        reason=first.reason,
        volume_initial=math.fsum(deal.volume for deal in deals),
        volume_current=0.0,
        price_open=first.price,
        sl=0.0,
        tp=0.0,
        price_current=last.price,
        price_stoplimit=0.0,
        symbol=first.symbol,
        comment=first.comment,
        external_id="",
    )


def order_report(
    order: TradeOrder,
    deals: Sequence[TradeDeal],
    listing: Listing,
    *,
    is_open: bool,
    hedging: bool,
    account_id: AccountId,
    zone: ZoneRule,
    ts_init: int,
    client_order_id: ClientOrderId | None = None,
    known_by: TradeDeal | None = None,
    known: Order | None = None,
    filled_before: Decimal = Decimal(0),
) -> OrderStatusReport:
    """How an order stands, counting `deals` (ascending) as its fills, and no others.

    With `is_open` it is still working as far as Nautilus shall know: ACCEPTED or
    PARTIALLY_FILLED, whatever the record says. `known_by` is a deal of it that is not counted.
    `known` is the order as Nautilus has it: its type stays what it was, though a stop limit order
    is a limit order at the server once it is triggered, and a change or a cancel that is asked for
    stays pending. `filled_before` was filled under tickets that the order has no longer; `deals` of
    theirs count too.
    """
    instrument = listing.instrument
    sizes = [(deal.order == order.ticket, units(deal.volume, listing.sizing)) for deal in deals]
    before = max(filled_before, sum((size for is_its, size in sizes if not is_its), Decimal(0)))
    filled = before + sum((size for is_its, size in sizes if is_its), Decimal(0))
    total = before + units(order.volume_initial, listing.sizing)
    deal = deals[0] if deals else known_by
    position = deal.position_id if deal is not None else order.position_id
    done = max([order.time_setup_msc, order.time_done_msc, *(deal.time_msc for deal in deals)])
    return OrderStatusReport(
        account_id=account_id,
        instrument_id=instrument.id,
        client_order_id=client_order_id,
        venue_order_id=venue_order_id(deal)
        if deal and deal.order == order.ticket
        else VenueOrderId(str(order.ticket)),
        venue_position_id=position_id(position, hedging) if position else None,
        order_side=OrderSide.BUY if order.type in _BUYS else OrderSide.SELL,
        order_status=_status(order, bool(filled), is_open, known),
        quantity=quantity(total, instrument.size_precision),
        filled_qty=quantity(filled, instrument.size_precision),
        avg_px=_average(deals, listing),
        report_id=UUID4(),
        ts_accepted=zone.utc_ns(order.time_setup_msc),
        ts_last=zone.utc_ns(done),
        ts_init=ts_init,
        **_terms(order, instrument, zone, known),
    )


def fill_report(
    deal: TradeDeal,
    listing: Listing,
    *,
    hedging: bool,
    deposit: str,
    account_id: AccountId,
    zone: ZoneRule,
    ts_init: int,
    client_order_id: ClientOrderId | None = None,
    order: TradeOrder | None = None,
) -> FillReport:
    """A trading deal as a fill."""
    instrument = listing.instrument
    return FillReport(
        account_id=account_id,
        instrument_id=instrument.id,
        client_order_id=client_order_id,
        venue_order_id=venue_order_id(deal),
        venue_position_id=position_id(deal.position_id, hedging),
        trade_id=TradeId(str(deal.ticket)),
        order_side=deal_side(deal),
        last_qty=volume(deal.volume, listing),
        last_px=price(deal.price, instrument),
        commission=commission(deal, instrument, deposit),
        liquidity_side=liquidity_side(deal, order),
        report_id=UUID4(),
        ts_event=zone.utc_ns(deal.time_msc),
        ts_init=ts_init,
    )


def position_report(
    position: TradePosition,
    listing: Listing,
    *,
    hedging: bool,
    account_id: AccountId,
    zone: ZoneRule,
    ts_init: int,
) -> PositionStatusReport:
    """An open position."""
    is_long = position.type == PositionType.BUY
    return PositionStatusReport(
        account_id=account_id,
        instrument_id=listing.instrument.id,
        venue_position_id=position_id(position.identifier, hedging),
        position_side=PositionSide.LONG if is_long else PositionSide.SHORT,
        quantity=volume(position.volume, listing),
        avg_px_open=Decimal(str(position.price_open)),
        report_id=UUID4(),
        ts_last=zone.utc_ns(position.time_update_msc or position.time_msc),
        ts_init=ts_init,
    )


def flat_report(
    instrument_id: InstrumentId,
    venue_position_id: PositionId | None,
    *,
    size_precision: int,
    account_id: AccountId,
    ts_init: int,
) -> PositionStatusReport:
    """A position that Nautilus holds open and the account no longer has."""
    return PositionStatusReport(
        account_id=account_id,
        instrument_id=instrument_id,
        venue_position_id=venue_position_id,
        position_side=PositionSide.FLAT,
        quantity=Quantity.zero(size_precision),
        report_id=UUID4(),
        ts_last=ts_init,
        ts_init=ts_init,
    )


def _status(order: TradeOrder, has_filled: bool, is_open: bool, known: Order | None) -> OrderStatus:
    if is_open:
        if known is not None and known.status in _ASKED_FOR:
            return OrderStatus(known.status)
        if not has_filled and _is_triggered(order, known):
            return OrderStatus.TRIGGERED
        return OrderStatus.PARTIALLY_FILLED if has_filled else OrderStatus.ACCEPTED
    closed = _CLOSED.get(OrderState(order.state))
    if closed is not None:
        return closed
    return OrderStatus.FILLED if not order.volume_current else OrderStatus.CANCELED


def _is_triggered(order: TradeOrder, known: Order | None) -> bool:
    """A stop limit order that is a limit order at the server."""
    return (
        known is not None
        and known.order_type == NautilusOrderType.STOP_LIMIT
        and order.type in LIMITS
    )


def _average(deals: Sequence[TradeDeal], listing: Listing) -> Decimal | None:
    if not deals:
        return None
    sizes = [units(deal.volume, listing.sizing) for deal in deals]
    worth = sum(
        (size * Decimal(str(deal.price)) for size, deal in zip(sizes, deals, strict=True)),
        Decimal(0),
    )
    return worth / sum(sizes)


def _terms(
    order: TradeOrder, instrument: Instrument, zone: ZoneRule, known: Order | None
) -> dict[str, Any]:
    """Type, time in force and prices of an order."""
    kind = _ORDER_TYPES[OrderType(order.type)]
    if known is not None and known.order_type != kind:
        return _known_terms(order, instrument, known)
    terms: dict[str, Any] = {"order_type": kind, "time_in_force": _time_in_force(order, kind)}
    if terms["time_in_force"] == TimeInForce.GTD:
        terms["expire_time"] = unix_nanos_to_dt(zone.utc_ns(order.time_expiration * 1000))
    if kind in (NautilusOrderType.STOP_MARKET, NautilusOrderType.STOP_LIMIT):
        terms["trigger_price"] = price(order.price_open, instrument)
        terms["trigger_type"] = TriggerType.DEFAULT
    if kind == NautilusOrderType.STOP_LIMIT:
        terms["price"] = price(order.price_stoplimit, instrument)
    if kind == NautilusOrderType.LIMIT:
        terms["price"] = price(order.price_open, instrument)
    return terms


def _known_terms(order: TradeOrder, instrument: Instrument, known: Order) -> dict[str, Any]:
    """The terms of an order that is another type at the server than it was meant as."""
    terms: dict[str, Any] = {
        "order_type": known.order_type,
        "time_in_force": known.time_in_force,
    }
    if known.time_in_force == TimeInForce.GTD:
        terms["expire_time"] = known.expire_time
    if known.has_trigger_price:
        terms["trigger_price"] = known.trigger_price
        terms["trigger_type"] = known.trigger_type
    if known.has_price:
        waits = order.type in LIMITS
        terms["price"] = price(order.price_open, instrument) if waits else known.price
    return terms


def _time_in_force(order: TradeOrder, kind: NautilusOrderType) -> TimeInForce:
    if kind == NautilusOrderType.MARKET:
        return _MARKET_TERMS.get(OrderFilling(order.type_filling), TimeInForce.GTC)
    if order.type_time == OrderTime.DAY:
        return TimeInForce.DAY
    if order.type_time in (OrderTime.SPECIFIED, OrderTime.SPECIFIED_DAY) and order.time_expiration:
        return TimeInForce.GTD
    return TimeInForce.GTC


def _reason(reason: int) -> str:
    try:
        return DealReason(reason).name
    except ValueError:
        return str(reason)
