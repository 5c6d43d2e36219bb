"""Does Nautilus take the margin that the terminal takes? Asked of the terminal itself."""

import asyncio
from decimal import Decimal

import pytest
from nautilus_trader.accounting.margin_models import StandardMarginModel
from nautilus_trader.model.objects import Price, Quantity

from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.nautilus_v1.config import MT5InstrumentProviderConfig
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE, MT5TerminalConfig

WORLD = {
    "extends": "demo-hedging",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
    "symbols": [
        *("EURUSD", "USDJPY", "EURGBP", "XAUUSD", "US500", "Germany 40", "BTCUSD", "GBPUSD"),
        *("#AAPL", "@ES"),
        {"name": "CASH", "like": "EURUSD", "trade_calc_mode": 5},
        {"name": "COIN", "like": "BTCUSD", "trade_calc_mode": 2},
        {"name": "INDEX10", "like": "US500", "trade_contract_size": 10.0},
        {"name": "FUTURE", "like": "@ES", "trade_calc_mode": 1},
        {"name": "FORTS", "like": "@ES", "trade_calc_mode": 34},
        {"name": "EXOTIC", "like": "EURUSD", "margin_initial": 5_000.0},
        {"name": "EUROMARGIN", "like": "US500", "currency_margin": "EUR"},
    ],
}
#: What the two sides of the pairs that convert can differ by.
SPREADS = 0.001


@pytest.fixture(scope="module")
def margins():
    """By symbol: Nautilus' margin and the terminal's, in the account's currency, of one lot."""

    async def read(path):
        client = MT5Client(MT5TerminalConfig(path=path, login=5001234, module=SIMULATOR_MODULE))
        await client.connect()
        try:
            provider = MT5InstrumentProvider(client, MT5InstrumentProviderConfig(load_all=True))
            await provider.load_all_async()
            found = {}
            for instrument in provider.list_all():
                symbol = instrument.raw_symbol.value
                listing = provider.listing(symbol)
                price = listing.info.ask
                lot = listing.sizing.lot
                ours = StandardMarginModel().calculate_margin_init(
                    instrument,
                    Quantity(lot, instrument.size_precision),
                    Price(price, instrument.price_precision),
                    Decimal(1),
                )
                theirs = await client.order_calc_margin(0, symbol, 1.0, price)
                worth = await client.order_calc_profit(0, symbol, 1.0, price, 2 * price)
                units = float(
                    instrument.notional_value(
                        Quantity(lot, instrument.size_precision),
                        Price(price, instrument.price_precision),
                    )
                )
                found[symbol] = float(ours) * worth / units, theirs, instrument
            return found
        finally:
            await client.disconnect()

    with launch(WORLD) as terminal:
        return asyncio.run(read(terminal.path))


@pytest.mark.parametrize(
    "symbol", [s if isinstance(s, str) else s["name"] for s in WORLD["symbols"]]
)
def test_nautilus_takes_the_margin_of_the_terminal(margins, symbol):
    ours, theirs, _ = margins[symbol]
    assert theirs > 0
    assert ours == pytest.approx(theirs, rel=SPREADS, abs=0.02)


@pytest.mark.parametrize(
    ("symbol", "rate"),
    [("EURUSD", "0.01"), ("CASH", "1"), ("COIN", "1"), ("#AAPL", "1")],
)
def test_a_rate_that_the_formula_knows_does_not_wobble_with_the_quotes(margins, symbol, rate):
    assert margins[symbol][2].margin_init == Decimal(rate)


def test_maintenance_margin_is_in_proportion_to_the_symbols_two_margins(margins):
    future = margins["@ES"][2]
    assert float(future.margin_maint / future.margin_init) == pytest.approx(11 / 12, rel=1e-4)
