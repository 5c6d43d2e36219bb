"""What does an account hold? `Ledger`: positions, deals, history and balance, from a journal.

Every change is one event: it is journalled first and applied then, so that what an answer says has
happened is on disk before the answer leaves.
"""

from typing import Any, NamedTuple
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


class Ledger:
    """One account's books.

    Positions are kept by identifier, with `price_current` and `profit` as of their last change;
    `history` and `deals` are in the order in which they happened. Raises `BooksError` for a journal
    of another account or one whose balance is not the sum of its deals.
    """

    def __init__(self, spec: AccountSpec, journal: Journal, now_msc: int) -> None:
        self.spec = spec
        self.balance = 0.0
        self.positions: dict[int, TradePosition] = {}
        self.history: list[TradeOrder] = []
        self.deals: list[TradeDeal] = []
        self.last_msc = now_msc
        self._journal = journal
        offset = crc32(f"{spec.server}/{spec.login}".encode()) % 20_000_000
        self.tickets = Tickets(_FIRST_ORDER + offset, _FIRST_DEAL + offset // 2)
        if journal.events:
            self._fold(journal.events)
        elif spec.balance > 0.0:
            self.record(now_msc, deal=_deposit(self.tickets.deal, spec.balance, now_msc))

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

    def record(
        self,
        msc: int,
        *,
        order: TradeOrder | None = None,
        deal: TradeDeal | None = None,
        position: TradePosition | None = None,
        closed: int | None = None,
    ) -> None:
        """One event: an order that is done, its deal, and the position that they left or closed.

        `position` replaces the one of its identifier; `closed` is the identifier of one that ended.
        """
        event: dict[str, Any] = {"login": self.spec.login, "msc": msc}
        if order is not None:
            event["order"] = order._asdict()
        if deal is not None:
            event["deal"] = deal._asdict()
        if position is not None:
            event["position"] = position._asdict()
        if closed is not None:
            event["closed"] = closed
        event["balance"] = self._balance_after(deal)
        event["tickets"] = self._tickets_after(order, deal)
        self._journal.append(event)
        self._apply(event)

    def _fold(self, events: list[dict[str, Any]]) -> None:
        for number, event in enumerate(events, 1):
            try:
                self._apply(event)
            except (KeyError, TypeError, ValueError) as error:
                raise BooksError(
                    f"{self._journal.file}, line {number}: expected an event of account "
                    f"{self.spec.login}, got {error}; remove the file to begin anew"
                ) from None

    def _apply(self, event: dict[str, Any]) -> None:
        if event["login"] != self.spec.login:
            raise ValueError(f"one of account {event['login']}")
        deal = TradeDeal(**event["deal"]) if "deal" in event else None
        balance = self._balance_after(deal)
        if balance != event["balance"]:
            raise ValueError(f"a balance of {event['balance']} where the deals make {balance}")
        if "order" in event:
            self.history.append(TradeOrder(**event["order"]))
        if deal is not None:
            self.deals.append(deal)
        if "position" in event:
            position = TradePosition(**event["position"])
            self.positions[position.identifier] = position
        if "closed" in event:
            del self.positions[event["closed"]]
        self.balance = balance
        self.tickets = Tickets(*event["tickets"])
        self.last_msc = event["msc"]

    def _balance_after(self, deal: TradeDeal | None) -> float:
        if deal is None:
            return self.balance
        change = deal.profit + deal.commission + deal.fee + deal.swap
        return rounded(self.balance + change, self.spec.currency_digits)

    def _tickets_after(self, order: TradeOrder | None, deal: TradeDeal | None) -> Tickets:
        return Tickets(
            self.tickets.order if order is None else _next(self.tickets.order),
            self.tickets.deal if deal is None else _next(self.tickets.deal),
        )


def _next(ticket: int) -> int:
    # Other accounts of the server use up tickets in between.
    return ticket + 1 + crc32(str(ticket).encode()) % 23


def _deposit(ticket: int, amount: float, msc: int) -> TradeDeal:
    return TradeDeal(
        ticket=ticket,
        order=0,
        time=msc // 1000,
        time_msc=msc,
        type=int(DealType.BALANCE),
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
        comment="",
        external_id="",
    )
