"""Is the terminal linked to its trade server, and do its switches let programs trade?

Reads go on succeeding with what was last known while the link is down [recorded]: nothing else
tells that they are old.
"""

from typing import Final

from tradingview_scraper.adapters.mt5.terminal.api import TerminalLibrary
from tradingview_scraper.adapters.mt5.terminal.records import TerminalInfo
from tradingview_scraper.adapters.mt5.worker.frames import LinkState
from tradingview_scraper.adapters.mt5.worker.library import ask

#: Fields whose change is news; the others are figures.
_NEWS: Final = tuple(
    TerminalInfo._fields.index(field)
    for field in ("connected", "trade_allowed", "tradeapi_disabled")
)


class LinkFeed:
    """The terminal's record: at once, and again when the link or a switch has changed."""

    def __init__(self, library: TerminalLibrary, watch: int, every_secs: float) -> None:
        self.watch = watch
        self._library = library
        self._every = every_secs
        self._said: tuple[object, ...] | None = None
        self._seq = 0

    def step(self, now: float) -> tuple[LinkState | None, float]:
        terminal = TerminalInfo._make(ask(self._library, "terminal_info"))
        due = now + self._every
        seen = tuple(terminal[place] for place in _NEWS)
        if seen == self._said:
            return None, due
        self._said = seen
        self._seq += 1
        return LinkState(self.watch, self._seq, terminal), due

    def failed(self, now: float) -> float:
        return now + self._every

    def close(self) -> None:
        """Holds nothing in the terminal."""
