"""How much memory does a worker take, and what does importing the package import?"""

import asyncio
import subprocess
import sys

import psutil

from benchmarks.figures import Figure
from benchmarks.node import terminal_config
from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch

_IMPORTED = (
    "import sys, tradingview_scraper.adapters.mt5 as root; root.__all__; "
    "print(sum(name in sys.modules for name in ('nautilus_trader', 'pandas')))"
)


def run() -> list[Figure]:
    """Resident memory of the largest worker after reading 50,000 ticks, against bare numpy."""
    with launch("demo-hedging") as control:
        largest = asyncio.run(_largest_worker(control))
    bare = subprocess.run(
        [
            sys.executable,
            "-c",
            "import numpy, msgspec, psutil; print(psutil.Process().memory_info().rss)",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    heavy = subprocess.run(
        [sys.executable, "-c", _IMPORTED], check=True, capture_output=True, text=True
    )
    floor = int(bare.stdout) / 1e6
    return [
        Figure("largest worker, resident", largest, "MB", limit=60.0),
        Figure("python with numpy and msgspec alone", floor, "MB"),
        Figure("worker / floor", largest / floor, "x"),
        Figure("of nautilus_trader and pandas, imported by the root", int(heavy.stdout), "", 0.0),
    ]


async def _largest_worker(control: Control) -> float:
    client = MT5Client(terminal_config(control))
    await client.connect()
    try:
        tick = await client.symbol_info_tick("EURUSD")
        await client.copy_ticks_from("EURUSD", max(1, tick.time - 86_400), 50_000, -1)
        workers = [
            child
            for child in psutil.Process().children(recursive=True)
            if "tradingview_scraper.adapters.mt5.worker" in " ".join(child.cmdline())
        ]
        if not workers:
            raise RuntimeError("expected worker processes, found none: is the client connected?")
        return max(worker.memory_info().rss for worker in workers) / 1e6
    finally:
        await client.disconnect()
