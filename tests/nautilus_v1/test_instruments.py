"""Symbols as instruments: class, units, precision, limits."""

from decimal import Decimal

import msgspec
import pytest
from nautilus_trader.common.component import MessageBus, TestClock
from nautilus_trader.model.enums import AssetClass, CurrencyType, OptionKind
from nautilus_trader.model.identifiers import InstrumentId, TraderId, Venue
from nautilus_trader.model.instruments import (
    Cfd,
    CurrencyPair,
    Equity,
    FuturesContract,
    OptionContract,
    PerpetualContract,
)
from nautilus_trader.model.objects import Price, Quantity

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import (
    currency,
    instrument_id,
    listing,
    symbol_of,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import (
    listing_of as listing_again,
)
from tradingview_scraper.adapters.mt5.rules.symbols import UnsupportedSymbol
from tradingview_scraper.adapters.mt5.simulator.market.catalogue import CATALOGUE
from tradingview_scraper.adapters.mt5.terminal.constants import (
    CALC_MODE_EXCH_OPTIONS_REPORTED,
    SymbolCalcMode,
)

#: What a build with 64-bit money can count (Windows).
NARROW = {"money_max": 9_223_372_036.0, "quantity_max": 18_446_744_073.0}


def test_pair_is_counted_in_units_of_its_base(listing_of):
    pair = listing_of("EURUSD").instrument
    assert type(pair) is CurrencyPair
    assert pair.id == InstrumentId.from_str("EURUSD.MT5")
    assert pair.price_increment == Price.from_str("0.00001")
    assert pair.size_increment == Quantity.from_int(1_000)
    assert pair.min_quantity == Quantity.from_int(1_000)
    assert pair.max_quantity == Quantity.from_int(10_000_000)
    assert pair.lot_size == Quantity.from_int(100_000)
    assert pair.size_precision == 0
    assert pair.margin_init == Decimal("0.01")


@pytest.mark.parametrize(
    ("symbol", "kind", "asset", "base", "increment"),
    [
        ("USDJPY", CurrencyPair, AssetClass.FX, "USD", "1000"),
        ("US500", Cfd, None, "USD", "0.1"),
        ("Germany 40", Cfd, None, "EUR", "0.1"),
        ("BTCUSD", Cfd, None, "USD", "0.01"),
        ("#AAPL", Equity, AssetClass.EQUITY, None, "1"),
    ],
)
def test_class_follows_the_fields_of_the_symbol(listing_of, symbol, kind, asset, base, increment):
    instrument = listing_of(symbol).instrument
    assert type(instrument) is kind
    if asset is not None:
        assert instrument.asset_class == asset
    if base is not None:
        assert instrument.base_currency.code == base
    assert str(instrument.size_increment) == increment


def test_gold_is_a_commodity_however_it_is_calculated(listing_of):
    for mode in (SymbolCalcMode.FOREX, SymbolCalcMode.CFDLEVERAGE):
        made = listing_of("XAUUSD", trade_calc_mode=mode).instrument
        assert made.base_currency.code == "XAU"
        assert made.size_increment == Quantity.from_int(1)
    assert made.asset_class == AssetClass.COMMODITY


@pytest.mark.parametrize(
    ("fields", "asset"),
    [
        ({"currency_base": "BTC"}, AssetClass.CRYPTOCURRENCY),
        ({"trade_calc_mode": SymbolCalcMode.CFDINDEX}, AssetClass.INDEX),
        ({"isin": "US0378331005"}, AssetClass.EQUITY),
        ({"currency_base": "EUR"}, AssetClass.FX),
        ({}, AssetClass.ALTERNATIVE),
    ],
)
def test_asset_class_says_what_the_fields_say(listing_of, fields, asset):
    made = listing_of("US500", **{"trade_calc_mode": SymbolCalcMode.CFD} | fields)
    assert made.instrument.asset_class == asset


@pytest.mark.parametrize("symbol", sorted(CATALOGUE))
def test_every_built_in_symbol_becomes_an_instrument_with_its_own_info(listing_of, symbol):
    made = listing_of(symbol)
    assert made.instrument.raw_symbol.value == symbol
    assert symbol_of(made.instrument.id) == symbol
    assert made.instrument.info == CATALOGUE[symbol].info._asdict()
    assert msgspec.json.decode(msgspec.json.encode(made.instrument.info)) == made.instrument.info
    again = listing_again(made.instrument)
    assert (again.info, again.sizing) == (made.info, made.sizing)


@pytest.mark.parametrize(
    ("symbol", "text"),
    [
        ("EURUSD.a", "EURUSD.a.MT5"),
        ("#AAPL", "#AAPL.MT5"),
        ("@ES", "%40ES.MT5"),
        ("A*B", "A%2AB.MT5"),
        ("A?B", "A%3FB.MT5"),
        ("GOLD micro", "GOLD micro.MT5"),
        ("US500.cash", "US500.cash.MT5"),
    ],
)
def test_odd_names_survive(symbol, text):
    made = instrument_id(symbol, Venue("MT5"))
    assert made.value == text
    assert symbol_of(InstrumentId.from_str(text)) == symbol


def test_margin_is_not_divided_by_leverage_where_the_formula_does_not(listing_of):
    assert listing_of("#AAPL").instrument.margin_init == 1


def test_futures_count_lots_and_carry_their_multiplier(listing_of):
    made = listing_of(
        "US500",
        name="@ES",
        trade_calc_mode=SymbolCalcMode.EXCH_FUTURES,
        trade_tick_size=0.25,
        trade_tick_value=12.5,
        volume_min=1.0,
        volume_step=1.0,
        basis="ES",
        expiration_time=1_766_000_000,
    ).instrument
    assert type(made) is FuturesContract
    assert made.multiplier == Quantity.from_int(50)
    assert made.size_precision == 0
    assert made.underlying == "ES"
    assert made.expiration_ns > 0


def test_futures_with_fractions_of_a_lot_become_a_perpetual(listing_of):
    made = listing_of(
        "US500",
        trade_calc_mode=SymbolCalcMode.FUTURES,
        trade_tick_size=0.25,
        trade_tick_value=12.5,
    ).instrument
    assert type(made) is PerpetualContract
    assert made.multiplier == Quantity.from_int(50)
    assert made.size_increment == Quantity.from_str("0.1")


def test_option_has_its_strike_and_right(listing_of):
    made = listing_of(
        "US500",
        trade_calc_mode=CALC_MODE_EXCH_OPTIONS_REPORTED,
        volume_min=1.0,
        volume_step=1.0,
        option_strike=5000.0,
        option_right=1,
    ).instrument
    assert type(made) is OptionContract
    assert made.option_kind == OptionKind.PUT
    assert made.strike_price == Price.from_str("5000.00")


def test_bond_is_refused_with_a_reason(listing_of):
    with pytest.raises(UnsupportedSymbol, match="bond"):
        listing_of("US500", trade_calc_mode=SymbolCalcMode.EXCH_BONDS)


def test_unknown_currency_is_registered():
    cents = currency("USC")
    assert (cents.precision, cents.currency_type) == (2, CurrencyType.FIAT)
    assert currency("USC") == cents
    assert currency("NOSUCHCOIN").precision == 8


def test_quantity_is_capped_where_money_cannot_count_it(info_of, zone):
    made = listing(
        info_of("USDJPY", volume_max=1_000.0, bid=150.0, ask=150.02),
        venue=Venue("MT5"),
        leverage=100,
        zone=zone,
        ts_init=1,
        **NARROW,
    )
    assert made.capped_from == 100_000_000
    most = made.instrument.max_quantity.as_decimal()
    assert most * 2 * Decimal("150.02") <= Decimal(NARROW["money_max"])
    assert most % made.sizing.size_increment == 0
    assert most > 30_000_000


def test_quantity_is_not_capped_where_money_counts_it(listing_of):
    made = listing_of("USDJPY", bid=150.0, ask=150.02)
    assert made.capped_from is None


def test_symbol_whose_least_volume_cannot_be_counted_is_refused(info_of, zone):
    with pytest.raises(UnsupportedSymbol, match="worth more"):
        listing(
            info_of("USDJPY", bid=1e7, ask=1e7, volume_min=10.0, volume_max=20.0),
            venue=Venue("MT5"),
            leverage=100,
            zone=zone,
            ts_init=1,
            **NARROW,
        )


def test_instrument_of_another_origin_is_refused(listing_of):
    pair = listing_of("EURUSD").instrument
    fields = CurrencyPair.to_dict(pair)
    fields["info"] = {"source": "a file"}
    with pytest.raises(UnsupportedSymbol, match=r"EURUSD\.MT5"):
        listing_again(CurrencyPair.from_dict(fields))


@pytest.mark.parametrize("symbol", ["A*B", "A?B"])
def test_a_symbol_is_no_pattern_for_the_message_bus(symbol):
    bus, heard = MessageBus(TraderId("TEST-001"), TestClock()), []
    venue = Venue("MT5")
    names = (symbol, "AXB")
    topics = {name: f"data.quotes.MT5.{instrument_id(name, venue).symbol}" for name in names}
    bus.subscribe(topics[symbol], heard.append)
    for name, topic in topics.items():
        bus.publish(topic, name)
    assert heard == [symbol]
