"""Nodes that stop, are killed and start again, with their cache in a Redis database."""

import subprocess
import sys
from pathlib import Path

import pytest
from nautilus_trader.config import DatabaseConfig
from nautilus_trader.model.enums import OrderStatus, OrderType
from nautilus_trader.model.identifiers import ClientOrderId

from tradingview_scraper.adapters.mt5.terminal.constants import OrderFilling, TradeAction
from tradingview_scraper.adapters.mt5.terminal.constants import OrderType as VenueOrderType

CLOCK = {"mode": "stepped", "start": "2025-03-10T12:00:00Z"}


@pytest.fixture
def database(redis_port):
    """An empty Redis of its own."""
    return DatabaseConfig(type="redis", host="127.0.0.1", port=redis_port)


@pytest.mark.parametrize("account", ["hedging", "netting"])
def test_restarted_node_goes_on_with_orders_positions_and_a_bracket(
    terminal, run_node, cells, compared, doubled_in, database, account
):
    terminal.reset({"extends": f"demo-{account}", "clock": CLOCK})
    hedging = account == "hedging"
    fields = cells.fields(account, terminal.books()["account"]["login"]) | {"database": database}
    known = {}

    async def first(rig):
        cell = cells.Cell(rig, None, "", "bracket", account)
        await cell.prepare()
        await cells.agreed(rig, hedging, compared)
        known.update({order.client_order_id: order.status for order in rig.cache.orders()})
        known["stop"] = float(cell.stops[0].trigger_price)

    def by_hand():
        """A person takes the waiting order back, and opens a position on another symbol."""
        (order,) = terminal.books()["orders"]
        terminal.trade_by_hand(action=int(TradeAction.REMOVE), order=order["ticket"])
        terminal.trade_by_hand(
            action=int(TradeAction.DEAL),
            type_filling=int(OrderFilling.IOC),
            symbol="GBPUSD",
            type=int(VenueOrderType.BUY),
            volume=0.01,
        )

    async def second(rig):
        await cells.agreed(rig, hedging, compared)
        for client_order_id, status in known.items():
            if isinstance(client_order_id, ClientOrderId):
                order = rig.cache.order(client_order_id)
                assert order.strategy_id == rig.strategy.id
                assert order.status in (status, OrderStatus.CANCELED)
        stops = [one for one in rig.cache.orders_open() if "-" in one.venue_order_id.value]
        assert len(stops) == 2

    async def third(rig):
        await cells.agreed(rig, hedging, compared)
        assert not [one for one in rig.cache.orders_open() if "-" in one.venue_order_id.value]

    run_node(terminal, first, **fields)
    by_hand()
    run_node(terminal, second, **fields)
    cells.come_to(terminal, known["stop"])
    run_node(terminal, third, **fields)
    run_node(terminal, third, **fields)
    assert not doubled_in(terminal.books())


@pytest.mark.parametrize("activity", ["submitting", "bracket"])
@pytest.mark.parametrize("account", ["hedging", "netting"])
def test_killed_node_goes_on_from_its_database(
    terminal, run_node, cells, compared, doubled_in, database, activity, account
):
    terminal.reset({"extends": f"demo-{account}", "clock": CLOCK})
    fields = cells.fields(account, terminal.books()["account"]["login"]) | {"database": database}
    assert killed(terminal, activity, account, database) == "struck"
    if activity == "bracket":
        (at,) = {held["sl"] for held in terminal.books()["positions"] if held["sl"]}
        cells.come_to(terminal, at)

    async def drive(rig):
        await cells.agreed(rig, account == "hedging", compared)
        stops = [one for one in rig.cache.orders() if one.parent_order_id is not None]
        assert all(one.is_closed for one in stops)
        assert len(stops) == (2 if activity == "bracket" else 0)

    run_node(terminal, drive, **fields)
    assert not doubled_in(terminal.books())


@pytest.mark.parametrize("activity", ["removed", "placing"])
@pytest.mark.parametrize("account", ["hedging", "netting"])
def test_node_that_is_killed_while_an_order_is_placed_anew_goes_on(
    terminal, run_node, cells, compared, database, activity, account
):
    """It is cancelled, and another one not placed; or that one is on its way, and arrives."""
    is_placed = activity == "placing"
    # History shows late what has ended: until then nothing is placed.
    broker = {"deal_lag_ms": 0 if is_placed else 1_000}
    terminal.reset({"extends": f"demo-{account}", "clock": CLOCK, "broker": broker})
    login = terminal.books()["account"]["login"]
    fields = cells.fields(account, login, activity) | {"database": database}
    assert killed(terminal, activity, account, database) == "struck"
    terminal.clear_faults()
    terminal.advance(2.0)
    assert len(cells.waiting(terminal)) == is_placed

    async def drive(rig):
        await cells.agreed(rig, account == "hedging", compared)
        (order,) = [one for one in rig.cache.orders() if one.order_type == OrderType.LIMIT]
        if not is_placed:
            assert order.status == OrderStatus.CANCELED
            return
        assert (order.status, order.quantity) == (OrderStatus.ACCEPTED, 3_000)
        cells.come_to(terminal, float(order.price))
        await rig.done(order)
        await cells.agreed(rig, account == "hedging", compared)
        assert (order.status, order.filled_qty) == (OrderStatus.FILLED, 3_000)

    run_node(terminal, drive, **fields)
    books = terminal.books()
    sent = [
        one
        for one in (*books["orders"], *books["history"])
        if one["type"] == VenueOrderType.BUY_LIMIT
    ]
    assert len({one["ticket"] for one in sent}) == 1 + is_placed


def killed(terminal, activity, account, database):
    """Run a node in a process of its own, and kill it in the middle. What it said of that."""
    program = Path(__file__).with_name("node_to_kill.py")
    process = subprocess.Popen(
        [sys.executable, program, terminal.path, activity, account, str(database.port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        struck, *_ids = process.stdout.readline().split() or [""]
        process.kill()
    return struck
