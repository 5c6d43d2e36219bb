"""Does the terminal process serve bytes, several clients and its own end as it should?"""

import signal
import socket
import subprocess
import sys
import time

import pytest

import tradingview_scraper.adapters.mt5.simulator as mt5
from tradingview_scraper.adapters.mt5.simulator import address, wire
from tradingview_scraper.adapters.mt5.simulator.control import connect, launch
from tradingview_scraper.adapters.mt5.simulator.wire import Command, Status

SERVER = [sys.executable, "-m", "tradingview_scraper.adapters.mt5.simulator.terminal.server"]
STEPPED = {
    "extends": "demo-hedging",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
}
PATIENCE = 60.0

needs_sockets = pytest.mark.skipif(sys.platform == "win32", reason="speaks to a local socket")


@pytest.fixture(scope="module")
def terminal():
    with launch(STEPPED) as control:
        yield control


@pytest.fixture
def raw(terminal):
    """The terminal's socket, without the library."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(address.terminal_address(terminal.path))
        yield connection


def receive(connection):
    data = b""
    while (size := wire.frame_size(data)) is None or len(data) < size:
        part = connection.recv(65_536)
        assert part, "closed"
        data += part
    assert len(data) == size, "more than one answer"
    return wire.split_answer(data[wire.SIZE_BYTES :])


def two_totals(connection):
    """Asks for two totals at once; gives the commands of the answers."""
    asked = (Command.SYMBOLS_TOTAL, Command.ORDERS_TOTAL)
    connection.sendall(b"".join(wire.request(command, b"") for command in asked))
    data = b""
    while len(data) < 32:
        part = connection.recv(65_536)
        assert part, "closed"
        data += part
    return [wire.split_answer(data[at + 4 : at + 16])[0] for at in (0, 16)]


def exited(process):
    return process.communicate(timeout=PATIENCE)[1], process.returncode


@needs_sockets
def test_a_request_in_pieces_is_answered_once_it_is_whole(raw):
    frame = wire.request(
        Command.SYMBOL_INFO_TICK, wire.REQUESTS[Command.SYMBOL_INFO_TICK].encode("EURUSD")
    )
    for byte in frame[:-1]:
        raw.sendall(bytes([byte]))
    raw.settimeout(0.2)
    with pytest.raises(TimeoutError):
        raw.recv(1)
    raw.settimeout(PATIENCE)
    raw.sendall(frame[-1:])
    command, status, body = receive(raw)
    assert (command, status, len(body)) == (Command.SYMBOL_INFO_TICK, Status.OK, wire.TICK.size)


@needs_sockets
def test_requests_that_arrive_together_are_answered_in_order(raw):
    assert two_totals(raw) == [Command.SYMBOLS_TOTAL, Command.ORDERS_TOTAL]


@needs_sockets
@pytest.mark.parametrize(
    ("frame", "status"),
    [
        (wire.request(0x77, b"what"), Status.UNSUPPORTED),
        (b"\2\0\0\0\x01\x02", Status.UNSUPPORTED),
        (wire.request(Command.SYMBOL_INFO, b"\xff\xff\xff\xff"), Status.INVALID_PARAMS),
        (wire.request(Command.ORDER_SEND, b"short"), Status.INVALID_PARAMS),
        (wire.request(Command.ACCOUNT_INFO, b"long"), Status.INVALID_PARAMS),
    ],
)
def test_nonsense_is_an_error_and_the_next_request_is_served(raw, frame, status):
    raw.sendall(frame)
    assert receive(raw)[1] == status
    raw.sendall(wire.request(Command.SYMBOLS_TOTAL, b""))
    assert receive(raw)[1] == Status.OK


@needs_sockets
def test_who_speaks_another_protocol_is_dropped(terminal, raw):
    raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert raw.recv(1) == b""
    assert terminal.stats()["sessions"] == 0


@needs_sockets
def test_a_late_answer_keeps_the_order_of_its_session(terminal, raw):
    terminal.slow(0.3, "symbols_total")
    assert two_totals(raw) == [Command.SYMBOLS_TOTAL, Command.ORDERS_TOTAL]
    terminal.slow(0, "symbols_total")


def test_a_request_that_takes_too_long_times_out_and_is_carried_out():
    with launch({**STEPPED, "broker": {"latency_ms": 60_000, "timeout_ms": 50}}) as control:
        assert mt5.initialize(control.path)
        answer = mt5.order_send(
            {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "type_filling": 1}
        )
        assert (answer.retcode, answer.order, answer.deal) == (10012, 0, 0)
        assert len(mt5.positions_get()) == 1
        mt5.shutdown()


def test_the_brokers_latency_holds_back_only_the_one_who_trades():
    with launch({**STEPPED, "broker": {"latency_ms": 3000}}) as control:
        trader = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys, tradingview_scraper.adapters.mt5.simulator as mt5\n"
                "mt5.initialize(sys.argv[1])\n"
                "print(mt5.order_send({'action': 1, 'symbol': 'EURUSD', 'volume': 0.1, 'type': 0,"
                " 'type_filling': 1}).retcode)",
                control.path,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert mt5.initialize(control.path)
        deadline = time.monotonic() + PATIENCE
        while not control.stats()["calls"]["order_send"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert mt5.account_info() is not None
        assert trader.poll() is None
        assert trader.communicate(timeout=PATIENCE)[0].strip() == "10009"
        mt5.shutdown()


def test_a_second_terminal_on_the_same_path_is_refused(terminal):
    second = subprocess.Popen([*SERVER, terminal.path], stderr=subprocess.PIPE, text=True)
    words, status = exited(second)
    assert status == 3
    assert "another process already serves" in words
    assert terminal.stats() is not None


def test_a_scenario_that_does_not_exist_is_refused():
    words, status = exited(
        subprocess.Popen([*SERVER, "no-such-scenario"], stderr=subprocess.PIPE, text=True)
    )
    assert status == 2
    assert "no-such-scenario" in words


def test_books_that_cannot_be_read_are_refused(tmp_path):
    (tmp_path / "account-5001234.jsonl").write_text("nonsense\n{}\n")
    file = tmp_path / "own.toml"
    file.write_text('extends = "demo-hedging"\n')
    words, status = exited(
        subprocess.Popen(
            [*SERVER, str(file), "--books", str(tmp_path)], stderr=subprocess.PIPE, text=True
        )
    )
    assert status == 2
    assert "account-5001234.jsonl" in words


def test_a_terminal_in_the_foreground_serves_until_it_is_told_to_stop(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('extends = "demo-netting"\n')
    books = tmp_path / "elsewhere"
    process = subprocess.Popen(
        [*SERVER, str(file), "--books", str(books)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline().strip() == f"serving {file}"
        assert mt5.initialize(str(file))
        assert mt5.account_info().login == 5002234
        assert any(books.iterdir())
        control = connect(str(file))
        if sys.platform == "win32":
            control.stop()
        else:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert mt5.account_info() is None
        assert not address.lock_file(str(file)).exists()
    finally:
        process.kill()
        process.wait()


@needs_sockets
def test_a_socket_left_by_a_killed_process_is_replaced(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('extends = "demo-hedging"\n')
    process = subprocess.Popen([*SERVER, str(file)], stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.kill()
    process.communicate(timeout=PATIENCE)
    with socket.socket(socket.AF_UNIX) as connection, pytest.raises(ConnectionRefusedError):
        connection.connect(address.terminal_address(str(file)))
    again = subprocess.Popen([*SERVER, str(file)], stdout=subprocess.PIPE, text=True)
    try:
        assert again.stdout.readline().strip() == f"serving {file}"
        assert mt5.initialize(str(file))
        again.terminate()
        again.communicate(timeout=PATIENCE)
        assert again.returncode == 0
    finally:
        again.kill()
        again.wait()
        mt5.shutdown()


def test_other_paths_are_other_terminals(tmp_path):
    names = [str(tmp_path / "a.toml"), str(tmp_path / "b.toml"), "demo-hedging", "demo-netting"]
    for place in (address.terminal_address, address.control_address, address.lock_file):
        assert len({str(place(name)) for name in names}) == len(names)
    for name in names:
        assert address.terminal_address(name) != address.control_address(name)


@needs_sockets
def test_a_file_is_one_terminal_however_its_path_is_written(tmp_path, monkeypatch):
    file = tmp_path / "a.toml"
    file.touch()
    monkeypatch.chdir(tmp_path)
    assert address.terminal_address("a.toml") == address.terminal_address(str(file))
    assert len(address.control_address(str(file))) < 100
