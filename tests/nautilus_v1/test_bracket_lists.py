"""Which order lists are brackets that a server can hold?"""

import pytest
from nautilus_trader.common.component import TestClock
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import SubmitOrderList
from nautilus_trader.model.enums import ContingencyType, OrderSide, OrderType, TimeInForce
from nautilus_trader.model.identifiers import InstrumentId, PositionId, StrategyId, TraderId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import MarketOrder

from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import (
    Leg,
    bracket_in,
    entry_command,
    is_linked,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied

EURUSD = InstrumentId.from_str("EURUSD.MT5")
UNITS = Quantity.from_int(1_000)


@pytest.fixture
def factory():
    return OrderFactory(TraderId("T-1"), StrategyId("S-1"), clock=TestClock())


@pytest.fixture
def make(factory):
    def bracket(**terms):
        return factory.bracket(
            EURUSD,
            OrderSide.BUY,
            UNITS,
            **{
                "sl_trigger_price": Price.from_str("1.09000"),
                "tp_price": Price.from_str("1.11000"),
                **terms,
            },
        )

    return bracket


def command(orders, **fields):
    return SubmitOrderList(
        trader_id=TraderId("T-1"),
        strategy_id=StrategyId("S-1"),
        order_list=orders,
        command_id=UUID4(),
        ts_init=0,
        **fields,
    )


@pytest.mark.parametrize("contingency", [ContingencyType.OCO, ContingencyType.OUO])
def test_the_factorys_bracket_is_one(make, contingency):
    orders = make(contingency_type=contingency)
    found = bracket_in(orders.orders)
    assert [found.entry, found.stops[Leg.SL], found.stops[Leg.TP]] == orders.orders
    sent = entry_command(command(orders), found)
    assert sent.order is found.entry
    assert sent.params == {"sl": 1.09, "tp": 1.11}


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"sl_time_in_force": TimeInForce.DAY}, "supported=GTC"),
        ({"tp_time_in_force": TimeInForce.DAY}, "supported=GTC"),
        (
            {"tp_order_type": OrderType.LIMIT_IF_TOUCHED, "tp_trigger_price": Price(1.1, 5)},
            "LIMIT_IF_TOUCHED",
        ),
    ],
)
def test_stop_that_no_server_has_is_denied_with_the_reason(make, terms, why):
    with pytest.raises(Denied, match=why):
        bracket_in(make(**terms).orders)


@pytest.mark.parametrize("leg", [Leg.SL, Leg.TP])
def test_one_stop_is_enough(make, leg):
    entry, sl, tp = make().orders
    only = sl if leg is Leg.SL else tp
    alone = MarketOrder(
        trader_id=entry.trader_id,
        strategy_id=entry.strategy_id,
        instrument_id=EURUSD,
        client_order_id=entry.client_order_id,
        order_side=OrderSide.BUY,
        quantity=UNITS,
        init_id=UUID4(),
        ts_init=0,
        contingency_type=ContingencyType.OTO,
        linked_order_ids=[only.client_order_id],
    )
    assert bracket_in([alone, only]).stops == {leg: only}
    with pytest.raises(Denied, match="linked orders"):
        bracket_in([entry, only])


def test_list_without_an_entry_is_none(make):
    with pytest.raises(Denied, match="one entry with OTO"):
        bracket_in(make().orders[1:])


def test_what_the_entry_must_not_say(make):
    orders = make()
    found = bracket_in(orders.orders)
    with pytest.raises(Denied, match="leave the params"):
        entry_command(command(orders, params={"sl": 1.0}), found)
    with pytest.raises(Denied, match="leave position_id out"):
        entry_command(command(orders, position_id=PositionId("7")), found)


def test_orders_of_their_own_are_not_linked(factory, make):
    assert not is_linked(factory.market(EURUSD, OrderSide.BUY, UNITS))
    assert all(is_linked(order) for order in make().orders)
