"""Orders that are placed anew while things happen: fills, lost replies, refusals, restarts."""

import numpy as np
import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import GenerateOrderStatusReports
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price

from tests.nautilus_v1.replacing_steps import (
    CLOCK,
    IMPATIENT,
    MODIFY,
    PENDING,
    QUICK,
    REMOVE,
    REPLACES,
    SOON,
    agrees,
    entry_of,
    fault,
    let_time_pass,
    placed,
    reasons,
    resize,
)
from tradingview_scraper.adapters.mt5.terminal.constants import TradeRetcode
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")
#: What each tick brings.
LOTS = 0.01


def settings(terminal, account, *, lag_ms=0):
    """A terminal with fresh books of one kind, and the settings of a node on it.

    `lag_ms`: milliseconds of server time until history shows what has ended.
    """
    broker = {"liquidity_lots": LOTS, "deal_lag_ms": lag_ms}
    terminal.reset({"extends": f"demo-{account}", "clock": CLOCK, "broker": broker})
    return {
        "oms_type": account.upper(),
        "terminal_fields": {"login": terminal.books()["account"]["login"], **QUICK},
        "exec_fields": {**REPLACES, **SOON},
        "engine_fields": IMPATIENT,
    }


async def working(rig, units=5_000, away=-0.005):
    quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
    instrument = rig.cache.instrument(EURUSD)
    order = rig.strategy.order_factory.limit(
        EURUSD,
        OrderSide.BUY,
        instrument.make_qty(units),
        instrument.make_price(float(quote.bid_price) + away),
    )
    rig.strategy.submit_order(order)
    await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
    return order


def push(terminal, bid):
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = round(bid, 5), round(bid + 0.0001, 5)
    terminal.push_ticks("EURUSD", rows)


def fill(terminal, order, lots=0.1):
    """The market comes to a buy limit, for so many lots, and leaves."""
    for nth in range(round(lots / LOTS)):
        push(terminal, float(order.price) - 0.0002 - nth * 0.00001)
    push(terminal, float(order.price) + 0.005)


def held(terminal):
    return [round(one["volume"] * 100_000) for one in terminal.books()["positions"]]


def test_rest_of_a_partly_filled_order_is_placed_on_a_netting_account(terminal, run_node, compared):
    async def drive(rig):
        order = await working(rig)
        fill(terminal, order, 0.01)
        await rig.until(lambda: order.filled_qty == 1_000)
        first = order.venue_order_id
        resize(rig, order, 3_000)
        await rig.until(lambda: order.venue_order_id != first)
        assert (order.quantity, order.filled_qty, order.leaves_qty) == (3_000, 1_000, 2_000)
        assert [one["volume_initial"] for one in terminal.books()["orders"]] == [0.02]
        await agrees(rig, compared)
        resize(rig, order, 1_000)
        await rig.until(lambda: reasons(rig))
        assert "1000 are filled already" in reasons(rig)[0]
        fill(terminal, order)
        await rig.done(order)
        assert (order.status, order.filled_qty) == (OrderStatus.FILLED, 3_000)
        assert held(terminal) == [3_000]
        await agrees(rig, compared)
        assert placed(terminal) == 2

    run_node(terminal, drive, **settings(terminal, "netting"))


@pytest.mark.parametrize("is_list_late", [False, True])
def test_partly_filled_order_is_not_placed_anew_where_that_would_be_another_position(
    terminal, run_node, compared, is_list_late
):
    async def drive(rig):
        order = await working(rig)
        if is_list_late:
            # The deal comes after the orders were read, and is told with them.
            terminal.slow(0.2, "positions_get")
        fill(terminal, order, 0.01)
        await rig.until(lambda: order.filled_qty == 1_000)
        sends = rig.sends()
        resize(rig, order, 3_000)
        await rig.until(lambda: reasons(rig))
        assert "another position" in reasons(rig)[0]
        assert rig.sends() == sends
        assert order.status == OrderStatus.PARTIALLY_FILLED
        await agrees(rig, compared, hedging=True)

    run_node(terminal, drive, **settings(terminal, "hedging"))


@pytest.mark.parametrize(
    ("account", "lots"),
    [("netting", 0.01), ("netting", 0.03), ("netting", 0.04), ("hedging", 0.01)],
)
def test_what_is_filled_while_it_is_cancelled_is_not_placed_again(
    terminal, run_node, compared, account, lots
):
    units = round(lots * 100_000)
    goes_on = account == "netting" and units < 3_000

    async def drive(rig):
        other = await working(rig, 1_000, away=-0.02)
        order = await working(rig)
        terminal.hang(5.0, "order_send")
        rig.strategy.modify_order(other, price=Price(float(other.price) - 0.001, 5))
        await rig.until(lambda: rig.sends() == 3)
        resize(rig, order, 3_000)
        # Its cancel waits behind the other request, and so do the readings of the account.
        await rig.until(lambda: entry_of(rig, order).is_replacing)
        fill(terminal, order, lots)
        assert rig.sends() == 3
        if goes_on:
            await rig.until(lambda: order.quantity == 3_000 and order.filled_qty == units)
            assert order.leaves_qty == 3_000 - units
            fill(terminal, order)
        await rig.done(order)
        assert order.status == (OrderStatus.FILLED if goes_on else OrderStatus.CANCELED)
        assert order.filled_qty == (3_000 if goes_on else units)
        assert held(terminal) == [order.filled_qty]
        assert len(terminal.books()["orders"]) == 1
        assert len(reasons(rig)) == (not goes_on)
        assert placed(terminal) == 2 + goes_on
        await agrees(rig, compared, hedging=account == "hedging")

    fields = settings(terminal, account)
    fields["terminal_fields"]["order_timeout_secs"] = 30.0
    run_node(terminal, drive, **fields)


@pytest.mark.parametrize("when", ["before", "after"])
def test_lost_reply_to_the_cancel_places_nothing(terminal, run_node, compared, when):
    async def drive(rig):
        order = await working(rig)
        fault(terminal, "lose", REMOVE, when=when, count=1)
        resize(rig, order, 3_000)
        await rig.until(lambda: reasons(rig))
        assert "NOT_DONE" in reasons(rig)[0]
        if when == "after":
            await rig.done(order)
        else:
            assert (order.status, order.quantity) == (OrderStatus.ACCEPTED, 5_000)
        await agrees(rig, compared, hedging=True)
        assert placed(terminal) == 1

    run_node(terminal, drive, **settings(terminal, "hedging"))


def test_lost_reply_to_the_placing_is_found(terminal, run_node, compared):
    async def drive(rig):
        order = await working(rig)
        fault(terminal, "lose", PENDING, when="after", count=1)
        resize(rig, order, 3_000)
        await rig.until(lambda: order.quantity == 3_000)
        await agrees(rig, compared, hedging=True)
        fill(terminal, order)
        await rig.done(order)
        assert held(terminal) == [3_000]
        assert placed(terminal) == 2
        assert not reasons(rig)

    run_node(terminal, drive, **settings(terminal, "hedging"))


@pytest.mark.parametrize("how", ["lost", int(TradeRetcode.TIMEOUT), 10999])
@pytest.mark.parametrize("cancels", [False, True])
def test_placing_that_never_arrived_is_proved_absent_and_ends_the_order(
    terminal, run_node, compared, how, cancels
):
    async def drive(rig):
        order = await working(rig)
        if how == "lost":
            fault(terminal, "lose", PENDING, when="before", count=1)
        else:
            fault(terminal, "answer", PENDING, code=how, count=1)
        resize(rig, order, 3_000)
        await rig.until(lambda: entry_of(rig, order).is_unknown)
        if cancels:
            rig.strategy.cancel_order(order)
        assert not order.is_closed
        await let_time_pass(rig, lambda: order.is_closed)
        assert order.status == OrderStatus.CANCELED
        assert "NOT_DONE" in reasons(rig)[0]
        await rig.until(lambda: rig.client._mt5.is_ready)
        await agrees(rig, compared, hedging=True)
        assert placed(terminal) == 1
        assert rig.client.metrics.unknown_now == 0

    run_node(terminal, drive, **settings(terminal, "hedging"))


def test_partly_filled_order_of_which_the_placing_is_unknown_is_reported_as_open(
    terminal, run_node, compared
):
    """An engine that checks open orders calls a filled one cancelled that is not reported."""

    async def drive(rig):
        order = await working(rig)
        fault(terminal, "answer", PENDING, code=int(TradeRetcode.TIMEOUT), count=1)
        resize(rig, order, 3_000)
        fill(terminal, order, 0.01)
        await rig.until(lambda: entry_of(rig, order).is_unknown and order.filled_qty == 1_000)
        (report,) = await rig.client.generate_order_status_reports(
            GenerateOrderStatusReports(
                instrument_id=None,
                start=None,
                end=None,
                open_only=True,
                command_id=UUID4(),
                ts_init=0,
            )
        )
        assert report.client_order_id == order.client_order_id
        assert (report.filled_qty, report.venue_order_id) == (1_000, order.venue_order_id)
        checked = rig.client._clock.timestamp_ns()
        await rig.until(lambda: rig.client._clock.timestamp_ns() - checked > 1_000_000_000)
        assert order.status == OrderStatus.PARTIALLY_FILLED
        await let_time_pass(rig, lambda: order.is_closed)
        assert (order.status, order.filled_qty) == (OrderStatus.CANCELED, 1_000)
        await agrees(rig, compared)

    fields = settings(terminal, "netting")
    fields["engine_fields"] = {
        **IMPATIENT,
        "open_check_interval_secs": 0.1,
        "open_check_open_only": False,
        "open_check_threshold_ms": 100,
        "open_check_missing_retries": 1,
    }
    run_node(terminal, drive, **fields)


def test_cancel_that_was_taken_and_not_done_leaves_the_order_as_it_was(
    terminal, run_node, compared
):
    """At an exchange a cancel is taken first, and may fail afterwards."""

    async def drive(rig):
        order = await working(rig)
        fault(terminal, "answer", REMOVE, code=int(TradeRetcode.PLACED), count=1)
        resize(rig, order, 3_000)
        await rig.until(lambda: reasons(rig))
        assert "NOT_DONE" in reasons(rig)[0]
        assert (order.status, order.quantity) == (OrderStatus.ACCEPTED, 5_000)
        fault(terminal, "answer", REMOVE, code=int(TradeRetcode.PLACED), count=1)
        resize(rig, order, 3_000)
        await rig.until(lambda: rig.sends() == 3)
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert order.status == OrderStatus.CANCELED
        await agrees(rig, compared, hedging=True)
        assert placed(terminal) == 1

    run_node(terminal, drive, **settings(terminal, "hedging"))


def test_quantity_that_waits_is_given_up_when_the_order_is_cancelled(terminal, run_node, compared):
    async def drive(rig):
        order = await working(rig)
        fault(terminal, "slow", MODIFY, seconds=0.3)
        fault(terminal, "answer", REMOVE, code=int(TradeRetcode.TIMEOUT), count=1)
        rig.strategy.modify_order(order, price=Price(float(order.price) - 0.001, 5))
        resize(rig, order, 3_000)
        await rig.until(lambda: rig.sends() == 2)
        rig.strategy.cancel_order(order)
        await rig.until(lambda: reasons(rig))
        assert "a cancel" in reasons(rig)[0]
        await rig.until(lambda: "CancelRejected" in rig.names(order))
        assert order.status == OrderStatus.ACCEPTED
        assert placed(terminal) == 1
        await agrees(rig, compared, hedging=True)

    run_node(terminal, drive, **settings(terminal, "hedging"))


def test_nothing_is_placed_when_trading_was_forbidden_meanwhile(terminal, run_node, compared):
    async def drive(rig):
        order = await working(rig)
        resize(rig, order, 3_000)
        await rig.until(lambda: rig.sends() == 2)
        terminal.set_trade_allowed(False)
        await rig.until(lambda: rig.client._session.safety._terminal_says)
        await let_time_pass(rig, lambda: order.is_closed)
        assert order.status == OrderStatus.CANCELED
        assert "TRADING_HALTED" in reasons(rig)[0]
        assert rig.sends() == 2
        await agrees(rig, compared, hedging=True)

    run_node(terminal, drive, **settings(terminal, "hedging", lag_ms=1_000))


def stopped_between(terminal, run_node, fields, is_filled):
    """A node that ends when its order is cancelled, and before another one is placed."""
    orders = []

    async def drive(rig):
        order = await working(rig)
        if is_filled:
            # The node hears of the fill after it has sent the cancel.
            terminal.slow(0.3, "positions_get")
        resize(rig, order, 3_000)
        if is_filled:
            fill(terminal, order, LOTS)
        await rig.until(lambda: terminal.books()["orders"] == [])
        orders.append(order)

    run_node(terminal, drive, **fields)
    terminal.clear_faults()
    (order,) = orders
    assert order.is_open
    return order


def stopped_while_placing(terminal, run_node, fields, lots=None):
    """A node that ends while the second order is on its way, which arrives."""
    orders = []

    async def drive(rig):
        order = await working(rig)
        if lots is not None:
            fill(terminal, order, lots)
            await rig.until(lambda: order.filled_qty > 0)
        fault(terminal, "slow", PENDING, seconds=0.3)
        resize(rig, order, 3_000)
        await rig.until(lambda: rig.sends() == 3)
        orders.append(order)

    run_node(terminal, drive, **fields)
    terminal.clear_faults()
    (order,) = orders
    assert order.status == OrderStatus.PENDING_UPDATE
    for _ in range(200):
        if terminal.books()["orders"]:
            return order
    raise AssertionError("the second order never arrived")


@pytest.mark.parametrize("asks", ["nothing", "cancel"])
@pytest.mark.parametrize("is_filled", [False, True])
@pytest.mark.parametrize("account", ["netting", "hedging"])
def test_node_that_ended_before_the_placing_tells_that_the_order_is_cancelled(
    terminal, run_node, compared, account, is_filled, asks
):
    fields = settings(terminal, account, lag_ms=1_000)
    order = stopped_between(terminal, run_node, fields, is_filled)
    terminal.advance(2.0)

    async def again(rig):
        (known,) = rig.cache.orders()
        assert known.is_open
        if asks == "cancel":
            rig.strategy.cancel_order(known)
        await let_time_pass(rig, lambda: known.is_closed)
        assert (known.status, known.client_order_id) == (
            OrderStatus.CANCELED,
            order.client_order_id,
        )
        assert known.filled_qty == (1_000 if is_filled else 0)
        await agrees(rig, compared, hedging=account == "hedging")

    run_node(terminal, again, remembered=[order], **fields)
    assert placed(terminal) == 1


@pytest.mark.parametrize("asked", ["change", "cancel"])
@pytest.mark.parametrize("is_done", [False, True])
def test_what_an_earlier_run_asked_for_is_settled(terminal, run_node, compared, asked, is_done):
    fields = settings(terminal, "hedging")
    fault(terminal, "answer", [REMOVE, MODIFY], code=int(TradeRetcode.TIMEOUT), executed=False)
    orders = []

    async def first(rig):
        order = await working(rig)
        if asked == "change":
            rig.strategy.modify_order(order, price=Price(float(order.price) - 0.001, 5))
        else:
            rig.strategy.cancel_order(order)
        await rig.until(lambda: rig.sends() == 2)
        orders.append(order)

    run_node(terminal, first, **fields)
    terminal.clear_faults()
    (order,) = orders
    assert order.is_inflight
    (record,) = terminal.books()["orders"]
    new = round(float(order.price) - 0.001, 5)
    if is_done and asked == "change":
        terminal.trade_by_hand(action=MODIFY, order=record["ticket"], price=new)
    elif is_done:
        terminal.trade_by_hand(action=REMOVE, order=record["ticket"])

    async def again(rig):
        (known,) = rig.cache.orders()
        if not is_done:
            assert known.is_inflight
        await rig.until(lambda: not known.is_inflight)
        assert known.is_closed == (is_done and asked == "cancel")
        if not known.is_closed:
            assert float(known.price) == (new if is_done else float(order.price))
            assert known.status == OrderStatus.ACCEPTED
            rejected = {"change": "ModifyRejected", "cancel": "CancelRejected"}[asked]
            assert (rejected in rig.names(known)) == (not is_done)
            rig.strategy.cancel_order(known)
            await rig.done(known)
        await agrees(rig, compared, hedging=True)

    run_node(terminal, again, remembered=orders, **fields)


@pytest.mark.parametrize("is_filled", [False, True])
@pytest.mark.parametrize(
    ("account", "lots"), [("netting", None), ("netting", 0.01), ("hedging", None)]
)
def test_node_that_ended_while_placing_finds_the_order(
    terminal, run_node, compared, account, lots, is_filled
):
    fields = settings(terminal, account)
    order = stopped_while_placing(terminal, run_node, fields, lots)
    if is_filled:
        fill(terminal, order)

    async def again(rig):
        (known,) = rig.cache.orders()
        assert known.client_order_id == order.client_order_id
        assert known.quantity == 3_000
        assert known.status != OrderStatus.PENDING_UPDATE
        await agrees(rig, compared, hedging=account == "hedging")
        if not is_filled:
            assert known.filled_qty == (1_000 if lots else 0)
            fill(terminal, known)
        await rig.done(known)
        assert (known.status, known.filled_qty) == (OrderStatus.FILLED, 3_000)
        assert held(terminal) == [3_000]
        await agrees(rig, compared, hedging=account == "hedging")
        assert rig.cache.orders() == [known]

    run_node(terminal, again, remembered=[order], **fields)
    assert placed(terminal) == 2


@pytest.mark.parametrize(
    ("account", "lots"), [("netting", None), ("netting", 0.01), ("hedging", None)]
)
def test_restarted_node_knows_a_replaced_order(terminal, run_node, compared, account, lots):
    fields = settings(terminal, account)
    orders = []

    async def first(rig):
        order = await working(rig)
        if lots is not None:
            fill(terminal, order, lots)
            await rig.until(lambda: order.filled_qty > 0)
        resize(rig, order, 3_000)
        await rig.until(lambda: order.quantity == 3_000)
        orders.append(order)

    async def again(rig):
        (known,) = rig.cache.orders()
        assert (known.client_order_id, known.venue_order_id) == (
            orders[0].client_order_id,
            orders[0].venue_order_id,
        )
        assert (known.quantity, known.filled_qty) == (3_000, 1_000 if lots else 0)
        await agrees(rig, compared, hedging=account == "hedging")
        before = known.venue_order_id
        resize(rig, known, 4_000)
        await rig.until(lambda: known.venue_order_id != before)
        fill(terminal, known)
        await rig.done(known)
        assert known.filled_qty == 4_000
        assert held(terminal) == [4_000]
        await agrees(rig, compared, hedging=account == "hedging")

    run_node(terminal, first, **fields)
    run_node(terminal, again, remembered=orders, **fields)
