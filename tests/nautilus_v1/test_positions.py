"""What orders do to positions: tickets on hedging accounts, the net on the others."""

from decimal import Decimal

import numpy as np
import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")
NETTING = {
    "extends": "demo-netting",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
}


def on_netting(terminal):
    terminal.reset(NETTING)
    login = terminal.books()["account"]["login"]
    return {"oms_type": "NETTING", "terminal_fields": {"login": login}}


def market(rig, side, units, **submitting):
    terms = {
        name: submitting.pop(name)
        for name in ("reduce_only", "time_in_force")
        if name in submitting
    }
    instrument = rig.cache.instrument(EURUSD)
    order = rig.strategy.order_factory.market(
        EURUSD, side, instrument.make_qty(Decimal(units)), **terms
    )
    rig.strategy.submit_order(order, **submitting)
    return order


def test_reduce_only_order_takes_the_oldest_ticket_that_it_fits_into(terminal, run_node):
    async def drive(rig):
        small = await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        terminal.advance(1)
        large = await rig.opened(rig.strategy.buy("EURUSD", "3000"))
        terminal.advance(1)
        later = await rig.opened(rig.strategy.buy("EURUSD", "3000"))
        order = await rig.done(market(rig, OrderSide.SELL, 2_000, reduce_only=True))
        assert order.status == OrderStatus.FILLED
        assert [p.signed_decimal_qty() for p in (small, large, later)] == [1_000, 1_000, 3_000]
        too_large = await rig.done(market(rig, OrderSide.SELL, 4_000, reduce_only=True))
        assert too_large.status == OrderStatus.DENIED
        assert small.id.value in too_large.last_event.reason
        fitting = await rig.done(market(rig, OrderSide.SELL, 1_000, reduce_only=True))
        assert fitting.status == OrderStatus.FILLED
        assert small.is_closed

    run_node(terminal, drive)


@pytest.mark.parametrize("reduce_only", [False, True])
def test_reduce_only_order_beside_one_that_closes_the_netted_position_is_denied(
    terminal, run_node, reduce_only
):
    """The server would let it open another one: it has no such flag."""
    fields = on_netting(terminal)

    async def drive(rig):
        await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        closing = market(rig, OrderSide.SELL, 1_000, reduce_only=reduce_only)
        second = market(rig, OrderSide.SELL, 1_000, reduce_only=True)
        await rig.done(closing)
        await rig.done(second)
        assert (closing.status, second.status) == (OrderStatus.FILLED, OrderStatus.DENIED)
        assert "being reduced=1000" in second.last_event.reason
        assert terminal.books()["positions"] == []

    run_node(terminal, drive, **fields)


def test_reduce_only_order_without_a_position_is_denied(terminal, run_node):
    async def drive(rig):
        order = await rig.done(market(rig, OrderSide.SELL, 1_000, reduce_only=True))
        assert rig.names(order) == ["Initialized", "Denied"]
        assert rig.sends() == 0

    run_node(terminal, drive)


def test_two_tickets_close_each_other(terminal, run_node):
    async def drive(rig):
        bought = await rig.opened(rig.strategy.buy("EURUSD", "3000"))
        sold = await rig.opened(rig.strategy.sell("EURUSD", "1000"))
        order = market(
            rig,
            OrderSide.SELL,
            1_000,
            position_id=bought.id,
            params={"close_by": sold.id.value},
        )
        await rig.done(order)
        await rig.until(lambda: sold.is_closed)
        assert order.status == OrderStatus.FILLED
        assert rig.names(order)[1:] == ["Submitted", "Accepted", "Filled"]
        assert bought.signed_decimal_qty() == 2_000
        (held,) = terminal.books()["positions"]
        assert (held["volume"], str(held["identifier"])) == (0.02, bought.id.value)
        assert rig.sends() == 3
        assert len(rig.fills()) == 4

    run_node(terminal, drive)


def test_close_by_with_another_volume_is_denied(terminal, run_node):
    async def drive(rig):
        bought = await rig.opened(rig.strategy.buy("EURUSD", "3000"))
        sold = await rig.opened(rig.strategy.sell("EURUSD", "1000"))
        order = market(
            rig,
            OrderSide.SELL,
            3_000,
            position_id=bought.id,
            params={"close_by": sold.id.value},
        )
        await rig.done(order)
        assert order.status == OrderStatus.DENIED
        assert "quantity must be 1000" in order.last_event.reason

    run_node(terminal, drive)


def test_stops_of_an_order_are_at_the_server(terminal, run_node):
    """They are alive when the node is not, and their hit closes the ticket."""

    async def drive(rig):
        quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        sl = round(float(quote.bid_price) - 0.002, 5)
        order = market(rig, OrderSide.BUY, 1_000, params={"sl": sl, "tp": 2.0})
        position = await rig.opened(order)
        (held,) = terminal.books()["positions"]
        assert (held["sl"], held["tp"]) == (sl, 2.0)
        rows = np.zeros(1, TICK_DTYPE)
        rows["bid"], rows["ask"] = sl - 0.0001, sl
        terminal.push_ticks("EURUSD", rows)
        await rig.until(lambda: position.is_closed)
        assert terminal.books()["deals"][-1]["reason"] == 4
        assert rig.fills()[-1].liquidity_side.name == "TAKER"
        assert rig.sends() == 1

    run_node(terminal, drive)


def test_netting_position_is_added_to_reduced_and_reversed(terminal, run_node):
    """One deal turns the position round; it is one fill, and two positions in their time."""

    async def drive(rig):
        position = await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        await rig.done(rig.strategy.buy("EURUSD", "2000"))
        assert position.signed_decimal_qty() == 3_000
        await rig.done(rig.strategy.sell("EURUSD", "1000"))
        assert position.signed_decimal_qty() == 2_000
        turned = await rig.done(rig.strategy.sell("EURUSD", "5000"))
        assert [deal["entry"] for deal in terminal.books()["deals"] if deal["symbol"]][-1] == 2
        assert rig.names(turned)[1:] == ["Submitted", "Accepted", "Filled"]
        (now,) = await rig.until(lambda: rig.cache.positions_open())
        assert now.signed_decimal_qty() == -3_000
        (held,) = terminal.books()["positions"]
        assert (held["type"], held["volume"]) == (1, 0.03)
        assert float(now.avg_px_open) == held["price_open"]
        assert rig.node.portfolio.net_position(EURUSD) == -3_000
        closing = await rig.done(market(rig, OrderSide.BUY, 3_000, reduce_only=True))
        assert closing.status == OrderStatus.FILLED
        assert rig.cache.positions_open() == []
        assert terminal.books()["positions"] == []

    run_node(terminal, drive, **on_netting(terminal))


@pytest.mark.parametrize("account", ["hedging", "netting"])
def test_reduce_only_orders_in_one_breath_do_not_take_the_same_units_twice(
    terminal, run_node, account
):
    """The cache has the first one as working only after the second was handed over."""
    terminal.reset({**NETTING, "extends": f"demo-{account}"})

    async def drive(rig):
        await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        orders = [market(rig, OrderSide.SELL, 1_000, reduce_only=True) for _ in range(3)]
        for order in orders:
            await rig.done(order)
        first, *others = (order.status for order in orders)
        assert first == OrderStatus.FILLED
        assert others == [OrderStatus.DENIED, OrderStatus.DENIED]
        await rig.until(lambda: not rig.cache.positions_open())
        assert (terminal.books()["positions"], rig.sends()) == ([], 2)

    login = terminal.books()["account"]["login"]
    run_node(terminal, drive, oms_type=account.upper(), terminal_fields={"login": login})
