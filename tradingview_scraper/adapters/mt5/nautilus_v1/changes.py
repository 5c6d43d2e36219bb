"""What becomes of a command to change or cancel an order? `Changes`."""

import asyncio
import functools
from collections.abc import Callable
from decimal import Decimal

from nautilus_trader.execution.messages import ModifyOrder
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.nautilus_v1.asked import (
    Cancel,
    EntryWatcher,
    LevelChange,
    Wish,
    Work,
    objection,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.change_events import ChangeEvents
from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.keepalive import keep_pending
from tradingview_scraper.adapters.mt5.nautilus_v1.modifying import (
    changed_terms,
    type_of,
    units_left,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.outcomes import hand_over, words_of
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.placing import wanted_quantity
from tradingview_scraper.adapters.mt5.nautilus_v1.replacing import Replacements
from tradingview_scraper.adapters.mt5.nautilus_v1.unproven import Doubts
from tradingview_scraper.adapters.mt5.rules.levels import STOP_LIMITS
from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused
from tradingview_scraper.adapters.mt5.rules.requests import (
    Fields,
    Terms,
    modify_order,
    remove_order,
    terms_of,
)
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.terminal.constants import OrderState
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder


class Changes:
    """Hands changes and cancels over, and says what the answers and the account prove.

    Changes of one order are sent one after the other, each on top of what the one before asked
    for; a cancel is sent at once. Nothing is sent before the order's ticket is known. An accepted
    change is told from the answer, a cancelled order from the account, after its fills. While an
    outcome is unknown nothing is told, and the engine is kept from guessing; the order's record
    tells sooner or later, or `Doubts` prove that nothing was done.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        journal: Journal,
        listing_of: Callable[[Order], Listing | None],
        loop: asyncio.AbstractEventLoop,
        doubts: Doubts,
        may_be_dropped: bool,
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
        self._doubts = doubts
        self._may_be_dropped = may_be_dropped
        self._log = out._log
        self._works: dict[ClientOrderId, Work] = {}
        self._replaces = replaces
        self._admit = admit
        self.replacements = Replacements(
            out,
            client,
            journal=journal,
            loop=loop,
            doubts=doubts,
            hedging=hedging,
            admit=admit,
            settled=self._on_settled,
            ended=lambda entry: self.on_done(entry.client_order_id, OrderState.CANCELED.name),
            carried=carried,
        )
        self._events = ChangeEvents(out, listing_of)
        self._is_closed = False
        #: Whoever keeps the stops that waiting orders carry.
        self.watcher: EntryWatcher | None = None

    def modify(self, command: ModifyOrder) -> None:
        """Change an order as `command` says. Returns at once."""
        order = self._out._cache.order(command.client_order_id)
        why = objection(order)
        if order is None or why:
            self._events.change_rejected(command, f"UNSUPPORTED_MODIFY: {why}")
            return
        if not self._replaces and command.quantity not in (None, order.quantity):
            self._events.change_rejected(
                command,
                "UNSUPPORTED_MODIFY: the volume of an order cannot be changed at the server: "
                "cancel it, and send another one, or set replace_to_change_quantity",
            )
            return
        work = self._work(order)
        work.waiting.append(Wish(command))
        self._advance(work)

    def change_level(self, order: Order, command: ModifyOrder, change: LevelChange) -> None:
        """Change a stop that a waiting order carries: `command` is the order's. Returns at once."""
        work = self._work(order)
        work.waiting.append(Wish(command, change))
        self._advance(work)

    def cancel(self, order: Order | None, client_order_id: ClientOrderId) -> None:
        """Cancel an order. Returns at once."""
        why = objection(order)
        if order is None or why:
            self._log.warning(f"{client_order_id} cannot be cancelled: {why}")
            if order is not None:
                self._reject_cancel(order, f"UNSUPPORTED_CANCEL: {why}")
            return
        work = self._work(order)
        if work.cancel in (Cancel.WAITING, Cancel.SENT, Cancel.TAKEN):
            return
        work.cancel = Cancel.WAITING
        if not self.replacements.cancel(client_order_id) and work.ticket:
            self._remove(work)

    def resume(self, order: Order, *, is_cancelled: bool, is_placing: bool) -> None:
        """Take up a change or cancel of an earlier run, which never heard the end of it.

        `is_placing`: it may have been placed anew, and `replacements` look for it. A change that
        was done before the account was read is in the reports, and need not be told here.
        """
        work = self._work(order)
        if is_placing:
            work.is_changing = True
            if is_cancelled:
                work.cancel = Cancel.WAITING
        elif is_cancelled:
            work.cancel = Cancel.UNKNOWN
            self._doubt_cancel(work)
        else:
            refused = functools.partial(self._on_old_change_not_done, work)
            work.change_doubt = self._doubts.open_order(work.ticket, refused)

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
        if work.cancel is Cancel.WAITING and not work.is_changing:
            self._remove(work)
        self._advance(work)

    def on_changed(self, client_order_id: ClientOrderId, record: TradeOrder) -> None:
        """The order's record shows other terms than before. For our own `tell` follows."""
        work = self._works.get(client_order_id)
        if work is None:
            return
        if work.change_doubt is not None and not work.is_changing:
            self._settle_change(work)
            work.asked = None
            if work.entry is None:
                self._events.updated(work.order, work.ticket, terms_of(record), self._now())
        elif not work.is_changing:
            work.asked = None
        self._forget(work)

    def on_triggered(self, client_order_id: ClientOrderId) -> None:
        """A stop limit order became its limit order: no change starts from its trigger any more."""
        work = self._works.get(client_order_id)
        if work is not None and not work.is_changing:
            work.asked = None
            self._forget(work)

    def on_done(self, client_order_id: ClientOrderId, how: str) -> None:
        """The order is over: what was not sent cannot be."""
        work = self._works.pop(client_order_id, None)
        if work is None:
            return
        self._settle_change(work)
        self._doubts.settle(work.cancel_doubt)
        for wish in work.waiting:
            self._events.refused(wish, f"UNSUPPORTED_MODIFY: the order is {how}")
        work.waiting.clear()
        if work.cancel is Cancel.WAITING and how == OrderState.FILLED.name:
            self._reject_cancel(work.order, f"UNSUPPORTED_CANCEL: the order is {how}")

    def tell(self, entry: Entry, terms: Terms, ts_event: int) -> None:
        """An order of ours has these terms now."""
        order = self._out._cache.order(entry.client_order_id)
        entry.terms = terms
        if order is not None:
            self._events.updated(order, entry.ticket, terms, ts_event, entry.quantity)
        if self.watcher is not None:
            self.watcher.on_terms(entry, terms, ts_event)

    def keep_alive(self, now: int, keepalive_ns: int) -> None:
        """Keep the engine from guessing what is not known."""
        keep_pending(self._out, tuple(self._works), now, keepalive_ns)

    def close(self) -> None:
        """Say nothing more."""
        self._is_closed = True
        self.replacements.close()
        self._works.clear()

    def _work(self, order: Order) -> Work:
        work = self._works.get(order.client_order_id)
        if work is None:
            entry = self._journal.of_order(order.client_order_id)
            ticket = entry.ticket if entry is not None else 0
            if not ticket and order.venue_order_id is not None:
                number = order.venue_order_id.value
                ticket = int(number) if number.isdecimal() else 0
            work = self._works[order.client_order_id] = Work(order, entry, ticket)
        return work

    def _forget(self, work: Work) -> None:
        if work.is_idle and work.asked is None:
            self._works.pop(work.order.client_order_id, None)

    def _advance(self, work: Work) -> None:
        while work.waiting and work.ticket and not work.is_changing:
            wish = work.waiting.popleft()
            try:
                wanted = wanted_quantity(wish.command, work.order, work.entry)
                if wanted is not None and work.cancel is not Cancel.NONE:
                    raise Denied("UNSUPPORTED_MODIFY: a cancel of the order is on its way")
                if wanted is not None and work.ticket not in self._client.orders:
                    if work.entry is not None and work.entry.terms is None:
                        raise Denied("UNSUPPORTED_MODIFY: the order does not wait at the server")
                    # It is accepted, and about to be listed.
                    work.waiting.appendleft(wish)
                    return
                request, terms, listing = self._request(work, wish.command)
                if wanted is not None and work.entry is not None:
                    work.is_changing = True
                    try:
                        self.replacements.begin(work.order, work.entry, listing, terms, wanted)
                    except BaseException:
                        work.is_changing = False
                        raise
                    continue
                if wish.of_stop is None:
                    whole = work.order.quantity.as_decimal()
                    left = units_left(work.order, self._client.orders.get(work.ticket), listing)
                    self._admit(work.order, request, listing, whole, left)
            except (Denied, RequestRefused) as error:
                self._events.refused(wish, str(error))
                continue
            except Exception as error:
                self._log.exception(f"Cannot prepare {wish.command!r}", error)
                self._events.refused(wish, f"MODIFY_FAILED: {error}")
                continue
            work.is_changing = True
            done = functools.partial(self._on_change_answered, work, wish, terms)
            hand_over(self._client, self._loop, request, done)
        self._forget(work)

    def _on_settled(self, entry: Entry) -> None:
        work = self._works.get(entry.client_order_id)
        if work is None:
            return
        work.is_changing = False
        work.ticket, work.asked = entry.ticket, None
        if work.cancel is Cancel.WAITING:
            self._remove(work)
        self._advance(work)

    def _request(self, work: Work, command: ModifyOrder) -> tuple[Fields, Terms, Listing]:
        record = self._client.orders.get(work.ticket)
        listing = self._listing_of(work.order)
        known = work.asked or (work.entry.terms if work.entry is not None else None)
        if record is not None and (
            known is None or (known.stoplimit and record.type not in STOP_LIMITS)
        ):
            # What was known is from before it was triggered, of which the facts are on their way.
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

    def _remove(self, work: Work) -> None:
        self._doubts.settle(work.cancel_doubt)
        work.cancel, work.cancel_doubt = Cancel.SENT, None
        done = functools.partial(self._on_cancel_answered, work)
        hand_over(self._client, self._loop, remove_order(work.ticket), done)

    def _on_change_answered(
        self, work: Work, wish: Wish, terms: Terms, outcome: SendOutcome
    ) -> None:
        work.is_changing = False
        if self._is_closed:
            self._log.error(f"{wish.command!r} was answered after disconnect: {outcome}")
            return
        is_over = self._works.get(work.order.client_order_id) is not work
        if terms.stoplimit and _is_triggered(work):
            # A change names no type: what was the trigger when it was made is the limit by now.
            terms = terms._replace(stoplimit=0.0)
        ts_event = outcome.ended_ns or self._now()
        if outcome.outcome is Outcome.REJECTED:
            self._events.refused(wish, words_of(outcome))
        elif outcome.outcome is Outcome.ACCEPTED:
            work.asked = terms
            self._settle_change(work)
            if wish.of_stop is not None and work.entry is not None:
                work.asked, work.entry.terms = None, terms
                wish.of_stop.accepted(ts_event)
            elif work.entry is not None:
                work.asked = None
                if not is_over:
                    self.tell(work.entry, terms, ts_event)
            elif not is_over:
                self._events.updated(work.order, work.ticket, terms, ts_event)
        elif not is_over:
            work.asked = terms
            self._settle_change(work)
            refused = functools.partial(self._on_change_not_done, work, wish)
            work.change_doubt = self._doubts.open_order(work.ticket, refused)
            self._events.unknown(work.order, work.ticket, outcome)
        self._advance(work)

    def _on_cancel_answered(self, work: Work, outcome: SendOutcome) -> None:
        if self._is_closed:
            self._log.error(f"A cancel was answered after disconnect: {outcome}")
            return
        is_over = self._works.get(work.order.client_order_id) is not work
        if outcome.outcome is Outcome.REJECTED:
            work.cancel = Cancel.NONE
            self._reject_cancel(work.order, words_of(outcome))
        elif outcome.outcome is Outcome.ACCEPTED:
            work.cancel = Cancel.TAKEN
        else:
            work.cancel = Cancel.UNKNOWN
            self._events.unknown(work.order, work.ticket, outcome)
        if not is_over and work.cancel is not Cancel.NONE:
            self._doubt_cancel(work)
        self._forget(work)

    def _doubt_cancel(self, work: Work) -> None:
        refused = functools.partial(self._on_cancel_not_done, work)
        is_taken = work.cancel is Cancel.TAKEN
        work.cancel_doubt = self._doubts.open_order(work.ticket, refused, is_taken=is_taken)

    def _settle_change(self, work: Work) -> None:
        self._doubts.settle(work.change_doubt)
        work.change_doubt = None

    def _on_change_not_done(self, work: Work, wish: Wish, why: str) -> None:
        work.change_doubt = work.asked = None
        self._events.refused(wish, why)
        self._forget(work)

    def _on_old_change_not_done(self, work: Work, why: str) -> None:
        work.change_doubt = None
        if work.order.status == OrderStatus.PENDING_UPDATE:
            self._events.modify_rejected(work.order, why)
        self._forget(work)

    def _on_cancel_not_done(self, work: Work, why: str) -> None:
        work.cancel, work.cancel_doubt = Cancel.NONE, None
        self._reject_cancel(work.order, why)
        self._forget(work)

    def _reject_cancel(self, order: Order, reason: str) -> None:
        self._events.cancel_rejected(order, reason)
        if self.watcher is not None:
            self.watcher.on_cancel_refused(order.client_order_id)

    def _now(self) -> int:
        return int(self._out._clock.timestamp_ns())


def _is_triggered(work: Work) -> bool:
    """Whether it was told that the order became its limit order."""
    is_told = work.entry is not None and work.entry.is_triggered
    return is_told or bool(getattr(work.order, "is_triggered", False))
