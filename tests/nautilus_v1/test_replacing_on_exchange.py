"""Orders of an exchange account that are placed anew, and fill in parts."""

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.objects import Price

from tests.nautilus_v1.bracket_steps import push
from tests.nautilus_v1.conftest import instrument_id
from tests.nautilus_v1.replacing_steps import (
    CLOCK,
    IMPATIENT,
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

SHARE = instrument_id("#AAPL")
MARKET = 230.0


@pytest.fixture
def fields(terminal):
    """Settings of a node on an exchange account. Each trade that is pushed is of one share."""
    terminal.reset(
        {
            "extends": "exchange-netting",
            "clock": CLOCK,
            "prices": {"synthetic": False, "always_open": True},
            "broker": {"liquidity_lots": 1.0},
        }
    )
    return {
        "oms_type": "NETTING",
        "symbols": ["#AAPL"],
        "terminal_fields": {"login": terminal.books()["account"]["login"], **QUICK},
        "exec_fields": {**REPLACES, **SOON},
        "engine_fields": IMPATIENT,
    }


def trade(terminal, last):
    """A trade on the exchange, and a spread of one cent. Each is another tick, with its share."""
    terminal.advance(0.001)
    push(terminal, round(last, 2), round(last + 0.01, 2), symbol="#AAPL")


def fill(terminal, order, shares):
    """The market comes to a buy limit, for so many shares, and leaves."""
    for nth in range(shares):
        trade(terminal, float(order.price) - 0.02 - nth * 0.01)
    trade(terminal, MARKET)


async def working(rig, shares=5):
    trade(rig.terminal, MARKET)
    await rig.until(lambda: rig.cache.quote_tick(SHARE))
    instrument = rig.cache.instrument(SHARE)
    order = rig.strategy.order_factory.limit(
        SHARE, OrderSide.BUY, instrument.make_qty(shares), instrument.make_price(MARKET - 5)
    )
    rig.strategy.submit_order(order)
    await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
    return order


def held(terminal):
    return [round(one["volume"]) for one in terminal.books()["positions"]]


def test_rest_of_a_partly_filled_order_is_placed(terminal, run_node, compared, fields):
    async def drive(rig):
        order = await working(rig)
        fill(terminal, order, 1)
        await rig.until(lambda: order.filled_qty == 1)
        first = order.venue_order_id
        resize(rig, order, 4, price=Price(float(order.price) - 1, 2))
        await rig.until(lambda: order.venue_order_id != first)
        assert (order.quantity, order.filled_qty, order.leaves_qty) == (4, 1, 3)
        assert float(order.price) == MARKET - 6
        assert [one["volume_initial"] for one in terminal.books()["orders"]] == [3.0]
        await agrees(rig, compared)
        fill(terminal, order, 1)
        await rig.until(lambda: order.filled_qty == 2)
        resize(rig, order, 2)
        await rig.until(lambda: reasons(rig))
        assert "2 are filled already" in reasons(rig)[0]
        resize(rig, order, 6)
        await rig.until(lambda: order.quantity == 6)
        assert order.leaves_qty == 4
        fill(terminal, order, 4)
        await rig.done(order)
        assert (order.status, order.filled_qty) == (OrderStatus.FILLED, 6)
        assert held(terminal) == [6]
        assert placed(terminal) == 3
        await agrees(rig, compared)

    run_node(terminal, drive, **fields)


@pytest.mark.parametrize("shares", [1, 3, 4])
def test_what_is_filled_while_it_is_cancelled_is_not_placed_again(
    terminal, run_node, compared, fields, shares
):
    goes_on = shares < 3

    async def drive(rig):
        other = await working(rig, 1)
        order = await working(rig)
        terminal.hang(10.0, "order_send")
        rig.strategy.modify_order(other, price=Price(float(other.price) - 50, 2))
        await rig.until(lambda: rig.sends() == 3)
        resize(rig, order, 3)
        # Its cancel waits behind the other request, and so do the readings of the account.
        await rig.until(lambda: entry_of(rig, order).is_replacing)
        fill(terminal, order, shares)
        assert rig.sends() == 3
        if goes_on:
            await rig.until(lambda: order.quantity == 3 and order.filled_qty == shares)
            assert order.leaves_qty == 3 - shares
            fill(terminal, order, 3 - shares)
        await rig.done(order)
        assert order.status == (OrderStatus.FILLED if goes_on else OrderStatus.CANCELED)
        assert order.filled_qty == (3 if goes_on else shares)
        assert held(terminal) == [order.filled_qty]
        assert len(reasons(rig)) == (not goes_on)
        assert placed(terminal) == 2 + goes_on
        await agrees(rig, compared)

    fields["terminal_fields"]["order_timeout_secs"] = 30.0
    run_node(terminal, drive, **fields)


def test_cancel_that_the_exchange_took_and_did_not_do_leaves_the_order_as_it_was(
    terminal, run_node, compared, fields
):
    async def drive(rig):
        order = await working(rig)
        fill(terminal, order, 1)
        await rig.until(lambda: order.filled_qty == 1)
        fault(terminal, "answer", REMOVE, code=int(TradeRetcode.PLACED), count=1)
        resize(rig, order, 3)
        await rig.until(lambda: reasons(rig))
        assert "NOT_DONE" in reasons(rig)[0]
        assert (order.status, order.quantity) == (OrderStatus.PARTIALLY_FILLED, 5)
        assert placed(terminal) == 1
        await agrees(rig, compared)

    run_node(terminal, drive, **fields)


@pytest.mark.parametrize("arrives", [True, False])
def test_placing_of_unknown_outcome_after_a_fill_is_found_or_proved_absent(
    terminal, run_node, compared, fields, arrives
):
    async def drive(rig):
        order = await working(rig)
        fill(terminal, order, 1)
        await rig.until(lambda: order.filled_qty == 1)
        fault(terminal, "lose", PENDING, when="after" if arrives else "before", count=1)
        resize(rig, order, 3)
        if arrives:
            await rig.until(lambda: order.quantity == 3)
            fill(terminal, order, 2)
            await rig.done(order)
        else:
            await rig.until(lambda: entry_of(rig, order).is_unknown)
            await let_time_pass(rig, lambda: trade(terminal, MARKET) or order.is_closed)
            await rig.until(lambda: rig.client._mt5.is_ready)
        expected = (OrderStatus.FILLED, 3) if arrives else (OrderStatus.CANCELED, 1)
        assert (order.status, order.filled_qty) == expected
        assert held(terminal) == [order.filled_qty]
        assert placed(terminal) == 1 + arrives
        await agrees(rig, compared)

    run_node(terminal, drive, **fields)


@pytest.mark.parametrize("is_filled", [False, True])
def test_node_that_ended_while_placing_the_rest_finds_it(
    terminal, run_node, compared, fields, is_filled
):
    orders = []

    async def first(rig):
        order = await working(rig)
        fill(terminal, order, 1)
        await rig.until(lambda: order.filled_qty == 1)
        fault(terminal, "slow", PENDING, seconds=0.3)
        resize(rig, order, 3)
        await rig.until(lambda: rig.sends() == 3)
        orders.append(order)

    async def again(rig):
        (known,) = rig.cache.orders()
        assert known.client_order_id == orders[0].client_order_id
        await agrees(rig, compared)
        if not is_filled:
            assert (known.quantity, known.filled_qty) == (3, 1)
            fill(terminal, known, 2)
        await rig.done(known)
        assert (known.status, known.filled_qty) == (OrderStatus.FILLED, 3)
        assert held(terminal) == [3]
        await agrees(rig, compared)
        assert rig.cache.orders() == [known]

    run_node(terminal, first, **fields)
    terminal.clear_faults()
    (order,) = orders
    assert order.status == OrderStatus.PENDING_UPDATE
    assert any(terminal.books()["orders"] for _ in range(200)), "the second order never arrived"
    if is_filled:
        fill(terminal, order, 2)
    run_node(terminal, again, remembered=[order], **fields)
    assert placed(terminal) == 2
