"""What follows from the lanes and the link: may one trade, is what is shown true, what helps?"""

import asyncio

import pytest

from tradingview_scraper.adapters.mt5.client import Lane, LaneState, MT5Client, State
from tradingview_scraper.adapters.mt5.client.supervision import Supervisor, terminal_state
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5CallError,
    MT5ConnectionError,
    MT5LaneLost,
)

BY_HAND = {"action": 1, "type_filling": 1, "symbol": "EURUSD", "type": 0, "volume": 0.01}


def lanes(trade=State.ATTACHED, quotes=State.ATTACHED, history=State.ATTACHED):
    states = zip(Lane, (trade, quotes, history), strict=True)
    return {lane: LaneState(lane, state, f"why {lane}") for lane, state in states}


@pytest.mark.parametrize(
    ("of", "is_linked", "state", "may_trade"),
    [
        (lanes(), True, State.ATTACHED, True),
        (lanes(), False, State.LOST, False),
        (lanes(), None, State.LOST, False),
        (lanes(trade=State.STARTING), True, State.STARTING, False),
        (lanes(trade=State.LOST), True, State.LOST, False),
        (lanes(trade=State.FAILED), True, State.FAILED, False),
        (lanes(quotes=State.LOST), True, State.DEGRADED, True),
        (lanes(history=State.FAILED), True, State.DEGRADED, True),
        (lanes(history=State.LOST), False, State.LOST, False),
        (lanes(quotes=State.REFUSED), True, State.REFUSED, False),
        (lanes(*[State.STOPPED] * 3), None, State.STOPPED, False),
    ],
)
def test_one_state_follows_from_lanes_and_link(of, is_linked, state, may_trade):
    found = terminal_state(of, is_linked)
    assert (found.state, found.may_trade) == (state, may_trade)
    assert bool(found.remedy) == (state not in (State.ATTACHED, State.STARTING, State.STOPPED))


def test_a_change_is_told_once():
    told = []
    supervisor = Supervisor(told.append)
    for lane in Lane:
        supervisor.lane_changed(LaneState(lane, State.ATTACHED, "attached"))
    supervisor.link_seen(True)
    supervisor.link_seen(True)
    supervisor.link_seen(False)
    assert [state.state for state in told] == [State.LOST, State.ATTACHED, State.LOST]


def test_a_cut_link_is_seen_though_reads_go_on(terminal, connected, eventually):
    async def scenario():
        async with connected(terminal, link_poll_ms=10) as client:
            states = []
            client.watch_terminal(states.append, asyncio.get_running_loop())
            assert client.state.state is State.ATTACHED
            terminal.set_connected(False)
            await eventually(lambda: not client.state.may_trade)
            assert client.is_ready
            assert "no link to its trade server" in client.state.reason
            with pytest.raises(MT5ConnectionError, match="what it shows is old"):
                client.check_link()
            assert await client.positions_get() == ()
            with pytest.raises(MT5CallError, match="no link to its trade server"):
                await client.snapshot()
            terminal.set_connected(True)
            await eventually(lambda: client.state.may_trade)
            client.check_link()
            assert (await client.snapshot()).positions == ()
            await eventually(lambda: len(states) == 3)
            assert [state.state for state in states] == [State.ATTACHED, State.LOST, State.ATTACHED]

    asyncio.run(scenario())


def test_a_link_that_nobody_looks_at_is_known_at_the_next_attach(
    terminal, connected, eventually, processes
):
    async def scenario():
        async with connected(terminal, link_poll_ms=3_600_000) as client:
            client._supervisor.link_seen(False)
            assert not client.state.may_trade
            processes.kill(client.pids[Lane.TRADE])
            await eventually(lambda: not client.is_ready)
            await eventually(lambda: client.is_ready)
            assert client.state.may_trade

    asyncio.run(scenario())


def test_a_lane_whose_workers_keep_dying_gives_up_until_connect(
    terminal, connected, eventually, processes
):
    async def scenario():
        settings = {"restart_limit": 3, "restart_delay_ms": 10, "restart_delay_max_ms": 60_000}
        async with connected(terminal, **settings) as client:
            killed = set()

            def kill_the_next():
                pid = client.pids[Lane.QUOTES]
                if client.states[Lane.QUOTES].state is State.ATTACHED and pid not in killed:
                    killed.add(pid)
                    processes.kill(pid)
                return client.states[Lane.QUOTES].state is State.FAILED

            await eventually(kill_the_next)
            assert len(killed) == 3
            assert "its last 3 workers died" in client.states[Lane.QUOTES].reason
            assert client.state.state is State.DEGRADED and client.state.may_trade
            with pytest.raises(MT5LaneLost, match="the quotes lane is failed"):
                await client.symbol_info("EURUSD")

            await client.connect()
            assert client.is_ready
            assert (await client.symbol_info("EURUSD")).name == "EURUSD"
            await client.disconnect()

    asyncio.run(scenario())


def test_a_terminal_that_stays_away_is_waited_for(terminal, connected, eventually):
    async def scenario():
        settings = {"restart_limit": 1, "restart_delay_ms": 10, "restart_delay_max_ms": 60_000}
        async with connected(terminal, **settings) as client:
            terminal.kill()
            await eventually(lambda: client.state.state is State.LOST)
            assert "check that the terminal runs" in str(client.state)
            terminal.start()
            await eventually(lambda: client.is_ready)
            assert client.state.may_trade

    asyncio.run(scenario())


def test_terminal_that_is_gone_is_started_again_by_its_path(terminal, connected, eventually):
    async def scenario():
        async with connected(terminal, restart_delay_ms=10) as client:
            held = terminal.trade_by_hand(**BY_HAND)["order"]
            await eventually(lambda: client.positions)
            before = terminal.pid
            terminal.kill()
            await eventually(lambda: client.metrics.lanes[Lane.TRADE].restarts)
            await eventually(lambda: client.is_ready and client.state.may_trade, 60.0)
            assert terminal.pid != before
            assert [position.ticket for position in await client.positions_get()] == [held]

    asyncio.run(scenario())


def test_before_connect_nothing_is_known(config, terminal):
    client = MT5Client(config(terminal))
    assert client.state.state is State.STOPPED
    with pytest.raises(MT5ConnectionError):
        client.check_link()
