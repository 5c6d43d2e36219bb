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

from nautilus_trader.execution.messages import ModifyOrder
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import ContingencyType
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.modifying import prices_of
from tradingview_scraper.adapters.mt5.nautilus_v1.outcomes import words_of
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, quantity
from tradingview_scraper.adapters.mt5.rules.expiry import Expiry
from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused
from tradingview_scraper.adapters.mt5.rules.requests import (
    Fields,
    Terms,
    pending_order,
    remove_order,
)
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.rules.symbols import VolumeError, lots, units
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderState,
    OrderTime,
    OrderType,
)
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder


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
    command: ModifyOrder
    order: Order
    entry: Entry
    listing: Listing
    #: The first order as it was when its cancel was sent.
    record: TradeOrder
    terms: Terms
    #: Units, with what was filled before.
    quantity: Decimal
    stage: _Stage = _Stage.REMOVING
    #: Units that the first order, and those before it, have filled.
    filled: Decimal = Decimal(0)
    #: The strategy wants no order any more.
    is_cancelled: bool = False


class Replacements:
    """The orders that are about to get another quantity.

    Placed is what is left of the new quantity when the first order has ended: what it filled
    meanwhile is taken off. Nothing is placed where the first order's cancel is not proved by its
    answer, where its end was another one, or where a cancel was asked for since. When the second
    order is refused there is none any more: the change is rejected with the reason, and the order
    cancelled. When its outcome is unknown it stays in flight, and is found by its magic number.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        journal: Journal,
        loop: asyncio.AbstractEventLoop,
        hedging: bool,
        settled: Callable[[Entry], None],
        ended: Callable[[Entry], None],
        doubted: Callable[[Entry, SendOutcome], None],
        carried: Callable[[int, Terms], None],
    ) -> None:
        """`settled`: the order stands, changed or as it was. `ended`: it was cancelled, and told to
        be. `doubted`: its cancel is unknown. `carried`: an order with this magic number has these
        terms.
        """
        self._out = out
        self._log = out._log
        self._client = client
        self._journal = journal
        self._loop = loop
        self._hedging = hedging
        self._settled = settled
        self._ended = ended
        self._doubted = doubted
        self._carried = carried
        self._open: dict[ClientOrderId, _Replacement] = {}
        self._is_closed = False

    def request(
        self, order: Order, entry: Entry, listing: Listing, terms: Terms, wanted: Decimal
    ) -> Fields:
        """The order as it would be placed now. Raises `Denied` and `RequestRefused`."""
        record = self._client.orders.get(entry.ticket)
        if record is None:
            raise Denied("UNSUPPORTED_MODIFY: the order does not wait at the server")
        if order.contingency_type != ContingencyType.NO_CONTINGENCY:
            raise Denied(
                "UNSUPPORTED_MODIFY: a bracket's quantity cannot be changed: its stops have the "
                "id of its entry's ticket, and would lose it: cancel it, and send another one"
            )
        filled = entry.filled_before + _filled(record, listing)
        if wanted <= filled:
            raise Denied(f"UNSUPPORTED_MODIFY: quantity={wanted}, but {filled} are filled already")
        return _placing(listing, record, terms, wanted - filled, entry.magic, self._hedging)

    def begin(
        self,
        command: ModifyOrder,
        order: Order,
        entry: Entry,
        listing: Listing,
        terms: Terms,
        wanted: Decimal,
    ) -> None:
        """Cancel the order, to place it with `wanted` units. `request` has let it pass."""
        record = self._client.orders[entry.ticket]
        replacement = _Replacement(command, order, entry, listing, record, terms, wanted)
        self._open[order.client_order_id] = replacement
        entry.is_replacing = True
        done = functools.partial(self._on_removed, replacement)
        self._send(remove_order(entry.ticket), done)

    def cancel(self, client_order_id: ClientOrderId) -> bool:
        """Place nothing more. True: the order ends, or a ticket to cancel follows (`settled`)."""
        replacement = self._open.get(client_order_id)
        if replacement is None:
            return False
        replacement.is_cancelled = True
        return replacement.stage is not _Stage.UNPROVEN

    def give_up(self, client_order_id: ClientOrderId, why: str) -> None:
        """The first order works on: its cancel was not done."""
        replacement = self._open.get(client_order_id)
        if replacement is not None and replacement.stage is _Stage.UNPROVEN:
            self._refuse(replacement, why)

    def on_ticket(self, entry: Entry, ticket: int, ts_event: int) -> None:
        """The venue has the second order, under this ticket."""
        replacement = self._open.get(entry.client_order_id)
        if replacement is not None and replacement.stage is _Stage.PLACING:
            self._settle(replacement, ticket, ts_event)

    def on_done(self, entry: Entry, record: TradeOrder, ts_event: int) -> bool:
        """An order is over. True where that is not the end of the order in Nautilus."""
        if record.ticket in entry.former:
            return True
        replacement = self._open.get(entry.client_order_id)
        if replacement is None:
            return False
        if record.ticket != entry.ticket:
            is_refused = record.volume_current == record.volume_initial
            if replacement.stage is _Stage.PLACING and is_refused:
                state = OrderState(record.state).name
                self._end(replacement, f"{state} by the server: {record.comment}", ts_event)
                return True
            return False
        if replacement.stage is _Stage.REMOVED and record.state == OrderState.CANCELED:
            if not replacement.is_cancelled:
                self._place(replacement, record, ts_event)
                return True
        elif replacement.stage is _Stage.UNPROVEN:
            self._reject(
                replacement,
                "NOT_DONE: whether the order was cancelled was not known, it is not placed anew",
            )
        self._drop(replacement)
        return False

    def close(self) -> None:
        """Say nothing more."""
        self._is_closed = True
        self._open.clear()

    def _on_removed(self, replacement: _Replacement, outcome: SendOutcome) -> None:
        if self._is_over(replacement, outcome):
            return
        if outcome.outcome is Outcome.ACCEPTED:
            replacement.stage = _Stage.REMOVED
        elif outcome.outcome is Outcome.REJECTED:
            self._refuse(replacement, words_of(outcome))
        else:
            replacement.stage = _Stage.UNPROVEN
            self._doubted(replacement.entry, outcome)

    def _place(self, replacement: _Replacement, record: TradeOrder, ts_event: int) -> None:
        entry, listing = replacement.entry, replacement.listing
        replacement.filled = entry.filled_before + _filled(record, listing)
        left = replacement.quantity - replacement.filled
        try:
            if record.type != replacement.record.type:
                raise Denied("the order was triggered meanwhile")
            if left <= 0:
                raise Denied(f"{replacement.filled} are filled, nothing is left to place")
            request = _placing(listing, record, replacement.terms, left, entry.magic, self._hedging)
        except (Denied, RequestRefused) as error:
            self._end(replacement, f"NOT_PLACED: {error}", ts_event)
            return
        replacement.stage = _Stage.PLACING
        entry.is_placing = True
        self._send(request, functools.partial(self._on_placed, replacement))

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
            self._log.error(
                f"Whether {replacement.order.client_order_id} was placed with its new quantity is "
                f"not known: {words_of(outcome)}. It is not sent again; it stays in flight until "
                f"the account shows an order or deal with magic {replacement.entry.magic}"
            )

    def _is_over(self, replacement: _Replacement, outcome: SendOutcome) -> bool:
        if self._is_closed:
            self._log.error(f"{replacement.command!r} was answered after disconnect: {outcome}")
            return True
        # Otherwise the account has said it all before the answer came.
        return self._open.get(replacement.order.client_order_id) is not replacement

    def _settle(self, replacement: _Replacement, ticket: int, ts_event: int) -> None:
        entry, order = replacement.entry, replacement.order
        self._drop(replacement)
        self._journal.replace(entry, ticket)
        entry.terms = replacement.terms
        entry.quantity, entry.filled_before = replacement.quantity, replacement.filled
        self._carried(entry.magic, replacement.terms)
        price, trigger = prices_of(order, replacement.terms, replacement.listing)
        precision = replacement.listing.instrument.size_precision
        self._out.generate_order_updated(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            entry.venue_order_id(ticket),
            quantity(replacement.quantity, precision),
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
        command = replacement.command
        self._out.generate_order_modify_rejected(
            command.strategy_id,
            command.instrument_id,
            command.client_order_id,
            command.venue_order_id,
            reason,
            self._now(),
        )

    def _drop(self, replacement: _Replacement) -> None:
        replacement.entry.is_replacing = replacement.entry.is_placing = False
        self._open.pop(replacement.order.client_order_id, None)

    def _send(self, request: Fields, done: Callable[[SendOutcome], None]) -> None:
        try:
            self._client.send(request, done, self._loop)
        except (MT5Error, ValueError) as error:
            refused = error if isinstance(error, MT5Error) else MT5Error(str(error))
            done(SendOutcome(Outcome.REJECTED, None, refused, request, False, 0, 0))

    def _now(self) -> int:
        return int(self._out._clock.timestamp_ns())


def _filled(record: TradeOrder, listing: Listing) -> Decimal:
    return units(record.volume_initial - record.volume_current, listing.sizing)


def _placing(
    listing: Listing,
    record: TradeOrder,
    terms: Terms,
    left: Decimal,
    magic: int,
    hedging: bool,
) -> Fields:
    """The order that `record` is with other terms, for `left` units."""
    try:
        volume = lots(left, listing.sizing, listing.info)
    except VolumeError as error:
        raise Denied(f"VALIDATION_FAILED: {error}") from error
    return pending_order(
        listing.info,
        type=OrderType(record.type),
        lots=volume,
        price=terms.price,
        stoplimit=terms.stoplimit,
        sl=terms.sl,
        tp=terms.tp,
        magic=magic,
        expiry=Expiry(OrderTime(terms.type_time), terms.expiration),
        filling=OrderFilling(record.type_filling),
        comment=record.comment,
        opens=hedging,
    )
