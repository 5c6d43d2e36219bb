"""Another quantity for an order that waits: cancelled and placed anew, where the config says so."""

import numpy as np
import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import (
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
)
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderModifyRejected
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from tradingview_scraper.adapters.mt5.nautilus_v1.config import MT5GuardsConfig
from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction, TradeRetcode
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")
REPLACES = {"exec_fields": {"replace_to_change_quantity": True}}
REMOVE, PENDING = int(TradeAction.REMOVE), int(TradeAction.PENDING)


async def working(rig, units=2_000, params=None, **terms):
    quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
    instrument = rig.cache.instrument(EURUSD)
    order = rig.strategy.order_factory.limit(
        EURUSD,
        OrderSide.BUY,
        instrument.make_qty(units),
        instrument.make_price(float(quote.bid_price) - 0.005),
        **terms,
    )
    rig.strategy.submit_order(order, params=params)
    await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
    return order


def waiting(rig):
    (record,) = rig.terminal.books()["orders"]
    return record


def push(terminal, bid, ask):
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = bid, ask
    terminal.push_ticks("EURUSD", rows)


def reach(terminal, order):
    """The market comes to the price of a buy limit."""
    at = float(order.price)
    push(terminal, at - 0.0002, at - 0.0001)


def fault(terminal, kind, action, **fields):
    """Trouble for requests of one action."""
    terminal.fault(kind, "order_send", where={"action": action}, **fields)


def resize(rig, order, units, **terms):
    rig.strategy.modify_order(order, Quantity.from_int(units), **terms)


def reason(rig):
    (event,) = [event for event in rig.events if isinstance(event, OrderModifyRejected)]
    return event.reason


async def replaced(rig, order, units):
    before = order.venue_order_id
    resize(rig, order, units)
    await rig.until(lambda: order.venue_order_id != before)
    assert order.quantity == units


def test_quantity_is_not_changed_unless_the_config_says_so(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        resize(rig, order, 5_000)
        await rig.until(lambda: "ModifyRejected" in rig.names(order))
        assert "replace_to_change_quantity" in reason(rig)
        assert order.status == OrderStatus.ACCEPTED
        assert rig.sends() == 1

    run_node(terminal, drive)


@pytest.mark.parametrize("units", [1_000, 5_000])
def test_order_is_placed_anew_with_its_terms_under_another_ticket(terminal, run_node, units):
    async def drive(rig):
        order = await working(rig, params={"sl": 1.0, "tp": 1.2})
        before = waiting(rig)
        price = Price(float(order.price) - 0.001, 5)
        resize(rig, order, units, price=price)
        await rig.until(lambda: order.quantity == units)
        after = waiting(rig)
        assert after["ticket"] != before["ticket"]
        assert order.venue_order_id.value == str(after["ticket"])
        assert (order.price, order.status) == (price, OrderStatus.ACCEPTED)
        assert rig.cache.client_order_id(order.venue_order_id) == order.client_order_id
        assert after["volume_initial"] == units / 100_000
        assert after["price_open"] == pytest.approx(float(price))
        kept = ("magic", "sl", "tp", "type_time", "type_filling", "comment", "type")
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
        assert rig.names(order)[1:] == ["Submitted", "Accepted", "PendingUpdate", "Updated"]
        assert rig.sends() == 3
        reach(terminal, order)
        await rig.done(order)
        assert (order.status, order.filled_qty) == (OrderStatus.FILLED, units)
        assert len(rig.cache.orders()) == 1
        assert len(rig.cache.positions_open()) == 1

    run_node(terminal, drive, **REPLACES)


def test_changes_build_on_each_other_and_the_order_can_be_cancelled_after(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        price = Price(float(order.price) - 0.001, 5)
        resize(rig, order, 5_000)
        rig.strategy.modify_order(order, price=price)
        resize(rig, order, 3_000)
        await rig.until(lambda: rig.names(order).count("Updated") == 3)
        assert (order.quantity, order.price) == (3_000, price)
        assert waiting(rig)["volume_initial"] == 0.03
        assert len(order.venue_order_ids) == 2
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert order.status == OrderStatus.CANCELED
        assert terminal.books()["orders"] == []
        assert rig.sends() == 7

    run_node(terminal, drive, **REPLACES)


def test_cancel_that_is_refused_changes_nothing(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        terminal.answer("order_send", int(TradeRetcode.FROZEN))
        resize(rig, order, 5_000)
        await rig.until(lambda: "ModifyRejected" in rig.names(order))
        assert "FROZEN" in reason(rig)
        assert (order.status, order.quantity) == (OrderStatus.ACCEPTED, 2_000)
        assert rig.sends() == 2
        await replaced(rig, order, 3_000)

    run_node(terminal, drive, **REPLACES)


def test_order_filled_before_its_cancel_is_filled_and_not_placed_again(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        reach(terminal, order)
        resize(rig, order, 5_000)
        await rig.done(order)
        assert (order.status, order.filled_qty) == (OrderStatus.FILLED, 2_000)
        assert terminal.books()["orders"] == []
        assert len([deal for deal in terminal.books()["deals"] if deal["symbol"]]) == 1

    run_node(terminal, drive, **REPLACES)


@pytest.mark.parametrize("executed", [True, False])
def test_cancel_of_unknown_outcome_never_places(terminal, run_node, executed):
    async def drive(rig):
        order = await working(rig)
        terminal.answer("order_send", int(TradeRetcode.TIMEOUT), executed=executed)
        resize(rig, order, 5_000)
        await rig.until(lambda: "ModifyRejected" in rig.names(order))
        assert "NOT_DONE" in reason(rig)
        if executed:
            await rig.done(order)
            assert order.status == OrderStatus.CANCELED
            assert terminal.books()["orders"] == []
        else:
            assert (order.status, order.quantity) == (OrderStatus.ACCEPTED, 2_000)
            assert waiting(rig)["volume_initial"] == 0.02
        assert rig.sends() == 2

    fields = {"unproven_change_secs": 0.3, "inflight_keepalive_secs": 0.1}
    run_node(terminal, drive, exec_fields=REPLACES["exec_fields"] | fields)


def test_placing_that_is_refused_cancels_the_order_and_says_why(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        fault(terminal, "answer", PENDING, code=int(TradeRetcode.NO_MONEY), count=1)
        resize(rig, order, 5_000)
        await rig.done(order)
        assert order.status == OrderStatus.CANCELED
        assert rig.names(order)[-3:] == ["PendingUpdate", "ModifyRejected", "Canceled"]
        assert "NO_MONEY" in reason(rig)
        assert terminal.books()["orders"] == []
        assert rig.sends() == 3

    run_node(terminal, drive, **REPLACES)


def test_placing_of_unknown_outcome_is_found_by_its_magic(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        fault(terminal, "answer", PENDING, code=int(TradeRetcode.TIMEOUT), count=1, executed=True)
        await replaced(rig, order, 5_000)
        assert order.venue_order_id.value == str(waiting(rig)["ticket"])
        assert order.status == OrderStatus.ACCEPTED
        assert len(rig.cache.orders()) == 1
        assert rig.sends() == 3

    run_node(terminal, drive, **REPLACES)


def test_placing_that_nobody_proves_stays_pending_beyond_the_engines_patience(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        fault(terminal, "answer", PENDING, code=int(TradeRetcode.TIMEOUT), count=1)
        resize(rig, order, 5_000)
        await rig.until(lambda: rig.sends() == 3)
        asked = rig.client._clock.timestamp_ns()
        await rig.until(lambda: rig.client._clock.timestamp_ns() - asked > 2_000_000_000)
        assert order.status == OrderStatus.PENDING_UPDATE
        report = await rig.client.generate_order_status_report(
            GenerateOrderStatusReport(
                instrument_id=EURUSD,
                client_order_id=order.client_order_id,
                venue_order_id=order.venue_order_id,
                command_id=UUID4(),
                ts_init=0,
            )
        )
        assert report.order_status == OrderStatus.PENDING_UPDATE
        assert rig.sends() == 3

    run_node(
        terminal,
        drive,
        engine_fields={
            "inflight_check_interval_ms": 100,
            "inflight_check_threshold_ms": 300,
            "inflight_check_retries": 2,
        },
        exec_fields=REPLACES["exec_fields"] | {"inflight_keepalive_secs": 0.1},
    )


def test_cancel_while_the_order_is_replaced_leaves_none(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        fault(terminal, "slow", REMOVE, seconds=0.3)
        resize(rig, order, 5_000)
        await rig.until(lambda: rig.client._journal.of_order(order.client_order_id).is_replacing)
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert order.status == OrderStatus.CANCELED
        assert terminal.books()["orders"] == []
        assert rig.sends() == 2

    run_node(terminal, drive, **REPLACES)


def test_quantity_that_the_symbol_does_not_take_is_rejected_before_anything_is_cancelled(
    terminal, run_node
):
    async def drive(rig):
        order = await working(rig)
        resize(rig, order, 500)
        await rig.until(lambda: "ModifyRejected" in rig.names(order))
        assert "VALIDATION_FAILED" in reason(rig)
        assert order.status == OrderStatus.ACCEPTED
        assert rig.sends() == 1

    run_node(terminal, drive, risk_fields={"bypass": True}, **REPLACES)


def test_quantity_of_a_bracket_is_not_changed(terminal, run_node):
    async def drive(rig):
        quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        bid = float(quote.bid_price)
        make = rig.cache.instrument(EURUSD).make_price
        orders = rig.strategy.order_factory.bracket(
            EURUSD,
            OrderSide.BUY,
            Quantity.from_int(2_000),
            entry_order_type=2,
            entry_price=make(bid - 0.005),
            sl_trigger_price=make(bid - 0.01),
            tp_price=make(bid + 0.01),
        )
        rig.strategy.submit_order_list(orders)
        await rig.until(lambda: all(one.is_open for one in orders.orders) and waiting(rig))
        resize(rig, orders.first, 5_000)
        await rig.until(lambda: "ModifyRejected" in rig.names(orders.first))
        assert "bracket" in reason(rig)
        assert rig.sends() == 1

    run_node(terminal, drive, **REPLACES)


def test_new_quantity_keeps_to_the_limits(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        resize(rig, order, 11_000)
        await rig.until(lambda: "ModifyRejected" in rig.names(order))
        assert reason(rig) == "GUARD_ORDER_LOTS: lots in one order=0.11, limit=0.1"
        assert rig.sends() == 1
        await replaced(rig, order, 10_000)
        await replaced(rig, order, 3_000)

    guards = MT5GuardsConfig(max_order_lots=0.1)
    run_node(terminal, drive, exec_fields=REPLACES["exec_fields"] | {"guards": guards})


def test_reports_of_a_running_node_have_the_new_ticket_only(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        await replaced(rig, order, 5_000)
        reports = await rig.client.generate_order_status_reports(
            GenerateOrderStatusReports(
                instrument_id=None,
                start=None,
                end=None,
                open_only=False,
                command_id=UUID4(),
                ts_init=0,
            )
        )
        (report,) = reports
        assert report.venue_order_id == order.venue_order_id
        assert (report.client_order_id, report.quantity) == (order.client_order_id, 5_000)
        assert report.order_status == OrderStatus.ACCEPTED

    run_node(terminal, drive, **REPLACES)
