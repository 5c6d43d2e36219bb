"""How does a frame get from a lane's thread to a handler on an event loop? In order."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

_log = logging.getLogger(__name__)

#: Seconds that callbacks may take before the loop gets a turn for others.
_TURN: Final = 0.005
#: Frames waiting for a loop from which on no more should come, and those at which more may come.
_HIGH: Final = 64
_LOW: Final = 32


class Deliveries:
    """Runs callbacks on event loops: those of one loop in the order in which they were put.

    From any thread, without waiting. A callback that raises is logged, and the next one runs. When
    a loop is closed, its callbacks are dropped. `on_low` is called from the loop when it has
    caught up after `is_full`.
    """

    def __init__(self, on_low: Callable[[], None]) -> None:
        self._on_low = on_low
        self._by_loop: dict[asyncio.AbstractEventLoop, _Delivery] = {}
        self._lock = threading.Lock()

    def put(
        self, loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: Any
    ) -> None:
        """Run ``callback(*args)`` on `loop`, soon."""
        self._of(loop).put(callback, args, 0)

    def put_frame(
        self, loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: Any
    ) -> None:
        """As `put`, and it counts for `is_full`."""
        self._of(loop).put(callback, args, 1)

    @property
    def is_full(self) -> bool:
        return any(delivery.frames >= _HIGH for delivery in tuple(self._by_loop.values()))

    @property
    def is_low(self) -> bool:
        return all(delivery.frames <= _LOW for delivery in tuple(self._by_loop.values()))

    def _of(self, loop: asyncio.AbstractEventLoop) -> "_Delivery":
        delivery = self._by_loop.get(loop)
        if delivery is None:
            with self._lock:
                for known in [known for known in self._by_loop if known.is_closed()]:
                    del self._by_loop[known]
                delivery = self._by_loop.setdefault(loop, _Delivery(loop, self._on_low))
        return delivery


class _Delivery:
    """The callbacks of one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_low: Callable[[], None]) -> None:
        self.frames = 0
        self._loop = loop
        self._on_low = on_low
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Callable[..., None], tuple[Any, ...], int]] = deque()
        self._is_scheduled = False

    def put(self, callback: Callable[..., None], args: tuple[Any, ...], frames: int) -> None:
        with self._lock:
            self._waiting.append((callback, args, frames))
            self.frames += frames
            if self._is_scheduled:
                return
            self._is_scheduled = True
        try:
            self._loop.call_soon_threadsafe(self._run)
        except RuntimeError:
            with self._lock:
                self._waiting.clear()
                self.frames = 0
                self._is_scheduled = False

    def _run(self) -> None:
        ends = time.perf_counter() + _TURN
        waiting = self._waiting
        while True:
            with self._lock:
                if not waiting:
                    self._is_scheduled = False
                    return
                callback, args, frames = waiting.popleft()
                self.frames -= frames
                is_low = frames and self.frames == _LOW
            if is_low:
                self._on_low()
            try:
                callback(*args)
            except Exception:
                _log.exception("a handler raised; what it was given counts as delivered")
            if time.perf_counter() >= ends:
                self._loop.call_soon(self._run)
                return
