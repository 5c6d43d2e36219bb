"""Was it done, though nobody said so? `Doubts`: what stands unchanged for long enough was not.

What was done shows itself, as everything does, in the trade feed. Here is proved what was not.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.terminal.constants import OrderState
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error

#: Looks, each with the link to the server up, that prove that something was not done.
_PROOF: Final = 2
#: States in which an order waits, and is not about to change.
WORKING: Final = frozenset({OrderState.PLACED, OrderState.PARTIAL})


class Shown(StrEnum):
    """What the terminal shows of that which was to be changed."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    #: It is not there, or in between.
    NOTHING = "nothing"


@dataclass(slots=True, eq=False)
class Doubt:
    """A change or cancel that was sent, and may have been done or not."""

    #: Asks the terminal. Raises `MT5Error`.
    look: Callable[[], Awaitable[Shown]]
    #: Told, with the reason, that it was not done.
    refused: Callable[[str], None]
    #: Told that it is shown as done.
    done: Callable[[], None]
    #: What is shown unchanged, in words.
    what: str
    #: The server said that it has taken the request, not that it was done.
    is_taken: bool
    #: Nanoseconds since which there is doubt, or since the last look.
    since_ns: int
    looks: int = 0
    is_looked_up: bool = False


class Doubts:
    """The requests of unknown outcome that change or cancel something which the server has.

    None is ever sent again. When the terminal, linked to its server, has twice shown unchanged what
    it was to change, `unproven_secs` apart, it is told to be refused: should it be done after all,
    its effect is told as any other. Reads without that link are stale and prove nothing.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        loop: asyncio.AbstractEventLoop,
        unproven_secs: float,
    ) -> None:
        self._out = out
        self._log = out._log
        self._client = client
        self._loop = loop
        self._unproven_ns = int(unproven_secs * 1e9)
        self._open: set[Doubt] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def unknown_count(self) -> int:
        """Changes and cancels whose outcome is not known now."""
        return sum(not doubt.is_taken for doubt in self._open)

    def open(
        self,
        look: Callable[[], Awaitable[Shown]],
        refused: Callable[[str], None],
        *,
        done: Callable[[], None] = lambda: None,
        what: str = "the order working",
        is_taken: bool = False,
    ) -> Doubt:
        """Look for proof from now on, until it is found or the doubt settled."""
        doubt = Doubt(look, refused, done, what, is_taken, self._now())
        self._open.add(doubt)
        return doubt

    def open_order(
        self, ticket: int, refused: Callable[[str], None], *, is_taken: bool = False
    ) -> Doubt:
        """The same of a waiting order: it is unchanged while it works and nothing else is told."""
        return self.open(lambda: self._shown(ticket), refused, is_taken=is_taken)

    def settle(self, doubt: Doubt | None) -> None:
        """What became of it is known."""
        if doubt is not None:
            self._open.discard(doubt)

    def look(self, now: int) -> None:
        """Begin the looks that are due. Returns at once."""
        for doubt in self._open:
            if now - doubt.since_ns >= self._unproven_ns and not doubt.is_looked_up:
                doubt.is_looked_up = True
                task = self._loop.create_task(self._look(doubt))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Say nothing more."""
        self._open.clear()
        for task in tuple(self._tasks):
            task.cancel()

    async def _look(self, doubt: Doubt) -> None:
        try:
            shown = await doubt.look()
            if not (await self._client.terminal_info()).connected:
                shown = Shown.NOTHING
        except MT5Error as error:
            self._log.debug(f"{doubt.what} cannot be looked up: {error}")
            shown = Shown.NOTHING
        finally:
            doubt.is_looked_up = False
        if doubt not in self._open:
            return
        doubt.since_ns = self._now()
        doubt.looks = doubt.looks + 1 if shown is Shown.UNCHANGED else 0
        if shown is Shown.CHANGED:
            self.settle(doubt)
            doubt.done()
        elif doubt.looks == _PROOF:
            self.settle(doubt)
            known = "the server had taken it" if doubt.is_taken else "the outcome was unknown"
            doubt.refused(
                f"NOT_DONE: {known}, and the server has shown {doubt.what} unchanged {_PROOF} "
                f"times, {self._unproven_ns / 1e9:g} s apart"
            )

    async def _shown(self, ticket: int) -> Shown:
        orders = await self._client.orders_get(ticket=ticket)
        is_working = any(order.state in WORKING for order in orders)
        return Shown.UNCHANGED if is_working else Shown.NOTHING

    def _now(self) -> int:
        return int(self._out._clock.timestamp_ns())
