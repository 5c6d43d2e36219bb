"""How has the adapter worked so far? The client's figures and the account's, logged on a timer."""

import asyncio
from typing import NamedTuple

from nautilus_trader.live.execution_client import LiveExecutionClient

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.metrics import ClientFigures
from tradingview_scraper.adapters.mt5.nautilus_v1.audit import Audit
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.unproven import Doubts


class Figures(NamedTuple):
    """What an execution client has done and met so far."""

    client: ClientFigures
    #: Orders, changes and cancels whose outcome is unknown now.
    unknown_now: int
    #: What the audit found that the trade feed had missed: each one is a bug.
    missed: int
    audits: int

    @property
    def unknown_resolved(self) -> int:
        """Unknown outcomes of this client that were settled. Those of an earlier run are not in."""
        return max(0, self.client.unknown_outcomes - self.unknown_now)

    def lines(self) -> list[str]:
        """As text: a line in all, and one a lane."""
        client = self.client
        lines = [
            f"unknown outcomes {client.unknown_outcomes}, of these open {self.unknown_now}; "
            f"gaps {client.gaps}; missed by the feed {self.missed} in {self.audits} audits"
        ]
        for lane, of in client.lanes.items():
            slowest = sorted(of.functions.items(), key=lambda item: -item[1].p95_ms)[:3]
            functions = ", ".join(
                f"{name} {one.calls}x p50 {one.p50_ms:.1f} p95 {one.p95_ms:.1f} "
                f"p99 {one.p99_ms:.1f} ms ({one.failures} failed)"
                for name, one in slowest
            )
            polls = ", ".join(
                f"{name} {one.mean_ms:.2f} (longest {one.longest_ms:.1f}) ms"
                for name, one in of.polls.items()
            )
            lines.append(
                f"{lane} lane: {of.calls} calls, {of.restarts} restarts; "
                f"slowest: {functions or 'none'}; polls: {polls or 'none'}"
            )
        return lines


class MetricsLog:
    """Keeps the figures together, and logs them every `every_secs` (0: never)."""

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        journal: Journal,
        doubts: Doubts,
        audit: Audit,
        loop: asyncio.AbstractEventLoop,
        every_secs: float,
    ) -> None:
        self._log = out._log
        self._client = client
        self._journal = journal
        self._doubts = doubts
        self._audit = audit
        self._loop = loop
        self._every_secs = every_secs
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Log from now on."""
        if self._every_secs:
            self._timer = self._loop.call_later(self._every_secs, self._tick)

    def close(self) -> None:
        """Log no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def figures(self) -> Figures:
        """As of now."""
        orders = len(self._journal.unproven())
        return Figures(
            self._client.metrics,
            orders + self._doubts.unknown_count,
            self._audit.missed,
            self._audit.audits,
        )

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._every_secs, self._tick)
        for line in self.figures().lines():
            self._log.info(line)
