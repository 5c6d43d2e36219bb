"""Does our library module behave as the real one was recorded?"""

import asyncio
import concurrent.futures
import copy
import functools
import itertools
import json
import pickle
import struct
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tradingview_scraper.adapters.mt5.simulator as mt5
from tradingview_scraper.adapters.mt5.simulator import address, wire
from tradingview_scraper.adapters.mt5.simulator.control import connect, launch
from tradingview_scraper.adapters.mt5.simulator.library.functions import functions
from tradingview_scraper.adapters.mt5.simulator.library.groups import group_pattern
from tradingview_scraper.adapters.mt5.simulator.library.library import Library
from tradingview_scraper.adapters.mt5.simulator.wire import Command
from tradingview_scraper.adapters.mt5.terminal.api import FUNCTIONS
from tradingview_scraper.adapters.mt5.terminal.constants import LIBRARY_CONSTANTS
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, RECORDS, TICK_DTYPE

TESTS = Path(__file__).parents[1]
RECORDED_CALLS = TESTS / "data" / "library_calls.json"
MODULE = "tradingview_scraper.adapters.mt5.simulator"
STEPPED = {
    "extends": "demo-hedging",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
}
NOON = 1741615200  # 2025-03-10 14:00 at the server
BUY = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "type_filling": 1}
NOTHING = {}
SUCCESS = (1, "Success")
PATIENCE = 60.0


@pytest.fixture(scope="module")
def terminal():
    with launch(STEPPED) as control:
        yield control


@pytest.fixture
def attached(terminal):
    assert mt5.initialize(terminal.path), mt5.last_error()
    yield terminal
    mt5.shutdown()


@pytest.fixture
def scripted():
    """Serves a path with scripted answers; gives the path and the process."""
    started = []

    def serve(*steps):
        path = f"scripted-{time.monotonic_ns()}"
        script = Path(__file__).with_name("scripted_terminal.py")
        process = subprocess.Popen(
            [sys.executable, script, address.terminal_address(path), json.dumps(steps)],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append((process, path))
        assert process.stdout.readline().strip() == "listening"
        return path, process

    yield serve
    mt5.shutdown()
    for process, path in started:
        process.kill()
        process.communicate(timeout=PATIENCE)
        if sys.platform != "win32":
            Path(address.terminal_address(path)).unlink(missing_ok=True)


def answer(command, status, body=b""):
    return wire.answer(command, status, body).hex()


def test_the_module_has_every_name_of_the_library():
    for name in FUNCTIONS:
        assert callable(getattr(mt5, name)), name
    assert {name: getattr(mt5, name) for name in LIBRARY_CONSTANTS} == LIBRARY_CONSTANTS
    assert mt5.__version__ == "5.0.6231"
    assert mt5.__author__ == "MetaQuotes Ltd."
    for name, record in RECORDS.items():
        assert getattr(mt5, name).__match_args__ == record._fields
    assert set(mt5.__all__) == FUNCTIONS | set(LIBRARY_CONSTANTS) | set(RECORDS)


def test_importing_the_module_imports_no_market_and_no_pandas():
    program = (
        "import sys, tradingview_scraper.adapters.mt5.simulator\n"
        "print([name for name in sys.modules if name.endswith(('.market', '.broker', '.server'))"
        " or name in ('pandas', 'nautilus_trader', 'asyncio')])"
    )
    ran = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert ran.stdout.strip() == "[]"


def test_every_recorded_call_has_its_recorded_outcome():
    ran = subprocess.run(
        [sys.executable, TESTS / "windows" / "record_calls.py", MODULE, RECORDED_CALLS],
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
    )
    recorded = json.loads(RECORDED_CALLS.read_text("utf-8"))
    assert len(recorded) > 150
    assert json.loads(ran.stdout) == recorded


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_structs_are_what_the_library_makes(name):
    kind = getattr(mt5, name)
    values = tuple(range(len(RECORDS[name]._fields)))
    made = kind(values)
    assert made == values
    assert hash(made) == hash(values)
    assert isinstance(made, tuple)
    assert f"{kind.__module__}.{kind.__name__}" == f"builtins.{name}"
    assert repr(made).startswith(f"{name}({RECORDS[name]._fields[0]}=0, ")
    assert made._asdict() == RECORDS[name]._make(values)._asdict()
    assert list(made._asdict()) == list(RECORDS[name]._fields)
    assert copy.copy(made) == made
    assert copy.deepcopy(made) == made
    assert not hasattr(made, "_fields")
    assert not hasattr(made, "_replace")
    with pytest.raises(AttributeError, match="readonly attribute"):
        setattr(made, RECORDS[name]._fields[0], 1)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        made.nothing = 1
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(pickle.PicklingError, match=f"attribute lookup {name} on builtins"):
            pickle.dumps(made, protocol)


@pytest.mark.parametrize(
    ("ask", "dtype"),
    [
        (lambda count: mt5.copy_rates_from("EURUSD", 1, NOON, count), RATE_DTYPE),
        (lambda count: mt5.copy_rates_from_pos("EURUSD", 1, 0, count), RATE_DTYPE),
        (lambda count: mt5.copy_ticks_from("EURUSD", NOON - 3600, count, -1), TICK_DTYPE),
    ],
)
@pytest.mark.parametrize("count", [3, 0])
def test_arrays_are_what_the_library_makes(attached, ask, dtype, count):
    rows = ask(count)
    assert mt5.last_error() == SUCCESS
    assert (rows.dtype, rows.shape, rows.itemsize) == (dtype, (count,), 60)
    assert rows.flags.owndata
    assert rows.flags.c_contiguous
    assert not rows.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        rows["time"] = 1
    assert rows.copy().flags.writeable
    assert pickle.loads(pickle.dumps(rows)).flags.writeable


@pytest.mark.parametrize(
    ("refused", "text"),
    [
        (-1, "Terminal: Call failed"),
        (-2, "Terminal: Invalid params"),
        (-3, "Terminal: Out of memory"),
        (-4, "Terminal: Not found"),
        (-6, "Terminal: Authorization failed"),
        (-7, "Terminal: Unsupported function"),
        (-8, "Terminal: Call failed"),
        (-100, "Terminal: Call failed"),
        (-10003, "IPC initialize failed, "),
        (-10005, "IPC timeout"),
    ],
)
def test_a_refusal_of_the_terminal_is_the_last_error(attached, refused, text):
    attached.answer("symbol_info_tick", refused)
    assert mt5.symbol_info_tick("EURUSD") is None
    assert mt5.last_error() == (refused, text)
    assert mt5.symbol_info_tick("EURUSD") is not None
    assert mt5.last_error() == SUCCESS


@pytest.mark.parametrize(
    ("call", "function", "refused", "failure", "error"),
    [
        (
            lambda: mt5.order_send(BUY),
            "order_send",
            -8,
            None,
            (-8, "Auto-Trading using Python API disabled in Terminal"),
        ),
        (
            lambda: mt5.login(1),
            "login",
            -7,
            False,
            (-7, "Unsupported authorization mode, OTP or certificate password needed"),
        ),
        (
            lambda: mt5.symbol_select("EURUSD"),
            "symbol_select",
            -4,
            False,
            (-4, "Terminal: Not found"),
        ),
        (lambda: mt5.market_book_add("#AAPL"), "market_book_add", -1, False, SUCCESS),
        (lambda: mt5.version(), "version", -1, (0, 0, ""), (-1, "Terminal: Call failed")),
        (lambda: mt5.positions_get(ticket=1), "positions_get", -4, (), SUCCESS),
        (lambda: mt5.positions_get(), "positions_get", -4, None, (-4, "Terminal: Not found")),
    ],
)
def test_some_functions_fail_in_their_own_way(attached, call, function, refused, failure, error):
    attached.answer(function, refused)
    result = call()
    assert (result, type(result)) == (failure, type(failure))
    assert mt5.last_error() == error


def test_lookups_without_a_result_are_empty_and_succeed(attached):
    for result in (
        mt5.positions_get(),
        mt5.positions_get(ticket=0),
        mt5.positions_get(symbol="NOTHING"),
        mt5.positions_get(group="*"),
        mt5.orders_get(ticket=5),
        mt5.history_deals_get(position=5),
        mt5.history_orders_get(ticket=5),
        mt5.symbols_get("NOTHING*"),
    ):
        assert result == ()
        assert mt5.last_error() == SUCCESS
    assert mt5.symbol_info("NOTHING") is None
    assert mt5.last_error() == (-4, "Terminal: Not found")


def test_a_result_carries_the_librarys_own_copy_of_the_request(attached):
    result = mt5.order_send({**BUY, "magic": 2**63, "comment": "as given, all of it"})
    assert result.retcode == mt5.TRADE_RETCODE_DONE
    assert type(result.request) is mt5.TradeRequest
    assert result.request.magic == 2**63
    assert result.request.comment == "as given, all of it"
    assert type(result._asdict()["request"]) is mt5.TradeRequest
    assert mt5.order_check(BUY).request == mt5.order_check(**BUY).request


def test_an_empty_request_is_a_request(attached):
    sent = attached.stats()["calls"]["order_send"]
    for result in (mt5.order_send({}), mt5.order_send(**NOTHING)):
        assert result.retcode not in (mt5.TRADE_RETCODE_DONE, 0)
        assert set(result.request) == {0, ""}
    assert attached.stats()["calls"]["order_send"] == sent + 2


def test_a_request_beside_empty_keywords_never_leaves(attached):
    sent = attached.stats()["calls"]["order_send"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for call in (
            lambda: mt5.order_send(BUY, **NOTHING),
            lambda: pool.submit(mt5.order_send, BUY).result(),
            lambda: next(pool.map(mt5.order_send, [BUY])),
        ):
            assert call() is None
            assert mt5.last_error() == (-2, "Unnamed arguments not allowed")
        assert attached.stats()["calls"]["order_send"] == sent
        for call in (
            lambda: mt5.order_send(*[BUY]),
            lambda: functools.partial(mt5.order_send, BUY)(),
            lambda: asyncio.run(asyncio.to_thread(mt5.order_send, BUY)),
            lambda: pool.submit(lambda: mt5.order_send(BUY)).result(),
        ):
            assert call().retcode == mt5.TRADE_RETCODE_DONE
    assert attached.stats()["calls"]["order_send"] == sent + 4


def test_a_date_too_large_is_sent_and_its_answer_thrown_away(attached):
    before = attached.stats()["calls"]["copy_rates_from"]
    with pytest.raises(SystemError, match="returned a result with an exception set") as caught:
        mt5.copy_rates_from("EURUSD", 1, 2**31, 1)
    assert type(caught.value.__cause__) is OverflowError
    assert mt5.last_error() == SUCCESS
    assert attached.stats()["calls"]["copy_rates_from"] == before + 1


def test_a_naive_datetime_is_local_time_and_fractions_are_cut(attached):
    naive = datetime.fromtimestamp(NOON - 60)
    by_number = mt5.copy_ticks_from("EURUSD", NOON - 60, 5, -1)
    for date in (naive, naive.astimezone(), naive.replace(microsecond=999_999), NOON - 60 + 0.9):
        assert (mt5.copy_ticks_from("EURUSD", date, 5, -1) == by_number).all()
    assert len(by_number) == 5


def test_every_call_resets_the_last_error_and_reading_it_does_not(attached):
    assert mt5.symbol_info("NOTHING") is None
    assert mt5.last_error() == mt5.last_error() == (-4, "Terminal: Not found")
    assert type(mt5.last_error()[0]) is int
    assert mt5.orders_total() == 0
    assert mt5.last_error() == SUCCESS


MALFORMED = {
    "another command id": (
        {"send": answer(Command.ORDERS_TOTAL, 1, bytes(60))},
        (-10000, "IPC call failed"),
        1,
    ),
    "bytes missing": (
        {"send": answer(Command.SYMBOL_INFO_TICK, 1, bytes(56))},
        (-10002, "IPC recv failed"),
        1,
    ),
    "bytes left over": (
        {"send": answer(Command.SYMBOL_INFO_TICK, 1, bytes(64))},
        (-10002, "IPC recv failed"),
        1,
    ),
    "no body": (
        {"send": answer(Command.SYMBOL_INFO_TICK, 1)},
        (-10002, "IPC recv failed"),
        1,
    ),
    "a body beside a failure": (
        {"send": answer(Command.SYMBOL_INFO_TICK, -4, bytes(60))},
        (-4, "Terminal: Not found"),
        1,
    ),
    "closed without an answer": ({"close": True}, (-10002, "IPC recv failed"), -10004),
    "closed after the size": (
        {"send": "44000000", "close": True},
        (-10002, "IPC recv failed"),
        -10004,
    ),
    "closed inside the size": (
        {"send": "4400", "close": True},
        (-10002, "IPC recv failed"),
        -10001,
    ),
    "closed inside the body": (
        {"send": answer(Command.SYMBOL_INFO_TICK, 1, bytes(60))[:80], "close": True},
        (-10002, "IPC recv failed"),
        -10001,
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_answer_fails_as_recorded_and_so_does_what_follows(scripted, case):
    step, error, following = MALFORMED[case]
    path, process = scripted(step)
    assert mt5.initialize(path), mt5.last_error()
    assert mt5.symbol_info_tick("EURUSD") is None
    assert mt5.last_error() == error
    if step.get("close"):
        process.wait(PATIENCE)
    for _ in range(3):
        assert mt5.orders_total() == (4 if following == 1 else None)
        assert mt5.last_error()[0] == following


def test_status_zero_is_success_but_empty_for_a_lookup_by_ticket(scripted):
    position = wire.POSITION.encode((*range(9), *[0.0] * 7, "EURUSD", "", ""))
    path, _ = scripted(
        {"send": answer(Command.POSITION, 0, position)},
        {"send": answer(Command.POSITION, 0)},
        {"send": answer(Command.VERSION, 0, wire.VERSION.encode(500, 5833, "today"))},
        {"send": answer(Command.ORDERS_TOTAL, 0, struct.pack("<I", 3))},
    )
    assert mt5.initialize(path)
    assert (mt5.positions_get(ticket=1), mt5.last_error()) == ((), SUCCESS)
    assert (mt5.positions_get(ticket=1), mt5.last_error()[0]) == (None, -10002)
    assert (mt5.version(), mt5.last_error()) == ((0, 0, ""), SUCCESS)
    assert (mt5.orders_total(), mt5.last_error()) == (3, SUCCESS)


def longest_silence(call):
    """For how many seconds, at the longest, no other thread ran while `call` did."""
    beats = [time.monotonic()]
    started, stop = threading.Event(), threading.Event()

    def beat():
        started.set()
        while not stop.wait(0.005):
            beats.append(time.monotonic())

    thread = threading.Thread(target=beat)
    thread.start()
    started.wait()
    call()
    stop.set()
    thread.join()
    beats.append(time.monotonic())
    return max(later - earlier for earlier, later in itertools.pairwise(beats))


def test_no_other_thread_runs_while_a_call_waits(attached):
    attached.hang(0.8, "symbol_info_tick")
    assert longest_silence(lambda: mt5.symbol_info_tick("EURUSD")) > 0.75


def test_no_other_thread_runs_while_initialize_polls(terminal):
    # Ten polls, each followed by 0.1 s. Others may run before the first one, while the path is
    # looked up, and before the last pause, when it is known that no poll follows; not in between.
    terminal.set_connected(False)
    try:
        assert longest_silence(lambda: mt5.initialize(terminal.path, timeout=1000)) > 0.85
        assert mt5.last_error() == (-10005, "IPC timeout")
    finally:
        terminal.set_connected(True)


def test_a_thread_that_never_waits_does_not_keep_initialize_from_polling(terminal):
    over = threading.Event()

    def compute():
        deadline = time.monotonic() + PATIENCE
        while not over.is_set() and time.monotonic() < deadline:
            pass

    terminal.set_connected(False)
    try:
        for _ in range(3):
            thread = threading.Thread(target=compute)
            thread.start()
            assert mt5.initialize(terminal.path, timeout=200) is False
            assert thread.is_alive()
            over.set()
            thread.join()
            over.clear()
    finally:
        over.set()
        terminal.set_connected(True)


def state(number):
    return {"poll": True, "send": answer(Command.CONNECTION_STATE, 1, wire.TOTAL.encode(number))}


def test_initialize_polls_until_the_terminal_is_connected(scripted):
    path, _ = scripted(*map(state, (0, 0, 7, 0, 2)))
    assert (mt5.initialize(path), mt5.last_error()) == (True, SUCCESS)
    assert mt5.orders_total() == 4


@pytest.mark.parametrize(
    ("poll", "error"),
    [
        (state(3), -6),
        ({"poll": True, "send": answer(Command.CONNECTION_STATE, -7)}, -7),
        ({"poll": True, "send": answer(Command.VERSION, 1, wire.TOTAL.encode(2))}, -10000),
        ({"poll": True, "send": answer(Command.CONNECTION_STATE, 1, bytes(5))}, -10002),
        ({"poll": True, "send": answer(Command.CONNECTION_STATE, 1, bytes(9))}, -10002),
        ({"poll": True, "close": True}, -10002),
    ],
)
def test_initialize_fails_by_what_a_later_poll_tells(scripted, poll, error):
    path, _ = scripted(state(0), state(0), poll)
    assert (mt5.initialize(path), mt5.last_error()[0]) == (False, error)
    assert mt5.orders_total() is None
    assert mt5.last_error()[0] == -10004


def test_initialize_closes_the_former_connection_whatever_comes(attached):
    assert mt5.initialize(1, 2) is False
    assert mt5.last_error() == (-2, "Invalid number of arguments")
    assert mt5.terminal_info() is None
    assert mt5.last_error() == (-10004, "No IPC connection")
    assert attached.stats()["sessions"] == 0


def test_a_refused_hello_leaves_the_connection_open(attached):
    attached.answer("initialize", -1)
    assert mt5.initialize(attached.path) is False
    assert mt5.last_error() == (-1, "Terminal: Call failed")
    assert mt5.terminal_info() is not None


def test_a_wrong_password_closes_initialize_and_not_login(attached):
    assert mt5.login(5001234, "wrong") is False
    assert mt5.last_error() == (-6, "Terminal: Authorization failed")
    assert mt5.terminal_info() is not None
    assert mt5.initialize(attached.path, login=5001234, password="wrong") is False
    assert mt5.last_error() == (-6, "Terminal: Authorization failed")
    assert mt5.terminal_info() is None
    assert mt5.last_error() == (-10004, "No IPC connection")


@pytest.mark.parametrize(
    ("credentials", "accepted"),
    [
        ({"login": 5001235, "password": "simulated", "server": "Simulated-Demo"}, True),
        ({"login": 5001235, "password": "simulated"}, True),
        ({"login": 5001234}, True),
        ({"login": 5001235, "password": "simulated", "server": "Another-Server"}, False),
        ({"login": 5009999, "password": "simulated"}, False),
        ({"login": 5009999}, False),
    ],
)
def test_credentials_choose_the_account_of_the_terminal(attached, credentials, accepted):
    before = mt5.account_info().login
    try:
        assert mt5.initialize(attached.path, **credentials) is accepted
        assert attached.books()["account"]["login"] == (
            credentials["login"] if accepted else before
        )
    finally:
        attached.login(5001234)


def test_initialize_starts_the_terminal_of_a_scenario_file_once(tmp_path, monkeypatch):
    file = tmp_path / "my terminal.toml"
    file.write_text('extends = "demo-netting"\n')
    monkeypatch.setenv("MT5_SIMULATOR_SCENARIO", str(file))
    assert mt5.initialize(), mt5.last_error()
    assert mt5.account_info().login == 5002234
    control = connect(str(file))
    pid = control.pid
    other = functions(Library())
    assert other["initialize"](str(file))
    assert control.pid == pid
    assert control.stats()["sessions"] == 2
    other["shutdown"]()
    control.kill()
    mt5.shutdown()


def test_initialize_tells_why_a_scenario_does_not_start(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text("nothing = 1\n")
    assert mt5.initialize(str(file)) is False
    code, text = mt5.last_error()
    assert code == -10003
    assert text.startswith(f"IPC initialize failed, Process create failed '{file}'")
    assert "nothing" in text


@pytest.mark.parametrize("path", ["no-such-scenario", "/no/such/file.toml", "..", "scenarios/x"])
def test_a_path_that_nobody_serves_and_nothing_can_start_is_refused(path):
    assert mt5.initialize(path) is False
    assert mt5.last_error() == (
        -10003,
        f"IPC initialize failed, Process create failed '{path}'",
    )


def test_threads_share_a_connection_and_their_answers_never_mix(attached):
    symbols = ["EURUSD", "GBPUSD", "USDJPY", "XAUUSD"]

    def ask(symbol):
        return sum(mt5.symbol_info(symbol).name != symbol for _ in range(150))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, symbols)) == [0] * 4
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C waits for the call there")
def test_after_ctrl_c_no_call_takes_the_answer_of_another(terminal):
    program = (
        "import os, signal, sys\n"
        "import tradingview_scraper.adapters.mt5.simulator as mt5\n"
        "mt5.initialize(sys.argv[1])\n"
        "signal.signal(signal.SIGALRM, signal.default_int_handler)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.3)\n"
        "try:\n"
        "    mt5.symbols_total()\n"
        "except KeyboardInterrupt:\n"
        "    print(mt5.orders_total(), mt5.last_error()[0])\n"
        "    mt5.initialize(sys.argv[1])\n"
        "    print(mt5.orders_total())\n"
    )
    terminal.slow(1.0, "symbols_total")
    ran = subprocess.run(
        [sys.executable, "-c", program, terminal.path],
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
    )
    terminal.slow(0, "symbols_total")
    assert ran.stdout.split() == ["None", "-10001", "0"]


@given(
    symbols=st.lists(st.text("EURUSDJPY.m#", min_size=1, max_size=8), max_size=8),
    names=st.lists(st.text("EURUSD*.", max_size=6), max_size=4),
)
def test_a_group_matches_as_by_hand(symbols, names):
    def by_hand(symbol, pattern):
        if not pattern:
            return not symbol
        if pattern[0] == "*":
            return by_hand(symbol, pattern[1:]) or bool(symbol and by_hand(symbol[1:], pattern))
        return bool(symbol) and symbol[0] == pattern[0] and by_hand(symbol[1:], pattern[1:])

    pattern = group_pattern(" , ".join(names))
    for symbol in symbols:
        assert pattern.matches(symbol) == any(by_hand(symbol, name) for name in names if name)


@pytest.mark.parametrize(
    ("group", "found"),
    [
        ("*", "EURUSD GBPUSD USDJPY"),
        ("*USD", "EURUSD GBPUSD"),
        ("EURUSD", "EURUSD"),
        ("EUR", ""),
        ("eurusd", ""),
        ("!*JPY", ""),
        ("*,!*JPY", "EURUSD GBPUSD"),
        ("!*JPY, *", "EURUSD GBPUSD"),
        ("", ""),
    ],
)
def test_groups_as_recorded(group, found):
    symbols = ["EURUSD", "GBPUSD", "USDJPY"]
    assert [name for name in symbols if group_pattern(group).matches(name)] == found.split()


def test_the_library_filters_positions_by_group(attached):
    attached.reset(STEPPED)
    assert mt5.initialize(attached.path)
    for symbol in ("EURUSD", "GBPUSD", "USDJPY"):
        assert mt5.order_send({**BUY, "symbol": symbol}).retcode == mt5.TRADE_RETCODE_DONE
    assert [p.symbol for p in mt5.positions_get(group="*USD, !EUR*")] == ["GBPUSD"]
    ticket = mt5.positions_get(symbol="USDJPY")[0].ticket
    by_ticket = mt5.positions_get(ticket=ticket, symbol="EURUSD", group="nothing")
    assert [p.symbol for p in by_ticket] == ["USDJPY"]
    assert np.array(mt5.history_deals_get(1, 2**31 - 1, group="*JPY")[0].volume) == 0.1
