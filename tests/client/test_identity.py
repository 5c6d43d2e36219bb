"""Law 8: nothing is traded, and nothing told, on another account than the expected one."""

import asyncio

import pytest

from tradingview_scraper.adapters.mt5.client import Lane, State
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.terminal.errors import MT5IdentityError

MINE, OTHER = 5001234, 5001235


def test_a_switched_account_is_noticed_directly_before_a_request(
    terminal, connected, eventually, market_order
):
    """The trade feed sleeps here: only the look before the request can see it."""

    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal, trade_poll_ms=3_600_000) as client:
            await asyncio.sleep(0)
            terminal.login(OTHER)
            outcomes = []
            client.send(market_order(), outcomes.append, loop)
            await eventually(lambda: outcomes)

            (outcome,) = outcomes
            assert (outcome.outcome, outcome.sent) == (Outcome.REJECTED, False)
            assert isinstance(outcome.error, MT5IdentityError)
            assert "order_send" not in terminal.stats()["calls"]
            assert client.states[Lane.TRADE].state is State.REFUSED

    asyncio.run(scenario())


def test_a_switched_account_stops_everything_until_connect(
    terminal, connected, eventually, market_order
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal) as client:
            facts, states, outcomes = [], [], []
            client.watch_trade(facts.extend, loop)
            client.watch_state(states.append, loop)
            client.send(market_order(), outcomes.append, loop)
            await eventually(lambda: facts and len(outcomes) == 1)
            await eventually(lambda: client.positions)

            terminal.login(OTHER)
            await eventually(
                lambda: {state.state for state in client.states.values()} == {State.REFUSED}
            )
            assert f"the terminal is on {OTHER}" in client.states[Lane.QUOTES].reason
            await eventually(lambda: states and states[-1].state is State.REFUSED)
            facts.clear()

            for _ in range(2):
                with pytest.raises(MT5IdentityError):
                    await client.positions_get()
                with pytest.raises(MT5IdentityError):
                    await client.snapshot()
                with pytest.raises(MT5IdentityError):
                    await client.connect()
                client.send(market_order(), outcomes.append, loop)
            await eventually(lambda: len(outcomes) == 3)
            assert not any(outcome.sent for outcome in outcomes[1:])
            assert terminal.stats()["calls"]["order_send"] == 1

            # The other account has no positions, but that closed none of ours.
            assert facts == []
            assert client.positions and client.account.login == MINE

            terminal.login(MINE)
            await client.connect()
            assert client.is_ready
            client.send(market_order(), outcomes.append, loop)
            await eventually(lambda: len(outcomes) == 4)
            assert outcomes[-1].outcome is Outcome.ACCEPTED
            await eventually(lambda: len(client.positions) == 2)
            await client.disconnect()

    asyncio.run(scenario())


def test_without_an_expected_login_the_first_account_is_the_one(terminal, connected, eventually):
    async def scenario():
        async with connected(terminal, login=None) as client:
            assert client.account.login == MINE
            terminal.login(OTHER)
            await eventually(lambda: client.states[Lane.TRADE].state is State.REFUSED)

    asyncio.run(scenario())


def test_a_restarted_worker_that_finds_another_account_refuses(terminal, connected, eventually):
    async def scenario():
        async with connected(terminal, trade_poll_ms=3_600_000) as client:
            terminal.login(OTHER)
            terminal.drop_connections()
            with pytest.raises(Exception):  # noqa: B017 (whichever lane notices first)
                await client.symbols_total()
            await eventually(lambda: client.states[Lane.HISTORY].state is State.REFUSED)
            with pytest.raises(MT5IdentityError):
                await client.symbol_info("EURUSD")

    asyncio.run(scenario())


def test_a_restarted_worker_does_not_log_in_to_the_expected_account(
    terminal, connected, eventually, processes
):
    """A person has switched the account: nobody but a person, or `connect`, switches it back."""

    async def scenario():
        async with connected(terminal, password="simulated", trade_poll_ms=3_600_000) as client:
            terminal.login(OTHER)
            processes.kill(client.pids[Lane.TRADE])
            await eventually(lambda: client.states[Lane.TRADE].state is State.REFUSED)
            assert "login" not in terminal.stats()["calls"]

    asyncio.run(scenario())
