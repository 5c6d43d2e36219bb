"""What does the body of an answer become? Structs, arrays and numbers, as the library returns them.

Each reader takes a body and raises `WireError` unless its size is exact.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.layout import Layout, Message, WireError
from tradingview_scraper.adapters.mt5.simulator.library.structs import STRUCTS
from tradingview_scraper.adapters.mt5.terminal.api import Rows

Read = Callable[[memoryview], Any]

_NOTHING: Final = Message()


def done(body: memoryview) -> bool:
    """Nothing is said: the call succeeded."""
    _NOTHING.decode(body)
    return True


def number(message: Message) -> Read:
    """A single number."""
    return lambda body: message.decode(body)[0]


def record(layout: Layout) -> Read:
    """One struct."""
    struct = STRUCTS[layout.record.__name__]
    decode = layout.decode
    return lambda body: struct(decode(body))


def records(layout: Layout) -> Read:
    """A tuple of structs, empty when there are none."""
    struct = STRUCTS[layout.record.__name__]
    return lambda body: tuple(map(struct, layout.decode_many(body)))


def rows(dtype: "np.dtype[np.void]") -> Read:
    """An array that owns its rows and cannot be written to [recorded]."""

    def read(body: memoryview) -> Rows:
        start = wire.SIZE_BYTES
        if (
            len(body) < start
            or len(body) - start != wire.content_size(body[:start]) * wire.ROW_SIZE
        ):
            raise WireError(f"rows of {wire.ROW_SIZE} bytes expected, got {len(body)} bytes")
        array = np.empty((len(body) - start) // wire.ROW_SIZE, dtype)
        # As plain bytes: numpy copies records one by one, which takes ten times as long.
        array.view(np.uint8)[:] = np.frombuffer(body[start:], np.uint8)
        array.setflags(write=False)
        return array

    return read
