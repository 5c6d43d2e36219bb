"""The market: Market Watch, quotes, ticks, depth, and time that reveals them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.market.stream import BlockCache, BlockTicks
from tradingview_scraper.adapters.mt5.simulator.scenario import load_scenario
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, TickFlag
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE, Tick

MONDAY = "2025-03-10T12:00:00Z"
SATURDAY = "2025-03-15T12:00:00Z"
DAY_MSC = 86_400_000


def rows_of(*rows: tuple[int, float, float]) -> Rows:
    """Ticks of (milliseconds, bid, ask), without flags."""
    made = np.zeros(len(rows), dtype=TICK_DTYPE)
    for index, (msc, bid, ask) in enumerate(rows):
        made[index] = (0, bid, ask, 0.0, 0, msc, 0, 0.0)
    return made


def nothing(symbol: str, rows: Rows) -> None:
    """Nobody listens."""


@pytest.fixture
def live(open_desk: Callable[..., Any]) -> Any:
    """A desk with synthetic prices on a Wednesday at 14:00."""
    return open_desk(
        symbols=["EURUSD", "USDJPY", {"name": "GBPUSD", "selected": False}, "#AAPL"],
        prices={"synthetic": True},
    )


def test_names_keep_the_scenarios_order(live: Any) -> None:
    assert live.market.names() == ["EURUSD", "USDJPY", "GBPUSD", "#AAPL"]
    assert live.market.exists("GBPUSD") and not live.market.exists("gbpusd")


def test_unselected_symbol_shows_no_prices_and_no_ticks(live: Any) -> None:
    market = live.market
    info = market.info("GBPUSD")
    assert (info.select, info.visible, info.bid, info.ask, info.time) == (False, False, 0, 0, 0)
    assert info.trade_tick_value > 0.0
    assert market.tick("GBPUSD") is None
    assert market.ticks_from("GBPUSD", 0, 10, CopyTicks.ALL) is None
    assert market.ticks_range("GBPUSD", 0, market.now_msc, CopyTicks.ALL) is None
    # The server has a quote all the same.
    assert market.quote("GBPUSD").bid > 1.0


def test_selecting_shows_prices_at_once_and_deselecting_hides_them(live: Any) -> None:
    market = live.market
    assert market.select("GBPUSD", True)
    assert market.tick("GBPUSD") == market.quote("GBPUSD")
    assert market.info("GBPUSD").select
    assert market.select("GBPUSD", False)
    assert market.tick("GBPUSD") is None


def test_unknown_symbol_is_nothing(live: Any) -> None:
    market = live.market
    assert not market.select("NOPE", True)
    assert market.info("NOPE") is None and market.tick("NOPE") is None
    assert market.ticks_from("NOPE", 0, 1, CopyTicks.ALL) is None
    with pytest.raises(KeyError):
        market.quote("NOPE")


def test_held_symbol_cannot_leave_market_watch(live: Any) -> None:
    live.market.held = frozenset({"EURUSD"})
    assert not live.market.select("EURUSD", False)
    assert live.market.is_selected("EURUSD")


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (None, ["EURUSD", "USDJPY", "GBPUSD", "#AAPL"]),
        ("*USD*", ["EURUSD", "USDJPY", "GBPUSD"]),
        ("*, !*USD", ["USDJPY", "#AAPL"]),
        ("EURUSD", ["EURUSD"]),
        ("*usd*", []),
        ("!EURUSD", []),
    ],
)
def test_infos_of_a_group(live: Any, group: str | None, expected: list[str]) -> None:
    assert [info.name for info in live.market.infos(group)] == expected


def test_info_tells_the_day_so_far(live: Any) -> None:
    market = live.market
    info, tick = market.info("EURUSD"), market.tick("EURUSD")
    begin = market.now_msc // DAY_MSC * DAY_MSC
    today = market.ticks_range("EURUSD", begin, market.now_msc, CopyTicks.ALL)
    before = market.ticks_range("EURUSD", begin - DAY_MSC, begin - 1, CopyTicks.ALL)
    assert (info.bid, info.ask, info.time) == (tick.bid, tick.ask, tick.time)
    assert (info.bidhigh, info.bidlow) == (today["bid"].max(), today["bid"].min())
    assert (info.askhigh, info.asklow) == (today["ask"].max(), today["ask"].min())
    assert (info.session_open, info.session_close) == (today["bid"][0], before["bid"][-1])
    assert info.spread == round((tick.ask - tick.bid) / 1e-5)
    assert info.price_change == round((tick.bid / info.session_close - 1) * 100, 4)
    live.advance(3600)
    later = market.info("EURUSD")
    today = market.ticks_range("EURUSD", begin, market.now_msc, CopyTicks.ALL)
    assert (later.bidhigh, later.bidlow) == (today["bid"].max(), today["bid"].min())


def test_info_begins_a_new_day_at_server_midnight(live: Any) -> None:
    live.market.info("EURUSD")
    live.advance(11 * 3600)
    midnight = live.market.now_msc // DAY_MSC * DAY_MSC
    today = live.market.ticks_range("EURUSD", midnight, live.market.now_msc, CopyTicks.ALL)
    info = live.market.info("EURUSD")
    assert (info.bidhigh, info.session_open) == (today["bid"].max(), today["bid"][0])


def test_info_of_a_share_counts_its_trades(live: Any) -> None:
    live.advance(4 * 3600)
    begin = live.market.now_msc // DAY_MSC * DAY_MSC
    trades = live.market.ticks_range("#AAPL", begin, live.market.now_msc, CopyTicks.TRADE)
    info = live.market.info("#AAPL")
    assert info.session_deals == len(trades) > 1000
    assert info.session_volume == trades["volume"].sum()
    assert (info.lasthigh, info.lastlow) == (trades["last"].max(), trades["last"].min())
    assert (info.volumehigh, info.volumelow) == (trades["volume"].max(), trades["volume"].min())


def test_tick_value_follows_the_conversion(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(symbols=["EURUSD", "USDJPY"])
    desk.tick("USDJPY", 150.133, 150.155)
    desk.tick("EURUSD", 1.08418, 1.08434)
    yen = desk.market.info("USDJPY")
    # Recorded with these prices: 0.66597848889... and 0.66607607920...
    assert yen.trade_tick_value == yen.trade_tick_value_profit
    assert yen.trade_tick_value_profit == pytest.approx(0.6659784888948087, rel=1e-12)
    assert yen.trade_tick_value_loss == pytest.approx(0.6660760792097673, rel=1e-12)
    assert desk.market.info("EURUSD").trade_tick_value == pytest.approx(1.0)


def test_symbol_without_ticks_answers_zeros(open_desk: Callable[..., Any]) -> None:
    market = open_desk().market
    assert market.tick("EURUSD") == Tick(0, 0.0, 0.0, 0.0, 0, 0, 0, 0.0)
    assert len(market.ticks_from("EURUSD", 0, 100, CopyTicks.ALL)) == 0
    assert market.info("EURUSD").spread == 0
    assert market.next_due_msc() is None


def test_pushed_tick_is_stamped_now_and_flagged(open_desk: Callable[..., Any]) -> None:
    desk = open_desk()
    desk.tick("EURUSD", 1.1, 1.2)
    now = desk.clock.now_msc()
    assert desk.market.tick("EURUSD") == Tick(now // 1000, 1.1, 1.2, 0.0, 0, now, 6, 0.0)
    desk.tick("EURUSD", 1.1, 1.3)
    assert desk.market.tick("EURUSD").flags == TickFlag.ASK
    desk.tick("#AAPL", 10.0, 10.1, 10.05, 7)
    assert desk.market.tick("#AAPL").flags == 2 | 4 | 8 | 16
    assert (desk.market.tick("#AAPL").volume, desk.market.tick("#AAPL").volume_real) == (7, 7.0)


def test_given_flags_and_milliseconds_are_kept(open_desk: Callable[..., Any]) -> None:
    desk = open_desk()
    now = desk.market.now_msc
    rows = rows_of((now, 1.1, 1.2), (now, 1.1, 1.2), (now + 7, 1.1, 1.3))
    rows["flags"] = 134
    desk.market.push_ticks("EURUSD", rows)
    desk.advance(1)
    seen = desk.market.ticks_range("EURUSD", now, now + 7, CopyTicks.ALL)
    assert seen["time_msc"].tolist() == [now, now, now + 7]
    assert seen["flags"].tolist() == [134, 134, 134]
    assert seen["time"].tolist() == [now // 1000] * 3


def test_pushed_ticks_of_the_future_wait_for_their_time(open_desk: Callable[..., Any]) -> None:
    desk = open_desk()
    now = desk.market.now_msc
    desk.market.push_ticks("EURUSD", rows_of((now + 2000, 1.2, 1.3)))
    desk.market.push_ticks("EURUSD", rows_of((now + 1000, 1.1, 1.2)))
    assert desk.market.tick("EURUSD").bid == 0.0
    assert desk.market.next_due_msc() == now + 1000
    desk.advance(1.5)
    assert desk.market.tick("EURUSD").bid == 1.1
    desk.advance(0.5)
    assert desk.market.tick("EURUSD").bid == 1.2
    assert desk.market.next_due_msc() is None


def test_push_behind_the_last_tick_is_refused(open_desk: Callable[..., Any]) -> None:
    desk = open_desk()
    desk.tick("EURUSD", 1.1, 1.2)
    last = desk.market.now_msc
    desk.advance(5)
    with pytest.raises(ValueError, match=f"expected ticks from {last} ms on"):
        desk.market.push_ticks("EURUSD", rows_of((last - 1, 1.1, 1.2)))
    desk.market.push_ticks("EURUSD", rows_of((last, 1.3, 1.4)))
    assert desk.market.tick("EURUSD").bid == 1.3


def test_push_refuses_what_is_no_tick(open_desk: Callable[..., Any]) -> None:
    market = open_desk().market
    with pytest.raises(ValueError, match="symbol of the scenario"):
        market.push_ticks("NOPE", rows_of((0, 1.0, 1.0)))
    with pytest.raises(ValueError, match="TICK_DTYPE"):
        market.push_ticks("EURUSD", np.zeros(1))
    later = market.now_msc + 10
    with pytest.raises(ValueError, match="ascending"):
        market.push_ticks("EURUSD", rows_of((later, 1.0, 1.0), (later - 1, 1.0, 1.0)))
    assert market.tick("EURUSD").time == 0


def test_pushing_does_not_change_the_callers_rows(open_desk: Callable[..., Any]) -> None:
    rows = rows_of((0, 1.0, 1.1))
    open_desk().market.push_ticks("EURUSD", rows)
    assert rows["time_msc"][0] == 0


def test_ticks_from_begins_inclusive_and_counts_forward(live: Any) -> None:
    market = live.market
    start = market.now_msc - 60_000
    rows = market.ticks_range("EURUSD", start, market.now_msc, CopyTicks.ALL)
    first = int(rows["time_msc"][5])
    some = market.ticks_from("EURUSD", first, 7, CopyTicks.ALL)
    assert some["time_msc"][0] == first and len(some) == 7
    begin = int(np.searchsorted(rows["time_msc"], first))
    np.testing.assert_array_equal(some, rows[begin : begin + 7])
    assert market.ticks_from("EURUSD", first + 1, 1, CopyTicks.ALL)["time_msc"][0] > first
    everything = market.ticks_from("EURUSD", first, 10**6, CopyTicks.ALL)
    np.testing.assert_array_equal(everything, rows[begin:])
    assert len(market.ticks_from("EURUSD", market.now_msc + 1, 5, CopyTicks.ALL)) == 0
    assert len(market.ticks_from("EURUSD", first, 0, CopyTicks.ALL)) == 0


def test_ticks_range_takes_both_ends(live: Any) -> None:
    market = live.market
    rows = market.ticks_from("EURUSD", market.now_msc - 600_000, 100, CopyTicks.ALL)
    first, last = int(rows["time_msc"][3]), int(rows["time_msc"][50])
    part = market.ticks_range("EURUSD", first, last, CopyTicks.ALL)
    inside = (rows["time_msc"] >= first) & (rows["time_msc"] <= last)
    np.testing.assert_array_equal(part, rows[inside])


def test_ticks_over_midnight_and_the_weekend(live: Any) -> None:
    market = live.market
    wednesday = market.now_msc // DAY_MSC * DAY_MSC
    rows = market.ticks_from("EURUSD", wednesday - 1000, 50, CopyTicks.ALL)
    assert rows["time_msc"][0] < wednesday < rows["time_msc"][-1]
    whole = market.ticks_range("EURUSD", wednesday - 1000, wednesday + 3_600_000, CopyTicks.ALL)
    np.testing.assert_array_equal(rows, whole[:50])
    friday_evening = wednesday - 4 * DAY_MSC - 5000
    rows = market.ticks_from("EURUSD", friday_evening, 50, CopyTicks.ALL)
    gap = np.diff(rows["time_msc"]).max()
    assert 2 * DAY_MSC <= gap < 2 * DAY_MSC + 120_000
    assert np.all(np.diff(rows["time_msc"]) >= 0)


def test_flags_pick_quotes_or_trades(live: Any) -> None:
    market = live.market
    start = market.now_msc - DAY_MSC
    every = market.ticks_range("#AAPL", start, market.now_msc, CopyTicks.ALL)
    quotes = market.ticks_range("#AAPL", start, market.now_msc, CopyTicks.INFO)
    trades = market.ticks_range("#AAPL", start, market.now_msc, CopyTicks.TRADE)
    assert len(quotes) + len(trades) == len(every) > 0
    assert np.all(quotes["flags"] & 6) and np.all(trades["flags"] & 24)
    first = market.ticks_from("#AAPL", start, 5, CopyTicks.TRADE)
    np.testing.assert_array_equal(first, trades[:5])
    assert len(market.ticks_range("EURUSD", start, market.now_msc, CopyTicks.TRADE)) == 0
    assert market.ticks_from("EURUSD", start, 5, 99) is None
    assert market.ticks_from("EURUSD", start, -1, CopyTicks.ALL) is None


def test_live_and_history_are_the_same_ticks(live: Any) -> None:
    market, seen = live.market, []
    start = market.now_msc
    for _ in range(40):
        live.clock.advance(0.7)
        market.run_to(
            live.clock.now_msc(), lambda symbol, rows: seen.append((symbol, rows)), only={"EURUSD"}
        )
        last = market.ticks_range("EURUSD", start + 1, market.now_msc, CopyTicks.ALL)
        if len(last):
            assert market.tick("EURUSD") == Tick._make(last[-1].item())
    history = market.ticks_range("EURUSD", start + 1, market.now_msc, CopyTicks.ALL)
    assert len(history) > 10
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in seen]), history)


def test_run_reports_all_symbols_in_the_order_of_time(live: Any) -> None:
    market = live.market
    begin, seen = market.now_msc, []

    def report(symbol: str, rows: Rows) -> None:
        # What is revealed is exactly what has been reported.
        assert market.now_msc == rows["time_msc"][-1]
        assert market.quote(symbol).time_msc == rows["time_msc"][-1]
        seen.extend((int(msc), symbol) for msc in rows["time_msc"])

    market.run_to(begin + 11 * 3_600_000, report)
    times = [msc for msc, _ in seen]
    assert times == sorted(times) and len(times) > 50_000
    assert {symbol for _, symbol in seen} == set(market.names())
    for name in ("EURUSD", "USDJPY", "#AAPL"):
        rows = market.ticks_range(name, begin + 1, market.now_msc, CopyTicks.ALL)
        assert [msc for msc, symbol in seen if symbol == name] == rows["time_msc"].tolist()


def test_clock_that_goes_back_reveals_nothing_and_breaks_nothing(live: Any) -> None:
    before = live.market.tick("EURUSD")
    live.market.run_to(live.market.now_msc - 3_600_000, nothing)
    assert live.market.tick("EURUSD") == before


def test_next_due_is_the_next_hidden_tick(live: Any) -> None:
    market = live.market
    due = market.next_due_msc(only={"EURUSD"})
    before = market.quote("EURUSD")
    market.run_to(due - 1, nothing)
    assert market.quote("EURUSD") == before
    market.run_to(due, nothing)
    assert market.quote("EURUSD").time_msc == due
    assert market.next_due_msc() <= market.next_due_msc(only={"EURUSD"})


def test_next_due_looks_over_the_weekend(open_desk: Callable[..., Any]) -> None:
    market = open_desk(
        symbols=["EURUSD"],
        prices={"synthetic": True},
        clock={"start": "2025-03-14T21:30:00Z"},
    ).market
    monday = (market.now_msc // DAY_MSC + 2) * DAY_MSC
    assert monday <= market.next_due_msc() < monday + 60_000
    assert not market.is_open("EURUSD")


def test_weekend_is_closed_and_shows_fridays_last_tick(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(prices={"synthetic": True}, clock={"start": SATURDAY})
    market = desk.market
    assert not market.is_open("EURUSD") and market.is_open("BTCUSD")
    friday = market.now_msc // DAY_MSC * DAY_MSC
    tick = market.tick("EURUSD")
    assert friday - 600_000 < tick.time_msc < friday
    desk.advance(600)
    assert market.tick("EURUSD") == tick
    assert market.tick("BTCUSD").time_msc > market.now_msc - 60_000


def test_always_open_trades_from_the_beginning_of_the_pause_on(
    open_desk: Callable[..., Any],
) -> None:
    desk = open_desk(prices={"synthetic": True, "always_open": True}, clock={"start": SATURDAY})
    market = desk.market
    saturday = market.now_msc // DAY_MSC * DAY_MSC
    assert market.is_open("EURUSD") and market.is_open("#AAPL")
    desk.advance(600)
    assert market.tick("EURUSD").time_msc > market.now_msc - 60_000
    pause = market.ticks_from("EURUSD", saturday, 1, CopyTicks.ALL)
    assert saturday <= pause["time_msc"][0] < saturday + 300_000
    # The weekend before has no ticks.
    week = 7 * DAY_MSC
    assert not len(
        market.ticks_range("EURUSD", saturday - week, saturday - week + 2 * DAY_MSC - 1, -1)
    )


def test_same_ticks_after_a_restart_in_the_same_weekend(open_desk: Callable[..., Any]) -> None:
    prices = {"synthetic": True, "always_open": True}
    first = open_desk(prices=prices, clock={"start": SATURDAY})
    first.advance(7200)
    again = open_desk(prices=prices, clock={"start": "2025-03-15T14:00:00Z"})
    start = first.market.now_msc - 2 * DAY_MSC
    ticks = [
        market.ticks_range("EURUSD", start, market.now_msc, CopyTicks.ALL)
        for market in (first.market, again.market)
    ]
    np.testing.assert_array_equal(*ticks)


def test_renamed_symbol_shares_the_path_of_its_original(open_desk: Callable[..., Any]) -> None:
    market = open_desk(
        symbols=["EURUSD", {"like": "EURUSD", "name": "EURUSD.a"}], prices={"synthetic": True}
    ).market
    assert market.tick("EURUSD") == market.tick("EURUSD.a")


def test_depth_has_sells_first_and_falls_in_price(live: Any) -> None:
    market = live.market
    live.advance(4 * 3600)
    assert market.book("#AAPL") is None
    assert market.book_add("#AAPL")
    assert market.book("#AAPL") == ()
    live.advance(120)
    book, tick = market.book("#AAPL"), market.tick("#AAPL")
    assert [entry.type for entry in book] == [1] * 5 + [2] * 5
    prices = [entry.price for entry in book]
    assert prices == sorted(set(prices), reverse=True)
    assert (prices[4], prices[5]) == (tick.ask, tick.bid)
    assert all(entry.volume == entry.volume_dbl >= 1 for entry in book)
    assert market.book("#AAPL") == book
    assert market.book_release("#AAPL") and not market.book_release("#AAPL")
    assert market.book("#AAPL") is None


def test_symbol_without_depth_has_no_book(live: Any) -> None:
    assert not live.market.book_add("EURUSD")
    assert not live.market.book_add("NOPE")


def test_pushed_ticks_outlive_the_terminal(open_desk: Callable[..., Any], tmp_path: Path) -> None:
    desk = open_desk(books=tmp_path)
    for price in (1.1, 1.2, 1.3):
        desk.tick("EURUSD", price, price + 0.1)
        desk.tick("#AAPL", price, price + 0.1)
    before = desk.market.ticks_from("EURUSD", 0, 100, CopyTicks.ALL)
    for file in (tmp_path / "ticks").iterdir():
        with file.open("ab") as torn:
            torn.write(b"half a row")
    again = open_desk(books=tmp_path)
    np.testing.assert_array_equal(again.market.ticks_from("EURUSD", 0, 100, CopyTicks.ALL), before)
    again.tick("EURUSD", 1.4, 1.5)
    third = open_desk(books=tmp_path)
    assert third.market.ticks_from("EURUSD", 0, 100, CopyTicks.ALL)["bid"].tolist() == [
        1.1,
        1.2,
        1.3,
        1.4,
    ]


def test_conversion_goes_directly_backwards_and_over_a_third_currency(
    open_desk: Callable[..., Any],
) -> None:
    desk = open_desk(symbols=["EURUSD", "USDJPY"])
    convert = desk.market.conversion.convert
    assert convert(100.0, "EUR", "USD", "bid") is None
    desk.tick("EURUSD", 1.1, 1.2)
    desk.tick("USDJPY", 150.0, 160.0)
    assert convert(100.0, "USD", "USD", "bid") == 100.0
    assert convert(100.0, "EUR", "USD", "bid") == pytest.approx(110.0)
    assert convert(100.0, "USD", "EUR", "ask") == pytest.approx(100 / 1.2)
    assert convert(100.0, "EUR", "JPY", "bid") == pytest.approx(100 * 1.1 * 150)
    assert convert(100.0, "JPY", "EUR", "profit") == pytest.approx(100 / 160 / 1.2)
    assert convert(100.0, "JPY", "EUR", "loss") == pytest.approx(100 / 150 / 1.1)
    assert convert(100.0, "CHF", "EUR", "bid") is None


pushes = st.lists(
    st.tuples(st.sampled_from(["EURUSD", "USDJPY"]), st.integers(0, 900), st.integers(1, 10**6)),
    max_size=40,
)


@settings(deadline=None, max_examples=40)
@given(pushes, st.lists(st.integers(0, 400), max_size=12))
def test_every_tick_is_reported_once_and_in_order(
    raw: list[tuple[str, int, int]], steps: list[int]
) -> None:
    """Whatever is pushed when, now or for later: each tick comes out once, in the order of time."""
    scenario = load_scenario(
        {
            "symbols": ["EURUSD", "USDJPY"],
            "prices": {"synthetic": False},
            "clock": {"mode": "stepped", "start": MONDAY},
        }
    )
    clock = Clock(scenario.clock)
    market = Market(scenario, clock)
    seen: dict[str, list[tuple[int, float]]] = {"EURUSD": [], "USDJPY": []}
    pushed: dict[str, list[tuple[int, float]]] = {"EURUSD": [], "USDJPY": []}

    def report(symbol: str, rows: Rows) -> None:
        seen[symbol].extend((int(row["time_msc"]), float(row["bid"])) for row in rows)

    queue = list(raw)
    for step in [*steps, 2000]:
        for symbol, ahead, price in queue[:4]:
            at = market.now_msc + ahead
            market.push_ticks(symbol, rows_of((at, float(price), float(price) + 1)))
            pushed[symbol].append((at, float(price)))
        del queue[:4]
        clock.advance(step / 1000)
        market.run_to(clock.now_msc(), report)
    for symbol in seen:
        expected = sorted(pushed[symbol], key=lambda tick: tick[0])
        assert seen[symbol] == expected
        rows = market.ticks_from(symbol, 0, 1000, CopyTicks.ALL)
        assert rows is not None
        assert [(row["time_msc"], row["bid"]) for row in rows] == expected


def test_block_cache_forgets_the_blocks_used_longest_ago() -> None:
    cache = BlockCache(capacity=250)
    blocks = {
        block: BlockTicks(np.zeros(100, dtype=TICK_DTYPE), np.zeros(100, dtype=np.int64))
        for block in range(4)
    }
    cache.put(("EURUSD", 0), blocks[0])
    cache.put(("EURUSD", 1), blocks[1])
    assert cache.get(("EURUSD", 0)) is blocks[0]
    cache.put(("EURUSD", 2), blocks[2])
    assert cache.get(("EURUSD", 1)) is None
    assert cache.get(("EURUSD", 0)) is blocks[0]
    huge = BlockTicks(np.zeros(1000, dtype=TICK_DTYPE), np.zeros(1000, dtype=np.int64))
    cache.put(("EURUSD", 3), huge)
    assert cache.get(("EURUSD", 3)) is huge
    assert cache.get(("EURUSD", 0)) is None


def test_pushed_tick_is_the_last_one_among_synthetic_ticks(live: Any) -> None:
    live.tick("EURUSD", 2.0, 2.1)
    assert live.market.tick("EURUSD").bid == 2.0
    due = live.market.next_due_msc(only={"EURUSD"})
    live.advance((due - live.market.now_msc) / 1000)
    assert live.market.tick("EURUSD").bid < 2.0


def test_info_counts_a_tick_pushed_in_the_same_millisecond(open_desk: Callable[..., Any]) -> None:
    desk = open_desk()
    desk.tick("EURUSD", 1.1, 1.2)
    assert desk.market.info("EURUSD").bidhigh == 1.1
    desk.tick("EURUSD", 1.3, 1.4)
    desk.tick("EURUSD", 1.2, 1.3)
    info = desk.market.info("EURUSD")
    assert (info.bidhigh, info.bidlow, info.bid, info.session_open) == (1.3, 1.1, 1.2, 1.1)
