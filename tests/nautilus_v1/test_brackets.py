"""Brackets: one order at the server with its stops, whose stops are orders in Nautilus."""

from decimal import Decimal

import numpy as np
import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import (
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
)
from nautilus_trader.model.enums import (
    ContingencyType,
    OrderSide,
    OrderStatus,
    OrderType,
    TrailingOffsetType,
    TriggerType,
)
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderReason,
    TradeAction,
    TradeRetcode,
)
from tradingview_scraper.adapters.mt5.terminal.constants import OrderType as TicketType
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")
CLOCK = {"mode": "stepped", "start": "2025-03-10T15:00:00Z"}
STOP_ACCEPTED = ["Initialized", "Submitted", "Accepted"]
BY_HAND = {"action": int(TradeAction.DEAL), "type_filling": int(OrderFilling.IOC)}
SLTP = {"action": int(TradeAction.SLTP), "symbol": "EURUSD"}
#: From the market, as the entry sees it.
AWAY = {OrderSide.BUY: 1, OrderSide.SELL: -1}


@pytest.fixture(params=["HEDGING", "NETTING"])
def run_bracket(request, terminal, run_node):
    """Run a node on a hedging and on a netting account."""

    def again(drive, **fields):
        login = terminal.books()["account"]["login"]
        given = {"login": login, **fields.pop("terminal_fields", {})}
        run_node(terminal, drive, oms_type=request.param, terminal_fields=given, **fields)

    def run(drive, **fields):
        if request.param == "NETTING":
            terminal.reset({"extends": "demo-netting", "clock": CLOCK})
        again(drive, **fields)

    run.again = again
    return run


async def submit(rig, side=OrderSide.BUY, *, entry=None, units=10_000, **terms):
    """Entry at the market, or a limit that far from it, with stops 50 points away."""
    instrument = rig.cache.instrument(EURUSD)
    quote = await rig.until(lambda: rig.cache.quote_tick(EURUSD))
    at = float(quote.ask_price if side == OrderSide.BUY else quote.bid_price)
    if entry is not None:
        at -= entry * AWAY[side]
        terms |= {"entry_order_type": OrderType.LIMIT, "entry_price": instrument.make_price(at)}
    orders = rig.strategy.order_factory.bracket(
        EURUSD,
        side,
        instrument.make_qty(units),
        sl_trigger_price=instrument.make_price(at - 0.0050 * AWAY[side]),
        tp_price=instrument.make_price(at + 0.0050 * AWAY[side]),
        **terms,
    )
    rig.strategy.submit_order_list(orders)
    return orders.orders


async def accepted(rig, *orders):
    await rig.until(lambda: all(order.status == OrderStatus.ACCEPTED for order in orders))


async def opened(rig, side=OrderSide.BUY, **terms):
    """A bracket whose entry is filled."""
    entry, sl, tp = await submit(rig, side, **terms)
    await rig.done(entry)
    assert entry.status == OrderStatus.FILLED, entry.last_event
    await accepted(rig, sl, tp)
    await rig.until(lambda: rig.cache.positions_open())
    return entry, sl, tp


def push(terminal, bid, ask=None):
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = bid, bid + 0.0001 if ask is None else ask
    terminal.push_ticks("EURUSD", rows)


def position(terminal):
    (found,) = terminal.books()["positions"]
    return found


def waiting(terminal):
    (found,) = terminal.books()["orders"]
    return found


def levels(record):
    return pytest.approx((record["sl"], record["tp"]))


def asked(sl, tp):
    return (
        float(sl.trigger_price) if sl is not None else 0.0,
        float(tp.price) if tp is not None else 0.0,
    )


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
        push(terminal, float(entry.price) - 0.0002, float(entry.price) - 0.0001)
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


@pytest.mark.parametrize("at", [None, 0.0100], ids=["position", "pending"])
def test_changing_one_stop_keeps_the_other(terminal, run_bracket, at):
    async def drive(rig):
        if at is None:
            _entry, sl, tp = await opened(rig)
        else:
            _entry, sl, tp = await submit(rig, entry=at)
            await accepted(rig, _entry, sl, tp)
        record = position if at is None else waiting
        trigger = Price(float(sl.trigger_price) + 0.0010, 5)
        rig.strategy.modify_order(sl, trigger_price=trigger)
        target = Price(float(tp.price) + 0.0010, 5)
        rig.strategy.modify_order(tp, price=target)
        await rig.until(lambda: (sl.trigger_price, tp.price) == (trigger, target))
        assert levels(record(terminal)) == (float(trigger), float(target))
        for order in (sl, tp):
            assert rig.names(order) == [*STOP_ACCEPTED, "PendingUpdate", "Updated"]
        assert rig.sends() == 3

    run_bracket(drive)


@pytest.mark.parametrize("at", [None, 0.0100], ids=["position", "pending"])
def test_cancelling_one_stop_clears_its_level_and_is_no_alarm(terminal, run_bracket, at):
    async def drive(rig):
        if at is None:
            _entry, sl, tp = await opened(rig)
        else:
            _entry, sl, tp = await submit(rig, entry=at)
            await accepted(rig, _entry, sl, tp)
        record = position if at is None else waiting
        audit = rig.client._session.safety.protection
        rig.strategy.cancel_order(sl)
        await rig.done(sl)
        assert rig.names(sl) == [*STOP_ACCEPTED, "PendingCancel", "Canceled"]
        assert levels(record(terminal)) == (0.0, float(tp.price))
        assert tp.status == OrderStatus.ACCEPTED
        if at is not None:
            push(terminal, float(_entry.price) - 0.0002, float(_entry.price) - 0.0001)
            await rig.done(_entry)
        assert not audit._expected

    run_bracket(drive)


@pytest.mark.parametrize("at", [None, 0.0100], ids=["position", "pending"])
def test_change_that_the_server_refuses_is_rejected_with_its_words(terminal, run_bracket, at):
    async def drive(rig):
        if at is None:
            _entry, sl, tp = await opened(rig)
        else:
            _entry, sl, tp = await submit(rig, entry=at)
            await accepted(rig, _entry, sl, tp)
        terminal.answer("order_send", int(TradeRetcode.FROZEN))
        rig.strategy.modify_order(sl, trigger_price=Price(float(sl.trigger_price) + 0.001, 5))
        await rig.until(lambda: "ModifyRejected" in rig.names(sl))
        assert "FROZEN" in sl.last_event.reason
        terminal.answer("order_send", int(TradeRetcode.FROZEN))
        rig.strategy.cancel_order(tp)
        await rig.until(lambda: "CancelRejected" in rig.names(tp))
        assert sl.status == tp.status == OrderStatus.ACCEPTED

    run_bracket(drive)


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("at", [None, 0.0100], ids=["position", "pending"])
def test_change_of_unknown_outcome_is_told_by_the_record_or_proved_undone(
    terminal, run_bracket, at, executed
):
    async def drive(rig):
        if at is None:
            _entry, sl, tp = await opened(rig)
        else:
            _entry, sl, tp = await submit(rig, entry=at)
            await accepted(rig, _entry, sl, tp)
        trigger = Price(float(sl.trigger_price) + 0.0010, 5)
        terminal.answer("order_send", int(TradeRetcode.TIMEOUT), executed=executed)
        rig.strategy.modify_order(sl, trigger_price=trigger)
        await rig.until(lambda: rig.names(sl)[-1] in ("Updated", "ModifyRejected"))
        assert rig.names(sl)[-1] == ("Updated" if executed else "ModifyRejected")
        assert rig.sends() == 2
        rig.strategy.cancel_order(tp)
        await rig.done(tp)
        assert tp.status == OrderStatus.CANCELED

    run_bracket(drive, exec_fields={"unproven_change_secs": 0.1, "inflight_keepalive_secs": 0.1})


def test_quantity_of_a_stop_cannot_be_chosen(terminal, run_bracket):
    async def drive(rig):
        _entry, sl, _tp = await opened(rig)
        rig.strategy.modify_order(sl, quantity=Quantity.from_int(5_000))
        await rig.until(lambda: "ModifyRejected" in rig.names(sl))
        assert "10000" in sl.last_event.reason
        assert rig.sends() == 1

    run_bracket(drive)


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
            ticket = position(terminal)["ticket"]
            terminal.trade_by_hand(
                **BY_HAND,
                symbol="EURUSD",
                type=int(TicketType.SELL),
                volume=step,
                position=ticket,
            )
            if left:
                await rig.until(lambda left=left: sl.quantity == tp.quantity == left)
        for order in (sl, tp):
            await rig.done(order)
            assert rig.names(order) == [*STOP_ACCEPTED, "Updated", "Canceled"]

    run_bracket(drive)


def test_stop_that_is_hit_after_a_partial_close_fills_what_was_left(terminal, run_bracket):
    async def drive(rig):
        _entry, sl, tp = await opened(rig)
        terminal.trade_by_hand(
            **BY_HAND,
            symbol="EURUSD",
            type=int(TicketType.SELL),
            volume=0.04,
            position=position(terminal)["ticket"],
        )
        push(terminal, float(sl.trigger_price) - 0.0001)
        await rig.done(sl)
        assert (sl.status, sl.filled_qty) == (OrderStatus.FILLED, Quantity.from_int(6_000))
        await rig.done(tp)
        assert tp.status == OrderStatus.CANCELED

    run_bracket(drive)


def test_levels_that_are_changed_by_hand_are_the_stops(terminal, run_bracket):
    async def drive(rig):
        _entry, sl, tp = await opened(rig)
        moved = round(float(sl.trigger_price) - 0.0005, 5)
        ticket = position(terminal)["ticket"]
        terminal.trade_by_hand(**SLTP, position=ticket, sl=moved, tp=float(tp.price))
        await rig.until(lambda: float(sl.trigger_price) == moved)
        terminal.trade_by_hand(**SLTP, position=ticket, sl=moved, tp=0.0)
        await rig.done(tp)
        assert rig.names(sl) == [*STOP_ACCEPTED, "Updated"]
        assert rig.names(tp) == [*STOP_ACCEPTED, "Canceled"]

    run_bracket(drive)


def test_stop_loss_that_is_restored_stays_the_same_order(terminal, run_node):
    async def drive(rig):
        _entry, sl, tp = await opened(rig)
        kept = asked(sl, tp)
        terminal.trade_by_hand(**SLTP, position=position(terminal)["ticket"], tp=kept[1])
        await rig.until(lambda: position(terminal)["sl"] == 0.0)
        await rig.until(lambda: levels(position(terminal)) == kept)
        push(terminal, kept[0] - 0.0001)
        await rig.done(sl)
        assert rig.names(sl) == [*STOP_ACCEPTED, "Filled"]

    run_node(terminal, drive, exec_fields={"restore_stop_loss": True})


def test_bracket_outlives_a_reply_that_was_lost(terminal, run_bracket):
    async def drive(rig):
        terminal.lose_reply("order_send", when="after")
        entry, sl, tp = await submit(rig)
        await rig.done(entry)
        await accepted(rig, sl, tp)
        assert rig.sends() == 1
        assert asked(sl, tp) == levels(position(terminal))

    run_bracket(drive, terminal_fields={"restart_delay_ms": 50})


def test_second_bracket_on_a_netted_symbol_is_denied(terminal, run_node):
    terminal.reset({"extends": "demo-netting", "clock": CLOCK})

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

    login = terminal.books()["account"]["login"]
    run_node(terminal, drive, oms_type="NETTING", terminal_fields={"login": login})


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


def test_netted_position_that_grows_or_turns_takes_its_stops_along(terminal, run_node):
    terminal.reset({"extends": "demo-netting", "clock": CLOCK})

    async def drive(rig):
        _entry, sl, tp = await opened(rig)
        await rig.done(rig.strategy.buy("EURUSD", "5000"))
        await rig.until(lambda: sl.quantity == tp.quantity == 15_000)
        await rig.done(rig.strategy.sell("EURUSD", "20000"))
        for order in (sl, tp):
            await rig.done(order)
            assert order.status == OrderStatus.CANCELED

    login = terminal.books()["account"]["login"]
    run_node(terminal, drive, oms_type="NETTING", terminal_fields={"login": login})


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


@pytest.fixture
def restart(run_bracket):
    """Run `first`, then what happens while no node runs, then `second` with the first's orders."""

    def run(first, meanwhile, second):
        kept = []

        async def before(rig):
            kept.extend(await first(rig))

        async def after(rig):
            orders = [rig.cache.order(order.client_order_id) for order in kept]
            await second(rig, *orders)
            assert len(rig.cache.orders()) == len(kept)
            assert len(rig.cache.positions()) <= 1
            trades = [order.trade_ids for order in rig.cache.orders()]
            assert len({trade for ids in trades for trade in ids}) == sum(map(len, trades))

        run_bracket(before)
        meanwhile(kept)
        run_bracket.again(after, remembered=kept)

    return run


def test_active_bracket_is_taken_up_after_a_restart(terminal, restart):
    async def second(rig, entry, sl, tp):
        assert [order.status for order in (entry, sl, tp)] == [
            OrderStatus.FILLED,
            OrderStatus.ACCEPTED,
            OrderStatus.ACCEPTED,
        ]
        assert rig.sends() == 1
        target = Price(float(tp.price) + 0.0010, 5)
        rig.strategy.modify_order(tp, price=target)
        await rig.until(lambda: tp.price == target)
        assert asked(sl, tp) == levels(position(terminal))
        push(terminal, float(sl.trigger_price) - 0.0001)
        await rig.done(sl)
        await rig.done(tp)
        assert (sl.status, tp.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
        await rig.until(lambda: not rig.cache.positions_open())

    restart(opened, lambda orders: None, second)


def test_stop_that_was_hit_while_no_node_ran_is_filled_at_the_start(terminal, restart):
    def meanwhile(orders):
        push(terminal, float(orders[1].trigger_price) - 0.0001)

    async def second(rig, _entry, sl, tp):
        assert (sl.status, tp.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
        assert sl.trade_ids[0].value == str(terminal.books()["deals"][-1]["ticket"])
        assert not rig.cache.positions_open()

    restart(opened, meanwhile, second)


def test_position_closed_while_no_node_ran_cancels_its_stops_at_the_start(terminal, run_node):
    kept = []

    async def first(rig):
        kept.extend(await opened(rig))

    async def second(rig):
        _entry, sl, tp = (rig.cache.order(order.client_order_id) for order in kept)
        assert (sl.status, tp.status) == (OrderStatus.CANCELED, OrderStatus.CANCELED)
        assert not rig.cache.positions_open()

    run_node(terminal, first)
    terminal.trade_by_hand(
        **BY_HAND,
        symbol="EURUSD",
        type=int(TicketType.SELL),
        volume=0.1,
        position=position(terminal)["ticket"],
    )
    run_node(terminal, second, remembered=kept)


async def placed(rig):
    orders = await submit(rig, entry=0.0100)
    await accepted(rig, *orders)
    return orders


def test_entry_that_filled_while_no_node_ran_has_its_stops_at_the_start(terminal, restart):
    def meanwhile(orders):
        push(terminal, float(orders[0].price) - 0.0002, float(orders[0].price) - 0.0001)

    async def second(rig, entry, sl, tp):
        assert entry.status == OrderStatus.FILLED
        assert (sl.status, tp.status) == (OrderStatus.ACCEPTED, OrderStatus.ACCEPTED)
        push(terminal, float(tp.price) + 0.0001)
        await rig.done(tp)
        await rig.done(sl)
        assert (sl.status, tp.status) == (OrderStatus.CANCELED, OrderStatus.FILLED)

    restart(placed, meanwhile, second)


def test_bracket_that_came_and_went_while_no_node_ran(terminal, restart):
    def meanwhile(orders):
        push(terminal, float(orders[0].price) - 0.0002, float(orders[0].price) - 0.0001)
        push(terminal, float(orders[1].trigger_price) - 0.0001)

    async def second(rig, entry, sl, tp):
        assert (entry.status, sl.status, tp.status) == (
            OrderStatus.FILLED,
            OrderStatus.FILLED,
            OrderStatus.CANCELED,
        )
        assert not rig.cache.positions_open()

    restart(placed, meanwhile, second)


def test_entry_that_was_cancelled_while_no_node_ran_takes_its_stops_along(terminal, restart):
    def meanwhile(orders):
        terminal.trade_by_hand(
            action=int(TradeAction.REMOVE), order=int(orders[0].venue_order_id.value)
        )

    async def second(rig, *orders):
        await rig.until(lambda: all(order.status == OrderStatus.CANCELED for order in orders), 4)

    restart(placed, meanwhile, second)


def test_levels_that_were_changed_while_no_node_ran_are_those_of_the_stops(terminal, restart):
    moved = []

    def meanwhile(orders):
        moved.append(round(float(orders[1].trigger_price) - 0.0005, 5))
        terminal.trade_by_hand(**SLTP, position=position(terminal)["ticket"], sl=moved[0])

    async def second(rig, _entry, sl, tp):
        await rig.until(lambda: float(sl.trigger_price) == moved[0], 4)
        assert (sl.status, tp.status) == (OrderStatus.ACCEPTED, OrderStatus.CANCELED)

    restart(opened, meanwhile, second)


def test_bracket_that_was_over_is_not_told_again(terminal, restart):
    async def first(rig):
        entry, sl, tp = await opened(rig)
        push(terminal, float(sl.trigger_price) - 0.0001)
        await rig.done(sl)
        await rig.done(tp)
        await rig.until(lambda: not rig.cache.positions_open())
        return entry, sl, tp

    async def second(rig, *orders):
        assert rig.fills() == []
        assert not rig.cache.positions_open()
        assert [len(order.trade_ids) for order in orders] == [1, 1, 0]

    restart(first, lambda orders: None, second)


def test_reports_of_a_running_node_have_the_stops_and_disturb_nothing(terminal, run_bracket):
    async def drive(rig):
        entry, sl, tp = await opened(rig)
        looks = terminal.stats()["calls"].get("history_orders_get", 0)
        reports = await rig.client.generate_order_status_reports(
            GenerateOrderStatusReports(
                instrument_id=EURUSD,
                start=None,
                end=None,
                open_only=True,
                command_id=UUID4(),
                ts_init=0,
            )
        )
        assert {one.client_order_id: one.venue_order_id for one in reports} == {
            order.client_order_id: order.venue_order_id for order in (sl, tp)
        }
        one = await rig.client.generate_order_status_report(
            GenerateOrderStatusReport(
                instrument_id=EURUSD,
                client_order_id=sl.client_order_id,
                venue_order_id=sl.venue_order_id,
                command_id=UUID4(),
                ts_init=0,
            )
        )
        assert (one.order_status, one.trigger_price) == (OrderStatus.ACCEPTED, sl.trigger_price)
        # The engine's own check of open orders, several times.
        await rig.until(lambda: terminal.stats()["calls"].get("history_orders_get", 0) > looks + 8)
        assert rig.names(sl) == rig.names(tp) == STOP_ACCEPTED
        assert entry.status == OrderStatus.FILLED

    run_bracket(
        drive,
        engine_fields={"open_check_interval_secs": 0.1, "open_check_threshold_ms": 50},
    )
