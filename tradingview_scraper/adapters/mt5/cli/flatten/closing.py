"""How does an account become flat? Rounds of cancels and closes until nothing is left, or time is.

Nothing is sent twice while it is not known what became of it: a position is closed again only when
the account's records show how the request before it ended. What stays unknown is left and said.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tradingview_scraper.adapters.mt5.cli.flatten.plan import (
    PASSING,
    Request,
    Selection,
    cancel_request,
    close_request,
    run_magic,
)
from tradingview_scraper.adapters.mt5.client import MT5Client, SendOutcome
from tradingview_scraper.adapters.mt5.rules.facts import Dealt, Fact, OrderDone
from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome, describe
from tradingview_scraper.adapters.mt5.terminal.constants import OrderState
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5Error,
    MT5IdentityError,
    MT5LaneLost,
)
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder, TradePosition

#: Seconds between two looks at the account.
_LOOK_SECS: Final = 0.05
#: Seconds before what was refused for a moment is tried again.
_AGAIN_SECS: Final = 0.5
#: Seconds after an answer in which the account must show what came of a request.
_SETTLE_SECS: Final = 10.0
#: Readings at the end before it stays open what is left.
_LAST_LOOKS: Final = 5
#: Lots that are no difference: sums of floats.
_NOISE: Final = 1e-8
_UNKNOWN: Final = "it is not known what became of the request: nothing more is sent for it"


@dataclass(slots=True)
class Left:
    """Something that is still there, and why."""

    record: TradePosition | TradeOrder
    reason: str


@dataclass(slots=True)
class Result:
    """What was done, and what is left."""

    deals: list[TradeDeal] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    positions_left: list[Left] = field(default_factory=list)
    orders_left: list[Left] = field(default_factory=list)
    #: The account was read again at the end, from a terminal that is linked to its server: what is
    #: left is certain.
    is_verified: bool = False
    failure: str = ""

    @property
    def is_flat(self) -> bool:
        """It was looked at, and nothing that was meant is left."""
        return self.is_verified and not self.positions_left and not self.orders_left


@dataclass(slots=True)
class _Sent:
    #: The order to cancel, or the position to close.
    record: TradePosition | TradeOrder
    #: Of the closing order; 0 for a cancel.
    magic: int = 0
    outcome: SendOutcome | None = None


class Flattening:
    """One run on a connected client."""

    def __init__(
        self,
        client: MT5Client,
        selection: Selection,
        *,
        deviation: int,
        tell: Callable[[str], None],
    ) -> None:
        self.result = Result()
        self._client = client
        self._selection = selection
        self._deviation = deviation
        self._tell = tell
        self._magic = run_magic(time.time_ns())
        self._reasons: dict[int, str] = {}
        #: Tickets that nothing more is sent for: refused for good, or unknown.
        self._given_up: set[int] = set()
        self._cancelling: set[int] = set()
        #: Finished orders: cancelled ones by ticket, closing ones by magic number.
        self._done: dict[int, TradeOrder] = {}
        self._magics: set[int] = set()

    async def run(self, seconds: float) -> Result:
        """Flatten within about so many seconds. Never raises an `MT5Error`."""
        result = self.result
        watch = self._client.watch_trade(self._on_facts, asyncio.get_running_loop())
        try:
            async with asyncio.timeout(seconds):
                while await self._round():  # noqa: ASYNC110 (what changes is at the broker)
                    await asyncio.sleep(_AGAIN_SECS)
        except TimeoutError:
            result.failure = f"not done within {seconds:g} s"
        except MT5Error as error:
            result.failure = str(error)
        await self._verify()
        watch.close()
        return result

    async def _round(self) -> bool:
        """Send what is to be sent and wait for its end. True when another round may be needed.

        Raises `MT5IdentityError`.
        """
        try:
            positions, orders = await self._read()
        except MT5IdentityError:
            raise
        except MT5Error as error:
            self._tell(f"the account cannot be read, trying again: {error}")
            return True
        # Orders first: one that triggers meanwhile would open what is closed here.
        sent = [
            self._send(_Sent(order), cancel_request(order))
            for order in orders
            if order.ticket not in self._given_up
        ]
        for position in positions:
            if position.ticket not in self._given_up:
                request = await self._close(position)
                if request is not None:
                    sent.append(self._send(_Sent(position, int(request["magic"])), request))
        if not sent:
            return False
        await asyncio.gather(*map(self._settle, sent))
        return True

    async def _close(self, position: TradePosition) -> Request | None:
        try:
            await self._client.symbol_select(position.symbol, True)
            info = await self._client.symbol_info(position.symbol)
            tick = await self._client.symbol_info_tick(position.symbol)
            self._magic += 1
            self._magics.add(self._magic)
            return close_request(position, info, tick, magic=self._magic, deviation=self._deviation)
        except (MT5Error, RequestRefused) as error:
            self._give_up(position.ticket, str(error))
            return None

    def _send(self, sent: _Sent, request: Request) -> _Sent:
        def done(outcome: SendOutcome) -> None:
            sent.outcome = outcome

        if not sent.magic:
            self._cancelling.add(sent.record.ticket)
        # Given up until it is proved what became of it.
        self._give_up(sent.record.ticket, _UNKNOWN)
        self._client.send(request, done, asyncio.get_running_loop())
        return sent

    async def _settle(self, sent: _Sent) -> None:
        ticket = sent.record.ticket
        while sent.outcome is None:  # noqa: ASYNC110 (answers come from another process)
            await asyncio.sleep(_LOOK_SECS)
        outcome = sent.outcome
        if outcome.outcome is Outcome.REJECTED:
            self._refused(ticket, outcome)
            return
        if outcome.outcome is Outcome.UNKNOWN:
            why = describe(outcome.result.retcode) if outcome.result else str(outcome.error)
            self._give_up(ticket, f"{_UNKNOWN} ({why})")
            self._tell(f"{ticket}: {why}; what became of it is looked up")
        else:
            self._give_up(ticket, "the venue took the request, and has not carried it out yet")
        try:
            async with asyncio.timeout(_SETTLE_SECS):
                while not await self._is_settled(sent):  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_SECS)
        except TimeoutError:
            return
        self._given_up.discard(ticket)
        self._reasons.pop(ticket, None)

    def _refused(self, ticket: int, outcome: SendOutcome) -> None:
        code = outcome.result.retcode if outcome.result is not None else 0
        self._give_up(ticket, describe(code) if code else f"not sent: {outcome.error}")
        if code in PASSING or isinstance(outcome.error, MT5LaneLost):
            self._given_up.discard(ticket)

    async def _is_settled(self, sent: _Sent) -> bool:
        """The order is finished, and the position shows what it did: lists change one by one."""
        if isinstance(sent.record, TradeOrder):
            return sent.record.ticket in self._done
        done = self._done.get(sent.magic)
        if done is None:
            return False
        before = sent.record
        expected = before.volume - (done.volume_initial - done.volume_current)
        try:
            positions = await self._client.positions_get()
        except MT5Error:
            return False
        now = next((one for one in positions if one.identifier == before.identifier), None)
        return now is None or now.volume <= expected + _NOISE

    def _on_facts(self, facts: list[Fact]) -> None:
        for fact in facts:
            match fact:
                case OrderDone(order) if order.magic in self._magics:
                    self._done[order.magic] = order
                case OrderDone(order) if order.ticket in self._cancelling:
                    self._done[order.ticket] = order
                    if order.state == OrderState.CANCELED:
                        self.result.cancelled.append(order.ticket)
                case Dealt(deal, _) if deal.magic in self._magics:
                    self.result.deals.append(deal)

    def _give_up(self, ticket: int, reason: str) -> None:
        self._given_up.add(ticket)
        self._reasons[ticket] = reason

    async def _read(self) -> tuple[list[TradePosition], list[TradeOrder]]:
        positions = self._selection.positions(await self._client.positions_get())
        orders = self._selection.orders(await self._client.orders_get())
        return positions, orders

    async def _verify(self) -> None:
        """Read the account once more, however the run ended."""
        result = self.result
        for _ in range(_LAST_LOOKS):
            try:
                positions, orders = await self._read()
                terminal = await self._client.terminal_info()
            except MT5IdentityError as error:
                result.failure = str(error)
                return
            except MT5Error as error:
                last = str(error)
            else:
                if terminal.connected:
                    break
                last = "the terminal has no link to its trade server, what it shows may be old"
            await asyncio.sleep(_AGAIN_SECS)
        else:
            result.failure = f"{result.failure}; {last}" if result.failure else last
            return
        result.is_verified = True
        result.positions_left = [Left(one, self._why(one.ticket)) for one in positions]
        result.orders_left = [Left(one, self._why(one.ticket)) for one in orders]

    def _why(self, ticket: int) -> str:
        return self._reasons.get(ticket) or self.result.failure or "it came meanwhile"
