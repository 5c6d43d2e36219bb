"""Do callbacks reach their loop in order, without waiting, and without starving it?"""

import asyncio
import threading

from tradingview_scraper.adapters.mt5.client.delivery import Deliveries


def test_callbacks_run_in_the_order_in_which_they_were_put():
    async def scenario():
        loop, seen, deliveries = asyncio.get_running_loop(), [], Deliveries(lambda: None)
        done = asyncio.Event()

        def put():
            for number in range(5_000):
                deliveries.put_frame(loop, seen.append, number)
            deliveries.put(loop, done.set)

        thread = threading.Thread(target=put)
        thread.start()
        await done.wait()
        thread.join()
        assert seen == [*range(5_000)]
        assert deliveries.is_low and not deliveries.is_full

    asyncio.run(scenario())


def test_too_many_frames_are_full_and_few_are_low_again():
    async def scenario():
        loop, lows = asyncio.get_running_loop(), []
        deliveries = Deliveries(lambda: lows.append(deliveries.is_low))
        done = asyncio.Event()
        deliveries.put(loop, lambda: None)
        assert not deliveries.is_full
        for _ in range(64):
            deliveries.put_frame(loop, lambda: None)
        assert deliveries.is_full
        deliveries.put(loop, done.set)
        await done.wait()
        assert lows == [True] and not deliveries.is_full

    asyncio.run(scenario())


def test_other_callbacks_of_the_loop_get_their_turn():
    async def scenario():
        loop, seen, deliveries = asyncio.get_running_loop(), [], Deliveries(lambda: None)
        done = asyncio.Event()

        def slow(number):
            seen.append(number)
            ends = loop.time() + 0.006
            while loop.time() < ends:
                pass

        for number in range(5):
            deliveries.put(loop, slow, number)
        deliveries.put(loop, done.set)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(seen) < 5
        await done.wait()

    asyncio.run(scenario())


def test_a_loop_that_is_closed_loses_its_callbacks_and_nobody_else_does():
    closed, seen = asyncio.new_event_loop(), []
    deliveries = Deliveries(lambda: None)
    closed.close()
    for _ in range(100):
        deliveries.put_frame(closed, seen.append, "lost")
    assert not deliveries.is_full

    async def scenario():
        deliveries.put(asyncio.get_running_loop(), seen.append, "kept")
        await asyncio.sleep(0.01)

    asyncio.run(scenario())
    assert seen == ["kept"]
