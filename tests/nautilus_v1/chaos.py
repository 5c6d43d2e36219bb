"""Random trading and random trouble: what happens in a round, and what must hold after it.

A round is a handful of actions of a strategy and of a person, most of them during one fault. When
the fault is over the node has to find out what happened, by itself; then its cache is compared with
the broker's books. After the last round the node stops, a person trades, and the next node goes on
with the cache of the one before. Everything follows from a seed, but for how fast the machine is.
"""

import asyncio
import math
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    TradeAction,
    TradeRetcode,
)

SYMBOLS = ("EURUSD", "GBPUSD")
INSTRUMENTS = [InstrumentId.from_str(f"{symbol}.MT5") for symbol in SYMBOLS]
CLOCK = {"mode": "stepped", "start": "2025-03-10T12:00:00Z"}
LANES = ("trade", "quotes", "history")
POLLS = ("positions_get", "orders_get", "history_deals_get", "account_info")
#: Positions and orders that are let stand; above that, they are closed.
MANY = 12
#: Seconds that a node has to find out what happened, on however slow a machine.
PATIENCE = 60.0
#: Seconds of a recovery that is told of.
SLOW = 3.0


def scenario(account, seed):
    """Fresh books, on a clock that is advanced."""
    prices = {"synthetic": True, "always_open": True}
    return {"extends": f"demo-{account}", "seed": seed, "clock": CLOCK, "prices": prices}


def fields(cells, account, login):
    """Settings of a node that is to see everything: all checks of the engine and the audit run."""
    of_cells = cells.fields(account, login)
    patient = {"order_timeout_secs": 1.5, "call_timeout_secs": 1.5}
    claims = {} if account == "hedging" else {"external_order_claims": INSTRUMENTS}
    return {
        **of_cells,
        "symbols": SYMBOLS,
        "terminal_fields": {**of_cells["terminal_fields"], **patient, "restart_limit": 0},
        "exec_fields": {**of_cells["exec_fields"], "audit_secs": 2.0},
        "engine_fields": {
            **of_cells["engine_fields"],
            "open_check_interval_secs": 0.5,
            "open_check_threshold_ms": 500,
            "position_check_interval_secs": 0.7,
            "position_check_threshold_ms": 500,
        },
        "strategy_fields": claims,
    }


@dataclass
class Tally:
    """What was done, and how it went."""

    rounds: int = 0
    #: Nodes that went on with the cache of the one before.
    restarted: int = 0
    actions: Counter = field(default_factory=Counter)
    faults: Counter = field(default_factory=Counter)
    orders: int = 0
    requests: int = 0
    deals: int = 0
    unknown: int = 0
    resolved: int = 0
    lost: int = 0
    doubled: int = 0
    missed: int = 0
    restarts: int = 0
    #: Seconds from the end of a fault to the agreement of cache and books.
    recovery: list = field(default_factory=list)
    #: Of those that took longer than `SLOW`: the fault, and what was waited for until when.
    slow: list = field(default_factory=list)


class Chaos:
    """Rounds on one node."""

    def __init__(self, rig, *, processes, compare, seed, hedging, tally, faults=None):
        self.rig = rig
        self.terminal = rig.terminal
        self.processes = processes
        self.compare = compare
        self.random = Random(seed)
        self.hedging = hedging
        self.tally = tally
        #: What was done last, to see what led to a difference.
        self.trace = []
        self._faults = faults or FAULTS
        self._ended = 0.0

    async def begin(self):
        rig = self.rig
        await rig.until(lambda: all(map(rig.cache.quote_tick, INSTRUMENTS)), 30)

    async def round(self):
        """A fault, what is done meanwhile, and the truth afterwards."""
        random = self.random
        del self.trace[:-60]
        for _ in range(random.randint(0, 3)):
            await self.act()
        name = random.choice([*self._faults])
        self.note(f"fault {name}")
        self.tally.faults[name] += 1
        during = self._faults[name](self)
        await anext(during)
        for _ in range(random.randint(1, 5)):
            await self.act()
        async for _ in during:
            pass
        self.terminal.clear_faults()
        self.note(f"{name} is over")
        self._ended = time.monotonic()
        waits = await self.agreed()
        took = time.monotonic() - self._ended
        self.tally.recovery.append(took)
        if took > SLOW:
            self.tally.slow.append(
                {"fault": name, "secs": round(took, 1), **waits, "trace": self.trace[-8:]}
            )
        self.tally.rounds += 1

    def in_between(self):
        """What a person does while no node runs."""
        for _ in range(self.random.randint(1, 4)):
            name = self.random.choice([one for one in ACTIONS if one.startswith("hand")])
            if did := getattr(self, name)():
                self.note(f"no node: {name} {did}")
            self.terminal.advance(self.random.choice((0.5, 20.0, 600.0)))

    async def agreed(self):
        """Wait until cache and books agree and nothing is in flight, while server time passes.

        Gives what had to be waited for, and for how many seconds.
        """
        rig = self.rig
        began = time.monotonic()
        by = began + PATIENCE
        waits = {}
        while True:
            books = self.terminal.books()
            cached, booked = self.compare(rig, self.hedging)
            looks = {**self.looks(), "books": cached == booked}
            if all(looks.values()):
                break
            waited = round(time.monotonic() - began, 1)
            waits.update({name: waited for name, is_so in looks.items() if not is_so})
            assert time.monotonic() < by, self.differences(cached, booked)
            self.terminal.advance(0.5)
            await asyncio.sleep(0.02)
        fills = [fill.trade_id for fill in rig.fills()]
        twice = [trade_id for trade_id, times in Counter(fills).items() if times > 1]
        assert not twice, f"filled twice: {twice}; {self.trace}"
        assert len(books["deals"]) >= len(fills)
        assert rig.client.metrics.missed == 0, self.trace
        return waits

    def looks(self):
        """What must be so, beside that cache and books agree."""
        client = self.rig.client
        return {
            "lanes": client._mt5.is_ready,
            "link": client._mt5.state.may_trade,
            "orders": self.rig.is_settled(),
            "outcomes": not client.metrics.unknown_now,
        }

    def differences(self, cached, booked):
        """What is not as it should be, for whoever reads the failure."""
        parts = [
            f"{name}: cache {mine}, books {theirs}"
            for name, mine, theirs in zip(cached._fields, cached, booked, strict=True)
            if mine != theirs
        ]
        client = self.rig.client
        flying = [repr(order) for order in self.rig.cache.orders() if is_flying(order)]
        state = f"{client._mt5.state}; unknown {client.metrics.unknown_now}; in flight {flying}"
        return "\n".join([*parts, state, *self.trace])

    def note(self, text):
        self.trace.append(f"{self.tally.rounds}: {text}")

    async def act(self):
        """One thing that a strategy or a person does, and a little time."""
        random = self.random
        names, weights = zip(*ACTIONS.items(), strict=True)
        (name,) = random.choices(names, weights)
        standing = len(self.rig.cache.positions_open()) + len(self.rig.cache.orders_open())
        if standing > MANY:
            name = random.choice(("close", "cancel"))
        did = getattr(self, name)()
        if did:
            self.note(f"{name} {did}")
            self.tally.actions[name] += 1
        with suppress(ConnectionError):
            self.terminal.advance(random.choice((0.1, 0.5, 2.0, 20.0)))
        await asyncio.sleep(random.choice((0.0, 0.01, 0.05, 0.2)))

    # What a strategy does. Each gives what it did, or nothing when there was nothing to do it to.

    def market(self):
        side = self.random.choice((OrderSide.BUY, OrderSide.SELL))
        units = str(1_000 * self.random.randint(1, 4))
        return self.rig.strategy.market(self.random.choice(SYMBOLS), side, units)

    def pending(self):
        order = self.made("limit" if self.random.random() < 0.6 else "stop_market")
        self.rig.strategy.submit_order(order)
        return order

    def made(self, kind):
        """An order that waits, near enough to be filled some day."""
        instrument, bid = self.quoted()
        side = self.random.choice((OrderSide.BUY, OrderSide.SELL))
        below = (side == OrderSide.BUY) == (kind == "limit")
        away = self.random.choice((0.0003, 0.0010, 0.0030))
        at = instrument.make_price(bid - away if below else bid + away)
        named = {"price": at} if kind == "limit" else {"trigger_price": at}
        units = instrument.make_qty(1_000 * self.random.randint(1, 3))
        make = getattr(self.rig.strategy.order_factory, kind)
        return make(instrument_id=instrument.id, order_side=side, quantity=units, **named)

    def quoted(self):
        instrument = self.rig.cache.instrument(self.random.choice(INSTRUMENTS))
        return instrument, float(self.rig.cache.quote_tick(instrument.id).bid_price)

    def modify(self):
        # A market order that is filled in part is open, and has nothing to change.
        order = self.one_of(
            order
            for order in self.rig.cache.orders_open()
            if is_ours(order) and (order.has_price or order.has_trigger_price)
        )
        if order is None:
            return None
        field = "trigger_price" if order.has_trigger_price else "price"
        instrument = self.rig.cache.instrument(order.instrument_id)
        by = self.random.choice((-0.0004, -0.0001, 0.0001, 0.0004))
        at = instrument.make_price(float(getattr(order, field)) + by)
        self.rig.strategy.modify_order(order, **{field: at})
        return f"{order.client_order_id} {field}={at}"

    def cancel(self):
        order = self.one_of(order for order in self.rig.cache.orders_open() if is_ours(order))
        if order is not None:
            self.rig.strategy.cancel_order(order)
        return order

    def bracket(self):
        instrument, bid = self.quoted()
        side = self.random.choice((OrderSide.BUY, OrderSide.SELL))
        away = 1 if side == OrderSide.BUY else -1
        stop, target = self.random.choice((0.0006, 0.0020)), self.random.choice((0.0006, 0.0020))
        orders = self.rig.strategy.order_factory.bracket(
            instrument.id,
            side,
            instrument.make_qty(1_000 * self.random.randint(1, 3)),
            sl_trigger_price=instrument.make_price(bid - away * stop),
            tp_price=instrument.make_price(bid + away * target),
        )
        self.rig.strategy.submit_order_list(orders)
        return orders.first

    def close(self):
        position = self.one_of(self.rig.cache.positions_open())
        if position is None:
            return None
        side = OrderSide.SELL if position.is_long else OrderSide.BUY
        units = position.quantity
        if self.random.random() < 0.3 and units > 1_000:
            units = Decimal(1_000)
        return self.rig.strategy.market(
            position.instrument_id.symbol.value,
            side,
            str(units),
            position=position if self.hedging else None,
            # No server knows it for a netted position: a person who closes at the same moment
            # makes such an order open one, and the engine refuses its fill.
            reduce_only=self.hedging,
        )

    # What a person does in the terminal. The terminal may be gone: then nothing.

    def hand_opens(self):
        return self.by_hand(
            action=int(TradeAction.DEAL),
            type_filling=int(OrderFilling.IOC),
            symbol=self.random.choice(SYMBOLS),
            type=int(self.random.choice((OrderType.BUY, OrderType.SELL))),
            volume=0.01 * self.random.randint(1, 3),
        )

    def hand_closes(self):
        held = self.booked("positions")
        if held is None:
            return None
        return self.by_hand(
            action=int(TradeAction.DEAL),
            type_filling=int(OrderFilling.IOC),
            symbol=held["symbol"],
            type=1 - held["type"],
            volume=held["volume"],
            position=held["ticket"],
        )

    def hand_cancels(self):
        order = self.booked("orders")
        if order is None:
            return None
        return self.by_hand(action=int(TradeAction.REMOVE), order=order["ticket"])

    def hand_moves_stops(self):
        held = self.booked("positions")
        if held is None:
            return None
        at, sign = held["price_current"], -1 if held["type"] else 1
        return self.by_hand(
            action=int(TradeAction.SLTP),
            symbol=held["symbol"],
            position=held["ticket"],
            sl=round(at - sign * self.random.choice((0.0005, 0.0015)), 5),
            tp=self.random.choice((0.0, round(at + sign * 0.0015, 5))),
        )

    def booked(self, what):
        try:
            return self.one_of(self.terminal.books()[what])
        except ConnectionError:
            return None

    def by_hand(self, **request):
        try:
            answer = self.terminal.trade_by_hand(**request)
        except ConnectionError:
            return None
        return f"{request} -> {answer['retcode']}"

    def one_of(self, these):
        these = list(these)
        return self.random.choice(these) if these else None

    # Faults: until the first `yield` they are brought about, after it they are ended.

    async def calm(self):
        yield

    async def reply_lost(self):
        when = self.random.choice(("before", "after", "during"))
        self.terminal.lose_reply("order_send", when)
        yield
        await self.settle()

    async def poll_lost(self):
        self.terminal.lose_reply(self.random.choice(POLLS), "after")
        yield
        await self.settle()

    async def odd_answer(self):
        codes = (TradeRetcode.TIMEOUT, TradeRetcode.CONNECTION, TradeRetcode.ERROR, 10_099)
        code = int(self.random.choice(codes))
        executed = self.random.random() < 0.5
        self.terminal.answer("order_send", code, executed=executed)
        self.note(f"answers {code}, {executed=}")
        yield
        await self.settle()

    async def partial_fill(self):
        self.terminal.partial_fill(0.01, n=self.random.randint(1, 2))
        yield
        self.terminal.partial_fill(0.01, n=0)

    async def request_hangs(self):
        self.terminal.hang(2.5, "order_send")
        yield
        await asyncio.sleep(2.5)

    async def poll_hangs(self):
        self.terminal.hang(4.0, self.random.choice(POLLS))
        yield
        await asyncio.sleep(4.0)

    async def slow(self):
        self.terminal.slow(0.15)
        yield
        await self.settle()
        self.terminal.slow(0.0)

    async def worker_killed(self):
        lane = self.random.choice(LANES)
        self.terminal.slow(0.05, "order_send")
        pid = self.rig.client._mt5.pids.get(lane)
        await self.act()
        if pid is not None:
            self.note(f"kills the {lane} worker")
            self.kill(pid)
        yield
        self.terminal.slow(0.0, "order_send")

    async def all_workers_killed(self):
        for pid in filter(None, self.rig.client._mt5.pids.values()):
            self.kill(pid)
        yield

    async def terminal_killed(self):
        self.terminal.slow(0.05, "order_send")
        await self.act()
        self.terminal.kill()
        yield
        self.terminal.start()

    async def terminal_updated(self):
        self.terminal.live_update(0.3)
        yield
        await self.rig.until(self.terminal_answers, PATIENCE)

    async def connections_dropped(self):
        self.terminal.drop_connections()
        yield

    async def link_cut(self):
        self.terminal.set_connected(False)
        yield
        self.terminal.set_connected(True)

    async def history_late(self):
        self.terminal.delay_history(self.random.choice((2.0, 20.0)))
        yield
        await self.settle()
        self.terminal.delay_history(0.0)

    def kill(self, pid):
        # It may have died by itself a moment before.
        with suppress(ProcessLookupError):
            self.processes.kill(pid)

    async def settle(self):
        """Time for something to meet the fault."""
        await asyncio.sleep(self.random.choice((0.05, 0.3)))

    def terminal_answers(self):
        try:
            self.terminal.stats()
        except ConnectionError:
            return False
        return True


ACTIONS = {
    "market": 5,
    "pending": 5,
    "modify": 4,
    "cancel": 3,
    "bracket": 4,
    "close": 4,
    "hand_opens": 2,
    "hand_closes": 2,
    "hand_cancels": 1,
    "hand_moves_stops": 1,
}
FAULTS = {
    one.__name__: one
    for one in (
        Chaos.calm,
        Chaos.reply_lost,
        Chaos.poll_lost,
        Chaos.odd_answer,
        Chaos.partial_fill,
        Chaos.request_hangs,
        Chaos.poll_hangs,
        Chaos.slow,
        Chaos.worker_killed,
        Chaos.all_workers_killed,
        Chaos.terminal_killed,
        Chaos.terminal_updated,
        Chaos.connections_dropped,
        Chaos.link_cut,
        Chaos.history_late,
    )
}


def live(run, compare, doubled, *, rounds, until=math.inf, tally, looks=(), **of):
    """The life of a node, and the start of the next. `run(drive, **fields)` runs one.

    `looks` are called with the rig when it begins and ends; `of` is for `Chaos`.
    """
    kept = {}

    async def first(rig):
        chaos = Chaos(rig, compare=compare, tally=tally, **of)
        await chaos.begin()
        for look in looks:
            look(rig)
        done = 0
        while done < rounds and time.monotonic() < until:
            await chaos.round()
            done += 1
        for look in looks:
            look(rig)
        account_of(rig, tally, compare, hedging=chaos.hedging)
        kept.update(chaos=chaos, orders=rig.cache.orders())

    async def second(rig):
        chaos = kept["chaos"]
        chaos.rig = rig
        await chaos.agreed()

    run(first)
    terminal = kept["chaos"].terminal
    kept["chaos"].in_between()
    run(second, remembered=kept["orders"])
    tally.restarted += 1
    tally.doubled += len(doubled(terminal.books()))


def is_flying(order):
    return order.is_inflight or not (order.is_open or order.is_closed)


def is_ours(order):
    """Not a person's: a strategy may only touch its own."""
    return order.strategy_id.value != "EXTERNAL"


def account_of(rig, tally, compare, *, hedging):
    """Add a node's figures at its end to `tally`."""
    figures = rig.client.metrics
    cached, booked = compare(rig, hedging)
    tally.deals += len(booked.deals)
    tally.lost += len({*booked.deals} - {*cached.deals})
    tally.doubled += len(cached.deals) - len({*cached.deals})
    tally.orders += sum(is_ours(order) for order in rig.cache.orders())
    trade = figures.client.lanes["trade"]
    sends = trade.functions.get("order_send")
    tally.requests += sends.calls if sends is not None else 0
    tally.unknown += figures.client.unknown_outcomes
    tally.resolved += figures.unknown_resolved
    tally.missed += figures.missed
    tally.restarts += sum(lane.restarts for lane in figures.client.lanes.values())


def memory_mb(pid):
    """Resident memory of a process; None where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    (line,) = (one for one in status.splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
