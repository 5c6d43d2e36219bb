"""What became of an order that nobody answered for? Looked up until the account proves it.

What happened is told by the trade feed, as everything is. Here is proved what did not: that the
venue has no order, deal or position with the order's magic number, and can have none any more.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.identifiers import ClientOrderId

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import Snapshot
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.own_orders import OwnOrders
from tradingview_scraper.adapters.mt5.nautilus_v1.replacing import Replacements
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error

#: Readings of the account, a margin of server time apart, that prove that an order is not there.
_PROOF: Final = 2
#: Looks at the server's clock within one margin.
_LOOKS: Final = 10
#: Seconds before the unknown request from which history is read: a stale tick is a day old.
_BACK_SECS: Final = 2 * 86_400


@dataclass(slots=True)
class _Case:
    """An order of unknown outcome. Stamps are milliseconds of server time."""

    entry: Entry
    #: Nanoseconds since which it is looked up without a break.
    since_ns: int
    #: The newest tick when that began; it may be old.
    stale: int | None = None
    #: A newer one: the server's clock was seen to move after the request.
    live: int | None = None
    readings: int = 0

    def begin_again(self, now_ns: int) -> None:
        self.since_ns, self.stale, self.live, self.readings = now_ns, None, None, 0


class Lookups:
    """Proves which orders of unknown outcome never came to be, and has them rejected.

    An order is absent when two readings of orders, history, deals and positions do not have its
    magic number, each taken after the server's clock, seen to move, has passed the request (the
    second: the first reading) by `margin_secs`, and the node's clock as well, with every lane
    attached and the link to the server up all the time. On a market that stands still nothing is
    proved.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        journal: Journal,
        own: OwnOrders,
        replacements: Replacements,
        loop: asyncio.AbstractEventLoop,
        margin_secs: float,
    ) -> None:
        self._out = out
        self._log = out._log
        self._client = client
        self._journal = journal
        self._own = own
        self._replacements = replacements
        self._loop = loop
        self._margin_secs = margin_secs
        self._cases: dict[ClientOrderId, _Case] = {}
        #: The server's clock as of the last look.
        self._stamp = 0
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on, also for what an earlier run has left in flight."""
        self._tick()

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._looking is not None:
            self._looking.cancel()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._margin_secs / _LOOKS, self._tick)
        unknown = {entry.client_order_id: entry for entry in self._journal.unproven()}
        now = self._now()
        self._cases = {
            key: self._cases.get(key) or _Case(entry, now) for key, entry in unknown.items()
        }
        if self._cases and self._looking is None:
            self._looking = self._loop.create_task(self._look())

    async def _look(self) -> None:
        try:
            if not (self._client.is_ready and self._client.state.may_trade):
                self._begin_again()
                return
            due = [case for case in await self._timed() if self._is_due(case)]
            if due:
                earliest = min(case.stale or 0 for case in due) // 1_000 - _BACK_SECS
                self._judge(due, await self._client.snapshot(max(1, earliest)))
        except MT5Error as error:
            self._log.debug(f"Orders of unknown outcome cannot be looked up: {error}")
            self._begin_again()
        finally:
            self._looking = None

    async def _timed(self) -> list[_Case]:
        """The cases, with the server's clock as the ticks of their symbols show it."""
        cases = list(self._cases.values())
        ticks = [
            await self._client.symbol_info_tick(symbol)
            for symbol in sorted({case.entry.symbol for case in cases})
        ]
        stamp = max(tick.time_msc for tick in ticks)
        for case in cases:
            if case.stale is None:
                case.stale = stamp
            elif case.live is None and stamp > case.stale:
                case.live = stamp
        self._stamp = stamp
        return cases

    def _is_due(self, case: _Case) -> bool:
        if case.live is None:
            return False
        has_passed = self._stamp - case.live >= self._margin_secs * 1_000
        return has_passed and self._now() - case.since_ns >= self._margin_secs * 1e9

    def _judge(self, cases: list[_Case], snapshot: Snapshot) -> None:
        unproven = {entry.client_order_id for entry in self._journal.unproven()}
        for case in cases:
            entry = case.entry
            if entry.client_order_id not in unproven:
                continue
            if self._is_there(entry, snapshot):
                # The feed brings it. Nothing else may be said of it before.
                case.begin_again(self._now())
                continue
            case.readings += 1
            case.live, case.since_ns = self._stamp, self._now()
            if case.readings == _PROOF:
                self._give_up(entry)

    def _is_there(self, entry: Entry, snapshot: Snapshot) -> bool:
        """Whether the account has anything of the order but what came of its former tickets."""
        of_magic = self._journal.of_magic
        records = (*snapshot.orders, *snapshot.history)
        tickets = {order.ticket for order in records if of_magic(order.magic) is entry}
        tickets |= {deal.order for deal in snapshot.deals if of_magic(deal.magic) is entry}
        tickets |= {one.identifier for one in snapshot.positions if of_magic(one.magic) is entry}
        return bool(tickets - {entry.ticket, *entry.former})

    def _give_up(self, entry: Entry) -> None:
        self._cases.pop(entry.client_order_id, None)
        entry.is_unknown = False
        why = (
            f"NOT_DONE: the outcome was unknown, and {_PROOF} readings of the account, "
            f"{self._margin_secs:g} s of server time apart, have no order, deal or position with "
            f"magic {entry.magic}"
        )
        if entry.is_placing:
            self._replacements.not_placed(entry, f"{why} but those of its former tickets")
        else:
            self._own.reject(entry, why, self._now())

    def _begin_again(self) -> None:
        for case in self._cases.values():
            case.begin_again(self._now())

    def _now(self) -> int:
        return int(self._out._clock.timestamp_ns())


def magics_in(snapshot: Snapshot) -> set[int]:
    """The magic numbers of all orders, finished orders, deals and positions of a reading."""
    magics = {order.magic for order in (*snapshot.orders, *snapshot.history)}
    magics |= {deal.magic for deal in snapshot.deals}
    return magics | {position.magic for position in snapshot.positions}
