"""Which events does a record of an order of ours become? `OwnOrders`."""

from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.enums import OrderType as NautilusOrderType
from nautilus_trader.model.identifiers import ClientOrderId, TradeId

from tradingview_scraper.adapters.mt5.nautilus_v1.brackets import Brackets
from tradingview_scraper.adapters.mt5.nautilus_v1.changes import Changes
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry, Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import (
    commission,
    deal_side,
    fill_info,
    liquidity_side,
    position_id,
    price,
    volume,
)
from tradingview_scraper.adapters.mt5.rules.levels import LIMITS, STOP_LIMITS
from tradingview_scraper.adapters.mt5.rules.requests import Terms, terms_of
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import OrderState
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder

#: States in which the server has the order.
_TAKEN: Final = frozenset({OrderState.PLACED, OrderState.PARTIAL, OrderState.FILLED})


class OwnOrders:
    """Accepted, triggered, updated, filled, cancelled, expired, rejected: what our orders did.

    Each is told once, whoever says so first: the answer to a request, or the account.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        *,
        journal: Journal,
        changes: Changes,
        brackets: Brackets,
        zone: ZoneRule,
        hedging: bool,
        deposit: str,
    ) -> None:
        self._out = out
        self._cache = out._cache
        self._log = out._log
        self._journal = journal
        self._changes = changes
        self._brackets = brackets
        self._zone = zone
        self._hedging = hedging
        self._deposit = deposit

    def accept(
        self, entry: Entry, ticket: int, ts_event: int, record: TradeOrder | None = None
    ) -> None:
        """The venue has the order, as `record` where that is at hand."""
        if entry.is_placing and ticket not in (entry.ticket, *entry.former):
            self._changes.replacements.on_ticket(entry, ticket, record, ts_event)
        if entry.ticket:
            if ticket not in (entry.ticket, *entry.former):
                self._log.error(
                    f"{entry.client_order_id} was accepted as {entry.ticket}, now as {ticket}"
                )
            return
        if entry.is_refused:
            self._log.error(
                f"{entry.client_order_id} was refused, but the venue has it as {ticket}: its fills "
                f"follow; check the account"
            )
        self._journal.accept(entry, ticket)
        if not entry.is_refused:
            self._out.generate_order_accepted(
                *_whose(entry), entry.venue_order_id(ticket), ts_event
            )
            self._brackets.on_accepted(entry, ts_event)
        self._changes.on_accepted(entry)

    def placed(self, entry: Entry, order: TradeOrder) -> None:
        """The order waits at the server, or did since the last reading."""
        if order.state not in _TAKEN:
            return
        self.accept(entry, order.ticket, self._zone.utc_ns(order.time_setup_msc), order)
        self._show_first_terms(entry, order)
        self._changes.on_working(entry)

    def changed(self, entry: Entry, order: TradeOrder, before: TradeOrder) -> None:
        """The order's record is no longer what it was."""
        if order.ticket != entry.ticket:
            return
        terms = terms_of(order)
        if order.type != before.type:
            self._show_triggered(entry, order)
            return
        if terms.asks() == terms_of(before).asks():
            return
        self._changes.on_changed(entry.client_order_id, order)
        if entry.terms is None or terms.asks() != entry.terms.asks():
            self._changes.tell(entry, terms, self._out._clock.timestamp_ns())

    def fill(
        self, entry: Entry, deal: TradeDeal, order: TradeOrder | None, listing: Listing
    ) -> tuple[ClientOrderId, TradeId] | None:
        """A deal filled the order. The fill that the engine is to apply; None if it has it."""
        ts_event = self._zone.utc_ns(deal.time_msc)
        self.accept(entry, deal.order, ts_event, order)
        trade_id = TradeId(str(deal.ticket))
        known = self._cache.order(entry.client_order_id)
        if known is not None and trade_id in known.trade_ids:
            return None
        self._trigger(entry, order)
        instrument = listing.instrument
        self._out.generate_order_filled(
            strategy_id=entry.strategy_id,
            instrument_id=entry.instrument_id,
            client_order_id=entry.client_order_id,
            venue_order_id=entry.venue_order_id(entry.ticket),
            venue_position_id=position_id(deal.position_id, self._hedging),
            trade_id=trade_id,
            order_side=deal_side(deal),
            order_type=known.order_type if known is not None else NautilusOrderType.MARKET,
            last_qty=volume(deal.volume, listing),
            last_px=price(deal.price, instrument),
            quote_currency=instrument.quote_currency,
            commission=commission(deal, instrument, self._deposit),
            liquidity_side=liquidity_side(deal, order),
            ts_event=ts_event,
            info=fill_info(deal, self._deposit),
        )
        if known is None or entry.is_refused:
            return None
        return entry.client_order_id, trade_id

    def done(self, entry: Entry, order: TradeOrder) -> None:
        """The order is over."""
        state = OrderState(order.state)
        ts_event = self._zone.utc_ns(order.time_done_msc)
        if self._changes.replacements.on_done(entry, order, ts_event):
            return
        if state == OrderState.REJECTED:
            self.reject(entry, f"rejected by the server: {order.comment}", ts_event)
        elif self._is_post_only_refusal(entry, order):
            reason = "the server cancelled a book-or-cancel order that would have matched"
            self.reject(entry, reason, ts_event, due_post_only=True)
        elif state != OrderState.FILLED:
            self.accept(entry, order.ticket, ts_event)
            ticket = entry.venue_order_id(order.ticket)
            if state == OrderState.EXPIRED:
                self._out.generate_order_expired(*_whose(entry), ticket, ts_event)
            elif state == OrderState.CANCELED or order.volume_current:
                self._out.generate_order_canceled(*_whose(entry), ticket, ts_event)
        self._changes.on_done(entry.client_order_id, state.name)

    def reject(
        self, entry: Entry, reason: str, ts_event: int, *, due_post_only: bool = False
    ) -> None:
        """The venue has not taken the order."""
        if entry.ticket:
            self._log.error(
                f"{entry.client_order_id} is said to be rejected ({reason}), but the venue has it "
                f"as {entry.ticket}"
            )
            return
        if entry.is_refused:
            return
        entry.is_refused = True
        if entry.is_checked:
            self._out.generate_order_denied(*_whose(entry), reason, ts_event)
            self._brackets.on_refused(entry, reason, ts_event)
            return
        self._out.generate_order_rejected(
            *_whose(entry), reason=reason, ts_event=ts_event, due_post_only=due_post_only
        )
        self._brackets.on_refused(entry, reason, ts_event)
        self._changes.on_done(entry.client_order_id, OrderState.REJECTED.name)

    def _trigger(self, entry: Entry, order: TradeOrder | None) -> None:
        """A stop limit order became its limit order, or was filled."""
        known = self._cache.order(entry.client_order_id)
        if (
            entry.is_triggered
            or known is None
            or known.order_type != NautilusOrderType.STOP_LIMIT
            or known.is_triggered
        ):
            return
        if order is not None and order.type not in (LIMITS | STOP_LIMITS):
            return
        entry.is_triggered = True
        if known.status == OrderStatus.PENDING_CANCEL:
            # The engine knows no way from there; what follows says it all the same.
            return
        self._out.generate_order_triggered(
            *_whose(entry),
            entry.venue_order_id(entry.ticket),
            self._out._clock.timestamp_ns(),
        )

    def _show_first_terms(self, entry: Entry, order: TradeOrder) -> None:
        """The terms that the first sight of a waiting order shows.

        They may have been changed before, by a request that nobody answered or by a person, or a
        stop limit order triggered: no later record shows a change then.
        """
        if entry.terms is None or order.ticket != entry.ticket:
            return
        terms, known = terms_of(order), self._cache.order(entry.client_order_id)
        is_stop_limit = known is not None and known.order_type == NautilusOrderType.STOP_LIMIT
        if is_stop_limit and order.type not in STOP_LIMITS:
            if not entry.is_triggered:
                self._show_triggered(entry, order)
        elif terms.asks() != entry.terms.asks():
            self._changes.on_changed(entry.client_order_id, order)
            self._changes.tell(entry, terms, self._out._clock.timestamp_ns())

    def _show_triggered(self, entry: Entry, order: TradeOrder) -> None:
        """A stop limit order is its limit order now."""
        self._trigger(entry, order)
        was, entry.terms = entry.terms, terms_of(order)
        self._changes.on_triggered(entry.client_order_id)
        if was is None or _once_triggered(was).asks() != entry.terms.asks():
            # A change of the trigger that came too late has changed the limit.
            self._changes.on_changed(entry.client_order_id, order)
            self._changes.tell(entry, entry.terms, self._out._clock.timestamp_ns())

    def _is_post_only_refusal(self, entry: Entry, order: TradeOrder) -> bool:
        return (
            entry.is_post_only
            and not entry.ticket
            and order.state == OrderState.CANCELED
            and order.volume_current == order.volume_initial
        )


def _once_triggered(terms: Terms) -> Terms:
    """Of a stop limit order: the terms of the limit order that it becomes."""
    return terms._replace(price=terms.stoplimit, stoplimit=0.0)


def _whose(entry: Entry) -> tuple[object, object, object]:
    return entry.strategy_id, entry.instrument_id, entry.client_order_id
