"""Changes and cancels whose outcome nobody knows: never guessed, never sent again."""

import numpy as np
import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import GenerateOrderStatusReport
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price

from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction, TradeRetcode
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")
IMPATIENT = {
    "inflight_check_interval_ms": 100,
    "inflight_check_threshold_ms": 300,
    "inflight_check_retries": 2,
}
KEEPALIVE = {"inflight_keepalive_secs": 0.1}


async def working(rig, away=-0.005):
    instrument = rig.cache.instrument(EURUSD)
    quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
    order = rig.strategy.order_factory.limit(
        EURUSD,
        OrderSide.BUY,
        instrument.make_qty(1_000),
        instrument.make_price(float(quote.bid_price) + away),
    )
    rig.strategy.submit_order(order)
    await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
    return order


def moved(order, by=0.001):
    return Price(float(order.price) + by, 5)


def looks_at(terminal):
    """How often the terminal was asked for its link to the server."""
    return terminal.stats()["calls"]["terminal_info"]


async def longer_than_the_engine_waits(rig):
    """The engine gives up after some 0.7 s: count its own patience, not seconds."""
    asked = rig.client._clock.timestamp_ns()
    await rig.until(lambda: rig.client._clock.timestamp_ns() - asked > 2_000_000_000)


def test_cancel_that_was_done_without_an_answer_is_found(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        terminal.lose_reply("order_send", when="after")
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert order.status == OrderStatus.CANCELED
        assert rig.names(order)[-2:] == ["PendingCancel", "Canceled"]
        assert rig.sends() == 2

    run_node(terminal, drive, terminal_fields={"restart_delay_ms": 50})


@pytest.mark.parametrize("retcode", [TradeRetcode.TIMEOUT, TradeRetcode.CONNECTION, 10999])
def test_cancel_of_unknown_outcome_stays_pending_beyond_the_engines_patience(
    terminal, run_node, retcode
):
    async def drive(rig):
        order = await working(rig)
        terminal.answer("order_send", int(retcode))
        rig.strategy.cancel_order(order)
        await longer_than_the_engine_waits(rig)
        assert order.status == OrderStatus.PENDING_CANCEL
        report = await rig.client.generate_order_status_report(
            GenerateOrderStatusReport(
                instrument_id=EURUSD,
                client_order_id=order.client_order_id,
                venue_order_id=order.venue_order_id,
                command_id=UUID4(),
                ts_init=0,
            )
        )
        assert report.order_status == OrderStatus.PENDING_CANCEL
        assert rig.sends() == 2
        rows = np.zeros(1, TICK_DTYPE)
        rows["bid"], rows["ask"] = float(order.price) - 0.0002, float(order.price) - 0.0001
        terminal.push_ticks("EURUSD", rows)
        await rig.done(order)
        assert order.status == OrderStatus.FILLED
        assert rig.names(order)[-2:] == ["PendingCancel", "Filled"]

    run_node(terminal, drive, engine_fields=IMPATIENT, exec_fields=KEEPALIVE)


def test_change_of_unknown_outcome_is_told_when_the_record_shows_it(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        new = moved(order)
        terminal.answer("order_send", int(TradeRetcode.TIMEOUT), executed=True)
        rig.strategy.modify_order(order, price=new)
        await rig.until(lambda: order.price == new)
        assert rig.names(order)[-2:] == ["PendingUpdate", "Updated"]
        assert order.status == OrderStatus.ACCEPTED
        assert rig.sends() == 2

    run_node(terminal, drive)


def test_change_that_was_done_before_the_order_was_seen_is_told(terminal, run_node):
    """The worker dies between the order and its first look at it: no record shows a change."""

    async def drive(rig):
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        terminal.lose_reply("orders_get", when="after")
        order = await working(rig)
        assert order.venue_order_id.value not in map(str, rig.client._mt5.orders)
        target = moved(order)
        terminal.trade_by_hand(
            action=int(TradeAction.MODIFY),
            order=int(order.venue_order_id.value),
            price=float(target),
        )
        await rig.until(lambda: order.price == target, 40)
        assert rig.names(order) == ["Initialized", "Submitted", "Accepted", "Updated"]

    # Polls come after requests, and when a worker starts.
    run_node(terminal, drive, terminal_fields={"trade_poll_ms": 60_000, "restart_delay_ms": 1_000})


def test_change_of_unknown_outcome_stays_pending_and_the_next_builds_on_it(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        terminal.answer("order_send", int(TradeRetcode.TIMEOUT))
        rig.strategy.modify_order(order, price=moved(order))
        await longer_than_the_engine_waits(rig)
        assert order.status == OrderStatus.PENDING_UPDATE
        new = moved(order, 0.002)
        rig.strategy.modify_order(order, price=new)
        await rig.until(lambda: order.price == new)
        assert order.status == OrderStatus.ACCEPTED
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert rig.sends() == 4

    run_node(terminal, drive, engine_fields=IMPATIENT, exec_fields=KEEPALIVE)


def test_report_of_an_older_reading_does_not_undo_a_change(terminal, run_node):
    """The engine asks how a pending order stands, and is answered after the change was told."""

    async def drive(rig):
        order = await working(rig)
        statements = rig.client._session.statements
        before = await statements.read()
        new = moved(order)
        rig.strategy.modify_order(order, price=new)
        await rig.until(lambda: order.price == new)
        (report,) = statements.orders_told(before)
        assert (report.client_order_id, report.price) == (order.client_order_id, new)

    run_node(terminal, drive)


def test_order_that_works_on_unchanged_proves_that_nothing_was_done(terminal, run_node):
    async def drive(rig):
        order = await working(rig)
        terminal.answer("order_send", int(TradeRetcode.TIMEOUT))
        rig.strategy.cancel_order(order)
        await rig.until(lambda: rig.names(order)[-1] == "CancelRejected")
        assert "NOT_DONE" in rig.events[-1].reason
        assert order.status == OrderStatus.ACCEPTED
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert order.status == OrderStatus.CANCELED

    run_node(terminal, drive, exec_fields={"unproven_change_secs": 0.3, **KEEPALIVE})


def test_order_shown_by_a_terminal_without_its_server_proves_nothing(terminal, run_node):
    """Reads go on succeeding while the link is down, and show what was."""

    async def drive(rig):
        order = await working(rig)
        terminal.answer("order_send", int(TradeRetcode.CONNECTION))
        rig.strategy.cancel_order(order)
        await rig.until(lambda: rig.sends() == 2)
        terminal.set_connected(False)
        await rig.until(lambda: order.status == OrderStatus.PENDING_CANCEL)
        terminal.trade_by_hand(action=int(TradeAction.REMOVE), order=int(str(order.venue_order_id)))
        looks = looks_at(terminal)
        await rig.until(lambda: looks_at(terminal) > looks + 6)
        assert order.status == OrderStatus.PENDING_CANCEL
        terminal.set_connected(True)
        await rig.done(order)
        assert order.status == OrderStatus.CANCELED
        assert "CancelRejected" not in rig.names(order)

    run_node(terminal, drive, exec_fields={"unproven_change_secs": 0.1, **KEEPALIVE})
