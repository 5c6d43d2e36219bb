"""What becomes of a request that was handed over?"""

import asyncio
import functools
from collections.abc import Callable
from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import OrderStatus

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_changes import BracketChanges
from tradingview_scraper.adapters.mt5.nautilus_v1.changes import Changes
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.keepalive import is_due, keep_in_flight
from tradingview_scraper.adapters.mt5.nautilus_v1.outcomes import words_of
from tradingview_scraper.adapters.mt5.nautilus_v1.own_orders import OwnOrders
from tradingview_scraper.adapters.mt5.nautilus_v1.quality import Quality
from tradingview_scraper.adapters.mt5.nautilus_v1.unproven import Doubts
from tradingview_scraper.adapters.mt5.rules.requests import Fields
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error

#: What ``order_check`` can judge.
_CHECKED: Final = (TradeAction.DEAL, TradeAction.PENDING)


class Submission:
    """Hands requests over, and says what the answers prove: accepted, rejected, or nothing.

    Nothing is sent twice. While it is not known what became of an order, the engine is told every
    few seconds that it is unchanged: otherwise it asks, and after some 30 s rejects an order that
    may have been executed [measured].
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        journal: Journal,
        own: OwnOrders,
        changes: Changes,
        bracket_changes: BracketChanges,
        doubts: Doubts,
        loop: asyncio.AbstractEventLoop,
        keepalive_secs: float,
        checks: bool,
        heard: Callable[[SendOutcome], None],
        quality: Quality,
    ) -> None:
        self._out = out
        self._client = client
        self._journal = journal
        self._own = own
        self._changes = changes
        self._bracket_changes = bracket_changes
        self._doubts = doubts
        self._loop = loop
        self._keepalive_secs = keepalive_secs
        self._checks = checks
        self._heard = heard
        self._quality = quality
        self._log = out._log
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def start(self) -> None:
        """Begin to confirm what is in flight."""
        self._tick()

    def send(self, entry: Entry, request: Fields) -> None:
        """Hand `request` to the trade lane. Returns at once.

        The order is submitted now; where requests are checked first, when its check is passed.
        """
        handed_ns = self._out._clock.timestamp_ns()
        done = functools.partial(self._on_outcome, entry)
        begun = None
        if self._checks and request["action"] in _CHECKED:
            begun = functools.partial(self._submit, entry)
            entry.is_checked = True
        else:
            self._submit(entry)
        try:
            self._client.send(request, done, self._loop, check=begun is not None, begun=begun)
        except (MT5Error, ValueError) as error:
            self._own.reject(entry, f"NOT_SENT: {error}", self._out._clock.timestamp_ns())
        else:
            self._quality.sent(entry, request, handed_ns)

    def close(self) -> None:
        """Say nothing more."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _submit(self, entry: Entry) -> None:
        entry.is_checked = False
        self._out.generate_order_submitted(
            entry.strategy_id,
            entry.instrument_id,
            entry.client_order_id,
            self._out._clock.timestamp_ns(),
        )

    def _on_outcome(self, entry: Entry, outcome: SendOutcome) -> None:
        if self._is_closed:
            self._log.error(f"{entry.client_order_id} was answered after disconnect: {outcome}")
            return
        heard_ns = self._out._clock.timestamp_ns()
        self._heard(outcome)
        result = outcome.result
        if outcome.outcome is Outcome.REJECTED:
            self._own.reject(entry, words_of(outcome), self._out._clock.timestamp_ns())
        elif entry.is_post_only and outcome.outcome is Outcome.ACCEPTED:
            # Taken or cancelled at once: the answer does not say, the account does.
            self._log.debug(
                f"{entry.client_order_id} is taken, whether it was booked is to be seen"
            )
        elif outcome.outcome is Outcome.ACCEPTED and result is not None and result.order:
            now = self._out._clock.timestamp_ns()
            self._own.accept(entry, result.order, outcome.ended_ns or now)
        elif entry.is_in_flight:
            entry.is_unknown = True
            self._log.error(
                f"What became of {entry.client_order_id} is not known: {words_of(outcome)}. It is "
                f"not sent again; it stays in flight until the account shows an order or deal with "
                f"magic {entry.magic}"
            )
        self._quality.answered(entry, outcome, heard_ns)

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._keepalive_secs / 2, self._tick)
        now = self._out._clock.timestamp_ns()
        keepalive_ns = int(self._keepalive_secs * 1e9)
        for entry in self._journal.in_flight():
            order = self._out._cache.order(entry.client_order_id)
            if order is None or order.status != OrderStatus.SUBMITTED:
                continue
            if is_due(order, now, keepalive_ns):
                keep_in_flight(self._out, order, now)
        self._changes.keep_alive(now, keepalive_ns)
        self._bracket_changes.keep_alive(now, keepalive_ns)
        self._doubts.look(now)
