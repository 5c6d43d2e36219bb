"""When is a symbol open? The library shows no session table: learned from the bars it has had."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

_HOUR: Final = 3_600
_HOURS: Final = 168
#: Share of the weeks in which an hour must have had a bar to count as open: holidays are rare.
_SHARE: Final = 0.5


class WeeklyHours(NamedTuple):
    """Hours of the server's week (0 is Thursday 00:00, as the epoch has it) with trading."""

    open_hours: frozenset[int]
    #: Weeks that were looked at.
    weeks: int

    def is_open(self, server_seconds: int) -> bool:
        return server_seconds // _HOUR % _HOURS in self.open_hours


def learn_hours(opening_times: Iterable[int]) -> WeeklyHours | None:
    """The pattern behind the opening times (server seconds) of a symbol's H1 bars.

    An hour is open when at least half of the weeks had a bar in it. None without a whole week.
    """
    hours = sorted({time // _HOUR for time in opening_times})
    if not hours:
        return None
    weeks = -(-(hours[-1] - hours[0] + 1) // _HOURS)
    if hours[-1] - hours[0] < _HOURS * 0.6:
        return None
    seen = Counter(hour % _HOURS for hour in hours)
    least = max(1.0, weeks * _SHARE)
    return WeeklyHours(frozenset(hour for hour, count in seen.items() if count >= least), weeks)
