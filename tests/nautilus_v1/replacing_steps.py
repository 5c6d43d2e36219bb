"""What tests of orders that are placed anew do, on whatever account."""

from nautilus_trader.model.events import OrderModifyRejected
from nautilus_trader.model.objects import Quantity

from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction

CLOCK = {"mode": "stepped", "start": "2025-03-10T12:00:00Z"}
REMOVE, PENDING = int(TradeAction.REMOVE), int(TradeAction.PENDING)
MODIFY = int(TradeAction.MODIFY)
REPLACES = {"replace_to_change_quantity": True}
SOON = {"unproven_order_secs": 0.2, "unproven_change_secs": 0.3, "inflight_keepalive_secs": 0.1}
QUICK = {"link_poll_ms": 10, "restart_delay_ms": 50, "order_timeout_secs": 1.0}
IMPATIENT = {
    "inflight_check_interval_ms": 100,
    "inflight_check_threshold_ms": 300,
    "inflight_check_retries": 2,
}


def fault(terminal, kind, action, **fields):
    terminal.fault(kind, "order_send", where={"action": action}, **fields)


def resize(rig, order, units, **terms):
    rig.strategy.modify_order(order, Quantity.from_int(units), **terms)


def entry_of(rig, order):
    return rig.client._journal.of_order(order.client_order_id)


def reasons(rig):
    return [event.reason for event in rig.events if isinstance(event, OrderModifyRejected)]


def placed(terminal):
    """How many orders were placed, with whatever end."""
    books = terminal.books()
    return len({order["ticket"] for order in (*books["orders"], *books["history"])})


async def let_time_pass(rig, condition, seconds=1.0):
    def step():
        rig.terminal.advance(seconds)
        return condition()

    await rig.until(step, 30)


async def agrees(rig, compared, hedging=False):
    def same():
        cache, books = compared(rig, hedging)
        return cache == books and rig.is_settled()

    await rig.until(same)
