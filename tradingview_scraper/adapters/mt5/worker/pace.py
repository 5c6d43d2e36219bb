"""How soon is a symbol looked at again? The sooner, the busier it is.

Start to start: `every_secs` while it is busy, and then a twentieth of the time that it has been
quiet, up to `quiet_secs`. So a tick after a silence is seen at most 5 % of that silence later than
it would be at full speed, never later than `quiet_secs`, and the poll after it is at full speed.
"""

from typing import Final

#: Part of a silence that may pass between two looks.
_SHARE: Final = 0.05


class Pace:
    """When the polls of one feed are due. Times are seconds of `time.perf_counter`."""

    def __init__(self, every_secs: float, quiet_secs: float = 0.0) -> None:
        self.every = every_secs
        self._longest = max(every_secs, quiet_secs)
        self._due = 0.0
        self._busy_at: float | None = None

    def next(self, now: float, *, found: bool) -> float:
        """When the poll after the one that began `now` is due; one that is late is due at once."""
        if found or self._busy_at is None:
            self._busy_at = now
        pause = min(max(self.every, (now - self._busy_at) * _SHARE), self._longest)
        self._due = max(min(self._due, now) + pause, now)
        return self._due

    def after(self, now: float, pause_secs: float) -> float:
        """When the poll after one that failed is due."""
        self._due = now + pause_secs
        return self._due
