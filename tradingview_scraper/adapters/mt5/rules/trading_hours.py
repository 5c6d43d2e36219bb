"""When does a symbol trade, judged by its bars? A week in server time, as text."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY: Final = 86_400
#: A pause up to this many seconds is a quiet market, not a closed one [decision].
_QUIET: Final = 1_800


def trading_hours(opened: NDArray[np.int64], length: int) -> str:
    """``Mon 00:00-24:00, Tue 00:00-24:00``: when there were bars that open at `opened`.

    `opened` are server seconds of some weeks, `length` the bars' seconds (a divisor of a day).
    "always" when every day is full; "" without bars.
    """
    # 1970-01-01 was a Thursday.
    weekday = (opened // _DAY + 3) % 7
    second = opened % _DAY
    parts = []
    for day, name in enumerate(_DAYS):
        for begin, end in _runs(np.unique(second[weekday == day]), length):
            parts.append(f"{name} {_clock(begin)}-{_clock(end)}")
    if [part.partition(" ")[2] for part in parts] == ["00:00-24:00"] * 7:
        return "always"
    return ", ".join(parts)


def _runs(seconds: NDArray[np.int64], length: int) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for second in seconds.tolist():
        if runs and second - runs[-1][1] <= _QUIET:
            runs[-1] = (runs[-1][0], second + length)
        else:
            runs.append((second, second + length))
    # Quiet minutes at midnight are no pause either.
    return [
        (0 if begin <= _QUIET else begin, _DAY if end >= _DAY - _QUIET else end)
        for begin, end in runs
    ]


def _clock(second: int) -> str:
    return f"{second // 3_600:02}:{second % 3_600 // 60:02}"
