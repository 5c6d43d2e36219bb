"""Configurations: what is refused, what survives JSON, what is never shown."""

import msgspec
import pytest
from nautilus_trader.model.enums import OmsType
from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5InstrumentProviderConfig,
    without_password,
)
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

TERMINAL = MT5TerminalConfig(path="t.toml", login=1, password="open sesame", server="S")
PROVIDER = MT5InstrumentProviderConfig(
    load_ids=frozenset({InstrumentId.from_str("EURUSD.a.MT5")}),
    group="*USD*",
    market_watch_only=True,
    tradable_only=True,
    calc_modes=(0, 4),
    max_count=50,
    filters={"group": "*JPY*"},
)
CONFIGS = [
    PROVIDER,
    MT5DataClientConfig(terminal=TERMINAL, venue="BROKER", instrument_provider=PROVIDER),
    MT5ExecClientConfig(
        terminal=TERMINAL,
        oms_type="NETTING",
        magic_namespace=4321,
        deviation_points=5,
        inflight_keepalive_secs=0.5,
        instrument_provider=PROVIDER,
    ),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_config_survives_json(config):
    again = type(config).parse(config.json())
    assert again == config
    assert again.json() == config.json()


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_unknown_field_is_refused(config):
    fields = msgspec.json.decode(config.json()) | {"magic_number": 7}
    with pytest.raises(msgspec.ValidationError, match="magic_number"):
        type(config).parse(msgspec.json.encode(fields))


@pytest.mark.parametrize("config", CONFIGS[1:], ids=lambda config: type(config).__name__)
def test_password_is_in_no_repr(config):
    assert "open sesame" not in repr(config)
    assert "open sesame" not in str(config)
    assert without_password(config).terminal.password is None
    assert without_password(config).terminal.login == 1


@pytest.mark.parametrize(
    ("fields", "word"), [({"max_count": 0}, "max_count"), ({"filters": {"colour": 1}}, "colour")]
)
def test_provider_filter_that_cannot_work_is_refused(fields, word):
    with pytest.raises(MT5ConfigError, match=word):
        MT5InstrumentProviderConfig(**fields)


def test_oms_type_is_required():
    with pytest.raises(TypeError, match="oms_type"):
        MT5ExecClientConfig(terminal=TERMINAL)


def test_oms_type_is_taken_as_enum_and_kept_as_text():
    assert MT5ExecClientConfig(oms_type=OmsType.HEDGING).oms_type == "HEDGING"


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"oms_type": "BOTH"}, "oms_type"),
        ({"oms_type": OmsType.UNSPECIFIED}, "oms_type"),
        ({"magic_namespace": 999}, "magic_namespace"),
        ({"magic_namespace": 10000}, "magic_namespace"),
        ({"deviation_points": -1}, "deviation_points"),
        ({"inflight_keepalive_secs": 0.0}, "inflight_keepalive_secs"),
        ({"venue": "A.B"}, "venue"),
        ({"venue": ""}, "venue"),
    ],
)
def test_value_that_cannot_work_is_refused_by_name(fields, names):
    with pytest.raises(MT5ConfigError, match=names):
        MT5ExecClientConfig(**{"oms_type": "HEDGING"} | fields)


def test_provider_configs_with_another_group_differ():
    assert MT5InstrumentProviderConfig(group="*") != MT5InstrumentProviderConfig()
    assert len({MT5InstrumentProviderConfig(group="*"), MT5InstrumentProviderConfig()}) == 2
