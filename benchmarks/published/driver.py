"""How does an adapter do the work? The same driver for both, each in an interpreter of its own.

``python driver.py '{"adapter": "ours", ...}'`` (the fields of `Work`) on a terminal whose clock is
UTC and whose ticks come from here only. The last line that it prints is the answer, as JSON: ticks
at random milliseconds (which came, and how old), orders one after the other, the longest stall of
the loop while a call hangs, an order whose reply is lost after its execution.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from benchmarks.node import first_tick
from benchmarks.published.nodes import ADAPTERS, Account
from tradingview_scraper.adapters.mt5.simulator.control import Control, connect
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

#: Patience with an order, and with ticks that come late.
_ORDER_SECS, _QUIET_SECS = 10.0, 5.0
ID = InstrumentId.from_str("EURUSD.MT5")


class Work(NamedTuple):
    """What is to be done, on which account. Without `orders` the ticks are all."""

    adapter: str
    account: Account
    #: Milliseconds between polls of quotes; None: the adapter's own.
    poll_ms: int | None
    tick_secs: float
    ticks_per_sec: int
    orders: int
    hang_secs: float


class Trader(Strategy):
    """Sends orders of 0.01 lot, and keeps what it hears, with the time."""

    def __init__(self, hundredth: Decimal) -> None:
        super().__init__()
        self.seen: dict[str, int] = {}
        self.quotes: list[tuple[float, int]] = []
        self._hundredth = hundredth

    def on_start(self) -> None:
        self.subscribe_quote_ticks(ID)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.quotes.append((round(float(tick.bid_price), 5), time.time_ns()))

    def on_event(self, event: Any) -> None:
        if hasattr(event, "client_order_id"):
            self.seen[f"{event.client_order_id} {type(event).__name__}"] = time.perf_counter_ns()

    def trade(self, side: OrderSide) -> tuple[str, int]:
        quantity = self.cache.instrument(ID).make_qty(self._hundredth)
        order = self.order_factory.market(ID, side, quantity)
        sent = time.perf_counter_ns()
        self.submit_order(order)
        return order.client_order_id.value, sent


async def first(trader: Trader, name: str, kinds: tuple[str, ...], seconds: float) -> str:
    """The first of the kinds of event that an order gets, "" when it gets none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for kind in kinds:
            if f"{name} {kind}" in trader.seen:
                return kind
        await asyncio.sleep(0.001)
    return ""


def scheduled(now_msc: int, work: Work) -> Any:
    """Ticks at random milliseconds of the next seconds, each with a bid of its own."""
    count = round(work.tick_secs * work.ticks_per_sec)
    rows = np.zeros(count, TICK_DTYPE)
    span = round(work.tick_secs * 1_000)
    offsets = np.random.default_rng(7).integers(500, 500 + span, count)
    rows["time_msc"] = now_msc + np.sort(offsets)
    rows["time"] = rows["time_msc"] // 1_000
    rows["bid"] = 1.2 + np.arange(count) * 1e-5
    rows["ask"], rows["flags"] = rows["bid"] + 1e-4, 6
    return rows


async def ticks(trader: Trader, control: Control, work: Work) -> dict[str, Any]:
    """Which of the scheduled ticks came, how often, and how old each was when it came first."""
    rows = scheduled(time.time_ns() // 1_000_000, work)
    stamps = {
        round(float(bid), 5): int(msc) * 1_000_000
        for bid, msc in zip(rows["bid"], rows["time_msc"], strict=True)
    }
    before = len(trader.quotes)
    control.push_ticks("EURUSD", rows)
    await asyncio.sleep(0.5 + work.tick_secs)
    await _quiet(trader, lambda: {bid for bid, _ in trader.quotes} >= stamps.keys())
    came = [(bid, at) for bid, at in trader.quotes[before:] if bid in stamps]
    arrived: dict[float, int] = {}
    for bid, at in came:
        arrived.setdefault(bid, at)
    return {
        "sent": len(rows),
        "lost": len(stamps) - len(arrived),
        "doubled": len(came) - len(arrived),
        "age_ms": [(at - stamps[bid]) / 1e6 for bid, at in arrived.items()],
    }


async def _quiet(trader: Trader, is_all: Callable[[], bool]) -> None:
    """Until all is there, or nothing more has come for a while."""
    heard, since = len(trader.quotes), time.monotonic()
    while not is_all() and time.monotonic() < since + _QUIET_SECS:
        await asyncio.sleep(0.1)
        if len(trader.quotes) > heard:
            heard, since = len(trader.quotes), time.monotonic()


async def orders(trader: Trader, work: Work) -> dict[str, list[float]]:
    """Milliseconds from `submit_order` to the events, by kind; missing where none came."""
    spent: dict[str, list[float]] = {"OrderAccepted": [], "OrderFilled": []}
    for number in range(work.orders):
        name, sent = trader.trade(OrderSide.SELL if number % 2 else OrderSide.BUY)
        for kind, found in spent.items():
            if await first(trader, name, (kind,), _ORDER_SECS):
                found.append((trader.seen[f"{name} {kind}"] - sent) / 1e6)
        await asyncio.sleep(0.05)
    return {"accepted_ms": spent["OrderAccepted"], "filled_ms": spent["OrderFilled"]}


async def stalled(control: Control, hang_secs: float) -> float:
    """Milliseconds that the loop stood still, at most, while a poll of quotes hung."""
    control.hang(hang_secs, "symbol_info_tick")
    longest, end = 0.0, time.perf_counter() + hang_secs + 2
    last = time.perf_counter()
    while last < end:
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last - 0.001), now
    return longest * 1e3


async def lost_reply(trader: Trader, control: Control) -> dict[str, Any]:
    """What is said of an order that the broker executed, and how many deals there are."""
    before = len(control.books()["deals"])
    control.lose_reply("order_send", when="after")
    name, _ = trader.trade(OrderSide.BUY)
    verdict = await first(trader, name, ("OrderRejected", "OrderFilled"), 20.0)
    return {"verdict": verdict, "deals": len(control.books()["deals"]) - before}


async def do(work: Work) -> dict[str, Any]:
    """Run a node of the adapter through the work."""
    make, hundredth = ADAPTERS[work.adapter]
    node = make(work.account, work.poll_ms)
    trader = Trader(hundredth)
    node.trader.add_strategy(trader)
    node.build()
    # For both, as docs/operations.md recommends.
    gc.collect()
    gc.freeze()
    running = asyncio.ensure_future(node.run_async())
    control = connect(work.account.path)
    end = time.monotonic() + 60
    while not trader.quotes:
        if time.monotonic() > end:
            raise TimeoutError(f"{work.adapter}: no quote after 60 s: the node has not started")
        if trader.is_running:
            # mt5-connector delivers a tick once, be somebody subscribed to it or not.
            control.push_ticks("EURUSD", first_tick())
        await asyncio.sleep(0.25)
    answer: dict[str, Any] = {"ticks": await ticks(trader, control, work)}
    if work.orders:
        answer |= await orders(trader, work)
        # Before the lost reply: that may cost the library its connection.
        answer["stall_ms"] = await stalled(control, work.hang_secs)
        answer["lost_reply"] = await lost_reply(trader, control)
    # Not stopped: the answer is complete, and what is left ends with the process.
    running.cancel()
    return answer


def work_of(text: str) -> Work:
    """The work that an argument describes."""
    fields = json.loads(text)
    return Work(**{**fields, "account": Account(*fields["account"])})


if __name__ == "__main__":
    said = asyncio.run(do(work_of(sys.argv[1])))
    sys.stdout.write("\n" + json.dumps(said) + "\n")
    sys.stdout.flush()
