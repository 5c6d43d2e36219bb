"""How many ticks a second reach the strategy from a terminal that has them ready?

The floor is the same node fed with prebuilt `QuoteTick`s in chunks of the same size, so what is
measured is everything between the terminal and the engine: reading, sending, cursor, construction.
"""

import asyncio
import time
from collections import deque
from datetime import UTC, datetime

import numpy as np
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from benchmarks.figures import Figure
from benchmarks.node import first_tick, run_node, terminal_config, until
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

TICKS, CHUNK, ROUNDS, SPAN_SECS = 300_000, 2_048, 7, 3_000
START_MSC = ZoneRule.parse("America/New_York+7h").server_msc(1_772_618_400_000_000_000)
ID = InstrumentId.from_str("EURUSD.MT5")


class Counter(Strategy):
    """Counts quotes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def on_start(self) -> None:
        self.subscribe_quote_ticks(ID)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.seen += 1


def run() -> list[Figure]:
    """The median of several rounds, in turns: from the terminal, and prebuilt."""
    scenario = {
        "extends": "demo-hedging",
        "symbols": ["EURUSD"],
        "clock": {"mode": "stepped", "start": datetime(2026, 3, 4, 10, tzinfo=UTC)},
        "prices": {"synthetic": False},
    }
    terminal_rates: list[float] = []
    floor_rates: list[float] = []
    with launch(scenario) as control:
        control.push_ticks("EURUSD", first_tick())
        counter = Counter()

        async def drive(node: TradingNode) -> None:
            await until(lambda: counter.seen == 1, 30)
            now_msc = START_MSC
            for number in range(ROUNDS):
                begin = counter.seen
                for rows in np.array_split(_rows(now_msc, number), 15):
                    await asyncio.to_thread(control.push_ticks, "EURUSD", rows)
                await asyncio.to_thread(control.advance, SPAN_SECS)
                now_msc += SPAN_SECS * 1000
                # The pace at which a quiet symbol is looked at is latency: another figure's.
                await until(lambda begin=begin: counter.seen > begin, 30, 0)
                started, already = time.perf_counter(), counter.seen - begin
                await until(lambda begin=begin: counter.seen >= begin + TICKS, 120, 0.002)
                terminal_rates.append((TICKS - already) / (time.perf_counter() - started))
                floor_rates.append(await _prebuilt(node, counter))

        run_node(terminal_config(control), ["EURUSD"], counter, drive)
    ours, floor = float(np.median(terminal_rates)), float(np.median(floor_rates))
    return [
        Figure("from the terminal", ours / 1e3, "k ticks/s"),
        Figure("prebuilt QuoteTicks (floor)", floor / 1e3, "k ticks/s"),
        Figure("from the terminal / floor", ours / floor, "x", limit=0.92, at_least=True),
    ]


async def _prebuilt(node: TradingNode, counter: Counter) -> float:
    """What the engine takes of ready objects, given to it as a data client does.

    Nobody keeps them: the node frees them when its cache drops them, as it does with live ones.
    """
    size = Quantity.from_int(1)
    chunks = deque(
        [
            QuoteTick(ID, Price(1.1 + n * 1e-7, 5), Price(1.1002, 5), size, size, n, n)
            for n in range(position, min(position + CHUNK, TICKS))
        ]
        for position in range(0, TICKS, CHUNK)
    )
    send = node.kernel.msgbus.send
    begin = counter.seen
    started = time.perf_counter()
    while chunks:
        for tick in chunks.popleft():
            send("DataEngine.process", tick)
        await asyncio.sleep(0)
    await until(lambda: counter.seen >= begin + TICKS, 120, 0.002)
    return TICKS / (time.perf_counter() - started)


def _rows(now_msc: int, seed: int) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    """Ticks at random milliseconds of the next span, several in one now and then."""
    random = np.random.default_rng(seed)
    rows = np.zeros(TICKS, TICK_DTYPE)
    rows["time_msc"] = now_msc + 1 + np.sort(random.integers(0, (SPAN_SECS - 1) * 1000, TICKS))
    rows["time"] = rows["time_msc"] // 1000
    rows["bid"] = np.round(1.1 + np.cumsum(random.integers(-1, 2, TICKS)) * 1e-5, 5)
    rows["ask"] = rows["bid"] + 0.0001
    rows["flags"] = 6
    return rows
