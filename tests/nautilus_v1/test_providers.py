"""Which symbols does a provider load?"""

import asyncio

import pytest

from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.nautilus_v1.config import MT5InstrumentProviderConfig
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE, MT5TerminalConfig

WORLD = {
    "extends": "demo-hedging",
    "symbols": [
        *("EURUSD", "USDJPY", "US500"),
        {"name": "USDCHF", "selected": False},
        {"name": "CLOSING", "like": "EURUSD", "trade_mode": 3},
        {"name": "BOND", "like": "EURUSD", "trade_calc_mode": 37},
        {"name": "A*B", "like": "EURUSD"},
    ],
}


@pytest.fixture(scope="module")
def load():
    """Symbols that a provider loads with these fields, in the terminal's order."""

    async def read(path, fields, filters):
        client = MT5Client(MT5TerminalConfig(path=path, login=5001234, module=SIMULATOR_MODULE))
        await client.connect()
        try:
            config = MT5InstrumentProviderConfig(load_all=True, **fields)
            provider = MT5InstrumentProvider(client, config)
            await provider.load_all_async(filters)
            return [instrument.raw_symbol.value for instrument in provider.list_all()]
        finally:
            await client.disconnect()

    with launch(WORLD) as terminal:
        yield lambda filters=None, **fields: asyncio.run(read(terminal.path, fields, filters))


def test_everything_but_bonds_is_loaded(load):
    assert set(load()) == {"EURUSD", "USDJPY", "US500", "USDCHF", "CLOSING", "A*B"}


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"group": "*USD*,!*JPY*"}, {"EURUSD", "USDCHF"}),
        ({"market_watch_only": True}, {"EURUSD", "USDJPY", "US500", "CLOSING", "A*B"}),
        ({"tradable_only": True}, {"EURUSD", "USDJPY", "US500", "USDCHF", "A*B"}),
        ({"calc_modes": (3,)}, {"US500"}),
    ],
)
def test_a_filter_leaves(load, fields, left):
    assert set(load(**fields)) == left


def test_no_more_than_max_count_are_loaded(load):
    assert len(load(max_count=2, group="*USD*")) == 2


def test_filters_of_a_load_override_the_configuration(load):
    assert load({"calc_modes": (3,)}, group="*500*") == ["US500"]
    assert load({"group": "*JPY"}, group="*500*") == ["USDJPY"]


def test_a_future_in_a_foreign_currency_is_loaded_with_a_warning():
    class Heard:
        def __init__(self):
            self.warnings = []

        def warning(self, text):
            self.warnings.append(text)

        def info(self, text):
            pass

    async def load(path):
        client = MT5Client(MT5TerminalConfig(path=path, login=5001234, module=SIMULATOR_MODULE))
        await client.connect()
        try:
            provider = MT5InstrumentProvider(client, MT5InstrumentProviderConfig())
            provider._log = Heard()
            await provider.load_all_async({"group": "*"})
            return provider
        finally:
            await client.disconnect()

    future = {"name": "FDAX", "like": "Germany 40", "trade_calc_mode": 33, "volume_step": 1.0}
    with launch({"extends": "demo-hedging", "symbols": ["EURUSD", future]}) as terminal:
        provider = asyncio.run(load(terminal.path))

    assert len(provider.list_all()) == 2
    (warning,) = provider._log.warnings
    assert warning.startswith("FDAX.MT5: its profit is in EUR, the account in USD")
