"""What time is it at the trade server? `Clock`.

Server time is the server's wall clock written as if it were a UTC epoch.
"""

import time
from datetime import UTC, datetime

from tradingview_scraper.adapters.mt5.simulator.scenario import ClockSpec
from tradingview_scraper.adapters.mt5.simulator.zone import ServerZone


class Clock:
    """The server's clock, in milliseconds of server time.

    A real clock follows this machine's, a stepped one stands still until `advance`. When the zone
    goes back by an hour in autumn, so does this clock.
    """

    def __init__(self, spec: ClockSpec) -> None:
        self._zone = ServerZone(spec.zone)
        self._stepped = spec.mode == "stepped"
        if self._stepped:
            start = spec.start or datetime(2025, 3, 10, 12, tzinfo=UTC)
            self._utc = round(start.timestamp() * 1000)
        else:
            self._utc = 0
        self._wrong_by = 0

    @property
    def is_stepped(self) -> bool:
        """Whether time passes only by `advance`."""
        return self._stepped

    def now_msc(self) -> int:
        """Server time now, in milliseconds."""
        utc = self.utc_msc()
        return utc + self._zone.offset_msc(utc) + self._wrong_by

    def utc_msc(self) -> int:
        """True UTC of this world, in milliseconds: what `shift` does not touch."""
        return self._utc if self._stepped else time.time_ns() // 1_000_000 + self._utc

    def advance(self, seconds: float) -> None:
        """Let time pass at once; a real clock jumps forward. ValueError when negative."""
        if seconds < 0:
            raise ValueError(f"a clock advances by 0 seconds or more, not {seconds}: use shift")
        self._utc += round(seconds * 1000)

    def shift(self, seconds: float) -> None:
        """Put the server's clock wrong by so many seconds more, either way; no time passes."""
        self._wrong_by += round(seconds * 1000)
