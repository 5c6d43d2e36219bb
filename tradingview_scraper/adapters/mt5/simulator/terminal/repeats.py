"""Which requests were answered before, and is the answer still the same?

Programs ask the same few things again and again. Such a request costs a look at what it reads:
the same object has the same bytes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.broker.broker import Broker
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.terminal.functions import FUNCTION_OF
from tradingview_scraper.adapters.mt5.simulator.terminal.stale import StaleBooks
from tradingview_scraper.adapters.mt5.simulator.wire import Command, Status

#: More different requests than programs have.
_MOST: Final = 4_096


class Repeats:
    """The requests, by their frames. `read` begins anew with what they read now."""

    def __init__(self) -> None:
        self._sources: dict[int, tuple[Callable[..., Any], Callable[[Any], bytes]]] = {}
        self._known: dict[bytes, Repeated] = {}

    def read(self, market: Market, broker: Broker | StaleBooks) -> None:
        """From now on answers come from these; all are forgotten."""
        self._sources = {
            Command.SYMBOL_INFO_TICK: (market.tick, wire.TICK.encode),
            Command.SYMBOL_INFO: (market.info, wire.SYMBOL_INFO.encode),
            Command.ACCOUNT_INFO: (broker.account, wire.ACCOUNT_INFO.encode),
            Command.POSITIONS: (broker.positions, wire.POSITION.encode_many),
            Command.ORDERS: (broker.orders, wire.ORDER.encode_many),
        }
        self._known.clear()

    def find(self, frame: bytes) -> "Repeated | None":
        """The request, if it came before."""
        return self._known.get(frame)

    def remember(self, frame: bytes, command: int, payload: bytes) -> None:
        """Let the next such request be answered by what it reads alone."""
        source = self._sources.get(command)
        if source is None or len(self._known) >= _MOST:
            return
        read, encode = source
        values = wire.REQUESTS[Command(command)].decode(payload)
        if read(*values) is not None:
            self._known[bytes(frame)] = Repeated(command, partial(read, *values), encode)


class Repeated:
    """A request that was answered before."""

    __slots__ = ("_answer", "_command", "_encode", "_found", "_read", "function")

    def __init__(
        self, command: int, read: Callable[[], Any], encode: Callable[[Any], bytes]
    ) -> None:
        self.function: Final = FUNCTION_OF[command]
        self._command = command
        self._read = read
        self._encode = encode
        self._found: Any = None
        self._answer = b""

    def answer(self) -> bytes | None:
        """The whole answer, made anew only when it says something new; None: it would fail now."""
        found = self._read()
        if found is None:
            return None
        if found is not self._found:
            self._found = found
            self._answer = wire.answer(self._command, Status.OK, self._encode(found))
        return self._answer
