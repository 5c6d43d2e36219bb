"""A node on a new machine, without a database, knows its own orders."""

import numpy as np
import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, StrategyId
from nautilus_trader.model.objects import Quantity

from tradingview_scraper.adapters.mt5.rules.identity import namespace_of
from tradingview_scraper.adapters.mt5.terminal.constants import OrderFilling, OrderType, TradeAction
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")
#: Ids carry the node's time: the server's clock must run with it.
BOOKS = {
    "HEDGING": {"extends": "demo-hedging", "prices": {"synthetic": True, "always_open": True}},
    "NETTING": {"extends": "demo-netting", "prices": {"synthetic": True, "always_open": True}},
}


def limit(rig, away, units=1_000, **terms):
    instrument = rig.cache.instrument(EURUSD)
    quote = rig.cache.quote_tick(EURUSD)
    order = rig.strategy.order_factory.limit(
        EURUSD,
        OrderSide.BUY,
        instrument.make_qty(units),
        instrument.make_price(float(quote.bid_price) + away),
        **terms,
    )
    rig.strategy.submit_order(order)
    return order


@pytest.mark.parametrize("kind", ["HEDGING", "NETTING"])
def test_restarted_node_without_a_cache_knows_its_orders_and_positions(terminal, run_node, kind):
    terminal.reset(BOOKS[kind])
    login = terminal.books()["account"]["login"]
    told = {}

    async def first(rig):
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        bought = rig.strategy.buy("EURUSD", "3000")
        await rig.opened(bought)
        part = await rig.done(rig.strategy.sell("EURUSD", "1000", position=None))
        waiting = limit(rig, -0.01)
        gone = limit(rig, -0.02)
        named = limit(rig, -0.03, client_order_id=ClientOrderId("named-by-hand"))
        await rig.until(
            lambda: {one.status for one in (waiting, gone, named)} == {OrderStatus.ACCEPTED}
        )
        rig.strategy.cancel_order(gone)
        await rig.done(gone)
        assert gone.status == OrderStatus.CANCELED
        for order in (bought, part, waiting, gone, named):
            told[order.client_order_id] = order.status, order.filled_qty, order.venue_order_id

    async def second(rig):
        named = ClientOrderId("named-by-hand")
        for client_order_id, (status, filled, ticket) in told.items():
            if client_order_id == named:
                assert rig.cache.order(named) is None
                (known,) = [one for one in rig.cache.orders() if one.venue_order_id == ticket]
                assert known.strategy_id == StrategyId("EXTERNAL")
                continue
            order = rig.cache.order(client_order_id)
            assert order is not None, client_order_id
            assert order.strategy_id == rig.strategy.id
            assert (order.status, order.filled_qty, order.venue_order_id) == (
                status,
                filled,
                ticket,
            )
        mine = rig.cache.positions_open(strategy_id=rig.strategy.id)
        held = terminal.books()["positions"]
        assert sum(position.signed_decimal_qty() for position in mine) == 2_000
        assert rig.cache.positions_open() == mine and len(mine) == len(held)
        fills = [trade_id.value for order in rig.cache.orders() for trade_id in order.trade_ids]
        deals = [str(deal["ticket"]) for deal in terminal.books()["deals"] if deal["symbol"]]
        assert sorted(fills) == sorted(deals)

        (waiting,) = rig.cache.orders_open(strategy_id=rig.strategy.id)
        rig.strategy.cancel_order(waiting)
        await rig.done(waiting)
        assert waiting.status == OrderStatus.CANCELED
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        new = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert new.status == OrderStatus.FILLED
        assert new.client_order_id not in told

    shared = {"oms_type": kind, "terminal_fields": {"login": login}}
    run_node(terminal, first, **shared)
    run_node(terminal, second, **shared)


@pytest.mark.parametrize(("kind", "filled"), [("HEDGING", 0), ("NETTING", 0), ("NETTING", 1_000)])
def test_restarted_node_without_a_cache_knows_an_order_that_was_placed_anew(
    terminal, run_node, compared, kind, filled
):
    terminal.reset(BOOKS[kind] | {"broker": {"liquidity_lots": 0.01}})
    told = []

    async def first(rig):
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        order = limit(rig, -0.01, units=5_000)
        await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
        if filled:
            for away in (-0.0002, 0.01):
                rows = np.zeros(1, TICK_DTYPE)
                rows["bid"] = float(order.price) + away
                rows["ask"] = rows["bid"] + 0.0001
                terminal.push_ticks("EURUSD", rows)
            await rig.until(lambda: order.filled_qty == filled)
        before = order.venue_order_id
        rig.strategy.modify_order(order, order.quantity - Quantity.from_int(2_000))
        await rig.until(lambda: order.venue_order_id != before)
        told.append(order)

    async def second(rig):
        (order,) = rig.cache.orders()
        assert order.client_order_id == told[0].client_order_id
        assert order.strategy_id == rig.strategy.id
        assert order.venue_order_id == told[0].venue_order_id
        assert (order.quantity, order.filled_qty) == (3_000, filled)
        cache, books = compared(rig, kind == "HEDGING")
        assert cache == books
        before = order.venue_order_id
        rig.strategy.modify_order(order, Quantity.from_int(4_000))
        await rig.until(lambda: order.venue_order_id != before)
        (record,) = terminal.books()["orders"]
        assert round(record["volume_initial"] * 100_000) == 4_000 - filled
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert (order.status, order.filled_qty) == (OrderStatus.CANCELED, filled)

    shared = {
        "oms_type": kind,
        "terminal_fields": {"login": terminal.books()["account"]["login"]},
        "exec_fields": {"replace_to_change_quantity": True},
    }
    run_node(terminal, first, **shared)
    run_node(terminal, second, **shared)


@pytest.mark.parametrize("kind", ["HEDGING", "NETTING"])
def test_an_order_that_was_cancelled_unfilled_is_known_though_nothing_else_is_there(
    terminal, run_node, kind
):
    terminal.reset(BOOKS[kind])
    told = []

    async def first(rig):
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        order = limit(rig, -0.01)
        await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
        rig.strategy.cancel_order(order)
        told.append(await rig.done(order))

    async def second(rig):
        (order,) = rig.cache.orders()
        assert order.client_order_id == told[0].client_order_id
        assert order.strategy_id == rig.strategy.id
        assert (order.status, order.filled_qty) == (OrderStatus.CANCELED, 0)
        assert order.venue_order_id == told[0].venue_order_id

    shared = {
        "oms_type": kind,
        "terminal_fields": {"login": terminal.books()["account"]["login"]},
    }
    run_node(terminal, first, **shared)
    run_node(terminal, second, **shared)


def renamed(*former):
    """Settings of a node that had another magic namespace before."""
    return {"exec_fields": {"magic_namespace": 2000, "own_namespaces": former}}


@pytest.mark.parametrize("former", [(), (1000,), (3000, 1000)])
def test_node_of_another_name_knows_the_orders_of_the_namespaces_that_are_its_own(
    terminal, run_node, former
):
    terminal.reset(BOOKS["HEDGING"])
    told = []

    async def first(rig):
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        order = limit(rig, -0.01)
        await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
        told.append(order)

    async def second(rig):
        owners = {order.strategy_id.value for order in rig.cache.orders()}
        assert owners == {rig.strategy.id.value if former else "EXTERNAL"}
        if not former:
            return
        order = rig.cache.order(told[0].client_order_id)
        assert (order.status, order.venue_order_id) == (
            OrderStatus.ACCEPTED,
            told[0].venue_order_id,
        )
        rig.strategy.cancel_order(order)
        await rig.done(order)
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        new = limit(rig, -0.01)
        await rig.until(lambda: new.status == OrderStatus.ACCEPTED)
        (record,) = terminal.books()["orders"]
        assert namespace_of(record["magic"]) == 2000

    run_node(terminal, first)
    run_node(terminal, second, **renamed(*former))


def test_order_in_flight_of_a_former_namespace_is_found(terminal, run_node):
    terminal.reset(BOOKS["HEDGING"])
    told = []

    async def first(rig):
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        terminal.slow(0.5, "order_send")
        order = limit(rig, -0.01)
        await rig.until(lambda: rig.sends() == 1)
        told.append(order)

    async def second(rig):
        (order,) = rig.cache.orders()
        await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
        assert order.client_order_id == told[0].client_order_id
        assert rig.sends() == 1

    run_node(terminal, first)
    assert told[0].status == OrderStatus.SUBMITTED
    terminal.slow(0.0)
    run_node(terminal, second, remembered=told, **renamed(1000))


def test_orders_of_a_strategy_that_does_not_run_stay_external(terminal, run_node):
    terminal.reset(BOOKS["HEDGING"])

    async def first(rig):
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        terminal.trade_by_hand(
            action=int(TradeAction.DEAL),
            type_filling=int(OrderFilling.IOC),
            symbol="EURUSD",
            type=int(OrderType.BUY),
            volume=0.01,
        )

    async def second(rig):
        owners = {order.strategy_id.value for order in rig.cache.orders()}
        assert owners == {"EXTERNAL"}
        assert len(rig.cache.positions_open()) == 2

    run_node(terminal, first)
    run_node(terminal, second, strategy_fields={"strategy_id": "S-002", "order_id_tag": "002"})
