"""What stops trading, and what raises an alarm: limits, the day's loss, permissions, protection."""

import threading

import numpy as np
import pytest
from click.testing import CliRunner
from nautilus_trader.model.data import DataType
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import ClientId

from tests.nautilus_v1.conftest import instrument_id
from tradingview_scraper.adapters.mt5.cli.main import main
from tradingview_scraper.adapters.mt5.nautilus_v1.config import MT5GuardsConfig
from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5Alarm
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    TradeAction,
)
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

BY_HAND = {"action": int(TradeAction.DEAL), "type_filling": int(OrderFilling.IOC)}
NETTING = {
    "extends": "demo-netting",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
}
NOW = {"extends": "demo-hedging", "prices": {"synthetic": True, "always_open": True}}


def push(terminal, symbol, bid, ask):
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = bid, ask
    terminal.push_ticks(symbol, rows)


def guarded(**limits):
    return {"exec_fields": {"guards": MT5GuardsConfig(**limits)}}


def alarms_of(rig):
    """Alarms that come from now on, as a strategy hears them."""
    heard = []
    rig.node.kernel.msgbus.subscribe("data.MT5Alarm", heard.append)
    return heard


def kinds(alarms):
    return [(alarm.kind, alarm.is_over) for alarm in alarms]


async def denied(rig, order):
    await rig.done(order)
    assert order.status == OrderStatus.DENIED
    assert rig.names(order) == ["Initialized", "Denied"]
    return order.last_event.reason


@pytest.mark.parametrize(
    "name",
    [
        "max_order_lots",
        "max_order_notional",
        "max_orders_per_minute",
        "max_open_lots",
        "max_open_lots_per_symbol",
        "max_daily_loss",
    ],
)
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_limit_that_cannot_work_is_refused_by_name(name, value):
    with pytest.raises(MT5ConfigError, match=name):
        MT5GuardsConfig(**{name: value})


def test_order_above_the_largest_volume_is_denied_and_a_close_is_not(terminal, run_node):
    ticket = terminal.trade_by_hand(
        **BY_HAND, symbol="EURUSD", type=int(OrderType.BUY), volume=0.5
    )["order"]

    async def drive(rig):
        reason = await denied(rig, rig.strategy.buy("EURUSD", "11000"))
        assert reason == "GUARD_ORDER_LOTS: lots in one order=0.11, limit=0.1"
        assert rig.sends() == 0
        await rig.opened(rig.strategy.buy("EURUSD", "10000"))
        (large,) = [p for p in rig.cache.positions_open() if p.id.value == str(ticket)]
        await rig.done(rig.strategy.sell("EURUSD", "50000", position=large, reduce_only=True))
        assert large.is_closed

    run_node(terminal, drive, **guarded(max_order_lots=0.1))


def test_order_above_the_largest_value_is_denied_in_the_accounts_currency(terminal, run_node):
    """1,000 units of a pair quoted in yen are worth about 1,000 dollars on a dollar account."""

    async def drive(rig):
        await rig.opened(rig.strategy.buy("USDJPY", "1000"))
        reason = await denied(rig, rig.strategy.buy("USDJPY", "2000"))
        assert reason.startswith("GUARD_ORDER_NOTIONAL: ") and "limit=1500" in reason
        figure = float(reason.split("=")[1].split(",")[0])
        assert figure == pytest.approx(2_000, rel=0.01)

    run_node(terminal, drive, symbols=("EURUSD", "USDJPY"), **guarded(max_order_notional=1_500.0))


def test_orders_in_one_burst_count_for_the_rate(terminal, run_node):
    async def drive(rig):
        orders = [rig.strategy.buy("EURUSD", "1000") for _ in range(5)]
        for order in orders:
            await rig.done(order)
        statuses = [order.status for order in orders]
        assert statuses == [OrderStatus.FILLED] * 3 + [OrderStatus.DENIED] * 2
        assert (
            "GUARD_ORDER_RATE: orders within 60 seconds=4, limit=3" in orders[3].last_event.reason
        )
        assert rig.sends() == 3

    run_node(terminal, drive, **guarded(max_orders_per_minute=3))


def test_orders_in_one_burst_count_as_open_before_they_are_filled(terminal, run_node):
    async def drive(rig):
        terminal.slow(0.2, "order_send")
        orders = [rig.strategy.buy("EURUSD", "10000") for _ in range(4)]
        for order in orders:
            await rig.done(order)
        statuses = [order.status for order in orders]
        assert statuses == [OrderStatus.FILLED] * 2 + [OrderStatus.DENIED] * 2
        assert orders[2].last_event.reason.startswith("GUARD_OPEN_LOTS: ")
        # Opposite tickets of a hedging account add up.
        assert "GUARD_OPEN_LOTS" in await denied(rig, rig.strategy.sell("EURUSD", "10000"))

    run_node(terminal, drive, **guarded(max_open_lots=0.25))


def test_open_lots_count_what_was_opened_by_hand(terminal, run_node):
    terminal.trade_by_hand(**BY_HAND, symbol="USDJPY", type=int(OrderType.BUY), volume=0.2)

    async def drive(rig):
        reason = await denied(rig, rig.strategy.buy("EURUSD", "10000"))
        assert "=0.3, limit=0.25" in reason

    run_node(terminal, drive, **guarded(max_open_lots=0.25))


def test_netted_position_can_be_closed_and_not_turned_beyond_the_limit(terminal, run_node):
    terminal.reset(NETTING)
    login = terminal.books()["account"]["login"]

    async def drive(rig):
        position = await rig.opened(rig.strategy.buy("EURUSD", "10000"))
        assert "GUARD_SYMBOL_LOTS" in await denied(rig, rig.strategy.buy("EURUSD", "10000"))
        assert "GUARD_SYMBOL_LOTS" in await denied(rig, rig.strategy.sell("EURUSD", "30000"))
        await rig.done(rig.strategy.sell("EURUSD", "10000"))
        assert position.is_closed

    run_node(
        terminal,
        drive,
        oms_type="NETTING",
        terminal_fields={"login": login},
        **guarded(max_open_lots_per_symbol=0.15),
    )


def test_daily_loss_stops_opening_until_the_servers_midnight(terminal, run_node):
    async def drive(rig):
        alarms = alarms_of(rig)
        first = await rig.opened(rig.strategy.buy("EURUSD", "100000"))
        second = await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        push(terminal, "EURUSD", 1.0, 1.0001)
        await rig.done(rig.strategy.sell("EURUSD", "100000", position=first))
        await rig.until(lambda: alarms)
        assert kinds(alarms) == [("DAILY_LOSS", False)]
        assert alarms[0].figure >= alarms[0].limit == 50.0
        reason = await denied(rig, rig.strategy.buy("EURUSD", "1000"))
        assert reason.startswith("GUARD_DAILY_LOSS: ") and "limit=50.00" in reason
        await rig.done(rig.strategy.sell("EURUSD", "1000", position=second))
        assert second.is_closed
        terminal.advance(86_400)
        terminal.trade_by_hand(**BY_HAND, symbol="EURUSD", type=int(OrderType.BUY), volume=0.01)
        await rig.until(lambda: len(alarms) == 2)
        assert kinds(alarms)[1] == ("DAILY_LOSS", True)
        order = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert order.status == OrderStatus.FILLED

    run_node(terminal, drive, **guarded(max_daily_loss=50.0, daily_loss_counts_floating=False))


def test_floating_loss_stops_opening(terminal, run_node):
    async def drive(rig):
        alarms = alarms_of(rig)
        await rig.opened(rig.strategy.buy("EURUSD", "100000"))
        push(terminal, "EURUSD", 1.0, 1.0001)
        await rig.until(lambda: alarms)
        assert "GUARD_DAILY_LOSS" in await denied(rig, rig.strategy.buy("EURUSD", "1000"))

    run_node(
        terminal,
        drive,
        terminal_fields={"account_poll_ms": 20},
        **guarded(max_daily_loss=50.0),
    )


def test_restarted_node_knows_the_loss_of_its_day(terminal, run_node):
    terminal.reset(NOW)
    opened = terminal.trade_by_hand(**BY_HAND, symbol="EURUSD", type=int(OrderType.BUY), volume=1.0)
    terminal.trade_by_hand(
        **BY_HAND,
        symbol="EURUSD",
        type=int(OrderType.SELL),
        volume=1.0,
        position=opened["order"],
    )
    lost = -sum(d["profit"] + d["commission"] for d in terminal.books()["deals"] if d["symbol"])
    assert lost > 7

    async def drive(rig):
        assert "GUARD_DAILY_LOSS" in await denied(rig, rig.strategy.buy("EURUSD", "1000"))
        assert rig.sends() == 0

    run_node(terminal, drive, **guarded(max_daily_loss=6.0, daily_loss_counts_floating=False))


def test_switched_off_autotrading_denies_and_says_where_the_button_is(terminal, run_node):
    terminal.set_trade_allowed(False)

    async def drive(rig):
        alarms = alarms_of(rig)
        reason = await denied(rig, rig.strategy.buy("EURUSD", "1000"))
        assert reason.startswith("TRADING_HALTED: automated trading is switched off")
        assert "Algo Trading" in reason and rig.sends() == 0
        terminal.set_trade_allowed(True)
        await rig.until(lambda: alarms)
        assert kinds(alarms) == [("TRADING_NOT_ALLOWED", True)]
        await rig.opened(rig.strategy.buy("EURUSD", "1000"))

    run_node(terminal, drive, terminal_fields={"account_poll_ms": 50})


def test_autotrading_switched_off_meanwhile_is_seen_by_the_answer(terminal, run_node):
    async def drive(rig):
        alarms = alarms_of(rig)
        terminal.set_trade_allowed(False)
        order = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert order.status == OrderStatus.REJECTED and "10027" in order.last_event.reason
        await rig.until(lambda: alarms)
        assert kinds(alarms) == [("TRADING_NOT_ALLOWED", False)]
        assert "TRADING_HALTED" in await denied(rig, rig.strategy.buy("EURUSD", "1000"))
        assert rig.sends() == 1

    run_node(terminal, drive, terminal_fields={"account_poll_ms": 3_600_000})


def test_investor_log_in_denies_with_the_reason(terminal, run_node):
    terminal.reset({"extends": "demo-hedging", "account": {"trade_allowed": False}})

    async def drive(rig):
        assert "investor" in await denied(rig, rig.strategy.buy("EURUSD", "1000"))

    run_node(terminal, drive)


def test_account_switched_by_hand_raises_an_alarm_and_even_closing_stops(terminal, run_node):
    async def drive(rig):
        alarms = alarms_of(rig)
        position = await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        terminal.login(5001235)
        await rig.until(lambda: alarms)
        assert kinds(alarms) == [("ACCOUNT_SWITCHED", False)]
        assert "5001235" in alarms[0].text and alarms[0].account == "MT5-5001234"
        close = rig.strategy.sell("EURUSD", "1000", position=position, reduce_only=True)
        assert "TRADING_HALTED" in await denied(rig, close)
        # Back on its account it stays stopped until somebody connects anew.
        terminal.login(5001234)
        assert "TRADING_HALTED" in await denied(rig, rig.strategy.buy("EURUSD", "1000"))
        assert rig.sends() == 1

    run_node(terminal, drive)


def test_flatten_closes_while_the_nodes_loop_hangs(terminal, run_node):
    async def drive(rig):
        position = await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        options = ["--path", terminal.path, "--library", SIMULATOR_MODULE, "--login", "5001234"]
        told = []

        def flatten():
            told.append(CliRunner().invoke(main, ["flatten", "--magic", "1000", "--yes", *options]))

        thread = threading.Thread(target=flatten)
        thread.start()
        # On the node's loop, which serves nothing meanwhile.
        thread.join(60)
        assert told[0].exit_code == 0, told[0].output
        assert terminal.books()["positions"] == []
        await rig.until(lambda: position.is_closed)

    run_node(terminal, drive)


def set_stop(terminal, position, sl):
    terminal.trade_by_hand(
        action=int(TradeAction.SLTP), symbol="EURUSD", position=int(position.id.value), sl=sl
    )


@pytest.mark.parametrize("restores", [False, True])
def test_stop_loss_cleared_by_hand_raises_an_alarm_and_is_restored_if_asked(
    terminal, run_node, restores
):
    async def drive(rig):
        alarms = alarms_of(rig)
        position = await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        sl = round(position.avg_px_open - 0.01, 5)
        audit = rig.client._session.safety.protection
        audit.expect(int(position.id.value), sl=sl)
        set_stop(terminal, position, sl)
        await rig.until(lambda: terminal.books()["positions"][0]["sl"] == sl)
        set_stop(terminal, position, 0.0)
        await rig.until(lambda: alarms)
        assert kinds(alarms[:1]) == [("STOP_LOSS_MISSING", False)]
        assert (alarms[0].symbol, alarms[0].position) == ("EURUSD", int(position.id.value))
        if restores:
            await rig.until(lambda: len(alarms) == 2)
            assert kinds(alarms)[1] == ("STOP_LOSS_MISSING", True)
            assert terminal.books()["positions"][0]["sl"] == sl
        else:
            assert terminal.books()["positions"][0]["sl"] == 0.0
            assert rig.sends() == 1

    run_node(terminal, drive, exec_fields={"restore_stop_loss": restores})


def test_stop_loss_of_an_order_of_an_earlier_run_is_missed_when_it_is_cleared(terminal, run_node):
    orders = []

    async def first(rig):
        quote = await rig.until(lambda: rig.cache.quote_tick(instrument_id("EURUSD")))
        instrument = rig.cache.instrument(quote.instrument_id)
        at = float(quote.bid_price) - 0.005
        order = rig.strategy.order_factory.limit(
            instrument.id, OrderSide.BUY, instrument.make_qty(1_000), instrument.make_price(at)
        )
        rig.strategy.submit_order(order, params={"sl": round(at - 0.01, 5)})
        await rig.until(lambda: order.is_open)
        orders.append(order)

    async def again(rig):
        alarms = alarms_of(rig)
        (order,) = rig.cache.orders()
        at = float(order.price)
        push(terminal, "EURUSD", at - 0.0002, at - 0.0001)
        await rig.done(order)
        (position,) = await rig.until(rig.cache.positions_open)
        assert terminal.books()["positions"][0]["sl"] == pytest.approx(at - 0.01)
        set_stop(terminal, position, 0.0)
        await rig.until(lambda: alarms)
        assert kinds(alarms) == [("STOP_LOSS_MISSING", False)]

    run_node(terminal, first)
    run_node(terminal, again, remembered=orders)


def test_stop_loss_that_the_venue_does_not_take_again_raises_an_alarm(terminal, run_node):
    async def drive(rig):
        alarms = alarms_of(rig)
        position = await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        audit = rig.client._session.safety.protection
        audit.expect(int(position.id.value), sl=round(position.avg_px_open + 0.01, 5))
        await rig.until(lambda: len(alarms) == 2)
        assert [alarm.kind for alarm in alarms] == ["STOP_LOSS_MISSING", "STOP_LOSS_NOT_RESTORED"]
        assert "10016" in alarms[1].text

    run_node(terminal, drive, exec_fields={"restore_stop_loss": True})


def test_margin_call_and_stop_out_raise_alarms(terminal, run_node):
    terminal.reset(
        {
            "extends": "demo-hedging",
            "account": {"balance": 1_500.0, "margin_so_call": 90.0, "margin_so_so": 0.1},
            "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
        }
    )

    async def drive(rig):
        alarms = alarms_of(rig)
        position = await rig.opened(rig.strategy.buy("EURUSD", "100000"))
        fell = position.avg_px_open - 0.0080
        push(terminal, "EURUSD", fell, fell + 0.0001)
        await rig.until(lambda: alarms)
        assert kinds(alarms) == [("MARGIN_CALL", False)]
        assert alarms[0].figure < alarms[0].limit == 90.0
        push(terminal, "EURUSD", fell + 0.0080, fell + 0.0081)
        await rig.until(lambda: len(alarms) == 2)
        assert kinds(alarms)[1] == ("MARGIN_CALL", True)

    run_node(terminal, drive, terminal_fields={"account_poll_ms": 20})


def test_server_clock_of_another_zone_raises_an_alarm(terminal, run_node):
    terminal.reset({**NOW, "clock": {"mode": "real", "zone": "UTC-4"}})

    async def drive(rig):
        alarms, received = alarms_of(rig), []
        rig.strategy.on_data = received.append
        rig.strategy.subscribe_data(DataType(MT5Alarm), client_id=ClientId("MT5"))
        await rig.until(lambda: alarms, 30.0)
        assert kinds(alarms) == [("SERVER_CLOCK_WRONG", False)]
        assert "set server_time_zone" in alarms[0].text
        assert received == alarms

    run_node(terminal, drive, symbols=("EURUSD", "GBPUSD"))


def test_account_is_published_on_a_timer_while_only_prices_move(terminal, run_node):
    async def drive(rig):
        await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        before = len(rig.states)
        bid = 1.2
        while len(rig.states) < before + 3:
            bid += 0.0001
            push(terminal, "EURUSD", bid, bid + 0.0001)
            seen = len(rig.states)
            await rig.until(lambda seen=seen: len(rig.states) > seen)
        floating = [state.info["profit"] for state in rig.states[-3:]]
        assert len(set(floating)) == 3

    run_node(terminal, drive, terminal_fields={"account_poll_ms": 20})


def test_margin_of_a_position_is_the_terminals_without_a_leverage_of_the_account(
    terminal, run_node
):
    """The instrument's rates contain the leverage: Nautilus' own must not divide once more."""

    async def drive(rig):
        position = await rig.opened(rig.strategy.buy("EURUSD", "100000"))
        await rig.until(lambda: rig.cache.account(rig.client.account_id).balance_locked())
        account = rig.cache.account(rig.client.account_id)
        instrument = rig.cache.instrument(position.instrument_id)
        price = instrument.make_price(position.avg_px_open)
        assert account.default_leverage == 1 and account.leverages() == {}
        margin = account.calculate_margin_init(instrument, position.quantity, price)
        assert margin.as_double() == pytest.approx(terminal.books()["account"]["margin"], rel=1e-4)

    run_node(terminal, drive)
