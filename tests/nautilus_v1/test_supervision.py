"""What a node does while its terminal, or the terminal's link to the server, is down."""

import asyncio

import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import (
    GenerateFillReports,
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
    GeneratePositionStatusReports,
)
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price

from tradingview_scraper.adapters.mt5.client import Lane, State
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error

EURUSD = InstrumentId.from_str("EURUSD.MT5")
GBPUSD = InstrumentId.from_str("GBPUSD.MT5")
QUICK = {"link_poll_ms": 10, "restart_delay_ms": 50}


def go_dark(terminal, how):
    if how == "link":
        terminal.set_connected(False)
    else:
        terminal.kill()


def come_back(terminal, how):
    if how == "link":
        terminal.set_connected(True)
    else:
        terminal.start()


async def mass_status(rig):
    """A lane that had nothing to do learns with its next call that its terminal was replaced."""
    while True:
        await rig.until(lambda: rig.client._mt5.is_ready, 40)
        try:
            return await rig.client.generate_mass_status(60)
        except MT5Error:
            await asyncio.sleep(0.01)


async def working(rig):
    instrument = rig.cache.instrument(EURUSD)
    quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
    order = rig.strategy.order_factory.limit(
        EURUSD,
        OrderSide.BUY,
        instrument.make_qty(1_000),
        instrument.make_price(float(quote.bid_price) - 0.005),
    )
    rig.strategy.submit_order(order)
    await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
    return order


def questions(client, order):
    shared = {"command_id": UUID4(), "ts_init": 0}
    one = {"instrument_id": EURUSD, "venue_order_id": order.venue_order_id}
    span = {"instrument_id": None, "start": None, "end": None}
    report, whole = GenerateOrderStatusReport, GenerateOrderStatusReports
    return [
        client.generate_order_status_report(
            report(client_order_id=order.client_order_id, **one, **shared)
        ),
        client.generate_order_status_reports(whole(open_only=True, **span, **shared)),
        client.generate_fill_reports(GenerateFillReports(venue_order_id=None, **span, **shared)),
        client.generate_position_status_reports(GeneratePositionStatusReports(**span, **shared)),
        client.generate_mass_status(60),
    ]


@pytest.mark.parametrize("how", ["link", "terminal"])
def test_while_lost_nothing_is_sent_and_no_report_is_empty(terminal, run_node, how):
    async def drive(rig):
        order = await working(rig)
        go_dark(terminal, how)
        await rig.until(lambda: not rig.client._mt5.state.may_trade)
        late = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert rig.names(late) == ["Initialized", "Denied"]
        assert late.last_event.reason.startswith("TRADING_HALTED: the terminal is lost: ")
        rig.strategy.modify_order(order, price=Price(float(order.price) - 0.001, 5))
        await rig.until(lambda: rig.names(order)[-1] == "ModifyRejected")
        rig.strategy.cancel_order(order)
        await rig.until(lambda: rig.names(order)[-1] == "CancelRejected")
        assert rig.events[-1].reason.startswith("TRADING_HALTED: ")
        for question in questions(rig.client, order):
            with pytest.raises(RuntimeError, match="not known: the terminal is lost"):
                await question

        come_back(terminal, how)
        await rig.until(lambda: rig.client._mt5.state.may_trade and rig.client._mt5.is_ready, 40)
        sent = rig.sends()
        assert sent == (1 if how == "link" else 0)
        await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        rig.strategy.cancel_order(order)
        await rig.done(order)
        assert order.status == OrderStatus.CANCELED
        mass = await mass_status(rig)
        assert len(mass.position_reports) == 1

    run_node(terminal, drive, terminal_fields=QUICK)


def test_every_state_is_published_with_what_helps(terminal, run_node):
    async def drive(rig):
        heard = []
        rig.node.kernel.msgbus.subscribe("data.MT5TerminalStatus", heard.append)
        terminal.set_connected(False)
        await rig.until(lambda: heard)
        (lost,) = heard
        assert (lost.lane, lost.state, lost.may_trade) == ("", "lost", False)
        assert "no link to its trade server" in lost.reason and "connection status" in lost.remedy
        assert lost.account == "MT5-5001234"
        terminal.set_connected(True)
        await rig.until(lambda: len(heard) == 2)
        assert (heard[1].state, heard[1].may_trade) == (State.ATTACHED, True)
        terminal.drop_connections()
        await rig.until(lambda: {status.lane for status in heard} >= {"trade", "quotes"})
        await rig.until(lambda: (heard[-1].lane, heard[-1].state) != ("", "lost"), 40)
        await rig.until(lambda: rig.client._mt5.is_ready, 40)

    run_node(terminal, drive, terminal_fields=QUICK)


@pytest.mark.parametrize("trades", [False, True])
def test_each_change_is_published_once_whichever_clients_a_node_has(terminal, run_node, trades):
    heard = []

    def whole():
        return [(one.state, one.may_trade, one.account) for one in heard if not one.lane]

    async def drive(rig):
        account = "MT5-5001234" if trades else ""
        rig.node.kernel.msgbus.subscribe("data.MT5TerminalStatus", heard.append)
        await rig.until(lambda: rig.strategy.is_running, 60)
        assert [(state, may_trade) for state, may_trade, _ in whole()] == [("attached", True)]
        assert sorted(one.lane for one in heard) == ["", *sorted(Lane)]
        heard.clear()
        terminal.set_connected(False)
        await rig.until(whole)
        terminal.set_connected(True)
        await rig.until(lambda: len(whole()) == 2)
        terminal.set_connected(False)
        await rig.until(lambda: len(whole()) == 3)
        lost, attached = ("lost", False, account), ("attached", True, account)
        assert whole() == [lost, attached, lost]

    run_node(terminal, drive, terminal_fields=QUICK, trades=trades, starts=False, start_secs=30.0)


def test_a_subscription_made_while_a_lane_is_down_waits_for_it(terminal, run_node):
    async def drive(rig):
        client = rig.client._mt5
        before = await rig.until(lambda: rig.client._mt5.pids.get("quotes"))
        terminal.hang(600.0, "symbol_select")
        rig.strategy.subscribe_quote_ticks(GBPUSD)
        await rig.until(lambda: client.pids.get("quotes") not in (None, before), 40)
        terminal.clear_faults()
        await rig.until(lambda: rig.cache.quote_tick(GBPUSD), 60)

    run_node(
        terminal,
        drive,
        terminal_fields={**QUICK, "call_timeout_secs": 1.0},
    )


def test_history_asked_of_a_terminal_without_its_server_is_not_answered_from_old_data(
    terminal, run_node
):
    async def drive(rig):
        terminal.advance(60)
        terminal.set_connected(False)
        await rig.until(lambda: not rig.client._mt5.state.may_trade)
        answered = []
        got = []
        rig.node.kernel.msgbus.subscribe("historical*", got.append)
        now = rig.strategy.clock.utc_now()
        rig.strategy.request_quote_ticks(
            EURUSD, start=now.replace(year=2025, month=3, day=10), callback=answered.append
        )
        await rig.until(lambda: answered)
        assert not any(isinstance(one, QuoteTick) for one in got)

    run_node(terminal, drive, terminal_fields=QUICK)


def test_a_node_does_not_start_on_old_news(terminal, run_node):
    terminal.set_connected(False)

    async def drive(rig):
        await rig.until(lambda: not rig.node.kernel.is_running() or True)
        assert not rig.strategy.is_running

    run_node(terminal, drive, terminal_fields={"attach_timeout_secs": 2.0}, starts=False)
