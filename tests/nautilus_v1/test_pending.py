"""Orders that wait at the server: placed, changed, cancelled, triggered, filled, expired."""

import time
from datetime import timedelta

import numpy as np
import pytest
from nautilus_trader.core.datetime import dt_to_unix_nanos
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import ModifyOrder
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price

from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction, TradeRetcode
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")


def push(terminal, symbol, bid, ask):
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = bid, ask
    terminal.push_ticks(symbol, rows)


@pytest.fixture
def place():
    """Submit an order with prices as distances from the market, and wait until it is accepted."""

    async def make(rig, kind, side, *, price=None, trigger=None, units=1_000, params=None, **terms):
        order = await submit(
            rig, kind, side, price=price, trigger=trigger, units=units, params=params, **terms
        )
        await rig.until(lambda: order.status == OrderStatus.ACCEPTED or order.is_closed)
        assert order.status == OrderStatus.ACCEPTED, order.last_event
        return order

    return make


async def submit(rig, kind, side, *, price=None, trigger=None, units=1_000, params=None, **terms):
    instrument = rig.cache.instrument(EURUSD)
    quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
    middle = (float(quote.bid_price) + float(quote.ask_price)) / 2
    if price is not None:
        terms["price"] = instrument.make_price(middle + price)
    if trigger is not None:
        terms["trigger_price"] = instrument.make_price(middle + trigger)
    order = getattr(rig.strategy.order_factory, kind)(
        EURUSD, side, instrument.make_qty(units), **terms
    )
    rig.strategy.submit_order(order, params=params)
    return order


def waiting(rig):
    return rig.terminal.books()["orders"]


@pytest.mark.parametrize(
    ("kind", "side", "prices", "type"),
    [
        ("limit", OrderSide.BUY, {"price": -0.005}, 2),
        ("limit", OrderSide.SELL, {"price": 0.005}, 3),
        ("stop_market", OrderSide.BUY, {"trigger": 0.005}, 4),
        ("stop_market", OrderSide.SELL, {"trigger": -0.005}, 5),
        ("stop_limit", OrderSide.BUY, {"trigger": 0.005, "price": 0.004}, 6),
        ("stop_limit", OrderSide.SELL, {"trigger": -0.005, "price": -0.004}, 7),
    ],
)
def test_scenario_05_order_waits_with_its_prices_and_is_cancelled(
    terminal, run_node, place, kind, side, prices, type
):
    async def drive(rig):
        order = await place(rig, kind, side, **prices)
        (record,) = waiting(rig)
        assert record["type"] == type
        assert record["volume_initial"] == 0.01
        assert str(record["ticket"]) == order.venue_order_id.value
        first = order.trigger_price if order.has_trigger_price else order.price
        assert record["price_open"] == pytest.approx(float(first), abs=1e-9)
        if kind == "stop_limit":
            assert record["price_stoplimit"] == pytest.approx(float(order.price), abs=1e-9)
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert rig.names(order)[1:] == ["Submitted", "Accepted", "PendingCancel", "Canceled"]
        assert order.status == OrderStatus.CANCELED
        assert waiting(rig) == []
        assert rig.sends() == 2

    run_node(terminal, drive)


@pytest.mark.parametrize(
    ("kind", "prices", "to"),
    [
        ("limit", {"price": -0.005}, {"price": -0.004}),
        ("stop_market", {"trigger": 0.005}, {"trigger_price": 0.006}),
        ("stop_limit", {"trigger": 0.005, "price": 0.004}, {"trigger_price": 0.006}),
        ("stop_limit", {"trigger": 0.005, "price": 0.004}, {"price": 0.003}),
    ],
)
def test_scenario_03_change_keeps_what_it_does_not_name(
    terminal, run_node, place, kind, prices, to
):
    """The trigger is no stop loss, and a change without SL and TP must not remove them."""

    async def drive(rig):
        stops = {"sl": 1.0, "tp": 1.2}
        order = await place(rig, kind, OrderSide.BUY, **prices, params=stops)
        (before,) = waiting(rig)
        assert (before["sl"], before["tp"]) == (1.0, 1.2)
        instrument = rig.cache.instrument(EURUSD)
        quote = rig.cache.quote_tick(EURUSD)
        middle = (float(quote.bid_price) + float(quote.ask_price)) / 2
        new = {name: instrument.make_price(middle + by) for name, by in to.items()}
        rig.strategy.modify_order(order, **new)
        await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
        assert rig.names(order)[-1] == "Updated"
        (after,) = waiting(rig)
        assert (after["sl"], after["tp"], after["type_time"]) == (1.0, 1.2, before["type_time"])
        if "price" in new:
            field = "price_stoplimit" if kind == "stop_limit" else "price_open"
            assert after[field] == pytest.approx(float(new["price"]), abs=1e-9)
            assert order.price == new["price"]
        if "trigger_price" in new:
            assert after["price_open"] == pytest.approx(float(new["trigger_price"]), abs=1e-9)
            assert order.trigger_price == new["trigger_price"]
            assert after["price_stoplimit"] == before["price_stoplimit"]
        assert rig.sends() == 2

    run_node(terminal, drive)


def test_changes_of_one_order_build_on_each_other(terminal, run_node, place):
    async def drive(rig):
        order = await place(rig, "stop_limit", OrderSide.BUY, trigger=0.005, price=0.004)
        price, trigger = order.price, order.trigger_price
        new_trigger = Price(float(trigger) + 0.001, 5)
        new_price = Price(float(price) + 0.0005, 5)
        rig.strategy.modify_order(order, trigger_price=new_trigger)
        rig.strategy.modify_order(order, price=new_price)
        await rig.until(lambda: (order.price, order.trigger_price) == (new_price, new_trigger))
        (record,) = waiting(rig)
        assert record["price_open"] == pytest.approx(float(new_trigger), abs=1e-9)
        assert record["price_stoplimit"] == pytest.approx(float(new_price), abs=1e-9)
        assert order.status == OrderStatus.ACCEPTED

    run_node(terminal, drive)


def test_volume_is_not_changed_and_says_so(terminal, run_node, place):
    async def drive(rig):
        order = await place(rig, "limit", OrderSide.BUY, price=-0.005)
        instrument = rig.cache.instrument(EURUSD)
        rig.strategy.modify_order(order, quantity=instrument.make_qty(2_000))
        await rig.until(lambda: rig.names(order)[-1] == "ModifyRejected")
        assert "cancel it, and send another" in rig.events[-1].reason
        assert order.status == OrderStatus.ACCEPTED
        assert rig.sends() == 1

    run_node(terminal, drive)


def test_refused_change_leaves_the_order_as_it_was(terminal, run_node, place):
    async def drive(rig):
        order = await place(rig, "limit", OrderSide.BUY, price=-0.005)
        price = order.price
        terminal.answer("order_send", int(TradeRetcode.FROZEN))
        rig.strategy.modify_order(order, price=Price(float(price) + 0.001, 5))
        await rig.until(lambda: rig.names(order)[-1] == "ModifyRejected")
        assert "10029 FROZEN" in rig.events[-1].reason
        assert (order.status, order.price) == (OrderStatus.ACCEPTED, price)
        terminal.answer("order_send", int(TradeRetcode.FROZEN))
        rig.strategy.cancel_order(order)
        await rig.until(lambda: rig.names(order)[-1] == "CancelRejected")
        assert "10029 FROZEN" in rig.events[-1].reason
        assert order.status == OrderStatus.ACCEPTED
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert order.status == OrderStatus.CANCELED

    run_node(terminal, drive)


def test_change_to_what_it_is_already_succeeds(terminal, run_node, place):
    async def drive(rig):
        order = await place(rig, "limit", OrderSide.BUY, price=-0.005)
        terminal.answer("order_send", int(TradeRetcode.NO_CHANGES))
        new = Price(float(order.price) + 0.001, 5)
        rig.strategy.modify_order(order, price=new)
        await rig.until(lambda: order.price == new)
        assert order.status == OrderStatus.ACCEPTED

    run_node(terminal, drive)


def test_limit_order_is_filled_when_the_price_comes(terminal, run_node, place):
    async def drive(rig):
        order = await place(rig, "limit", OrderSide.BUY, price=-0.005)
        at = float(order.price)
        terminal.advance(1)
        push(terminal, "EURUSD", at - 0.0003, at - 0.0001)
        await rig.done(order)
        assert rig.names(order)[1:] == ["Submitted", "Accepted", "Filled"]
        (fill,) = rig.fills()
        assert fill.liquidity_side.name == "MAKER"
        (deal,) = [deal for deal in terminal.books()["deals"] if deal["symbol"]]
        assert float(fill.last_px) == pytest.approx(deal["price"], abs=1e-9)
        assert fill.position_id.value == str(deal["position_id"])

    run_node(terminal, drive)


def test_scenario_02_stop_order_is_triggered_at_its_trigger_price(terminal, run_node, place):
    async def drive(rig):
        order = await place(rig, "stop_market", OrderSide.SELL, trigger=-0.005)
        at = float(order.trigger_price)
        push(terminal, "EURUSD", at - 0.0001, at + 0.0001)
        await rig.done(order)
        assert rig.names(order)[1:] == ["Submitted", "Accepted", "Filled"]
        assert rig.fills()[0].liquidity_side.name == "TAKER"

    run_node(terminal, drive)


def test_stop_limit_order_is_triggered_then_filled(terminal, run_node, place):
    async def drive(rig):
        order = await place(rig, "stop_limit", OrderSide.BUY, trigger=0.005, price=0.004)
        trigger, price = float(order.trigger_price), float(order.price)
        push(terminal, "EURUSD", trigger, trigger + 0.0001)
        await rig.until(lambda: order.status == OrderStatus.TRIGGERED)
        (record,) = waiting(rig)
        assert record["type"] == 2
        new = Price(price - 0.0005, 5)
        rig.strategy.modify_order(order, price=new)
        await rig.until(lambda: order.price == new)
        await rig.until(lambda: order.status == OrderStatus.TRIGGERED)
        assert float(order.trigger_price) == pytest.approx(trigger)
        push(terminal, "EURUSD", float(new) - 0.0002, float(new))
        await rig.done(order)
        names = [name for name in rig.names(order) if name != "PendingUpdate"]
        assert names[1:] == ["Submitted", "Accepted", "Triggered", "Updated", "Filled"]

    run_node(terminal, drive)


def test_stop_limit_order_that_was_triggered_before_it_was_seen_is_told_so(
    terminal, run_node, place
):
    """The worker dies between the order and its first look at it: no record shows a trigger."""

    async def drive(rig):
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        terminal.lose_reply("orders_get", when="after")
        order = await place(rig, "stop_limit", OrderSide.BUY, trigger=0.005, price=0.004)
        assert not rig.client._mt5.orders
        trigger = float(order.trigger_price)
        push(terminal, "EURUSD", trigger, trigger + 0.0001)
        await rig.until(lambda: order.status == OrderStatus.TRIGGERED, 40)
        assert rig.names(order) == ["Initialized", "Submitted", "Accepted", "Triggered"]

    # Polls come after requests, and when a worker starts.
    run_node(terminal, drive, terminal_fields={"trade_poll_ms": 60_000, "restart_delay_ms": 1_000})


def test_change_of_a_trigger_that_comes_too_late_has_changed_the_limit(terminal, run_node, place):
    """A change names no type: what was the trigger when it was sent is the limit by now."""

    async def drive(rig):
        order = await place(rig, "stop_limit", OrderSide.SELL, trigger=-0.003, price=-0.002)
        trigger = float(order.trigger_price)
        push(terminal, "EURUSD", trigger, trigger + 0.0001)
        rig.strategy.modify_order(order, trigger_price=Price(trigger + 0.0005, 5))
        await rig.until(lambda: order.status == OrderStatus.TRIGGERED)
        (record,) = waiting(rig)
        assert record["price_open"] == pytest.approx(trigger + 0.0005, abs=1e-9)
        await rig.until(lambda: float(order.price) == pytest.approx(record["price_open"]))
        assert order.status == OrderStatus.TRIGGERED

    # No reading of the account between the trigger and the change.
    run_node(terminal, drive, terminal_fields={"trade_poll_ms": 500})


def read_unheard(rig):
    """The account is read anew, while the node's loop is busy and hears nothing of it."""
    client = rig.client._mt5
    frames, end = client.trade_frames, time.monotonic() + 30.0
    while client.trade_frames == frames:
        assert time.monotonic() < end, "the account was not read within 30 s"
        rig.terminal.stats()


def read_and_not_said(terminal):
    """The worker has read the orders anew, and is held by `account_info`, which it asks before it
    says what is new. The node's loop is busy until then.
    """
    before = seen = terminal.stats()["calls"]
    end = time.monotonic() + 30.0
    while seen["orders_get"] == before["orders_get"]:
        assert time.monotonic() < end, "the orders were not read within 30 s"
        # It is asked before the orders are read, too.
        asked, seen = seen["account_info"], terminal.stats()["calls"]
    while terminal.stats()["calls"]["account_info"] == asked:
        assert time.monotonic() < end, "the account was not read within 30 s"


def change(order, **terms):
    return ModifyOrder(
        trader_id=order.trader_id,
        strategy_id=order.strategy_id,
        instrument_id=order.instrument_id,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        quantity=None,
        **{"price": None, "trigger_price": None, **terms},
        command_id=UUID4(),
        ts_init=0,
    )


def test_change_that_is_made_before_the_trigger_is_heard_of_keeps_the_limit(
    terminal, run_node, place
):
    """What the node knows is the trigger, and what the terminal has is the limit."""

    async def drive(rig):
        order = await place(rig, "stop_limit", OrderSide.SELL, trigger=-0.003, price=-0.002)
        trigger, limit = float(order.trigger_price), float(order.price)
        push(terminal, "EURUSD", trigger, trigger + 0.0001)
        read_unheard(rig)
        rig.client._session.modify(change(order, params={"sl": 1.2}))
        await rig.until(lambda: waiting(rig)[0]["sl"] == 1.2)
        (record,) = waiting(rig)
        assert record["price_open"] == pytest.approx(limit, abs=1e-9)
        await rig.until(lambda: {"Triggered", "Updated"} <= set(rig.names(order)))
        assert rig.names(order)[1:] == ["Submitted", "Accepted", "Triggered", "Updated"]
        assert (float(order.price), float(order.trigger_price)) == (limit, trigger)

    run_node(terminal, drive)


@pytest.mark.parametrize("executed", [True, False, None])
def test_answer_to_a_change_of_a_trigger_that_comes_after_it_tells_the_limit(
    terminal, run_node, place, executed
):
    """`executed`: whether it was, where the outcome is unknown."""

    async def drive(rig):
        order = await place(rig, "stop_limit", OrderSide.SELL, trigger=-0.003, price=-0.002)
        trigger, limit = order.trigger_price, order.price
        new = Price(float(trigger) + 0.0005, 5)
        if executed is not None:
            terminal.answer("order_send", int(TradeRetcode.TIMEOUT), executed=executed)
        # The worker has read the trigger, and is given the change when it is about to say so.
        terminal.slow(3.0, "account_info")
        push(terminal, "EURUSD", float(trigger), float(trigger) + 0.0001)
        read_and_not_said(terminal)
        rig.client._session.modify(change(order, trigger_price=new))
        assert rig.names(order)[1:] == ["Submitted", "Accepted"]
        await rig.until(lambda: order.status == OrderStatus.TRIGGERED)
        terminal.slow(0.0, "account_info")
        told = "ModifyRejected" if executed is False else "Updated"
        await rig.until(lambda: told in rig.names(order))
        # Another reading, or two: nothing more is said.
        frames = rig.client._mt5.trade_frames
        await rig.until(lambda: rig.client._mt5.trade_frames > frames + 1)
        names = rig.names(order)[1:]
        assert names[:2] == ["Submitted", "Accepted"]
        # That it was not done may be proved before the trigger is heard of.
        ends = sorted(names[2:]) if executed is False else names[2:]
        assert ends == (
            ["ModifyRejected", "Triggered"] if executed is False else ["Triggered", told]
        )
        assert order.price == (limit if executed is False else new)
        assert order.trigger_price == trigger
        (record,) = waiting(rig)
        assert record["price_open"] == pytest.approx(float(order.price), abs=1e-9)
        assert rig.client.metrics.unknown_now == 0
        rig.client._session.modify(change(order, params={"sl": 1.2}))
        await rig.until(lambda: waiting(rig)[0]["sl"] == 1.2)
        assert waiting(rig)[0]["price_open"] == pytest.approx(float(order.price), abs=1e-9)

    run_node(terminal, drive, exec_fields={"unproven_change_secs": 0.2})


@pytest.mark.parametrize("kind", ["stop_market", "stop_limit"])
def test_change_of_a_trigger_that_meets_the_fill_is_refused(terminal, run_node, place, kind):
    async def drive(rig):
        limit = {"price": -0.002} if kind == "stop_limit" else {}
        order = await place(rig, kind, OrderSide.SELL, trigger=-0.003, **limit)
        trigger = float(order.trigger_price)
        for bid in (trigger - 0.0001, trigger + 0.0015):
            push(terminal, "EURUSD", bid, bid + 0.0001)
        rig.strategy.modify_order(order, trigger_price=Price(trigger - 0.0005, 5))
        await rig.done(order)
        await rig.until(lambda: "ModifyRejected" in rig.names(order))
        assert order.status == OrderStatus.FILLED
        assert float(order.trigger_price) == pytest.approx(trigger)
        assert "Updated" not in rig.names(order)
        assert len(rig.fills()) == 1

    run_node(terminal, drive)


def test_scenario_05_order_expires_at_its_time(terminal, run_node, place):
    async def drive(rig):
        # The terminal's clock is of 2025; the risk engine looks at today's.
        account = rig.client._mt5
        assert account.zone
        order = await place(
            rig,
            "limit",
            OrderSide.BUY,
            price=-0.005,
            time_in_force=TimeInForce.DAY,
        )
        (record,) = waiting(rig)
        assert record["type_time"] == 1
        terminal.advance(86_400)
        await rig.done(order)
        assert rig.names(order)[1:] == ["Submitted", "Accepted", "Expired"]

    run_node(terminal, drive)


def test_scenario_18_good_till_date_is_sent_in_server_time_rounded_up(terminal, run_node, place):
    async def drive(rig):
        end = rig.node.kernel.clock.utc_now() + timedelta(hours=5)
        order = await place(
            rig,
            "limit",
            OrderSide.BUY,
            price=-0.005,
            time_in_force=TimeInForce.GTD,
            expire_time=end,
        )
        (record,) = waiting(rig)
        zone = rig.client._mt5.zone
        ns = zone.utc_ns(record["time_expiration"] * 1000)
        assert 0 <= ns - dt_to_unix_nanos(end) < 1_000_000_000
        assert record["type_time"] == 2
        assert order.is_open

    run_node(terminal, drive)


def test_scenario_04_cancel_after_the_fill_trades_nothing(terminal, run_node, place):
    async def drive(rig):
        order = await place(rig, "limit", OrderSide.BUY, price=-0.005)
        at = float(order.price)
        push(terminal, "EURUSD", at - 0.0003, at - 0.0001)
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert order.status == OrderStatus.FILLED
        assert len([deal for deal in terminal.books()["deals"] if deal["symbol"]]) == 1
        (position,) = rig.cache.positions_open()
        assert position.signed_decimal_qty() == 1_000

    run_node(terminal, drive)


def test_order_that_was_cancelled_and_moved_by_hand_says_so(terminal, run_node, place):
    async def drive(rig):
        order = await place(rig, "limit", OrderSide.BUY, price=-0.005)
        ticket = int(order.venue_order_id.value)
        new = round(float(order.price) - 0.001, 5)
        terminal.trade_by_hand(
            action=int(TradeAction.MODIFY), order=ticket, price=new, symbol="EURUSD"
        )
        await rig.until(lambda: float(order.price) == pytest.approx(new))
        assert rig.names(order)[-1] == "Updated"
        terminal.trade_by_hand(action=int(TradeAction.REMOVE), order=ticket)
        await rig.done(order)
        assert order.status == OrderStatus.CANCELED
        assert rig.names(order)[1:] == ["Submitted", "Accepted", "Updated", "Canceled"]

    run_node(terminal, drive)


def test_all_orders_of_a_side_are_cancelled_and_no_others(terminal, run_node, place):
    async def drive(rig):
        buys = [await place(rig, "limit", OrderSide.BUY, price=-0.005 - n / 1e3) for n in range(3)]
        sell = await place(rig, "limit", OrderSide.SELL, price=0.005)
        rig.strategy.cancel_all_orders(EURUSD, order_side=OrderSide.BUY)
        for order in buys:
            await rig.done(order)
        assert {order.status for order in buys} == {OrderStatus.CANCELED}
        assert sell.is_open
        rig.strategy.cancel_orders([sell])
        await rig.done(sell)
        assert waiting(rig) == []
        assert rig.sends() == 8

    run_node(terminal, drive)


def test_order_that_is_cancelled_before_its_ticket_is_known_is_cancelled_after(terminal, run_node):
    async def drive(rig):
        terminal.slow(0.3, "order_send")
        order = await submit(rig, "limit", OrderSide.BUY, price=-0.005)
        await rig.until(lambda: order.status == OrderStatus.SUBMITTED)
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert order.status == OrderStatus.CANCELED
        assert waiting(rig) == []

    run_node(terminal, drive)
