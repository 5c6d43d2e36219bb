"""Brackets: one order at the server with its stops, whose stops are orders in Nautilus."""

from decimal import Decimal

import pytest
from nautilus_trader.model.enums import (
    ContingencyType,
    OrderSide,
    OrderStatus,
    TrailingOffsetType,
    TriggerType,
)
from nautilus_trader.model.objects import Quantity

from tests.nautilus_v1.bracket_steps import (
    EURUSD,
    SLTP,
    STOP_ACCEPTED,
    accepted,
    asked,
    close_by_hand,
    come_to,
    levels,
    opened,
    position,
    push,
    submit,
    waiting,
)
from tests.nautilus_v1.conftest import CLOCK
from tradingview_scraper.adapters.mt5.terminal.constants import OrderReason, TradeRetcode


@pytest.fixture
def run_exchange(terminal, run_node):
    """Run a node on an exchange account. Each tick that is pushed has one share to trade."""

    def run(drive):
        terminal.reset(
            {
                "extends": "exchange-netting",
                "clock": CLOCK,
                "prices": {"synthetic": False, "always_open": True},
                "broker": {"liquidity_lots": 1.0},
            }
        )
        login = terminal.books()["account"]["login"]
        account = {"oms_type": "NETTING", "terminal_fields": {"login": login}}
        run_node(terminal, drive, symbols=["#AAPL"], **account)

    return run


def trade(terminal, bid):
    """A trade on the exchange, and a spread of one cent."""
    push(terminal, bid, bid + 0.01, symbol="#AAPL")


@pytest.mark.parametrize("side", [OrderSide.BUY, OrderSide.SELL])
def test_scenario_07_bracket_is_one_request_with_native_stops(terminal, run_bracket, side):
    """The seventh scenario of the known failures: protected at the server if the node dies."""

    async def drive(rig):
        entry, sl, tp = await opened(rig, side)
        assert rig.sends() == 1
        assert asked(sl, tp) == levels(position(terminal))
        ticket = entry.venue_order_id.value
        assert (sl.venue_order_id.value, tp.venue_order_id.value) == (
            f"{ticket}-SL",
            f"{ticket}-TP",
        )
        assert rig.names(sl) == rig.names(tp) == STOP_ACCEPTED
        names = [name for name in rig.names() if name != "Initialized"]
        assert names.index("Accepted") < names.index("Filled")

    run_bracket(drive)


def test_stops_are_accepted_with_an_entry_that_waits(terminal, run_bracket):
    async def drive(rig):
        entry, sl, tp = await submit(rig, entry=0.0100)
        await accepted(rig, entry, sl, tp)
        assert asked(sl, tp) == levels(waiting(terminal))
        come_to(terminal, entry.price)
        await rig.done(entry)
        await rig.until(lambda: rig.cache.positions_open())
        assert rig.names(sl) == rig.names(tp) == STOP_ACCEPTED
        assert asked(sl, tp) == levels(position(terminal))

    run_bracket(drive)


@pytest.mark.parametrize("hit", ["SL", "TP"])
@pytest.mark.parametrize("manages", [False, True])
def test_stop_that_is_hit_is_filled_by_the_servers_deal_and_its_sibling_cancelled(
    terminal, run_bracket, hit, manages
):
    async def drive(rig):
        entry, sl, tp = await opened(rig)
        filled, other = (sl, tp) if hit == "SL" else (tp, sl)
        away = -0.0001 if hit == "SL" else 0.0001
        push(terminal, asked(sl, tp)[hit == "TP"] + away)
        await rig.done(filled)
        await rig.done(other)
        await rig.until(lambda: not rig.cache.positions_open())
        deal = terminal.books()["deals"][-1]
        fill = filled.last_event
        assert filled.status == OrderStatus.FILLED
        assert fill.trade_id.value == str(deal["ticket"])
        assert float(fill.last_px) == pytest.approx(deal["price"])
        assert fill.info["order"] == deal["order"]
        assert fill.info["reason"] == hit
        assert fill.venue_order_id.value == f"{entry.venue_order_id}-{hit}"
        assert other.status == OrderStatus.CANCELED
        assert rig.names(other).count("Canceled") == 1
        assert rig.names(filled) == [*STOP_ACCEPTED, "Filled"]
        assert rig.sends() == 1
        assert len(rig.cache.orders()) == 3

    run_bracket(drive, strategy_fields={"manage_contingent_orders": manages})


def test_stops_end_with_an_entry_that_is_cancelled(terminal, run_bracket):
    async def drive(rig):
        entry, sl, tp = await submit(rig, entry=0.0100)
        await accepted(rig, entry, sl, tp)
        rig.strategy.cancel_order(entry)
        for order in (entry, sl, tp):
            await rig.done(order)
            assert order.status == OrderStatus.CANCELED
        assert rig.names(sl) == rig.names(tp) == [*STOP_ACCEPTED, "Canceled"]
        assert rig.sends() == 2

    run_bracket(drive)


def test_cancel_all_with_a_waiting_entry_cancels_one_order(terminal, run_bracket):
    async def drive(rig):
        orders = await submit(rig, entry=0.0100)
        await accepted(rig, *orders)
        rig.strategy.cancel_all_orders(EURUSD)
        for order in orders:
            await rig.done(order)
            assert rig.names(order) == [*STOP_ACCEPTED, "Canceled"]
        assert rig.sends() == 2

    run_bracket(drive)


def test_cancel_all_cancels_the_stops_of_an_entry_that_could_not_be_cancelled(
    terminal, run_bracket
):
    async def drive(rig):
        entry, sl, tp = await submit(rig, entry=0.0100)
        await accepted(rig, entry, sl, tp)
        terminal.answer("order_send", int(TradeRetcode.FROZEN))
        rig.strategy.cancel_all_orders(EURUSD)
        await rig.done(sl)
        await rig.done(tp)
        assert entry.status == OrderStatus.ACCEPTED
        assert levels(waiting(terminal)) == (0.0, 0.0)

    run_bracket(drive)


def test_stops_end_with_an_entry_that_is_rejected(terminal, run_bracket):
    async def drive(rig):
        terminal.answer("order_send", int(TradeRetcode.NO_MONEY))
        entry, sl, tp = await submit(rig)
        for order in (entry, sl, tp):
            await rig.done(order)
        assert entry.status == OrderStatus.REJECTED
        assert sl.status == tp.status == OrderStatus.CANCELED
        assert terminal.books()["positions"] == []

    run_bracket(drive)


def test_bracket_that_must_not_be_sent_is_denied_whole(terminal, run_bracket):
    async def drive(rig):
        orders = await submit(rig, units=500)
        for order in orders:
            await rig.done(order)
            assert rig.names(order) == ["Initialized", "Denied"]
        assert rig.sends() == 0

    run_bracket(drive, risk_fields={"bypass": True})


def test_stops_of_an_entry_that_lacks_margin_are_denied_with_it(terminal, run_bracket):
    async def drive(rig):
        orders = await submit(rig, units=50_000_000)
        for order in orders:
            await rig.done(order)
            assert rig.names(order) == ["Initialized", "Denied"]
        assert rig.sends() == 0

    run_bracket(drive, risk_fields={"bypass": True}, exec_fields={"check_orders": True})


def test_closing_the_position_cancels_its_stops(terminal, run_bracket):
    async def drive(rig):
        _entry, sl, tp = await opened(rig)
        rig.strategy.close_all_positions(EURUSD)
        for order in (sl, tp):
            await rig.done(order)
            assert rig.names(order) == [*STOP_ACCEPTED, "Canceled"]
        assert terminal.books()["positions"] == []

    run_bracket(drive)


def test_closing_a_part_by_hand_shrinks_the_stops_and_the_rest_cancels_them(terminal, run_bracket):
    async def drive(rig):
        _entry, sl, tp = await opened(rig)
        for step, left in ((0.04, 6_000), (0.06, 0)):
            close_by_hand(terminal, step)
            if left:
                await rig.until(lambda left=left: sl.quantity == tp.quantity == left)
        for order in (sl, tp):
            await rig.done(order)
            assert rig.names(order) == [*STOP_ACCEPTED, "Updated", "Canceled"]

    run_bracket(drive)


def test_stop_that_is_hit_after_a_partial_close_fills_what_was_left(terminal, run_bracket):
    async def drive(rig):
        _entry, sl, tp = await opened(rig)
        close_by_hand(terminal, 0.04)
        push(terminal, float(sl.trigger_price) - 0.0001)
        await rig.done(sl)
        assert (sl.status, sl.filled_qty) == (OrderStatus.FILLED, Quantity.from_int(6_000))
        await rig.done(tp)
        assert tp.status == OrderStatus.CANCELED

    run_bracket(drive)


def test_bracket_outlives_a_reply_that_was_lost(terminal, run_bracket):
    async def drive(rig):
        terminal.lose_reply("order_send", when="after")
        entry, sl, tp = await submit(rig)
        await rig.done(entry)
        await accepted(rig, sl, tp)
        assert rig.sends() == 1
        assert asked(sl, tp) == levels(position(terminal))

    run_bracket(drive, terminal_fields={"restart_delay_ms": 50})


def test_second_bracket_on_a_netted_symbol_is_denied(run_netting):
    async def drive(rig):
        first = await submit(rig, entry=0.0100)
        await accepted(rig, *first)
        for order in await submit(rig, entry=0.0200):
            await rig.done(order)
            assert rig.names(order) == ["Initialized", "Denied"]
            assert first[0].client_order_id.value in order.last_event.reason
        rig.strategy.cancel_order(first[0])
        await rig.done(first[2])
        await rig.done(rig.strategy.buy("EURUSD", "1000"))
        for order in await submit(rig):
            await rig.done(order)
            assert "close it first" in order.last_event.reason
        await rig.done(rig.strategy.sell("EURUSD", "1000"))
        await opened(rig)

    run_netting(drive)


def test_brackets_on_a_hedging_account_are_independent(terminal, run_node):
    async def drive(rig):
        _one, sl, tp = await opened(rig)
        _other, *kept = await opened(rig, OrderSide.SELL)
        push(terminal, float(sl.trigger_price) - 0.00001, float(kept[0].trigger_price) - 0.0001)
        await rig.done(sl)
        await rig.done(tp)
        assert sl.status == OrderStatus.FILLED
        assert [order.status for order in kept] in (
            [OrderStatus.ACCEPTED] * 2,
            [OrderStatus.CANCELED, OrderStatus.FILLED],
        )

    run_node(terminal, drive)


def test_stops_do_not_stand_in_the_way_of_a_reduce_only_order(terminal, run_bracket):
    async def drive(rig):
        _entry, sl, tp = await opened(rig)
        close = rig.strategy.sell("EURUSD", "10000", reduce_only=True)
        await rig.done(close)
        assert close.status == OrderStatus.FILLED
        await rig.done(sl)
        await rig.done(tp)

    run_bracket(drive)


def test_netted_position_that_grows_or_turns_takes_its_stops_along(run_netting):
    async def drive(rig):
        _entry, sl, tp = await opened(rig)
        await rig.done(rig.strategy.buy("EURUSD", "5000"))
        await rig.until(lambda: sl.quantity == tp.quantity == 15_000)
        await rig.done(rig.strategy.sell("EURUSD", "20000"))
        for order in (sl, tp):
            await rig.done(order)
            assert order.status == OrderStatus.CANCELED

    run_netting(drive)


def test_stop_out_cancels_the_stops(terminal, run_node):
    async def drive(rig):
        _entry, sl, tp = await opened(rig, units=2_000_000)
        assert sl.quantity == 2_000_000
        low = float(sl.trigger_price)
        terminal.trade_by_hand(**SLTP, position=position(terminal)["ticket"], tp=float(tp.price))
        await rig.done(sl)
        push(terminal, low - 0.0500)
        await rig.until(lambda: terminal.books()["positions"] == [])
        await rig.until(lambda: not rig.cache.positions_open())
        assert terminal.books()["deals"][-1]["reason"] == int(OrderReason.SO)
        await rig.done(tp)
        assert tp.status == OrderStatus.CANCELED

    run_node(terminal, drive)


@pytest.mark.parametrize("contingency", [ContingencyType.OCO, ContingencyType.OUO])
def test_trailing_stop_beside_a_bracket_sends_nothing_twice(terminal, run_node, contingency):
    """An emulator adopts the stops of a filled entry and submits them once more."""

    async def drive(rig):
        instrument = rig.cache.instrument(EURUSD)
        quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        trailing = rig.strategy.order_factory.trailing_stop_market(
            EURUSD,
            OrderSide.SELL,
            instrument.make_qty(1_000),
            trailing_offset=Decimal("0.0100"),
            trailing_offset_type=TrailingOffsetType.PRICE,
            trigger_price=instrument.make_price(float(quote.bid_price) - 0.0100),
            emulation_trigger=TriggerType.BID_ASK,
        )
        rig.strategy.submit_order(trailing)
        await rig.until(lambda: rig.cache.orders_emulated())
        entry, sl, tp = await submit(rig, contingency_type=contingency)
        await rig.done(entry)
        await accepted(rig, sl, tp)
        push(terminal, float(sl.trigger_price) - 0.0001)
        await rig.done(sl)
        await rig.done(tp)
        assert (sl.status, tp.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
        assert rig.sends() == 1

    run_node(terminal, drive, strategy_fields={"manage_contingent_orders": True})


@pytest.mark.parametrize("leg", ["SL", "TP"])
@pytest.mark.parametrize("at", [None, 0.0100], ids=["market", "limit"])
def test_bracket_with_one_stop_has_that_level_only_and_ends_with_it(terminal, run_bracket, leg, at):
    async def drive(rig):
        entry, stop = await submit(rig, entry=at, legs=leg)
        await accepted(rig, stop)
        if at is not None:
            come_to(terminal, entry.price)
        await rig.done(entry)
        await rig.until(lambda: rig.cache.positions_open())
        level = asked(stop, None)[0] if leg == "SL" else asked(None, stop)[1]
        assert levels(position(terminal)) == ((level, 0.0) if leg == "SL" else (0.0, level))
        assert stop.venue_order_id.value == f"{entry.venue_order_id}-{leg}"
        push(terminal, level + (-0.0001 if leg == "SL" else 0.0001))
        await rig.done(stop)
        await rig.until(lambda: not rig.cache.positions_open())
        assert rig.names(stop) == [*STOP_ACCEPTED, "Filled"]
        assert rig.sends() == 1

    run_bracket(drive)


@pytest.mark.parametrize("leg", ["SL", "TP"])
def test_only_stop_of_a_bracket_is_cancelled_with_its_entry_or_position(terminal, run_bracket, leg):
    async def drive(rig):
        entry, stop = await submit(rig, entry=0.0100, legs=leg)
        await accepted(rig, entry, stop)
        rig.strategy.cancel_order(entry)
        await rig.done(entry)
        await rig.done(stop)
        entry, other = await submit(rig, legs=leg)
        await rig.done(entry)
        await accepted(rig, other)
        close_by_hand(terminal, 0.1)
        await rig.done(other)
        assert rig.names(stop) == rig.names(other) == [*STOP_ACCEPTED, "Canceled"]

    run_bracket(drive)


@pytest.mark.parametrize("at", [None, 1.00], ids=["market", "limit"])
def test_stops_cover_what_has_filled_of_an_entry_that_fills_in_parts(terminal, run_exchange, at):
    """On an exchange account the rest of a market order waits, as that of a limit order does."""

    async def drive(rig):
        trade(terminal, 230.00)
        entry, sl, tp = await submit(rig, entry=at, units=3, symbol="#AAPL", away=5.00)
        await accepted(rig, sl, tp)
        if at is not None:
            assert sl.quantity == tp.quantity == 3
            trade(terminal, float(entry.price) - 0.01)
        for filled in (1, 2, 3):
            await rig.until(lambda filled=filled: entry.filled_qty == filled)
            await rig.until(lambda filled=filled: sl.quantity == tp.quantity == filled)
            held = position(terminal)
            assert held["volume"] == filled
            assert asked(sl, tp) == levels(held)
            trade(terminal, held["price_open"] - filled / 10)
        assert entry.status == OrderStatus.FILLED
        trade(terminal, float(sl.trigger_price) - 0.10)
        await rig.done(sl)
        await rig.done(tp)
        assert (sl.status, sl.filled_qty) == (OrderStatus.FILLED, Quantity.from_int(3))
        assert tp.status == OrderStatus.CANCELED
        await rig.until(lambda: not rig.cache.positions_open())
        assert rig.sends() == 1

    run_exchange(drive)


def test_rest_of_an_entry_that_is_cancelled_leaves_the_stops_with_what_has_filled(
    terminal, run_exchange
):
    async def drive(rig):
        trade(terminal, 230.00)
        entry, sl, tp = await submit(rig, units=3, symbol="#AAPL", away=5.00)
        await accepted(rig, sl, tp)
        await rig.until(lambda: sl.quantity == tp.quantity == 1)
        rig.strategy.cancel_order(entry)
        await rig.done(entry)
        assert entry.status == OrderStatus.CANCELED
        assert (sl.status, tp.status) == (OrderStatus.ACCEPTED, OrderStatus.ACCEPTED)
        assert sl.quantity == tp.quantity == 1
        trade(terminal, float(tp.price) + 0.10)
        await rig.done(tp)
        await rig.done(sl)
        assert (tp.status, sl.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)

    run_exchange(drive)
