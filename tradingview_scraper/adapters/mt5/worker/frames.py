"""What do a client and its worker say to each other? Frames: u32 length and msgpack.

Commands go down on the worker's stdin; each is answered exactly once, in the order in which the
worker took them up, with `Attached`, `Answer` or `Failed` under its `id`. In between come what
feeds found (`Ticks`, `NoTicks`, `Bars`, `Trade`, `Book`, `SymbolState`, `Fault`), `Started` and
`Alive`.
Structs are tagged and array-like, so a frame carries no field names; the library's structs are
tuples and travel as arrays; rows travel as their bytes. `Attach` and calls of ``login`` carry a
password: commands are never logged, and their repr shows no values.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import msgspec
import numpy as np

from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.records import (
    RATE_DTYPE,
    TICK_DTYPE,
    AccountInfo,
    BookInfo,
    SymbolInfo,
    TerminalInfo,
    TradeDeal,
    TradeOrder,
    TradePosition,
)

#: Extension codes of msgpack under which rows travel inside an answer.
_TICKS: Final = 1
_RATES: Final = 2
#: Bytes of the length that precedes each frame.
PREFIX: Final = 4


class FailureKind(StrEnum):
    """Why there is no answer."""

    #: The library said so: function, code and text are its own.
    CALL = "call"
    #: The library's module cannot be imported.
    MISSING = "missing"
    #: ``initialize``, ``login`` or the first ``account_info`` failed.
    CONNECTION = "connection"
    #: The terminal is on another account, or the account may not be used. Nothing was sent.
    IDENTITY = "identity"
    #: The worker ends, or lost the terminal, before the call's turn came. Nothing was sent.
    UNSENT = "unsent"
    #: The library raised; `text` is the exception.
    RAISED = "raised"


class _Command(msgspec.Struct, array_like=True):
    id: int

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id}, ...)"


class Attach(_Command, tag=1):
    """Import the library, attach to the terminal, verify the account. The first command."""

    module: str
    path: str | None
    portable: bool
    #: For the library's own wait for the terminal's connection to the broker.
    timeout_ms: int
    #: The account to be on; None: the one that is found.
    login: int | None
    server: str | None
    #: Trading needs a configured login; one that was only found does not do.
    may_trade: bool
    #: Only in the trade lane's first attach.
    password: str | None
    allow_real_account: bool
    #: The node's module search path, for a library module that lies beside the user's script.
    search_path: list[str]


class Call(_Command, tag=2):
    """Call a function of the library.

    `check`: only if ``order_check`` takes the same request; it is not sent otherwise.
    """

    function: str
    args: list[Any]
    kwargs: dict[str, Any]
    check: bool = False


class TakeSnapshot(_Command, tag=3):
    """Read the account as a whole; `since` in server seconds, None: a bounded recent window."""

    since: int | None


class WatchTicks(_Command, tag=4):
    """Send the ticks of a symbol behind the cursor; without one, from the current tick on.

    Polled every `every_ms` while the symbol is busy, up to every `quiet_ms` while it is not. At
    `empty_ns`, wall clock, the symbol had no tick: all that came since are its first. 0: unknown.
    """

    watch: int
    symbol: str
    every_ms: int
    quiet_ms: int
    time_msc: int | None
    seen: int
    empty_ns: int = 0


class WatchBars(_Command, tag=5):
    """Send the closed bars of a series that open after `after`; None: those that close now on."""

    watch: int
    symbol: str
    timeframe: int
    every_ms: int
    after: int | None


class WatchTrade(_Command, tag=6):
    """Send the trade state whole, then its changes. The windows are those of an earlier worker."""

    watch: int
    every_ms: int
    account_every_ms: int
    deals_from: int | None
    orders_from: int | None


class WatchSymbol(_Command, tag=8):
    """Send a symbol's record when one of `fields` (places in it) changes.

    `quiet_ms` above 0: also when the link to the trade server or the symbol's ticking does.
    """

    watch: int
    symbol: str
    every_ms: int
    fields: list[int]
    quiet_ms: int
    #: Put it into Market Watch; a definition can be read without.
    selects: bool


class Unwatch(_Command, tag=7):
    """Stop a feed."""

    watch: int


class WatchBook(_Command, tag=9):
    """Send the depth of a symbol, now and whenever it changes."""

    watch: int
    symbol: str
    every_ms: int


class WatchLink(_Command, tag=10):
    """Send the terminal's record, now and when its link or its switches change."""

    watch: int
    every_ms: int


Command = (
    Attach
    | Call
    | TakeSnapshot
    | WatchTicks
    | WatchBars
    | WatchTrade
    | WatchSymbol
    | WatchBook
    | WatchLink
    | Unwatch
)


class _Report(msgspec.Struct, array_like=True):
    pass


class Attached(_Report, tag=1):
    """The worker is attached, on the account that was expected."""

    id: int
    terminal: TerminalInfo
    account: AccountInfo


class Answer(_Report, tag=2):
    """What a call returned. Nanoseconds are the wall clock around the library's call alone."""

    id: int
    value: msgspec.Raw
    #: ``last_error`` directly after the call.
    code: int
    text: str
    started_ns: int
    ended_ns: int


class Failed(_Report, tag=3):
    """Why there is no answer. `code` and `text` are ``last_error`` directly after the call."""

    id: int
    kind: FailureKind
    function: str
    code: int
    text: str
    started_ns: int
    ended_ns: int


class Started(_Report, tag=4):
    """The next thing to happen is ``order_send``: from here on the request may be out."""

    id: int


class Ticks(_Report, tag=5):
    """New ticks, and the cursor behind them. `gap`: the terminal lost ticks before these.

    `seen_ns` is the wall clock at the look that saw the last of them appear as the newest tick; 0
    where no look did: what a feed begins with, a backlog.
    """

    watch: int
    seq: int
    time_msc: int
    seen: int
    gap: bool
    rows: memoryview
    seen_ns: int = 0


class Bars(_Report, tag=6):
    """Newly closed bars, ascending."""

    watch: int
    seq: int
    rows: memoryview


class Trade(_Report, tag=7):
    """The trade state: whole (`full`) or what changed, as `TradeUpdate` has it."""

    watch: int
    seq: int
    full: bool
    orders: tuple[TradeOrder, ...]
    orders_gone: tuple[int, ...]
    positions: tuple[TradePosition, ...]
    positions_gone: tuple[int, ...]
    deals: tuple[TradeDeal, ...]
    history: tuple[TradeOrder, ...]
    account: AccountInfo | None
    #: Ticket and executed lots of requests just answered, whose deals are here.
    answered: tuple[tuple[int, float], ...]
    #: Where the windows of deals and history orders begin, server seconds.
    deals_from: int
    orders_from: int


class SymbolState(_Report, tag=13):
    """A symbol has changed. `info` None: the terminal does not have it (any more).

    `quiet`: no quote has moved for the time asked for; None: not known yet.
    """

    watch: int
    seq: int
    info: SymbolInfo | None
    connected: bool
    quiet: bool | None


class Foreign(_Report, tag=8):
    """The terminal is on another account than the worker was attached to; feeds pause."""

    watch: int
    reason: str
    account: AccountInfo


class Fault(_Report, tag=9):
    """A poll failed; the feed goes on polling and has lost nothing."""

    watch: int
    function: str
    code: int
    text: str


class Alive(_Report, tag=10):
    """Nothing to say for a second."""


class Lost(_Report, tag=11):
    """The connection to the terminal is gone; the worker ends."""

    function: str
    code: int
    text: str


class Book(_Report, tag=12):
    """The depth of a symbol, whole, when it is another than before."""

    watch: int
    seq: int
    #: Wall clock after it was read; the terminal stamps no depth.
    taken_ns: int
    entries: tuple[BookInfo, ...]


class NoTicks(_Report, tag=14):
    """The symbol has no tick yet, at `at_ns`, wall clock: sent once, before its first ticks."""

    watch: int
    seq: int
    at_ns: int


class LinkState(_Report, tag=16):
    """The terminal's link to its trade server, or a switch of it, has changed."""

    watch: int
    seq: int
    terminal: TerminalInfo


class Polls(_Report, tag=15):
    """What polling took since the last report of it: by kind of feed, pieces, seconds, longest."""

    feeds: dict[str, tuple[int, float, float]]


Report = (
    Attached
    | Answer
    | Failed
    | Started
    | Ticks
    | NoTicks
    | Bars
    | Trade
    | SymbolState
    | LinkState
    | Polls
    | Foreign
    | Fault
    | Alive
    | Lost
    | Book
)


def _encode_special(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        code = _TICKS if value.dtype == TICK_DTYPE else _RATES
        return msgspec.msgpack.Ext(code, row_bytes(value))
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"expected a number, a text or rows, was {type(value).__name__}: {value!r}")


def _decode_special(code: int, data: memoryview) -> Rows:
    return np.frombuffer(data, dtype=TICK_DTYPE if code == _TICKS else RATE_DTYPE)


_encoder: Final = msgspec.msgpack.Encoder(enc_hook=_encode_special)


def encode(frame: Command | Report) -> bytearray:
    """The frame with its length before it, ready to be written."""
    buffer = bytearray(PREFIX)
    _encoder.encode_into(frame, buffer, PREFIX)
    buffer[:PREFIX] = (len(buffer) - PREFIX).to_bytes(PREFIX, "little")
    return buffer


def encode_value(value: Any) -> msgspec.Raw:
    """A return value of the library, for `Answer.value`."""
    return msgspec.Raw(_encoder.encode(value))


#: Decodes one command; `msgspec.MsgspecError` when it is none.
decode_command: Final[Callable[[bytes], Command]] = msgspec.msgpack.Decoder(Command).decode
#: Decodes one report; `msgspec.MsgspecError` when it is none. Rows are views of the bytes given.
#: A library that says 1 for True, or 2 for 2.0, is understood.
decode_report: Final[Callable[[bytes], Report]] = msgspec.msgpack.Decoder(
    Report, strict=False
).decode


def value_decoder(shape: Any) -> Callable[[msgspec.Raw], Any]:
    """A decoder of `Answer.value` for answers that have this type, rows included."""
    return msgspec.msgpack.Decoder(shape, strict=False, ext_hook=_decode_special).decode


def row_bytes(rows: Rows) -> memoryview:
    """The bytes of packed rows, without a copy when they are contiguous."""
    return memoryview(np.ascontiguousarray(rows).view(np.uint8).reshape(-1))
