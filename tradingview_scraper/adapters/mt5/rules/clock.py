"""Does the server's clock show what the zone rule says? Told by live ticks, never by old ones.

A tick proves the server's time only when the market was seen to move, again and again: its time
changed between two looks, and changed once more later. Ticks can be late (delayed feeds, quiet
symbols), never early: of several offsets the largest one is the server's, and two symbols must
show it. Each look is compared with the rule at the look's own time, so that a switch of the clock
that the rule knows changes nothing, and none outlives `WINDOW_SECS`.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.rules.time import ZoneRule

#: How long a look is evidence, in seconds.
WINDOW_SECS: Final = 900.0
#: Looks at one symbol count when they are so far apart, in seconds: a terminal that catches up
#: after an outage moves, too, but only for a moment.
APART_SECS: Final = 0.5

_NS: Final = 1_000_000_000
_WINDOW_NS: Final = int(WINDOW_SECS * _NS)
_APART_NS: Final = int(APART_SECS * _NS)
#: Clocks of servers differ from UTC by whole half hours...
_STEP: Final = 1_800
#: ...and a live tick is this fresh, in seconds; this machine's clock is as good.
_FRESH: Final = 60.0
_SANE: Final = range(-12 * 3_600, 14 * 3_600 + 1)
_UTC: Final = ZoneRule("UTC", 0)
_USUAL: Final = ZoneRule.parse("America/New_York+7h")


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
    """What `symbols` show: the server's clock is `offset` seconds ahead of UTC.

    `offset` is None, and `symbols` are those that moved at all, when that is not proven.
    `text` says it to a person, with what to do.
    """

    state: ClockState
    offset: int | None
    symbols: tuple[str, ...]
    text: str


class LiveTicks:
    """The newest moves of every symbol that is looked at."""

    def __init__(self) -> None:
        self._last: dict[str, Look] = {}
        self._moves: dict[str, tuple[_Move | None, _Move]] = {}

    def add(self, look: Look) -> bool:
        """Take a look; whether it is evidence: the tick has moved since the one before."""
        before = self._last.get(look.symbol)
        if before is not None and 0 <= look.utc_ns - before.utc_ns < _APART_NS:
            return False
        self._last[look.symbol] = look
        # Zeros are no prices, and a clock that steps back shows no time that can be told.
        if before is None or not before.server_msc or look.server_msc <= before.server_msc:
            return False
        offset = _offset(look)
        if offset is None:
            return False
        earlier = self._moves.get(look.symbol)
        self._moves[look.symbol] = (earlier and earlier[1], _Move(offset, look.utc_ns))
        return True

    def forget(self, symbol: str) -> None:
        """What comes next of `symbol` may be a backlog, or is not looked at any more."""
        self._last.pop(symbol, None)
        self._moves.pop(symbol, None)

    def verdict(self, rule: ZoneRule, utc_ns: int, *, watched: int) -> Verdict:
        """Compare `rule` with what was seen up to `utc_ns`, of so many `watched` symbols.

        A single symbol proves something only when it is the only one that is watched.
        """
        errors = {symbol: self._error(symbol, rule, utc_ns) for symbol in self._moves}
        live = {symbol: error for symbol, error in errors.items() if error is not None}
        if not live:
            text = f"no live tick was seen: {rule} is not verified"
            return Verdict(ClockState.UNVERIFIED, None, (), text)
        error = max(live.values())
        symbols = tuple(sorted(symbol for symbol in live if live[symbol] == error))
        expected = _rule_offset(rule, utc_ns)
        offset = expected + error
        named = _named(symbols)
        if len(symbols) < 2 <= watched:
            text = (
                f"only {named} shows a server clock of {_hours(offset)}, and no second live symbol "
                f"does: {rule} is not verified"
            )
            return Verdict(ClockState.UNVERIFIED, None, tuple(sorted(live)), text)
        if len(symbols) == 1:
            named += " (no other symbol is subscribed to)"
        if not error:
            text = f"live ticks agree with {rule}, {_hours(offset)} now: {named}"
            return Verdict(ClockState.VERIFIED, offset, symbols, text)
        text = (
            f"live ticks show a server clock of {_hours(offset)}, expected {_hours(expected)} by "
            f"server_time_zone={str(rule)!r}: {named}; {_remedy(error, offset, utc_ns)}"
        )
        return Verdict(ClockState.WRONG, offset, symbols, text)

    def offset(self, utc_ns: int, *, watched: int) -> int | None:
        """The server's clock minus UTC in seconds, whatever the rule; None when not proven."""
        return self.verdict(_UTC, utc_ns, watched=watched).offset

    def _error(self, symbol: str, rule: ZoneRule, utc_ns: int) -> int | None:
        """What both newest moves of a symbol show beyond the rule; None: they do not agree."""
        earlier, newest = self._moves[symbol]
        if earlier is None or utc_ns - earlier.utc_ns > _WINDOW_NS:
            return None
        errors = {move.offset - _rule_offset(rule, move.utc_ns) for move in (earlier, newest)}
        return errors.pop() if len(errors) == 1 else None


def infer(offset: int, utc_ns: int) -> tuple[ZoneRule, bool]:
    """The rule for an offset that live ticks show, and whether it knows the switches of the clock.

    New York + 7 h where that fits now; otherwise today's offset, which history across a switch may
    contradict.
    """
    if _rule_offset(_USUAL, utc_ns) == offset:
        return _USUAL, True
    return ZoneRule("UTC", offset), False


class _Move(NamedTuple):
    """Server minus UTC in seconds, as a tick that moved showed it."""

    offset: int
    utc_ns: int


def _offset(look: Look) -> int | None:
    raw = look.server_msc / 1_000 - look.utc_ns / _NS
    offset = round(raw / _STEP) * _STEP
    return offset if abs(raw - offset) <= _FRESH and offset in _SANE else None


def _rule_offset(rule: ZoneRule, utc_ns: int) -> int:
    return rule.server_msc(utc_ns) // 1_000 - utc_ns // 1_000_000 // 1_000


def _remedy(error: int, offset: int, utc_ns: int) -> str:
    """Ticks can be late, never early; this machine's clock can be either."""
    rule, _ = infer(offset, utc_ns)
    setting = f"set server_time_zone to the server's zone ({str(rule)!r} fits now)"
    if error < 0:
        return (
            f"either these quotes are delayed by {-error / 3600:g} h (leave the setting then), or "
            f"the zone is wrong: {setting}, and check this machine's clock"
        )
    return f"ticks are never early, so the zone is wrong: {setting}, or set this machine's clock"


def _hours(offset: int) -> str:
    return f"UTC{offset / 3600:+g} h"


def _named(symbols: tuple[str, ...]) -> str:
    shown = ", ".join(symbols[:3])
    return shown if len(symbols) <= 3 else f"{shown} and {len(symbols) - 3} more"
