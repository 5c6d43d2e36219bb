"""Stops of a bracket that are changed or cancelled, by their strategy or by hand."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.objects import Price, Quantity

from tests.nautilus_v1.bracket_steps import (
    SLTP,
    STOP_ACCEPTED,
    asked,
    come_to,
    levels,
    opened,
    placed,
    position,
    push,
    waiting,
)
from tradingview_scraper.adapters.mt5.terminal.constants import TradeRetcode


class Standing(NamedTuple):
    """How a bracket stands when its stops are changed."""

    make: Callable
    #: What of the books has its levels.
    record: Callable


@pytest.fixture(params=["position", "pending"])
def standing(request):
    """A bracket whose entry is filled, and one whose entry waits."""
    return Standing(opened, position) if request.param == "position" else Standing(placed, waiting)


def test_changing_one_stop_keeps_the_other(terminal, run_bracket, standing):
    async def drive(rig):
        _entry, sl, tp = await standing.make(rig)
        trigger = Price(float(sl.trigger_price) + 0.0010, 5)
        rig.strategy.modify_order(sl, trigger_price=trigger)
        target = Price(float(tp.price) + 0.0010, 5)
        rig.strategy.modify_order(tp, price=target)
        await rig.until(lambda: (sl.trigger_price, tp.price) == (trigger, target))
        assert levels(standing.record(terminal)) == (float(trigger), float(target))
        for order in (sl, tp):
            assert rig.names(order) == [*STOP_ACCEPTED, "PendingUpdate", "Updated"]
        assert rig.sends() == 3

    run_bracket(drive)


def test_cancelling_one_stop_clears_its_level_and_is_no_alarm(terminal, run_bracket, standing):
    async def drive(rig):
        entry, sl, tp = await standing.make(rig)
        audit = rig.client._session.safety.protection
        rig.strategy.cancel_order(sl)
        await rig.done(sl)
        assert rig.names(sl) == [*STOP_ACCEPTED, "PendingCancel", "Canceled"]
        assert levels(standing.record(terminal)) == (0.0, float(tp.price))
        assert tp.status == OrderStatus.ACCEPTED
        if standing.make is placed:
            come_to(terminal, entry.price)
            await rig.done(entry)
        assert not audit._expected

    run_bracket(drive)


def test_change_that_the_server_refuses_is_rejected_with_its_words(terminal, run_bracket, standing):
    async def drive(rig):
        _entry, sl, tp = await standing.make(rig)
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
def test_change_of_unknown_outcome_is_told_by_the_record_or_proved_undone(
    terminal, run_bracket, standing, executed
):
    async def drive(rig):
        _entry, sl, tp = await standing.make(rig)
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
