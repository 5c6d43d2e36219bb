"""Are requests written as the library takes them, and refused where they cannot succeed?"""

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.filling import market_filling
from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused
from tradingview_scraper.adapters.mt5.rules.requests import (
    comment_text,
    market_deal,
)
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    SymbolTradeMode,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo, TradeRequest

REQUEST, INSTANT, MARKET, EXCHANGE = range(4)

_BLANK = {name: "" if kind is str else kind(0) for name, kind in SymbolInfo.__annotations__.items()}


def symbol(**fields):
    given_fields = {
        "name": "EURUSD",
        "digits": 5,
        "trade_tick_size": 1e-05,
        "trade_contract_size": 100_000.0,
        "trade_mode": SymbolTradeMode.FULL,
        "trade_exemode": MARKET,
        "filling_mode": 2,
        "order_mode": 127,
        "volume_min": 0.01,
        "volume_max": 100.0,
        "volume_step": 0.01,
        "currency_base": "EUR",
        "currency_profit": "USD",
    }
    return SymbolInfo(**(_BLANK | given_fields | fields))


def deal(info=None, **fields):
    given_fields = {"side": OrderType.BUY, "lots": 0.1, "magic": 471108638406626}
    return market_deal(info or symbol(), **(given_fields | fields))


def test_market_order_is_written_with_everything_it_needs():
    assert deal(comment="O-1") == {
        "action": 1,
        "symbol": "EURUSD",
        "volume": 0.1,
        "type": 0,
        "price": 0.0,
        "sl": 0.0,
        "tp": 0.0,
        "deviation": 0,
        "magic": 471108638406626,
        "position": 0,
        "type_filling": 1,
        "type_time": 0,
        "comment": "O-1",
    }


def test_close_names_the_ticket_of_its_position():
    request = deal(side=OrderType.SELL, position=50067383081)
    assert (request["type"], request["position"]) == (1, 50067383081)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"lots": np.float64(0.1), "magic": np.int64(5), "position": np.int64(7)},
        {"lots": 1, "price": 1, "sl": 1, "tp": 2, "deviation": np.int32(10)},
        {"filling": OrderFilling.FOK, "comment": "x" * 99},
    ],
)
def test_every_value_is_of_the_exact_type_that_the_library_takes(fields):
    request = deal(**fields)
    for name, value in request.items():
        assert type(value) is TradeRequest.__annotations__[name], name


@pytest.mark.real_library
@pytest.mark.skipif(
    importlib.util.find_spec("MetaTrader5") is None, reason="the library exists for Windows only"
)
def test_real_library_sends_what_is_written():
    library = pytest.importorskip("MetaTrader5")
    library.shutdown()
    for request in (
        deal(),
        deal(side=OrderType.SELL, position=2**63, comment="Ünïcödé" * 9),
        deal(lots=1, price=1, sl=1, tp=2, deviation=10),
        deal(symbol(name="A" * 29)),
    ):
        assert library.order_send(request) is None
        # Not -2: the request was understood, and only the terminal is missing.
        assert library.last_error() == (-10004, "No IPC connection")


@given(count=st.integers(1, 10_000))
def test_volume_carries_no_noise(count):
    assert deal(lots=count * 0.01)["volume"] == count / 100


def test_prices_carry_no_noise():
    assert deal(sl=1.0973600000000001)["sl"] == 1.09736


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"side": OrderType.BUY_LIMIT}, "side must be BUY or SELL"),
        ({"lots": 0.0}, "at least 1000.* units"),
        ({"lots": 0.005}, "at least 1000.* units"),
        ({"lots": -0.1}, "at least 1000.* units"),
        ({"lots": 0.015}, "multiple of 1000 units"),
        ({"lots": 100.01}, "at most 10000000 units"),
        ({"lots": float("nan")}, "finite"),
        ({"lots": 0.0, "position": 5}, "lots must be positive, was 0.0"),
        ({"lots": float("nan"), "position": 5}, "lots must be positive, was nan"),
        ({"price": -1.0}, "price must be zero or more, was -1.0"),
        ({"sl": float("inf")}, "sl must be zero or more, was inf"),
        ({"tp": float("nan")}, "tp must be zero or more, was nan"),
        ({"magic": -1}, "magic must be within"),
        ({"magic": 2**64}, "magic must be within"),
        ({"position": -1}, "position must be within"),
        ({"deviation": -1}, "deviation must be within"),
    ],
)
def test_values_that_cannot_be_sent_are_refused(fields, text):
    with pytest.raises(RequestRefused, match=text) as refused:
        deal(**fields)
    assert refused.value.code == "VALIDATION_FAILED"
    assert str(refused.value) == f"VALIDATION_FAILED: {refused.value.text}"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"trade_mode": SymbolTradeMode.DISABLED}, "TRADING_HALTED"),
        ({"order_mode": 126}, "UNSUPPORTED_ORDER_TYPE"),
        ({"name": ""}, "VALIDATION_FAILED"),
        ({"name": "A" * 30}, "VALIDATION_FAILED"),
        ({"name": "😀" * 15}, "VALIDATION_FAILED"),
        ({"trade_exemode": INSTANT}, "VALIDATION_FAILED"),
        ({"trade_calc_mode": 37}, "VALIDATION_FAILED"),
        ({"filling_mode": 0}, "UNSUPPORTED_TIME_IN_FORCE"),
    ],
)
def test_symbols_that_cannot_be_traded_are_refused(fields, code):
    with pytest.raises(RequestRefused) as refused:
        deal(symbol(**fields))
    assert refused.value.code == code


@pytest.mark.parametrize(("stop", "bit"), [("sl", 16), ("tp", 32)])
def test_stops_that_the_symbol_does_not_take_are_refused(stop, bit):
    without = symbol(order_mode=127 & ~bit)
    assert deal(without)["symbol"] == "EURUSD"
    with pytest.raises(RequestRefused, match=stop.upper()) as refused:
        deal(without, **{stop: 1.1})
    assert refused.value.code == "UNSUPPORTED_TP_SL"


@pytest.mark.parametrize(
    "mode", [SymbolTradeMode.LONGONLY, SymbolTradeMode.SHORTONLY, SymbolTradeMode.CLOSEONLY]
)
def test_what_only_the_server_can_judge_is_sent(mode):
    # A sell closes on a netting account, so no side is certainly wrong.
    assert deal(symbol(trade_mode=mode), side=OrderType.SELL)["type"] == 1


def test_position_below_todays_minimum_can_be_closed():
    assert deal(symbol(volume_min=1.0), lots=0.1, position=5)["volume"] == 0.1


@pytest.mark.parametrize("mode", [REQUEST, INSTANT])
def test_requested_price_is_sent_where_it_is_needed(mode):
    request = deal(symbol(trade_exemode=mode), price=1.09724, deviation=10)
    assert (request["price"], request["deviation"]) == (1.09724, 10)


FOK, IOC, RETURN, BOC = OrderFilling


@pytest.mark.parametrize(
    ("exemode", "bits", "all_or_none", "filling"),
    [
        (REQUEST, 0, None, FOK),
        (INSTANT, 1, None, FOK),
        (INSTANT, 2, True, FOK),
        (INSTANT, 0, False, IOC),
        (MARKET, 1, None, FOK),
        (MARKET, 2, None, IOC),
        (MARKET, 3, None, IOC),
        (MARKET, 3, True, FOK),
        (MARKET, 3, False, IOC),
        (MARKET, 1, True, FOK),
        (MARKET, 2, False, IOC),
        (MARKET, 2, True, None),
        (MARKET, 1, False, None),
        (MARKET, 0, None, None),
        (MARKET, 4, None, None),
        (EXCHANGE, 0, None, RETURN),
        (EXCHANGE, 3, None, RETURN),
        (EXCHANGE, 3, True, FOK),
        (EXCHANGE, 3, False, IOC),
        (EXCHANGE, 2, True, None),
        (EXCHANGE, 0, False, None),
    ],
)
def test_scenario_19_filling_follows_execution_and_the_symbols_bits(
    exemode, bits, all_or_none, filling
):
    info = symbol(trade_exemode=exemode, filling_mode=bits)
    if filling is not None:
        assert market_filling(info, all_or_none=all_or_none) is filling
        return
    with pytest.raises(RequestRefused, match="does not fill market orders") as refused:
        market_filling(info, all_or_none=all_or_none)
    assert refused.value.code == "UNSUPPORTED_TIME_IN_FORCE"


def test_bits_of_a_symbol_are_never_passed_as_the_filling():
    # filling_mode 1 is FOK, which is 0 in a request; 2 is IOC, which is 1.
    assert deal(symbol(filling_mode=1))["type_filling"] == 0
    assert deal(symbol(filling_mode=2))["type_filling"] == 1


def test_filling_that_is_given_is_taken():
    assert deal(filling=OrderFilling.RETURN)["type_filling"] == 2


def test_market_order_cannot_wait_in_the_book():
    with pytest.raises(RequestRefused, match="book-or-cancel") as refused:
        deal(filling=OrderFilling.BOC)
    assert refused.value.code == "UNSUPPORTED_TIME_IN_FORCE"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("O-20260102-120000-001-000-1", "O-20260102-12000"),
        ("Ünïcödé", "?n?c?d?"),
        ("tab\tand\nline", "tab?and?line"),
        ("ends in blank    and more", "ends in blank"),
    ],
)
def test_comment_is_short_printable_ascii(text, written):
    assert comment_text(text) == written


@given(text=st.text(), limit=st.integers(0, 31))
def test_comment_never_exceeds_its_limit(text, limit):
    written = comment_text(text, limit)
    assert len(written) <= limit
    assert written.isascii()
    assert written.isprintable()
