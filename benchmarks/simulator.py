"""How fast is the simulated terminal? A round trip, a large answer, and ticks through matching."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import tradingview_scraper.adapters.mt5.simulator as mt5
from benchmarks.figures import Figure
from tradingview_scraper.adapters.mt5.simulator import address, wire
from tradingview_scraper.adapters.mt5.simulator.broker.books import Books
from tradingview_scraper.adapters.mt5.simulator.broker.broker import Broker
from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch
from tradingview_scraper.adapters.mt5.simulator.library.pipe import Pipe
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.scenario import load_scenario
from tradingview_scraper.adapters.mt5.simulator.wire import Command
from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE, TradeRequest

ROUNDS, WARM = 20_000, 2_000
ROWS, COPIES = 100_000, 50
TICKS, POSITIONS, ORDERS = 2_000_000, 50, 100

_STEPPED = {
    "extends": "demo-hedging",
    "clock": {"mode": "stepped", "start": "2025-03-12T12:00:00Z"},
}
#: The other end of the bare ping: a process that answers so many bytes with so many.
_PONG = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0)) if len(sys.argv) == 3 else None
if server is None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(sys.argv[3])
    server.listen()
print(server.getsockname()[1] if len(sys.argv) == 3 else 0, flush=True)
connection = server.accept()[0]
asked, answer = int(sys.argv[1]), bytes(int(sys.argv[2]))
while connection.recv(asked, socket.MSG_WAITALL):
    connection.sendall(answer)
"""
#: The other end of the floor: an asyncio process that answers every request with the same bytes.
_ECHO = """
import asyncio, sys

class Echo(asyncio.BufferedProtocol):
    def __init__(self):
        self.room = memoryview(bytearray(65536))

    def connection_made(self, transport):
        self.transport = transport

    def get_buffer(self, sizehint):
        return self.room

    def buffer_updated(self, nbytes):
        self.transport.write(answer)

async def main():
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        await loop.start_serving_pipe(Echo, sys.argv[2])
    else:
        await loop.create_unix_server(Echo, sys.argv[2])
    print("listening", flush=True)
    await asyncio.Event().wait()

answer = bytes.fromhex(sys.argv[1])
asyncio.run(main())
"""


def run() -> list[Figure]:
    """The round trip against its floor, the copy rate, and the rates of replayed ticks."""
    with launch(_STEPPED) as control:
        rate, bare = _copies(control)
        trip, floor, ping = _round_trips(control)
    quiet, _ = _replayed(triggered=False)
    busy, filled = _replayed(triggered=True)
    return [
        Figure("symbol_info_tick, median round trip", trip * 1e6, "us"),
        Figure("floor: the same bytes, our pipe and an asyncio echo", floor * 1e6, "us"),
        Figure("symbol_info_tick / floor", trip / floor, "x", limit=2.0),
        Figure("two blocking sockets, as many bytes", ping * 1e6, "us"),
        Figure("symbol_info_tick / blocking sockets", trip / ping, "x"),
        Figure(f"copy_ticks_from of {ROWS:,} rows", rate / 1e9, "GB/s", 1.0, at_least=True),
        Figure("bare socket, as many bytes", bare / 1e9, "GB/s"),
        Figure(
            f"ticks replayed, {POSITIONS} positions and {ORDERS} orders that none touches",
            quiet,
            "/s",
            200_000,
            at_least=True,
        ),
        Figure("ticks replayed while orders and stops trigger", busy, "/s", 200_000, at_least=True),
        Figure("orders and stops triggered meanwhile", filled, ""),
    ]


def _round_trips(control: Control) -> tuple[float, float, float]:
    """Medians of the three in turns, so that all meet the same machine.

    The floor has the same kinds of ends as the call, and nothing to do at either: a client that
    waits with the GIL held, and an asyncio protocol in another process. Two sockets that block are
    faster than any terminal that serves several clients can be.
    """
    mt5.initialize(control.path)
    # Where a scheduler puts the two ends decides more than what they do: all pairs are put alike.
    request = wire.request_of(Command.SYMBOL_INFO_TICK, "EURUSD")
    answer = wire.answer(Command.SYMBOL_INFO_TICK, 1, bytes(wire.TICK.size))
    spent: dict[str, list[float]] = {"trip": [], "floor": [], "ping": []}
    with (
        _pong(len(request), len(answer), control.path + ".ping") as connection,
        _echo(answer) as pipe,
        _on_one_processor(0),
    ):
        _pin(control.pid, 1)
        payload = bytes(len(request))
        calls: dict[str, Callable[[], object]] = {
            "trip": lambda: mt5.symbol_info_tick("EURUSD"),
            "floor": lambda: pipe.exchange(request),
            "ping": lambda: _ping(connection, payload, len(answer)),
        }
        for _ in range((ROUNDS + WARM) // 100):
            for name, call in calls.items():
                for _ in range(100):
                    started = time.perf_counter()
                    call()
                    spent[name].append(time.perf_counter() - started)
    mt5.shutdown()
    trip, floor, ping = (float(np.median(times[WARM:])) for times in spent.values())
    return trip, floor, ping


@contextmanager
def _on_one_processor(number: int) -> Iterator[None]:
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    usual = os.sched_getaffinity(0)
    _pin(0, number)
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)


def _pin(process: int, number: int) -> None:
    """Let a process run on that processor only, where a machine has several and can do it."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > number:
        os.sched_setaffinity(process, {number})


@contextmanager
def _echo(answer: bytes) -> Iterator[Pipe]:
    """A connection, as the library has it, to a process that answers everything with `answer`."""
    where = address.terminal_address(f"echo-{time.monotonic_ns()}")
    process = subprocess.Popen(
        [sys.executable, "-c", _ECHO, answer.hex(), where], stdout=subprocess.PIPE, text=True
    )
    _pin(process.pid, 1)
    assert process.stdout is not None
    process.stdout.readline()
    pipe = Pipe.connect(where)
    assert pipe is not None
    try:
        yield pipe
    finally:
        pipe.close()
        process.kill()
        process.wait()
        if sys.platform != "win32":
            Path(where).unlink()


def _copies(control: Control) -> tuple[float, float]:
    """Bytes of payload per second through the library, and through a bare socket."""
    mt5.initialize(control.path)
    start = mt5.symbol_info_tick("EURUSD").time - 5 * 86_400
    size = 0
    spent = []
    for _ in range(COPIES):
        started = time.perf_counter()
        rows = mt5.copy_ticks_from("EURUSD", start, ROWS, mt5.COPY_TICKS_ALL)
        spent.append(time.perf_counter() - started)
        assert len(rows) == ROWS, mt5.last_error()
        size = rows.nbytes
    mt5.shutdown()
    bare = []
    with _pong(40, size, control.path + ".bulk") as connection:
        target = bytearray(size)
        for _ in range(COPIES):
            started = time.perf_counter()
            connection.sendall(bytes(40))
            done = 0
            while done < size:
                done += connection.recv_into(memoryview(target)[done:])
            bare.append(time.perf_counter() - started)
    return size / float(np.median(spent[5:])), size / float(np.median(bare[5:]))


def _replayed(*, triggered: bool) -> tuple[float, int]:
    """Ticks per second through the broker, and how many orders and positions were done by them."""
    scenario = load_scenario(
        {
            **_STEPPED,
            "prices": {"synthetic": False},
            "accounts": [],
            "account": {"balance": 10_000_000.0},
            "symbols": ["EURUSD"],
        }
    )
    clock = Clock(scenario.clock)
    market = Market(scenario, clock)
    broker = Broker(scenario, market, clock, Books())
    start = clock.now_msc()
    market.push_ticks("EURUSD", _walk(start, 1))
    broker.advance_to(clock.now_msc())
    bid = market.quote("EURUSD").bid
    # Far: the walk never reaches it. Near: it reaches most of them.
    least, step = (0.002, 0.0002) if triggered else (0.4, 0.001)
    for number in range(POSITIONS):
        _send(
            broker,
            action=int(TradeAction.DEAL),
            type=number % 2,
            sl=_price(bid, -least - number * step, number % 2),
            tp=_price(bid, least + number * step, number % 2),
        )
    for number in range(ORDERS):
        _send(
            broker,
            action=int(TradeAction.PENDING),
            type=2 + number % 2,
            type_filling=2,
            price=_price(bid, -least - number * step, number % 2),
        )
    if len(broker.positions()) != POSITIONS or len(broker.orders()) != ORDERS:
        raise RuntimeError(f"{len(broker.positions())} positions, {len(broker.orders())} orders")
    market.push_ticks("EURUSD", _walk(start + 1000, TICKS))
    clock.advance(1 + TICKS * _APART_MSC / 1000)
    started = time.perf_counter()
    broker.advance_to(clock.now_msc())
    spent = time.perf_counter() - started
    done = sum(deal["entry"] == 1 for deal in broker.truth()["deals"]) + ORDERS
    return TICKS / spent, done - len(broker.orders())


_APART_MSC = 40


def _walk(start: int, count: int) -> np.ndarray:
    """Ticks that wander around 1.10."""
    steps = np.random.default_rng(3).integers(-1, 2, count)
    bids = 110_000 + np.clip(np.cumsum(steps), -20_000, 20_000)
    rows = np.zeros(count, TICK_DTYPE)
    rows["time_msc"] = start + np.arange(count) * _APART_MSC
    rows["bid"] = bids / 1e5
    rows["ask"] = (bids + 2) / 1e5
    rows["flags"] = 6
    return rows


def _price(bid: float, away: float, side: int) -> float:
    return round(bid - away if side else bid + away, 5)


def _send(broker: Broker, **fields: object) -> None:
    blank = {
        name: {int: 0, float: 0.0, str: ""}[kind]
        for name, kind in TradeRequest.__annotations__.items()
    }
    given = {**blank, "symbol": "EURUSD", "volume": 0.01, "type_filling": 1, **fields}
    answer = broker.send(TradeRequest(**given))  # type: ignore[arg-type]
    if answer.retcode != 10009:
        raise RuntimeError(f"{fields}: {answer}")


class _pong:
    """A connection to a process that answers bytes with bytes."""

    def __init__(self, asked: int, answered: int, where: str) -> None:
        arguments = [str(asked), str(answered)]
        self._where = where if hasattr(socket, "AF_UNIX") else None
        if self._where is not None:
            arguments.append(self._where)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PONG, *arguments], stdout=subprocess.PIPE, text=True
        )
        _pin(self._process.pid, 1)

    def __enter__(self) -> socket.socket:
        assert self._process.stdout is not None
        port = int(self._process.stdout.readline())
        if self._where is None:
            self._socket = socket.create_connection(("127.0.0.1", port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(self._where)
        return self._socket

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.wait(10)
        if self._where is not None:
            Path(self._where).unlink()


def _ping(connection: socket.socket, payload: bytes, size: int) -> bytes:
    connection.sendall(payload)
    return _received(connection, size)


def _received(connection: socket.socket, size: int) -> bytes:
    data = connection.recv(size)
    while len(data) < size:
        data += connection.recv(size - len(data))
    return data
