"""What becomes of a request that was handed over?"""

import asyncio
import functools
from collections.abc import Callable, Mapping

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.events import OrderUpdated
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.nautilus_v1.fills import TradeEvents
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome, describe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error


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
        events: TradeEvents,
        loop: asyncio.AbstractEventLoop,
        keepalive_secs: float,
        heard: Callable[[SendOutcome], None],
    ) -> None:
        self._out = out
        self._client = client
        self._journal = journal
        self._events = events
        self._loop = loop
        self._keepalive_secs = keepalive_secs
        self._heard = heard
        self._log = out._log
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def start(self) -> None:
        """Begin to confirm what is in flight."""
        self._tick()

    def send(self, entry: Entry, request: Mapping[str, int | float | str]) -> None:
        """Hand `request` to the trade lane. Returns at once."""
        try:
            self._client.send(request, functools.partial(self._on_outcome, entry), self._loop)
        except (MT5Error, ValueError) as error:
            self._reject(entry, f"NOT_SENT: {error}")

    def close(self) -> None:
        """Say nothing more."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_outcome(self, entry: Entry, outcome: SendOutcome) -> None:
        if self._is_closed:
            self._log.error(f"{entry.client_order_id} was answered after disconnect: {outcome}")
            return
        self._heard(outcome)
        result = outcome.result
        if not outcome.sent:
            self._reject(entry, f"NOT_SENT: {outcome.error}")
        elif outcome.outcome is Outcome.REJECTED:
            words = f" ({result.comment})" if result is not None and result.comment else ""
            self._reject(entry, f"{_why(outcome)}{words}")
        elif outcome.outcome is Outcome.ACCEPTED and result is not None and result.order:
            now = self._out._clock.timestamp_ns()
            self._events.accept(entry, result.order, outcome.ended_ns or now)
        elif entry.is_in_flight:
            entry.is_unknown = True
            self._log.error(
                f"What became of {entry.client_order_id} is not known: {_why(outcome)}. It is not "
                f"sent again; it stays in flight until the account shows an order or deal with "
                f"magic {entry.magic}"
            )

    def _reject(self, entry: Entry, reason: str) -> None:
        if entry.ticket:
            self._log.error(
                f"{entry.client_order_id} is said to be rejected ({reason}), but the venue has it "
                f"as {entry.ticket}"
            )
            return
        entry.is_refused = True
        self._out.generate_order_rejected(
            entry.strategy_id,
            entry.instrument_id,
            entry.client_order_id,
            reason,
            self._out._clock.timestamp_ns(),
        )

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._keepalive_secs / 2, self._tick)
        now = self._out._clock.timestamp_ns()
        for entry in self._journal.in_flight():
            order = self._out._cache.order(entry.client_order_id)
            if order is None or order.status != OrderStatus.SUBMITTED:
                continue
            if now - order.last_event.ts_event >= self._keepalive_secs * 1e9:
                self._confirm(order, now)

    def _confirm(self, order: Order, now: int) -> None:
        self._out._send_order_event(
            OrderUpdated(
                trader_id=order.trader_id,
                strategy_id=order.strategy_id,
                instrument_id=order.instrument_id,
                client_order_id=order.client_order_id,
                venue_order_id=None,
                account_id=self._out.account_id,
                quantity=order.quantity,
                price=None,
                trigger_price=None,
                event_id=UUID4(),
                ts_event=now,
                ts_init=now,
            )
        )


def _why(outcome: SendOutcome) -> str:
    if outcome.result is not None:
        return describe(outcome.result.retcode)
    return str(outcome.error)
