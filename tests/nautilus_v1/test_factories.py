"""Building clients: what is shared, what is refused, what is not started."""

import asyncio

import pytest
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.model.identifiers import AccountId, ClientId, TraderId
from nautilus_trader.test_kit.stubs.component import TestComponentStubs

from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5InstrumentProviderConfig,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.factories import (
    MT5LiveDataClientFactory,
    MT5LiveExecClientFactory,
)
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE, MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

SECRET = "open sesame"
TERMINAL = MT5TerminalConfig(
    path="nowhere.toml", login=5001234, password=SECRET, module=SIMULATOR_MODULE
)


@pytest.fixture
def bus():
    return MessageBus(TraderId("TEST-001"), LiveClock())


@pytest.fixture
def build(bus):
    """Build a client as the node does."""
    loop = asyncio.new_event_loop()

    def make(factory, config, name="MT5"):
        return factory.create(
            loop=loop,
            name=name,
            config=config,
            msgbus=bus,
            cache=TestComponentStubs.cache(),
            clock=LiveClock(),
        )

    yield make
    loop.close()


def exec_config(**fields):
    return MT5ExecClientConfig(**{"terminal": TERMINAL, "oms_type": "HEDGING"} | fields)


def test_clients_of_one_terminal_share_its_connection_and_provider(build):
    data = build(MT5LiveDataClientFactory, MT5DataClientConfig(terminal=TERMINAL))
    execution = build(MT5LiveExecClientFactory, exec_config())
    assert data._mt5 is execution._mt5
    assert data._provider is execution._provider
    assert not data._mt5.is_used


def test_another_provider_configuration_gets_its_own_provider(build):
    data = build(MT5LiveDataClientFactory, MT5DataClientConfig(terminal=TERMINAL))
    other = MT5InstrumentProviderConfig(load_all=True)
    execution = build(MT5LiveExecClientFactory, exec_config(instrument_provider=other))
    assert data._mt5 is execution._mt5
    assert data._provider is not execution._provider


def test_two_terminals_have_two_of_everything(build):
    other = MT5TerminalConfig(path="elsewhere.toml", login=2, module=SIMULATOR_MODULE)
    one = build(MT5LiveExecClientFactory, exec_config(), "MT5A")
    two = build(MT5LiveExecClientFactory, exec_config(terminal=other, venue="B"), "MT5B")
    assert one._mt5 is not two._mt5
    assert (one.id, two.id) == (ClientId("MT5A"), ClientId("MT5B"))
    assert (one.account_id, two.account_id) == (AccountId("MT5A-5001234"), AccountId("MT5B-2"))
    assert (one.venue.value, two.venue.value) == ("MT5", "B")


@pytest.mark.parametrize("factory", [MT5LiveDataClientFactory, MT5LiveExecClientFactory])
def test_name_with_a_hyphen_is_refused(build, factory):
    config = MT5DataClientConfig() if factory is MT5LiveDataClientFactory else exec_config()
    with pytest.raises(MT5ConfigError, match="'MT5A'"):
        build(factory, config, "MT5-A")


def test_trading_without_a_login_is_refused(build, monkeypatch):
    monkeypatch.delenv("MT5_LOGIN", raising=False)
    anyone = MT5TerminalConfig(path="nobody.toml", module=SIMULATOR_MODULE)
    with pytest.raises(MT5ConfigError, match="MT5_LOGIN"):
        build(MT5LiveExecClientFactory, exec_config(terminal=anyone))


def test_environment_fills_what_is_left_out(build, monkeypatch):
    for name, value in {
        "MT5_TERMINAL_PATH": "from-environment.toml",
        "MT5_LOGIN": "77",
        "MT5_PASSWORD": SECRET,
        "MT5_SERVER": "Somewhere",
    }.items():
        monkeypatch.setenv(name, value)
    left_out = MT5TerminalConfig(module=SIMULATOR_MODULE)
    client = build(MT5LiveExecClientFactory, exec_config(terminal=left_out))
    assert client.account_id == AccountId("MT5-77")
    assert client._mt5.config.path == "from-environment.toml"
    assert client._mt5.config.password == SECRET


def test_password_is_in_no_event_that_a_component_publishes(build, bus):
    heard = []
    bus.subscribe("events.system.*", heard.append)
    for client in (
        build(MT5LiveDataClientFactory, MT5DataClientConfig(terminal=TERMINAL)),
        build(MT5LiveExecClientFactory, exec_config()),
    ):
        client.start()
    assert heard
    assert "5001234" in str([event.config for event in heard])
    assert SECRET not in str([event.config for event in heard])


def test_account_that_is_not_connected_has_no_reports(build):
    client = build(MT5LiveExecClientFactory, exec_config())
    with pytest.raises(RuntimeError, match="not connected"):
        asyncio.run(client.generate_mass_status())
