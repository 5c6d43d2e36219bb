"""Does a client attach to the right terminal and account, or say why not, within its deadline?"""

import asyncio
import sys
from pathlib import Path

import pytest

from tradingview_scraper.adapters.mt5.client import Lane, MT5Client, State
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5AttachTimeout,
    MT5ConnectionError,
    MT5IdentityError,
    MT5LibraryMissing,
)


@pytest.fixture
def library(monkeypatch):
    """Libraries of this folder can be named."""
    folder = str(Path(__file__).with_name("libraries"))
    monkeypatch.setattr(sys, "path", [folder, *sys.path])


def refused(client, expected):
    """The error of a connect that must fail; nothing is left running afterwards."""

    async def scenario():
        with pytest.raises(expected) as caught:
            await client.connect()
        assert not client.is_used and not client.is_ready
        assert not [pid for pid in client.pids.values() if pid]
        return caught.value

    return asyncio.run(scenario())


def test_a_missing_library_says_what_to_do(config):
    error = refused(MT5Client(config("x", module="no_such_mt5")), MT5LibraryMissing)

    assert "exists for Windows only" in str(error)


def test_no_terminal_is_an_error_with_the_librarys_words(config, library):
    error = refused(MT5Client(config("x", module="mt5_without_terminal")), MT5ConnectionError)

    assert (error.code, error.text[:21]) == (-10003, "IPC initialize failed")
    assert "check the terminal's path" in str(error)


def test_a_terminal_that_never_answers_is_given_up_at_the_deadline(config, library):
    client = MT5Client(config("silent.exe", module="mt5_that_hangs", attach_timeout_secs=2.0))
    error = refused(client, MT5AttachTimeout)

    assert "longer than 2 s" in str(error) and "silent.exe" in str(error)


def test_a_refused_client_can_try_again(config, library, terminal):
    async def scenario():
        client = MT5Client(config(terminal, login=None))
        terminal.answer("initialize", -6)
        with pytest.raises(MT5ConnectionError, match="check login, password and server"):
            await client.connect()
        await client.connect()
        assert client.is_ready
        await client.disconnect()

    asyncio.run(scenario())


def test_another_account_is_refused_without_a_password(config, terminal):
    error = refused(MT5Client(config(terminal, login=5001235)), MT5IdentityError)

    assert "expected account 5001235, the terminal is on 5001234" in str(error)
    assert "login" not in terminal.stats()["calls"]


def test_another_server_is_refused(config, terminal):
    error = refused(MT5Client(config(terminal, server="Elsewhere")), MT5IdentityError)

    assert "expected server 'Elsewhere'" in str(error)


def test_only_the_trade_lane_logs_in_and_only_when_it_must(terminal, connected):
    async def scenario():
        async with connected(terminal, login=5001235, password="simulated") as client:
            assert client.account.login == 5001235
            assert terminal.stats()["calls"]["login"] == 1
        async with connected(terminal, login=5001235, password="simulated"):
            assert terminal.stats()["calls"]["login"] == 1

    asyncio.run(scenario())


def test_a_wrong_password_is_the_librarys_error(config, terminal):
    client = MT5Client(config(terminal, login=5001235, password="wrong"))
    error = refused(client, MT5ConnectionError)

    assert error.code == -6
    assert "wrong" not in str(error)


@pytest.mark.parametrize("allowed", [False, True])
def test_real_money_must_be_asked_for(config, connected, allowed):
    account = {"login": 5001234, "trade_mode": "real"}
    with launch({"extends": "demo-hedging", "account": account}) as terminal:
        if not allowed:
            error = refused(MT5Client(config(terminal)), MT5IdentityError)
            assert "allow_real_account=True" in str(error)
            return

        async def scenario():
            async with connected(terminal, allow_real_account=True) as client:
                assert client.account.trade_mode == 2

        asyncio.run(scenario())


@pytest.mark.parametrize("lane", Lane)
def test_a_worker_that_dies_while_it_attaches_is_replaced(
    terminal, config, eventually, processes, lane
):
    async def scenario():
        client = MT5Client(config(terminal, login=5001235, password="simulated"))
        connecting = asyncio.ensure_future(client.connect())
        await eventually(lambda: client.pids[lane])
        processes.kill(client.pids[lane])
        await connecting
        await eventually(lambda: client.is_ready)
        assert client.account.login == 5001235
        assert len({*client.pids.values()}) == 3, "no lane may take this for a full terminal"
        assert terminal.stats()["calls"]["login"] == 1
        await client.disconnect()

    asyncio.run(scenario())


def test_workers_that_never_get_to_attach_are_an_error_soon(config, library):
    client = MT5Client(config("x", module="mt5_that_crashes", restart_delay_ms=1))
    error = refused(client, MT5ConnectionError)

    assert "the worker ended with exit status 7" in str(error)


def test_two_who_connect_share_the_workers(config, terminal):
    async def scenario():
        client = MT5Client(config(terminal))
        await asyncio.gather(client.connect(), client.connect())
        assert terminal.stats()["sessions"] == 3
        await client.disconnect()
        assert client.is_ready
        await client.disconnect()
        assert not client.is_used

    asyncio.run(scenario())


def test_two_who_connect_in_vain_both_hear_why(config, library):
    async def scenario():
        client = MT5Client(config("x", module="mt5_without_terminal"))
        errors = await asyncio.gather(client.connect(), client.connect(), return_exceptions=True)
        assert [type(error) for error in errors] == [MT5ConnectionError] * 2
        assert not client.is_used

    asyncio.run(scenario())


def test_who_gives_up_connecting_leaves_no_worker(config, library, eventually, processes):
    async def scenario():
        client = MT5Client(config("silent.exe", module="mt5_that_hangs"))
        connecting = asyncio.ensure_future(client.connect())
        await eventually(lambda: all(client.pids.values()))
        pids = [*client.pids.values()]
        assert all(map(processes.lives, pids))
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await eventually(lambda: not any(map(processes.lives, pids)))
        assert not client.is_used

    asyncio.run(scenario())


def test_lanes_share_a_worker_when_the_terminal_takes_no_other(
    terminal, connected, library, eventually, market_order, caplog, processes
):
    seat = Path(f"{terminal.path}.seat")

    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal, module="mt5_with_one_seat") as client:
            assert client.is_ready
            assert len({*client.pids.values()}) == 1
            assert terminal.stats()["sessions"] == 1
            reason = client.states[Lane.QUOTES].reason
            assert "shares the trade lane's worker" in reason and "231" in reason
            assert "shares the trade lane's worker" in caplog.text

            ticks, outcomes = [], []
            client.watch_ticks("EURUSD", lambda symbol, rows: ticks.append(rows), loop)
            client.send(market_order(), outcomes.append, loop)
            assert await client.symbols_total() > 0
            await eventually(lambda: ticks and outcomes)

            processes.kill(client.pids[Lane.TRADE])
            await eventually(lambda: client.states[Lane.HISTORY].state is not State.ATTACHED)
            await asyncio.to_thread(seat.unlink)
            await eventually(lambda: client.is_ready)
            assert await client.symbols_total() > 0

    asyncio.run(scenario())
