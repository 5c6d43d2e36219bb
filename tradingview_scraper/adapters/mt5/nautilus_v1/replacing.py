"""How does a waiting order get another quantity? `Replacements`: it is cancelled, and placed anew.

No server changes the volume of an order [vendor]. The second order has the first one's magic number
and terms, and a ticket of its own; in Nautilus it is the same order under a new venue order id.
"""

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.modifying import prices_of
from tradingview_scraper.adapters.mt5.nautilus_v1.outcomes import hand_over, words_of
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, quantity
from tradingview_scraper.adapters.mt5.nautilus_v1.placing import filled_of, successor
from tradingview_scraper.adapters.mt5.nautilus_v1.unproven import Doubt, Doubts
from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused
from tradingview_scraper.adapters.mt5.rules.requests import (
    Fields,
    Terms,
    remove_order,
    terms_of,
)
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.rules.symbols import units
from tradingview_scraper.adapters.mt5.terminal.constants import OrderState
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder

#: A check of the limits: raises `Denied` for a change of an order to a request, of so many units,
#: with so many left.
Admit = Callable[[Order, Fields, Listing, Decimal, Decimal], None]


class _Stage(StrEnum):
    #: The cancel of the first order is on its way.
    REMOVING = "removing"
    #: The server has taken it; the order's end, after its fills, is still to be seen.
    REMOVED = "removed"
    #: Whether it was taken is not known: nothing is placed any more.
    UNPROVEN = "unproven"
    #: The second order is handed over, and neither there nor refused yet.
    PLACING = "placing"


@dataclass(slots=True)
class _Replacement:
    order: Order
    entry: Entry
    listing: Listing
    #: The first order's type, when its cancel was sent.
    type: int
    #: What was asked for, and the units with what was filled before; None where only the second
    #: order's record can say.
    terms: Terms | None
    quantity: Decimal | None
    stage: _Stage = _Stage.REMOVING
    #: Units that the first order, and those before it, have filled.
    filled: Decimal = Decimal(0)
    #: The strategy wants no order any more.
    is_cancelled: bool = False
    #: Whether the first order is cancelled.
    doubt: Doubt | None = None


class Replacements:
    """The orders that are about to get another quantity.

    Placed is what is left of the new quantity when the first order has ended: what it filled
    meanwhile is taken off. Nothing is placed where the first order's cancel is not proved by its
    answer and by the account, where its end was another one, where a limit forbids it by then, or
    where a cancel was asked for since. When the second order is refused there is none any more:
    the change is rejected with the reason, and the order cancelled. When its outcome is unknown it
    stays in flight, and is found by its magic number, or proved absent (`Lookups`).
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        journal: Journal,
        loop: asyncio.AbstractEventLoop,
        doubts: Doubts,
        hedging: bool,
        admit: Admit,
        settled: Callable[[Entry], None],
        ended: Callable[[Entry], None],
        carried: Callable[[int, Terms], None],
    ) -> None:
        """`settled`: the order stands, changed or as it was. `ended`: it was cancelled, and told to
        be. `carried`: an order with this magic number has these terms.
        """
        self._out = out
        self._log = out._log
        self._client = client
        self._journal = journal
        self._loop = loop
        self._doubts = doubts
        self._hedging = hedging
        self._admit = admit
        self._settled = settled
        self._ended = ended
        self._carried = carried
        self._open: dict[ClientOrderId, _Replacement] = {}
        self._is_closed = False

    def begin(
        self, order: Order, entry: Entry, listing: Listing, terms: Terms, wanted: Decimal
    ) -> None:
        """Cancel the order, to place it with `wanted` units. Raises `Denied` and `RequestRefused`,
        then nothing was sent.
        """
        record = self._client.orders[entry.ticket]
        self._check(order, entry, listing, record, terms, wanted)
        replacement = _Replacement(order, entry, listing, record.type, terms, wanted)
        self._open[order.client_order_id] = replacement
        entry.is_replacing = True
        done = functools.partial(self._on_removed, replacement)
        hand_over(self._client, self._loop, remove_order(entry.ticket), done)

    def resume(
        self, order: Order, entry: Entry, listing: Listing, filled: Decimal, *, is_cancelled: bool
    ) -> None:
        """An earlier run may have sent the second order of this one, of which `filled` units are.

        It is looked for as one of unknown outcome.
        """
        replacement = _Replacement(order, entry, listing, 0, None, None, _Stage.PLACING, filled)
        replacement.is_cancelled = is_cancelled
        self._open[order.client_order_id] = replacement
        entry.is_replacing = entry.is_placing = entry.is_unknown = True

    def cancel(self, client_order_id: ClientOrderId) -> bool:
        """Place nothing more. True: the order ends, or `settled` says which ticket to cancel."""
        replacement = self._open.get(client_order_id)
        if replacement is None:
            return False
        replacement.is_cancelled = True
        if replacement.stage is _Stage.UNPROVEN:
            self._refuse(replacement, "NOT_DONE: a cancel was asked for since")
        return True

    def not_placed(self, entry: Entry, why: str) -> None:
        """The second order is proved to be nowhere."""
        replacement = self._open.get(entry.client_order_id)
        if replacement is not None and replacement.stage is _Stage.PLACING:
            self._end(replacement, why, self._now())

    def on_ticket(
        self, entry: Entry, ticket: int, record: TradeOrder | None, ts_event: int
    ) -> None:
        """The venue has the second order, under this ticket."""
        replacement = self._open.get(entry.client_order_id)
        if replacement is not None and replacement.stage is _Stage.PLACING:
            if replacement.terms is None:
                if record is None:
                    return
                left = units(record.volume_initial, replacement.listing.sizing)
                replacement.terms = terms_of(record)
                replacement.quantity = replacement.filled + left
            self._settle(replacement, ticket, ts_event)

    def on_done(self, entry: Entry, record: TradeOrder, ts_event: int) -> bool:
        """An order is over. True where that is not the end of the order in Nautilus."""
        if record.ticket in entry.former:
            return True
        replacement = self._open.get(entry.client_order_id)
        if replacement is None:
            return False
        if replacement.stage is _Stage.PLACING:
            is_refused = record.volume_current == record.volume_initial
            if record.ticket != entry.ticket and is_refused:
                state = OrderState(record.state).name
                self._end(replacement, f"{state} by the server: {record.comment}", ts_event)
            return True
        if record.ticket != entry.ticket:
            return False
        if replacement.stage is _Stage.REMOVED and record.state == OrderState.CANCELED:
            if not replacement.is_cancelled:
                self._place(replacement, record, ts_event)
                return True
        elif record.state != OrderState.FILLED:
            self._reject(replacement, "NOT_DONE: that it was cancelled for this was not proved")
        self._drop(replacement)
        return False

    def close(self) -> None:
        """Say nothing more."""
        self._is_closed = True
        for replacement in tuple(self._open.values()):
            self._drop(replacement)

    def _check(
        self,
        order: Order,
        entry: Entry,
        listing: Listing,
        record: TradeOrder,
        terms: Terms,
        wanted: Decimal,
    ) -> Fields:
        told = order.filled_qty.as_decimal()
        request = successor(record, entry, listing, terms, wanted, told=told, hedging=self._hedging)
        left = units(float(request["volume"]), listing.sizing)
        self._admit(order, request, listing, wanted, left)
        return request

    def _on_removed(self, replacement: _Replacement, outcome: SendOutcome) -> None:
        if self._is_over(replacement, outcome):
            return
        if outcome.outcome is Outcome.REJECTED:
            self._refuse(replacement, words_of(outcome))
            return
        is_taken = outcome.outcome is Outcome.ACCEPTED
        if is_taken:
            replacement.stage = _Stage.REMOVED
        else:
            replacement.stage = _Stage.UNPROVEN
            self._log.error(
                f"Whether {replacement.order.client_order_id} was cancelled, to be placed with "
                f"another quantity, is not known: {words_of(outcome)}. It is not placed"
            )
            if replacement.is_cancelled:
                self._refuse(replacement, "NOT_DONE: a cancel was asked for since")
                return
        refused = functools.partial(self._refuse, replacement)
        ticket = replacement.entry.ticket
        replacement.doubt = self._doubts.open_order(ticket, refused, is_taken=is_taken)

    def _place(self, replacement: _Replacement, record: TradeOrder, ts_event: int) -> None:
        entry, listing, order = replacement.entry, replacement.listing, replacement.order
        terms, wanted = replacement.terms, replacement.quantity
        assert terms is not None and wanted is not None
        self._doubts.settle(replacement.doubt)
        replacement.filled = entry.filled_before + filled_of(record, listing)
        try:
            if record.type != replacement.type:
                raise Denied("the order was triggered meanwhile")
            request = self._check(order, entry, listing, record, terms, wanted)
        except (Denied, RequestRefused) as error:
            self._end(replacement, f"NOT_PLACED: {error}", ts_event)
            return
        replacement.stage = _Stage.PLACING
        entry.is_placing = True
        done = functools.partial(self._on_placed, replacement)
        hand_over(self._client, self._loop, request, done)

    def _on_placed(self, replacement: _Replacement, outcome: SendOutcome) -> None:
        if self._is_over(replacement, outcome):
            return
        now = outcome.ended_ns or self._now()
        result = outcome.result
        if outcome.outcome is Outcome.REJECTED:
            self._end(replacement, words_of(outcome), now)
        elif outcome.outcome is Outcome.ACCEPTED and result is not None and result.order:
            # Whether a post-only order was booked the account says.
            if not replacement.entry.is_post_only:
                self._settle(replacement, result.order, now)
        else:
            replacement.entry.is_unknown = True
            self._log.error(
                f"Whether {replacement.order.client_order_id} was placed with its new quantity is "
                f"not known: {words_of(outcome)}. It is not sent again; it stays in flight until "
                f"the account shows, or proves not to have, an order or deal with magic "
                f"{replacement.entry.magic}"
            )

    def _is_over(self, replacement: _Replacement, outcome: SendOutcome) -> bool:
        if self._is_closed:
            order_id = replacement.order.client_order_id
            self._log.error(f"A change of {order_id} was answered after disconnect: {outcome}")
            return True
        # Otherwise the account has said it all before the answer came.
        return self._open.get(replacement.order.client_order_id) is not replacement

    def _settle(self, replacement: _Replacement, ticket: int, ts_event: int) -> None:
        entry, order = replacement.entry, replacement.order
        terms, wanted = replacement.terms, replacement.quantity
        assert terms is not None and wanted is not None
        self._drop(replacement)
        self._journal.replace(entry, ticket)
        entry.terms = terms
        entry.quantity, entry.filled_before = wanted, replacement.filled
        self._carried(entry.magic, terms)
        price, trigger = prices_of(order, terms, replacement.listing)
        self._out.generate_order_updated(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            entry.venue_order_id(ticket),
            quantity(wanted, replacement.listing.instrument.size_precision),
            price,
            trigger,
            ts_event,
            venue_order_id_modified=True,
        )
        self._settled(entry)

    def _refuse(self, replacement: _Replacement, reason: str) -> None:
        """The first order stands as it stood."""
        self._drop(replacement)
        self._reject(replacement, reason)
        self._settled(replacement.entry)

    def _end(self, replacement: _Replacement, reason: str, ts_event: int) -> None:
        """The first order is gone, and the second not there."""
        order, entry = replacement.order, replacement.entry
        self._drop(replacement)
        self._reject(replacement, reason)
        self._log.error(
            f"{order.client_order_id} is cancelled: it was to be placed with another quantity: "
            f"{reason}"
        )
        self._out.generate_order_canceled(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            entry.venue_order_id(entry.ticket),
            ts_event,
        )
        self._ended(entry)

    def _reject(self, replacement: _Replacement, reason: str) -> None:
        order = replacement.order
        self._out.generate_order_modify_rejected(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            order.venue_order_id,
            reason,
            self._now(),
        )

    def _drop(self, replacement: _Replacement) -> None:
        entry = replacement.entry
        entry.is_replacing = entry.is_placing = entry.is_unknown = False
        self._doubts.settle(replacement.doubt)
        self._open.pop(replacement.order.client_order_id, None)

    def _now(self) -> int:
        return int(self._out._clock.timestamp_ns())
