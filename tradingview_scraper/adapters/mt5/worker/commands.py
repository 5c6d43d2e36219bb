"""Which commands have arrived? Read from the pipe, without holding up what the worker does.

Where a pipe can be waited for (not on Windows) the main thread does that itself: a thread in
between costs every call the time to wake another one.
"""

import os
import queue
import select
import sys
import threading
import time
from typing import Final, Protocol

import msgspec

from tradingview_scraper.adapters.mt5.worker.frames import PREFIX, Command, decode_command

_CHUNK: Final = 1 << 16
#: Seconds that the main thread has after the node is gone; it may hang inside the library.
_GRACE: Final = 5.0


class Commands(Protocol):
    """What the node wants, in its order."""

    #: The node is gone, or wants an end, or said something that is no command.
    is_over: bool

    def arrived(self, wait_secs: float) -> list[Command]:
        """Everything that is there; waits at most `wait_secs` for the first of it."""

    def is_waiting(self) -> bool:
        """Whether `arrived` would bring something, or the end, without waiting."""


def open_commands(fd: int) -> Commands:
    """The commands on a pipe."""
    return QueuedCommands(fd) if sys.platform == "win32" else PolledCommands(fd)


class Splitter:
    """Bytes as they come in, whole commands out."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def split(self, data: bytes) -> list[Command]:
        """The commands that `data` completes. Raises `msgspec.MsgspecError`."""
        self._bytes += data
        commands = []
        start = 0
        while len(self._bytes) >= start + PREFIX:
            end = start + PREFIX + int.from_bytes(self._bytes[start : start + PREFIX], "little")
            if len(self._bytes) < end:
                break
            commands.append(decode_command(bytes(self._bytes[start + PREFIX : end])))
            start = end
        del self._bytes[:start]
        return commands


class PolledCommands:
    """Commands on a pipe that ``select`` takes."""

    def __init__(self, fd: int) -> None:
        self.is_over = False
        self._fd = fd
        self._splitter = Splitter()

    def arrived(self, wait_secs: float) -> list[Command]:
        if self.is_over or not select.select([self._fd], [], [], wait_secs)[0]:
            return []
        data = os.read(self._fd, _CHUNK)
        self.is_over = not data
        try:
            return self._splitter.split(data)
        except msgspec.MsgspecError as error:
            self.is_over = True
            _complain(error)
            return []

    def is_waiting(self) -> bool:
        return bool(select.select([self._fd], [], [], 0)[0])


class QueuedCommands:
    """Commands that a thread reads: everywhere, and it notices the end while a call hangs."""

    def __init__(self, fd: int) -> None:
        self.is_over = False
        self._queue: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(fd,), daemon=True).start()

    def arrived(self, wait_secs: float) -> list[Command]:
        commands: list[Command] = []
        try:
            if wait_secs > 0.0 and not self.is_over:
                self._take(self._queue.get(timeout=wait_secs), commands)
            while True:
                self._take(self._queue.get_nowait(), commands)
        except queue.Empty:
            return commands

    def is_waiting(self) -> bool:
        return not self._queue.empty()

    def _take(self, command: Command | None, commands: list[Command]) -> None:
        if command is None:
            self.is_over = True
        else:
            commands.append(command)

    def _read(self, fd: int) -> None:
        splitter = Splitter()
        try:
            while data := os.read(fd, _CHUNK):
                for command in splitter.split(data):
                    self._queue.put(command)
        except (OSError, msgspec.MsgspecError) as error:
            _complain(error)
        finally:
            self._queue.put(None)
            time.sleep(_GRACE)
            os._exit(1)


def _complain(error: Exception) -> None:
    """Never the frame itself: it may hold a password."""
    print(f"worker: cannot read a command: {type(error).__name__}", file=sys.stderr)
