"""How fast is the simulated terminal? A round trip, a large answer, and ticks through matching."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import tradingview_scraper.adapters.mt5.simulator as mt5
from benchmarks.figures import Figure
from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.broker.books import Books
from tradingview_scraper.adapters.mt5.simulator.broker.broker import Broker
from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch
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


def run() -> list[Figure]:
    """The round trip against a bare ping, the copy rate, and the rates of replayed ticks."""
    with launch(_STEPPED) as control:
        trip, ping = _round_trips(control)
        rate, bare = _copies(control)
    quiet, _ = _replayed(triggered=False)
    busy, filled = _replayed(triggered=True)
    return [
        Figure("symbol_info_tick, median round trip", trip * 1e6, "us"),
        Figure("bare socket ping of the same size, median", ping * 1e6, "us"),
        Figure("symbol_info_tick / ping", trip / ping, "x", limit=2.0),
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


def _round_trips(control: Control) -> tuple[float, float]:
    """Medians of the two in turns, so that both meet the same machine."""
    mt5.initialize(control.path)
    asked = len(wire.request(Command.SYMBOL_INFO_TICK, wire.REQUESTS[0xAC].encode("EURUSD")))
    answered = len(wire.answer(Command.SYMBOL_INFO_TICK, 1, bytes(wire.TICK.size)))
    trips, pings = [], []
    with _pong(asked, answered, control.path + ".ping") as connection:
        payload = bytes(asked)
        for _ in range((ROUNDS + WARM) // 100):
            for spent, call in (
                (trips, lambda: mt5.symbol_info_tick("EURUSD")),
                (pings, lambda: (connection.sendall(payload), _received(connection, answered))),
            ):
                for _ in range(100):
                    started = time.perf_counter()
                    call()
                    spent.append(time.perf_counter() - started)
    mt5.shutdown()
    return float(np.median(trips[WARM:])), float(np.median(pings[WARM:]))


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


def _received(connection: socket.socket, size: int) -> bytes:
    data = connection.recv(size)
    while len(data) < size:
        data += connection.recv(size - len(data))
    return data
