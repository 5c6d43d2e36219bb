"""What becomes of an order: denied, rejected, accepted, or nobody knows."""

from decimal import Decimal

import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import (
    BatchCancelOrders,
    CancelAllOrders,
    CancelOrder,
    GenerateOrderStatusReport,
    ModifyOrder,
    QueryAccount,
)
from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from tradingview_scraper.adapters.mt5.terminal.constants import TradeRetcode

EURUSD = InstrumentId.from_str("EURUSD.MT5")

#: Settings with which the engine gives up an unconfirmed order after less than a second.
IMPATIENT = {
    "inflight_check_interval_ms": 100,
    "inflight_check_threshold_ms": 300,
    "inflight_check_retries": 2,
}
KEEPALIVE = {"inflight_keepalive_secs": 0.1}


@pytest.mark.parametrize(
    "retcode",
    [
        TradeRetcode.REQUOTE,
        TradeRetcode.NO_MONEY,
        TradeRetcode.MARKET_CLOSED,
        TradeRetcode.CLIENT_DISABLES_AT,
    ],
)
def test_scenario_34_refusals_are_rejected_with_the_venues_words(terminal, run_node, retcode):
    async def drive(rig):
        terminal.answer("order_send", int(retcode))
        order = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert rig.names(order) == ["Initialized", "Submitted", "Rejected"]
        assert f"{int(retcode)} {retcode.name}" in rig.events[-1].reason
        after = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert after.status == OrderStatus.FILLED
        assert rig.sends() == 2

    run_node(terminal, drive)


def test_scenario_11_12_lost_reply_is_looked_up_not_resent(terminal, run_node):
    async def drive(rig):
        terminal.lose_reply("order_send", when="after")
        order = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert order.status == OrderStatus.FILLED
        assert [name for name in rig.names(order) if name != "Updated"] == [
            "Initialized",
            "Submitted",
            "Accepted",
            "Filled",
        ]
        (deal,) = [deal for deal in terminal.books()["deals"] if deal["symbol"]]
        assert rig.fills()[0].trade_id.value == str(deal["ticket"])
        assert rig.sends() == 1

    run_node(terminal, drive)


@pytest.mark.parametrize("retcode", [TradeRetcode.TIMEOUT, TradeRetcode.ERROR, 10999])
def test_ambiguous_code_of_an_executed_request_is_found(terminal, run_node, retcode):
    async def drive(rig):
        terminal.answer("order_send", int(retcode), executed=True)
        order = await rig.done(rig.strategy.sell("EURUSD", "1000"))
        assert order.status == OrderStatus.FILLED
        assert "Rejected" not in rig.names(order)
        assert rig.sends() == 1

    run_node(terminal, drive)


def test_unknown_outcome_stays_in_flight_beyond_the_engines_patience(terminal, run_node):
    """The request never reached the broker, but nothing proves it."""

    async def drive(rig):
        terminal.lose_reply("order_send", when="before")
        order = rig.strategy.buy("EURUSD", "1000")
        await rig.until(lambda: rig.names(order).count("Updated") >= 30)
        assert order.status == OrderStatus.SUBMITTED
        assert order.quantity == 1_000
        with pytest.raises(RuntimeError, match="not known yet: it is looked up"):
            await rig.client.generate_order_status_report(
                GenerateOrderStatusReport(
                    instrument_id=EURUSD,
                    client_order_id=order.client_order_id,
                    venue_order_id=None,
                    command_id=UUID4(),
                    ts_init=0,
                )
            )
        assert rig.sends() == 1
        assert terminal.books()["positions"] == []

    run_node(terminal, drive, engine_fields=IMPATIENT, exec_fields=KEEPALIVE)


def test_slow_broker_is_waited_for(terminal, run_node):
    async def drive(rig):
        terminal.slow(3.0, "order_send")
        order = rig.strategy.buy("EURUSD", "1000")
        await rig.until(lambda: rig.names(order).count("Updated") >= 10)
        assert order.status == OrderStatus.SUBMITTED
        await rig.done(order)
        assert order.status == OrderStatus.FILLED
        assert rig.names(order).count("Filled") == 1
        assert rig.sends() == 1

    run_node(terminal, drive, engine_fields=IMPATIENT, exec_fields=KEEPALIVE)


def test_orders_leave_in_the_order_of_the_commands(terminal, run_node):
    async def drive(rig):
        orders = [rig.strategy.buy("EURUSD", str(1_000 * n)) for n in range(1, 6)]
        for order in orders:
            await rig.done(order)
        volumes = [deal["volume"] for deal in terminal.books()["deals"] if deal["symbol"]]
        assert volumes == [0.01, 0.02, 0.03, 0.04, 0.05]
        assert [fill.client_order_id for fill in rig.fills()] == [
            order.client_order_id for order in orders
        ]

    run_node(terminal, drive)


def test_unsupported_orders_are_denied_before_they_are_submitted(terminal, run_node):
    async def drive(rig):
        factory, submit = rig.strategy.order_factory, rig.strategy.submit_order
        instrument = rig.cache.instrument(EURUSD)
        units, price = instrument.make_qty(1_000), Price.from_str("1.00000")
        touched = factory.market_if_touched(EURUSD, OrderSide.BUY, units, price)
        submit(touched)
        bracket = factory.bracket(
            EURUSD,
            OrderSide.BUY,
            units,
            sl_trigger_price=price,
            sl_order_type=OrderType.TRAILING_STOP_MARKET,
            sl_trailing_offset=Decimal("0.00100"),
            tp_price=Price.from_str("2.00000"),
        )
        rig.strategy.submit_order_list(bracket)
        with_size = factory.market(EURUSD, OrderSide.BUY, units)
        submit(with_size, params={"size": 1.0})
        reduce = factory.market(EURUSD, OrderSide.SELL, units, reduce_only=True)
        submit(reduce)
        reasons = {
            touched: "UNSUPPORTED_ORDER_TYPE",
            with_size: "UNSUPPORTED_PARAMS",
            reduce: "VALIDATION_FAILED",
            **dict.fromkeys(bracket.orders, "UNSUPPORTED_ORDER_LIST"),
        }
        for order, code in reasons.items():
            await rig.done(order)
            assert rig.names(order) == ["Initialized", "Denied"]
            assert order.last_event.reason.startswith(f"{code}: ")
        assert rig.sends() == 0

    run_node(terminal, drive)


def test_list_of_independent_orders_is_sent_order_by_order(terminal, run_node):
    async def drive(rig):
        factory = rig.strategy.order_factory
        orders = [
            factory.market(EURUSD, side, Quantity.from_int(1_000))
            for side in (OrderSide.BUY, OrderSide.SELL)
        ]
        rig.strategy.submit_order_list(factory.create_list(orders))
        for order in orders:
            await rig.done(order)
            assert rig.names(order) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert rig.sends() == 2

    run_node(terminal, drive)


def test_cancel_and_modify_are_refused_with_the_truth(terminal, run_node):
    """A cancel after the fill must not trade anything."""

    async def drive(rig):
        position = await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        order = rig.cache.orders()[0]
        shared = {
            "trader_id": order.trader_id,
            "strategy_id": order.strategy_id,
            "instrument_id": EURUSD,
            "command_id": UUID4(),
            "ts_init": 0,
        }
        one = {"client_order_id": order.client_order_id, "venue_order_id": order.venue_order_id}
        cancel = CancelOrder(**shared, **one)
        rig.client.cancel_order(cancel)
        rig.client.batch_cancel_orders(BatchCancelOrders(cancels=[cancel], **shared))
        rig.client.cancel_all_orders(CancelAllOrders(order_side=OrderSide.NO_ORDER_SIDE, **shared))
        rig.client.modify_order(
            ModifyOrder(quantity=order.quantity, price=None, trigger_price=None, **shared, **one)
        )
        await rig.until(lambda: len(rig.names(order)) == 7)
        assert rig.names(order)[4:] == ["CancelRejected", "CancelRejected", "ModifyRejected"]
        for event in rig.events[-3:]:
            assert "FILLED" in event.reason
        assert order.status == OrderStatus.FILLED
        assert position.is_open
        assert rig.sends() == 1

    run_node(terminal, drive)


def test_account_is_queried_on_demand(terminal, run_node):
    async def drive(rig):
        before = len(rig.states)
        rig.client.query_account(
            QueryAccount(
                trader_id=rig.node.trader_id,
                account_id=rig.client.account_id,
                command_id=UUID4(),
                ts_init=0,
            )
        )
        await rig.until(lambda: len(rig.states) > before)

    run_node(terminal, drive)


def test_scenario_10_terminal_that_is_gone_takes_no_orders_and_later_does(terminal, run_node):
    async def drive(rig):
        await rig.until(lambda: rig.strategy.quotes)
        terminal.kill()
        await rig.until(lambda: not rig.client._mt5.is_ready)
        order = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert order.status in (OrderStatus.DENIED, OrderStatus.REJECTED)
        terminal.start()
        await rig.until(lambda: rig.client._mt5.is_ready, 40)
        later = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert later.status == OrderStatus.FILLED
        assert len([deal for deal in terminal.books()["deals"] if deal["symbol"]]) == 1

    run_node(terminal, drive, terminal_fields={"restart_delay_ms": 50})


def test_order_without_margin_is_denied_by_its_check_and_never_sent(terminal, run_node):
    async def drive(rig):
        order = await rig.done(rig.strategy.buy("EURUSD", "10000000"))
        assert rig.names(order) == ["Initialized", "Denied"]
        assert "10019" in order.last_event.reason
        assert rig.sends() == 0
        small = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert rig.names(small) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert rig.sends() == 1

    run_node(terminal, drive, exec_fields={"check_orders": True}, risk_fields={"bypass": True})


def test_checked_orders_leave_in_the_order_of_the_commands(terminal, run_node):
    async def drive(rig):
        orders = [rig.strategy.buy("EURUSD", str(1_000 * n)) for n in range(1, 6)]
        for order in orders:
            await rig.done(order)
        volumes = [deal["volume"] for deal in terminal.books()["deals"] if deal["symbol"]]
        assert volumes == [0.01, 0.02, 0.03, 0.04, 0.05]

    run_node(terminal, drive, exec_fields={"check_orders": True})
