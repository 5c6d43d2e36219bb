"""A node on a new machine, without a database, knows the stops of its brackets."""

import pytest
from nautilus_trader.model.enums import ContingencyType, OrderSide, OrderStatus
from nautilus_trader.model.identifiers import ClientOrderId

from tests.nautilus_v1.bracket_steps import (
    accepted,
    asked,
    close_by_hand,
    come_to,
    levels,
    opened,
    position,
    push,
    submit,
)
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    TradeAction,
)

#: Ids carry the node's time: the server's clock must run with it. Prices move by themselves, not
#: as far as the stops.
PRICES = {"prices": {"synthetic": True, "always_open": True}}
FAR = {"away": 0.0300}

ACTIVE = (OrderStatus.FILLED, OrderStatus.ACCEPTED, OrderStatus.ACCEPTED)
HIT = (OrderStatus.FILLED, OrderStatus.FILLED, OrderStatus.CANCELED)
GONE = (OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.CANCELED)


@pytest.fixture(params=["hedging", "netting"])
def restart(request, terminal, run_node, compared):
    """Run `first`, then what happens while no node runs, then `second` with the same orders as a
    node without a cache finds them."""
    hedging = request.param == "hedging"

    def run(first, meanwhile, second):
        terminal.reset({"extends": f"demo-{request.param}", **PRICES})
        login = terminal.books()["account"]["login"]
        told = []

        async def before(rig):
            told.extend(await first(rig))

        async def after(rig):
            orders = [rig.cache.order(order.client_order_id) for order in told]
            for order, original in zip(orders, told, strict=True):
                assert order is not None, original
                assert order.strategy_id == rig.strategy.id
                for name in ("side", "order_type", "contingency_type", "is_reduce_only"):
                    assert getattr(order, name) == getattr(original, name), name
                for name in ("parent_order_id", "linked_order_ids"):
                    assert getattr(order, name) == getattr(original, name), name
                assert order.venue_order_id == original.venue_order_id
            await second(rig, *orders)
            cache, books = compared(rig, hedging)
            assert cache == books

        shared = {"oms_type": request.param.upper(), "terminal_fields": {"login": login}}
        run_node(terminal, before, **shared)
        meanwhile(told)
        run_node(terminal, after, **shared)

    return run


def statuses(*orders):
    return tuple(order.status for order in orders)


async def first_open(rig):
    return await opened(rig, **FAR)


async def first_placed(rig):
    orders = await submit(rig, entry=0.0100, **FAR)
    await accepted(rig, *orders)
    return orders


@pytest.mark.parametrize("either", [ContingencyType.OUO, ContingencyType.OCO])
def test_active_bracket_is_known_and_goes_on(terminal, restart, either):
    async def first(rig):
        return await opened(rig, contingency_type=either, **FAR)

    async def second(rig, entry, sl, tp):
        assert statuses(entry, sl, tp) == ACTIVE
        assert asked(sl, tp) == levels(position(terminal))
        target = rig.cache.instrument(tp.instrument_id).make_price(float(tp.price) + 0.0010)
        rig.strategy.modify_order(tp, price=target)
        await rig.until(lambda: tp.price == target)
        assert asked(sl, tp) == levels(position(terminal))
        push(terminal, float(sl.trigger_price) - 0.0001)
        await rig.done(sl)
        await rig.done(tp)
        assert statuses(entry, sl, tp) == HIT
        await rig.until(lambda: not rig.cache.positions_open())
        assert rig.sends() == 2

    restart(first, lambda told: None, second)


def test_waiting_bracket_is_known_and_goes_on(terminal, restart):
    async def second(rig, entry, sl, tp):
        assert statuses(entry, sl, tp) == (OrderStatus.ACCEPTED,) * 3
        come_to(terminal, entry.price)
        await rig.done(entry)
        assert statuses(entry, sl, tp) == ACTIVE
        assert asked(sl, tp) == levels(position(terminal))

    restart(first_placed, lambda told: None, second)


def test_stop_that_was_hit_while_no_node_ran_is_filled_at_the_start(terminal, restart):
    def meanwhile(told):
        push(terminal, float(told[1].trigger_price) - 0.0001)

    async def second(rig, entry, sl, tp):
        assert statuses(entry, sl, tp) == HIT
        assert sl.trade_ids[0].value == str(terminal.books()["deals"][-1]["ticket"])
        assert not rig.cache.positions_open()

    restart(first_open, meanwhile, second)


def test_bracket_that_filled_and_was_closed_in_part_by_hand(terminal, restart):
    def meanwhile(told):
        come_to(terminal, told[0].price)
        close_by_hand(terminal, 0.04)

    async def second(rig, entry, sl, tp):
        assert statuses(entry, sl, tp) == ACTIVE
        assert sl.leaves_qty == tp.leaves_qty == 6_000

    restart(first_placed, meanwhile, second)


def test_closed_bracket_has_nothing_to_do_with_the_next_position(terminal, restart):
    def meanwhile(told):
        close_by_hand(terminal, 0.10)
        terminal.trade_by_hand(
            action=int(TradeAction.DEAL),
            type_filling=int(OrderFilling.IOC),
            symbol="EURUSD",
            type=int(OrderType.BUY),
            volume=0.02,
        )

    async def second(rig, entry, sl, tp):
        assert statuses(entry, sl, tp) == GONE

    restart(first_open, meanwhile, second)


def test_entry_that_was_cancelled_takes_its_stops_along(terminal, restart):
    def meanwhile(told):
        terminal.trade_by_hand(
            action=int(TradeAction.REMOVE), order=int(told[0].venue_order_id.value)
        )

    async def second(rig, entry, sl, tp):
        assert statuses(entry, sl, tp) == (OrderStatus.CANCELED,) * 3

    restart(first_placed, meanwhile, second)


@pytest.mark.parametrize("leg", ["SL", "TP"])
def test_bracket_with_one_stop_is_known_as_one(terminal, restart, leg):
    async def first(rig):
        orders = await submit(rig, side=OrderSide.SELL, legs=leg, **FAR)
        await rig.opened(orders[0])
        await accepted(rig, orders[1])
        return orders

    def meanwhile(told):
        """A person adds the other one."""
        held = position(terminal)
        near = {"SL": "tp", "TP": "sl"}[leg]
        level = held["price_open"] + (0.02 if near == "sl" else -0.02)
        terminal.trade_by_hand(
            action=int(TradeAction.SLTP),
            symbol="EURUSD",
            position=held["ticket"],
            **{"sl": held["sl"], "tp": held["tp"], near: round(level, 5)},
        )

    async def second(rig, entry, stop):
        assert statuses(entry, stop) == ACTIVE[:2]
        assert len(rig.cache.orders()) == 2

    restart(first, meanwhile, second)


def test_stops_with_ids_of_other_making_are_left_out(terminal, run_node):
    terminal.reset({"extends": "demo-hedging", **PRICES})
    told = []

    async def first(rig):
        named = ClientOrderId("named-by-hand")
        told.extend(await opened(rig, sl_client_order_id=named, **FAR))

    async def second(rig):
        (entry,) = rig.cache.orders()
        assert entry.client_order_id == told[0].client_order_id
        assert entry.contingency_type == ContingencyType.NO_CONTINGENCY

    run_node(terminal, first)
    run_node(terminal, second)
