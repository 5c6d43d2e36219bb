"""Whatever is done, by whomever: the cache equals the broker's books after each step, or two.

Equal means: the same tickets wait, with their side, price and what is left of them; the same
positions are open, by ticket on a hedging account and by net volume on the others; the stops of
brackets are the levels at the server, for what they cover; the same deals are fills; the account's
total is balance and credit.
"""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nautilus_trader.model.enums import OrderSide, OrderType, TimeInForce

from tests.nautilus_v1.conftest import entered_by, instrument_id, one_stop
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    PositionType,
    TradeAction,
)
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

#: More of them, and more steps each, in a search: ``BOOKS_EXAMPLES=300 pytest ...``.
EXAMPLES = int(os.environ.get("BOOKS_EXAMPLES", "3"))
#: Prices are those that are pushed.
WORLD = {
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
    "prices": {"synthetic": False, "always_open": True},
}


class Ground(NamedTuple):
    """An account, and a symbol to trade on it."""

    scenario: str
    symbol: str
    #: The least volume, in units, and units of a lot.
    step: int
    lot: int
    bid: float
    #: What prices are moved by, and digits of them.
    pip: float
    digits: int


GROUNDS = {
    "hedging": Ground("demo-hedging", "EURUSD", 1_000, 100_000, 1.1, 0.0001, 5),
    "netting": Ground("demo-netting", "EURUSD", 1_000, 100_000, 1.1, 0.0001, 5),
    "exchange": Ground("exchange-netting", "#AAPL", 1, 1, 230.0, 0.02, 2),
}

SIDES = st.sampled_from([OrderSide.BUY, OrderSide.SELL])
#: In least volumes.
VOLUMES = st.integers(1, 4)
WHICH = st.integers(0, 5)
#: How far from the market, in pips; below zero is beyond it.
AWAY = st.sampled_from([-5, 10, 30])
LEGS = st.sampled_from(["both", "SL", "TP"])
#: Seconds until an order expires.
LIVES = st.sampled_from([None, 5, 60])
STEPS = st.one_of(
    st.tuples(st.just("market"), SIDES, VOLUMES),
    st.tuples(st.just("limit"), SIDES, VOLUMES, AWAY, LIVES),
    st.tuples(st.just("stop"), SIDES, VOLUMES, AWAY, LIVES),
    st.tuples(st.just("stop_limit"), SIDES, VOLUMES, AWAY, LIVES),
    st.tuples(st.just("bracket"), SIDES, VOLUMES, LEGS, st.sampled_from([0, 10, -10])),
    st.tuples(st.just("bracket"), SIDES, VOLUMES, LEGS, st.sampled_from([0, 10, -10])),
    st.tuples(st.just("move"), WHICH, st.sampled_from([-5, 5])),
    st.tuples(st.just("move"), WHICH, st.sampled_from([-5, 5])),
    st.tuples(st.just("cancel"), WHICH),
    st.tuples(st.just("cancel_all")),
    st.tuples(st.just("close"), WHICH, st.booleans()),
    st.tuples(st.just("reduce"), SIDES, VOLUMES),
    st.tuples(st.just("close_by")),
    st.tuples(st.just("by_hand"), SIDES, VOLUMES),
    st.tuples(st.just("close_by_hand"), WHICH, st.booleans()),
    st.tuples(st.just("place_by_hand"), SIDES, VOLUMES, st.sampled_from([10, 30])),
    st.tuples(st.just("move_by_hand"), WHICH, st.sampled_from([-5, 5])),
    st.tuples(st.just("remove_by_hand"), WHICH),
    st.tuples(st.just("stops_by_hand"), WHICH, st.sampled_from([-5, None, 5])),
    st.tuples(st.just("deposit"), st.sampled_from([-10.0, 25.5])),
    st.tuples(st.just("scarce"), VOLUMES, st.integers(1, 3)),
    st.tuples(st.just("tick"), st.integers(-80, 80)),
    st.tuples(st.just("tick"), st.integers(-15, 15)),
    st.tuples(st.just("tick"), st.just(0)),
    st.tuples(st.just("wait"), st.sampled_from([10, 3_600, 43_200])),
)


class Trader:
    """Does steps. What cannot be done now is not done."""

    def __init__(self, rig, ground):
        self.rig = rig
        self.terminal = rig.terminal
        self.ground = ground
        self.id = instrument_id(ground.symbol)
        self.bid = ground.bid
        #: At the terminal.
        self.now = datetime(2025, 3, 10, 12, tzinfo=UTC)

    @property
    def ask(self):
        return self.bid + self.ground.pip

    def market(self, side, volume):
        self.submit(self.factory.market(self.id, side, self.quantity(volume)))

    def limit(self, side, volume, away, life):
        price = self.off(side, -away)
        self.submit(
            self.factory.limit(self.id, side, self.quantity(volume), price, **self.until(life))
        )

    def stop(self, side, volume, away, life):
        trigger = self.off(side, away)
        self.submit(
            self.factory.stop_market(
                self.id, side, self.quantity(volume), trigger, **self.until(life)
            )
        )

    def stop_limit(self, side, volume, away, life):
        trigger, price = self.off(side, away), self.off(side, away - 3)
        self.submit(
            self.factory.stop_limit(
                self.id, side, self.quantity(volume), price, trigger, **self.until(life)
            )
        )

    def bracket(self, side, volume, legs, entry):
        """At the market, with a limit (below zero), or with a stop as its entry."""
        terms = {}
        if entry < 0:
            terms["entry_order_type"] = OrderType.LIMIT
            terms["entry_price"] = self.off(side, entry)
        orders = self.factory.bracket(
            self.id,
            side,
            self.quantity(volume),
            sl_trigger_price=self.off(side, entry - 20),
            tp_price=self.off(side, entry + 20),
            **terms,
        )
        if entry > 0:
            trigger = self.off(side, entry)
            stop = self.factory.stop_market(self.id, side, self.quantity(volume), trigger)
            orders = entered_by(orders, stop)
        self.rig.strategy.submit_order_list(orders if legs == "both" else one_stop(orders, legs))

    def move(self, which, pips):
        working = self.working()
        if not working:
            return
        order = working[which % len(working)]
        by = pips * self.ground.pip
        if order.has_trigger_price and not getattr(order, "is_triggered", False):
            moved = self.price(float(order.trigger_price) + by)
            self.rig.strategy.modify_order(order, trigger_price=moved)
        elif order.has_price:
            self.rig.strategy.modify_order(order, price=self.price(float(order.price) + by))

    def cancel(self, which):
        working = self.working()
        if working:
            self.rig.strategy.cancel_order(working[which % len(working)])

    def cancel_all(self):
        self.rig.strategy.cancel_all_orders(self.id)

    def close(self, which, whole):
        held = sorted(self.rig.cache.positions_open(), key=lambda position: position.ts_opened)
        if not held:
            return
        position = held[which % len(held)]
        side = OrderSide.SELL if position.is_long else OrderSide.BUY
        volume = int(position.quantity) // self.ground.step
        order = self.factory.market(
            self.id, side, self.quantity(volume if whole else max(volume // 2, 1))
        )
        self.rig.strategy.submit_order(order, position_id=position.id)

    def reduce(self, side, volume):
        self.submit(self.factory.market(self.id, side, self.quantity(volume), reduce_only=True))

    def close_by(self):
        held = self.rig.cache.positions_open()
        longs = [position for position in held if position.is_long]
        shorts = [position for position in held if position.is_short]
        if longs and shorts:
            first, second = longs[0], shorts[0]
            volume = min(first.quantity, second.quantity)
            self.rig.strategy.submit_order(
                self.factory.market(self.id, OrderSide.SELL, volume),
                position_id=first.id,
                params={"close_by": int(second.id.value)},
            )

    def by_hand(self, side, volume):
        self.hand(
            TradeAction.DEAL,
            type=int(side == OrderSide.SELL),
            volume=volume * self.ground.step / self.ground.lot,
            type_filling=int(OrderFilling.IOC),
        )

    def close_by_hand(self, which, whole):
        held = self.books("positions")
        if not held:
            return
        position = held[which % len(held)]
        volume = round(position["volume"] * self.ground.lot / self.ground.step)
        self.hand(
            TradeAction.DEAL,
            type=int(position["type"] == PositionType.BUY),
            volume=(volume if whole else max(volume // 2, 1)) * self.ground.step / self.ground.lot,
            type_filling=int(OrderFilling.IOC),
            position=position["ticket"],
        )

    def place_by_hand(self, side, volume, away):
        self.hand(
            TradeAction.PENDING,
            type=2 + int(side == OrderSide.SELL),
            volume=volume * self.ground.step / self.ground.lot,
            price=float(self.off(side, -away)),
            type_filling=int(OrderFilling.RETURN),
        )

    def move_by_hand(self, which, pips):
        orders = self.books("orders")
        if orders:
            order = orders[which % len(orders)]
            by = pips * self.ground.pip
            self.hand(
                TradeAction.MODIFY,
                order=order["ticket"],
                price=round(order["price_open"] + by, self.ground.digits),
                stoplimit=round(order["price_stoplimit"], self.ground.digits),
                sl=order["sl"],
                tp=order["tp"],
                type_time=order["type_time"],
                expiration=order["time_expiration"],
            )

    def remove_by_hand(self, which):
        orders = self.books("orders")
        if orders:
            self.hand(TradeAction.REMOVE, order=orders[which % len(orders)]["ticket"])

    def stops_by_hand(self, which, pips):
        """Move the levels of a position, or clear its stop loss. None is set anew."""
        held = self.books("positions")
        if not held:
            return
        position = held[which % len(held)]
        levels = {leg: position[leg] for leg in ("sl", "tp")}
        if pips is None:
            levels["sl"] = 0.0
        else:
            by = pips * self.ground.pip
            levels = {leg: round(at + by, self.ground.digits) for leg, at in levels.items() if at}
        self.hand(TradeAction.SLTP, position=position["ticket"], **levels)

    def deposit(self, amount):
        self.terminal.operate("balance", amount)

    def scarce(self, volume, fills):
        self.terminal.partial_fill(volume * self.ground.step / self.ground.lot, fills)

    def tick(self, pips):
        self.bid += pips * self.ground.pip
        self.wait(1)
        self.push()

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.terminal.advance(seconds)

    def push(self):
        rows = np.zeros(1, TICK_DTYPE)
        rows["bid"] = rows["last"] = round(self.bid, self.ground.digits)
        rows["ask"] = round(self.ask, self.ground.digits)
        rows["volume_real"] = 1.0
        self.terminal.push_ticks(self.ground.symbol, rows)

    def hand(self, action, **request):
        self.terminal.trade_by_hand(action=int(action), symbol=self.ground.symbol, **request)

    def submit(self, order):
        self.rig.strategy.submit_order(order)

    @property
    def factory(self):
        return self.rig.strategy.order_factory

    def working(self):
        orders = self.rig.cache.orders_open(strategy_id=self.rig.strategy.id)
        return sorted(orders, key=lambda order: (order.ts_init, order.client_order_id.value))

    def books(self, name):
        return self.terminal.books()[name]

    def off(self, side, pips):
        """A price, so far above the market as the buyer sees it."""
        if side == OrderSide.BUY:
            return self.price(self.ask + pips * self.ground.pip)
        return self.price(self.bid - pips * self.ground.pip)

    def price(self, at):
        return self.rig.cache.instrument(self.id).make_price(at)

    def quantity(self, volume):
        return self.rig.cache.instrument(self.id).make_qty(volume * self.ground.step)

    def until(self, life):
        if life is None:
            return {}
        return {
            "time_in_force": TimeInForce.GTD,
            "expire_time": self.now + timedelta(seconds=life),
        }

    async def at_once(self, steps):
        """Do steps without a look at what came of the one before; wait until all is settled."""
        seen = len(self.rig.strategy.quotes)
        for step in steps:
            getattr(self, step[0])(*step[1:])
        ticks = sum(step[0] == "tick" for step in steps)
        await self.rig.until(lambda: len(self.rig.strategy.quotes) >= seen + ticks)
        await self.rig.until(self.rig.is_settled)


def unmatched_levels(rig):
    """Levels at the server of brackets that are not over, whose stops Nautilus takes for ended."""
    books = rig.terminal.books()
    position_of = {deal["order"]: deal["position_id"] for deal in books["deals"]}
    waiting = {order["ticket"]: order for order in books["orders"]}
    held = {position["identifier"]: position for position in books["positions"]}
    found = []
    for entry in rig.cache.orders():
        stops = [rig.cache.order(one) for one in entry.linked_order_ids or ()]
        is_entry = entry.parent_order_id is None and stops and entry.venue_order_id is not None
        if not is_entry or any(stop.filled_qty for stop in stops):
            continue
        ticket = int(entry.venue_order_id.value)
        record = held.get(position_of.get(ticket, 0), waiting.get(ticket))
        if record is None or record["type"] % 2 != (entry.side == OrderSide.SELL):
            continue
        for stop in stops:
            leg = "sl" if stop.order_type == OrderType.STOP_MARKET else "tp"
            if record[leg] and stop.is_closed:
                found.append((stop.client_order_id.value, leg, record[leg]))
    return found


@pytest.mark.parametrize("account", GROUNDS)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(groups=st.lists(st.lists(STEPS, min_size=1, max_size=2), min_size=4, max_size=16))
def test_cache_equals_the_books_after_each_step(
    terminal, run_node, compared, doubled_in, account, groups
):
    ground = GROUNDS[account]
    terminal.reset({"extends": ground.scenario, **WORLD})
    hedging = account == "hedging"
    symbol = instrument_id(ground.symbol)

    async def drive(rig):
        trader = Trader(rig, ground)
        trader.push()
        await rig.until(lambda: rig.cache.quote_tick(symbol))
        for steps in groups:
            await trader.at_once(steps)
            for _ in range(3_000):
                cache, books = compared(rig, hedging)
                if cache == books:
                    break
                await asyncio.sleep(0.005)
            assert cache == books, (steps, rig.names())
            assert not unmatched_levels(rig)
        assert not doubled_in(terminal.books())

    login = terminal.books()["account"]["login"]
    run_node(
        terminal,
        drive,
        symbols=[ground.symbol],
        oms_type="HEDGING" if hedging else "NETTING",
        # A tick after a silence is waited for.
        terminal_fields={"login": login, "quote_poll_quiet_ms": 10},
        # What lies in the past for this machine's clock is the future of the terminal's.
        risk_fields={"bypass": True},
        strategy_fields={} if hedging else {"external_order_claims": [symbol]},
    )
