"""Which commands become requests, and which are denied."""

from decimal import Decimal

import pytest
from nautilus_trader.common.component import TestClock
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.identifiers import PositionId, StrategyId, TraderId
from nautilus_trader.model.objects import Price, Quantity

from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.orders import Circumstances, request_for
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    SymbolFilling,
    SymbolTradeExecution,
    SymbolTradeMode,
    TradeAction,
)

FACTORY = OrderFactory(TraderId("T-1"), StrategyId("S-1"), clock=TestClock())


@pytest.fixture
def ask(listing_of, zone):
    """The request of an order on EURUSD. Keywords change symbol, command and account."""

    def make(
        order=None,
        *,
        side=OrderSide.BUY,
        units=1_000,
        position_id=None,
        params=None,
        hedging=True,
        positions=(),
        reducing=0,
        quote=True,
        symbol=None,
        fresh=True,
        may_be_dropped=False,
        **terms,
    ):
        listing = listing_of("EURUSD", **symbol or {})
        instrument = listing.instrument
        if order is None:
            order = FACTORY.market(instrument.id, side, Quantity.from_int(units), **terms)
        command = SubmitOrder(
            trader_id=TraderId("T-1"),
            strategy_id=StrategyId("S-1"),
            order=order,
            position_id=PositionId(position_id) if position_id is not None else None,
            command_id=UUID4(),
            ts_init=0,
            params=params,
        )
        tick = QuoteTick(
            instrument.id,
            Price.from_str("1.10000"),
            Price.from_str("1.10002"),
            instrument.lot_size,
            instrument.lot_size,
            0,
            0,
        )
        now = Circumstances(
            hedging=hedging,
            positions=positions,
            reducing=Decimal(reducing),
            quote=tick if quote else None,
            is_fresh=fresh,
            magic=123,
            deviation=20,
            zone=zone,
            may_be_dropped=may_be_dropped,
        )
        return request_for(command, listing, now)

    return make


def test_market_order_is_a_deal_in_lots_with_our_magic(ask):
    request = ask()
    assert request["action"] == TradeAction.DEAL
    assert (request["symbol"], request["volume"], request["type"]) == ("EURUSD", 0.01, 0)
    assert (request["magic"], request["position"], request["deviation"]) == (123, 0, 20)
    assert type(request["volume"]) is float
    assert len(request["comment"]) <= 16


@pytest.mark.parametrize(("side", "price"), [(OrderSide.BUY, 1.10002), (OrderSide.SELL, 1.1)])
def test_instant_execution_asks_for_the_price_of_its_side(ask, side, price):
    symbol = {"trade_exemode": int(SymbolTradeExecution.INSTANT)}
    assert ask(side=side, symbol=symbol)["price"] == price


def test_instant_execution_without_a_quote_is_denied(ask):
    with pytest.raises(Denied, match="NO_QUOTE"):
        ask(quote=False, symbol={"trade_exemode": int(SymbolTradeExecution.INSTANT)})


def test_market_execution_needs_no_quote(ask):
    assert ask(quote=False)["price"] == 0.0


@pytest.mark.parametrize(
    ("terms", "filling"),
    [
        ({}, OrderFilling.IOC),
        ({"time_in_force": TimeInForce.IOC}, OrderFilling.IOC),
        ({"time_in_force": TimeInForce.FOK}, OrderFilling.FOK),
    ],
)
def test_time_in_force_becomes_the_filling(ask, terms, filling):
    assert ask(**terms)["type_filling"] == filling


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"time_in_force": TimeInForce.DAY}, "UNSUPPORTED_TIME_IN_FORCE"),
        ({"time_in_force": TimeInForce.AT_THE_OPEN}, "UNSUPPORTED_TIME_IN_FORCE"),
        (
            {"time_in_force": TimeInForce.FOK, "symbol": {"filling_mode": int(SymbolFilling.IOC)}},
            "UNSUPPORTED_TIME_IN_FORCE",
        ),
        ({"quote_quantity": True}, "UNSUPPORTED_QUOTE_QUANTITY"),
        ({"params": {"size": 1.0}}, "UNSUPPORTED_PARAMS"),
        ({"params": {"sl": 1.10001}}, "VALIDATION_FAILED"),
        ({"params": {"sl": "low"}}, "VALIDATION_FAILED"),
        ({"params": {"sl": 1.000001}}, "VALIDATION_FAILED"),
        ({"params": {"filling": "ALL"}}, "VALIDATION_FAILED"),
        ({"units": 999}, "VALIDATION_FAILED"),
        ({"units": 1_500}, "VALIDATION_FAILED"),
        ({"units": 20_000_000}, "VALIDATION_FAILED"),
        ({"symbol": {"trade_mode": int(SymbolTradeMode.DISABLED)}}, "TRADING_HALTED"),
        ({"position_id": "P-1"}, "VALIDATION_FAILED"),
        ({"reduce_only": True}, "VALIDATION_FAILED"),
    ],
)
def test_what_cannot_be_sent_is_denied_with_its_code(ask, how, code):
    with pytest.raises(Denied, match=f"^{code}: "):
        ask(**how)


@pytest.mark.parametrize("kind", ["market_if_touched", "limit_if_touched", "market_to_limit"])
def test_other_order_types_are_denied_with_the_way(ask, listing_of, kind):
    prices = {"price": Price.from_str("1.0"), "trigger_price": Price.from_str("1.1")}
    takes = {
        "market_if_touched": ["trigger_price"],
        "limit_if_touched": ["price", "trigger_price"],
        "market_to_limit": [],
    }
    order = getattr(FACTORY, kind)(
        listing_of("EURUSD").instrument.id,
        OrderSide.BUY,
        Quantity.from_int(1_000),
        **{name: prices[name] for name in takes[kind]},
    )
    with pytest.raises(Denied, match=r"UNSUPPORTED_ORDER_TYPE: order_type=.* emulation_trigger"):
        ask(order)


@pytest.fixture
def tickets(position_of):
    return [
        position_of(ticket=80, identifier=40, symbol="EURUSD", volume=0.02, type=0),
        position_of(ticket=41, identifier=41, symbol="EURUSD", volume=0.02, type=0),
    ]


def test_closing_names_the_ticket_of_the_position_that_was_meant(ask, tickets):
    closing = {"side": OrderSide.SELL, "positions": tickets, "reduce_only": True}
    assert ask(position_id="40", **closing)["position"] == 80
    assert ask(position_id="41", **closing)["position"] == 41


def test_position_that_is_not_seen_yet_is_closed_by_its_identifier(ask):
    assert ask(position_id="42", side=OrderSide.SELL)["position"] == 42


def test_ticket_cannot_be_increased(ask, tickets):
    with pytest.raises(Denied, match="cannot be increased"):
        ask(position_id="40", side=OrderSide.BUY, positions=tickets)


def test_ticket_below_the_minimum_volume_can_be_closed(ask, tickets):
    small = [tickets[0]._replace(volume=0.01)]
    request = ask(
        position_id="40",
        side=OrderSide.SELL,
        positions=small,
        symbol={"volume_min": 0.05},
    )
    assert (request["volume"], request["position"]) == (0.01, 80)


@pytest.mark.parametrize(
    ("units", "reducing", "side", "passes"),
    [
        (2_000, 0, OrderSide.SELL, True),
        (3_000, 0, OrderSide.SELL, False),
        (2_000, 1_000, OrderSide.SELL, False),
        (1_000, 1_000, OrderSide.SELL, True),
        (1_000, 0, OrderSide.BUY, False),
    ],
)
def test_netting_reduces_only_what_is_there(ask, tickets, units, reducing, side, passes):
    how = {
        "hedging": False,
        "positions": tickets[:1],
        "reduce_only": True,
        "position_id": "EURUSD.MT5-S-1",
        "units": units,
        "reducing": reducing,
        "side": side,
    }
    if passes:
        assert ask(**how)["position"] == 0
    else:
        with pytest.raises(Denied, match="reduce-only"):
            ask(**how)
