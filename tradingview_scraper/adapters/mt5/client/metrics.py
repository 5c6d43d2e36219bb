"""How much was asked, how long did it take, and what went wrong? Counted since the connect.

Durations are kept in buckets, each a fifth wider than the one before it: percentiles are right to
about ten per cent, and the memory does not grow.
"""

import math
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.client.lanes import Lane

_STEP: Final = math.log(1.2)
_SHORTEST_SECS: Final = 1e-6


class FunctionFigures(NamedTuple):
    """Calls of one function on one lane, from the hand-over to the answer."""

    calls: int
    #: Those that raised: the library's failures, timeouts, lost workers.
    failures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    longest_ms: float


class PollFigures(NamedTuple):
    """Pieces of polls of one kind of feed in a lane's worker."""

    pieces: int
    mean_ms: float
    longest_ms: float


class LaneFigures(NamedTuple):
    """One lane's work."""

    calls: int
    #: Workers that were lost, and followed by another one.
    restarts: int
    functions: Mapping[str, FunctionFigures]
    polls: Mapping[str, PollFigures]


class ClientFigures(NamedTuple):
    """What a client has done and met so far."""

    lanes: Mapping[Lane, LaneFigures]
    #: Times that the terminal had lost ticks.
    gaps: int
    #: Trade requests whose outcome was unknown when they were answered, or were not.
    unknown_outcomes: int


class Metrics:
    """Counts. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Count from zero: a client is connected that nobody used."""
        self._functions: dict[tuple[Lane, str], _Durations] = {}
        self._polls: dict[tuple[Lane, str], tuple[int, float, float]] = {}
        self._restarts: Counter[Lane] = Counter()
        self._unknown = 0

    def answered(self, lane: Lane, function: str, seconds: float, *, failed: bool) -> None:
        with self._lock:
            self._functions.setdefault((lane, function), _Durations()).add(seconds, failed)

    def polled(self, lane: Lane, feed: str, pieces: int, seconds: float, longest: float) -> None:
        with self._lock:
            before = self._polls.get((lane, feed), (0, 0.0, 0.0))
            self._polls[lane, feed] = (
                before[0] + pieces,
                before[1] + seconds,
                max(before[2], longest),
            )

    def lost(self, lane: Lane) -> None:
        with self._lock:
            self._restarts[lane] += 1

    def unknown(self) -> None:
        with self._lock:
            self._unknown += 1

    def figures(self, gaps: int) -> ClientFigures:
        """As of now."""
        with self._lock:
            return ClientFigures({lane: self._lane(lane) for lane in Lane}, gaps, self._unknown)

    def _lane(self, lane: Lane) -> LaneFigures:
        functions = {
            function: durations.figures()
            for (owner, function), durations in sorted(self._functions.items())
            if owner is lane
        }
        polls = {
            feed: PollFigures(pieces, 1e3 * seconds / pieces, 1e3 * longest)
            for (owner, feed), (pieces, seconds, longest) in sorted(self._polls.items())
            if owner is lane
        }
        calls = sum(one.calls for one in functions.values())
        return LaneFigures(calls, self._restarts[lane], functions, polls)


class _Durations:
    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self._calls = 0
        self._failures = 0
        self._longest = 0.0

    def add(self, seconds: float, failed: bool) -> None:
        self._calls += 1
        self._failures += failed
        self._longest = max(self._longest, seconds)
        self._buckets[round(math.log(max(seconds, _SHORTEST_SECS)) / _STEP)] += 1

    def figures(self) -> FunctionFigures:
        p50, p95, p99 = (self._percentile_ms(part) for part in (0.5, 0.95, 0.99))
        return FunctionFigures(self._calls, self._failures, p50, p95, p99, 1e3 * self._longest)

    def _percentile_ms(self, part: float) -> float:
        wanted = math.ceil(part * self._calls)
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= wanted:
                return 1e3 * min(self._longest, math.exp(bucket * _STEP))
        return 0.0
