"""Is there exactly one client per terminal?"""

import gc
import weakref
from pathlib import Path

import pytest

from tradingview_scraper.adapters.mt5.client import MT5Client, shared_client
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError


def test_one_client_per_terminal_however_its_path_is_spelled(config, tmp_path, monkeypatch):
    file = tmp_path / "terminal.toml"
    file.write_text("")
    monkeypatch.chdir(tmp_path)
    first = shared_client(config(str(file)))

    assert shared_client(config(str(file))) is first
    assert shared_client(config(str(tmp_path / "." / "terminal.toml"))).config == first.config


def test_scenario_25_two_terminals_have_two_clients(config):
    first = shared_client(config("demo-hedging"))

    assert shared_client(config("demo-netting")) is not first
    assert shared_client(config("demo-hedging", module="MetaTrader5")) is not first


def test_another_account_on_a_terminal_in_use_is_refused(config, monkeypatch):
    first = shared_client(config("demo-hedging", password="secret"))
    monkeypatch.setattr(MT5Client, "is_used", True)

    with pytest.raises(MT5ConfigError, match="login, password differ") as caught:
        shared_client(config("demo-hedging", login=5, password="hidden"))
    assert "secret" not in str(caught.value) and "hidden" not in str(caught.value)
    assert shared_client(first.config) is first


def test_a_terminal_that_nobody_uses_can_be_configured_anew(config):
    first = shared_client(config("demo-hedging"))
    second = shared_client(config("demo-hedging", login=5))

    assert second is not first
    assert shared_client(config("demo-hedging", login=5)) is second


def test_a_client_that_nobody_holds_is_forgotten(config):
    mark = weakref.ref(shared_client(config("demo-hedging")))
    gc.collect()

    assert mark() is None
    assert shared_client(config("demo-hedging", login=5)).config.login == 5


def test_fields_left_out_come_from_the_environment(config, monkeypatch):
    monkeypatch.setenv("MT5_LOGIN", "77")
    monkeypatch.setenv("MT5_TERMINAL_PATH", str(Path("demo-netting")))
    client = shared_client(config("demo-netting", login=None, path=None))

    assert (client.config.login, client.config.path) == (77, "demo-netting")
    assert shared_client(config("demo-netting", login=77)) is client
