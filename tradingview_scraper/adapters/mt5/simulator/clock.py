"""What time is it at the trade server? `Clock`.

Server time is the server's wall clock written as if it were a UTC epoch.
"""

import time
from datetime import UTC, datetime
from typing import Final

from tradingview_scraper.adapters.mt5.simulator.scenario import ClockSpec
from tradingview_scraper.adapters.mt5.simulator.zone import ServerZone

_DEFAULT_START: Final = datetime(2025, 3, 10, 12, tzinfo=UTC)


class Clock:
    """The server's clock, in milliseconds of server time.

    A real clock follows this machine's, a stepped one stands still until `advance`, and a fast one
    runs `factor` times as fast as this machine's, from `start` on, which it showed when this
    machine's clock stood at `began_msc` (None: now). When the zone goes back by an hour in autumn,
    so does this clock.
    """

    def __init__(self, spec: ClockSpec, began_msc: int | None = None) -> None:
        self._zone = ServerZone(spec.zone)
        self._mode: Final = spec.mode
        self._factor: Final = spec.factor
        machine = _machine_msc()
        self._began: Final = machine if began_msc is None else began_msc
        if spec.mode == "stepped":
            self._utc = round((spec.start or _DEFAULT_START).timestamp() * 1000)
        elif spec.mode == "fast":
            self._utc = self._began
            if spec.start is not None:
                self._utc = round(spec.start.timestamp() * 1000)
        else:
            self._utc = 0
        self._wrong_by = 0

    @property
    def is_stepped(self) -> bool:
        """Whether time passes only by `advance`."""
        return self._mode == "stepped"

    def now_msc(self) -> int:
        """Server time now, in milliseconds."""
        return self.server_msc(self.utc_msc()) + self._wrong_by

    def server_msc(self, utc_msc: int) -> int:
        """Server time of a moment of UTC by a clock that goes right, in milliseconds."""
        return utc_msc + self._zone.offset_msc(utc_msc)

    def utc_msc(self) -> int:
        """True UTC of this world, in milliseconds: what `shift` does not touch."""
        if self._mode == "stepped":
            return self._utc
        if self._mode == "real":
            return _machine_msc() + self._utc
        return self._utc + round((_machine_msc() - self._began) * self._factor)

    def advance(self, seconds: float) -> None:
        """Let time pass at once; a running clock jumps forward. ValueError when negative."""
        if seconds < 0:
            raise ValueError(f"a clock advances by 0 seconds or more, not {seconds}: use shift")
        self._utc += round(seconds * 1000)

    def shift(self, seconds: float) -> None:
        """Put the server's clock wrong by so many seconds more, either way; no time passes."""
        self._wrong_by += round(seconds * 1000)


def _machine_msc() -> int:
    return time.time_ns() // 1_000_000
