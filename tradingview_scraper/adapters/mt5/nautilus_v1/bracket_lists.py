"""Is an order list a bracket that a server can hold as one order with its stops? Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from nautilus_trader.cache.cache import Cache
from nautilus_trader.execution.messages import SubmitOrder, SubmitOrderList
from nautilus_trader.model.enums import (
    ContingencyType,
    OrderStatus,
    OrderType,
    TimeInForce,
    TriggerType,
    contingency_type_to_str,
    order_type_to_str,
    time_in_force_to_str,
    trigger_type_to_str,
)
from nautilus_trader.model.identifiers import ClientOrderId, VenueOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.rules.bracket_ids import StopIds, shape_for


class Leg(StrEnum):
    """The two stops that a position has at the server."""

    SL = "SL"
    TP = "TP"


class BracketOrders(NamedTuple):
    """An entry, and its stops: one of both or both."""

    entry: Order
    stops: dict[Leg, Order]


def is_linked(order: Order) -> bool:
    """Whether an order stands or falls with another one."""
    return (
        order.contingency_type != ContingencyType.NO_CONTINGENCY
        or order.parent_order_id is not None
    )


def bracket_in(orders: Sequence[Order]) -> BracketOrders:
    """The bracket that linked orders are. Raises `Denied` with what they are instead.

    An entry that triggers the others (OTO), and a STOP_MARKET as its stop loss, a LIMIT as its take
    profit, or one of them: against the entry, on its instrument and for its quantity, good till
    cancelled, and if there are two, one cancels the other (OCO or OUO).
    """
    parents = [order for order in orders if order.contingency_type == ContingencyType.OTO]
    if len(parents) != 1:
        raise _unsupported(f"one entry with OTO was expected, there are {len(parents)}")
    (entry,) = parents
    stops: dict[Leg, Order] = {}
    for order in orders:
        if order is entry:
            continue
        leg = _LEGS.get(order.order_type)
        if leg is None or leg in stops:
            raise _unsupported(
                f"a STOP_MARKET as stop loss and a LIMIT as take profit were expected beside the "
                f"entry, {order.client_order_id} is {order_type_to_str(order.order_type)}"
            )
        _check_stop(order, entry)
        stops[leg] = order
    if set(entry.linked_order_ids or ()) != {order.client_order_id for order in stops.values()}:
        raise _unsupported("the entry's linked orders must be the others of its list")
    for order in stops.values():
        if len(stops) > 1 and order.contingency_type not in _EITHER:
            raise _unsupported(
                f"stop loss and take profit must cancel each other (OCO or OUO), "
                f"contingency_type={contingency_type_to_str(order.contingency_type)}"
            )
    return BracketOrders(entry, stops)


def shape_in(bracket: BracketOrders) -> int | None:
    """The shape of the bracket's ids, from which its entry's id tells the others; None: none."""
    either = {contingency_type_to_str(order.contingency_type) for order in bracket.stops.values()}
    if len(bracket.stops) < 2:
        either = {""}
    sl, tp = (
        bracket.stops[leg].client_order_id.value if leg in bracket.stops else "" for leg in Leg
    )
    entry_id = bracket.entry.client_order_id.value
    return shape_for(entry_id, StopIds(sl, tp, either.pop())) if len(either) == 1 else None


def list_of(entry: Order, cache: Cache) -> BracketOrders | None:
    """The bracket that an entry of an earlier run was sent with; None where it was none."""
    if entry.contingency_type != ContingencyType.OTO:
        return None
    linked = [cache.order(one) for one in entry.linked_order_ids or ()]
    stops = {_LEGS[one.order_type]: one for one in linked if one and one.order_type in _LEGS}
    return BracketOrders(entry, stops) if len(stops) == len(linked) else None


def check_room(entry: Order, others: Sequence[ClientOrderId], *, has_position: bool) -> None:
    """Raise `Denied` where a netting account cannot hold a bracket: its position of the symbol has
    one SL and one TP. `others` are the entries of brackets on the symbol.
    """
    if others:
        raise _unsupported(
            f"a netting account has one position a symbol, with one SL and one TP: "
            f"{entry.instrument_id} has the bracket of {others[0]}"
        )
    if has_position:
        raise _unsupported(
            f"a netting account has one position a symbol, and the bracket's stops would close the "
            f"open one of {entry.instrument_id} too: close it first"
        )


def entry_command(command: SubmitOrderList, bracket: BracketOrders) -> SubmitOrder:
    """The entry, with its stops as the params `sl` and `tp`. Raises `Denied`."""
    params = dict(command.params or {})
    if "sl" in params or "tp" in params:
        raise _unsupported("its stops are orders: leave the params sl and tp out")
    if command.position_id is not None:
        raise _unsupported("a bracket opens a position: leave position_id out")
    for leg, order in bracket.stops.items():
        params[leg.lower()] = level_of(order)
    return SubmitOrder(
        trader_id=command.trader_id,
        strategy_id=command.strategy_id,
        order=bracket.entry,
        command_id=command.id,
        ts_init=command.ts_init,
        client_id=command.client_id,
        params=params,
    )


def each_alone(command: SubmitOrderList) -> list[SubmitOrder]:
    """The orders of a list whose orders are independent, in order."""
    return [
        SubmitOrder(
            trader_id=command.trader_id,
            strategy_id=command.strategy_id,
            order=order,
            position_id=command.position_id,
            command_id=command.id,
            ts_init=command.ts_init,
            client_id=command.client_id,
            params=command.params,
        )
        for order in command.order_list.orders
    ]


def level_of(order: Order) -> float:
    """The price at which a stop of a bracket closes the position."""
    return float(order.trigger_price if order.has_trigger_price else order.price)


def stop_id(ticket: int, leg: Leg) -> VenueOrderId:
    """The id at the venue of a stop: the entry's ticket, and which of its stops."""
    return VenueOrderId(f"{ticket}-{leg}")


def leg_of(order: Order) -> Leg | None:
    """Which stop at the server an order is; None for an order of its own."""
    if order.venue_order_id is None:
        return None
    ticket, _, leg = order.venue_order_id.value.partition("-")
    return Leg(leg) if ticket.isdecimal() and leg in tuple(Leg) else None


def is_stop(order: Order, cache: Cache) -> bool:
    """Whether an order of an earlier run is a stop of a bracket, at the server or on its way."""
    if leg_of(order) is not None:
        return True
    parent = cache.order(order.parent_order_id) if order.parent_order_id is not None else None
    return (
        parent is not None
        and parent.contingency_type == ContingencyType.OTO
        and parent.is_inflight
        and order.status in (OrderStatus.INITIALIZED, OrderStatus.SUBMITTED)
        and order.emulation_trigger == TriggerType.NO_TRIGGER
        and order.order_type in _LEGS
    )


_LEGS: Final = {OrderType.STOP_MARKET: Leg.SL, OrderType.LIMIT: Leg.TP}
_EITHER: Final = (ContingencyType.OCO, ContingencyType.OUO)


def _check_stop(order: Order, entry: Order) -> None:
    if order.parent_order_id not in (None, entry.client_order_id):
        raise _unsupported(f"{order.client_order_id} belongs to {order.parent_order_id}")
    if order.instrument_id != entry.instrument_id or order.side == entry.side:
        raise _unsupported(
            f"{order.client_order_id} must be against the entry, on {entry.instrument_id}"
        )
    if order.quantity != entry.quantity:
        raise _unsupported(
            f"a stop at the server closes the whole position: quantity must be {entry.quantity}, "
            f"was {order.quantity}"
        )
    if order.time_in_force != TimeInForce.GTC:
        raise _unsupported(
            f"a stop at the server lasts as long as its position: time_in_force="
            f"{time_in_force_to_str(order.time_in_force)}, supported=GTC"
        )
    trigger = getattr(order, "trigger_type", TriggerType.DEFAULT)
    if trigger not in (TriggerType.DEFAULT, TriggerType.BID_ASK, TriggerType.LAST_PRICE):
        raise _unsupported(f"trigger_type={trigger_type_to_str(trigger)} of the stop loss")


def _unsupported(why: str) -> Denied:
    return Denied(f"UNSUPPORTED_ORDER_LIST: {why}")
