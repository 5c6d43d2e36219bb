"""Are orders that wait at the server written so that they mean what was said?"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.expiry import (
    Expiry,
    for_the_day,
    good_till_cancelled,
    until,
)
from tradingview_scraper.adapters.mt5.rules.filling import pending_filling
from tradingview_scraper.adapters.mt5.rules.levels import Quote, on_grid, room_points
from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused
from tradingview_scraper.adapters.mt5.rules.requests import (
    Terms,
    close_by,
    modify_order,
    pending_order,
    remove_order,
    terms_in,
)
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderTime,
    OrderType,
    SymbolOrders,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo, TradeRequest

MARKET, EXCHANGE = 2, 3
BUY_LIMIT, BUY_STOP, BUY_STOP_LIMIT = (
    OrderType.BUY_LIMIT,
    OrderType.BUY_STOP,
    OrderType.BUY_STOP_LIMIT,
)
GTC = Expiry(OrderTime.GTC)

_BLANK = {name: "" if kind is str else kind(0) for name, kind in SymbolInfo.__annotations__.items()}


def symbol(**fields):
    given_fields = {
        "name": "EURUSD",
        "digits": 5,
        "point": 1e-05,
        "trade_tick_size": 1e-05,
        "trade_contract_size": 100_000.0,
        "trade_mode": 4,
        "trade_exemode": MARKET,
        "filling_mode": 3,
        "order_mode": 127,
        "expiration_mode": 15,
        "volume_min": 0.01,
        "volume_max": 100.0,
        "volume_step": 0.01,
        "currency_base": "EUR",
        "currency_profit": "USD",
    }
    return SymbolInfo(**(_BLANK | given_fields | fields))


def place(info=None, **fields):
    given_fields = {
        "type": BUY_LIMIT,
        "lots": 0.1,
        "price": 1.1,
        "magic": 7,
        "expiry": GTC,
        "filling": OrderFilling.RETURN,
    }
    return pending_order(info or symbol(), **(given_fields | fields))


def test_stop_order_has_its_trigger_as_price():
    request = place(type=BUY_STOP, price=1.2)
    assert (request["action"], request["type"], request["price"]) == (5, 4, 1.2)
    assert (request["sl"], request["stoplimit"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    "request_of",
    [
        place,
        lambda: place(type=BUY_STOP_LIMIT, price=1.2, stoplimit=1.19, sl=1.1, tp=1.3),
        lambda: modify_order(symbol(), ticket=5, type=BUY_LIMIT, terms=Terms(1.1)),
        lambda: remove_order(5),
        lambda: close_by(symbol(), position=5, position_by=6, magic=7),
    ],
)
def test_every_value_is_of_the_exact_type_that_the_library_takes(request_of):
    for name, value in request_of().items():
        assert type(value) is TradeRequest.__annotations__[name], name


PRICES = st.integers(100_000, 120_000).map(lambda points: points / 100_000)


@given(
    price=PRICES,
    sl=PRICES.map(lambda price: round(price - 0.25, 5)),
    tp=PRICES.map(lambda price: round(price + 0.25, 5)),
    new=PRICES,
)
def test_change_repeats_all_that_it_does_not_change(price, sl, tp, new):
    info = symbol()
    placed = terms_in(place(info, price=price, sl=sl, tp=tp))
    request = modify_order(info, ticket=5, type=BUY_LIMIT, terms=placed._replace(price=new))
    assert terms_in(request) == placed._replace(price=new)


@given(
    ticks=st.integers(1, 10**6), size=st.sampled_from([1e-05, 0.01, 0.05, 0.25, 5.0]), noise=PRICES
)
def test_price_is_taken_as_it_is_or_not_at_all(ticks, size, noise):
    info = symbol(trade_tick_size=size, point=size)
    exact = float(ticks * Decimal(str(size)))
    assert on_grid(info, "price", exact + noise * 1e-12) == pytest.approx(exact, abs=1e-9)
    with pytest.raises(RequestRefused, match="price must be a multiple of"):
        on_grid(info, "price", exact + size * 0.4)


@given(limit=PRICES, ask=PRICES)
def test_deviation_never_reaches_past_the_limit(limit, ask):
    room = room_points(symbol(), OrderType.BUY, limit, Quote(ask - 0.0001, ask))
    if room is None:
        assert ask > limit
    else:
        assert ask + room * 1e-05 <= limit + 1e-9
        assert ask + (room + 1) * 1e-05 > limit - 1e-9


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"price": 0.0}, "must be positive"),
        ({"price": 1.000001}, "multiple of"),
        ({"sl": 1.1001}, "SL must be at least 0 points below"),
        ({"tp": 1.0}, "TP must be at least 0 points above"),
        ({"type": BUY_STOP_LIMIT, "stoplimit": 1.2}, "must be at least 0 points below its trigger"),
        ({"type": OrderType.BUY}, "pending order"),
        ({"type": BUY_STOP, "quote": Quote(1.1, 1.1002)}, "above the ask"),
    ],
)
def test_what_the_server_would_refuse_is_refused(fields, text):
    with pytest.raises(RequestRefused, match=text):
        place(**fields)


def test_limit_that_the_market_would_fill_is_the_servers_to_answer():
    assert place(price=1.2, quote=Quote(1.1, 1.1002))["price"] == 1.2


def test_stops_level_is_kept_to():
    info = symbol(trade_stops_level=20)
    assert place(info, sl=1.0998)["sl"] == 1.0998
    with pytest.raises(RequestRefused, match="at least 20 points below"):
        place(info, sl=1.09981)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"order_mode": 125}, "UNSUPPORTED_ORDER_TYPE"),
        ({"trade_mode": 0}, "TRADING_HALTED"),
        ({"trade_mode": 2}, "TRADING_HALTED"),
        ({"trade_mode": 3}, "TRADING_HALTED"),
    ],
)
def test_what_the_symbol_does_not_take_is_refused(fields, code):
    with pytest.raises(RequestRefused) as refused:
        place(symbol(**fields), opens=True)
    assert refused.value.code == code


@given(seconds=st.integers(1, 2_000_000_000), modes=st.integers(0, 15))
def test_order_lives_exactly_as_long_as_it_was_told_to_or_is_refused(seconds, modes):
    info = symbol(expiration_mode=modes)
    try:
        expiry = until(info, seconds)
    except RequestRefused as refused:
        assert refused.code == "UNSUPPORTED_TIME_IN_FORCE"
        assert not modes & 4
        return
    if expiry.type_time == OrderTime.SPECIFIED:
        assert modes & 4
        assert expiry.expiration == seconds
    else:
        assert expiry.type_time == OrderTime.SPECIFIED_DAY
        assert modes & 8
        assert expiry.expiration % 86_400 == 86_399
        assert seconds - expiry.expiration in (0, 1)


def test_good_till_cancelled_that_the_server_drops_is_refused_unless_allowed():
    daily = symbol(order_gtc_mode=int(SymbolOrders.DAILY))
    with pytest.raises(RequestRefused, match="drops good-till-cancelled orders"):
        good_till_cancelled(daily)
    assert good_till_cancelled(daily, may_be_dropped=True) == GTC
    assert for_the_day(daily).type_time == OrderTime.DAY
    with pytest.raises(RequestRefused, match="takes no DAY orders: it offers GTC, SPECIFIED"):
        for_the_day(symbol(expiration_mode=5))


@given(
    mode=st.integers(0, 3),
    bits=st.integers(0, 7),
    type=st.sampled_from([BUY_LIMIT, BUY_STOP, BUY_STOP_LIMIT]),
    all_or_none=st.sampled_from([None, True, False]),
    post_only=st.booleans(),
)
def test_pending_filling_is_one_that_the_mode_and_the_mask_have(
    mode, bits, type, all_or_none, post_only
):
    info = symbol(trade_exemode=mode, filling_mode=bits)
    try:
        filling = pending_filling(info, type, all_or_none=all_or_none, post_only=post_only)
    except RequestRefused:
        assert post_only or all_or_none is not None
        return
    if filling == OrderFilling.RETURN:
        assert all_or_none is None
        assert not post_only
        return
    assert mode == EXCHANGE
    bit = {OrderFilling.FOK: 1, OrderFilling.IOC: 2, OrderFilling.BOC: 4}[filling]
    assert bits & bit
    assert (filling == OrderFilling.BOC) == post_only
