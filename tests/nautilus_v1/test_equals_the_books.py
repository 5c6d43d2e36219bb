"""Whatever is done, by whomever: the cache equals the broker's books after each step.

Equal means: the same tickets wait, with their side, price and what is left of them; the same
positions are open, by ticket on a hedging account and by net volume on the others; the same deals
are fills; the account's total is balance and credit.
"""

import asyncio

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.terminal.constants import OrderFilling, TradeAction
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")
CLOCK = {"mode": "stepped", "start": "2025-03-10T12:00:00Z"}
LOTS = 100_000

SIDES = st.sampled_from([OrderSide.BUY, OrderSide.SELL])
UNITS = st.sampled_from([1_000, 2_000, 3_000])
STEPS = st.one_of(
    st.tuples(st.just("market"), SIDES, UNITS),
    st.tuples(st.just("limit"), SIDES, UNITS),
    st.tuples(st.just("stop"), SIDES, UNITS),
    st.tuples(st.just("stop_limit"), SIDES, UNITS),
    st.tuples(st.just("move"), st.integers(0, 3)),
    st.tuples(st.just("cancel"), st.integers(0, 3)),
    st.tuples(st.just("close"), st.integers(0, 3)),
    st.tuples(st.just("by_hand"), SIDES, UNITS),
    st.tuples(st.just("remove_by_hand"), st.integers(0, 3)),
    st.tuples(st.just("tick"), st.integers(-80, 80)),
)


def do(rig, step):
    """One step. What cannot be done now is not done."""
    strategy, factory = rig.strategy, rig.strategy.order_factory
    quote = rig.cache.quote_tick(EURUSD)
    instrument = rig.cache.instrument(EURUSD)
    bid, ask = float(quote.bid_price), float(quote.ask_price)
    working = rig.cache.orders_open(strategy_id=strategy.id)
    held = rig.cache.positions_open()
    match step:
        case "market", side, units:
            strategy.submit_order(factory.market(EURUSD, side, instrument.make_qty(units)))
        case "limit", side, units:
            price = bid - 0.003 if side == OrderSide.BUY else ask + 0.003
            terms = {"price": instrument.make_price(price)}
            strategy.submit_order(factory.limit(EURUSD, side, instrument.make_qty(units), **terms))
        case "stop" | "stop_limit" as kind, side, units:
            away = 0.003 if side == OrderSide.BUY else -0.003
            at = (ask if side == OrderSide.BUY else bid) + away
            terms = {"trigger_price": instrument.make_price(at)}
            if kind == "stop_limit":
                terms["price"] = instrument.make_price(at - away / 10)
            make = getattr(factory, kind if kind == "stop_limit" else "stop_market")
            strategy.submit_order(make(EURUSD, side, instrument.make_qty(units), **terms))
        case "move", which if working:
            order = working[which % len(working)]
            by = -0.0005 if order.side == OrderSide.BUY else 0.0005
            if order.has_trigger_price and not getattr(order, "is_triggered", False):
                moved = instrument.make_price(float(order.trigger_price) - by)
                strategy.modify_order(order, trigger_price=moved)
            else:
                strategy.modify_order(order, price=instrument.make_price(float(order.price) + by))
        case "cancel", which if working:
            strategy.cancel_order(working[which % len(working)])
        case "close", which if held:
            position = held[which % len(held)]
            side = OrderSide.SELL if position.is_long else OrderSide.BUY
            order = factory.market(EURUSD, side, position.quantity)
            strategy.submit_order(order, position_id=position.id)
        case "by_hand", side, units:
            rig.terminal.trade_by_hand(
                action=int(TradeAction.DEAL),
                symbol="EURUSD",
                type=int(side == OrderSide.SELL),
                volume=units / LOTS,
                type_filling=int(OrderFilling.IOC),
            )
        case "remove_by_hand", which if rig.terminal.books()["orders"]:
            orders = rig.terminal.books()["orders"]
            ticket = orders[which % len(orders)]["ticket"]
            rig.terminal.trade_by_hand(action=int(TradeAction.REMOVE), order=ticket)
        case "tick", points:
            rig.terminal.advance(1)
            rows = np.zeros(1, TICK_DTYPE)
            rows["bid"], rows["ask"] = round(bid + points / 1e4, 5), round(ask + points / 1e4, 5)
            rig.terminal.push_ticks("EURUSD", rows)


@pytest.mark.parametrize("account", ["hedging", "netting"])
@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_cache_equals_the_books_after_each_step(terminal, run_node, compared, account, steps):
    terminal.reset({"extends": f"demo-{account}", "clock": CLOCK})
    hedging = account == "hedging"

    async def drive(rig):
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        for step in steps:
            quotes = len(rig.strategy.quotes)
            do(rig, step)
            if step[0] == "tick":
                await rig.until(lambda seen=quotes: len(rig.strategy.quotes) > seen)
            await rig.until(rig.is_settled)
            for _ in range(3_000):
                cache, books = compared(rig, hedging)
                if cache == books:
                    break
                await asyncio.sleep(0.005)
            assert cache == books, (step, rig.names())

    login = terminal.books()["account"]["login"]
    run_node(
        terminal,
        drive,
        oms_type=account.upper(),
        terminal_fields={"login": login},
        strategy_fields={} if hedging else {"external_order_claims": [EURUSD]},
    )
