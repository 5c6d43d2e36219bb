"""Has the trade feed missed anything? Asked on a slow timer, by reading the account as a whole.

It never should: whatever is found is a bug, and is counted as one.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import Snapshot
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import is_trade
from tradingview_scraper.adapters.mt5.rules.facts import Dealt, Fact
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error

#: Seconds that the feed has for what a reading of the account shows before it.
_GRACE_SECS: Final = 5.0
#: Frames of the feed within it, of which the last one or two are of a reading begun in it.
_FRAMES: Final = 4


class Audit:
    """Compares the account with what the feed has brought. `missed` counts what it has not.

    Missed is what two readings show, a grace apart, and the feed has not brought after the second,
    though it has looked in between: it does not while a request is with the broker, or its worker
    is started. A deal that was missed is published then, as the feed would have.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        journal: Journal,
        publish: Callable[[list[Fact]], None],
        loop: asyncio.AbstractEventLoop,
        every_secs: float,
        grace_secs: float = _GRACE_SECS,
    ) -> None:
        self._log = out._log
        self._client = client
        self._journal = journal
        self._publish = publish
        self._loop = loop
        self._every_secs = every_secs
        self._grace_secs = grace_secs
        self._before: set[int] = set()
        self._task: asyncio.Task[None] | None = None
        #: Deals, orders and positions that the feed has missed.
        self.missed = 0
        #: Readings that were compared.
        self.audits = 0

    def start(self, snapshot: Snapshot) -> None:
        """Begin; the deals of `snapshot` were there before."""
        self._before = {deal.ticket for deal in snapshot.deals}
        if self._every_secs:
            self._task = self._loop.create_task(self._run())

    def close(self) -> None:
        """Compare no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def look(self) -> int:
        """Compare once; how much was missed. Raises `MT5Error` when the account cannot be read."""
        suspects = self._missing(await self._client.snapshot())
        if suspects:
            enough = self._client.trade_frames + _FRAMES
            await asyncio.sleep(self._grace_secs)
            if self._client.trade_frames < enough:
                return 0
            snapshot = await self._client.snapshot()
            suspects &= self._missing(snapshot)
            self._tell(suspects, snapshot)
        self.audits += 1
        self.missed += len(suspects)
        return len(suspects)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_secs)
            try:
                await self.look()
            except MT5Error as error:
                self._log.debug(f"The account cannot be audited: {error}")
            except Exception as error:
                self._log.exception("The audit failed", error)

    def _missing(self, snapshot: Snapshot) -> set[tuple[str, int]]:
        deals = {
            deal.ticket
            for deal in snapshot.deals
            if is_trade(deal)
            and deal.ticket not in self._before
            and not self._journal.is_reported(deal)
        }
        orders = {order.ticket for order in snapshot.orders} ^ set(self._client.orders)
        positions = {held.ticket for held in snapshot.positions} ^ set(self._client.positions)
        return {
            *(("deal", ticket) for ticket in deals),
            *(("order", ticket) for ticket in orders),
            *(("position", ticket) for ticket in positions),
        }

    def _tell(self, missed: set[tuple[str, int]], snapshot: Snapshot) -> None:
        for what, ticket in sorted(missed):
            self._log.error(f"BUG: the trade feed has missed {what} {ticket}: please report it")
        records = {order.ticket: order for order in (*snapshot.history, *snapshot.orders)}
        deals = [
            Dealt(deal, records.get(deal.order))
            for deal in sorted(snapshot.deals, key=lambda deal: (deal.time_msc, deal.ticket))
            if ("deal", deal.ticket) in missed
        ]
        if deals:
            self._publish([*deals])
