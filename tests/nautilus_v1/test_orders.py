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


def waiting(ask, listing_of, kind, **how):
    terms = {
        name: how.pop(name)
        for name in ("time_in_force", "expire_time", "post_only", "reduce_only", "display_qty")
        if name in how
    }
    prices = {
        "limit": {"price": Price.from_str("1.09000")},
        "stop_market": {"trigger_price": Price.from_str("1.11000")},
    }[kind]
    order = getattr(FACTORY, kind)(
        listing_of("EURUSD").instrument.id,
        OrderSide.BUY,
        Quantity.from_int(1_000),
        **prices,
        **terms,
    )
    return ask(order, **how)


INSTANT = {"trade_exemode": int(SymbolTradeExecution.INSTANT)}
EXCHANGE = {"trade_exemode": int(SymbolTradeExecution.EXCHANGE), "filling_mode": 7}


@pytest.mark.parametrize("terms", [TimeInForce.IOC, TimeInForce.FOK])
def test_limit_that_must_be_filled_at_once_depends_on_the_execution(ask, listing_of, terms):
    with pytest.raises(Denied, match="UNSUPPORTED_TIME_IN_FORCE"):
        waiting(ask, listing_of, "limit", time_in_force=terms)
    deal = waiting(ask, listing_of, "limit", time_in_force=terms, symbol=INSTANT)
    assert deal["action"] == TradeAction.DEAL
    # Below the market: nothing is left to the deviation, and the server refuses the price.
    assert (deal["price"], deal["deviation"]) == (1.09, 0)
    order = waiting(ask, listing_of, "limit", time_in_force=terms, symbol=EXCHANGE)
    assert order["action"] == TradeAction.PENDING
    assert order["type_filling"] == OrderFilling[terms.name]


def test_marketable_limit_at_instant_execution_may_slip_to_its_limit_and_no_further(
    ask, listing_of
):
    order = FACTORY.limit(
        listing_of("EURUSD").instrument.id,
        OrderSide.BUY,
        Quantity.from_int(1_000),
        Price.from_str("1.10012"),
        time_in_force=TimeInForce.IOC,
    )
    deal = ask(order, symbol=INSTANT)
    assert (deal["price"], deal["deviation"]) == (1.10002, 10)


def test_post_only_is_book_or_cancel_where_the_symbol_has_it(ask, listing_of):
    request = waiting(ask, listing_of, "limit", post_only=True, symbol=EXCHANGE)
    assert request["type_filling"] == OrderFilling.BOC
    with pytest.raises(Denied, match="UNSUPPORTED_POST_ONLY"):
        waiting(ask, listing_of, "limit", post_only=True)


@pytest.mark.parametrize(
    ("kind", "how", "code"),
    [
        ("limit", {"reduce_only": True}, "UNSUPPORTED_REDUCE_ONLY"),
        ("limit", {"display_qty": Quantity.from_int(1_000)}, "UNSUPPORTED_DISPLAY_QTY"),
        ("limit", {"position_id": "40"}, "VALIDATION_FAILED"),
        ("limit", {"params": {"deviation": 5}}, "UNSUPPORTED_PARAMS"),
        ("limit", {"symbol": {"expiration_mode": 2}}, "UNSUPPORTED_TIME_IN_FORCE"),
        ("limit", {"symbol": {"order_gtc_mode": 1}}, "UNSUPPORTED_TIME_IN_FORCE"),
        ("stop_market", {"time_in_force": TimeInForce.FOK}, "UNSUPPORTED_TIME_IN_FORCE"),
        ("stop_market", {"symbol": {"trade_stops_level": 2_000}}, "VALIDATION_FAILED"),
    ],
)
def test_scenario_34_waiting_order_that_cannot_be_is_denied(ask, listing_of, kind, how, code):
    with pytest.raises(Denied, match=f"^{code}: "):
        waiting(ask, listing_of, kind, **how)


def test_stops_level_is_the_servers_to_judge_when_the_quote_is_old(ask, listing_of):
    level = {"trade_stops_level": 2_000}
    assert waiting(ask, listing_of, "stop_market", symbol=level, fresh=False)["price"] == 1.11


def test_what_the_server_drops_is_sent_where_it_is_allowed(ask, listing_of):
    daily = {"order_gtc_mode": 1}
    params = {"sl": 1.05}
    with pytest.raises(Denied, match="UNSUPPORTED_TP_SL"):
        ask(symbol=daily, params=params)
    assert ask(symbol=daily, params=params, may_be_dropped=True)["sl"] == 1.05
    assert waiting(ask, listing_of, "limit", symbol=daily, may_be_dropped=True)["type_time"] == 0


def test_oldest_ticket_that_fits_is_reduced(ask, tickets):
    held = [
        tickets[0]._replace(time_msc=2),
        tickets[1]._replace(time_msc=1, volume=0.01),
    ]
    how = {"side": OrderSide.SELL, "positions": held, "reduce_only": True}
    assert ask(units=1_000, **how)["position"] == 41
    assert ask(units=2_000, **how)["position"] == 80
    assert ask(units=1_000, reducing=1_000, **how)["position"] == 80
    with pytest.raises(Denied, match="none against it is as large"):
        ask(units=3_000, **how)
