"""Does every symbol become the right kind, with exact steps and units?"""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.symbols import (
    Kind,
    UnsupportedSymbol,
    VolumeError,
    doubt_of_multiplier,
    escape,
    lots,
    sizing,
    unescape,
    units,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

_BLANK = {name: "" if kind is str else kind(0) for name, kind in SymbolInfo.__annotations__.items()}


def symbol(name="EURUSD", **fields):
    """A symbol with the fields that matter here; FX with five digits unless said otherwise."""
    given_fields = {
        "digits": 5,
        "trade_tick_size": 1e-05,
        "trade_tick_value": 1.0,
        "trade_contract_size": 100_000.0,
        "volume_min": 0.01,
        "volume_max": 100.0,
        "volume_step": 0.01,
        "currency_base": "EUR",
        "currency_profit": "USD",
    }
    return SymbolInfo(**(_BLANK | given_fields | fields | {"name": name}))


def cfd(name, digits, contract, least, most, step, mode, currency="USD", tick=None):
    return symbol(
        name,
        digits=digits,
        trade_tick_size=10**-digits if tick is None else tick,
        trade_contract_size=contract,
        volume_min=least,
        volume_max=most,
        volume_step=step,
        trade_calc_mode=mode,
        currency_base=currency,
        currency_profit=currency,
    )


#: Recorded symbols: kind, price and size precision, size step, lot, least and most units.
RECORDED = [
    (symbol(volume_max=10.0), Kind.CURRENCY_PAIR, 5, "0.00001", 0, "1000", 100_000, 1_000, 10**6),
    (
        symbol("USDJPY", digits=3, trade_tick_size=0.001, volume_max=10.0, currency_base="USD",
               currency_profit="JPY", trade_tick_value=0.6659784888948087),
        Kind.CURRENCY_PAIR, 3, "0.001", 0, "1000", 100_000, 1_000, 10**6,
    ),
    (
        symbol("XAUUSD", digits=2, trade_tick_size=0.01, trade_contract_size=100.0,
               currency_base="XAU"),
        Kind.CURRENCY_PAIR, 2, "0.01", 0, "1", 100, 1, 10_000,
    ),
    (cfd("BTCUSD", 3, 1.0, 0.01, 5.0, 0.01, 2), Kind.CFD, 3, "0.001", 2, "0.01", 1, "0.01", 5),
    (cfd("USTEC", 2, 1.0, 0.01, 250.0, 0.01, 3), Kind.CFD, 2, "0.01", 2, "0.01", 1, "0.01", 250),
    (cfd("AAPL", 2, 1.0, 1.0, 100.0, 1.0, 3), Kind.CFD, 2, "0.01", 0, "1", 1, 1, 100),
    (
        cfd("Germany 40", 2, 1.0, 0.1, 100.0, 0.1, 4, "EUR"),
        Kind.CFD, 2, "0.01", 1, "0.1", 1, "0.1", 100,
    ),
    (cfd("US Oil", 3, 1.0, 1.0, 1000.0, 1.0, 4), Kind.CFD, 3, "0.001", 0, "1", 1, 1, 1000),
    (
        cfd("Volatility 75 Index", 2, 1.0, 0.001, 1.0, 0.001, 4),
        Kind.CFD, 2, "0.01", 3, "0.001", 1, "0.001", 1,
    ),
    (
        cfd("PETRQ266", 2, 1.0, 100.0, 56020428.0, 100.0, 35, "BRL"),
        Kind.OPTION, 2, "0.01", 0, "100", 1, 100, 56020400,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("info", "kind", "price_precision", "tick", "size_precision", "step", "lot", "least", "most"),
    RECORDED,
    ids=[row[0].name for row in RECORDED],
)
def test_recorded_symbols(
    info, kind, price_precision, tick, size_precision, step, lot, least, most
):
    sized = sizing(info)
    assert sized.kind is kind
    assert sized.price_precision == price_precision
    assert sized.price_increment == Decimal(tick)
    assert sized.size_precision == size_precision
    assert sized.size_increment == Decimal(step)
    assert sized.lot == lot
    assert sized.multiplier == 1
    assert sized.min_units == Decimal(least)
    assert sized.max_units == Decimal(most)


@pytest.mark.parametrize("info", [row[0] for row in RECORDED], ids=lambda info: info.name)
def test_decimals_are_written_with_their_precision_and_without_exponents(info):
    sized = sizing(info)
    assert -sized.price_increment.as_tuple().exponent == sized.price_precision
    for size in (sized.size_increment, sized.min_units, sized.max_units):
        assert -size.as_tuple().exponent == sized.size_precision
    assert "E" not in f"{sized.lot}{sized.multiplier}"


def test_scenario_13_a_hundredth_of_a_lot_of_eurusd_is_a_thousand_euros():
    sized = sizing(symbol())
    assert units(0.01, sized) == 1000
    assert str(units(0.01, sized)) == "1000"
    assert lots(Decimal(1000), sized, symbol()) == 0.01


@pytest.mark.parametrize("mode", [0, 5])
def test_forex_of_one_currency_is_a_cfd(mode):
    assert sizing(symbol(trade_calc_mode=mode, currency_base="USD")).kind is Kind.CFD
    assert sizing(symbol(trade_calc_mode=mode, currency_base="")).kind is Kind.CFD
    assert sizing(symbol(trade_calc_mode=mode)).kind is Kind.CURRENCY_PAIR


@pytest.mark.parametrize("name", ["EURUSD", "Volatility 75 Index", "GOLD micro", "#AAPL", "Сбер"])
def test_names_decide_nothing(name):
    assert sizing(symbol(name)) == sizing(symbol())


@pytest.mark.parametrize("mode", [32, 38])
def test_shares_in_whole_units_are_equities(mode):
    share = cfd("SBER", 2, 10.0, 1.0, 1e4, 1.0, mode, "RUB")
    assert sizing(share).kind is Kind.EQUITY
    assert sizing(share).lot == 10
    assert sizing(share).size_increment == 10


@pytest.mark.parametrize("mode", [32, 38])
def test_fractional_shares_are_cfds_because_an_equity_has_none(mode):
    assert sizing(cfd("AAPL", 2, 1.0, 0.1, 1e4, 0.1, mode)).kind is Kind.CFD


def test_lots_of_shares_that_make_whole_shares_are_equities():
    assert sizing(cfd("AAPL", 2, 100.0, 0.01, 1e4, 0.01, 32)).kind is Kind.EQUITY


@pytest.mark.parametrize("mode", [1, 33, 34])
def test_futures_count_lots_and_the_multiplier_is_what_a_point_is_worth(mode):
    future = symbol(
        "ESZ5", digits=2, trade_tick_size=0.25, trade_tick_value=12.5, trade_contract_size=1.0,
        volume_min=1.0, volume_max=500.0, volume_step=1.0, trade_calc_mode=mode,
    )  # fmt: skip
    sized = sizing(future)
    assert (sized.kind, sized.lot, sized.multiplier) == (Kind.FUTURES, 1, 50)
    assert (sized.price_precision, sized.price_increment) == (2, Decimal("0.25"))
    assert (sized.size_precision, sized.size_increment) == (0, 1)
    assert units(3.0, sized) == 3


def test_multiplier_may_be_a_fraction():
    mini = symbol("WINZ25", digits=0, trade_tick_size=5.0, trade_tick_value=1.0,
                  volume_step=1.0, volume_min=1.0, trade_calc_mode=33)  # fmt: skip
    sized = sizing(mini)
    assert sized.multiplier == Decimal("0.2")
    assert (sized.price_precision, sized.price_increment) == (0, 5)


def test_futures_in_fractions_of_a_lot_are_perpetual():
    sized = sizing(symbol("BTCF", trade_calc_mode=33, trade_tick_size=0.5, trade_tick_value=0.05))
    assert (sized.kind, sized.lot, sized.multiplier) == (Kind.PERPETUAL, 1, Decimal("0.1"))
    assert (sized.size_precision, sized.size_increment) == (2, Decimal("0.01"))


def test_multiplier_of_a_future_in_a_foreign_currency_is_doubted():
    future = symbol("ESZ5", trade_calc_mode=33, volume_step=1.0)
    assert doubt_of_multiplier(future, sizing(future), "USD") is None
    doubt = doubt_of_multiplier(future, sizing(future), "EUR")
    assert "profit is in USD, the account in EUR" in doubt and "multiplier 100000" in doubt
    perpetual = symbol(trade_calc_mode=1)
    assert doubt_of_multiplier(perpetual, sizing(perpetual), "EUR")
    assert doubt_of_multiplier(symbol(), sizing(symbol()), "EUR") is None


def test_contract_size_of_a_future_does_not_matter():
    future = symbol(trade_calc_mode=33, volume_step=1.0, trade_contract_size=0.0)
    assert sizing(future).multiplier == 100_000


@pytest.mark.parametrize("mode", [35, 36])
def test_options_count_lots_and_the_contract_size_is_the_multiplier(mode):
    sized = sizing(cfd("AAPLC", 2, 100.0, 1.0, 1e4, 1.0, mode))
    assert (sized.kind, sized.lot, sized.multiplier) == (Kind.OPTION, 1, 100)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trade_calc_mode": 37}, "bonds"),
        ({"trade_calc_mode": 39}, "bonds"),
        ({"trade_calc_mode": 64}, "collateral"),
        ({"trade_calc_mode": 77}, "calculation mode 77 is not known"),
        ({"currency_profit": ""}, "no profit currency"),
        ({"trade_contract_size": 0.0}, "contract size must be positive"),
        ({"trade_contract_size": float("nan")}, "finite"),
        ({"volume_step": 0.0}, "volume step must be positive"),
        ({"trade_calc_mode": 33, "trade_tick_value": 0.0}, "tick value and tick size"),
        ({"trade_calc_mode": 35, "volume_step": 0.1}, "whole lots"),
    ],
)
def test_symbols_that_cannot_be_instruments_are_refused_with_the_reason(fields, reason):
    with pytest.raises(UnsupportedSymbol, match=reason):
        sizing(symbol(**fields))


def test_tick_may_be_wider_than_the_point():
    sized = sizing(symbol(digits=3, trade_tick_size=0.25))
    assert (sized.price_precision, str(sized.price_increment)) == (3, "0.250")


def test_tick_may_be_finer_than_the_digits():
    sized = sizing(symbol(digits=1, trade_tick_size=0.025))
    assert (sized.price_precision, sized.price_increment) == (3, Decimal("0.025"))


def test_missing_tick_is_the_point():
    assert sizing(symbol(trade_tick_size=0.0)).price_increment == Decimal("0.00001")


@pytest.mark.parametrize("most", [0.0, 1e9, 1e15, float("inf")])
def test_maximum_that_means_no_limit_is_none(most):
    assert sizing(symbol(volume_max=most)).max_units is None


def test_limits_lie_on_the_grid_inside_the_terminals_limits():
    sized = sizing(symbol(volume_min=0.05, volume_max=1.0, volume_step=0.03))
    assert (sized.min_units, sized.max_units) == (6_000, 99_000)


def test_least_volume_is_a_step_where_the_terminal_names_none():
    assert sizing(symbol(volume_min=0.0)).min_units == 1000


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        ("999", "at least 1000 units"),
        ("0", "at least 1000 units"),
        ("-1000", "at least 1000 units"),
        ("10001000", "at most 10000000 units"),
        ("1500", "multiple of 1000 units"),
        ("1000.5", "multiple of 1000 units"),
    ],
)
def test_quantities_that_the_symbol_does_not_take_are_refused(quantity, text):
    with pytest.raises(VolumeError, match=text) as refused:
        lots(Decimal(quantity), sizing(symbol()), symbol())
    assert "EURUSD" in str(refused.value)


steps = st.sampled_from([0.001, 0.01, 0.03, 0.1, 0.25, 1.0, 100.0])
contracts = st.sampled_from([0.1, 1.0, 10.0, 100.0, 5_000.0, 100_000.0])


@given(step=steps, contract=contracts, count=st.integers(1, 1_000_000))
def test_units_and_lots_are_inverse_on_the_grid(step, contract, count):
    info = symbol(volume_step=step, volume_min=step, volume_max=0.0, trade_contract_size=contract)
    sized = sizing(info)
    exact = Fraction(str(step)) * count
    quantity = units(float(exact), sized)
    assert Fraction(quantity) == exact * Fraction(str(contract))
    assert -quantity.as_tuple().exponent == sized.size_precision
    assert lots(quantity, sized, info) == float(exact)


@given(step=steps, count=st.integers(1, 100_000), noise=st.integers(-3, 3))
def test_float_noise_of_a_volume_is_taken_off(step, count, noise):
    info = symbol(volume_step=step, volume_max=0.0)
    volume = step * count  # carries noise of its own
    volume += noise * volume * 2.0**-52
    assert units(volume, sizing(info)) == Decimal(str(step)) * count * 100_000


@given(volume=st.integers(1, 10**6))
def test_sum_of_deals_is_the_volume_of_their_order(volume):
    sized = sizing(symbol())
    parts = [volume // 3 / 100, volume // 3 / 100, (volume - 2 * (volume // 3)) / 100]
    assert sum(units(part, sized) for part in parts if part) == units(volume / 100, sized)


def test_volume_between_two_steps_is_not_rounded_away():
    sized = sizing(symbol(volume_step=0.1, volume_min=0.1))
    assert units(0.25, sized) == 25_000


def test_volume_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        units(float("nan"), sizing(symbol()))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("EURUSD.m", "EURUSD.m"),
        ("#AAPL", "#AAPL"),
        ("@ES", "%40ES"),
        ("GOLD micro", "GOLD micro"),
        ("A%40", "A%2540"),
        ("A%2540", "A%252540"),
        ("100%", "100%"),
        ("A%25", "A%25"),
        ("@%40@", "%40%2540%40"),
    ],
)
def test_only_what_means_something_in_an_instrument_id_is_escaped(name, text):
    assert escape(name) == text
    assert unescape(text) == name


@pytest.mark.parametrize(("name", "text"), [("A*B", "A%2AB"), ("A?B", "A%3FB"), ("%2A", "%252A")])
def test_wildcards_of_the_message_bus_are_escaped(name, text):
    assert escape(name) == text
    assert unescape(text) == name


@given(name=st.text(st.sampled_from("@*?%2540AF3.") | st.characters(), max_size=20))
def test_escape_gives_every_symbol_back(name):
    text = escape(name)
    assert not set("@*?") & set(text)
    assert unescape(text) == name
    if not set("@*?%") & set(name):
        assert text == name


@given(one=st.text("@*?%2540AF3", max_size=10), other=st.text("@*?%2540AF3", max_size=10))
def test_escape_keeps_symbols_apart(one, other):
    assume(one != other)
    assert escape(one) != escape(other)
