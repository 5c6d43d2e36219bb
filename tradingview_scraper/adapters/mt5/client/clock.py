"""Does the server's clock show what the configured zone says? `ServerClock`, fed by live ticks."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from tradingview_scraper.adapters.mt5.rules.clock import ClockState, LiveTicks, Look, Verdict
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule

_log = logging.getLogger(__name__)


class ServerClock:
    """The rule by which a server's times are converted, and what live ticks say about it.

    Thread-safe. A verdict that changes is logged, with what to do about it, and given to `tell`;
    the rule is never changed by it. That nothing is live (a weekend) changes nothing.
    """

    def __init__(self, rule: ZoneRule | None, tell: Callable[[Verdict], None]) -> None:
        #: None until it is detected.
        self.rule = rule
        self._tell = tell
        self._lock = threading.Lock()
        self._live = LiveTicks()
        self._watched: Counter[str] = Counter()
        self._told: Verdict | None = None

    @property
    def told(self) -> Verdict | None:
        """The verdict that was told last; None as long as nothing was proven."""
        return self._told

    def verdict(self, utc_ns: int | None = None) -> Verdict:
        """What the ticks of the last minutes say at `utc_ns` (nanoseconds), or now."""
        now = time.time_ns() if utc_ns is None else utc_ns
        with self._lock:
            if self.rule is None:
                text = "the server's zone is not known yet"
                return Verdict(ClockState.UNVERIFIED, None, (), text)
            return self._live.verdict(self.rule, now, watched=len(self._watched))

    def watch(self, symbol: str) -> None:
        """The ticks of `symbol` are followed, by one more."""
        with self._lock:
            self._watched[symbol] += 1

    def unwatch(self, symbol: str) -> None:
        """One less; with the last its looks are forgotten."""
        with self._lock:
            self._watched[symbol] -= 1
            if self._watched[symbol] <= 0:
                del self._watched[symbol]
                self._live.forget(symbol)

    def seen(self, symbol: str, server_msc: int, utc_ns: int) -> None:
        """At `utc_ns` the tick of `server_msc` was the newest one, and it had just come."""
        with self._lock:
            rule = self.rule
            if not self._live.add(Look(symbol, server_msc, utc_ns)) or rule is None:
                return
            found = self._live.verdict(rule, utc_ns, watched=len(self._watched))
            news = _news(self._told, found, rule)
            if news is None:
                return
            self._told = found
        if news.state is ClockState.WRONG:
            _log.error("%s", news.text)
        else:
            _log.info("%s", news.text)
        self._tell(news)


def _news(before: Verdict | None, found: Verdict, rule: ZoneRule) -> Verdict | None:
    """What is to be told of `found` after `before`; None: nothing new is proven."""
    if found.state is ClockState.UNVERIFIED:
        return None
    if before is None:
        return found if found.state is ClockState.VERIFIED else _refused(found)
    if (before.state, before.offset) == (found.state, found.offset):
        return None
    if found.state is ClockState.WRONG:
        jump = f"{_jump(before, found)}, which {rule} does not explain; {found.text}"
        return _refused(found._replace(text=jump if before.offset != found.offset else found.text))
    if before.state is ClockState.VERIFIED:
        return found._replace(text=f"{_jump(before, found)}, as {rule} has it")
    return found._replace(text=f"{found.text} (again)")


def _refused(found: Verdict) -> Verdict:
    return found._replace(text=f"{found.text}. Times go on being converted by the setting")


def _jump(before: Verdict, found: Verdict) -> str:
    from_h, to_h = (before.offset or 0) / 3600, (found.offset or 0) / 3600
    return f"the server's clock has gone from UTC{from_h:+g} h to UTC{to_h:+g} h"
