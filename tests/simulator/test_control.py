"""Does every verb of the control channel do to a running terminal what it says?"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tradingview_scraper.adapters.mt5.simulator as mt5
from tradingview_scraper.adapters.mt5.simulator import address
from tradingview_scraper.adapters.mt5.simulator.control import Control, connect, launch
from tradingview_scraper.adapters.mt5.terminal.constants import TradeRetcode
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

STEPPED = {
    "extends": "demo-hedging",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
}
BUY = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "type_filling": 1, "magic": 7}
PATIENCE = 60.0


@pytest.fixture(scope="module")
def launched():
    with launch(STEPPED) as control:
        yield control


@pytest.fixture
def terminal(launched):
    if not launched_is_up(launched):
        launched.start()
    launched.reset(STEPPED)
    assert mt5.initialize(launched.path), mt5.last_error()
    yield launched
    mt5.shutdown()


def launched_is_up(control):
    try:
        control.stats()
    except ConnectionError:
        return False
    return True


def ticks(*prices):
    rows = np.zeros(len(prices), TICK_DTYPE)
    rows["bid"] = prices
    rows["ask"] = np.array(prices) + 0.0002
    return rows


def client(path, code):
    """Another process that is attached to `path` and runs `code`."""
    program = (
        "import sys\n"
        "import tradingview_scraper.adapters.mt5.simulator as mt5\n"
        "assert mt5.initialize(sys.argv[1]), mt5.last_error()\n" + code
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True
    )


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.01)


def calls(control, function):
    return control.stats()["calls"][function]


def test_launch_stops_the_terminal_and_leaves_nothing_behind():
    with launch(STEPPED) as control:
        directory = Path(control.path).parent
        assert mt5.initialize(control.path)
        lock = address.lock_file(control.path)
        assert lock.exists()
    assert mt5.terminal_info() is None
    assert mt5.last_error()[0] == -10001
    assert not directory.exists()
    assert not lock.exists()
    with pytest.raises(ConnectionError):
        control.stats()


def test_two_launched_terminals_do_not_know_each_other():
    with launch(STEPPED) as one, launch(STEPPED) as other:
        one.trade_by_hand(**BUY)
        assert len(one.books()["positions"]) == 1
        assert other.books()["positions"] == []


def test_launch_tells_why_a_scenario_does_not_come_up():
    with pytest.raises(RuntimeError, match="no_such_table"):
        launch({"extends": "demo-hedging", "no_such_table": 1})


def test_launch_refuses_what_is_no_scenario():
    with pytest.raises(ValueError, match="nowhere"):
        launch("nowhere")


def test_connect_holds_a_terminal_that_runs_and_no_other(terminal):
    again = connect(terminal.path)
    assert again.stats()["sessions"] == 1
    again.close()
    assert terminal.stats()["sessions"] == 1
    with pytest.raises(ConnectionError):
        connect("nobody serves this")
    with pytest.raises(ValueError, match="reset"):
        again.reset("demo-netting")


def test_pushed_ticks_reach_every_client_at_once(terminal):
    terminal.push_ticks("EURUSD", ticks(1.5, 1.6, 1.7))
    tick = mt5.symbol_info_tick("EURUSD")
    assert (tick.bid, tick.time) == (1.7, tick.time_msc // 1000)
    pushed = mt5.copy_ticks_from("EURUSD", tick.time, 100_000, mt5.COPY_TICKS_ALL)[-3:]
    assert list(pushed["bid"]) == [1.5, 1.6, 1.7]
    assert set(pushed["time_msc"]) == {tick.time_msc}


def test_pushed_ticks_must_be_ticks_of_a_symbol(terminal):
    with pytest.raises(ValueError, match="symbol"):
        terminal.push_ticks("NOTHING", ticks(1.0))
    with pytest.raises(ValueError, match="ticks"):
        terminal.push_ticks("EURUSD", np.zeros(1))


def test_time_stands_still_until_it_is_advanced(terminal):
    before = mt5.symbol_info_tick("EURUSD")
    assert mt5.symbol_info_tick("EURUSD") == before
    terminal.advance(60)
    after = mt5.symbol_info_tick("EURUSD")
    assert 0 < after.time_msc - before.time_msc < 120_000
    assert after.time_msc > before.time_msc + 30_000


def test_a_hang_blocks_its_caller_only(terminal):
    terminal.hang(3.0, "symbol_info_tick")
    stuck = client(terminal.path, "print(mt5.symbol_info_tick('EURUSD') is not None)")
    wait_until(lambda: calls(terminal, "symbol_info_tick") == 1)
    assert mt5.account_info() is not None
    assert stuck.poll() is None
    output, _ = stuck.communicate(timeout=PATIENCE)
    assert output.strip() == "True"


def test_a_hang_of_everything_ends(terminal):
    terminal.hang(0.5)
    began = time.monotonic()
    assert mt5.account_info() is not None
    assert mt5.symbol_info_tick("EURUSD") is not None
    assert time.monotonic() - began > 0.4
    began = time.monotonic()
    for _ in range(100):
        assert mt5.account_info() is not None
    assert time.monotonic() - began < 25


def test_slowness_lasts_until_it_is_ended(terminal):
    terminal.slow(0.3, "account_info")
    began = time.monotonic()
    assert mt5.account_info() is not None
    assert mt5.account_info() is not None
    assert time.monotonic() - began > 0.5
    terminal.slow(0, "account_info")
    began = time.monotonic()
    for _ in range(100):
        assert mt5.account_info() is not None
    assert time.monotonic() - began < 25


def test_a_client_that_dies_while_it_hangs_leaves_the_terminal_well(terminal):
    terminal.hang(3600, "symbol_info_tick")
    stuck = client(terminal.path, "mt5.symbol_info_tick('EURUSD')")
    wait_until(lambda: calls(terminal, "symbol_info_tick") == 1)
    stuck.kill()
    stuck.communicate(timeout=PATIENCE)
    wait_until(lambda: terminal.stats()["sessions"] == 1)
    assert mt5.account_info() is not None


def test_dropped_connections_fail_every_call_until_initialize(terminal):
    assert terminal.drop_connections() == 1
    for _ in range(3):
        assert mt5.account_info() is None
        assert mt5.last_error() == (-10001, "IPC send failed")
    assert mt5.initialize(terminal.path)
    assert mt5.account_info() is not None


def test_a_reply_lost_after_the_request_leaves_one_order_behind(terminal):
    terminal.lose_reply("order_send")
    assert mt5.order_send(BUY) is None
    assert mt5.last_error() == (-10002, "IPC recv failed")
    assert mt5.order_send(BUY) is None
    assert mt5.last_error() == (-10004, "No IPC connection")
    assert calls(terminal, "order_send") == 1
    assert [position["magic"] for position in terminal.books()["positions"]] == [7]


def test_a_reply_lost_before_the_request_leaves_nothing_behind(terminal):
    terminal.lose_reply("order_send", when="before")
    assert mt5.order_send(BUY) is None
    assert mt5.last_error() == (-10002, "IPC recv failed")
    assert calls(terminal, "order_send") == 1
    assert terminal.books()["positions"] == []
    with pytest.raises(ValueError, match="before"):
        terminal.lose_reply("order_send", when="sometimes")


def test_an_answer_that_breaks_off_breaks_every_call_until_attached_again(terminal):
    terminal.lose_reply("order_send", when="during")
    assert mt5.order_send(BUY) is None
    assert mt5.last_error() == (-10002, "IPC recv failed")
    # On Windows the part arrives before the pipe is closed; by the next verb, it is.
    assert terminal.stats()["sessions"] == 0
    for _ in range(2):
        assert mt5.positions_total() is None
        assert mt5.last_error() == (-10001, "IPC send failed")
    assert mt5.initialize(terminal.path)
    assert mt5.positions_total() == 1


def test_a_scripted_retcode_is_answered_so_often_and_nothing_is_traded(terminal):
    terminal.answer("order_send", 10031, 2)
    assert [mt5.order_send(BUY).retcode for _ in range(3)] == [10031, 10031, 10009]
    assert len(terminal.books()["positions"]) == 1


def test_a_scripted_retcode_can_hide_a_trade(terminal):
    terminal.answer("order_send", 10012, executed=True)
    result = mt5.order_send(BUY)
    assert (result.retcode, result.deal, result.order) == (10012, 0, 0)
    assert len(terminal.books()["positions"]) == 1


def test_a_scripted_error_is_the_last_error(terminal):
    terminal.answer("copy_ticks_from", -1)
    assert mt5.copy_ticks_from("EURUSD", 1, 1, -1) is None
    assert mt5.last_error() == (-1, "Terminal: Call failed")
    assert mt5.copy_ticks_from("EURUSD", 1741600000, 1, -1) is not None
    with pytest.raises(ValueError, match="negative"):
        terminal.answer("copy_ticks_from", 10009)
    with pytest.raises(ValueError, match="function"):
        terminal.answer("nothing", -1)


def test_a_person_switches_the_account_under_every_client(terminal):
    before = mt5.account_info()
    terminal.login(5001235)
    after = mt5.account_info()
    assert (before.login, after.login) == (5001234, 5001235)
    assert after.currency == "EUR"
    with pytest.raises(ValueError, match="login"):
        terminal.login(12)


def test_a_person_opens_a_new_account_which_a_restart_remembers(terminal):
    mt5.order_send(BUY)
    terminal.login({"login": 77, "balance": 500.0, "currency": "EUR", "password": "p"})
    account = mt5.account_info()
    assert (account.login, account.balance, account.currency) == (77, 500.0, "EUR")
    assert mt5.positions_get() == ()
    terminal.kill()
    terminal.start()
    assert mt5.initialize(terminal.path)
    assert mt5.account_info() == account
    assert mt5.login(5001234, "simulated")
    assert len(mt5.positions_get()) == 1
    with pytest.raises(ValueError, match="colour"):
        terminal.login({"login": 78, "colour": "red"})


def test_without_a_link_prices_stand_still_and_requests_get_10031(terminal):
    terminal.set_connected(False)
    before = mt5.symbol_info_tick("EURUSD")
    terminal.advance(3600)
    assert mt5.terminal_info().connected is False
    assert mt5.symbol_info_tick("EURUSD") == before
    assert mt5.order_send(BUY).retcode == 10031
    assert mt5.initialize(terminal.path, timeout=200) is False
    assert mt5.last_error() == (-10005, "IPC timeout")
    terminal.set_connected(True)
    assert mt5.initialize(terminal.path)
    assert mt5.symbol_info_tick("EURUSD").time_msc > before.time_msc + 3_000_000
    assert terminal.books()["positions"] == []


def test_a_killed_terminal_comes_back_on_its_books_at_its_time(terminal):
    terminal.push_ticks("GBPUSD", ticks(1.25))
    terminal.advance(7200)
    terminal.push_ticks("EURUSD", ticks(1.5))
    assert mt5.order_send(BUY).retcode == 10009
    books = terminal.books()
    terminal.kill()
    assert mt5.account_info() is None
    assert mt5.last_error() == (-10001, "IPC send failed")
    terminal.start()
    assert mt5.account_info() is None
    assert mt5.last_error() == (-10001, "IPC send failed")
    assert mt5.initialize(terminal.path)
    assert terminal.books() == books
    assert mt5.symbol_info_tick("EURUSD").bid == 1.5


def test_initialize_starts_a_killed_terminal_again(terminal):
    mt5.order_send(BUY)
    books = terminal.books()
    terminal.kill()
    assert mt5.initialize(terminal.path), mt5.last_error()
    assert terminal.books() == books


def test_a_call_in_flight_when_the_terminal_is_killed_loses_its_answer(terminal):
    terminal.hang(3600, "symbol_info_tick")
    stuck = client(
        terminal.path,
        "mt5.symbol_info_tick('EURUSD')\n"
        "first = mt5.last_error()\n"
        "mt5.account_info()\n"
        "print(first[0], mt5.last_error()[0])",
    )
    wait_until(lambda: calls(terminal, "symbol_info_tick") == 1)
    terminal.kill()
    output, _ = stuck.communicate(timeout=PATIENCE)
    assert output.split() == ["-10002", "-10004"]


def test_a_person_trades_in_the_terminal(terminal):
    answer = terminal.trade_by_hand(**BUY)
    assert answer["retcode"] == 10009
    (position,) = mt5.positions_get()
    assert (position.ticket, position.reason) == (answer["order"], mt5.POSITION_REASON_CLIENT)
    with pytest.raises(ValueError, match="nothing"):
        terminal.trade_by_hand(nothing=1)


def test_reset_begins_anew_in_another_scenario(terminal):
    mt5.order_send(BUY)
    terminal.advance(600)
    terminal.reset({**STEPPED, "extends": "demo-netting"})
    assert mt5.account_info() is None
    assert mt5.initialize(terminal.path)
    assert mt5.account_info().margin_mode == mt5.ACCOUNT_MARGIN_MODE_RETAIL_NETTING
    assert terminal.books()["positions"] == []
    assert terminal.stats()["calls"]["initialize"] == 1


def test_a_bad_scenario_leaves_everything_as_it_was(terminal):
    mt5.order_send(BUY)
    with pytest.raises(ValueError, match="nothing"):
        terminal.reset({**STEPPED, "nothing": 1})
    assert len(mt5.positions_get()) == 1
    terminal.kill()
    terminal.start()
    assert len(terminal.books()["positions"]) == 1


def test_four_processes_at_once_get_their_own_answers(terminal):
    processes = [
        client(
            terminal.path,
            f"print(sum(mt5.symbol_info({symbol!r}).name != {symbol!r} for _ in range(300)))",
        )
        for symbol in ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD")
    ]
    outputs = [process.communicate(timeout=PATIENCE)[0].strip() for process in processes]
    assert outputs == ["0"] * 4
    assert calls(terminal, "symbol_info") == 1200


def test_a_launched_terminal_does_not_outlive_who_launched_it():
    program = (
        "import os\n"
        "from tradingview_scraper.adapters.mt5.simulator.control import launch\n"
        f"control = launch({STEPPED!r})\n"
        "print(control.path, flush=True)\n"
        "os._exit(1)\n"
    )
    path = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, timeout=PATIENCE
    ).stdout.strip()
    assert Path(path).exists()
    left = Control(path, Path(path).parent)
    try:
        wait_until(lambda: not launched_is_up(left))
    finally:
        left.close()


def test_a_partial_fill_meets_the_next_orders_only(terminal):
    terminal.partial_fill(0.03, n=2)
    first = mt5.order_send(BUY)
    assert (first.retcode, first.volume) == (10010, 0.03)
    (order,) = mt5.history_orders_get(ticket=first.order)
    assert (order.state, order.volume_current) == (2, 0.07)
    refused = mt5.order_send({**BUY, "type_filling": 0})
    assert (refused.retcode, refused.order) == (10006, 0)
    assert mt5.order_send(BUY).volume == 0.03
    assert mt5.order_send(BUY).volume == 0.1
    terminal.partial_fill(0.01, n=5)
    terminal.clear_faults()
    assert mt5.order_send(BUY).retcode == 10009
    with pytest.raises(ValueError, match="0 or more"):
        terminal.partial_fill(-1.0)


@pytest.mark.parametrize(
    ("kind", "amount", "type", "balance", "credit"),
    [
        ("balance", 250.0, 2, 100_250.0, 0.0),
        ("balance", -250.0, 2, 99_750.0, 0.0),
        ("credit", 100.0, 3, 100_000.0, 100.0),
        ("charge", -3.0, 4, 99_997.0, 0.0),
        ("correction", 1.5, 5, 100_001.5, 0.0),
        ("interest", 2.0, 12, 100_002.0, 0.0),
        ("dividend", 7.25, 15, 100_007.25, 0.0),
        ("tax", -0.5, 17, 99_999.5, 0.0),
    ],
)
def test_money_moves_without_a_trade(terminal, kind, amount, type, balance, credit):
    deal = terminal.operate(kind, amount, "by the broker")
    account = mt5.account_info()
    assert (account.balance, account.credit) == (balance, credit)
    seen = mt5.history_deals_get(1, 2_000_000_000)[-1]
    assert (seen.ticket, seen.type, seen.profit) == (deal["ticket"], type, amount)
    assert (seen.symbol, seen.order, seen.comment) == ("", 0, "by the broker")
    books = terminal.books()
    results = [
        one["profit"] + one["commission"] + one["fee"] + one["swap"]
        for one in books["deals"]
        if one["type"] != 3
    ]
    assert round(sum(results), 2) == books["account"]["balance"]


def test_money_that_is_not_there_cannot_be_taken(terminal):
    with pytest.raises(ValueError, match="at least"):
        terminal.operate("balance", -100_000.01)
    with pytest.raises(ValueError, match="kind"):
        terminal.operate("gift", 1.0)
    with pytest.raises(ValueError, match="kind"):
        terminal.operate("buy", 1.0)
    assert mt5.account_info().balance == 100_000.0


@pytest.mark.parametrize("code", [code for code in TradeRetcode if code != TradeRetcode.DONE])
@pytest.mark.parametrize("executed", [True, False])
def test_every_code_can_be_answered_with_the_order_done_or_not(terminal, code, executed):
    terminal.answer("order_send", code, executed=executed)
    answer = mt5.order_send(BUY)
    assert (answer.retcode, answer.order, answer.deal) == (code, 0, 0)
    assert mt5.positions_total() == executed
