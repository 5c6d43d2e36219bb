"""How does a terminal serve its clients? One asyncio process with a pipe or a socket for each.

``python -m tradingview_scraper.adapters.mt5.simulator.terminal.server PATH [--books DIR]`` serves
the terminal of `PATH` (a built-in scenario's name, or a TOML file) until it is told to stop. The
same protocol class speaks to the real library on a named pipe and to ours on a local socket.
"""

import argparse
import asyncio
import ctypes
import gc
import itertools
import json
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tradingview_scraper.adapters.mt5.simulator import address, wire
from tradingview_scraper.adapters.mt5.simulator.broker.books import BooksError
from tradingview_scraper.adapters.mt5.simulator.library.process import EXIT_ALREADY_SERVED
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario, ScenarioError
from tradingview_scraper.adapters.mt5.simulator.terminal.lock import AlreadyLocked, FileLock
from tradingview_scraper.adapters.mt5.simulator.terminal.terminal import Reply
from tradingview_scraper.adapters.mt5.simulator.terminal.verbs import Verbs
from tradingview_scraper.adapters.mt5.simulator.terminal.world import World

#: Between two looks at the market while nobody asks. Every request looks first, so that answers are
#: exact; this only keeps stops and books going.
_LOOK_SECS: Final = 0.05
#: How long before their time ticks are drawn, one symbol at each look.
_PREPARED_MSC: Final = 20_000
_EXIT_UNUSABLE: Final = 2
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
#: No client sends more [recorded: 4 KB]; who does speaks another protocol.
_LARGEST_REQUEST: Final = 65_536


class Server:
    """The sessions of one terminal. `serve` runs until `stop`."""

    def __init__(self, path: str, books: Path | None = None) -> None:
        self.path: Final = path
        self.world = World.open(path, books)
        self.sessions: set[Session] = set()
        #: Clients that wait for one of the `sessions` to end, in their order.
        self.waiting: list[Session] = []
        self._limit = self.world.scenario.terminal.connections or None
        self._numbers = itertools.count(1)
        self._books = books
        self._stopped = asyncio.Event()
        self._stop_listening: Callable[[], None] = lambda: None
        self._coming_back: asyncio.Task[None] | None = None
        self._updating = False
        self._verbs = Verbs(self)
        self._check_timetable(self.world.scenario)

    async def serve(self, listening: Callable[[], None]) -> None:
        """Serve until stopped; `listening` is called once clients can attach."""
        self._stop_listening = await _listen(self._address, self._session)
        await _listen(address.control_address(self.path), lambda: ControlSession(self._verbs))
        listening()
        looking = asyncio.ensure_future(self._look())
        await self._stopped.wait()
        looking.cancel()
        self.drop_connections()

    def stop(self) -> None:
        """End `serve`."""
        self._stopped.set()

    def drop_connections(self) -> int:
        """Close every client's connection; gives their number."""
        sessions = list(self.sessions)
        for session in sessions:
            session.drop()
        return len(sessions)

    def admit(self, session: "Session") -> bool:
        """Serve a new client, or let it wait until there is room."""
        if self._limit is not None and len(self.sessions) >= self._limit:
            self.waiting.append(session)
            return False
        self.sessions.add(session)
        return True

    def leave(self, session: "Session") -> None:
        """A client is gone; who waited longest takes its place."""
        self.sessions.discard(session)
        if session in self.waiting:
            self.waiting.remove(session)
        self._fill()

    def set_limit(self, connections: int | None) -> None:
        """Serve so many clients at once, further ones wait; None: all. Nobody is dropped."""
        self._limit = connections
        self._fill()

    def advance(self, seconds: float) -> None:
        """Let world time pass at once; the timetable's entries happen in it, each at its time."""
        rest = seconds
        while True:
            due = self.world.timetable.next_at
            step = None if due is None else max(0.0, due - self.world.elapsed)
            if step is None or step > rest:
                break
            self.world.advance(step)
            rest -= step
            self._perform_due()
        self.world.advance(rest)

    def handle(self, frame: bytes, session: "Session") -> Reply:
        """The reply to one request."""
        if self.world.timetable.next_at is not None:
            self._perform_due()
        now = asyncio.get_running_loop().time()
        return self.world.terminal.handle(frame, now, session.number)

    def live_update(self, seconds: float, build: int | None) -> None:
        """Close as for an update, and come back after so long on the same books, a build later."""
        self.world.update(build)
        self.world.close()
        self.world = World.open(self.path, self._books)
        for session in [*self.waiting]:
            session.drop()
        self.drop_connections()
        if not self._updating:
            self._updating = True
            self._stop_listening()
            asyncio.get_running_loop().call_later(seconds, self._come_back)

    def reset(self) -> None:
        """Begin anew on fresh books, with the scenario as its file says now; clients are dropped.

        Raises `ScenarioError` and leaves everything as it was.
        """
        self.world = self.world.anew(self._check_timetable)
        self._limit = self.world.scenario.terminal.connections or None
        self._numbers = itertools.count(1)
        self.drop_connections()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECS)
            if self.world.clock.is_stepped:
                # Nothing happens between two steps.
                continue
            try:
                self._perform_due()
                self.world.terminal.run()
                self.world.market.prepare(self.world.clock.now_msc() + _PREPARED_MSC)
            except Exception:
                traceback.print_exc(file=sys.stderr)

    @property
    def _address(self) -> str:
        return address.terminal_address(self.path)

    def _session(self) -> "Session":
        return Session(self, next(self._numbers))

    def _fill(self) -> None:
        while self.waiting and (self._limit is None or len(self.sessions) < self._limit):
            session = self.waiting.pop(0)
            self.sessions.add(session)
            session.serve()

    def _check_timetable(self, scenario: Scenario) -> None:
        for number, entry in enumerate(scenario.faults):
            try:
                self._verbs.check(entry.do, entry.arguments)
            except (ValueError, TypeError) as error:
                raise ScenarioError(f"field `faults[{number}]`: {error}") from None

    def _perform_due(self) -> None:
        while (entry := self.world.take_due()) is not None:
            request = {"verb": entry.verb, "arguments": entry.arguments}
            answer = self._verbs.perform(request, scheduled=True)
            if "error" in answer:
                print(f"timetable, at {entry.at:g}: {answer['error']}", file=sys.stderr)

    def _come_back(self) -> None:
        async def listen() -> None:
            self._stop_listening = await _listen(self._address, self._session)
            self._updating = False

        self._coming_back = asyncio.ensure_future(listen())


class Session(asyncio.BufferedProtocol):
    """One client of the library's protocol: a request at a time, answered in order.

    It brings its own buffer: one that is made for each read costs more than the answer.
    """

    def __init__(self, server: Server, number: int) -> None:
        self.number: Final = number
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._buffer = bytearray(_LARGEST_REQUEST)
        self._view = memoryview(self._buffer)
        self._received = bytearray()
        self._late: asyncio.TimerHandle | None = None
        self._served = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._served = self._server.admit(self)

    def serve(self) -> None:
        """The end of waiting: what was asked meanwhile is answered."""
        self._served = True
        self._serve_received()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(self._view[:nbytes])
        if not self._received and self._is_free and wire.frame_size(data) == nbytes:
            self._reply(self._server.handle(data, self))
            return
        self._received += data
        self._serve_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._server.leave(self)
        if self._late is not None:
            self._late.cancel()

    def drop(self) -> None:
        """Close the connection, whatever the client waits for."""
        self._transport.abort()
        self._server.leave(self)

    @property
    def _is_free(self) -> bool:
        return self._served and self._late is None

    def _serve_received(self) -> None:
        while self._is_free and (size := wire.frame_size(self._received)) is not None:
            if len(self._received) < size:
                if size > _LARGEST_REQUEST:
                    self.drop()
                return
            frame = bytes(self._received[:size])
            del self._received[:size]
            self._reply(self._server.handle(frame, self))

    def _reply(self, reply: Reply) -> None:
        if reply.delay > 0:
            self._late = self._loop.call_later(reply.delay, self._send_late, reply)
        else:
            self._send(reply)

    def _send_late(self, reply: Reply) -> None:
        self._late = None
        self._send(reply)
        self._serve_received()

    def _send(self, reply: Reply) -> None:
        if reply.lost and reply.part:
            connection = self._transport.get_extra_info("socket")
            if connection is not None:
                # First, so that a client that is quick cannot send another request in between.
                connection.shutdown(socket.SHUT_RD)
            self._transport.write(reply.data[: reply.part])
            self._transport.close()
            self._server.leave(self)
        elif reply.lost:
            self.drop()
        else:
            self._transport.write(reply.data)


class ControlSession(asyncio.Protocol):
    """One client of the control channel: a JSON object per line, and one per answer."""

    def __init__(self, verbs: Verbs) -> None:
        self._verbs = verbs
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\n")) >= 0:
            line = bytes(self._received[:end])
            del self._received[: end + 1]
            answer = self._verbs.perform(json.loads(line))
            # What the verb has scheduled, such as closing connections, has happened by then.
            self._loop.call_soon(self._transport.write, json.dumps(answer).encode() + b"\n")


def run(path: str, books: Path | None = None, *, until_stdin_ends: bool = False) -> None:
    """Serve the terminal of `path` in the foreground until Ctrl-C, SIGTERM or the control channel.

    Raises `AlreadyLocked` when another process serves it, `ScenarioError` when its scenario cannot
    work, and `BooksError` when its books cannot be read.
    """
    with FileLock(address.lock_file(path)):
        try:
            asyncio.run(_serve(path, books, until_stdin_ends))
        finally:
            _remove(address.terminal_address(path))
            _remove(address.control_address(path))


def main() -> int:
    """The command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="simulated terminal", description=__doc__)
    parser.add_argument("path", help="name of a built-in scenario, or a TOML file")
    parser.add_argument("--books", type=Path, help="directory of the broker's books")
    parser.add_argument("--until-stdin-ends", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    try:
        run(given.path, given.books, until_stdin_ends=given.until_stdin_ends)
    except AlreadyLocked as error:
        print(f"another process already serves {given.path}: {error}", file=sys.stderr)
        return EXIT_ALREADY_SERVED
    except (ScenarioError, BooksError) as error:
        print(error, file=sys.stderr)
        return _EXIT_UNUSABLE
    except KeyboardInterrupt:
        pass
    return 0


async def _serve(path: str, books: Path | None, until_stdin_ends: bool) -> None:
    loop = asyncio.get_running_loop()
    server = Server(path, books)
    if until_stdin_ends:
        threading.Thread(target=_wait_for_stdin, args=(loop, server.stop), daemon=True).start()
    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGTERM, server.stop)
    _keep_memory()
    # What exists now lives as long as the process: the collector need not look at it again.
    gc.freeze()
    await server.serve(lambda: print(f"serving {path}", flush=True))


def _wait_for_stdin(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    while os.read(0, 1024):
        pass
    loop.call_soon_threadsafe(stop)


def _keep_memory() -> None:
    """Let the process keep freed memory: fresh pages cost more than what large answers hold."""
    if not sys.platform.startswith("linux"):
        return
    # Elsewhere than with glibc there is no such function.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 * 1024 * 1024)
        mallopt(_M_TRIM_THRESHOLD, 256 * 1024 * 1024)


if sys.platform == "win32":

    async def _listen(
        where: str, protocol: Callable[[], asyncio.BaseProtocol]
    ) -> Callable[[], None]:
        loop: Any = asyncio.get_running_loop()
        (server,) = await loop.start_serving_pipe(protocol, where)
        stop: Callable[[], None] = server.close
        return stop

    def _remove(where: str) -> None:
        pass

else:

    async def _listen(
        where: str, protocol: Callable[[], asyncio.BaseProtocol]
    ) -> Callable[[], None]:
        # The lock is ours, so a socket that is there belongs to a process that was killed.
        _remove(where)
        server = await asyncio.get_running_loop().create_unix_server(protocol, where)

        def stop() -> None:
            server.close()
            _remove(where)

        return stop

    def _remove(where: str) -> None:
        Path(where).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
