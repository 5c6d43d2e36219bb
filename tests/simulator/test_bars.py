"""Bars: the aggregation law, the calendar of the timeframes, and what a request returns."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.market.bars import (
    aggregate,
    bars_from_ticks,
    last_second,
    opening_times,
)
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.scenario import load_scenario
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE

POINT = 1e-5
DAY = 86_400


def second(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def ticks(*rows: tuple[int, float, float]) -> Rows:
    """Ticks of (milliseconds, bid, ask)."""
    made = np.zeros(len(rows), dtype=TICK_DTYPE)
    for index, (msc, bid, ask) in enumerate(rows):
        made[index] = (msc // 1000, bid, ask, 0.0, 0, msc, 6, 0.0)
    return made


def by_hand(rows: Rows, timeframe: Timeframe) -> list[tuple[Any, ...]]:
    """The law, tick by tick, in the plainest words."""
    bars: dict[int, list[Any]] = {}
    for row in rows:
        opened = int(opening_times(np.array([row["time"]]), timeframe)[0])
        price = float(row["bid"])
        spread = round((float(row["ask"]) - price) / POINT)
        bar = bars.setdefault(opened, [price, price, price, price, 0, spread])
        bar[1], bar[2], bar[3] = max(bar[1], price), min(bar[2], price), price
        bar[4], bar[5] = bar[4] + 1, min(bar[5], spread)
    return [(opened, *bar, 0) for opened, bar in sorted(bars.items())]


def test_bar_is_first_highest_lowest_last_count_and_smallest_spread() -> None:
    rows = ticks(
        (60_000, 1.10000, 1.10005),
        (60_500, 1.10020, 1.10022),
        (61_000, 1.09990, 1.10000),
        (119_999, 1.10010, 1.10015),
        (120_000, 1.20000, 1.20007),
    )
    made = bars_from_ticks(rows, Timeframe.M1, point=POINT)
    assert made.tolist() == [
        (60, 1.10000, 1.10020, 1.09990, 1.10010, 4, 2, 0),
        (120, 1.20000, 1.20000, 1.20000, 1.20000, 1, 7, 0),
    ]
    assert made.dtype == RATE_DTYPE


def test_ask_only_ticks_count() -> None:
    rows = ticks((60_000, 1.1, 1.10005), (60_100, 1.1, 1.10006), (60_200, 1.1, 1.10004))
    (bar,) = bars_from_ticks(rows, Timeframe.M1, point=POINT)
    assert (bar["high"], bar["low"], bar["tick_volume"], bar["spread"]) == (1.1, 1.1, 3, 4)


def test_exchange_bars_come_from_trades_and_sum_their_volume() -> None:
    rows = np.zeros(3, dtype=TICK_DTYPE)
    rows[0] = (60, 9.9, 10.1, 10.0, 5, 60_000, 8 | 16 | 32, 5.0)
    rows[1] = (61, 9.8, 10.0, 10.0, 5, 61_000, 2 | 4, 5.0)
    rows[2] = (62, 9.8, 10.0, 9.8, 7, 62_000, 8 | 16 | 64, 7.0)
    (bar,) = bars_from_ticks(rows, Timeframe.M1, point=0.01, by_last=True)
    assert tuple(bar)[1:5] == (10.0, 10.0, 9.8, 9.8)
    assert (bar["tick_volume"], bar["real_volume"]) == (2, 12)


def test_empty_book_makes_no_bar() -> None:
    assert len(bars_from_ticks(ticks((60_000, 0.0, 0.0)), Timeframe.M1, point=POINT)) == 0


@pytest.mark.parametrize(
    ("timeframe", "opened"),
    [
        (Timeframe.M1, "2025-03-12T14:37"),
        (Timeframe.M6, "2025-03-12T14:36"),
        (Timeframe.M12, "2025-03-12T14:36"),
        (Timeframe.M20, "2025-03-12T14:20"),
        (Timeframe.M30, "2025-03-12T14:30"),
        (Timeframe.H1, "2025-03-12T14:00"),
        (Timeframe.H3, "2025-03-12T12:00"),
        (Timeframe.H4, "2025-03-12T12:00"),
        (Timeframe.H8, "2025-03-12T08:00"),
        (Timeframe.H12, "2025-03-12T12:00"),
        (Timeframe.D1, "2025-03-12"),
        (Timeframe.W1, "2025-03-09"),
        (Timeframe.MN1, "2025-03-01"),
    ],
)
def test_bars_open_where_the_terminal_puts_them(timeframe: Timeframe, opened: str) -> None:
    at = np.array([second("2025-03-12T14:37:12")])
    assert opening_times(at, timeframe).tolist() == [second(opened)]


def test_week_ends_on_saturday_and_month_on_its_last_day() -> None:
    assert last_second(second("2025-03-09"), Timeframe.W1) == second("2025-03-16") - 1
    assert last_second(second("2024-02-01"), Timeframe.MN1) == second("2024-03-01") - 1
    assert last_second(second("2025-03-12T12:00"), Timeframe.H4) == second("2025-03-12T16:00") - 1


@given(st.integers(0, 4_000_000_000), st.sampled_from(list(Timeframe)))
def test_every_second_lies_in_its_bar(at: int, timeframe: Timeframe) -> None:
    opened = int(opening_times(np.array([at]), timeframe)[0])
    assert opened <= at <= last_second(opened, timeframe)
    assert opening_times(np.array([last_second(opened, timeframe)]), timeframe)[0] == opened
    assert opening_times(np.array([opened]), timeframe)[0] == opened


quotes = st.lists(
    st.tuples(st.integers(0, 40 * DAY * 1000), st.integers(100_000, 120_000), st.integers(0, 50)),
    min_size=1,
    max_size=60,
)


@settings(deadline=None)
@given(quotes, st.sampled_from(list(Timeframe)))
def test_law_holds_for_any_ticks_directly_and_over_minutes(
    raw: list[tuple[int, int, int]], timeframe: Timeframe
) -> None:
    rows = ticks(*((msc, bid / 1e5, (bid + s) / 1e5) for msc, bid, s in sorted(raw)))
    direct = bars_from_ticks(rows, timeframe, point=POINT)
    assert direct.tolist() == by_hand(rows, timeframe)
    minutes = bars_from_ticks(rows, Timeframe.M1, point=POINT)
    np.testing.assert_array_equal(aggregate(minutes, timeframe), direct)


@pytest.fixture(scope="module")
def market() -> Market:
    """Synthetic prices up to Thursday 2025-03-13 11:22:33.456 at the server."""
    scenario = load_scenario(
        {
            "extends": "demo-hedging",
            "symbols": ["EURUSD", "#AAPL", "BTCUSD"],
            "prices": {"rate": 0.1, "always_open": False, "history_from": "2025-01-20"},
            "clock": {"mode": "stepped", "start": "2025-03-13T08:22:33.456Z"},
        }
    )
    return Market(scenario, Clock(scenario.clock))


@pytest.mark.parametrize("symbol", ["EURUSD", "#AAPL", "BTCUSD"])
@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_terminal_serves_the_bars_of_its_own_ticks(
    market: Market, symbol: str, timeframe: Timeframe
) -> None:
    start, now = second("2025-02-28"), market.now_msc
    info = market.info(symbol)
    rows = market.ticks_range(symbol, second("2025-02-01") * 1000, now, CopyTicks.ALL)
    bars = market.rates_range(symbol, timeframe, start, now // 1000)
    assert info is not None and rows is not None and bars is not None
    made = bars_from_ticks(rows, timeframe, point=info.point, by_last=info.chart_mode == 1)
    np.testing.assert_array_equal(bars, made[made["time"] >= start])
    if symbol != "#AAPL" or timeframe in (Timeframe.W1, Timeframe.MN1):
        # The share has not opened yet today.
        assert last_second(int(bars["time"][-1]), timeframe) >= now // 1000


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_three_ways_of_asking_agree(market: Market, timeframe: Timeframe) -> None:
    now = market.now_msc // 1000
    by_position = market.rates_from_pos("EURUSD", timeframe, 0, 12)
    by_date = market.rates_from("EURUSD", timeframe, now, 12)
    assert by_position is not None and by_date is not None
    np.testing.assert_array_equal(by_position, by_date)
    shifted = market.rates_from_pos("EURUSD", timeframe, 1, 3)
    np.testing.assert_array_equal(shifted, by_position[-4:-1] if len(by_position) > 3 else shifted)
    by_range = market.rates_range("EURUSD", timeframe, int(by_position["time"][0]), now)
    np.testing.assert_array_equal(by_range, by_position)


def test_date_is_the_opening_of_the_last_bar_inclusive(market: Market) -> None:
    at = second("2025-03-13T09:00")
    rows = market.rates_from("EURUSD", Timeframe.H1, at, 2)
    assert rows is not None and rows["time"].tolist() == [at - 3600, at]
    rows = market.rates_from("EURUSD", Timeframe.H1, at - 1, 2)
    assert rows is not None and rows["time"].tolist() == [at - 7200, at - 3600]


def test_range_takes_both_ends(market: Market) -> None:
    start, end = second("2025-03-13T09:00"), second("2025-03-13T09:15")
    rows = market.rates_range("EURUSD", Timeframe.M5, start, end)
    assert rows is not None
    assert rows["time"].tolist() == [start, start + 300, start + 600, end]
    for low, high in ((start + 1, start + 299), (end, start)):
        none = market.rates_range("EURUSD", Timeframe.M5, low, high)
        assert none is not None and len(none) == 0


def test_weekend_has_no_fx_bars_and_week_opens_on_monday(market: Market) -> None:
    weekend = market.rates_range(
        "EURUSD", Timeframe.M1, second("2025-03-08"), second("2025-03-10") - 1
    )
    assert weekend is not None and len(weekend) == 0
    days = market.rates_range("EURUSD", Timeframe.D1, second("2025-03-03"), second("2025-03-16"))
    assert days is not None
    weekdays = [datetime.fromtimestamp(row["time"], UTC).weekday() for row in days]
    assert weekdays == [0, 1, 2, 3, 4, 0, 1, 2, 3]
    crypto = market.rates_range("BTCUSD", Timeframe.D1, second("2025-03-08"), second("2025-03-09"))
    assert crypto is not None and len(crypto) == 2


def test_share_has_bars_in_its_session_only_with_real_volume(market: Market) -> None:
    day = second("2025-03-12")
    rows = market.rates_range("#AAPL", Timeframe.M30, day, day + DAY - 1)
    assert rows is not None
    hours = (rows["time"] - day) / 3600
    assert (hours.min(), hours.max()) == (16.5, 22.5)
    assert np.all(rows["real_volume"] > rows["tick_volume"])


def test_history_ends_where_the_scenario_says(market: Market) -> None:
    rows = market.rates_from("EURUSD", Timeframe.D1, market.now_msc // 1000, 1000)
    assert rows is not None and rows["time"][0] == second("2025-01-20")
    months = market.rates_from_pos("EURUSD", Timeframe.MN1, 0, 100)
    assert months is not None and months["time"].tolist() == [
        second("2025-01-01"),
        second("2025-02-01"),
        second("2025-03-01"),
    ]


def test_answers_are_limited_to_maxbars_and_the_newest_win(
    open_desk: Callable[..., Any],
) -> None:
    market = open_desk(
        symbols=["EURUSD"], prices={"synthetic": True}, terminal={"maxbars": 1000}
    ).market
    now = market.now_msc // 1000
    by_range = market.rates_range("EURUSD", Timeframe.M1, now - 10 * DAY, now)
    by_date = market.rates_from("EURUSD", Timeframe.M1, now, 5000)
    assert len(by_range) == len(by_date) == 1000
    np.testing.assert_array_equal(by_range, by_date)
    assert len(market.rates_from_pos("EURUSD", Timeframe.M1, 990, 100)) == 10
    assert len(market.rates_from_pos("EURUSD", Timeframe.M1, 1000, 100)) == 0


def test_nonsense_is_refused_and_nothing_is_empty(market: Market) -> None:
    assert market.rates_from("NOPE", Timeframe.M1, 0, 1) is None
    assert market.rates_from("EURUSD", 7, 0, 1) is None
    assert market.rates_from_pos("EURUSD", Timeframe.M1, -1, 1) is None
    assert market.rates_from_pos("EURUSD", Timeframe.M1, 0, -1) is None
    empty = market.rates_from_pos("EURUSD", Timeframe.M1, 0, 0)
    assert empty is not None and empty.shape == (0,) and empty.dtype == RATE_DTYPE


def test_forming_bar_grows_and_closes_when_a_later_tick_comes(
    open_desk: Callable[..., Any],
) -> None:
    desk = open_desk(symbols=["EURUSD"])
    desk.tick("EURUSD", 1.1, 1.10005)
    desk.advance(10)
    desk.tick("EURUSD", 1.2, 1.20003)
    rows = desk.market.rates_from_pos("EURUSD", Timeframe.M1, 0, 5)
    opened = desk.clock.now_msc() // 60_000 * 60
    assert rows.tolist() == [(opened, 1.1, 1.2, 1.1, 1.2, 2, 3, 0)]
    # Time alone makes no bar: without a tick the minute before stays the last one.
    desk.advance(120)
    assert desk.market.rates_from_pos("EURUSD", Timeframe.M1, 0, 5).tolist() == rows.tolist()
    desk.tick("EURUSD", 1.15, 1.15004)
    later = desk.market.rates_from_pos("EURUSD", Timeframe.M1, 0, 5)
    assert later["time"].tolist() == [opened, opened + 120]


def test_pushed_ticks_among_synthetic_ones_are_in_their_minutes_bars(
    open_desk: Callable[..., Any],
) -> None:
    desk = open_desk(symbols=["EURUSD"], prices={"synthetic": True})
    market = desk.market
    day = desk.clock.now_msc() // 86_400_000 * DAY
    for _ in range(3):
        desk.advance(47)
        desk.tick("EURUSD", 2.0, 2.00001)
        for timeframe in (Timeframe.M1, Timeframe.M15, Timeframe.D1):
            rows = market.ticks_range("EURUSD", day * 1000, market.now_msc, CopyTicks.ALL)
            made = bars_from_ticks(rows, timeframe, point=POINT)
            bars = market.rates_range("EURUSD", timeframe, day, market.now_msc // 1000)
            np.testing.assert_array_equal(bars, made)
    assert market.rates_from_pos("EURUSD", Timeframe.D1, 0, 1)["high"][0] == 2.0
    desk.advance(2 * DAY)
    rows = market.ticks_range("EURUSD", day * 1000, (day + DAY) * 1000 - 1, CopyTicks.ALL)
    bars = market.rates_range("EURUSD", Timeframe.M1, day, day + DAY - 1)
    np.testing.assert_array_equal(bars, bars_from_ticks(rows, Timeframe.M1, point=POINT))
