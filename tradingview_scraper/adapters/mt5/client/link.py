"""What passes between a client and one worker? Commands down, reports up, and nobody waits for it.

A worker that hangs inside the library reads nothing, so what its pipe may not take at once is
written by a thread of its own. Another thread reads the reports; it stops reading while handlers
are behind, and so makes the worker wait, but never while a call waits for its answer.
"""

import contextlib
import io
import logging
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import cast

import msgspec

from tradingview_scraper.adapters.mt5.client.delivery import Deliveries
from tradingview_scraper.adapters.mt5.client.pending import Pending, PendingCalls, Progress
from tradingview_scraper.adapters.mt5.client.process import PIPE_BYTES
from tradingview_scraper.adapters.mt5.worker.frames import (
    PREFIX,
    Answer,
    Attached,
    Command,
    Failed,
    Report,
    Started,
    decode_report,
    encode,
)

_log = logging.getLogger(__name__)


class Link:
    """The pipes of one worker and its unanswered commands.

    `changed` is the lane's condition: methods marked so are called with it held. `receive` gets
    every report that is not the answer to a command, on the reader's thread.
    """

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        changed: threading.Condition,
        deliveries: Deliveries,
        receive: Callable[["Link", Report], None],
        silence_secs: float,
    ) -> None:
        self.process = process
        #: Seconds that an idle worker may say nothing.
        self.silence_secs = silence_secs
        #: The worker has closed its end, or said something that is no report.
        self.is_read = False
        self._changed = changed
        self._deliveries = deliveries
        self._receive = receive
        self._ids = count(1)
        now = time.perf_counter()
        self._calls = PendingCalls(now)
        # None: still starting, which only the deadline of its attach bounds.
        self._heard: float | None = None
        self._is_paused = False
        #: It is to end, or to be killed: nothing is put any more.
        self.is_closing = False
        self._wakes_at = now
        self._overflow: deque[Pending] = deque()
        self._is_writing = False
        self._writer: threading.Thread | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def put(
        self,
        function: str,
        make: Callable[[int], Command],
        timeout_secs: float,
        settle: Callable[[Progress], None],
    ) -> None:
        """Send a command; `settle` is called once, on the reader's or the lane's thread. Locked.

        For a trade request it is called before that with `Started`, when it is begun.
        """
        call_id = next(self._ids)
        now = time.perf_counter()
        pending = Pending(call_id, function, timeout_secs, settle, encode(make(call_id)), now)
        calls = self._calls
        calls.add(pending)
        if self.is_closing:
            return
        if self._overflow or self._is_writing or not calls.has_room(pending):
            self._overflow.append(pending)
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_overflow, daemon=True)
                self._writer.start()
            self._changed.notify_all()
        else:
            self._write(calls.write(pending))
        if self._is_paused or now + timeout_secs < self._wakes_at:
            self._changed.notify_all()

    def deadline(self) -> tuple[float, str]:
        """When the worker counts as hung unless something is heard of it, and why. Locked."""
        head = self._calls.head()
        if self._is_paused or (head is None and self._heard is None):
            self._wakes_at = time.perf_counter() + self.silence_secs
            return self._wakes_at, ""
        if head is None:
            self._wakes_at = max(self._heard or 0.0, self._calls.progress) + self.silence_secs
            return self._wakes_at, f"the worker said nothing for {self.silence_secs:g} s"
        since = max(head.submitted, self._calls.progress)
        self._wakes_at = since + head.timeout_secs
        return self._wakes_at, f"{head.function} did not answer within {head.timeout_secs:g} s"

    def close(self, by: float) -> None:
        """Let the worker end: it refuses what it has not begun. Kill it at `by` (perf_counter)."""
        with self._changed:
            self.is_closing = True
            self._changed.notify_all()
            is_writing = self._is_writing
        if not is_writing and self.process.stdin is not None:
            self.process.stdin.close()
            with self._changed:
                self._changed.wait_for(lambda: self.is_read, max(0.0, by - time.perf_counter()))
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.0 if is_writing else max(0.1, by - time.perf_counter()))
        self.kill()

    def kill(self) -> None:
        with self._changed:
            self.is_closing = True
            self._changed.notify_all()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def bury(self, reason: str, *, is_overdue: bool) -> None:
        """After the worker's end: read its last words, then fail what it has not answered."""
        self._reader.join()
        if self._writer is not None:
            self._writer.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        with self._changed:
            hung = self._calls.head() if is_overdue else None
            left = self._calls.take_all()
        for pending in left:
            pending.settle(pending.overdue(reason) if pending is hung else pending.lost(reason))

    def _write(self, frame: bytearray) -> None:
        stdin = self.process.stdin
        rest = memoryview(frame)
        # When the worker is gone the reader sees it too, and its calls fail then.
        with contextlib.suppress(OSError, ValueError):
            while rest and stdin is not None:
                rest = rest[stdin.write(rest) :]

    def _write_overflow(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._overflow or self.is_closing)
                if self.is_closing:
                    return
                frame = self._calls.write(self._overflow.popleft())
                self._is_writing = True
            self._write(frame)
            with self._changed:
                self._is_writing = False

    def _read(self) -> None:
        try:
            self._read_reports()
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            _log.error("a worker's frame cannot be read, the worker is replaced: %s", error)
        except Exception:
            _log.exception("a worker's report cannot be taken up, the worker is replaced")
        finally:
            with self._changed:
                self.is_read = True
                self._changed.notify_all()

    def _read_reports(self) -> None:
        stdout = cast(io.RawIOBase, self.process.stdout)
        read = io.BufferedReader(stdout, PIPE_BYTES).read
        while len(size := read(PREFIX)) == PREFIX:
            length = int.from_bytes(size, "little")
            body = read(length)
            if len(body) < length:
                return
            self._heard = now = time.perf_counter()
            report = decode_report(body)
            match report:
                case Answer() | Failed() | Attached():
                    self._settle(report, now)
                case Started():
                    with self._changed:
                        pending = self._calls.started(report.id, now)
                    if pending is not None:
                        pending.settle(report)
                case _:
                    self._receive(self, report)
                    if self._deliveries.is_full:
                        self._pause()

    def _settle(self, report: Answer | Failed | Attached, now: float) -> None:
        with self._changed:
            pending = self._calls.answered(report.id, now)
        if pending is not None:
            pending.settle(report)

    def _pause(self) -> None:
        """Read nothing until the handlers have caught up."""
        with self._changed:
            self._is_paused = True
            self._changed.wait_for(
                lambda: self._deliveries.is_low or self._calls or self.is_closing
            )
            self._is_paused = False
            self._heard = time.perf_counter()
