"""Is a frame handed over once when its worker is replaced while it is on its way?"""

import asyncio

import numpy as np
import pytest

from tradingview_scraper.adapters.mt5.client.clock import ServerClock
from tradingview_scraper.adapters.mt5.client.delivery import Deliveries
from tradingview_scraper.adapters.mt5.client.watches import TickWatch
from tradingview_scraper.adapters.mt5.rules.ticks import TickCursor
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE
from tradingview_scraper.adapters.mt5.worker.frames import Ticks, row_bytes

START = TickCursor(1_700_000_000_000, 0)


class Worker:
    """Stands for the link to one worker: only which one it is matters."""


def frame(watch, seq, number):
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"] = number
    return Ticks(watch.id, seq, START.time_msc + number, 1, False, row_bytes(rows))


@pytest.fixture
def run():
    """Runs a scenario with a watch, what it was handed, and the way to its loop."""

    def run(scenario):
        async def on_loop():
            loop, handed, deliveries = asyncio.get_running_loop(), [], Deliveries(lambda: None)
            gaps = []

            def handler(symbol, rows):
                handed.extend(int(bid) for bid in rows["bid"])

            watch = TickWatch(
                7,
                loop,
                lambda watch: None,
                "EURUSD",
                handler,
                10,
                10,
                START,
                gaps.append,
                ServerClock(None, lambda verdict: None),
            )

            async def settled():
                done = asyncio.Event()
                deliveries.put(loop, done.set)
                await done.wait()

            await scenario(watch, deliveries, handed, settled)

        asyncio.run(on_loop())

    return run


def test_a_frame_that_is_on_its_way_when_its_worker_is_replaced_comes_from_the_next(run):
    async def scenario(watch, deliveries, handed, settled):
        old, new = Worker(), Worker()
        watch.resume(old, 1)
        watch.receive(old, frame(watch, 1, 1), deliveries)
        await settled()
        watch.receive(old, frame(watch, 2, 2), deliveries)
        command = watch.resume(new, 1)
        watch.receive(new, frame(watch, 1, 2), deliveries)
        watch.receive(old, frame(watch, 3, 3), deliveries)
        await settled()

        assert (command.time_msc, command.seen) == (START.time_msc + 1, 1)
        assert handed == [1, 2]

    run(scenario)


def test_a_new_worker_begins_behind_what_was_handed_over(run):
    async def scenario(watch, deliveries, handed, settled):
        worker = Worker()
        assert watch.resume(worker, 1).time_msc == START.time_msc
        for number in (1, 2, 3):
            watch.receive(worker, frame(watch, number, number), deliveries)
        await settled()

        command = watch.resume(Worker(), 9)
        assert (command.id, command.watch, command.symbol) == (9, 7, "EURUSD")
        assert (command.time_msc, command.seen) == (START.time_msc + 3, 1)

    run(scenario)


def test_a_missing_frame_is_not_passed_over(run):
    async def scenario(watch, deliveries, handed, settled):
        worker = Worker()
        watch.resume(worker, 1)
        watch.receive(worker, frame(watch, 1, 1), deliveries)
        with pytest.raises(ValueError, match="expected frame 2"):
            watch.receive(worker, frame(watch, 3, 3), deliveries)

    run(scenario)


def test_a_closed_watch_drops_what_is_on_its_way(run):
    async def scenario(watch, deliveries, handed, settled):
        worker = Worker()
        watch.resume(worker, 1)
        watch.receive(worker, frame(watch, 1, 1), deliveries)
        watch.close()
        await settled()

        assert handed == []

    run(scenario)
