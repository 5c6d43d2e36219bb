"""How long does the event loop stall while a terminal call hangs? Ours against the naive ways.

The terminal holds its answer for five seconds, and the library waits with the GIL held. A task on
the loop wakes every millisecond; the longest pause between two wakes is the stall.
"""

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable

from benchmarks.figures import Figure
from benchmarks.node import terminal_config
from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE

HANG_SECS = 5.0
LIMIT_MS = 20.0


def run() -> list[Figure]:
    """The longest stall of the loop, for the client, a thread and a direct call."""
    with launch("demo-hedging") as control:
        ours = asyncio.run(_through_client(control))
        library = importlib.import_module(SIMULATOR_MODULE)
        library.initialize(control.path)
        threaded = asyncio.run(_stall(control, lambda: asyncio.to_thread(_tick, library)))
        direct = asyncio.run(_stall(control, lambda: _directly(library)))
        library.shutdown()
    return [
        Figure("longest stall, through the client", ours, "ms", limit=LIMIT_MS),
        Figure("longest stall, library in a thread", threaded, "ms"),
        Figure("longest stall, library on the loop", direct, "ms"),
        Figure("thread / ours", threaded / ours, "x"),
    ]


def _tick(library: object) -> object:
    return library.symbol_info_tick("EURUSD")  # type: ignore[attr-defined]


async def _directly(library: object) -> object:
    await asyncio.sleep(0)
    return _tick(library)


async def _through_client(control: Control) -> float:
    client = MT5Client(terminal_config(control, call_timeout_secs=2 * HANG_SECS))
    await client.connect()
    try:
        return await _stall(control, lambda: client.symbol_info_tick("EURUSD"))
    finally:
        await client.disconnect()


async def _stall(control: Control, call: Callable[[], Awaitable[object]]) -> float:
    control.hang(HANG_SECS, "symbol_info_tick")
    longest = 0.0
    stop = asyncio.Event()

    async def heartbeat() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not stop.is_set():
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest = max(longest, now - last - 0.001)
            last = now

    beating = asyncio.create_task(heartbeat())
    await asyncio.sleep(0.05)
    await call()
    await asyncio.sleep(0.05)
    stop.set()
    await beating
    return longest * 1e3
