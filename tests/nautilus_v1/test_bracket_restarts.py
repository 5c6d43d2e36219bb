"""Brackets of an earlier run, and what became of them while no node ran."""

import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import GenerateOrderStatusReport, GenerateOrderStatusReports
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.objects import Price

from tests.nautilus_v1.bracket_steps import (
    EURUSD,
    SLTP,
    STOP_ACCEPTED,
    asked,
    close_by_hand,
    come_to,
    levels,
    opened,
    placed,
    position,
    push,
    submit,
    waiting,
)
from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction, TradeRetcode

SOON = {"unproven_change_secs": 0.2, "inflight_keepalive_secs": 0.1}


@pytest.fixture
def restart(run_bracket):
    """Run `first`, then what happens while no node runs, then `second` with the first's orders."""

    def run(first, meanwhile, second):
        kept = []

        async def before(rig):
            kept.extend(await first(rig))

        async def after(rig):
            orders = [rig.cache.order(order.client_order_id) for order in kept]
            await second(rig, *orders)
            assert len(rig.cache.orders()) == len(kept)
            assert len(rig.cache.positions()) <= 1
            trades = [order.trade_ids for order in rig.cache.orders()]
            assert len({trade for ids in trades for trade in ids}) == sum(map(len, trades))

        run_bracket(before)
        meanwhile(kept)
        run_bracket.again(after, remembered=kept)

    return run


def test_active_bracket_is_taken_up_after_a_restart(terminal, restart):
    async def second(rig, entry, sl, tp):
        assert [order.status for order in (entry, sl, tp)] == [
            OrderStatus.FILLED,
            OrderStatus.ACCEPTED,
            OrderStatus.ACCEPTED,
        ]
        assert rig.sends() == 1
        target = Price(float(tp.price) + 0.0010, 5)
        rig.strategy.modify_order(tp, price=target)
        await rig.until(lambda: tp.price == target)
        assert asked(sl, tp) == levels(position(terminal))
        push(terminal, float(sl.trigger_price) - 0.0001)
        await rig.done(sl)
        await rig.done(tp)
        assert (sl.status, tp.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
        await rig.until(lambda: not rig.cache.positions_open())

    restart(opened, lambda orders: None, second)


def test_stop_that_was_hit_while_no_node_ran_is_filled_at_the_start(terminal, restart):
    def meanwhile(orders):
        push(terminal, float(orders[1].trigger_price) - 0.0001)

    async def second(rig, _entry, sl, tp):
        assert (sl.status, tp.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
        assert sl.trade_ids[0].value == str(terminal.books()["deals"][-1]["ticket"])
        assert not rig.cache.positions_open()

    restart(opened, meanwhile, second)


def test_position_closed_while_no_node_ran_cancels_its_stops_at_the_start(terminal, run_node):
    kept = []

    async def first(rig):
        kept.extend(await opened(rig))

    async def second(rig):
        _entry, sl, tp = (rig.cache.order(order.client_order_id) for order in kept)
        assert (sl.status, tp.status) == (OrderStatus.CANCELED, OrderStatus.CANCELED)
        assert not rig.cache.positions_open()

    run_node(terminal, first)
    close_by_hand(terminal, 0.1)
    run_node(terminal, second, remembered=kept)


def test_entry_that_filled_while_no_node_ran_has_its_stops_at_the_start(terminal, restart):
    def meanwhile(orders):
        come_to(terminal, orders[0].price)

    async def second(rig, entry, sl, tp):
        assert entry.status == OrderStatus.FILLED
        assert (sl.status, tp.status) == (OrderStatus.ACCEPTED, OrderStatus.ACCEPTED)
        push(terminal, float(tp.price) + 0.0001)
        await rig.done(tp)
        await rig.done(sl)
        assert (sl.status, tp.status) == (OrderStatus.CANCELED, OrderStatus.FILLED)

    restart(placed, meanwhile, second)


def test_bracket_that_came_and_went_while_no_node_ran(terminal, restart):
    def meanwhile(orders):
        come_to(terminal, orders[0].price)
        push(terminal, float(orders[1].trigger_price) - 0.0001)

    async def second(rig, entry, sl, tp):
        assert (entry.status, sl.status, tp.status) == (
            OrderStatus.FILLED,
            OrderStatus.FILLED,
            OrderStatus.CANCELED,
        )
        assert not rig.cache.positions_open()

    restart(placed, meanwhile, second)


def test_entry_that_was_cancelled_while_no_node_ran_takes_its_stops_along(terminal, restart):
    def meanwhile(orders):
        terminal.trade_by_hand(
            action=int(TradeAction.REMOVE), order=int(orders[0].venue_order_id.value)
        )

    async def second(rig, *orders):
        await rig.until(lambda: all(order.status == OrderStatus.CANCELED for order in orders), 4)

    restart(placed, meanwhile, second)


def test_levels_that_were_changed_while_no_node_ran_are_those_of_the_stops(terminal, restart):
    moved = []

    def meanwhile(orders):
        moved.append(round(float(orders[1].trigger_price) - 0.0005, 5))
        terminal.trade_by_hand(**SLTP, position=position(terminal)["ticket"], sl=moved[0])

    async def second(rig, _entry, sl, tp):
        await rig.until(lambda: float(sl.trigger_price) == moved[0], 4)
        assert (sl.status, tp.status) == (OrderStatus.ACCEPTED, OrderStatus.CANCELED)

    restart(opened, meanwhile, second)


def test_bracket_that_was_over_is_not_told_again(terminal, restart):
    async def first(rig):
        entry, sl, tp = await opened(rig)
        push(terminal, float(sl.trigger_price) - 0.0001)
        await rig.done(sl)
        await rig.done(tp)
        await rig.until(lambda: not rig.cache.positions_open())
        return entry, sl, tp

    async def second(rig, *orders):
        assert rig.fills() == []
        assert not rig.cache.positions_open()
        assert [len(order.trade_ids) for order in orders] == [1, 1, 0]

    restart(first, lambda orders: None, second)


def test_reports_of_a_running_node_have_the_stops_and_disturb_nothing(terminal, run_bracket):
    async def drive(rig):
        entry, sl, tp = await opened(rig)
        looks = terminal.stats()["calls"]["history_orders_get"]
        reports = await rig.client.generate_order_status_reports(
            GenerateOrderStatusReports(
                instrument_id=EURUSD,
                start=None,
                end=None,
                open_only=True,
                command_id=UUID4(),
                ts_init=0,
            )
        )
        assert {one.client_order_id: one.venue_order_id for one in reports} == {
            order.client_order_id: order.venue_order_id for order in (sl, tp)
        }
        one = await rig.client.generate_order_status_report(
            GenerateOrderStatusReport(
                instrument_id=EURUSD,
                client_order_id=sl.client_order_id,
                venue_order_id=sl.venue_order_id,
                command_id=UUID4(),
                ts_init=0,
            )
        )
        assert (one.order_status, one.trigger_price) == (OrderStatus.ACCEPTED, sl.trigger_price)
        # The engine's own check of open orders, several times.
        await rig.until(lambda: terminal.stats()["calls"]["history_orders_get"] > looks + 8)
        assert rig.names(sl) == rig.names(tp) == STOP_ACCEPTED
        assert entry.status == OrderStatus.FILLED

    run_bracket(
        drive,
        engine_fields={"open_check_interval_secs": 0.1, "open_check_threshold_ms": 50},
    )


@pytest.mark.parametrize(
    ("at", "comes"),
    [(None, ()), (0.0100, ()), (0.0100, ("entry", "TP"))],
    ids=["filled", "waits", "filled-and-closed"],
)
def test_node_that_stops_between_request_and_answer_finds_its_bracket(terminal, restart, at, comes):
    """Neither entry nor stops have an id at the venue when the node is gone."""

    async def first(rig):
        terminal.hang(600.0, "order_send")
        orders = await submit(rig, entry=at)
        await rig.until(lambda: rig.sends() == 1)
        return orders

    def meanwhile(orders):
        entry, _sl, tp = orders
        assert [order.venue_order_id for order in orders] == [None] * 3
        terminal.clear_faults()
        if "entry" in comes:
            come_to(terminal, entry.price)
        if "TP" in comes:
            push(terminal, float(tp.price) + 0.0001)

    async def second(rig, entry, sl, tp):
        is_filled = at is None or "entry" in comes
        assert entry.status == (OrderStatus.FILLED if is_filled else OrderStatus.ACCEPTED)
        hit = [OrderStatus.FILLED, OrderStatus.CANCELED]
        expected = (
            hit if "SL" in comes else hit[::-1] if "TP" in comes else [OrderStatus.ACCEPTED] * 2
        )
        await rig.until(lambda: [sl.status, tp.status] == expected, 4)
        assert rig.sends() == 1
        if expected == [OrderStatus.ACCEPTED] * 2:
            record = position if is_filled else waiting
            assert levels(record(terminal)) == asked(sl, tp)
            assert (sl.quantity, tp.quantity) == (10_000, 10_000)

    restart(first, meanwhile, second)


@pytest.mark.parametrize("arrives", ["meanwhile", "later", "never"])
@pytest.mark.parametrize("make", [opened, placed])
def test_what_an_earlier_run_asked_of_stops_is_settled(terminal, run_bracket, make, arrives):
    """A stop loss was to be moved, a take profit cancelled, and nobody heard the answers."""
    record = position if make is opened else waiting
    kept = []

    async def first(rig):
        kept.extend(await make(rig))
        _entry, sl, tp = kept
        fault = {"where": {"action": [SLTP["action"], int(TradeAction.MODIFY)]}}
        terminal.fault("answer", "order_send", code=int(TradeRetcode.TIMEOUT), **fault)
        rig.strategy.modify_order(sl, trigger_price=above(sl.trigger_price))
        rig.strategy.cancel_order(tp)
        await rig.until(lambda: rig.sends() == 2)

    def arrive():
        found = record(terminal)
        of = {"position": found["ticket"], **SLTP}
        if make is placed:
            of = {"order": found["ticket"], "price": found["price_open"]}
            of["action"] = int(TradeAction.MODIFY)
        terminal.trade_by_hand(**of, sl=float(above(kept[1].trigger_price)), tp=0.0)

    async def second(rig):
        _entry, sl, tp = [rig.cache.order(order.client_order_id) for order in kept]
        trigger, target = kept[1].trigger_price, float(kept[2].price)
        if arrives != "meanwhile":
            assert sl.is_inflight and tp.is_inflight
        if arrives == "later":
            arrive()
        await rig.until(lambda: not sl.is_inflight and not tp.is_inflight)
        is_done = arrives != "never"
        assert ("ModifyRejected" in rig.names(sl)) == (not is_done)
        assert ("CancelRejected" in rig.names(tp)) == (not is_done)
        assert sl.status == OrderStatus.ACCEPTED
        assert sl.trigger_price == (above(trigger) if is_done else trigger)
        assert tp.status == (OrderStatus.CANCELED if is_done else OrderStatus.ACCEPTED)
        assert levels(record(terminal)) == (float(sl.trigger_price), 0.0 if is_done else target)
        assert rig.client.metrics.unknown_now == 0
        # They can be changed again.
        new = above(sl.trigger_price)
        rig.strategy.modify_order(sl, trigger_price=new)
        await rig.until(lambda: sl.trigger_price == new)
        rig.strategy.cancel_order(sl)
        await rig.done(sl)
        assert levels(record(terminal)) == (0.0, 0.0 if is_done else target)

    run_bracket(first)
    terminal.clear_faults()
    assert all(stop.is_inflight for stop in kept[1:])
    if arrives == "meanwhile":
        arrive()
    run_bracket.again(second, remembered=kept, exec_fields=SOON)


def above(price):
    return Price(float(price) + 0.0010, 5)
