"""When does a symbol trade? Its week in server time, minute by minute."""

import re
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

MINUTES: Final = 1440
MINUTE_MSC: Final = 60_000
DAY_MSC: Final = 86_400_000

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PART: Final = re.compile(r"(\w{3})(?:-(\w{3}))? (\d\d):(\d\d)-(\d\d):(\d\d)")


class Sessions:
    """The trading week of a symbol. `text` is ``"always"`` or like ``"Mon-Fri 16:30-23:00"``.

    Several parts are separated by commas. Raises ValueError for another text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._open: NDArray[np.bool_] = np.zeros((7, MINUTES), dtype=bool)
        if text == "always":
            self._open[:] = True
            return
        for part in text.split(","):
            days, first, last = _part(part.strip(), text)
            for day in days:
                self._open[day, first:last] = True

    def minutes(self, day: int) -> NDArray[np.bool_]:
        """Which of the 1440 minutes of a server day (days since 1970-01-01) are open."""
        minutes: NDArray[np.bool_] = self._open[_weekday(day)]
        return minutes

    def is_open(self, msc: int) -> bool:
        """Whether the symbol trades at that moment of server time."""
        day, rest = divmod(msc, DAY_MSC)
        return bool(self._open[_weekday(day), rest // MINUTE_MSC])

    def pause_start(self, msc: int) -> int:
        """The beginning of the pause that `msc` lies in, or `msc` itself within a session."""
        if self.is_open(msc) or not self._open.any():
            return msc
        day, rest = divmod(msc, DAY_MSC)
        minute = rest // MINUTE_MSC
        while True:
            open_before = np.flatnonzero(self._open[_weekday(day), :minute])
            if len(open_before):
                return day * DAY_MSC + (int(open_before[-1]) + 1) * MINUTE_MSC
            day, minute = day - 1, MINUTES


@lru_cache(maxsize=64)
def parse_sessions(text: str) -> Sessions:
    """`Sessions` of a text, shared between the symbols that have the same ones."""
    return Sessions(text)


def _weekday(day: int) -> int:
    # 1970-01-01 was a Thursday.
    return (day + 3) % 7


def _part(part: str, whole: str) -> tuple[range, int, int]:
    found = _PART.fullmatch(part)
    if found is not None:
        first_day, last_day = found[1], found[2] or found[1]
        first = int(found[3]) * 60 + int(found[4])
        last = int(found[5]) * 60 + int(found[6])
        if first_day in _DAYS and last_day in _DAYS and 0 <= first < last <= MINUTES:
            begin, end = _DAYS.index(first_day), _DAYS.index(last_day)
            if begin <= end:
                return range(begin, end + 1), first, last
    raise ValueError(
        'expected sessions like "Mon-Fri 16:30-23:00" or "always" (24:00 ends a day), '
        f"got {whole!r}"
    )
