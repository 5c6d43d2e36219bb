"""Law: the password is nowhere but in the frame that needs it."""

import asyncio
import logging
import sys
from pathlib import Path

import pytest

from tradingview_scraper.adapters.mt5.client import Lane, MT5Client, State
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConnectionError

PASSWORD = "correct horse battery staple"


@pytest.fixture
def guarded():
    """A terminal on one account that knows another one with a secret password."""
    other = {"login": 5009999, "password": PASSWORD, "currency": "USD"}
    with launch({"extends": "demo-hedging", "accounts": [other]}) as terminal:
        yield terminal


def public_life(pid):
    """What other programs see of a process: its arguments and its environment."""
    if sys.platform != "linux":
        return ""
    files = (Path(f"/proc/{pid}/{what}") for what in ("cmdline", "environ"))
    return b" ".join(file.read_bytes() for file in files).decode(errors="replace")


def test_scenario_29_the_password_is_in_no_process_no_log_and_no_repr(
    guarded, config, monkeypatch, caplog, capfd
):
    monkeypatch.setenv("MT5_PASSWORD", PASSWORD)
    caplog.set_level(logging.DEBUG)

    async def scenario():
        client = MT5Client(config(guarded, login=5009999))
        await client.connect()
        assert client.account.login == 5009999
        for pid in client.pids.values():
            assert PASSWORD not in public_life(pid)
        shown = [client, client.config, client.states, client.account, vars(client)]
        await client.disconnect()
        return shown

    shown = asyncio.run(scenario())
    captured = capfd.readouterr()
    for text in (repr(shown), caplog.text, captured.out, captured.err):
        assert PASSWORD not in text


def test_a_refused_password_is_not_in_the_error(guarded, config, caplog):
    async def scenario():
        client = MT5Client(config(guarded, login=5009999, password="wrong " + PASSWORD))
        with pytest.raises(MT5ConnectionError) as caught:
            await client.connect()
        assert client.states[Lane.TRADE].state is State.STOPPED
        return [caught.value, client.states]

    shown = asyncio.run(scenario())
    assert PASSWORD not in repr(shown) + str(shown[0]) + caplog.text
