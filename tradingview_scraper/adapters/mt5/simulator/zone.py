"""How far is a server's wall clock ahead of UTC? Zones like ``America/New_York+7h``.

This is the simulator's own reading of zones; the adapter has another one, so that a mistake in
either shows.
"""

import re
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FIXED: Final = re.compile(r"UTC(?:([+-])(\d{1,2})(?::([0-5]\d))?)?")
_SHIFTED: Final = re.compile(r"([A-Za-z_]+(?:/[A-Za-z0-9_+-]+?)*)(?:([+-]\d{1,2})h)?")


class ServerZone:
    """How far the server's wall clock is ahead of UTC.

    Raises ValueError for a text that is neither ``Zone/Name``, ``Zone/Name+7h`` nor ``UTC+2``.
    """

    def __init__(self, text: str) -> None:
        self._zone, self._shift = _parse(text)
        self._hour = -1
        self._offset = 0

    def offset_msc(self, utc_msc: int) -> int:
        """Milliseconds that the server's clock is ahead of UTC at that moment."""
        # Zones change their offset on full quarters of an hour only.
        quarter = utc_msc // 900_000
        if quarter != self._hour:
            self._offset = self._shift
            if self._zone is not None:
                moment = datetime.fromtimestamp(quarter * 900, self._zone)
                self._offset += round((moment.utcoffset() or timedelta()).total_seconds() * 1000)
            self._hour = quarter
        return self._offset


def _parse(text: str) -> tuple[ZoneInfo | None, int]:
    if found := _FIXED.fullmatch(text):
        sign, hours, minutes = found.groups()
        shift = (int(hours or 0) * 60 + int(minutes or 0)) * 60_000
        if shift <= 14 * 3_600_000:
            return None, -shift if sign == "-" else shift
    elif found := _SHIFTED.fullmatch(text):
        name, shift_hours = found.groups()
        try:
            return ZoneInfo(name), int(shift_hours or 0) * 3_600_000
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise ValueError(
        f"expected a zone like America/New_York+7h, Europe/Athens or UTC+2, got {text!r}"
    )
