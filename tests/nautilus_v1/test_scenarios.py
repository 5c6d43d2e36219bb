"""What goes wrong with orders in other adapters, where no other test is about it."""

import numpy as np
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId

from tests.conftest import STEPPED
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.constants import TradeRetcode
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")


def deals(terminal):
    return [deal for deal in terminal.books()["deals"] if deal["symbol"]]


def test_scenario_20_partial_fill_is_a_fill_and_what_is_left_is_cancelled(terminal, run_node):
    """10010 answers a market order of which only a part was there."""

    async def drive(rig):
        terminal.partial_fill(0.02)
        order = await rig.done(rig.strategy.buy("EURUSD", "5000"))
        assert rig.names(order) == ["Initialized", "Submitted", "Accepted", "Filled", "Canceled"]
        assert order.status == OrderStatus.CANCELED
        assert order.filled_qty == 2_000
        (deal,) = deals(terminal)
        (fill,) = rig.fills()
        assert fill.trade_id.value == str(deal["ticket"])
        assert fill.last_px.as_double() == deal["price"]
        (position,) = rig.cache.positions_open()
        assert position.quantity == 2_000

    run_node(terminal, drive)


def test_scenario_21_placed_order_rests(terminal, run_node):
    """10008 means that the order is at the broker; that it was executed is for 10009 to say."""

    async def drive(rig):
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        bid = rig.cache.quote_tick(EURUSD).bid_price.as_double()
        instrument = rig.cache.instrument(EURUSD)
        terminal.answer("order_send", int(TradeRetcode.PLACED), executed=True)
        order = rig.strategy.order_factory.limit(
            EURUSD, OrderSide.BUY, instrument.make_qty(1_000), instrument.make_price(bid - 0.01)
        )
        rig.strategy.submit_order(order)
        await rig.until(lambda: order.is_open)
        (waiting,) = terminal.books()["orders"]
        assert order.venue_order_id.value == str(waiting["ticket"])
        assert rig.sends() == 1

    run_node(terminal, drive)


def test_scenario_21_placed_market_order_is_filled_by_its_deal(terminal, run_node):
    async def drive(rig):
        terminal.answer("order_send", int(TradeRetcode.PLACED), executed=True)
        order = await rig.done(rig.strategy.buy("EURUSD", "1000"))
        assert rig.names(order) == ["Initialized", "Submitted", "Accepted", "Filled"]
        assert rig.sends() == 1

    run_node(terminal, drive)


def test_scenario_23_deal_that_shows_late_is_waited_for(run_node):
    """The answer is there at once; deal and order are in the history a second later."""
    lagging = {**STEPPED, "broker": {"deal_lag_ms": 1_000}}
    with launch(lagging) as terminal:

        async def drive(rig):
            order = rig.strategy.buy("EURUSD", "1000")
            await rig.until(lambda: order.is_open)
            calls = terminal.stats()["calls"]["history_deals_get"]
            await rig.until(lambda: terminal.stats()["calls"]["history_deals_get"] > calls + 3)
            assert rig.names(order) == ["Initialized", "Submitted", "Accepted"]
            terminal.advance(1.1)
            await rig.done(order)
            assert rig.names(order) == ["Initialized", "Submitted", "Accepted", "Filled"]
            (deal,) = deals(terminal)
            assert [fill.trade_id.value for fill in rig.fills()] == [str(deal["ticket"])]

        run_node(terminal, drive)


def test_scenario_26_two_brokers_in_one_node_each_get_their_own_orders(terminal, run_node):
    with launch({**STEPPED, "account": {"login": 7007}}) as other:

        async def drive(rig):
            there = InstrumentId.from_str("EURUSD.OTHER")
            strategy = rig.strategy
            strategy.subscribe_quote_ticks(there)
            rows = np.zeros(1, TICK_DTYPE)
            rows["bid"], rows["ask"] = 1.5, 1.5002
            other.push_ticks("EURUSD", rows)
            await rig.until(lambda: rig.cache.quote_tick(there))
            assert rig.cache.quote_tick(there).ask_price.as_double() == 1.5002
            here = await rig.done(strategy.buy("EURUSD", "1000"))
            instrument = rig.cache.instrument(there)
            order = strategy.order_factory.market(there, OrderSide.SELL, instrument.make_qty(3_000))
            strategy.submit_order(order)
            await rig.done(order)
            assert [deal["volume"] for deal in deals(terminal)] == [0.01]
            assert [deal["volume"] for deal in deals(other)] == [0.03]
            assert here.account_id.value == "MT5-5001234"
            assert order.account_id.value == "OTHER-7007"

        run_node(terminal, drive, beside={"OTHER": other})
