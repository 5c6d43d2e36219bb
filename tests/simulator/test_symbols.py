"""Symbols as brokers have them: odd names, every calculation mode, contracts that end, books."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tradingview_scraper.adapters.mt5.simulator as mt5
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.constants import TradeRetcode
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

ODD = ("@ES", "#AAPL", "US500.cash", "GOLD micro", "EURUSD.m", "WIN$", "Ä&%.x", "B'Q\"é")
LIKE = {"@ES": "@ES", "#AAPL": "#AAPL", "US500.cash": "US500", "GOLD micro": "XAUUSD"}


@pytest.fixture(scope="module")
def terminal():
    symbols = [{"name": name, "like": LIKE.get(name, "EURUSD")} for name in ODD]
    scenario = {
        "extends": "demo-hedging",
        "clock": {"mode": "stepped", "start": "2025-03-12T15:00:00Z"},
        "symbols": symbols,
        "account": {"balance": 1_000_000.0},
        "accounts": [],
    }
    with launch(scenario) as control:
        assert mt5.initialize(control.path), mt5.last_error()
        yield control
        mt5.shutdown()


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_works_everywhere(terminal, name):
    info = mt5.symbol_info(name)
    assert (info.name, info.select) == (name, True)
    assert mt5.symbol_info_tick(name).bid == info.bid > 0.0
    assert len(mt5.copy_ticks_from(name, info.time - 600, 50, mt5.COPY_TICKS_ALL)) == 50
    assert len(mt5.copy_rates_from_pos(name, mt5.TIMEFRAME_M5, 0, 10)) == 10
    request = {
        "action": 1,
        "symbol": name,
        "volume": info.volume_min,
        "type": 0,
        "price": info.ask,
        "type_filling": 1,
    }
    answer = mt5.order_send(request)
    assert answer.retcode == TradeRetcode.DONE
    (position,) = mt5.positions_get(symbol=name)
    assert position.symbol == name
    assert mt5.positions_get(ticket=position.ticket) == (position,)
    (deal,) = mt5.history_deals_get(position=position.identifier)
    assert deal.symbol == name


def test_pushed_ticks_of_odd_names_outlive_the_terminal(terminal):
    row = np.zeros(1, TICK_DTYPE)
    row["bid"], row["ask"] = 77.0, 78.0
    for name in ODD:
        terminal.push_ticks(name, row)
    terminal.kill()
    terminal.start()
    assert mt5.initialize(terminal.path)
    assert {mt5.symbol_info_tick(name).bid for name in ODD} == {77.0}


@pytest.mark.parametrize(
    ("mode", "margin", "profit"),
    [
        # One lot of 100 at 50.00, sold at 51.00, in a 1:100 account of the same currency.
        (0, 1.0, 100.0),
        (5, 100.0, 100.0),
        (2, 5_000.0, 100.0),
        (3, 10_000.0, 100.0),
        (4, 50.0, 100.0),
        (32, 5_000.0, 100.0),
    ],
)
def test_calculation_modes_without_an_initial_margin(
    open_desk: Callable[..., Any], mode: int, margin: float, profit: float
) -> None:
    desk = open_desk(symbols=[_contract(trade_calc_mode=mode)])
    desk.tick("X", 50.0, 50.0)
    assert desk.broker.calc_margin(0, "X", 1.0, 50.0) == margin
    assert desk.broker.calc_profit(0, "X", 1.0, 50.0, 51.0) == profit


@pytest.mark.parametrize("mode", [1, 33, 34, 35])
def test_calculation_modes_by_tick_value(open_desk: Callable[..., Any], mode: int) -> None:
    desk = open_desk(symbols=[_contract(trade_calc_mode=mode, margin_initial=750.0)])
    desk.tick("X", 50.0, 50.0)
    assert desk.broker.calc_margin(0, "X", 2.0, 50.0) == 1_500.0
    # 100 ticks of 0.02 on two lots.
    assert desk.broker.calc_profit(0, "X", 2.0, 50.0, 51.0) == 4.0
    assert desk.buy("X", 1.0).retcode == TradeRetcode.DONE


def _contract(**fields: Any) -> dict[str, Any]:
    return {
        "name": "X",
        "like": "US500",
        "digits": 2,
        "point": 0.01,
        "trade_tick_size": 0.01,
        "trade_tick_value": 0.02,
        "trade_contract_size": 100.0,
        **fields,
    }


def test_a_contract_trades_from_its_start_until_its_expiration(
    open_desk: Callable[..., Any],
) -> None:
    desk = open_desk()
    now = desk.market.now_msc // 1000
    option = {
        "name": "PETRQ266",
        "like": "@ES",
        "trade_calc_mode": 35,
        "option_strike": 26.6,
        "option_right": 1,
        "option_mode": 1,
        "basis": "PETR4",
        "start_time": now + 60,
        "expiration_time": now + 3600,
    }
    desk = open_desk(symbols=[option], account={"balance": 1_000_000.0})
    info = desk.market.info("PETRQ266")
    assert (info.trade_calc_mode, info.option_strike, info.basis) == (35, 26.6, "PETR4")
    desk.tick("PETRQ266", 1.25, 1.5, last=1.5, volume=3)
    assert desk.buy("PETRQ266", 1.0).retcode == TradeRetcode.MARKET_CLOSED
    desk.advance(60)
    desk.tick("PETRQ266", 1.25, 1.5, last=1.5, volume=3)
    assert desk.buy("PETRQ266", 1.0).retcode == TradeRetcode.DONE
    desk.advance(3540)
    desk.tick("PETRQ266", 1.25, 1.5, last=1.5, volume=3)
    assert desk.sell("PETRQ266", 1.0).retcode == TradeRetcode.MARKET_CLOSED
    assert len(desk.broker.positions()) == 1


@pytest.mark.parametrize("market_orders", [False, True])
def test_the_book_of_a_liquid_share_moves_with_its_ticks(market_orders: bool) -> None:
    scenario = {
        "extends": "exchange-netting",
        "clock": {"mode": "stepped", "start": "2025-03-12T02:00:00Z"},
        "prices": {"book_market_orders": market_orders},
    }
    with launch(scenario) as control:
        assert mt5.initialize(control.path)
        for symbol in ("#AAPL", "@ES"):
            assert mt5.market_book_add(symbol)
            assert mt5.market_book_get(symbol) == ()
            books, trades = set(), 0
            for _ in range(20):
                control.advance(1)
                tick = mt5.symbol_info_tick(symbol)
                found = mt5.market_book_get(symbol)
                books.add(found)
                trades += tick.last > 0.0 and tick.volume > 0
                limits = [level for level in found if level.type in (1, 2)]
                assert [level.type for level in limits] == [1] * 5 + [2] * 5
                assert (limits[4].price, limits[5].price) == (tick.ask, tick.bid)
                prices = [level.price for level in found]
                assert prices == sorted(prices, reverse=True)
                assert {level.type for level in found} == (
                    {1, 2, 3, 4} if market_orders else {1, 2}
                )
            assert len(books) > 15
            assert trades == 20
            rows = mt5.copy_ticks_from(symbol, tick.time - 19, 1000, mt5.COPY_TICKS_TRADE)
            assert len(rows) > 40
            assert set(rows["flags"] & 0x60) == {32, 64}
        mt5.shutdown()
