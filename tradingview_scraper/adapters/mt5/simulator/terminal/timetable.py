"""What happens of itself in a scenario? `Timetable`: verbs of the control channel at set times."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

#: What a scenario can let happen of itself.
VERBS: Final = frozenset(
    {
        *("fault", "hang", "slow", "lose_reply", "answer", "requote", "clear_faults"),
        *("drop_connections", "set_connected", "set_trade_allowed", "set_limit", "login"),
        *(
            "delay_history",
            "shift_clock",
            "gap",
            "partial_fill",
            "operate",
            "live_update",
            "trade_by_hand",
            "kill",
            "stop",
        ),
    }
)


class Entry(NamedTuple):
    """A verb with its arguments, `at` seconds of world time after the terminal's first start."""

    at: float
    verb: str
    arguments: dict[str, Any]


class Timetable:
    """The entries of a scenario in the order of time, of which the first `done` have happened."""

    def __init__(self, entries: Sequence[Entry], done: int) -> None:
        self._entries: Final = sorted(entries, key=lambda entry: entry.at)
        self._done = done

    @property
    def done(self) -> int:
        """How many entries have happened."""
        return self._done

    @property
    def next_at(self) -> float | None:
        """When the next entry is due; None: there is none."""
        return self._entries[self._done].at if self._done < len(self._entries) else None

    def take(self) -> Entry:
        """The next entry, which now counts as done."""
        self._done += 1
        return self._entries[self._done - 1]
