"""What becomes of a command to change or cancel an order? `Changes`."""

import asyncio
import functools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from nautilus_trader.execution.messages import ModifyOrder
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.identifiers import ClientOrderId, VenueOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.keepalive import is_due, keep_in_flight
from tradingview_scraper.adapters.mt5.nautilus_v1.modifying import changed_terms, prices_of, type_of
from tradingview_scraper.adapters.mt5.nautilus_v1.outcomes import words_of
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, quantity
from tradingview_scraper.adapters.mt5.nautilus_v1.replacing import Replacements
from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused
from tradingview_scraper.adapters.mt5.rules.requests import (
    Fields,
    Terms,
    modify_order,
    remove_order,
    terms_of,
)
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.rules.symbols import units
from tradingview_scraper.adapters.mt5.terminal.constants import OrderState
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder

_WORKING: Final = frozenset({OrderState.PLACED, OrderState.PARTIAL})
#: Looks at an order, each with the link to the server up, that prove a change was not done.
_PROOF: Final = 2


class _Cancel(StrEnum):
    NONE = "none"
    #: For the ticket of an order that is still on its way.
    WAITING = "waiting"
    SENT = "sent"
    #: The server has taken it; the order's end is still to be seen.
    TAKEN = "taken"
    UNKNOWN = "unknown"


class LevelChange(NamedTuple):
    """A stop loss or take profit, an order of its own in Nautilus, changed with its entry."""

    #: The stop.
    order: Order
    accepted: Callable[[int], None]
    refused: Callable[[str], None]


class EntryWatcher(Protocol):
    """Hears of the orders that carry stops."""

    def on_terms(self, entry: Entry, terms: Terms, ts_event: int) -> None:
        """A waiting order has these terms now."""

    def on_cancel_refused(self, client_order_id: ClientOrderId) -> None:
        """The cancel of a waiting order was not done."""


class _Wish(NamedTuple):
    """A change that is asked for; `of_stop` where it is one of a stop that the order carries."""

    command: ModifyOrder
    of_stop: LevelChange | None = None


@dataclass(slots=True)
class _Work:
    """What is asked of one order, and not settled yet."""

    order: Order
    entry: Entry | None
    ticket: int
    #: Changes that wait for the one before them, or for the order's ticket.
    waiting: deque[_Wish] = field(default_factory=deque)
    is_changing: bool = False
    #: Asked for last, and not refused: what the next change starts from.
    asked: Terms | None = None
    #: A change whose outcome is not known.
    unknown: Terms | None = None
    #: The stop whose change that is, where it is one.
    unknown_stop: LevelChange | None = None
    cancel: _Cancel = _Cancel.NONE
    #: Whether it was cancelled, to be placed with another quantity, is not known.
    is_removal_unknown: bool = False
    #: Nanoseconds since which something is not known, or since it was last looked up.
    unknown_since: int = 0
    #: How often since then the terminal, linked to its server, has shown the order unchanged.
    looks: int = 0
    is_looked_up: bool = False

    @property
    def is_unknown(self) -> bool:
        return self.unknown is not None or self.cancel is _Cancel.UNKNOWN or self.is_removal_unknown

    @property
    def is_idle(self) -> bool:
        return not (
            self.waiting
            or self.is_changing
            or self.unknown is not None
            or self.cancel is not _Cancel.NONE
        )


class Changes:
    """Hands changes and cancels over, and says what the answers and the account prove.

    Changes of one order are sent one after the other, each on top of what the one before asked
    for; a cancel is sent at once. Nothing is sent before the order's ticket is known. An accepted
    change is told from the answer, a cancelled order from the account, after its fills. While an
    outcome is unknown nothing is told, and the engine is kept from guessing; the order's record
    tells sooner or later. When the terminal, linked to its server, has twice shown the order
    unchanged, `unproven_secs` apart, that is told as a rejection: should the request arrive after
    all, its effect is told as any other. Reads without that link are stale and prove nothing.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        journal: Journal,
        listing_of: Callable[[Order], Listing | None],
        loop: asyncio.AbstractEventLoop,
        may_be_dropped: bool,
        unproven_secs: float,
        hedging: bool,
        replaces: bool,
        admit: Callable[[Order, Fields, Listing, Decimal, Decimal], None],
        carried: Callable[[int, Terms], None],
    ) -> None:
        """`replaces`: another quantity is asked for by placing the order anew. `admit` raises
        `Denied` for a change to a request that the limits forbid, of so many units, with so many
        left. `carried`: an order with this magic number has these terms.
        """
        self._out = out
        self._client = client
        self._journal = journal
        self._listing_of = listing_of
        self._loop = loop
        self._may_be_dropped = may_be_dropped
        self._unproven_ns = int(unproven_secs * 1e9)
        self._log = out._log
        self._works: dict[ClientOrderId, _Work] = {}
        self._replaces = replaces
        self._admit = admit
        self._replacements = Replacements(
            out,
            client,
            journal=journal,
            loop=loop,
            hedging=hedging,
            settled=self._on_settled,
            ended=lambda entry: self.on_done(entry.client_order_id, OrderState.CANCELED.name),
            doubted=self._on_doubted,
            carried=carried,
        )
        self._is_closed = False
        self._look_ups: set[asyncio.Task[None]] = set()
        #: Whoever keeps the stops that waiting orders carry.
        self.watcher: EntryWatcher | None = None

    def modify(self, command: ModifyOrder) -> None:
        """Change an order as `command` says. Returns at once."""
        order = self._out._cache.order(command.client_order_id)
        why = _objection(order)
        if order is None or why:
            self._reject_change(command, f"UNSUPPORTED_MODIFY: {why}")
            return
        if not self._replaces and command.quantity not in (None, order.quantity):
            self._reject_change(
                command,
                "UNSUPPORTED_MODIFY: the volume of an order cannot be changed at the server: "
                "cancel it, and send another one, or set replace_to_change_quantity",
            )
            return
        work = self._work(order)
        work.waiting.append(_Wish(command))
        self._advance(work)

    def change_level(self, order: Order, command: ModifyOrder, change: LevelChange) -> None:
        """Change a stop that a waiting order carries: `command` is the order's. Returns at once."""
        work = self._work(order)
        work.waiting.append(_Wish(command, change))
        self._advance(work)

    def cancel(self, order: Order | None, client_order_id: ClientOrderId) -> None:
        """Cancel an order. Returns at once."""
        why = _objection(order)
        if order is None or why:
            self._log.warning(f"{client_order_id} cannot be cancelled: {why}")
            if order is not None:
                self._reject_cancel(order, f"UNSUPPORTED_CANCEL: {why}")
            return
        work = self._work(order)
        if work.cancel in (_Cancel.WAITING, _Cancel.SENT, _Cancel.TAKEN):
            return
        if self._replacements.cancel(client_order_id):
            work.cancel = _Cancel.WAITING
        elif work.ticket:
            self._remove(work)
        else:
            work.cancel = _Cancel.WAITING

    def on_accepted(self, entry: Entry) -> None:
        """The order has its ticket: what waited for it is sent. A market order is over at once."""
        work = self._works.get(entry.client_order_id)
        if work is None:
            return
        work.ticket = entry.ticket
        if entry.terms is not None:
            self.on_working(entry)

    def on_working(self, entry: Entry) -> None:
        """The order waits at the server."""
        work = self._works.get(entry.client_order_id)
        if work is None:
            return
        if work.cancel is _Cancel.WAITING and not work.is_changing:
            self._remove(work)
        self._advance(work)

    def on_ticket(self, entry: Entry, ticket: int, ts_event: int) -> None:
        """The order that was placed anew has its ticket."""
        self._replacements.on_ticket(entry, ticket, ts_event)

    def goes_on(self, entry: Entry, record: TradeOrder, ts_event: int) -> bool:
        """A ticket is over: whether that is not the end of the order in Nautilus."""
        return self._replacements.on_done(entry, record, ts_event)

    def on_changed(self, client_order_id: ClientOrderId, record: TradeOrder) -> None:
        """The order's record shows other terms than before. For our own `tell` follows."""
        work = self._works.get(client_order_id)
        if work is None:
            return
        if work.unknown is not None and not work.is_changing:
            work.unknown = work.asked = work.unknown_stop = None
            if work.entry is None:
                self._tell(work.order, work.ticket, terms_of(record), self._now())
        elif not work.is_changing:
            work.asked = None
        self._forget(work)

    def on_done(self, client_order_id: ClientOrderId, how: str) -> None:
        """The order is over: what was not sent cannot be."""
        work = self._works.pop(client_order_id, None)
        if work is None:
            return
        for wish in work.waiting:
            self._refuse(wish, f"UNSUPPORTED_MODIFY: the order is {how}")
        work.waiting.clear()
        if work.cancel is _Cancel.WAITING and how == OrderState.FILLED.name:
            self._reject_cancel(work.order, f"UNSUPPORTED_CANCEL: the order is {how}")

    def tell(self, entry: Entry, terms: Terms, ts_event: int) -> None:
        """An order of ours has these terms now."""
        order = self._out._cache.order(entry.client_order_id)
        entry.terms = terms
        if order is not None:
            self._tell(order, entry.ticket, terms, ts_event, entry.quantity)
        if self.watcher is not None:
            self.watcher.on_terms(entry, terms, ts_event)

    @property
    def unknown_count(self) -> int:
        """Orders of which it is not known whether a change or a cancel was done."""
        return sum(work.is_unknown for work in self._works.values())

    def keep_alive(self, now: int, keepalive_ns: int) -> None:
        """Keep the engine from guessing what is not known; tell what has proved to be nothing."""
        for work in tuple(self._works.values()):
            subject = work.order if work.unknown_stop is None else work.unknown_stop.order
            order = self._out._cache.order(subject.client_order_id)
            if order is None or order.status not in _PENDING:
                continue
            if self._is_overdue(work, now):
                work.is_looked_up = True
                task = self._loop.create_task(self._look_up(work))
                self._look_ups.add(task)
                task.add_done_callback(self._look_ups.discard)
            if is_due(order, now, keepalive_ns):
                keep_in_flight(self._out, order, now)

    def close(self) -> None:
        """Say nothing more."""
        self._is_closed = True
        self._replacements.close()
        for task in tuple(self._look_ups):
            task.cancel()
        self._works.clear()

    def _work(self, order: Order) -> _Work:
        work = self._works.get(order.client_order_id)
        if work is None:
            entry = self._journal.of_order(order.client_order_id)
            ticket = entry.ticket if entry is not None else 0
            if not ticket and order.venue_order_id is not None:
                number = order.venue_order_id.value
                ticket = int(number) if number.isdecimal() else 0
            work = self._works[order.client_order_id] = _Work(order, entry, ticket)
        return work

    def _forget(self, work: _Work) -> None:
        if work.is_idle and work.asked is None:
            self._works.pop(work.order.client_order_id, None)

    def _advance(self, work: _Work) -> None:
        while work.waiting and work.ticket and not work.is_changing:
            wish = work.waiting.popleft()
            try:
                wanted = self._wanted(work, wish.command)
                if wanted is not None and work.ticket not in self._client.orders:
                    # It is accepted, and about to be listed.
                    work.waiting.appendleft(wish)
                    return
                request, terms, listing = self._request(work, wish.command)
                if wanted is not None:
                    self._replace(work, wish.command, listing, terms, wanted)
                    continue
                if wish.of_stop is None:
                    whole = work.order.quantity.as_decimal()
                    self._admit(work.order, request, listing, whole, self._left(work, listing))
            except (Denied, RequestRefused) as error:
                self._refuse(wish, str(error))
                continue
            except Exception as error:
                self._log.exception(f"Cannot prepare {wish.command!r}", error)
                self._refuse(wish, f"MODIFY_FAILED: {error}")
                continue
            work.is_changing = True
            done = functools.partial(self._on_change_answered, work, wish, terms)
            self._send(request, done)
        self._forget(work)

    def _wanted(self, work: _Work, command: ModifyOrder) -> Decimal | None:
        """The quantity that a change asks for, where it is another one."""
        wanted = command.quantity.as_decimal() if command.quantity is not None else None
        entry = work.entry
        if wanted is None or wanted == (
            entry.quantity if entry is not None else work.order.quantity.as_decimal()
        ):
            return None
        if entry is None:
            raise Denied("UNSUPPORTED_MODIFY: the quantity of an order that this node did not send")
        if entry.terms is None and work.ticket not in self._client.orders:
            raise Denied("UNSUPPORTED_MODIFY: the order does not wait at the server")
        return wanted

    def _left(self, work: _Work, listing: Listing) -> Decimal:
        """Units that may still be filled."""
        record = self._client.orders.get(work.ticket)
        if record is None:
            return Decimal(work.order.leaves_qty.as_decimal())
        return units(record.volume_current, listing.sizing)

    def _replace(
        self, work: _Work, command: ModifyOrder, listing: Listing, terms: Terms, wanted: Decimal
    ) -> None:
        entry = work.entry
        assert entry is not None
        request = self._replacements.request(work.order, entry, listing, terms, wanted)
        left = units(float(request["volume"]), listing.sizing)
        self._admit(work.order, request, listing, wanted, left)
        work.is_changing = True
        self._replacements.begin(command, work.order, entry, listing, terms, wanted)

    def _on_settled(self, entry: Entry) -> None:
        work = self._works.get(entry.client_order_id)
        if work is None:
            return
        work.is_changing = work.is_removal_unknown = False
        work.ticket, work.asked = entry.ticket, None
        if work.cancel is _Cancel.WAITING:
            self._remove(work)
        self._advance(work)

    def _on_doubted(self, entry: Entry, outcome: SendOutcome) -> None:
        work = self._works.get(entry.client_order_id)
        if work is not None:
            work.is_removal_unknown = True
            self._say_unknown(work, outcome)

    def _request(self, work: _Work, command: ModifyOrder) -> tuple[Fields, Terms, Listing]:
        record = self._client.orders.get(work.ticket)
        listing = self._listing_of(work.order)
        known = work.asked or (work.entry.terms if work.entry is not None else None)
        if known is None and record is not None:
            known = terms_of(record)
        if listing is None or known is None:
            raise Denied("UNSUPPORTED_MODIFY: the order does not wait at the server")
        kind = record.type if record is not None else type_of(work.order)
        terms = changed_terms(
            command,
            known,
            kind,
            listing,
            self._client.zone,
            may_be_dropped=self._may_be_dropped,
        )
        request = modify_order(listing.info, ticket=work.ticket, type=kind, terms=terms)
        return request, terms, listing

    def _remove(self, work: _Work) -> None:
        work.cancel = _Cancel.SENT
        self._send(remove_order(work.ticket), functools.partial(self._on_cancel_answered, work))

    def _send(self, request: Fields, done: Callable[[SendOutcome], None]) -> None:
        try:
            self._client.send(request, done, self._loop)
        except (MT5Error, ValueError) as error:
            refused = error if isinstance(error, MT5Error) else MT5Error(str(error))
            done(SendOutcome(Outcome.REJECTED, None, refused, request, False, 0, 0))

    def _on_change_answered(
        self, work: _Work, wish: _Wish, terms: Terms, outcome: SendOutcome
    ) -> None:
        work.is_changing = False
        if self._is_closed:
            self._log.error(f"{wish.command!r} was answered after disconnect: {outcome}")
            return
        if outcome.outcome is Outcome.REJECTED:
            self._refuse(wish, words_of(outcome))
        elif outcome.outcome is Outcome.ACCEPTED:
            work.asked, work.unknown, work.unknown_stop = terms, None, None
            is_over = work.order.client_order_id not in self._works
            if wish.of_stop is not None and work.entry is not None:
                work.asked, work.entry.terms = None, terms
                wish.of_stop.accepted(outcome.ended_ns or self._now())
            elif work.entry is not None:
                work.asked = None
                if not is_over:
                    self.tell(work.entry, terms, outcome.ended_ns or self._now())
            elif not is_over:
                self._tell(work.order, work.ticket, terms, outcome.ended_ns or self._now())
        else:
            work.asked = work.unknown = terms
            work.unknown_stop = wish.of_stop
            self._say_unknown(work, outcome)
        self._advance(work)

    def _on_cancel_answered(self, work: _Work, outcome: SendOutcome) -> None:
        if self._is_closed:
            self._log.error(f"A cancel was answered after disconnect: {outcome}")
            return
        if outcome.outcome is Outcome.REJECTED:
            work.cancel = _Cancel.NONE
            self._reject_cancel(work.order, words_of(outcome))
        elif outcome.outcome is Outcome.ACCEPTED:
            work.cancel = _Cancel.TAKEN
        else:
            work.cancel = _Cancel.UNKNOWN
            self._say_unknown(work, outcome)
        self._forget(work)

    def _say_unknown(self, work: _Work, outcome: SendOutcome) -> None:
        work.unknown_since, work.looks = self._now(), 0
        self._log.error(
            f"Whether {work.order.client_order_id} ({work.ticket}) was changed as asked is not "
            f"known: {words_of(outcome)}. It is not asked again; its record will tell"
        )

    def _is_overdue(self, work: _Work, now: int) -> bool:
        is_old = now - work.unknown_since >= self._unproven_ns
        return work.is_unknown and is_old and not work.is_looked_up

    async def _look_up(self, work: _Work) -> None:
        """Ask the terminal how the order stands, and whether that is its server's word."""
        since = work.unknown_since
        try:
            orders = await self._client.orders_get(ticket=work.ticket)
            is_linked = (await self._client.terminal_info()).connected
        except MT5Error as error:
            self._log.debug(f"{work.ticket} cannot be looked up: {error}")
            orders, is_linked = (), False
        finally:
            work.is_looked_up = False
        if self._is_closed or not work.is_unknown or work.unknown_since != since:
            return
        is_working = any(order.state in _WORKING for order in orders)
        work.looks = work.looks + 1 if is_linked and is_working else 0
        work.unknown_since = self._now()
        if work.looks == _PROOF:
            self._give_up(work)

    def _give_up(self, work: _Work) -> None:
        why = (
            f"NOT_DONE: the outcome was unknown, and the server has shown the order working "
            f"unchanged {_PROOF} times, {self._unproven_ns / 1e9:g} s apart"
        )
        if work.cancel is _Cancel.UNKNOWN:
            work.cancel = _Cancel.NONE
            self._reject_cancel(work.order, why)
        if work.is_removal_unknown:
            work.is_removal_unknown = False
            self._replacements.give_up(work.order.client_order_id, why)
        change, work.unknown_stop = work.unknown_stop, None
        if work.unknown is not None and change is not None:
            work.unknown = work.asked = None
            change.refused(why)
        elif work.unknown is not None:
            work.unknown = work.asked = None
            self._out.generate_order_modify_rejected(
                *_whose(work.order), _venue_id(work.order), why, self._now()
            )
        self._forget(work)

    def _tell(
        self,
        order: Order,
        ticket: int,
        terms: Terms,
        ts_event: int,
        units_asked: Decimal | None = None,
    ) -> None:
        listing = self._listing_of(order)
        if listing is None:
            return
        price, trigger = prices_of(order, terms, listing)
        total = order.quantity
        if units_asked is not None:
            total = quantity(units_asked, listing.instrument.size_precision)
        self._out.generate_order_updated(
            *_whose(order),
            VenueOrderId(str(ticket)) if units_asked is not None else order.venue_order_id,
            total,
            price,
            trigger,
            ts_event,
        )

    def _refuse(self, wish: _Wish, reason: str) -> None:
        if wish.of_stop is not None:
            wish.of_stop.refused(reason)
        else:
            self._reject_change(wish.command, reason)

    def _reject_change(self, command: ModifyOrder, reason: str) -> None:
        self._out.generate_order_modify_rejected(
            command.strategy_id,
            command.instrument_id,
            command.client_order_id,
            command.venue_order_id,
            reason,
            self._now(),
        )

    def _reject_cancel(self, order: Order, reason: str) -> None:
        self._out.generate_order_cancel_rejected(
            *_whose(order), _venue_id(order), reason, self._now()
        )
        if self.watcher is not None:
            self.watcher.on_cancel_refused(order.client_order_id)

    def _now(self) -> int:
        return int(self._out._clock.timestamp_ns())


_PENDING: Final = (OrderStatus.PENDING_UPDATE, OrderStatus.PENDING_CANCEL)


def _objection(order: Order | None) -> str:
    if order is None:
        return "the order is not known"
    if order.is_closed or not (order.is_open or order.is_inflight):
        return f"the order is {order.status_string()}"
    return ""


def _whose(order: Order) -> tuple[object, object, object]:
    return order.strategy_id, order.instrument_id, order.client_order_id


def _venue_id(order: Order) -> VenueOrderId | None:
    return order.venue_order_id
