"""What time is it, in the server's words and in ours? The only place that knows the difference.

The terminal writes the server's wall clock as if it were a UTC epoch [recorded]. A `ZoneRule`
says what that clock shows at any moment of history, which today's offset does not: most FX
servers show New York + 7 h, so that the week opens on Monday 00:00 all the year.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

_NS_PER_MS: Final = 1_000_000
_NS_PER_SECOND: Final = 1_000_000_000
_WEEK: Final = 7 * 86_400
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: Offsets are read from the zone between these instants (1970 and 2100), and constant outside.
_FIRST: Final = 0
_LAST: Final = 4_102_444_800

#: No place on earth is further from UTC, and no broker's clock either.
_FURTHEST: Final = 14 * 3_600

_FIXED: Final = re.compile(r"UTC(?:(?P<sign>[+-])(?P<hours>\d{1,2})(?::(?P<minutes>[0-5]\d))?)?")
_SHIFTED: Final = re.compile(r"(?P<zone>[A-Za-z][\w/+-]*?)(?P<shift>[+-]\d{1,2}h)?", re.ASCII)


@dataclass(frozen=True)
class ZoneRule:
    """The clock of a trade server: the wall clock of `zone`, `shift` seconds ahead.

    Immutable and hashable. Two hours a year need a decision, both [decision]:

    - *repeated* (autumn; only symbols that trade around the clock have ticks in it): server time
      cannot tell the two passes apart, the first one is assumed (daylight saving time);
    - *missing* (spring; no clock shows it, but a request may name it): read with the offset before
      the switch.

    Everywhere else the two directions are exact inverses.
    """

    zone: str
    shift: int

    @classmethod
    def parse(cls, text: str) -> "ZoneRule":
        """From ``America/New_York+7h``, ``Europe/Athens``, ``UTC``, ``UTC+2`` or ``UTC-03:30``.

        Raises `MT5ConfigError` for anything else.
        """
        fixed = _FIXED.fullmatch(text)
        if fixed:
            sign = -1 if fixed["sign"] == "-" else 1
            shift = sign * (int(fixed["hours"] or 0) * 3_600 + int(fixed["minutes"] or 0) * 60)
            rule = cls("UTC", shift)
        else:
            match = _SHIFTED.fullmatch(text)
            zone, hours = (match["zone"], match["shift"]) if match else ("", None)
            _check_zone(zone, text)
            rule = cls(zone, int(hours[:-1]) * 3_600 if hours else 0)
        if abs(rule.shift) > _FURTHEST:
            raise MT5ConfigError(
                f"server_time_zone must be within 14 hours of its zone, was {text!r}"
            )
        return rule

    def __str__(self) -> str:
        sign, (hours, minutes) = "-" if self.shift < 0 else "+", divmod(abs(self.shift) // 60, 60)
        if not self.shift:
            return self.zone
        if self.zone == "UTC":
            return f"UTC{sign}{hours:02}:{minutes:02}"
        return f"{self.zone}{sign}{hours}h"

    def utc_ns(self, server_msc: int) -> int:
        """UTC nanoseconds of `server_msc` (milliseconds of server time).

        Never negative: what would lie before 1970 is 0 (the terminal writes 0 for "never").
        """
        table = self._table
        offset = table.offsets_ms[bisect_right(table.walls_ms, server_msc)]
        return max(0, (server_msc - offset) * _NS_PER_MS)

    def utc_ns_array(self, server_msc: NDArray[np.int64]) -> NDArray[np.uint64]:
        """`utc_ns` of each of `server_msc` (int64, any order) as a new uint64 array."""
        if not len(server_msc):
            return np.empty(0, np.uint64)
        table = self._table
        first = bisect_right(table.walls_ms, int(server_msc.min()))
        last = bisect_right(table.walls_ms, int(server_msc.max()))
        offset: int | NDArray[np.int64] = table.offsets_ms[first]
        if first != last:
            walls, offsets = np.array(table.walls_ms), np.array(table.offsets_ms)
            offset = offsets[walls.searchsorted(server_msc, "right")]
        utc_ns: NDArray[np.int64] = np.subtract(server_msc, offset, dtype=np.int64)
        np.maximum(utc_ns, 0, out=utc_ns)
        utc_ns *= _NS_PER_MS
        return utc_ns.view(np.uint64)

    def server_msc(self, utc_ns: int) -> int:
        """What the server's clock shows at `utc_ns`, in milliseconds, rounded down."""
        return utc_ns // _NS_PER_MS + self._offset(utc_ns) * 1000

    def server_seconds(self, utc_ns: int, *, round_up: bool = False) -> int:
        """What the server's clock shows at `utc_ns`, in seconds, rounded down or up."""
        whole = -(-utc_ns // _NS_PER_SECOND) if round_up else utc_ns // _NS_PER_SECOND
        return whole + self._offset(whole * _NS_PER_SECOND)

    def _offset(self, utc_ns: int) -> int:
        table = self._table
        return table.offsets[bisect_right(table.instants, utc_ns // _NS_PER_SECOND)]

    @cached_property
    def _table(self) -> "_Table":
        return _table_of(self.zone, self.shift)


class _Table(NamedTuple):
    """`offsets[i]` (server minus UTC, seconds) holds before `instants[i]`, the last one after.

    `walls_ms` are the same switches on the server's clock: where it first shows a time that only
    the later offset explains. That is the switch plus the *larger* offset: behind the missing
    hour in spring, behind the repeated hour in autumn.
    """

    instants: list[int]
    offsets: list[int]
    walls_ms: list[int]
    offsets_ms: list[int]


@lru_cache(maxsize=64)
def _table_of(zone: str, shift: int) -> _Table:
    if zone == "UTC":
        return _Table([], [shift], [], [shift * 1000])
    info = ZoneInfo(zone)
    instants: list[int] = []
    offsets = [_zone_offset(info, _FIRST) + shift]
    for instant in _switches(info):
        instants.append(instant)
        offsets.append(_zone_offset(info, instant) + shift)
    walls = [at + max(offsets[i], offsets[i + 1]) for i, at in enumerate(instants)]
    return _Table(instants, offsets, [w * 1000 for w in walls], [o * 1000 for o in offsets])


def _switches(info: ZoneInfo) -> Iterator[int]:
    """The first second of each new offset, ascending; probed weekly, found by bisection."""
    for start in range(_FIRST, _LAST, _WEEK):
        low, high = start, start + _WEEK
        before = _zone_offset(info, low)
        if _zone_offset(info, high) == before:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if _zone_offset(info, middle) == before:
                low = middle
            else:
                high = middle
        yield high


def _zone_offset(info: ZoneInfo, utc_seconds: int) -> int:
    moment = (_EPOCH + timedelta(seconds=utc_seconds)).astimezone(info)
    return (moment.utcoffset() or timedelta()) // timedelta(seconds=1)


def _check_zone(zone: str, text: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MT5ConfigError(
            f"server_time_zone must be like 'America/New_York+7h', 'Europe/Athens' or 'UTC+2', "
            f"was {text!r}: {error}"
        ) from error
