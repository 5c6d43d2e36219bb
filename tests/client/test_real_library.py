"""Does the vendor's own library work behind a client: with no terminal, a wrong one, and ours?"""

import asyncio
import time

import pytest

from tradingview_scraper.adapters.mt5.client import Lane, MT5Client
from tradingview_scraper.adapters.mt5.rules.lifecycle import Dealt, PositionClosed
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5AttachTimeout,
    MT5CallTimeout,
    MT5ConnectionError,
)

pytestmark = pytest.mark.real_library

VENDOR = "MetaTrader5"


@pytest.fixture(autouse=True)
def library():
    """On Windows only."""
    pytest.importorskip(VENDOR)


def refused(client, expected):
    async def scenario():
        with pytest.raises(expected) as caught:
            await client.connect()
        return caught.value

    return asyncio.run(scenario())


def test_no_terminal_is_an_error_within_the_deadline(config):
    path = r"C:\no such folder\terminal64.exe"
    began = time.monotonic()
    error = refused(MT5Client(config(path, module=VENDOR)), MT5ConnectionError)

    assert error.code == -10003
    assert "Process create failed" in error.text
    assert time.monotonic() - began < 60.0


def test_a_program_that_never_opens_its_pipe_is_given_up_at_the_deadline(config):
    """The library waits for the pipe for 100 s, whatever its timeout, with the lock held."""
    path = r"C:\windows\system32\hostname.exe"
    client = MT5Client(config(path, module=VENDOR, attach_timeout_secs=8.0))
    began = time.monotonic()
    refused(client, MT5AttachTimeout)

    assert 7.0 < time.monotonic() - began < 60.0


def test_the_whole_client_works_through_it(terminal, connected, eventually, market_order):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal, module=VENDOR) as client:
            assert client.account.login == 5001234
            assert client.terminal.connected
            names = [info.name for info in await client.symbols_get()]
            assert "EURUSD" in names and await client.symbols_total() == len(names)
            assert (await client.symbol_info("Germany 40")).name == "Germany 40"
            tick = await client.symbol_info_tick("EURUSD")
            rates = await client.copy_rates_from_pos("EURUSD", Timeframe.M1, 0, 10)
            assert len(rates) == 10
            assert len(await client.copy_ticks_from("EURUSD", tick.time - 60, 10, CopyTicks.ALL))

            frames, facts, outcomes = [], [], []
            client.watch_ticks("EURUSD", lambda symbol, rows: frames.append(rows), loop)
            client.watch_trade(facts.extend, loop)
            client.send(market_order(volume=1, magic=5), outcomes.append, loop)
            await eventually(lambda: outcomes)
            assert outcomes[0].outcome is Outcome.ACCEPTED
            (position,) = await client.positions_get(symbol="EURUSD")
            assert (position.magic, position.volume) == (5, 1.0)
            close = market_order(side=1, volume=1.0, position=position.ticket)
            assert (await client.order_send(close)).retcode == 10009
            await eventually(lambda: [f for f in facts if isinstance(f, PositionClosed)])
            deals = [fact.deal for fact in facts if isinstance(fact, Dealt)]
            assert [deal.entry for deal in deals] == [0, 1]
            snapshot = await client.snapshot()
            assert snapshot.positions == ()
            assert {deal.ticket for deal in deals} <= {deal.ticket for deal in snapshot.deals}
            await eventually(lambda: frames)

    asyncio.run(scenario())


def test_a_lane_that_hangs_in_it_is_replaced(terminal, connected, eventually):
    """The library holds the interpreter's lock: only another process helps."""

    async def scenario():
        async with connected(terminal, module=VENDOR, call_timeout_secs=2.0) as client:
            before = client.pids[Lane.QUOTES]
            terminal.hang(600.0, "symbol_info")
            with pytest.raises(MT5CallTimeout):
                await client.symbol_info("EURUSD")
            assert (await client.account_info()).login == 5001234
            await eventually(lambda: client.is_ready)
            assert client.pids[Lane.QUOTES] != before

    asyncio.run(scenario())


def test_a_terminal_that_is_gone_is_never_taken_for_a_malformed_request(
    terminal, connected, eventually, market_order
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal, module=VENDOR, trade_poll_ms=3_600_000) as client:
            outcomes = []
            terminal.kill()
            client.send(market_order(), outcomes.append, loop)
            await eventually(lambda: outcomes)
            assert outcomes[0].sent is False
            assert outcomes[0].error.code in (-10001, -10002, -10004)

    asyncio.run(scenario())
