"""How is the engine kept from guessing what became of an order in flight?

It asks about what is not settled, and after some 30 s calls a submitted order rejected and a
pending change cancelled, whether that is true or not [measured].
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import OrderStatusReport
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import OrderStatus, TriggerType
from nautilus_trader.model.events import OrderUpdated
from nautilus_trader.model.identifiers import AccountId, ClientOrderId
from nautilus_trader.model.orders import Order

_PENDING: Final = (OrderStatus.PENDING_UPDATE, OrderStatus.PENDING_CANCEL)


def is_due(order: Order, now: int, keepalive_ns: int) -> bool:
    """Whether nothing was heard of `order` for so long that the engine might begin to ask."""
    return now - int(order.last_event.ts_event) >= keepalive_ns


def keep_pending(
    out: LiveExecutionClient, ids: Iterable[ClientOrderId], now: int, keepalive_ns: int
) -> None:
    """Say it of those orders of which a change or a cancel is asked for, where it is due."""
    for client_order_id in ids:
        order = out._cache.order(client_order_id)
        if order is not None and order.status in _PENDING and is_due(order, now, keepalive_ns):
            keep_in_flight(out, order, now)


def keep_in_flight(out: LiveExecutionClient, order: Order, now: int) -> None:
    """Say that `order` stands as it stood.

    Without an id at the venue by an update that changes nothing: a report would accept the order
    under a false id [measured]. With one by a report of its own status: an update would settle a
    pending change.
    """
    if order.venue_order_id is None:
        out._send_order_event(_unchanged(out, order, now))
    else:
        out._send_order_status_report(as_it_stands(order, out.account_id, now))


def as_it_stands(order: Order, account_id: AccountId, now: int) -> OrderStatusReport:
    """A report of what Nautilus has: of an order with an id at the venue."""
    return OrderStatusReport(
        account_id=account_id,
        instrument_id=order.instrument_id,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        order_side=order.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        order_status=order.status,
        price=order.price if order.has_price else None,
        trigger_price=order.trigger_price if order.has_trigger_price else None,
        trigger_type=order.trigger_type if order.has_trigger_price else TriggerType.NO_TRIGGER,
        quantity=order.quantity,
        filled_qty=order.filled_qty,
        # Not counted, but the engine warns about a report without.
        avg_px=Decimal(str(order.avg_px or 0)),
        report_id=UUID4(),
        ts_accepted=order.ts_accepted,
        ts_last=now,
        ts_init=now,
    )


def _unchanged(out: LiveExecutionClient, order: Order, now: int) -> OrderUpdated:
    return OrderUpdated(
        trader_id=order.trader_id,
        strategy_id=order.strategy_id,
        instrument_id=order.instrument_id,
        client_order_id=order.client_order_id,
        venue_order_id=None,
        account_id=out.account_id,
        quantity=order.quantity,
        price=None,
        trigger_price=None,
        event_id=UUID4(),
        ts_event=now,
        ts_init=now,
    )
