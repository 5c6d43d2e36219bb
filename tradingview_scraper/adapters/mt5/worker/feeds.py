"""What is due next? The schedule of a worker's feeds.

A feed polls the library in pieces of one call or a few, so that a request that arrives in between
waits for one piece only. It raises `CallFailed` when a poll fails, has lost nothing then, and
goes on polling.
"""

import heapq
from itertools import count
from typing import Protocol

from tradingview_scraper.adapters.mt5.worker.frames import Report


class Feed(Protocol):
    """A poll that is repeated. Times are seconds of `time.perf_counter`."""

    watch: int

    def step(self, now: float) -> tuple[Report | None, float]:
        """Do one piece; what it found, and when the next is due. Raises `CallFailed`."""

    def failed(self, now: float) -> float:
        """A step raised: when to try again."""

    def close(self) -> None:
        """It is not polled any more: let go of what it holds in the terminal. Never raises."""


class Schedule:
    """The feeds of one worker in the order in which they are due."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Feed]] = []
        self._feeds: dict[int, Feed] = {}
        self._order = count()

    def add(self, feed: Feed, due: float) -> None:
        self._feeds[feed.watch] = feed
        self.again(feed, due)

    def again(self, feed: Feed, due: float) -> None:
        """Put a feed that was taken back, unless it was removed meanwhile."""
        if self._feeds.get(feed.watch) is feed:
            heapq.heappush(self._heap, (due, next(self._order), feed))

    def remove(self, watch: int) -> None:
        feed = self._feeds.pop(watch, None)
        if feed is not None:
            feed.close()
        self._heap = [entry for entry in self._heap if entry[2].watch != watch]
        heapq.heapify(self._heap)

    def hurry(self, watch: int, now: float) -> None:
        """Make a feed due at once."""
        for place, (_, order, feed) in enumerate(self._heap):
            if feed.watch == watch:
                self._heap[place] = (now, order, feed)
                heapq.heapify(self._heap)
                return

    def next_due(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> Feed | None:
        """The feed that is due longest, or None. `again` puts it back."""
        if self._heap and self._heap[0][0] <= now:
            return heapq.heappop(self._heap)[2]
        return None
