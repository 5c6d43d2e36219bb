"""Has a symbol changed? Its fields that matter, its link to the broker, and whether it ticks."""

from collections.abc import Sequence
from typing import Any, Final

from tradingview_scraper.adapters.mt5.terminal.api import TerminalLibrary
from tradingview_scraper.adapters.mt5.terminal.constants import ResultCode
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo
from tradingview_scraper.adapters.mt5.worker.frames import SymbolState
from tradingview_scraper.adapters.mt5.worker.library import CallFailed, ask

#: Longest pause after a poll that failed.
_PATIENCE: Final = 5.0


class SymbolFeed:
    """One symbol's record: at once, and again when one of `fields` (their places) has changed.

    With `quiet_secs` it also says when the terminal loses or finds its trade server, and whether
    the symbol's quotes move: `quiet` is None until that is known, False once one was seen to move,
    True when none has for so long. A symbol that the terminal does not have any more is told once,
    without a record.
    """

    def __init__(
        self,
        library: TerminalLibrary,
        watch: int,
        symbol: str,
        every_secs: float,
        fields: Sequence[int],
        quiet_secs: float,
        selects: bool,
    ) -> None:
        self.watch = watch
        self._library = library
        self._symbol = symbol
        self._every = every_secs
        self._fields = fields
        self._quiet_secs = quiet_secs
        self._selects = selects
        self._selected = False
        self._due = 0.0
        self._pause = every_secs
        self._seq = 0
        self._said: tuple[Any, ...] | None = None
        # The time of the last quote, and when it was first seen; None: nothing was seen yet.
        self._quoted: int | None = None
        self._since = 0.0
        self._has_moved = False

    def step(self, now: float) -> tuple[SymbolState | None, float]:
        info, connected = self._read()
        self._pause = self._every
        self._due = max(self._due + self._every, now)
        quiet = self._is_quiet(info, now) if self._quiet_secs and info is not None else None
        values = None if info is None else tuple(info[place] for place in self._fields)
        seen = (values, connected, quiet)
        if seen == self._said:
            return None, self._due
        self._said = seen
        self._seq += 1
        return SymbolState(self.watch, self._seq, info, connected, quiet), self._due

    def failed(self, now: float) -> float:
        self._selected = False
        self._pause = min(self._pause * 2, max(_PATIENCE, self._every))
        self._due = now + self._pause
        return self._due

    def close(self) -> None:
        """Holds nothing in the terminal but the selection, which is the client's."""

    def _read(self) -> tuple[SymbolInfo | None, bool]:
        connected = True
        if self._quiet_secs:
            connected = bool(ask(self._library, "terminal_info")[_CONNECTED])
        try:
            if self._selects and not self._selected:
                ask(self._library, "symbol_select", self._symbol, True)
                self._selected = True
            return SymbolInfo._make(ask(self._library, "symbol_info", self._symbol)), connected
        except CallFailed as error:
            if error.code != ResultCode.E_NOT_FOUND:
                raise
            self._selected = False
            return None, connected

    def _is_quiet(self, info: SymbolInfo, now: float) -> bool | None:
        if info.time != self._quoted:
            # A first quote where there was none, or the last one of another day that a terminal
            # finds when it connects, is no sign of life: one more has to follow.
            if self._quoted:
                self._has_moved = True
            self._quoted = info.time
            self._since = now
        if now - self._since >= self._quiet_secs:
            self._has_moved = False
            return True
        return False if self._has_moved else None


#: Where `TerminalInfo` has its link to the trade server.
_CONNECTED: Final = 2
