"""Which calls has a worker not answered yet, and which of them is it working on?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallTimeout, MT5Error, MT5LaneLost
from tradingview_scraper.adapters.mt5.worker.frames import Answer, Attached, Failed, Started

#: What becomes of a call: the worker's word, or why there is none.
Settlement = Answer | Attached | Failed | MT5Error
#: That, or the word before it: a trade request is begun.
Progress = Settlement | Started

#: Bytes that a pipe takes without a reader, on every system; a worker that hangs reads nothing.
PIPE_ROOM: Final = 4_000


@dataclass(slots=True, eq=False)
class Pending:
    """A command on its way, and who waits for its settlement."""

    id: int
    function: str
    timeout_secs: float
    settle: Callable[[Progress], None]
    frame: bytearray
    submitted: float
    size: int = 0
    #: Its frame was written to the pipe, at least in part.
    is_written: bool = False
    #: A trade request that may be out.
    is_started: bool = False

    def __post_init__(self) -> None:
        self.size = len(self.frame)

    def certainly_unsent(self) -> bool:
        """A worker says of every request that it starts it, before it does."""
        return not (self.is_started if self.function == "order_send" else self.is_written)

    def lost(self, reason: str) -> MT5Error:
        """Its worker is gone."""
        return MT5LaneLost(f"{self.function}: {reason}", sent=not self.certainly_unsent())

    def overdue(self, reason: str) -> MT5Error:
        """Its worker was killed because of it."""
        if self.function == "order_send" and not self.is_started:
            return self.lost(reason)
        return MT5CallTimeout(self.function, self.timeout_secs)


class PendingCalls:
    """Unanswered commands of one worker, in the order in which it works. Not thread-safe."""

    def __init__(self, now: float) -> None:
        self._calls: dict[int, Pending] = {}
        self._unanswered_bytes = 0
        #: When the worker last finished or started something.
        self.progress = now

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, pending: Pending) -> None:
        self._calls[pending.id] = pending

    def has_room(self, pending: Pending) -> bool:
        """Whether its frame can be written without waiting, even if the worker reads nothing."""
        return self._unanswered_bytes + pending.size <= PIPE_ROOM

    def write(self, pending: Pending) -> bytearray:
        """Its frame, to be written now."""
        pending.is_written = True
        self._unanswered_bytes += pending.size
        frame, pending.frame = pending.frame, bytearray()
        return frame

    def started(self, call_id: int, now: float) -> Pending | None:
        """The worker has taken this one up, before others perhaps."""
        pending = self._calls.pop(call_id, None)
        if pending is not None:
            pending.is_started = True
            self._calls = {call_id: pending, **self._calls}
            self.progress = now
        return pending

    def answered(self, call_id: int, now: float) -> Pending | None:
        pending = self._calls.pop(call_id, None)
        if pending is not None:
            self._unanswered_bytes -= pending.size
            self.progress = now
        return pending

    def head(self) -> Pending | None:
        """The one that the worker is working on, or comes to next."""
        return next(iter(self._calls.values()), None)

    def take_all(self) -> list[Pending]:
        calls = list(self._calls.values())
        self._calls.clear()
        return calls
