"""What does an account hold? `Ledger`: positions, deals, history and balance, from a journal.

Every change is one event: it is journalled first and applied then, so that what an answer says has
happened is on disk before the answer leaves.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from zlib import crc32

from tradingview_scraper.adapters.mt5.simulator.broker.books import BooksError, Journal
from tradingview_scraper.adapters.mt5.simulator.broker.money import rounded
from tradingview_scraper.adapters.mt5.simulator.schema import AccountSpec
from tradingview_scraper.adapters.mt5.terminal.constants import DealType
from tradingview_scraper.adapters.mt5.terminal.records import (
    TradeDeal,
    TradeOrder,
    TradePosition,
)

_FIRST_ORDER = 1_380_000_000
_FIRST_DEAL = 1_130_000_000


class Tickets(NamedTuple):
    """The next free tickets: orders and deals have counters of their own."""

    order: int
    deal: int


class Change(NamedTuple):
    """One step of an event.

    `active` is an order that was placed or changed, `order` one that is done and goes into history.
    `position` replaces the one of its identifier; `closed` is the identifier of one that ended.
    """

    order: TradeOrder | None = None
    active: TradeOrder | None = None
    deal: TradeDeal | None = None
    position: TradePosition | None = None
    closed: int | None = None


class Ledger:
    """One account's books.

    Positions are kept by identifier, with `price_current` and `profit` as of their last change;
    active orders by ticket; `history` and `deals` are in the order in which they happened. Raises
    `BooksError` for a journal of another account or one whose balance is not the sum of its deals.
    """

    def __init__(self, spec: AccountSpec, journal: Journal, now_msc: int) -> None:
        self.spec = spec
        self.balance = 0.0
        self.credit = spec.credit
        self.orders: dict[int, TradeOrder] = {}
        self.positions: dict[int, TradePosition] = {}
        self.history: list[TradeOrder] = []
        self.deals: list[TradeDeal] = []
        #: For each of them the latest moment up to it, in milliseconds: clocks may go back.
        self.history_until: list[int] = []
        self.deals_until: list[int] = []
        self.last_msc = now_msc
        #: Grows with every event.
        self.version = 0
        #: The version at which the orders or positions of a symbol changed last.
        self.changed: dict[str, int] = {}
        self._journal = journal
        offset = crc32(f"{spec.server}/{spec.login}".encode()) % 20_000_000
        self.tickets = Tickets(_FIRST_ORDER + offset, _FIRST_DEAL + offset // 2)
        if journal.events:
            self._fold(journal.events)
        elif spec.balance > 0.0:
            self.operate(now_msc, DealType.BALANCE, spec.balance)

    @property
    def is_hedging(self) -> bool:
        """Whether a symbol may have several positions, also opposite ones."""
        return self.spec.margin_mode == "hedging"

    def by_ticket(self, ticket: int) -> TradePosition | None:
        """The open position of that ticket (a reversal changes it, never the identifier)."""
        found = (position for position in self.positions.values() if position.ticket == ticket)
        return next(found, None)

    def in_symbol(self, symbol: str) -> list[TradePosition]:
        """The open positions of a symbol, oldest first."""
        return [position for position in self.positions.values() if position.symbol == symbol]

    def next_ticket(self, ticket: int) -> int:
        """The ticket of the order or the deal after the one of that ticket."""
        return _next(ticket)

    def operate(self, msc: int, kind: DealType, amount: float, comment: str = "") -> TradeDeal:
        """A deal without a trade: it moves the balance, or with CREDIT the credit."""
        deal = _operation(self.tickets.deal, kind, amount, comment, msc)
        self.record(msc, Change(deal=deal))
        return deal

    def record(self, msc: int, *changes: Change) -> None:
        """One event: its changes happen together or not at all."""
        balance, tickets = self._balance_after(changes), self._tickets_after(changes)
        self._journal.append(
            {
                "login": self.spec.login,
                "msc": msc,
                "changes": [_as_table(change) for change in changes],
                "balance": balance,
                "tickets": tickets,
            }
        )
        self._apply(msc, changes, balance, tickets)

    def _fold(self, events: list[dict[str, Any]]) -> None:
        for number, event in enumerate(events, 1):
            try:
                self._apply_written(event)
            except (KeyError, TypeError, ValueError) as error:
                raise BooksError(
                    f"{self._journal.file}, line {number}: expected an event of account "
                    f"{self.spec.login}, got {error}; remove the file to begin anew"
                ) from None

    def _apply_written(self, event: dict[str, Any]) -> None:
        if event["login"] != self.spec.login:
            raise ValueError(f"one of account {event['login']}")
        changes = [_from_table(table) for table in event["changes"]]
        balance = self._balance_after(changes)
        if balance != event["balance"]:
            raise ValueError(f"a balance of {event['balance']} where the deals make {balance}")
        self._apply(event["msc"], changes, balance, Tickets(*event["tickets"]))

    def _apply(self, msc: int, changes: Iterable[Change], balance: float, tickets: Tickets) -> None:
        self.version += 1
        for change in changes:
            self._apply_change(change)
        self.balance = balance
        self.tickets = tickets
        self.last_msc = msc

    def _apply_change(self, change: Change) -> None:
        if change.order is not None:
            self.orders.pop(change.order.ticket, None)
            self.history.append(change.order)
            _append_latest(self.history_until, change.order.time_done_msc)
            self.changed[change.order.symbol] = self.version
        if change.active is not None:
            self.orders[change.active.ticket] = change.active
            self.changed[change.active.symbol] = self.version
        if change.deal is not None:
            self.deals.append(change.deal)
            _append_latest(self.deals_until, change.deal.time_msc)
            if change.deal.type == DealType.CREDIT:
                credit = self.credit + change.deal.profit
                self.credit = rounded(credit, self.spec.currency_digits)
        if change.position is not None:
            self.positions[change.position.identifier] = change.position
            self.changed[change.position.symbol] = self.version
        if change.closed is not None:
            self.changed[self.positions.pop(change.closed).symbol] = self.version

    def _balance_after(self, changes: Iterable[Change]) -> float:
        balance = self.balance
        for deal in (change.deal for change in changes):
            if deal is not None and deal.type != DealType.CREDIT:
                result = deal.profit + deal.commission + deal.fee + deal.swap
                balance = rounded(balance + result, self.spec.currency_digits)
        return balance

    def _tickets_after(self, changes: Iterable[Change]) -> Tickets:
        order, deal = self.tickets
        for change in changes:
            named = change.order or change.active
            if named is not None and named.ticket >= order:
                order = _next(named.ticket)
            if change.deal is not None:
                deal = _next(change.deal.ticket)
        return Tickets(order, deal)


_KINDS: Final = {
    "order": TradeOrder,
    "active": TradeOrder,
    "deal": TradeDeal,
    "position": TradePosition,
}


def _as_table(change: Change) -> dict[str, Any]:
    given = {name: value for name, value in change._asdict().items() if value is not None}
    return {name: value._asdict() if name in _KINDS else value for name, value in given.items()}


def _from_table(table: dict[str, Any]) -> Change:
    return Change(
        **{
            name: _KINDS[name](**value) if name in _KINDS else value
            for name, value in table.items()
        }
    )


def _append_latest(latest: list[int], msc: int) -> None:
    latest.append(max(msc, latest[-1]) if latest else msc)


def _next(ticket: int) -> int:
    # Other accounts of the server use up tickets in between.
    return ticket + 1 + crc32(str(ticket).encode()) % 23


def _operation(ticket: int, kind: DealType, amount: float, comment: str, msc: int) -> TradeDeal:
    return TradeDeal(
        ticket=ticket,
        order=0,
        time=msc // 1000,
        time_msc=msc,
        type=int(kind),
        entry=0,
        magic=0,
        position_id=0,
        reason=0,
        volume=0.0,
        price=0.0,
        commission=0.0,
        swap=0.0,
        profit=amount,
        fee=0.0,
        symbol="",
        comment=comment,
        external_id="",
    )
