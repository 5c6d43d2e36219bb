"""How do bytes reach a terminal and its answer come back? With the GIL held, as the library does.

Every wait happens inside a C call through `ctypes.PyDLL`, which keeps Python's global lock: no
other thread of the process runs until the terminal has answered, and there is no limit. That is
what the real library does [recorded], and what a program built on it has to survive.
"""

import ctypes
import errno
import os
import socket
import sys
from collections.abc import Iterator
from functools import partial
from itertools import filterfalse, repeat
from operator import eq
from typing import Any, Final

from tradingview_scraper.adapters.mt5.simulator import wire

#: The library sends no larger pieces, and so do we.
_PIECE: Final = 16_384
_BUFFER: Final = 65_536
_CLOSED: Final = -1


class PipeError(Exception):
    """The exchange failed. `lost` tells that the connection is known to be gone."""

    def __init__(self, text: str, *, lost: bool = False) -> None:
        super().__init__(text)
        self.lost = lost


class SendFailed(PipeError):
    """The request did not reach the terminal."""


class ReceiveFailed(PipeError):
    """No whole answer came back."""


class Pipe:
    """One connection to a terminal: one request, one answer, never two at a time."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._incoming = _Incoming(handle)

    @classmethod
    def connect(cls, address: str) -> "Pipe | None":
        """Attach to the terminal at `address`; waits without limit while it is busy.

        None when no terminal serves that address.
        """
        handle = _connect(address)
        return None if handle is None else cls(handle)

    def exchange(self, frame: bytes) -> bytes | memoryview:
        """Send a whole request and wait for its answer, without its size.

        A view is good until the next exchange.

        Raises `SendFailed` or `ReceiveFailed`. The answer may be of any command: that is for the
        caller to see.
        """
        try:
            if len(frame) <= _PIECE:
                _send(self._handle, frame)
            else:
                for at in range(0, len(frame), _PIECE):
                    _send(self._handle, frame[at : at + _PIECE])
            return self._incoming.answer()
        except PipeError:
            raise
        except BaseException:
            # An interrupted exchange (Ctrl-C) leaves an answer behind that nobody waits for.
            self.close()
            raise

    def others(
        self, frame: bytes, usual: bytes, milliseconds: int, rounds: int
    ) -> Iterator[bytes | memoryview]:
        """Pause and exchange so many times; gives the answers that differ from the `usual` one.

        `usual` is a whole answer, with its size; those given are as from `exchange`. All rounds are
        made by C code alone: between calls that Python code makes, another thread that waits for
        the GIL would get its turn.
        """
        try:
            yield from self._incoming.others(frame, usual, milliseconds, rounds)
        except (PipeError, GeneratorExit):
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the terminal; it keeps running."""
        handle, self._handle = self._handle, _CLOSED
        if handle != _CLOSED:
            _close(handle)


def pause(milliseconds: int) -> None:
    """Wait with the GIL held."""
    _pause(milliseconds)


def _again(function: Any, *arguments: Any) -> Iterator[Any]:
    """The results of a C function that is called again and again with the same arguments."""
    return map(function, *map(repeat, arguments))


class _Large:
    """Room for answers that the usual buffer does not hold."""

    def __init__(self) -> None:
        self._room = ctypes.create_string_buffer(_BUFFER)

    def of(self, size: int) -> int:
        """The address of so many bytes, good until the next call."""
        if size > len(self._room):
            # Kept: fresh memory costs more than the answer's way through the socket.
            self._room = ctypes.create_string_buffer(size)
        return ctypes.addressof(self._room)

    def view(self, size: int) -> memoryview:
        """The bytes that were put there."""
        return memoryview(self._room).cast("B")[:size]


if sys.platform == "win32":
    from ctypes import wintypes

    _kernel32 = ctypes.PyDLL("kernel32", use_last_error=True)
    _CreateFileW = _kernel32.CreateFileW
    _CreateFileW.restype = wintypes.HANDLE
    _CreateFileW.argtypes = (
        wintypes.LPCWSTR,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.LPVOID,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.HANDLE,
    )
    _WaitNamedPipeW = _kernel32.WaitNamedPipeW
    _WaitNamedPipeW.argtypes = (wintypes.LPCWSTR, wintypes.DWORD)
    _transfer_types = (
        wintypes.HANDLE,
        wintypes.LPVOID,
        wintypes.DWORD,
        ctypes.POINTER(wintypes.DWORD),
        wintypes.LPVOID,
    )
    _WriteFile = _kernel32.WriteFile
    _WriteFile.argtypes = _transfer_types
    _ReadFile = _kernel32.ReadFile
    _ReadFile.argtypes = _transfer_types
    _CloseHandle = _kernel32.CloseHandle
    _CloseHandle.argtypes = (wintypes.HANDLE,)
    _Sleep = _kernel32.Sleep
    _Sleep.argtypes = (wintypes.DWORD,)
    _Sleep.restype = None
    _READ_WRITE = 0xC0000000
    _OPEN_EXISTING = 3
    _INVALID_HANDLE = wintypes.HANDLE(-1).value
    _PIPE_BUSY = 231
    _BROKEN_PIPE = 109
    _FOREVER = 0xFFFFFFFF

    def _connect(address: str) -> int | None:
        while True:
            handle = _CreateFileW(address, _READ_WRITE, 0, None, _OPEN_EXISTING, 0, None)
            if handle != _INVALID_HANDLE:
                return int(handle)
            if ctypes.get_last_error() != _PIPE_BUSY:
                return None
            _WaitNamedPipeW(address, _FOREVER)

    def _send(handle: int, data: bytes) -> None:
        done = wintypes.DWORD()
        if not _WriteFile(handle, data, len(data), ctypes.byref(done), None):
            code = ctypes.get_last_error()
            raise SendFailed(f"WriteFile failed: Windows error {code}", lost=code == _BROKEN_PIPE)

    class _Incoming:
        """Answers as they come out of a pipe: their size first, then the rest, as the library."""

        def __init__(self, handle: int) -> None:
            self._handle = handle
            self._buffer = ctypes.create_string_buffer(_BUFFER)
            self._start = ctypes.addressof(self._buffer)
            self._large = _Large()

        def answer(self) -> bytes | memoryview:
            """The next one, without its size; a view is good until the one after it."""
            _fill(self._handle, self._start, wire.SIZE_BYTES)
            size = wire.content_size(ctypes.string_at(self._start, wire.SIZE_BYTES))
            if size <= _BUFFER:
                _fill(self._handle, self._start, size)
                return ctypes.string_at(self._start, size)
            _fill(self._handle, self._large.of(size), size)
            return self._large.view(size)

        def others(
            self, frame: bytes, usual: bytes, milliseconds: int, rounds: int
        ) -> Iterator[bytes | memoryview]:
            """The answers of so many rounds that are not `usual`."""
            rest, written, sized, filled = (
                len(usual) - wire.SIZE_BYTES,
                *(wintypes.DWORD() for _ in range(3)),
            )
            behind = self._start + wire.SIZE_BYTES
            made = zip(
                map(_Sleep, repeat(milliseconds, rounds)),
                _again(_WriteFile, self._handle, frame, len(frame), ctypes.byref(written), None),
                _again(
                    _ReadFile,
                    self._handle,
                    self._start,
                    wire.SIZE_BYTES,
                    ctypes.byref(sized),
                    None,
                ),
                _again(_ReadFile, self._handle, behind, rest, ctypes.byref(filled), None),
                map(bytes, repeat(memoryview(self._buffer).cast("B")[: len(usual)])),
                strict=False,
            )
            quiet = (None, 1, 1, 1, usual)
            for _, was_sent, was_sized, was_filled, _ in filterfalse(partial(eq, quiet), made):
                # What failed is done again, for its error.
                if not was_sent:
                    _send(self._handle, frame)
                if not was_sized:
                    _fill(self._handle, self._start, wire.SIZE_BYTES)
                size = wire.content_size(ctypes.string_at(self._start, wire.SIZE_BYTES))
                if not was_filled:
                    _fill(self._handle, behind, size)
                elif rest == filled.value < size <= _BUFFER - wire.SIZE_BYTES:
                    _fill(self._handle, behind + rest, size - rest)
                elif filled.value != size:
                    raise ReceiveFailed(f"{size} bytes expected, got {filled.value}")
                yield ctypes.string_at(behind, size)

    def _fill(handle: int, start: int, size: int) -> None:
        done = wintypes.DWORD()
        if not _ReadFile(handle, start, size, ctypes.byref(done), None):
            code = ctypes.get_last_error()
            raise ReceiveFailed(f"ReadFile failed: Windows error {code}", lost=code == _BROKEN_PIPE)
        if done.value != size:
            # The library takes a short read for a failure too: a terminal writes an answer at once.
            raise ReceiveFailed(f"{size} bytes expected, got {done.value}")

    def _close(handle: int) -> None:
        _CloseHandle(handle)

    def _pause(milliseconds: int) -> None:
        _Sleep(milliseconds)

else:
    _libc = ctypes.PyDLL(None, use_errno=True)
    _c_send = _libc.send
    _c_send.restype = ctypes.c_ssize_t
    _c_send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    _c_recv = _libc.recv
    _c_recv.restype = ctypes.c_ssize_t
    _c_recv.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    _c_poll = _libc.poll
    _c_poll.argtypes = (ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int)
    _SIZE = ctypes.c_uint32
    _NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)

    def _connect(address: str) -> int | None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            return None
        return connection.detach()

    def _send(handle: int, data: bytes) -> None:
        while data:
            sent = _c_send(handle, data, len(data), _NO_SIGNAL)
            if sent < 0:
                code = ctypes.get_errno()
                if code != errno.EINTR:
                    raise SendFailed(f"send failed: {os.strerror(code)}")
            else:
                data = data[sent:]

    class _Incoming:
        """Answers as they come out of a socket: mostly a whole one at a time."""

        def __init__(self, handle: int) -> None:
            self._handle = handle
            self._buffer = ctypes.create_string_buffer(_BUFFER)
            self._start = ctypes.addressof(self._buffer)
            self._large = _Large()
            #: What has arrived and was not read yet lies from here to there.
            self._at = self._end = 0

        def answer(self) -> bytes | memoryview:
            """The next one, without its size; a view is good until the one after it."""
            self._need(wire.SIZE_BYTES)
            size = _SIZE.from_address(self._start + self._at).value
            self._at += wire.SIZE_BYTES
            if size <= _BUFFER:
                self._need(size)
                self._at += size
                return ctypes.string_at(self._start + self._at - size, size)
            there = self._end - self._at
            start = self._large.of(size)
            ctypes.memmove(start, self._start + self._at, there)
            self._at = self._end = 0
            while there < size:
                there += _some(self._handle, start + there, size - there, socket.MSG_WAITALL, there)
            return self._large.view(size)

        def others(
            self, frame: bytes, usual: bytes, milliseconds: int, rounds: int
        ) -> Iterator[bytes | memoryview]:
            """The answers of so many rounds that are not `usual`."""
            made = zip(
                map(_c_poll, repeat(None, rounds), repeat(0), repeat(milliseconds)),
                _again(_c_send, self._handle, frame, len(frame), _NO_SIGNAL),
                _again(_c_recv, self._handle, self._start, _BUFFER, 0),
                map(bytes, repeat(memoryview(self._buffer).cast("B")[: len(usual)])),
                strict=False,
            )
            quiet = (0, len(frame), len(usual), usual)
            for _, sent, got, _ in filterfalse(partial(eq, quiet), made):
                # What failed is done again, for its error.
                if sent != len(frame):
                    _send(self._handle, frame[max(sent, 0) :])
                self._at, self._end = 0, max(got, 0)
                yield self.answer()

        def _need(self, size: int) -> None:
            """Let so many bytes be there."""
            there = self._end - self._at
            if there >= size:
                return
            ctypes.memmove(self._start, self._start + self._at, there)
            self._at = 0
            while there < size:
                there += _some(self._handle, self._start + there, _BUFFER - there, 0, there)
            self._end = there

    def _some(handle: int, start: int, most: int, flags: int, there: int) -> int:
        """Receive up to `most` bytes of a piece of which some may be `there` already."""
        while True:
            got: int = _c_recv(handle, start, most, flags)
            if got > 0:
                return got
            code = ctypes.get_errno() if got < 0 else errno.ECONNRESET
            if code != errno.EINTR:
                # As with a broken Windows pipe: an end between two pieces is seen as the end, one
                # inside a piece as a short read.
                raise ReceiveFailed(f"recv failed: {os.strerror(code)}", lost=there == 0)

    def _close(handle: int) -> None:
        os.close(handle)

    def _pause(milliseconds: int) -> None:
        _c_poll(None, 0, milliseconds)
