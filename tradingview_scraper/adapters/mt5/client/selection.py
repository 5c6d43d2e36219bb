"""Which symbols are in Market Watch because of us, and who still needs them?

A terminal has quotes, ticks and depth of selected symbols only [vendor], and each one costs it
memory and bandwidth. So a symbol is selected when the first one needs it and released with the
last; one that was selected before belongs to a person or another program, and stays.
"""

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable
from typing import Any, Final

_log = logging.getLogger(__name__)

type _Answer = concurrent.futures.Future[Any]

#: Seconds that the last releases may take before the workers are stopped.
_PARTING: Final = 1.0


class Selection:
    """Counts who needs which symbol. Thread-safe; nothing here waits.

    `submit` starts a call of the library (`MT5Client.submit`); calls of one lane keep their order,
    so that a symbol that is released and needed again ends up selected. When another program
    releases a symbol, or does so while we hold it, the feeds select it again.
    """

    def __init__(self, submit: Callable[..., _Answer]) -> None:
        self._submit = submit
        self._lock = threading.RLock()
        self._held: dict[str, _Held] = {}
        self._releasing: set[_Answer] = set()

    @property
    def symbols(self) -> frozenset[str]:
        """Those that somebody needs."""
        with self._lock:
            return frozenset(self._held)

    def hold(self, symbol: str) -> _Answer:
        """Select `symbol` for one more user; the future is ``symbol_select``'s answer."""
        with self._lock:
            held = self._held.get(symbol)
            if held is None:
                # Asked before it is selected: was it there already?
                held = self._held[symbol] = _Held(self._submit("symbol_info", symbol))
            held.users += 1
            return self._submit("symbol_select", symbol, True)

    def release(self, symbol: str) -> None:
        """One user less. After the last one the symbol leaves Market Watch, if it came with us.

        A terminal keeps symbols that have positions, orders or a chart; that is no error.
        """
        with self._lock:
            held = self._held[symbol]
            held.users -= 1
            if held.users:
                return
            del self._held[symbol]
            releasing: _Answer = concurrent.futures.Future()
            self._releasing.add(releasing)
        held.before.add_done_callback(lambda before: self._remove(symbol, before, releasing))

    async def settle(self) -> None:
        """Wait until the terminal knows what was released, for a moment at most. Never raises."""
        with self._lock:
            releasing = [asyncio.wrap_future(answer) for answer in self._releasing]
        if releasing:
            done, _ = await asyncio.wait(releasing, timeout=_PARTING)
            for answer in done:
                answer.exception()

    def _remove(self, symbol: str, before: _Answer, releasing: _Answer) -> None:
        with self._lock:
            held = self._held.get(symbol)
            if held is not None:
                # Needed again meanwhile, by one who may have found it selected by us.
                held.before = before
            elif before.exception() is None and not before.result().select:
                answer = self._submit("symbol_select", symbol, False)
                answer.add_done_callback(lambda answer: self._removed(symbol, answer, releasing))
                return
        self._settled(releasing)

    def _removed(self, symbol: str, answer: _Answer, releasing: _Answer) -> None:
        if answer.exception() is not None:
            _log.debug("%s stays in Market Watch: %s", symbol, answer.exception())
        self._settled(releasing)

    def _settled(self, releasing: _Answer) -> None:
        with self._lock:
            self._releasing.discard(releasing)
        releasing.set_result(None)


class _Held:
    """A symbol with its users; `before` is what it was like before the first of them."""

    def __init__(self, before: _Answer) -> None:
        self.before = before
        self.users = 0
