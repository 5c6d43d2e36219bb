"""Nautilus' own tester of execution clients, on hedging, netting and exchange accounts."""

import asyncio
from decimal import Decimal

import numpy as np
import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType, TimeInForce, TriggerType
from nautilus_trader.test_kit.strategies.tester_exec import ExecTester, ExecTesterConfig

from tests.nautilus_v1.conftest import instrument_id
from tradingview_scraper.adapters.mt5.terminal.constants import OrderType as VenueOrderType
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

CLOCK = {"mode": "stepped", "start": "2025-03-10T15:00:00Z"}
ACCOUNTS = {
    "hedging": ("demo-hedging", "HEDGING", "EURUSD", "1000"),
    "netting": ("demo-netting", "NETTING", "EURUSD", "1000"),
    "exchange": ("exchange-netting", "NETTING", "#AAPL", "1"),
    # Has book or cancel, and steps of 25 points.
    "future": ("exchange-netting", "NETTING", "@ES", "1"),
}
EVERY = ("hedging", "netting", "exchange")
OTC = ("hedging", "netting")
FUTURE = ("future",)

NO_LIMITS = {"enable_limit_buys": False, "enable_limit_sells": False}
NO_SELLS = {"enable_limit_sells": False}
STOPS = {**NO_LIMITS, "enable_stop_buys": True, "enable_stop_sells": True}
WAITS = ["Initialized", "Submitted", "Accepted", "PendingCancel", "Canceled"]
FILLS = ["Initialized", "Submitted", "Accepted", "Filled"]
DENIED = ["Initialized", "Denied"]
REJECTED = ["Initialized", "Submitted", "Rejected"]
AT_ONCE_CANCELED = ["Initialized", "Submitted", "Accepted", "Canceled"]


def case(name, config, lives, accounts=EVERY):
    return [pytest.param(account, config, lives, id=f"{name}-{account}") for account in accounts]


CASES = [
    *case("E01-E06-E80-E82", {**NO_LIMITS, "open_position_on_start_qty": 1}, [FILLS, FILLS]),
    *case("E02-E61", {**NO_LIMITS, "open_position_on_start_qty": -1}, [FILLS, FILLS]),
    *case(
        "E03",
        {
            **NO_LIMITS,
            "open_position_on_start_qty": 1,
            "open_position_time_in_force": TimeInForce.IOC,
        },
        [FILLS, FILLS],
    ),
    *case(
        "E04",
        {
            **NO_LIMITS,
            "open_position_on_start_qty": 1,
            "open_position_time_in_force": TimeInForce.FOK,
        },
        [FILLS, FILLS],
    ),
    *case(
        "E05",
        {**NO_LIMITS, "open_position_on_start_qty": 1, "use_quote_quantity": True},
        [DENIED],
    ),
    *case("E10-E41-E81", NO_SELLS, [WAITS]),
    *case("E11", {"enable_limit_buys": False}, [WAITS]),
    *case("E12", {}, [WAITS, WAITS]),
    *case(
        "E14",
        {"limit_time_in_force": TimeInForce.IOC, **NO_SELLS},
        [AT_ONCE_CANCELED],
        ["exchange"],
    ),
    *case(
        "E16",
        {"limit_time_in_force": TimeInForce.FOK, **NO_SELLS},
        [AT_ONCE_CANCELED],
        ["exchange"],
    ),
    *case("E13-E16", {"limit_time_in_force": TimeInForce.IOC, **NO_SELLS}, [DENIED], OTC),
    *case("E17", {"order_expire_time_delta_mins": 60, **NO_SELLS}, [WAITS]),
    *case("E19", {"limit_time_in_force": TimeInForce.DAY, **NO_SELLS}, [WAITS]),
    *case("E20-E21", STOPS, [WAITS, WAITS]),
    *case(
        "E22-E23",
        {**STOPS, "stop_order_type": OrderType.STOP_LIMIT, "stop_limit_offset_ticks": -50},
        [WAITS, WAITS],
    ),
    *case("E24-E72", {**STOPS, "stop_order_type": OrderType.MARKET_IF_TOUCHED}, [DENIED, DENIED]),
    *case(
        "E26-E72",
        {
            **STOPS,
            "stop_order_type": OrderType.LIMIT_IF_TOUCHED,
            "stop_limit_offset_ticks": 50,
        },
        [DENIED, DENIED],
    ),
    *case("E42", {"use_individual_cancels_on_stop": True}, [WAITS, WAITS]),
    *case("E43", {"use_batch_cancel_on_stop": True}, [WAITS, WAITS]),
    *case("E60", {"use_post_only": True}, [DENIED, DENIED], OTC),
    *case("E60", {"use_post_only": True}, [WAITS, WAITS], FUTURE),
    *case("E70", {"test_reject_post_only": True, **NO_SELLS}, [DENIED]),
    *case("E70", {"test_reject_post_only": True, **NO_SELLS}, [REJECTED], FUTURE),
    *case("E63", {"order_params": {"comment": "mine", "deviation": 5}, **NO_LIMITS,
                  "open_position_on_start_qty": 1}, [FILLS, FILLS]),
    *case("E73", {"limit_time_in_force": TimeInForce.AT_THE_OPEN, **NO_SELLS}, [DENIED]),
]  # fmt: skip


def run(terminal, run_node, account, config, drive, **tables):
    scenario, oms_type, symbol, units = ACCOUNTS[account]
    terminal.reset({"extends": scenario, "clock": CLOCK, **tables})
    fields = {"tob_offset_ticks": 500, "stop_offset_ticks": 500, **config}
    if "open_position_on_start_qty" in fields:
        fields["open_position_on_start_qty"] *= Decimal(units)
    tester = ExecTester(
        ExecTesterConfig(
            strategy_id="T-001",
            order_id_tag="002",
            instrument_id=instrument_id(symbol),
            order_qty=Decimal(units),
            subscribe_trades=False,
            log_data=False,
            **fields,
        )
    )

    async def whole(rig):
        await drive(rig, tester)

    login = terminal.books()["account"]["login"]
    run_node(
        terminal,
        whole,
        symbols=[symbol],
        oms_type=oms_type,
        terminal_fields={"login": login},
        risk_fields={"bypass": True},
        others=[tester],
    )


async def quoted(rig, tester):
    """Let the market tick until the tester has seen a quote, and sent what it sends."""
    for _ in range(60):
        rig.terminal.advance(10)
        for _ in range(20):
            if rig.cache.orders(strategy_id=tester.id):
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("account", "config", "lives"), CASES)
def test_case_of_the_specification(terminal, run_node, account, config, lives):
    async def drive(rig, tester):
        await quoted(rig, tester)

        def begun():
            orders = rig.cache.orders(strategy_id=tester.id)
            working = [order for order in orders if order.is_open or order.is_closed]
            if FILLS in lives:
                return rig.cache.positions_open()
            if WAITS not in lives:
                working = [order for order in orders if order.is_closed]
            return len(working) == len(orders) >= len(lives)

        await rig.until(begun)
        tester.stop()
        await rig.until(
            lambda: (
                all(order.is_closed for order in rig.cache.orders(strategy_id=tester.id))
                and not rig.cache.positions_open()
                and len(rig.cache.orders(strategy_id=tester.id)) >= len(lives)
            )
        )
        orders = sorted(rig.cache.orders(strategy_id=tester.id), key=lambda order: order.ts_init)
        found = [names_of(order) for order in orders]
        # The tester tries again at the next quote what is over at once.
        at_once = (DENIED, REJECTED, AT_ONCE_CANCELED)
        again = [life for life in found[len(lives) :] if life in at_once]
        assert found == lives + again
        rejected = [one.last_event for one in orders if one.status == OrderStatus.REJECTED]
        assert all(event.due_post_only for event in rejected)
        books = terminal.books()
        assert (books["orders"], books["positions"]) == ([], [])

    run(terminal, run_node, account, config, drive)


@pytest.mark.parametrize(
    "time_in_force",
    [pytest.param(TimeInForce.IOC, id="E13"), pytest.param(TimeInForce.FOK, id="E15")],
)
def test_limit_order_at_the_market_is_filled_at_once(terminal, run_node, time_in_force):
    """On one quote: the tester sends another order at the next one."""
    config = {"limit_time_in_force": time_in_force, "tob_offset_ticks": -50, **NO_SELLS}

    async def drive(rig, tester):
        rows = np.zeros(1, TICK_DTYPE)
        rows["bid"], rows["ask"], rows["last"], rows["volume_real"] = 220.0, 220.05, 220.05, 100.0
        terminal.push_ticks("#AAPL", rows)
        await rig.until(rig.cache.positions_open)
        tester.stop()
        await rig.until(lambda: not rig.cache.positions_open())
        orders = sorted(rig.cache.orders(strategy_id=tester.id), key=lambda order: order.ts_init)
        assert [names_of(order) for order in orders] == [FILLS, FILLS]
        assert orders[0].time_in_force == time_in_force
        assert orders[0].avg_px == 220.05

    run(terminal, run_node, "exchange", config, drive, prices={"synthetic": False})


def names_of(order):
    return [type(event).__name__.removeprefix("Order") for event in order.events]


BRACKET = {"enable_brackets": True, "bracket_offset_ticks": 300}
POST_ONLY = {**BRACKET, "use_post_only": True}
BRACKETS = [
    *case("E50", {**BRACKET, **NO_SELLS}, OrderSide.BUY),
    *case("E51", {**BRACKET, "enable_limit_buys": False}, OrderSide.SELL),
    *case("E53", {**POST_ONLY, **NO_SELLS}, OrderSide.BUY, FUTURE),
]


@pytest.mark.parametrize(("account", "config", "side"), BRACKETS)
def test_bracket_waits_with_its_stops_and_ends_with_them(terminal, run_node, account, config, side):
    """Stop: cancel all, of which one request comes out."""

    async def drive(rig, tester):
        await quoted(rig, tester)
        orders = await rig.until(lambda: by_list(rig, tester))
        await rig.until(lambda: all(order.status == OrderStatus.ACCEPTED for order in orders))
        _entry, sl, tp = orders
        assert [order.side for order in orders] == [side, sl.side, sl.side]
        (waiting,) = terminal.books()["orders"]
        assert (waiting["sl"], waiting["tp"]) == pytest.approx(
            (float(sl.trigger_price), float(tp.price))
        )
        tester.stop()
        await rig.until(lambda: all(order.is_closed for order in orders))
        assert [names_of(order) for order in orders] == [WAITS] * 3
        assert terminal.books()["orders"] == []

    run(terminal, run_node, account, config, drive)


@pytest.mark.parametrize(
    ("account", "config", "side"), case("E52", {**BRACKET, **NO_SELLS}, OrderSide.BUY)
)
def test_stops_of_a_bracket_are_active_from_the_acceptance_of_its_entry_on(
    terminal, run_node, account, config, side
):
    """E52 wants them activated by the fill; the server has them with the entry [deviation]."""

    async def drive(rig, tester):
        await quoted(rig, tester)
        orders = await rig.until(lambda: by_list(rig, tester))
        await rig.until(lambda: all(order.status == OrderStatus.ACCEPTED for order in orders))
        entry, sl, tp = orders
        step = float(rig.cache.instrument(entry.instrument_id).price_increment)
        rows = np.zeros(1, TICK_DTYPE)
        rows["bid"], rows["ask"] = float(entry.price) - 2 * step, float(entry.price) - step
        seen = len(rig.strategy.quotes)
        terminal.push_ticks(ACCOUNTS[account][2], rows)
        await rig.until(lambda: entry.is_closed and rig.cache.positions_open())
        assert names_of(entry) == FILLS
        assert names_of(sl) == names_of(tp) == FILLS[:3]
        (position,) = terminal.books()["positions"]
        assert (position["sl"], position["tp"]) == pytest.approx(
            (float(sl.trigger_price), float(tp.price))
        )
        # A quote after the fill makes the tester begin anew, and it cancels what the venue has.
        await rig.until(lambda: len(rig.strategy.quotes) > seen and is_at_the_venue(rig))
        tester.stop()
        await rig.until(lambda: not rig.cache.positions_open() and not rig.cache.orders_open())
        assert sl.is_closed and tp.is_closed
        books = terminal.books()
        assert (books["orders"], books["positions"]) == ([], [])

    run(terminal, run_node, account, config, drive)


@pytest.mark.parametrize(
    ("account", "config", "lives"), case("E53", {**POST_ONLY, **NO_SELLS}, [DENIED] * 3, OTC)
)
def test_bracket_with_a_post_only_entry_is_denied_where_nothing_is_post_only(
    terminal, run_node, account, config, lives
):
    async def drive(rig, tester):
        await quoted(rig, tester)
        orders = await rig.until(lambda: by_list(rig, tester))
        await rig.until(lambda: all(order.is_closed for order in orders))
        assert [names_of(order) for order in orders] == lives
        assert rig.sends() == 0

    run(terminal, run_node, account, config, drive)


def is_at_the_venue(rig):
    return all(order.is_open or order.is_closed for order in rig.cache.orders())


def by_list(rig, tester):
    """The orders of the tester's first bracket: entry, stop loss, take profit."""
    lists = [one for one in rig.cache.order_lists() if one.strategy_id == tester.id]
    return [rig.cache.order(order.client_order_id) for order in lists[0].orders] if lists else []


@pytest.mark.parametrize("account", EVERY)
@pytest.mark.parametrize(
    ("config", "name"),
    [
        pytest.param({"modify_orders_to_maintain_tob_offset": True}, "Updated", id="E30-E31"),
        pytest.param(
            {"cancel_replace_orders_to_maintain_tob_offset": True}, "Canceled", id="E32-E33"
        ),
        pytest.param({**STOPS, "modify_stop_orders_to_maintain_offset": True}, "Updated", id="E34"),
        pytest.param(
            {**STOPS, "cancel_replace_stop_orders_to_maintain_offset": True},
            "Canceled",
            id="E35",
        ),
    ],
)
def test_orders_follow_the_market(terminal, run_node, account, config, name):
    async def drive(rig, tester):
        def heard(wanted):
            return [
                event
                for event in rig.events
                if event.strategy_id == tester.id and type(event).__name__ == f"Order{wanted}"
            ]

        await quoted(rig, tester)
        await rig.until(lambda: len(heard("Accepted")) >= 2)
        for _ in range(30):
            terminal.advance(20)
            if len(heard(name)) >= 2:
                break
            await rig.until(lambda: not any(order.is_inflight for order in rig.cache.orders()))
        await rig.until(lambda: len(heard(name)) >= 2)
        # What is not at the venue yet is not cancelled when the tester stops.
        await rig.until(lambda: is_at_the_venue(rig))
        tester.stop()
        await rig.until(lambda: all(order.is_closed for order in rig.cache.orders()))
        assert terminal.books()["orders"] == []

    run(terminal, run_node, account, config, drive)


@pytest.mark.parametrize(
    "kind",
    [OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED, OrderType.TRAILING_STOP_MARKET],
)
def test_emulated_orders_wait_in_the_node_and_become_others(terminal, run_node, kind):
    """E24 to E27, and trailing stops: the emulator's, and only what it releases reaches us."""
    config = {
        **NO_LIMITS,
        "enable_stop_sells": True,
        "stop_order_type": kind,
        "stop_offset_ticks": 20,
        "emulation_trigger": TriggerType.BID_ASK,
    }
    if kind == OrderType.TRAILING_STOP_MARKET:
        config["trailing_offset"] = Decimal(1)
    if kind == OrderType.LIMIT_IF_TOUCHED:
        config["stop_limit_offset_ticks"] = 50

    async def drive(rig, tester):
        await quoted(rig, tester)
        await rig.until(lambda: rig.cache.orders_emulated())
        assert rig.sends() == 0
        (order,) = rig.cache.orders(strategy_id=tester.id)

        def venue_has_it():
            released = rig.cache.order(order.client_order_id)
            return released.is_open or released.is_closed

        for _ in range(60):
            terminal.advance(60)
            if venue_has_it():
                break
        await rig.until(venue_has_it)
        if kind == OrderType.LIMIT_IF_TOUCHED:
            # A limit order, which the market may have filled already or not.
            books = terminal.books()
            sent = next(
                one
                for one in (*books["orders"], *books["history"])
                if one["magic"] and one["type"] == int(VenueOrderType.SELL_LIMIT)
            )
            assert sent["price_open"] == float(order.price)
            return
        await rig.until(lambda: rig.cache.order(order.client_order_id).is_closed)
        assert rig.fills()[0].client_order_id == order.client_order_id

    run(terminal, run_node, "hedging", config, drive)
