"""Does the server's clock show what the zone rule says? Told by live ticks, never by old ones.

A tick proves the server's time only when the market was seen to move: its time changed between two
looks. Ticks can be late (delayed feeds, quiet symbols), never early, so of two offsets that agree
with several ticks the larger one is the server's.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.rules.time import ZoneRule


class Look(NamedTuple):
    """A symbol's last tick: its time (milliseconds, server), and UTC (nanoseconds) of the look."""

    symbol: str
    server_msc: int
    utc_ns: int


class ClockState(StrEnum):
    """What live ticks say about the rule."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    WRONG = "wrong"


class Verdict(NamedTuple):
    """`offset` is what the ticks show (server minus UTC, seconds); None: nothing was live."""

    state: ClockState
    offset: int | None
    text: str


class LiveTicks:
    """Collects offsets of ticks that were seen to move."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._offsets: list[int] = []

    def add(self, looks: Iterable[Look]) -> None:
        """One round of looks; symbols whose tick moved since their last look count."""
        for look in looks:
            before = self._last.get(look.symbol, 0)
            self._last[look.symbol] = look.server_msc
            if before and look.server_msc > before:
                offset = _offset(look)
                if offset is not None:
                    self._offsets.append(offset)

    @property
    def offset(self) -> int | None:
        """The largest offset on which at least two live ticks agree; None without."""
        agreed = [offset for offset, count in Counter(self._offsets).items() if count >= _AGREE]
        return max(agreed, default=None)


def verdict(rule: ZoneRule, offset: int | None, utc_ns: int) -> Verdict:
    """Compare the rule with what live ticks show at `utc_ns`; its switches explain a jump."""
    expected = rule.server_msc(utc_ns) // 1_000 - utc_ns // _NS
    if offset is None:
        return Verdict(ClockState.UNVERIFIED, None, f"no live tick: {rule} is not verified")
    if offset == expected:
        return Verdict(ClockState.VERIFIED, offset, f"live ticks agree with {rule}")
    return Verdict(
        ClockState.WRONG,
        offset,
        f"live ticks show a server clock of UTC{offset / 3600:+g} h, expected "
        f"UTC{expected / 3600:+g} h by server_time_zone={str(rule)!r}; set server_time_zone to the "
        f"server's zone, and check this machine's clock",
    )


def infer(offset: int, utc_ns: int) -> tuple[ZoneRule, bool]:
    """The rule for an offset that live ticks show, and whether it knows the switches of the clock.

    New York + 7 h where that fits now; otherwise today's offset, which history across a switch may
    contradict.
    """
    usual = ZoneRule.parse("America/New_York+7h")
    if verdict(usual, offset, utc_ns).state is ClockState.VERIFIED:
        return usual, True
    return ZoneRule("UTC", offset), False


_NS: Final = 1_000_000_000
#: Live ticks that must say the same.
_AGREE: Final = 2
#: Clocks of servers differ from UTC by whole half hours...
_STEP: Final = 1_800
#: ...and a live tick is this fresh, in seconds; this machine's clock is as good.
_FRESH: Final = 60.0
_SANE: Final = range(-12 * 3_600, 14 * 3_600 + 1)


def _offset(look: Look) -> int | None:
    raw = look.server_msc / 1_000 - look.utc_ns / _NS
    offset = round(raw / _STEP) * _STEP
    return offset if abs(raw - offset) <= _FRESH and offset in _SANE else None
