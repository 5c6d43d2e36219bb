"""How does the terminal stand with its trade server? As its trade lane saw it last."""

from collections.abc import Callable

from tradingview_scraper.adapters.mt5.client.delivery import Deliveries
from tradingview_scraper.adapters.mt5.client.link import Link
from tradingview_scraper.adapters.mt5.terminal.records import TerminalInfo
from tradingview_scraper.adapters.mt5.worker.frames import LinkState, Report, WatchLink


class TerminalLink:
    """The feed of the terminal's own record; it outlives the trade lane's workers.

    `on_seen` gets every record that is news, on the lane's threads.
    """

    def __init__(
        self, watch_id: int, every_ms: int, on_seen: Callable[[TerminalInfo], None]
    ) -> None:
        self.id = watch_id
        self._every_ms = every_ms
        self._on_seen = on_seen
        self._link: Link | None = None

    def saw(self, terminal: TerminalInfo) -> None:
        """A worker of the trade lane has found the terminal so, at its attach."""
        self._on_seen(terminal)

    def resume(self, link: Link, command_id: int) -> WatchLink:
        self._link = link
        return WatchLink(command_id, self.id, self._every_ms)

    def receive(self, link: Link, report: Report, deliveries: Deliveries) -> None:
        if isinstance(report, LinkState) and link is self._link:
            self._on_seen(report.terminal)
