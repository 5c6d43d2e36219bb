"""What others do on the account: a person, the server, an earlier run."""

import numpy as np
import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import PositionClosed, PositionOpened
from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    TradeAction,
)
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

NETTING = {
    "extends": "demo-netting",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
}

BY_HAND = {"action": int(TradeAction.DEAL), "type_filling": int(OrderFilling.IOC)}


def push(terminal, symbol, bid, ask):
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = bid, ask
    terminal.push_ticks(symbol, rows)


def last_deal(terminal):
    return terminal.books()["deals"][-1]


def on_netting(terminal):
    login = terminal.books()["account"]["login"]
    return {"oms_type": "NETTING", "terminal_fields": {"login": login}}


def check_external(rig, position, deal):
    """The strategy's position was closed by somebody else's order, at the deal's price."""
    fill = rig.fills()[-1]
    assert fill.strategy_id.value == "EXTERNAL"
    assert fill.trade_id.value == str(deal["ticket"])
    assert float(fill.last_px) == pytest.approx(deal["price"], abs=1e-9)
    assert fill.commission.as_double() == pytest.approx(-deal["commission"])
    order = rig.cache.order(fill.client_order_id)
    assert order.status == OrderStatus.FILLED
    assert order.venue_order_id.value == str(deal["order"])
    (closed,) = [event for event in rig.strategy.heard if isinstance(event, PositionClosed)]
    assert closed.position_id == position.id
    assert closed.strategy_id == rig.strategy.id
    assert rig.cache.positions_open() == []


def test_scenario_22_closing_by_hand_closes_the_strategys_ticket_at_the_deals_price(
    terminal, run_node
):
    async def drive(rig):
        position = await rig.opened(rig.strategy.buy("EURUSD", "100000"))
        terminal.trade_by_hand(
            **BY_HAND,
            symbol="EURUSD",
            type=int(OrderType.SELL),
            volume=1.0,
            position=int(position.id.value),
        )
        await rig.until(lambda: position.is_closed)
        check_external(rig, position, last_deal(terminal))

    run_node(terminal, drive)


def test_scenario_22_stop_loss_hit_closes_the_position_at_the_deals_price(terminal, run_node):
    async def drive(rig):
        position = await rig.opened(rig.strategy.buy("EURUSD", "100000"))
        opened = position.avg_px_open
        terminal.trade_by_hand(
            action=int(TradeAction.SLTP),
            symbol="EURUSD",
            position=int(position.id.value),
            sl=round(opened - 0.0010, 5),
        )
        push(terminal, "EURUSD", opened - 0.0012, opened - 0.0011)
        await rig.until(lambda: position.is_closed)
        deal = last_deal(terminal)
        assert deal["reason"] == 4
        check_external(rig, position, deal)

    run_node(terminal, drive)


def test_netted_position_that_is_closed_by_hand_and_by_its_strategy_at_once_is_turned(
    terminal, run_node
):
    """Our deal, the later one, is heard first: the server's answer comes ahead of the feed."""
    terminal.reset(NETTING)

    async def drive(rig):
        await rig.opened(rig.strategy.buy("EURUSD", "3000"))
        by_hand = {"symbol": "EURUSD", "type": int(OrderType.SELL), "volume": 0.03}
        terminal.trade_by_hand(**BY_HAND, **by_hand)
        await rig.done(rig.strategy.sell("EURUSD", "3000"))
        await rig.until(lambda: len(rig.fills()) == 3)
        (position,) = await rig.until(rig.cache.positions_open)
        assert position.signed_decimal_qty() == -3_000
        (held,) = terminal.books()["positions"]
        assert (held["type"], held["volume"]) == (1, 0.03)

    fields = on_netting(terminal)
    fields["terminal_fields"]["trade_poll_ms"] = 500
    run_node(terminal, drive, **fields)


def test_ticket_opened_by_hand_is_a_position_and_can_be_closed_by_its_id(terminal, run_node):
    async def drive(rig):
        answer = terminal.trade_by_hand(
            **BY_HAND, symbol="USDJPY", type=int(OrderType.BUY), volume=0.5
        )
        position = await rig.until(lambda: next(iter(rig.cache.positions_open()), None))
        assert position.id.value == str(answer["order"])
        assert position.instrument_id.value == "USDJPY.MT5"
        assert position.signed_decimal_qty() == 50_000
        assert position.strategy_id.value == "EXTERNAL"
        await rig.done(rig.strategy.sell("USDJPY", "50000", position=position, reduce_only=True))
        assert position.is_closed
        assert terminal.books()["positions"] == []

    # Not loaded by anyone: the deal itself brings the instrument.
    run_node(terminal, drive, symbols=["EURUSD"])


def test_opened_and_closed_by_hand_within_one_reading(terminal, run_node):
    async def drive(rig):
        for _ in range(3):
            answer = terminal.trade_by_hand(
                **BY_HAND, symbol="EURUSD", type=int(OrderType.SELL), volume=0.2
            )
            terminal.trade_by_hand(
                **BY_HAND,
                symbol="EURUSD",
                type=int(OrderType.BUY),
                volume=0.2,
                position=answer["order"],
            )
        await rig.until(lambda: len(rig.fills()) == 6)
        assert rig.cache.positions_open() == []
        assert {position.entry for position in rig.cache.positions()} == {OrderSide.SELL}
        assert len(rig.cache.positions()) == 3

    run_node(terminal, drive, terminal_fields={"trade_poll_ms": 500})


def test_scenario_09_restarted_node_has_the_open_positions_and_their_prices(terminal, run_node):
    """One in a currency that the portfolio has to convert before the trader may start."""
    tickets = {}

    async def first(rig):
        for symbol, units in (("EURUSD", "1000"), ("USDJPY", "100000"), ("Germany 40", "0.5")):
            position = await rig.opened(rig.strategy.buy(symbol, units))
            tickets[position.id] = position
        closed = await rig.opened(rig.strategy.buy("EURUSD", "2000"))
        await rig.done(rig.strategy.sell("EURUSD", "2000", position=closed))
        tickets[closed.id] = closed

    async def second(rig):
        found = {position.id: position for position in rig.cache.positions()}
        assert found.keys() == tickets.keys()
        for name, position in tickets.items():
            again = found[name]
            assert again.signed_decimal_qty() == position.signed_decimal_qty()
            assert again.avg_px_open == pytest.approx(position.avg_px_open)
            assert again.realized_pnl == position.realized_pnl
            assert again.trade_ids == position.trade_ids
        assert rig.sends() == 5
        for position in rig.cache.positions_open():
            assert rig.node.portfolio.unrealized_pnl(position.instrument_id) is not None
            symbol = position.instrument_id.symbol.value
            await rig.done(rig.strategy.sell(symbol, str(position.quantity), position=position))
        assert terminal.books()["positions"] == []
        assert rig.cache.positions_open() == []

    run_node(terminal, first, symbols=["EURUSD", "USDJPY", "Germany 40"])
    run_node(terminal, second, symbols=["EURUSD"])


def test_own_fill_and_close_by_hand_of_one_reading_come_in_their_order(terminal, run_node):
    """The engine queues events and takes reports at once: the close must not overtake."""

    async def drive(rig):
        terminal.lose_reply("order_send", when="after")
        order = rig.strategy.buy("EURUSD", "1000")
        (held,) = await rig.until(lambda: terminal.books()["positions"])
        terminal.trade_by_hand(
            **BY_HAND,
            symbol="EURUSD",
            type=int(OrderType.SELL),
            volume=0.01,
            position=held["ticket"],
        )
        await rig.until(lambda: len(rig.fills()) == 2)
        own, closing = rig.fills()
        assert own.client_order_id == order.client_order_id
        (position,) = rig.cache.positions()
        assert position.entry == OrderSide.BUY
        check_external(rig, position, last_deal(terminal))
        assert closing.position_id == own.position_id

    run_node(terminal, drive, terminal_fields={"restart_delay_ms": 1_000})


def test_position_older_than_the_look_back_is_there_and_can_be_closed_by_hand(terminal, run_node):
    """The terminal's clock is long past: nothing of it lies in the last minutes."""

    async def first(rig):
        await rig.opened(rig.strategy.sell("EURUSD", "1000"))

    async def second(rig):
        (position,) = rig.cache.positions_open()
        assert position.signed_decimal_qty() == -1_000
        (held,) = terminal.books()["positions"]
        assert position.avg_px_open == pytest.approx(held["price_open"])
        terminal.trade_by_hand(
            **BY_HAND,
            symbol="EURUSD",
            type=int(OrderType.BUY),
            volume=0.01,
            position=held["ticket"],
        )
        await rig.until(lambda: position.is_closed)
        assert len(rig.cache.positions()) == 1

    run_node(terminal, first)
    run_node(terminal, second, engine_fields={"reconciliation_lookback_mins": 5})


def test_closing_what_nautilus_does_not_hold_opens_nothing(terminal, run_node):
    ticket = terminal.trade_by_hand(
        **BY_HAND, symbol="EURUSD", type=int(OrderType.BUY), volume=0.01
    )["order"]

    async def drive(rig):
        terminal.trade_by_hand(
            **BY_HAND,
            symbol="EURUSD",
            type=int(OrderType.SELL),
            volume=0.01,
            position=ticket,
        )
        await rig.opened(rig.strategy.buy("EURUSD", "2000"))
        (position,) = rig.cache.positions()
        assert position.quantity == 2_000

    run_node(terminal, drive, engine_fields={"reconciliation": False})


def test_closing_by_hand_on_a_netting_account_is_the_claiming_strategys(terminal, run_node):
    terminal.reset(NETTING)

    async def drive(rig):
        position = await rig.opened(rig.strategy.buy("EURUSD", "5000"))
        terminal.trade_by_hand(**BY_HAND, symbol="EURUSD", type=int(OrderType.SELL), volume=0.05)
        await rig.until(lambda: position.is_closed)
        fill = rig.fills()[-1]
        assert fill.strategy_id == rig.strategy.id
        assert fill.trade_id.value == str(last_deal(terminal)["ticket"])
        assert rig.cache.positions_open() == []

    run_node(
        terminal,
        drive,
        **on_netting(terminal),
        strategy_fields={"external_order_claims": [InstrumentId.from_str("EURUSD.MT5")]},
    )


def test_restarted_netting_node_has_the_net_position(terminal, run_node):
    terminal.reset(NETTING)

    async def first(rig):
        await rig.opened(rig.strategy.buy("EURUSD", "5000"))
        await rig.done(rig.strategy.sell("EURUSD", "2000"))

    async def second(rig):
        (position,) = rig.cache.positions_open()
        assert position.signed_decimal_qty() == 3_000
        assert [event for event in rig.strategy.heard if isinstance(event, PositionOpened)] == []

    run_node(terminal, first, **on_netting(terminal))
    run_node(terminal, second, **on_netting(terminal))


def test_scenario_33_account_switched_by_hand_takes_no_order(terminal, run_node):
    async def drive(rig):
        await rig.until(lambda: rig.strategy.quotes)
        terminal.login(5001235)
        order = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert order.status in (OrderStatus.REJECTED, OrderStatus.DENIED)
        reason = rig.events[-1].reason
        assert "5001235" in reason or "account" in reason
        later = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert later.status in (OrderStatus.REJECTED, OrderStatus.DENIED)
        assert rig.sends() == 0
        assert [deal for deal in terminal.books()["deals"] if deal["symbol"]] == []

    run_node(terminal, drive)


def test_wrong_oms_type_does_not_start_and_says_which_is_right(terminal, run_node):
    async def drive(rig):
        await rig.until(rig.node.kernel.data_engine.check_connected)
        with pytest.raises(MT5ConfigError, match="5001234 is HEDGING: set oms_type='HEDGING'"):
            await rig.client._connect()
        assert not rig.client.is_connected
        assert not rig.strategy.is_running

    run_node(terminal, drive, oms_type="NETTING", starts=False)
