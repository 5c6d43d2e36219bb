"""Orders whose outcome nobody knows: found by their magic, or proved to be nowhere."""

import pytest
from nautilus_trader.model.enums import OrderStatus

from tradingview_scraper.adapters.mt5.terminal.constants import TradeRetcode

MARGIN = 0.2
SOON = {"unproven_order_secs": MARGIN, "inflight_keepalive_secs": 0.1}
QUICK = {"link_poll_ms": 10, "restart_delay_ms": 50, "order_timeout_secs": 1.0}
IMPATIENT = {
    "inflight_check_interval_ms": 100,
    "inflight_check_threshold_ms": 300,
    "inflight_check_retries": 2,
}


async def let_time_pass(rig, condition, seconds=1.0):
    """Move the server's clock, a little at a time, until `condition` holds."""

    def step():
        rig.terminal.advance(seconds)
        return condition()

    await rig.until(step, 30)


async def stays_unknown(rig, order):
    assert order.status == OrderStatus.SUBMITTED
    assert "Rejected" not in rig.names(order)
    assert rig.sends() == 1


@pytest.mark.parametrize("how", ["lost", 10012, 10031, 10999])
def test_request_that_never_arrived_is_proved_absent_and_rejected(terminal, run_node, how):
    async def drive(rig):
        if how == "lost":
            terminal.lose_reply("order_send", when="before")
        else:
            terminal.answer("order_send", how)
        order = rig.strategy.buy("EURUSD", "1000")
        await rig.until(lambda: rig.sends() == 1)
        entry = rig.client._journal.of_order(order.client_order_id)
        await rig.until(lambda: entry.is_unknown)
        await let_time_pass(rig, lambda: order.is_closed)
        assert order.status == OrderStatus.REJECTED
        assert order.last_event.reason.startswith("NOT_DONE: ")
        assert terminal.books()["positions"] == []
        await rig.until(lambda: rig.client._mt5.is_ready)
        await rig.opened(rig.strategy.buy("EURUSD", "1000"))

    run_node(
        terminal,
        drive,
        exec_fields=SOON,
        terminal_fields=QUICK,
        engine_fields=IMPATIENT,
    )


@pytest.mark.parametrize("kills", [False, True])
def test_worker_that_ends_over_a_request_leaves_an_order_that_ends_as_the_books_say(
    terminal, run_node, processes, kills
):
    async def drive(rig):
        terminal.hang(600.0, "order_send")
        order = rig.strategy.buy("EURUSD", "1000")
        await rig.until(lambda: rig.sends() == 1)
        if kills:
            processes.kill(rig.client._mt5.pids["trade"])
        entry = rig.client._journal.of_order(order.client_order_id)
        await rig.until(lambda: entry.is_unknown or entry.ticket)
        terminal.hang(0.0)
        await let_time_pass(rig, lambda: order.is_closed)
        magics = [deal["magic"] for deal in terminal.books()["deals"] if deal["symbol"]]
        assert magics == [entry.magic] * (order.status == OrderStatus.FILLED)
        assert rig.names(order).count("Filled") == len(magics)
        assert rig.sends() == 1

    run_node(terminal, drive, exec_fields=SOON, terminal_fields=QUICK, engine_fields=IMPATIENT)


@pytest.mark.parametrize("delay", [0.0, 30.0])
def test_executed_request_is_found_however_late_history_shows_it(terminal, run_node, delay):
    """The deal shows late, but the position is there: nothing is proved absent."""

    async def drive(rig):
        terminal.delay_history(delay)
        terminal.answer("order_send", int(TradeRetcode.TIMEOUT), executed=True)
        order = rig.strategy.buy("EURUSD", "1000")
        await let_time_pass(rig, lambda: order.is_closed)
        assert order.status == OrderStatus.FILLED
        assert "Rejected" not in rig.names(order)
        assert rig.names(order).count("Filled") == 1
        assert rig.sends() == 1

    run_node(terminal, drive, exec_fields=SOON, terminal_fields=QUICK)


def test_clock_that_stands_still_proves_nothing(terminal, run_node):
    async def drive(rig):
        terminal.lose_reply("order_send", when="before")
        order = rig.strategy.buy("EURUSD", "1000")
        await rig.until(lambda: rig.names(order).count("Updated") >= 20)
        await stays_unknown(rig, order)

    run_node(terminal, drive, exec_fields=SOON, terminal_fields=QUICK)


def test_nothing_is_proved_while_the_link_is_down(terminal, run_node):
    async def drive(rig):
        terminal.answer("order_send", int(TradeRetcode.CONNECTION))
        order = rig.strategy.buy("EURUSD", "1000")
        await rig.until(lambda: rig.sends() == 1)
        entry = rig.client._journal.of_order(order.client_order_id)
        await rig.until(lambda: entry.is_unknown)
        terminal.set_connected(False)
        await rig.until(lambda: not rig.client._mt5.state.may_trade)
        kept = rig.names(order).count("Updated")
        await let_time_pass(rig, lambda: rig.names(order).count("Updated") >= kept + 20)
        await stays_unknown(rig, order)
        terminal.set_connected(True)
        await let_time_pass(rig, lambda: order.is_closed)
        assert order.status == OrderStatus.REJECTED

    run_node(terminal, drive, exec_fields=SOON, terminal_fields=QUICK, engine_fields=IMPATIENT)
