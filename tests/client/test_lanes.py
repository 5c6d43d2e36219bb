"""Laws 1 and 2: the node never waits for the terminal, and an order never waits for data."""

import asyncio
import os

import pytest

from tradingview_scraper.adapters.mt5.client import Lane, State
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallTimeout, MT5LaneLost


def test_scenario_27_while_one_lane_hangs_the_loop_and_the_other_lanes_go_on(
    terminal, connected, eventually, processes
):
    async def scenario():
        async with connected(terminal, history_timeout_secs=3.0) as client:
            hung = client.pids[Lane.HISTORY]
            others = {lane: client.pids[lane] for lane in (Lane.TRADE, Lane.QUOTES)}
            terminal.hang(600.0, "symbols_total")
            waiting = asyncio.ensure_future(client.symbols_total())
            answered = 0
            while not waiting.done():
                await client.symbol_info_tick("EURUSD")
                await client.account_info()
                answered += 1

            with pytest.raises(MT5CallTimeout, match="symbols_total did not answer within 3 s"):
                await waiting
            assert answered > 10
            await eventually(
                lambda: client.is_ready and client.pids[Lane.HISTORY] not in (hung, None)
            )
            assert not processes.lives(hung)
            assert {lane: client.pids[lane] for lane in others} == others

    asyncio.run(scenario())


def test_a_hung_lane_says_so_and_comes_back(terminal, connected, eventually):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal, call_timeout_secs=0.5) as client:
            states = []
            watch = client.watch_state(states.append, loop)
            await eventually(lambda: len(states) == 3)
            assert {state.state for state in states} == {State.ATTACHED}
            states.clear()

            terminal.hang(600.0, "symbol_info")
            with pytest.raises(MT5CallTimeout):
                await client.symbol_info("EURUSD")
            await eventually(lambda: client.is_ready and len(states) == 3)

            assert [state.lane for state in states] == [Lane.QUOTES] * 3
            assert [state.state for state in states] == [
                State.LOST,
                State.STARTING,
                State.ATTACHED,
            ]
            assert "symbol_info did not answer within 0.5 s" in states[0].reason
            watch.close()
            terminal.hang(0.0)

    asyncio.run(scenario())


def test_calls_behind_a_hung_one_fail_and_are_not_sent_again(terminal, connected, eventually):
    async def scenario():
        async with connected(terminal, call_timeout_secs=0.5) as client:
            terminal.hang(600.0, "symbol_info")
            hung = client.submit("symbol_info", "EURUSD")
            behind = client.submit("symbol_info_tick", "EURUSD")
            with pytest.raises(MT5CallTimeout):
                await asyncio.wrap_future(hung)
            with pytest.raises(MT5LaneLost):
                await asyncio.wrap_future(behind)
            with pytest.raises(MT5LaneLost) as caught:
                await client.symbol_info("EURUSD")
            assert caught.value.sent is False
            await eventually(lambda: client.is_ready)
            calls = terminal.stats()["calls"]
            assert calls["symbol_info"] == 1
            assert "symbol_info_tick" not in calls

    asyncio.run(scenario())


def test_an_order_is_answered_while_history_and_quotes_hang(
    terminal, connected, eventually, market_order
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal) as client:
            terminal.hang(600.0, "symbols_total")
            terminal.hang(600.0, "symbol_info_tick")
            hung = client.submit("symbols_total"), client.submit("symbol_info_tick", "EURUSD")
            await eventually(lambda: terminal.stats()["calls"]["symbol_info_tick"])

            outcomes = []
            client.send(market_order(), outcomes.append, loop)
            await eventually(lambda: outcomes, 5.0)

            assert outcomes[0].outcome is Outcome.ACCEPTED
            assert not any(future.done() for future in hung)

    asyncio.run(scenario())


def test_ticks_do_not_wait_for_an_order(terminal, connected, eventually, market_order):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal) as client:
            terminal.hang(600.0, "order_send")
            outcomes, ticks = [], []
            client.send(market_order(), outcomes.append, loop)
            await eventually(lambda: terminal.stats()["calls"]["order_send"])
            client.watch_ticks("EURUSD", lambda symbol, rows: ticks.append(rows), loop)
            await eventually(lambda: ticks, 5.0)
            assert outcomes == []

    asyncio.run(scenario())


def test_a_poll_that_hangs_costs_its_lane_too(terminal, connected, eventually, processes):
    """Nobody has called, but the worker hangs in a feed, and is noticed by its silence."""

    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal, call_timeout_secs=0.5) as client:
            hung = client.pids[Lane.QUOTES]
            ticks = []
            terminal.hang(600.0, "copy_ticks_from")
            client.watch_ticks("EURUSD", lambda symbol, rows: ticks.append(rows), loop)
            await eventually(lambda: not processes.lives(hung))
            await eventually(lambda: client.states[Lane.QUOTES].state is State.LOST)

    asyncio.run(scenario())


def test_a_worker_that_dies_is_replaced(terminal, connected, eventually, processes):
    async def scenario():
        async with connected(terminal) as client:
            before = dict(client.pids)
            for pid in before.values():
                processes.kill(pid)
            await eventually(
                lambda: client.is_ready and not {*before.values()} & {*client.pids.values()}
            )
            assert (await client.account_info()).login == 5001234

    asyncio.run(scenario())


def test_a_terminal_that_is_gone_and_back_is_attached_again(terminal, connected, eventually):
    async def scenario():
        async with connected(terminal, restart_delay_max_ms=200) as client:
            terminal.kill()
            await eventually(lambda: client.states[Lane.TRADE].state is State.LOST)
            with pytest.raises(MT5LaneLost):
                await client.positions_get()
            terminal.start()
            await eventually(lambda: client.is_ready)
            assert await client.positions_get() == ()

    asyncio.run(scenario())


def test_a_restart_never_logs_in(terminal, connected, eventually, processes):
    async def scenario():
        async with connected(terminal, password="simulated") as client:
            processes.kill(client.pids[Lane.TRADE])
            await eventually(lambda: not client.is_ready)
            await eventually(lambda: client.is_ready)
            assert "login" not in terminal.stats()["calls"]

    asyncio.run(scenario())


def test_the_last_to_leave_stops_the_workers(terminal, connected, config, eventually, processes):
    async def scenario():
        async with connected(terminal) as client:
            pids = {pid for pid in client.pids.values() if pid}
            assert len(pids) == 3 and os.getpid() not in pids
            await client.connect()
            await client.disconnect()
            assert client.is_ready
        assert not client.is_ready
        assert not any(processes.lives(pid) for pid in pids)
        assert {state.state for state in client.states.values()} == {State.STOPPED}
        await eventually(lambda: terminal.stats()["sessions"] == 0)

        await client.disconnect()
        await client.connect()
        assert client.is_ready
        await client.disconnect()

    asyncio.run(scenario())
