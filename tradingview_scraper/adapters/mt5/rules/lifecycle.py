"""What happened on the account? Readings of the trade feed in, facts out: each once, in order.

The terminal sends no events. A feed compares its lists of orders, positions, deals and finished
orders, which change at different moments: a deal may be seen before its order, an order may come
and go between two readings, and after a restart everything is listed again [recorded]. `Lifecycle`
puts them together. The order of the facts of one `Lifecycle.apply` is: orders, deals (ascending
by time and ticket), finished orders, positions, account.
"""

from dataclasses import dataclass, field
from typing import Final

from tradingview_scraper.adapters.mt5.rules.facts import (
    AccountSeen,
    Dealt,
    Fact,
    OrderChanged,
    OrderDone,
    OrderPlaced,
    PositionChanged,
    PositionClosed,
    PositionOpened,
    TradeUpdate,
)
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealType,
    OrderState,
    OrderType,
    PositionType,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    TradeDeal,
    TradeOrder,
    TradePosition,
)

__all__ = [
    "AccountSeen",
    "Dealt",
    "Fact",
    "Lifecycle",
    "OrderChanged",
    "OrderDone",
    "OrderPlaced",
    "PositionChanged",
    "PositionClosed",
    "PositionOpened",
    "TradeUpdate",
]


class Lifecycle:
    """The trade state of one account, as far as it was turned into facts.

    Per order: `OrderPlaced` (pending orders, and market orders seen working), `OrderChanged`,
    its `Dealt` ascending by time and ticket, then `OrderDone`. Deals are held until their order is
    known (of one that is gone: its record in history; or the server's answer to its request, which
    says what was executed), and while it says that more was filled than
    its known deals add up to, so that no deal overtakes an earlier one that shows late. An order
    that is gone is not done before its record is in history. `PositionClosed` waits until the
    deals net the position to zero.

    What is held comes out as it is after `patience` further updates: a deal without its order, an
    order without all its deals (one that shows later still is `Dealt`, then after `OrderDone`).
    Deals and orders are recognised by ticket; of more than `memory` tickets the older half is
    forgotten, and whatever is as old as those counts as seen.
    """

    def __init__(self, patience: int = 100, memory: int = 100_000) -> None:
        self._patience = patience
        self._memory = memory
        self._tracks: dict[int, _Track] = {}
        self._waiting: dict[int, None] = {}
        self._deals = _Seen()
        self._done = _Seen()
        self._recent: dict[int, TradeOrder] = {}
        self._positions: dict[int, TradePosition] = {}
        self._leaving: dict[int, int] = {}
        self._net: dict[int, float] = {}
        self._account: AccountInfo | None = None

    @property
    def is_waiting(self) -> bool:
        """Something is held back: go on applying updates, empty ones too, since they count."""
        return bool(self._waiting or self._leaving)

    @property
    def missing_orders(self) -> tuple[int, ...]:
        """Tickets whose record in history is waited for: a look-up by ticket would settle them."""
        return tuple(t for t in self._waiting if not self._tracks[t].is_final)

    def baseline(self, update: TradeUpdate) -> None:
        """Start from a full reading of the state before: nothing of it becomes a fact."""
        for order in update.history:
            if order.state in _FINAL:
                self._remember(order)
        for order in update.orders:
            if order.ticket not in self._done:
                track = self._track(order.ticket)
                track.order, track.is_open = order, True
                track.is_placed = order.state not in _NOT_YET_PLACED
        for deal in update.deals:
            self._deals.add(deal.ticket, deal.time_msc)
            if deal.order and deal.order not in self._done:
                track = self._track(deal.order)
                track.dealt += deal.volume
                track.is_placed = True
        for track in self._tracks.values():
            if track.order is not None:
                track.dealt = max(track.dealt, _filled(track.order))
        for position in update.positions:
            self._positions[_key(position)] = position
            sign = 1 if position.type == PositionType.BUY else -1
            self._net[_key(position)] = sign * position.volume
        self._account = update.account

    def apply(self, update: TradeUpdate) -> list[Fact]:
        """What `update` adds to what is known, as facts in order. Updates come in their order."""
        orders: list[Fact] = []
        deals: list[Dealt] = []
        done: list[OrderDone] = []
        for order in update.orders:
            self._see_open(order, orders)
        self._see_gone(update)
        for order in update.history:
            self._see_history(order)
        for ticket, volume in update.answered:
            if ticket not in self._done:
                self._track(ticket).answered = volume
        for deal in update.deals:
            self._see_deal(deal, deals)
        for ticket in tuple(self._waiting):
            self._settle(ticket, orders, deals, done)
        deals.sort(key=lambda dealt: (dealt.deal.time_msc, dealt.deal.ticket))
        done.sort(key=lambda finished: (finished.order.time_done_msc, finished.order.ticket))
        for dealt in deals:
            self._net_deal(dealt.deal)
        facts = [*orders, *deals, *done, *self._see_positions(update)]
        if update.account is not None and update.account != self._account:
            self._account = update.account
            facts.append(AccountSeen(update.account))
        self._forget()
        return facts

    def _track(self, ticket: int) -> "_Track":
        return self._tracks.setdefault(ticket, _Track())

    def _see_open(self, order: TradeOrder, facts: list[Fact]) -> None:
        if order.ticket in self._done:
            return
        track = self._track(order.ticket)
        if track.is_final:
            return
        before, track.order, track.is_open = track.order, order, True
        if not track.is_placed:
            if order.state not in _NOT_YET_PLACED:
                track.is_placed = True
                facts.append(OrderPlaced(order))
        elif before is not None and _order_changed(order, before):
            facts.append(OrderChanged(order, before))

    def _see_gone(self, update: TradeUpdate) -> None:
        gone = update.orders_gone
        if update.full:
            listed = {order.ticket for order in update.orders}
            gone = tuple(t for t, track in self._tracks.items() if t not in listed)
        for ticket in gone:
            track = self._tracks.get(ticket)
            if track is not None and track.is_open:
                track.is_open = False
                self._wait(ticket, track)

    def _see_history(self, order: TradeOrder) -> None:
        known = order.ticket in self._tracks
        if not known and self._done.holds(order.ticket, order.time_done_msc):
            return
        track = self._track(order.ticket)
        if order.state not in _FINAL:
            # A finished order that is still on its way: good enough to explain its deals.
            if track.order is None:
                track.order = order
                self._wait(order.ticket, track)
        elif not track.is_final or order != track.order:
            track.order, track.is_final, track.is_open = order, True, False
            self._wait(order.ticket, track)

    def _see_deal(self, deal: TradeDeal, facts: list[Dealt]) -> None:
        if self._deals.holds(deal.ticket, deal.time_msc):
            return
        self._deals.add(deal.ticket, deal.time_msc)
        if deal.type not in _TRADES or not deal.order:
            facts.append(Dealt(deal, None))
        elif deal.order in self._recent:
            facts.append(Dealt(deal, self._recent[deal.order]))
        else:
            track = self._track(deal.order)
            track.held.append(deal)
            track.dealt += deal.volume
            self._wait(deal.order, track)

    def _wait(self, ticket: int, track: "_Track") -> None:
        track.age = 0
        self._waiting[ticket] = None

    def _settle(
        self, ticket: int, orders: list[Fact], deals: list[Dealt], done: list[OrderDone]
    ) -> None:
        """Say of one order what can be said now; count the update when something stays held."""
        track = self._tracks[ticket]
        order, out_of_patience = track.order, track.age >= self._patience
        if order is None:
            ready = out_of_patience or track.is_answered
        elif out_of_patience:
            ready = True
            # What is missing now is given up: the next deal must not wait for it again.
            track.dealt = max(track.dealt, _filled(order))
        else:
            # An order that is gone has filled more than its last listing says.
            ready = (track.is_open or track.is_final) and not _is_short(order, track.dealt)
        if ready:
            if (track.held or track.is_final) and not track.is_placed:
                track.is_placed = True
                if order is not None and _was_placed(order):
                    orders.append(OrderPlaced(order))
            deals += [Dealt(deal, order) for deal in track.held]
            track.held = []
            if order is not None and track.is_final:
                done.append(OrderDone(order))
                self._remember(order)
                del self._tracks[ticket], self._waiting[ticket]
                return
        if track.held or (order is not None and not track.is_open):
            track.age += 1
        else:
            del self._waiting[ticket]

    def _see_positions(self, update: TradeUpdate) -> list[Fact]:
        facts: list[Fact] = []
        for position in update.positions:
            key = _key(position)
            before = self._positions.get(key)
            self._positions[key] = position
            self._leaving.pop(key, None)
            if before is None:
                facts.append(PositionOpened(position))
            elif _position_changed(position, before):
                facts.append(PositionChanged(position, before))
        gone = frozenset(update.positions_gone)
        if update.full:
            listed = {position.ticket for position in update.positions}
            gone = frozenset(p.ticket for p in self._positions.values()) - listed
        if gone:
            for key, position in self._positions.items():
                if position.ticket in gone:
                    self._leaving.setdefault(key, 0)
        for key, age in tuple(self._leaving.items()):
            if self._is_netted(key) or age >= self._patience:
                del self._leaving[key]
                self._net.pop(key, None)
                facts.append(PositionClosed(self._positions.pop(key)))
            else:
                self._leaving[key] = age + 1
        return facts

    def _net_deal(self, deal: TradeDeal) -> None:
        if deal.position_id and deal.type in _TRADES:
            sign = 1 if deal.type == DealType.BUY else -1
            net = self._net.get(deal.position_id, 0.0)
            self._net[deal.position_id] = net + sign * deal.volume

    def _is_netted(self, key: int) -> bool:
        net = self._net.get(key)
        return net is not None and abs(net) <= _TOLERANCE * max(1.0, self._positions[key].volume)

    def _remember(self, order: TradeOrder) -> None:
        self._done.add(order.ticket, order.time_done_msc)
        self._recent[order.ticket] = order
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]

    def _forget(self) -> None:
        self._deals.trim(self._memory)
        self._done.trim(self._memory)
        if len(self._net) > self._memory:
            self._net = {k: net for k, net in self._net.items() if k in self._positions}


#: A volume that differs by less is the same (relative to a larger one than 1 lot).
_TOLERANCE: Final = 1e-9
#: Finished orders that are kept whole, to explain a deal that shows after its order is done.
_RECENT: Final = 1_000

_TRADES: Final = frozenset({DealType.BUY, DealType.SELL})
_FINAL: Final = frozenset(
    {OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED}
)
_NOT_YET_PLACED: Final = frozenset(
    {OrderState.STARTED, OrderState.REQUEST_ADD, OrderState.REJECTED}
)
_NOT_PENDING: Final = frozenset({OrderType.BUY, OrderType.SELL, OrderType.CLOSE_BY})


@dataclass(slots=True)
class _Track:
    """One order that is not done: the latest record of it, and its deals."""

    order: TradeOrder | None = None
    is_open: bool = False
    is_final: bool = False
    #: `OrderPlaced` was said, or need not be any more.
    is_placed: bool = False
    #: Volume of the known deals, said and held.
    dealt: float = 0.0
    #: Volume that the server said was executed, in answer to the request; 0: nothing known.
    answered: float = 0.0
    held: list[TradeDeal] = field(default_factory=list)
    #: Updates since something is held, or since its order is gone.
    age: int = 0

    @property
    def is_answered(self) -> bool:
        """Everything that the server said was executed is in the known deals."""
        return 0.0 < self.answered <= self.dealt + _TOLERANCE * max(1.0, self.answered)


class _Seen:
    """Tickets that were dealt with, and the time that everything not newer was dealt with."""

    def __init__(self) -> None:
        self._times: dict[int, int] = {}
        self._horizon = -1

    def __contains__(self, ticket: int) -> bool:
        return ticket in self._times

    def holds(self, ticket: int, time_msc: int) -> bool:
        return ticket in self._times or time_msc <= self._horizon

    def add(self, ticket: int, time_msc: int) -> None:
        self._times[ticket] = time_msc

    def trim(self, limit: int) -> None:
        if len(self._times) > limit:
            self._horizon = sorted(self._times.values())[len(self._times) // 2]
            self._times = {t: at for t, at in self._times.items() if at > self._horizon}


def _filled(order: TradeOrder) -> float:
    """The volume that the deals of an order must add up to. Closing by makes two deals [vendor]."""
    filled = order.volume_initial - order.volume_current
    return 2 * filled if order.type == OrderType.CLOSE_BY else filled


def _is_short(order: TradeOrder, dealt: float) -> bool:
    filled = _filled(order)
    return filled - dealt > _TOLERANCE * max(1.0, filled)


def _was_placed(order: TradeOrder) -> bool:
    """Whether an order that was never seen working has been: market orders need no placing."""
    return order.type not in _NOT_PENDING and order.state != OrderState.REJECTED


def _key(position: TradePosition) -> int:
    """What stays the same while a position lives; its ticket can change [vendor]."""
    return position.identifier or position.ticket


def _order_changed(now: TradeOrder, before: TradeOrder) -> bool:
    """More than what moves with every tick."""
    return now._replace(price_current=before.price_current) != before


def _position_changed(now: TradePosition, before: TradePosition) -> bool:
    """More than what moves with every tick, or every night."""
    still = now._replace(price_current=before.price_current, profit=before.profit, swap=before.swap)
    return still != before
