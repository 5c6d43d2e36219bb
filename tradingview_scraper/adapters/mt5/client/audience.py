"""Who wants to be told what happens? Each on an event loop of its own, in order."""

import asyncio
import threading
from collections.abc import Callable

from tradingview_scraper.adapters.mt5.client.delivery import Deliveries
from tradingview_scraper.adapters.mt5.client.watches import HandlerWatch, Watch


class Audience[T]:
    """The handlers of one kind of news. Methods may be called from any thread, none waits.

    `lock` is shared by the audiences of one client, so that what is said first is heard first.
    """

    def __init__(self, lock: threading.RLock, deliveries: Deliveries) -> None:
        self._lock = lock
        self._deliveries = deliveries
        self._watches: tuple[HandlerWatch[T], ...] = ()

    def add(
        self,
        handler: Callable[[T], None],
        loop: asyncio.AbstractEventLoop,
        standing: Callable[[], list[T]] = list,
    ) -> Watch:
        """Tell `handler` on `loop` what is `standing` now, and then all that comes."""
        watch = HandlerWatch(handler, loop, self._forget)
        with self._lock:
            self._watches = (*self._watches, watch)
            for news in standing():
                self._deliveries.put(loop, watch.hand_over, news)
        return watch

    def tell(self, news: T) -> None:
        """Hand `news` to all of them."""
        with self._lock:
            for watch in self._watches:
                self._deliveries.put(watch.loop, watch.hand_over, news)

    def tell_in_frames(self, make: Callable[[], T], deliveries: Deliveries) -> None:
        """Hand each of them news of its own, in line with the frames of a lane."""
        for watch in self._watches:
            deliveries.put_frame(watch.loop, watch.hand_over, make())

    def _forget(self, watch: Watch) -> None:
        with self._lock:
            self._watches = tuple(known for known in self._watches if known is not watch)
