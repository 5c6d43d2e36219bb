"""A strategy trades on a simulated terminal: what it hears is what the broker booked."""

import asyncio
from decimal import Decimal

import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import (
    GenerateFillReports,
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
    GeneratePositionStatusReports,
)
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Money

from tradingview_scraper.adapters.mt5.rules.identity import namespace_of
from tradingview_scraper.adapters.mt5.terminal.constants import OrderReason

NETTING = {
    "extends": "demo-netting",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
}

HEDGING = {**NETTING, "extends": "demo-hedging"}

LIFE = ["Initialized", "Submitted", "Accepted", "Filled"]


async def round_trip(rig, symbol, units):
    opening = rig.strategy.buy(symbol, units)
    position = await rig.opened(opening)
    assert position.is_open
    assert position.signed_decimal_qty() == Decimal(units)
    closing = await rig.done(rig.strategy.sell(symbol, units, position=position, reduce_only=True))
    assert position.is_closed
    assert position.signed_decimal_qty() == 0
    for order in (opening, closing):
        assert rig.names(order) == LIFE
    return position


def check_books(rig):
    books = rig.terminal.books()
    assert books["positions"] == []
    deals = [deal for deal in books["deals"] if deal["symbol"]]
    fills = rig.fills()
    assert [fill.trade_id.value for fill in fills] == [str(deal["ticket"]) for deal in deals]
    for fill, deal in zip(fills, deals, strict=True):
        assert fill.order_side == (OrderSide.SELL if deal["type"] else OrderSide.BUY)
        assert fill.venue_order_id.value == str(deal["order"])
        assert float(fill.last_px) == pytest.approx(deal["price"], abs=1e-9)
        assert (fill.info["commission"], fill.info["profit"]) == (
            deal["commission"],
            deal["profit"],
        )
    return deals


def test_round_trips_end_flat_and_equal_the_books(terminal, run_node):
    trips = {
        "EURUSD": ("1000", 0.01),
        "XAUUSD": ("7", 0.07),
        "US500": ("0.3", 0.3),
        "Germany 40": ("1.2", 1.2),
        "BTCUSD": ("0.05", 0.05),
        "#AAPL": ("3", 3.0),
        "EURUSD.a": ("2000", 0.02),
    }

    async def drive(rig):
        terminal.advance(60)
        for symbol, (units, _) in trips.items():
            await round_trip(rig, symbol, units)
        deals = check_books(rig)
        assert [(deal["symbol"], deal["volume"]) for deal in deals[::2]] == [
            (symbol, lots) for symbol, (_, lots) in trips.items()
        ]
        for fill, deal in zip(rig.fills(), deals, strict=True):
            assert fill.position_id.value == str(deal["position_id"])
        assert rig.sends() == 2 * len(trips)

    run_node(terminal, drive, symbols=list(trips))


#: Names as brokers have them, the units traded, and which symbol of the simulator each is like.
ODD = {"EURUSDm": "1000", "EURUSD.a": "2000", "#AAPL": "3", "@ES": "0.3", "US500.cash": "0.2",
       "GOLD micro": "7"}  # fmt: skip
LIKE = {"EURUSDm": "EURUSD", "EURUSD.a": "EURUSD", "@ES": "US500", "US500.cash": "US500",
        "GOLD micro": "XAUUSD"}  # fmt: skip


def test_scenario_01_odd_symbols_are_quoted_and_traded_under_their_own_names(terminal, run_node):
    listed = [{"name": name, "like": LIKE.get(name, name), "selected": False} for name in ODD]
    terminal.reset({**HEDGING, "symbols": listed})

    async def drive(rig):
        terminal.advance(60)
        await rig.until(
            lambda: (
                {quote.instrument_id for quote in rig.strategy.quotes}
                == {InstrumentId.from_str(f"{name.replace('@', '%40')}.MT5") for name in ODD}
            )
        )
        for name, units in ODD.items():
            await round_trip(rig, name, units)
        deals = check_books(rig)
        assert [deal["symbol"] for deal in deals] == [name for name in ODD for _ in range(2)]

    run_node(terminal, drive, symbols=list(ODD))


def test_scenario_13_a_hundredth_of_a_lot_is_a_thousand_units(terminal, run_node):
    async def drive(rig):
        position = await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        (ticket,) = terminal.books()["positions"]
        assert (ticket["volume"], position.quantity) == (0.01, 1_000)
        instrument = rig.cache.instrument(position.instrument_id)
        value = instrument.notional_value(position.quantity, instrument.make_price(1.1))
        assert str(value) == "1100.00 USD"
        assert float(rig.fills()[0].last_qty) == 1_000

    run_node(terminal, drive)


def test_pair_on_the_accounts_own_currency_ends_flat_to_the_unit(terminal, run_node):
    """A commission in the base currency would leave 99,996 of 100,000 units open."""

    async def drive(rig):
        position = await round_trip(rig, "USDJPY", "100000")
        fill, deal = rig.fills()[0], check_books(rig)[0]
        assert deal["commission"] == -3.5
        assert fill.commission == Money(
            3.5 * deal["price"], rig.cache.instrument(fill.instrument_id).quote_currency
        )
        assert position.peak_qty == 100_000

    run_node(terminal, drive, symbols=["USDJPY"])


def test_short_round_trip_on_a_netting_account(terminal, run_node):
    terminal.reset(NETTING)

    async def drive(rig):
        position = await rig.opened(rig.strategy.sell("EURUSD", "3000"))
        assert position.id.value == "EURUSD.MT5-S-001-001"
        assert position.signed_decimal_qty() == -3000
        part = rig.strategy.buy("EURUSD", "1000", reduce_only=True, position=position)
        assert (await rig.done(part)).status == OrderStatus.FILLED, part.last_event
        assert position.signed_decimal_qty() == -2000
        denied = await rig.done(rig.strategy.buy("EURUSD", "3000", reduce_only=True))
        assert rig.names(denied)[-1] == "Denied"
        await rig.done(rig.strategy.buy("EURUSD", "2000", reduce_only=True))
        assert position.is_closed
        check_books(rig)
        assert rig.sends() == 3

    run_node(
        terminal,
        drive,
        oms_type="NETTING",
        terminal_fields={"login": terminal.books()["account"]["login"]},
    )


def test_reduce_only_right_after_the_fill_is_taken(terminal, run_node):
    """The terminal may show the deal before the position."""
    terminal.reset(NETTING)

    async def drive(rig):
        for _ in range(10):
            for side in (rig.strategy.sell, rig.strategy.buy):
                order = side("EURUSD", "1000", reduce_only=side == rig.strategy.buy)
                await rig.until(lambda: order.is_closed)  # noqa: B023
                assert order.status == OrderStatus.FILLED, order.last_event
        assert rig.cache.positions_open() == []
        check_books(rig)

    login = terminal.books()["account"]["login"]
    run_node(terminal, drive, oms_type="NETTING", terminal_fields={"login": login})


def test_order_carries_its_identity_in_the_magic_number(terminal, run_node):
    async def drive(rig):
        position = await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        (held,) = terminal.books()["positions"]
        assert str(held["identifier"]) == position.id.value
        assert namespace_of(held["magic"]) == 4321
        (deal,) = [deal for deal in terminal.books()["deals"] if deal["symbol"]]
        assert (deal["magic"], deal["reason"]) == (held["magic"], OrderReason.EXPERT)

    run_node(terminal, drive, exec_fields={"magic_namespace": 4321})


def test_scenario_06_closing_one_of_two_tickets_closes_that_one(terminal, run_node):
    async def drive(rig):
        first = await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        second = await rig.opened(rig.strategy.buy("EURUSD", "2000"))
        assert first.id != second.id
        await rig.done(rig.strategy.sell("EURUSD", "2000", position=second, reduce_only=True))
        assert (first.is_open, second.is_closed) == (True, True)
        (left,) = terminal.books()["positions"]
        assert (str(left["identifier"]), left["volume"]) == (first.id.value, 0.01)
        await rig.done(rig.strategy.sell("EURUSD", "1000", position=first))
        assert terminal.books()["positions"] == []
        assert len(rig.cache.positions()) == 2

    run_node(terminal, drive)


def test_part_of_a_ticket_is_closed(terminal, run_node):
    async def drive(rig):
        position = await rig.opened(rig.strategy.sell("EURUSD", "3000"))
        await rig.done(rig.strategy.buy("EURUSD", "1000", position=position))
        assert position.signed_decimal_qty() == -2000
        (held,) = terminal.books()["positions"]
        assert (held["type"], held["volume"]) == (1, 0.02)

    run_node(terminal, drive)


def test_account_state_follows_each_deal(terminal, run_node):
    async def drive(rig):
        account = rig.cache.account(rig.client.account_id)
        assert account.base_currency.code == "USD"
        assert account.balance_total().as_double() == 100_000.0
        position = await rig.opened(rig.strategy.buy("EURUSD", "100000"))
        await rig.until(lambda: account.balance_locked().as_double() > 0)
        booked = terminal.books()["account"]
        assert account.balance_locked().as_double() == booked["margin"]
        assert account.last_event.info["equity"] == booked["equity"]
        await rig.done(rig.strategy.sell("EURUSD", "100000", position=position))
        booked = terminal.books()["account"]
        await rig.until(lambda: account.balance_total().as_double() == booked["balance"])
        assert account.balance_locked().as_double() == 0.0

    run_node(terminal, drive)


@pytest.mark.parametrize("name", ["asyncio", "uvloop"])
def test_node_trades_on_either_event_loop(terminal, run_node, name):
    async def drive(rig):
        await round_trip(rig, "EURUSD", "1000")

    factory = asyncio.new_event_loop
    if name == "uvloop":
        factory = pytest.importorskip("uvloop").new_event_loop
    run_node(terminal, drive, loop_factory=factory)


def test_engine_that_asks_all_the_time_hears_nothing_else(terminal, run_node):
    """Reports while orders are on their way must not make fills of their own."""

    async def drive(rig):
        for _ in range(10):
            await round_trip(rig, "EURUSD", "1000")
        check_books(rig)
        assert len(rig.cache.orders()) == 20
        assert {position.strategy_id for position in rig.cache.positions()} == {rig.strategy.id}

    run_node(
        terminal,
        drive,
        engine_fields={
            "inflight_check_interval_ms": 20,
            "inflight_check_threshold_ms": 0,
            "inflight_check_retries": 1_000,
            "open_check_interval_secs": 0.02,
            "open_check_open_only": False,
            "open_check_threshold_ms": 0,
            "open_check_missing_retries": 1_000,
            "open_check_lookback_mins": 10**6,
        },
    )


def test_reports_say_what_was_traded(terminal, run_node):
    async def drive(rig):
        await round_trip(rig, "EURUSD", "1000")
        held = await rig.opened(rig.strategy.sell("USDJPY", "2000"))
        shared = {"start": None, "end": None, "command_id": UUID4(), "ts_init": 0}
        orders = await rig.client.generate_order_status_reports(
            GenerateOrderStatusReports(instrument_id=None, open_only=False, **shared)
        )
        own = {order.client_order_id: order for order in rig.cache.orders()}
        assert {report.client_order_id for report in orders} == own.keys()
        for report in orders:
            order = own[report.client_order_id]
            assert report.order_status == order.status
            assert (report.filled_qty, report.quantity) == (order.filled_qty, order.quantity)
            assert report.venue_order_id == order.venue_order_id
            assert float(report.avg_px) == pytest.approx(order.avg_px)
            asked = GenerateOrderStatusReport(
                instrument_id=None,
                client_order_id=order.client_order_id,
                venue_order_id=None,
                command_id=UUID4(),
                ts_init=0,
            )
            again = await rig.client.generate_order_status_report(asked)
            assert again.venue_order_id == report.venue_order_id
        assert (
            await rig.client.generate_order_status_reports(
                GenerateOrderStatusReports(instrument_id=None, open_only=True, **shared)
            )
            == []
        )
        fills = await rig.client.generate_fill_reports(
            GenerateFillReports(instrument_id=held.instrument_id, venue_order_id=None, **shared)
        )
        assert [report.trade_id for report in fills] == held.trade_ids
        positions = await rig.client.generate_position_status_reports(
            GeneratePositionStatusReports(instrument_id=None, **shared)
        )
        assert [(report.venue_position_id, report.signed_decimal_qty) for report in positions] == [
            (held.id, -2_000)
        ]

    run_node(terminal, drive, symbols=["EURUSD", "USDJPY"])
