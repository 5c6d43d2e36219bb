"""Does trouble come as it is scripted, by verbs, by arguments, and by a timetable?"""

import subprocess
import sys
import time

import numpy as np
import pytest

import tradingview_scraper.adapters.mt5.simulator as mt5
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.simulator.schema import BrokerSpec
from tradingview_scraper.adapters.mt5.simulator.terminal.latency import Latency
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

START = "2025-03-10T12:00:00Z"
STEPPED = {"extends": "demo-hedging", "clock": {"mode": "stepped", "start": START}}
BUY = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "type_filling": 1, "magic": 7}
PATIENCE = 60.0
#: Its moment as the server writes it: 15:00.
NOON = 1741618800
HOUR = 3600


@pytest.fixture(scope="module")
def launched():
    with launch(STEPPED) as control:
        yield control


@pytest.fixture
def terminal(launched):
    launched.reset(STEPPED)
    assert mt5.initialize(launched.path), mt5.last_error()
    yield launched
    mt5.shutdown()


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.01)


def again(control, **tables):
    """The terminal anew with more tables, and this process attached to it."""
    control.reset({**STEPPED, **tables})
    assert mt5.initialize(control.path), mt5.last_error()


def test_requotes_bring_the_prices_and_are_over_after_so_many(terminal):
    terminal.requote(2)
    tick = mt5.symbol_info_tick("EURUSD")
    results = [mt5.order_send(BUY) for _ in range(3)]
    assert [result.retcode for result in results] == [10004, 10004, 10009]
    assert (results[0].bid, results[0].ask) == (tick.bid, tick.ask)
    assert (results[0].deal, results[0].comment) == (0, "Requote")
    assert len(terminal.books()["positions"]) == 1


def test_a_change_of_stops_is_not_requoted(terminal):
    position = mt5.order_send(BUY).order
    bid = mt5.symbol_info_tick("EURUSD").bid
    terminal.requote(1)
    stops = {"action": 6, "symbol": "EURUSD", "position": position, "sl": bid - 0.01}
    assert mt5.order_send(stops).retcode == 10009
    assert mt5.order_send(BUY).retcode == 10004


def test_the_trade_button_refuses_programs_and_a_restart_remembers_it(terminal):
    terminal.set_trade_allowed(False)
    assert mt5.terminal_info().trade_allowed is False
    assert mt5.order_send(BUY).retcode == 10027
    assert terminal.trade_by_hand(**BUY)["retcode"] == 10009
    terminal.kill()
    terminal.start()
    assert mt5.initialize(terminal.path)
    assert mt5.terminal_info().trade_allowed is False
    terminal.set_trade_allowed(True)
    assert mt5.order_send(BUY).retcode == 10009


@pytest.mark.parametrize("hour", [1, -1])
def test_a_shifted_clock_moves_the_servers_time(terminal, hour):
    terminal.push_ticks("GBPUSD", tick_row(1.25))
    before = mt5.symbol_info_tick("GBPUSD").time
    terminal.shift_clock(hour * HOUR)
    terminal.advance(2 * HOUR)
    terminal.push_ticks("GBPUSD", tick_row(1.26))
    assert mt5.symbol_info_tick("GBPUSD").time - before == (2 + hour) * HOUR


def test_nothing_new_happens_until_a_clock_that_went_back_has_caught_up(terminal):
    before = mt5.symbol_info_tick("EURUSD")
    terminal.shift_clock(-HOUR)
    terminal.advance(HOUR - 60)
    assert mt5.symbol_info_tick("EURUSD") == before
    terminal.advance(HOUR)
    assert mt5.symbol_info_tick("EURUSD").time > before.time


def tick_row(bid):
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = bid, bid + 0.0002
    return rows


def test_an_updating_terminal_breaks_off_and_comes_back_a_build_later(terminal):
    mt5.order_send(BUY)
    books = terminal.books()
    build = mt5.version()[1]
    terminal.live_update(seconds=0.2)
    assert mt5.account_info() is None
    assert mt5.last_error()[0] == -10001
    # The pipe is gone meanwhile: initialize waits until it is there again.
    assert mt5.initialize(terminal.path), mt5.last_error()
    assert mt5.version()[1] == build + 1
    assert terminal.books() == books


def test_an_update_to_a_build_that_the_library_does_not_know_is_error_5(terminal):
    terminal.live_update(seconds=0, build=2000)
    wait_until(lambda: mt5.initialize(terminal.path))
    assert mt5.symbols_total() is None
    assert mt5.last_error()[0] == -5


def test_one_client_too_many_waits_until_another_leaves(terminal):
    terminal.set_limit(connections=1)
    other = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, tradingview_scraper.adapters.mt5.simulator as mt5\n"
            "print(mt5.initialize(sys.argv[1], timeout=1))\n",
            terminal.path,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: terminal.stats()["waiting"] == 1)
    assert mt5.account_info() is not None
    assert other.poll() is None
    mt5.shutdown()
    assert other.communicate(timeout=PATIENCE)[0].strip() == "True"
    with pytest.raises(ValueError, match="connections"):
        terminal.set_limit(connections=0)
    terminal.set_limit(connections=None)


def test_history_is_none_until_it_is_there(terminal):
    terminal.delay_history(30)
    for _ in range(2):
        assert mt5.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_M1, 0, 10) is None
        assert mt5.last_error() == (-1, "Terminal: Call failed")
    terminal.advance(29)
    assert mt5.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_M1, 0, 10) is None
    assert mt5.symbol_info_tick("EURUSD") is not None
    terminal.advance(1)
    assert len(mt5.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_M1, 0, 10)) == 10
    # Another timeframe has its own download.
    assert mt5.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_M5, 0, 10) is None
    terminal.delay_history(0)
    assert len(mt5.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_M5, 0, 10)) == 10


def test_short_history_becomes_complete(terminal):
    week = NOON - 7 * 86_400
    bars = mt5.copy_rates_range("EURUSD", mt5.TIMEFRAME_H1, week, NOON - 1)
    ticks = mt5.copy_ticks_range("EURUSD", week, NOON, mt5.COPY_TICKS_ALL)
    terminal.delay_history(30, "short")
    short = mt5.copy_rates_range("EURUSD", mt5.TIMEFRAME_H1, week, NOON - 1)
    today = bars[bars["time"] >= NOON // 86_400 * 86_400]
    assert 0 < len(today) < len(bars)
    assert bytes(short) == bytes(today)
    newest = mt5.copy_ticks_range("EURUSD", week, NOON, mt5.COPY_TICKS_ALL)
    assert 4_000 < len(newest) < 4_200
    assert bytes(newest) == bytes(ticks[-len(newest) :])
    first = mt5.copy_ticks_from("EURUSD", week, 10, mt5.COPY_TICKS_ALL)
    assert bytes(first) == bytes(newest[:10])
    terminal.advance(30)
    assert bytes(mt5.copy_rates_range("EURUSD", mt5.TIMEFRAME_H1, week, NOON - 1)) == bytes(bars)


def test_first_calls_of_a_scenario_can_find_history_incomplete(terminal):
    again(terminal, terminal={"history_sync_secs": 5.0})
    assert mt5.copy_ticks_from("EURUSD", NOON - 60, 10, mt5.COPY_TICKS_ALL) is None
    terminal.advance(5)
    assert mt5.copy_ticks_from("EURUSD", NOON - 60, 10, mt5.COPY_TICKS_ALL) is not None


def test_without_a_link_clients_read_the_past_while_the_broker_goes_on(terminal):
    position = mt5.order_send(BUY).order
    bid = mt5.symbol_info_tick("EURUSD").bid
    stop = {"action": 6, "symbol": "EURUSD", "position": position, "sl": bid - 0.0001}
    assert mt5.order_send(stop).retcode == 10009
    terminal.set_connected(False)
    seen = (
        mt5.symbol_info_tick("EURUSD"),
        mt5.symbol_info("EURUSD"),
        mt5.positions_get(),
        mt5.account_info(),
        mt5.history_deals_total(NOON - HOUR, NOON + 2 * HOUR),
        bytes(mt5.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_M1, 0, 5)),
    )
    terminal.push_ticks("EURUSD", tick_row(bid - 0.5))
    terminal.advance(HOUR)
    assert terminal.books()["positions"] == []
    assert (
        mt5.symbol_info_tick("EURUSD"),
        mt5.symbol_info("EURUSD"),
        mt5.positions_get(),
        mt5.account_info(),
        mt5.history_deals_total(NOON - HOUR, NOON + 2 * HOUR),
        bytes(mt5.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_M1, 0, 5)),
    ) == seen
    assert len(seen[2]) == 1
    terminal.set_connected(True)
    assert mt5.positions_get() == ()
    assert mt5.history_deals_total(NOON - HOUR, NOON + 2 * HOUR) == seen[4] + 1
    assert mt5.symbol_info_tick("EURUSD").time > seen[0].time


def test_a_gap_moves_the_price_for_good_and_triggers_stops(terminal):
    position = mt5.order_send(BUY).order
    before = mt5.symbol_info_tick("EURUSD")
    stop = {"action": 6, "symbol": "EURUSD", "position": position, "sl": before.bid - 0.01}
    assert mt5.order_send(stop).retcode == 10009
    history = mt5.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_M1, 1, 30)
    terminal.gap("EURUSD", -2000)
    assert mt5.symbol_info_tick("EURUSD") == before
    terminal.advance(180)
    after = mt5.symbol_info_tick("EURUSD")
    assert after.bid - before.bid == pytest.approx(-0.02, abs=0.003)
    (deal,) = [deal for deal in terminal.books()["deals"] if deal["entry"] == 1]
    assert deal["price"] < before.bid - 0.015
    bars = mt5.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_M1, 0, 40)
    assert bytes(bars[bars["time"] < history["time"][-1]][-20:]) == bytes(history[-21:-1])
    ticks = mt5.copy_ticks_range("EURUSD", NOON, NOON + 180, mt5.COPY_TICKS_ALL)
    assert bars[bars["time"] >= NOON]["tick_volume"].sum() == len(
        mt5.copy_ticks_range("EURUSD", NOON, NOON + 240, mt5.COPY_TICKS_ALL)
    )
    assert (
        bars[bars["time"] == NOON + 60]["low"]
        == ticks["bid"][(ticks["time"] >= NOON + 60) & (ticks["time"] < NOON + 120)].min()
    )
    terminal.kill()
    terminal.start()
    assert mt5.initialize(terminal.path)
    assert mt5.symbol_info_tick("EURUSD") == after
    with pytest.raises(ValueError, match="symbol"):
        terminal.gap("NOTHING", 1)


def test_a_fault_meets_only_calls_with_its_arguments(terminal):
    terminal.fault("answer", "symbol_info_tick", code=-1, where={"symbol": ["GBPUSD", "USDJPY"]})
    assert mt5.symbol_info_tick("EURUSD") is not None
    assert mt5.symbol_info_tick("GBPUSD") is None
    assert mt5.symbol_info_tick("USDJPY") is None
    terminal.clear_faults()
    assert mt5.symbol_info_tick("GBPUSD") is not None


def test_a_fault_meets_functions_of_a_pattern_or_a_list(terminal):
    terminal.fault("answer", ["copy_*", "positions_total"], code=-1)
    assert mt5.copy_rates_from_pos("EURUSD", 1, 0, 1) is None
    assert mt5.copy_ticks_from("EURUSD", NOON, 1, -1) is None
    assert mt5.positions_total() is None
    assert mt5.orders_total() == 0
    for wrong in ("copy_everything*", ["orders_total", "nothing"], "last_error"):
        with pytest.raises(ValueError, match="function must be one of"):
            terminal.fault("hang", wrong, seconds=1)
    with pytest.raises(ValueError, match="retcode"):
        terminal.fault("answer", "order*", code=10016)


@pytest.mark.parametrize(
    ("where", "met"),
    [
        ({"symbol": "EURUSD"}, [1, 2]),
        ({"symbol": {"like": "*USD"}}, [1, 2, 3]),
        ({"symbol": {"like": "?BP*"}, "volume": {"min": 0.3}}, [3]),
        ({"volume": {"min": 0.2, "max": 0.3}}, [2, 3]),
        ({"volume": [0.1, {"min": 0.4}]}, [1, 4]),
        ({"symbol": {"not": {"like": "EUR*"}}}, [3, 4]),
        ({"symbol": {"like": "*", "not": ["EURUSD", "GBPUSD"]}}, [4]),
        ([{"volume": 0.1}, {"symbol": "USDJPY"}], [1, 4]),
        ({"symbol": {"min": 1}}, []),
        ({"magic": {"like": "*"}}, []),
        ({}, [1, 2, 3, 4]),
    ],
)
def test_a_fault_meets_the_calls_that_fulfil_its_conditions(terminal, where, met):
    terminal.fault("answer", "order_send", code=10006, where=where)
    orders = enumerate(("EURUSD", "EURUSD", "GBPUSD", "USDJPY"), 1)
    sent = {n: {**BUY, "symbol": symbol, "volume": n / 10} for n, symbol in orders}
    assert [n for n, order in sent.items() if mt5.order_send(order).retcode == 10006] == met


@pytest.mark.parametrize(
    ("where", "named"),
    [
        ({"simbol": "EURUSD"}, "simbol"),
        ({"volume": {"least": 1.0}}, "least"),
        ({"volume": {"min": "1"}}, "min"),
        ({"symbol": {"like": 5}}, "like"),
        ({"symbol": {}}, "empty"),
        ({"symbol": [{"not": {"below": 1}}]}, "below"),
        (["EURUSD"], "table"),
    ],
)
def test_a_condition_that_cannot_hold_is_refused_by_name(terminal, where, named):
    with pytest.raises(ValueError, match=named):
        terminal.perform("fault", kind="lose", function="order_send", where=where)


def test_a_timetable_has_conditions_too(terminal):
    again(
        terminal,
        faults=[
            {
                "at": 0,
                "do": "fault",
                "kind": "answer",
                "function": ["order_send", "order_check"],
                "code": 10019,
                "where": {"volume": {"min": 1.0}, "symbol": {"like": "EUR*"}},
            },
        ],
    )
    assert mt5.order_send(BUY).retcode == 10009
    assert mt5.order_send({**BUY, "volume": 1.0}).retcode == 10019


def test_a_timetable_with_a_condition_that_cannot_hold_is_refused(terminal):
    lost = {"at": 0, "do": "fault", "kind": "lose", "function": "order_send"}
    with pytest.raises(ValueError, match=r"faults\[1\].*simbol"):
        terminal.reset({**STEPPED, "faults": [lost, {**lost, "where": {"simbol": "EURUSD"}}]})


def test_a_fault_is_over_after_its_calls_or_its_time(terminal):
    terminal.fault("answer", "order_send", code=10016, count=1, where={"volume": 0.2})
    terminal.fault("answer", "account_info", code=-1, lasts=60)
    assert mt5.order_send(BUY).retcode == 10009
    assert mt5.order_send({**BUY, "volume": 0.2}).retcode == 10016
    assert mt5.order_send({**BUY, "volume": 0.2}).retcode == 10009
    assert mt5.account_info() is None
    terminal.advance(59)
    assert mt5.account_info() is None
    terminal.advance(1)
    assert mt5.account_info() is not None
    with pytest.raises(ValueError, match="kind"):
        terminal.fault("burn")


@pytest.mark.parametrize(
    ("function", "given"),
    [
        ("copy_rates_from", (1, 100_000, 5)),
        ("copy_rates_from_pos", (1, 100_000_000, 5)),
        ("copy_rates_range", (1, 100_000, 200_000)),
        ("copy_rates_range", (1, NOON + HOUR, NOON + 2 * HOUR)),
    ],
)
def test_bars_outside_of_all_data_are_none_or_an_error(terminal, function, given):
    ask = getattr(mt5, function)
    assert (len(ask("EURUSD", *given)), mt5.last_error()[0]) == (0, 1)
    again(terminal, terminal={"outside_history": "error"})
    assert (ask("EURUSD", *given), mt5.last_error()[0]) == (None, -1)
    # A weekend is inside, and nothing was asked for with a count of 0.
    saturday = NOON - 57 * HOUR
    weekend = mt5.copy_rates_range("EURUSD", 1, saturday, saturday + HOUR)
    assert (len(weekend), mt5.last_error()[0]) == (0, 1)
    assert len(mt5.copy_rates_from_pos("EURUSD", 1, 0, 0)) == 0


def test_the_timetable_of_a_scenario_happens_at_its_times(terminal):
    again(
        terminal,
        faults=[
            {"at": 120, "do": "set_trade_allowed", "allowed": True},
            {"at": 60, "do": "set_trade_allowed", "allowed": False},
            {"at": 90, "do": "answer", "function": "order_send", "retcode": 10018},
        ],
    )
    assert mt5.order_send(BUY).retcode == 10009
    terminal.advance(60)
    assert mt5.order_send(BUY).retcode == 10027
    # A restart neither repeats what has happened nor forgets what has not.
    terminal.kill()
    terminal.start()
    assert mt5.initialize(terminal.path)
    assert mt5.order_send(BUY).retcode == 10027
    terminal.advance(1000)
    assert [mt5.order_send(BUY).retcode for _ in range(2)] == [10018, 10009]


def test_what_happens_in_an_advance_happens_at_its_own_moment(terminal):
    again(
        terminal,
        faults=[
            {"at": 100, "do": "set_connected", "connected": False},
            {"at": 1000, "do": "live_update", "seconds": 0},
        ],
    )
    terminal.advance(500)
    assert mt5.terminal_info().connected is False
    assert mt5.symbol_info_tick("EURUSD").time <= NOON + 100
    terminal.advance(600)
    assert mt5.account_info() is None
    wait_until(lambda: mt5.initialize(terminal.path))
    assert mt5.symbol_info_tick("EURUSD").time > NOON + 1000


def test_a_terminal_that_the_timetable_kills_is_started_by_initialize(terminal):
    again(terminal, faults=[{"at": 10, "do": "kill"}])
    with pytest.raises(ConnectionError):
        terminal.advance(11)
    assert mt5.account_info() is None
    # While the process is still dying, an attempt may meet its last moment.
    wait_until(lambda: mt5.initialize(terminal.path))
    assert terminal.stats()["sessions"] == 1


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"at": 1, "do": "burn"}, r"faults\[0\].*burn"),
        ({"at": 1, "do": "hang"}, r"faults\[0\].*seconds"),
        ({"at": 1, "do": "hang", "seconds": 1, "colour": 1}, r"faults\[0\].*colour"),
        ({"at": -1, "do": "kill"}, r"faults\[0\].at"),
        ({"at": 1}, r"faults\[0\].do"),
    ],
)
def test_a_timetable_that_cannot_work_is_refused(terminal, entry, expected):
    assert mt5.order_send(BUY).retcode == 10009
    books = terminal.books()
    with pytest.raises(ValueError, match=expected):
        terminal.reset({**STEPPED, "faults": [entry]})
    assert mt5.account_info() is not None
    # Nothing was forgotten for a scenario that does not work.
    terminal.kill()
    terminal.start()
    assert terminal.books() == books


def test_a_reset_to_ticks_that_are_missing_leaves_the_books(terminal):
    assert mt5.order_send(BUY).retcode == 10009
    books = terminal.books()
    symbols = ["EURUSD", "GBPUSD", {"name": "USDJPY", "ticks": "nowhere.csv"}]
    with pytest.raises(ValueError, match=r"nowhere\.csv"):
        terminal.reset({**STEPPED, "symbols": symbols})
    terminal.kill()
    terminal.start()
    assert terminal.books() == books


def test_latencies_are_drawn_from_the_seed():
    for law, mean in (("uniform", 0.125), ("exponential", 0.15), ("lognormal", 0.1824)):
        spec = BrokerSpec(latency_ms=100, latency_spread_ms=50, latency_law=law)
        drawn = [Latency(spec, 1).draw() for _ in range(3)]
        assert len(set(drawn)) == 1
        latency, other = Latency(spec, 1), Latency(spec, 2)
        many = [latency.draw() for _ in range(4_000)]
        assert min(many) >= 0.1
        assert np.mean(many) == pytest.approx(mean, rel=0.05)
        assert other.draw() != drawn[0]
    assert Latency(BrokerSpec(latency_ms=100), 1).draw() == 0.1
