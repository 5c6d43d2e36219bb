"""Instruments that are subscribed to: new definitions, status, closing prices."""

import time

import pytest
from nautilus_trader.model.data import InstrumentClose, InstrumentStatus
from nautilus_trader.model.enums import InstrumentCloseType, MarketStatusAction
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import FuturesContract

from tradingview_scraper.adapters.mt5.client.watches import SymbolReading
from tradingview_scraper.adapters.mt5.nautilus_v1.closes import final_price
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.status import status_of
from tradingview_scraper.adapters.mt5.rules.definition import DEFINITION_FIELDS
from tradingview_scraper.adapters.mt5.rules.sessions import learn_hours
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolCalcMode, SymbolTradeMode

EURUSD = InstrumentId.from_str("EURUSD.MT5")
FUTURE = InstrumentId.from_str("ES.H5.MT5")
HOUR = 3_600
#: Sunday 1970-01-04 of the server's clock.
SUNDAY = 3 * 24 * HOUR
#: Hours of four FX weeks, Monday 00:00 to Friday 24:00.
FX_HOURS = [SUNDAY + (week * 168 + 24 + hour) * HOUR for week in range(4) for hour in range(5 * 24)]


@pytest.fixture
def said(info_of):
    """The status of EURUSD under these conditions."""

    def say(*, quiet=False, connected=True, gone=False, link=None, age=0.0, at=0, hours=None, **of):
        info = None if gone else info_of("EURUSD", **of)
        return status_of(
            SymbolReading(info, connected, quiet),
            link=link,
            age_secs=age,
            quiet_secs=120.0,
            hours=hours,
            server_seconds=at,
        )

    return say


@pytest.mark.parametrize(
    ("condition", "action", "is_trading"),
    [
        ({}, "TRADING", True),
        ({"trade_mode": SymbolTradeMode.LONGONLY}, "TRADING", True),
        ({"trade_mode": SymbolTradeMode.SHORTONLY}, "TRADING", True),
        ({"trade_mode": SymbolTradeMode.CLOSEONLY}, "HALT", False),
        ({"trade_mode": SymbolTradeMode.DISABLED}, "NOT_AVAILABLE_FOR_TRADING", False),
        ({"connected": False}, "NOT_AVAILABLE_FOR_TRADING", False),
        ({"link": "LOST"}, "NOT_AVAILABLE_FOR_TRADING", False),
        ({"gone": True}, "NOT_AVAILABLE_FOR_TRADING", False),
        ({"quiet": True}, "PAUSE", False),
        ({"quiet": None, "age": 10.0}, "TRADING", True),
        ({"quiet": None, "age": 50 * 3600.0}, "PAUSE", False),
    ],
)
def test_status_says_the_worst_thing(said, condition, action, is_trading):
    status = said(**condition)
    assert status.action == MarketStatusAction[action]
    assert status.is_trading is is_trading


def test_short_sale_is_restricted_where_only_buying_is_allowed(said):
    assert said(trade_mode=SymbolTradeMode.LONGONLY).is_short_sell_restricted
    assert not said().is_short_sell_restricted


@pytest.mark.parametrize(
    ("day", "action"), [(0, "CLOSE"), (1, "PAUSE"), (5, "PAUSE"), (6, "CLOSE")]
)
def test_a_quiet_symbol_is_closed_by_the_learned_week_and_says_so(said, day, action):
    hours = learn_hours(FX_HOURS)
    status = said(quiet=True, hours=hours, at=SUNDAY + (70 * 168 + day * 24 + 12) * HOUR)
    assert status.action == MarketStatusAction[action]
    assert "learned" in status.reason


def test_a_holiday_does_not_close_its_hours():
    hours = learn_hours(FX_HOURS[:24] + FX_HOURS[48:])
    assert hours == learn_hours(FX_HOURS)


@pytest.mark.parametrize("times", [[], FX_HOURS[:20]])
def test_hours_are_not_learned_from_less_than_a_week(times):
    assert learn_hours(times) is None


def test_prices_and_volumes_are_no_definition():
    assert not {"bid", "ask", "time", "session_close", "volume"} & set(DEFINITION_FIELDS)
    assert {"swap_long", "margin_initial", "trade_mode", "volume_min", "expiration_time"} <= set(
        DEFINITION_FIELDS
    )


POLL = {"instrument_poll_secs": 0.05, "status_poll_secs": 0.05}


def test_status_comes_at_once_and_then_when_the_trade_server_is_lost(terminal, run_node):
    async def drive(rig):
        heard = []
        rig.strategy.on_instrument_status = heard.append
        rig.node.kernel.msgbus.subscribe("data.*status*", heard.append)
        rig.strategy.subscribe_instrument_status(EURUSD)
        await rig.until(lambda: heard)
        first = heard[-1]
        assert isinstance(first, InstrumentStatus)
        assert first.action == MarketStatusAction.TRADING
        terminal.set_connected(False)
        lost = MarketStatusAction.NOT_AVAILABLE_FOR_TRADING
        await rig.until(lambda: heard[-1].action == lost)
        assert "trade server" in heard[-1].reason
        terminal.set_connected(True)
        await rig.until(lambda: heard[-1].action == MarketStatusAction.TRADING)

    terminal.reset("demo-hedging")
    run_node(terminal, drive, data_fields=POLL)


def test_only_a_new_definition_is_published(terminal, run_node):
    async def drive(rig):
        heard = []
        rig.strategy.on_instrument = heard.append
        rig.strategy.subscribe_instrument(EURUSD)
        await rig.until(lambda: heard)
        count = len(heard)
        seen = terminal.stats()["calls"]["symbol_info"]
        await rig.until(lambda: terminal.stats()["calls"]["symbol_info"] > seen + 5)
        assert len(heard) == count
        terminal.reset(world(swap_long=-9.5))
        await rig.until(lambda: any(one.info["swap_long"] == -9.5 for one in heard))
        assert rig.cache.instrument(EURUSD).info["swap_long"] == -9.5

    def world(**fields):
        return {
            "extends": "demo-hedging",
            "symbols": [{"name": "EURUSD", **fields}, "GBPUSD"],
        }

    terminal.reset(world())
    run_node(terminal, drive, data_fields=POLL)


def test_a_session_close_is_published_once_when_it_changes(terminal, run_node):
    async def drive(rig):
        heard = []
        rig.node.kernel.msgbus.subscribe("data.*close*", heard.append)
        rig.strategy.subscribe_instrument_close(EURUSD)
        polls = terminal.stats()["calls"]["symbol_info"]
        await rig.until(lambda: terminal.stats()["calls"]["symbol_info"] > polls + 3)
        assert not heard
        terminal.advance(24 * HOUR)
        await rig.until(lambda: heard)
        (close,) = heard
        assert isinstance(close, InstrumentClose)
        assert close.instrument_id == EURUSD
        assert float(close.close_price) > 0

    run_node(terminal, drive, data_fields=POLL)


def contract(expires, **fields):
    """A future on an index that trades until `expires`, seconds of the server."""
    future = {
        "name": "ES.H5",
        "like": "US500",
        "trade_calc_mode": int(SymbolCalcMode.EXCH_FUTURES),
        "volume_min": 1.0,
        "volume_step": 1.0,
        "currency_margin": "USD",
        "expiration_time": expires,
        **fields,
    }
    return {"extends": "demo-hedging", "symbols": ["EURUSD", future]}


def closes_of(rig):
    heard = []
    rig.node.kernel.msgbus.subscribe("data.*close*", heard.append)
    rig.strategy.subscribe_instrument_close(FUTURE)
    return heard


def test_an_expired_contract_is_published_once(terminal, run_node):
    expired = 1_741_608_000

    async def drive(rig):
        heard = closes_of(rig)
        await rig.until(lambda: heard)
        polls = terminal.stats()["calls"]["symbol_info"]
        await rig.until(lambda: terminal.stats()["calls"]["symbol_info"] > polls + 3)
        (close,) = heard
        assert isinstance(rig.cache.instrument(FUTURE), FuturesContract)
        assert close.close_type == InstrumentCloseType.CONTRACT_EXPIRED
        assert close.ts_event == rig.cache.instrument(FUTURE).expiration_ns
        assert float(close.close_price) > 0

    terminal.reset(contract(expired))
    run_node(terminal, drive, symbols=["EURUSD", "ES.H5"], data_fields=POLL)


def test_a_contract_is_closed_when_it_expires(terminal, run_node, zone):
    ends_ns = time.time_ns() // 10**9 * 10**9 + 6 * 10**9
    expires = zone.server_seconds(ends_ns)

    async def drive(rig):
        heard = closes_of(rig)
        close = (await rig.until(lambda: heard))[0]
        assert close.close_type == InstrumentCloseType.CONTRACT_EXPIRED
        assert close.ts_event == ends_ns <= close.ts_init

    terminal.reset(contract(expires))
    run_node(terminal, drive, symbols=["EURUSD", "ES.H5"], data_fields=POLL)


@pytest.mark.parametrize(
    ("fields", "price"),
    [
        ({"session_price_settlement": 5.0, "last": 4.0, "bid": 3.0}, 5.0),
        ({"last": 4.0, "session_close": 2.0, "bid": 3.0}, 4.0),
        ({"bid": 3.0}, 3.0),
        ({"last": -37.63}, -37.63),
        ({}, None),
    ],
)
def test_a_contract_ends_at_its_settlement_or_its_last_price(info_of, fields, price):
    nothing = dict.fromkeys(
        ("session_price_settlement", "last", "session_close", "bid", "ask"), 0.0
    )
    assert final_price(info_of("EURUSD", **{**nothing, **fields})) == price
