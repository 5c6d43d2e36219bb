"""Who is in Market Watch because of us, and does it leave with the last who needs it?"""

import asyncio

import numpy as np
import pytest

from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

#: In the scenario, but not in Market Watch.
HIDDEN = "USDCHF"


@pytest.fixture(scope="module")
def terminal():
    with launch("demo-hedging") as control:
        yield control


async def is_selected(client, symbol):
    return (await client.symbol_info(symbol)).select


def ignore(*_):
    pass


def test_a_symbol_is_selected_while_a_watch_needs_it(terminal, connected, eventually):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal) as client:
            assert not await is_selected(client, HIDDEN)
            ticks = client.watch_ticks(HIDDEN, ignore, loop)
            bars = client.watch_bars(HIDDEN, Timeframe.M1, ignore, loop)
            assert await is_selected(client, HIDDEN)
            ticks.close()
            assert await is_selected(client, HIDDEN)
            bars.close()
            assert not await is_selected(client, HIDDEN)

    asyncio.run(scenario())


def test_a_symbol_that_was_selected_before_is_left_alone(terminal, connected):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal) as client:
            client.watch_ticks("EURUSD", ignore, loop).close()
            async with client.selected("EURUSD"):
                pass
            assert await is_selected(client, "EURUSD")

    asyncio.run(scenario())


def test_a_symbol_is_selected_within_a_block(terminal, connected):
    async def scenario():
        async with connected(terminal) as client:
            async with client.selected(HIDDEN):
                assert await is_selected(client, HIDDEN)
                async with client.selected(HIDDEN):
                    pass
                assert await is_selected(client, HIDDEN)
            assert not await is_selected(client, HIDDEN)

    asyncio.run(scenario())


def test_a_symbol_that_is_released_and_needed_again_ends_up_selected(terminal, connected):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal) as client:
            for _ in range(20):
                watch = client.watch_ticks(HIDDEN, ignore, loop)
                again = client.watch_ticks(HIDDEN, ignore, loop)
                watch.close()
                again.close()
                last = client.watch_ticks(HIDDEN, ignore, loop)
                assert await is_selected(client, HIDDEN)
                last.close()
            assert not await is_selected(client, HIDDEN)

    asyncio.run(scenario())


def test_what_is_closed_just_before_the_end_is_still_released(terminal, connected):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal) as client:
            watch = client.watch_ticks(HIDDEN, ignore, loop)
            assert await is_selected(client, HIDDEN)
            watch.close()
        async with connected(terminal) as client:
            assert not await is_selected(client, HIDDEN)

    asyncio.run(scenario())


def test_a_symbol_with_a_position_stays_and_nothing_fails(terminal, connected, market_order):
    async def scenario():
        async with connected(terminal) as client:
            async with client.selected(HIDDEN):
                await client.order_send(market_order(HIDDEN))
            assert await is_selected(client, HIDDEN)
            (position,) = await client.positions_get(symbol=HIDDEN)
            await client.order_send(market_order(HIDDEN, side=1, position=position.ticket))

    asyncio.run(scenario())


def test_a_symbol_that_does_not_exist_is_an_error_and_holds_nothing(terminal, connected):
    async def scenario():
        async with connected(terminal) as client:
            with pytest.raises(MT5CallError):
                async with client.selected("NOSUCH"):
                    raise AssertionError("must not be entered")
            assert not client._selection.symbols

    asyncio.run(scenario())


def test_scenario_30_a_symbol_outside_market_watch_is_selected_first_and_zeros_are_no_prices(
    connected, eventually
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(control) as client:
            assert (await client.symbol_info(HIDDEN)).bid == 0.0
            frames = []
            client.watch_ticks(HIDDEN, lambda _, rows: frames.append(rows.copy()), loop)
            await client.symbol_info(HIDDEN)
            assert not frames
            rows = np.zeros(1, TICK_DTYPE)
            rows["bid"], rows["ask"], rows["flags"] = 0.8, 0.8001, 6
            control.push_ticks(HIDDEN, rows)
            await eventually(lambda: frames)
            assert np.concatenate(frames)["bid"].tolist() == [0.8]

    quiet = {"extends": "demo-hedging", "prices": {"synthetic": False}}
    with launch(quiet) as control:
        asyncio.run(scenario())
