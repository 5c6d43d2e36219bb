"""Which order of ours is a ticket, a magic number or a deal?"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import (
    ClientOrderId,
    InstrumentId,
    StrategyId,
    VenueOrderId,
)
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import symbol_of
from tradingview_scraper.adapters.mt5.rules.identity import magic, namespace_of
from tradingview_scraper.adapters.mt5.rules.requests import Fields, Terms, terms_in
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    DealReason,
    OrderReason,
    OrderState,
    OrderType,
    TradeAction,
)
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder


@dataclass(slots=True)
class Entry:
    """An order of this node. `ticket` is 0 until the venue has proved that it has the order."""

    client_order_id: ClientOrderId
    strategy_id: StrategyId
    instrument_id: InstrumentId
    symbol: str
    side: OrderSide
    magic: int
    ticket: int = 0
    #: What it waits with at the server, as Nautilus heard it last; None of what does not wait.
    terms: Terms | None = None
    #: The position that it closes by another one: its leg of a close-by.
    leg: int = 0
    is_post_only: bool = False
    #: Handed over to be checked first, and not submitted yet.
    is_checked: bool = False
    #: Triggered, as Nautilus heard; only a stop limit order is.
    is_triggered: bool = False
    #: The venue said no, or never got it.
    is_refused: bool = False
    #: The answer proves nothing; the venue's records will.
    is_unknown: bool = False
    #: Units, as the venue was asked for last.
    quantity: Decimal = Decimal(0)
    #: Tickets that it had before: each was cancelled, and what was left placed anew.
    former: tuple[int, ...] = ()
    #: Units that those have filled.
    filled_before: Decimal = Decimal(0)
    #: Its ticket is being cancelled, to be placed anew.
    is_replacing: bool = False
    #: The order that takes its place is handed over, and its ticket not known yet.
    is_placing: bool = False

    @property
    def is_in_flight(self) -> bool:
        """Handed over, and neither accepted nor refused yet."""
        return not self.ticket and not self.is_refused

    def venue_order_id(self, ticket: int) -> VenueOrderId:
        """Its id at the venue: a leg of a close-by has one of its own."""
        return VenueOrderId(f"{ticket}-{self.leg}" if self.leg else str(ticket))


class MagicTaken(ValueError):
    """The magic number of a new order is in use already."""


class Journal:
    """The orders of this node by magic number and by ticket, and the deals that were reported.

    An order's identity is its magic number: it survives lost answers and restarts. A record is
    ours when its magic is, and symbol and side are those of the order, and it was sent by a
    program: the closing order of a stop loss inherits the magic of its position [vendor].

    Orders of earlier runs may have magic numbers of `former` namespaces; new ones have none.
    """

    def __init__(self, namespace: int, former: Iterable[int] = ()) -> None:
        self._namespace = namespace
        self._former = tuple(one for one in dict.fromkeys(former) if one != namespace)
        self._by_magic: dict[int, Entry] = {}
        self._by_order: dict[ClientOrderId, Entry] = {}
        #: The same orders by the magic numbers that they may have been sent with.
        self._by_former_magic: dict[int, Entry] = {}
        self._by_ticket: dict[int, Entry] = {}
        self._foreign: set[int] = set()
        self._reported: set[int] = set()

    def magic_for(self, order: Order, shape: int | None = None) -> int:
        """The magic number of an order that is to be sent. Raises `MagicTaken`.

        `shape`: of the bracket whose entry it is, where its number can say which.
        """
        number = magic(self._namespace, order.client_order_id.value, shape)
        known = self._by_magic.get(number) or self._by_order.get(order.client_order_id)
        numbers = {number, *self._other_magics(order.client_order_id, shape)}
        if known is not None or numbers & self._foreign:
            owner = known.client_order_id if known is not None else "an order at the venue"
            raise MagicTaken(f"magic number {number} belongs to {owner}: use another order id")
        return number

    def enter(self, order: Order, request: Fields, leg: int = 0, shape: int | None = None) -> Entry:
        """Take up an order that is handed over now. Raises `MagicTaken`."""
        entry = self._put(order, self.magic_for(order, shape))
        entry.leg = leg
        if request["action"] == TradeAction.PENDING:
            entry.terms = terms_in(request)
        return entry

    def restore(self, order: Order, shape: int | None = None) -> None:
        """Take up an order of an earlier run, from the cache."""
        number = magic(self._namespace, order.client_order_id.value, shape)
        if number in self._by_magic:
            return
        entry = self._put(order, number)
        for other in self._other_magics(order.client_order_id, shape):
            self._by_former_magic[other] = entry
        entry.is_triggered = getattr(order, "is_triggered", False)
        if order.venue_order_id is not None:
            ticket, _, leg = order.venue_order_id.value.partition("-")
            if ticket.isdecimal() and (leg.isdecimal() or not leg):
                entry.leg = int(leg or 0)
                self.accept(entry, int(ticket))
        for former in order.venue_order_ids:
            if former.value.isdecimal() and int(former.value) != entry.ticket:
                self.note_former(entry, int(former.value))
        entry.filled_before = filled_before(order)
        entry.is_refused = order.is_closed and not entry.ticket
        entry.is_unknown = entry.is_in_flight

    def accept(self, entry: Entry, ticket: int) -> None:
        """The venue has the order, under this ticket."""
        entry.ticket = ticket
        entry.is_unknown = False
        self._by_ticket[ticket] = entry

    def note_former(self, entry: Entry, ticket: int) -> None:
        """A ticket that the order had before it was placed anew."""
        entry.former = (*entry.former, ticket)
        self._by_ticket[ticket] = entry

    def replace(self, entry: Entry, ticket: int) -> None:
        """The venue has the order under another ticket now, and the one before is over."""
        entry.former = (*entry.former, entry.ticket)
        entry.is_replacing = entry.is_placing = False
        self.accept(entry, ticket)

    def successors(
        self, working: Iterable[TradeOrder], history: Iterable[TradeOrder]
    ) -> list[tuple[Entry, list[TradeOrder]]]:
        """Orders that were placed anew, and the new tickets that nobody has told us of, ascending.

        Where an order's ticket was cancelled, a later one with its magic number is its own.
        """
        working, history = list(working), list(history)
        ended = {order.ticket for order in history if order.state != OrderState.CANCELED}
        waiting = {order.ticket for order in working} | ended
        found: dict[ClientOrderId, tuple[Entry, list[TradeOrder]]] = {}
        for order in sorted((*history, *working), key=lambda order: order.ticket):
            entry = self.of_magic(order.magic)
            if (
                entry is not None
                and 0 < entry.ticket < order.ticket
                and entry.ticket not in waiting
                and order.ticket not in self._by_ticket
                and order.reason == OrderReason.EXPERT
                and order.type not in (OrderType.BUY, OrderType.SELL)
                and _SIDES.get(order.type) == entry.side
                and order.symbol == entry.symbol
            ):
                found.setdefault(entry.client_order_id, (entry, []))[1].append(order)
        return list(found.values())

    def owner(self, order: TradeOrder) -> Entry | None:
        """The order of ours that a record is; None for anybody else's."""
        known = self._by_ticket.get(order.ticket)
        if known is not None:
            return known
        if order.reason != OrderReason.EXPERT:
            return None
        if order.type == OrderType.CLOSE_BY:
            entry = self.of_magic(order.magic)
            is_ours = entry is not None and 0 < entry.leg == order.position_id
            return entry if is_ours else None
        if order.type not in _SIDES:
            return None
        return self._claim(order.magic, order.ticket, order.symbol, _SIDES[order.type])

    def owner_of_deal(self, deal: TradeDeal, order: TradeOrder | None) -> Entry | None:
        """The order of ours that a trading deal filled; None for anybody else's."""
        if deal.entry == DealEntry.OUT_BY:
            return self._leg_of(deal)
        if order is not None:
            return self.owner(order)
        known = self._by_ticket.get(deal.order)
        if known is not None:
            return known
        if deal.reason != DealReason.EXPERT:
            return None
        return self._claim(deal.magic, deal.order, deal.symbol, _SIDES[deal.type])

    def note_foreign(self, number: int) -> None:
        """A magic number that is at the venue: no new order may get it."""
        if self.has_namespace(number) and self.of_magic(number) is None:
            self._foreign.add(number)

    def has_namespace(self, number: int) -> bool:
        """Whether a magic number is one that this node makes, or made under a former name."""
        return namespace_of(number) in (self._namespace, *self._former)

    def standing(self, ticket: int, number: int) -> int:
        """The ticket that Nautilus has the order of `ticket`, with this magic number, under."""
        entry = self._by_ticket.get(ticket)
        if entry is None:
            entry = self.of_magic(number)
            if entry is None or not entry.is_placing:
                return ticket
        return entry.ticket

    def replacing(self) -> list[Entry]:
        """Orders whose ticket is being cancelled, and may be over, while they are not."""
        return [entry for entry in self._by_magic.values() if entry.is_replacing]

    def is_replacing(self, ticket: int) -> bool:
        """Whether a ticket is being cancelled, and may be over, while its order is not."""
        entry = self._by_ticket.get(ticket)
        return entry is not None and entry.is_replacing and entry.ticket == ticket

    def of_magic(self, number: int) -> Entry | None:
        """The order of ours that has, or may have, a magic number."""
        return self._by_magic.get(number) or self._by_former_magic.get(number)

    def of_ticket(self, ticket: int) -> Entry | None:
        """The order of ours that has, or had, a ticket."""
        return self._by_ticket.get(ticket)

    def unproven(self) -> list[Entry]:
        """Orders that were handed over, for the first time or anew, and of which nobody knows."""
        return [
            entry
            for entry in self._by_magic.values()
            if entry.is_unknown and (entry.is_in_flight or entry.is_placing)
        ]

    def in_flight(self) -> list[Entry]:
        """Orders that were handed over and neither accepted nor refused."""
        return [entry for entry in self._by_magic.values() if entry.is_in_flight]

    def of_order(self, client_order_id: ClientOrderId) -> Entry | None:
        """The entry of an order of this node."""
        return self._by_order.get(client_order_id)

    def is_reported(self, deal: TradeDeal) -> bool:
        """Whether Nautilus got this deal already."""
        return deal.ticket in self._reported

    def report(self, deal: TradeDeal) -> None:
        """Nautilus gets this deal now."""
        self._reported.add(deal.ticket)

    def _other_magics(self, client_order_id: ClientOrderId, shape: int | None) -> list[int]:
        """Those that the order may have been sent with, beside the one that it would get now."""
        text = client_order_id.value
        others = [magic(namespace, text, shape) for namespace in self._former]
        if shape is not None:
            others += [magic(namespace, text) for namespace in (self._namespace, *self._former)]
        return others

    def _put(self, order: Order, number: int) -> Entry:
        entry = Entry(
            client_order_id=order.client_order_id,
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            symbol=symbol_of(order.instrument_id),
            side=order.side,
            magic=number,
            is_post_only=order.is_post_only,
            quantity=order.quantity.as_decimal(),
        )
        self._by_magic[number] = self._by_order[order.client_order_id] = entry
        return entry

    def _leg_of(self, deal: TradeDeal) -> Entry | None:
        """A close-by has a deal on each of two positions; the other one is nobody's order."""
        entry = self._by_ticket.get(deal.order) or self.of_magic(deal.magic)
        if entry is None or not entry.leg or entry.leg != deal.position_id:
            return None
        return entry if entry.ticket in (0, deal.order) else None

    def _claim(self, number: int, ticket: int, symbol: str, side: OrderSide) -> Entry | None:
        entry = self.of_magic(number)
        if entry is None:
            return None
        if not (entry.is_placing or entry.ticket in (0, ticket)):
            return None
        return entry if (entry.symbol, entry.side) == (symbol, side) else None


def filled_before(order: Order) -> Decimal:
    """Units that an order filled under tickets that it has no longer."""
    return sum(
        (
            event.last_qty.as_decimal()
            for event in order.events
            if isinstance(event, OrderFilled) and event.venue_order_id != order.venue_order_id
        ),
        Decimal(0),
    )


_SIDES: Final[dict[int, OrderSide]] = {
    OrderType.BUY: OrderSide.BUY,
    OrderType.SELL: OrderSide.SELL,
    OrderType.BUY_LIMIT: OrderSide.BUY,
    OrderType.SELL_LIMIT: OrderSide.SELL,
    OrderType.BUY_STOP: OrderSide.BUY,
    OrderType.SELL_STOP: OrderSide.SELL,
    OrderType.BUY_STOP_LIMIT: OrderSide.BUY,
    OrderType.SELL_STOP_LIMIT: OrderSide.SELL,
}
