"""What does the trade feed bring, and what can happen on an account? Updates and facts."""

from dataclasses import dataclass
from typing import NamedTuple

from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    TradeDeal,
    TradeOrder,
    TradePosition,
)


class TradeUpdate(NamedTuple):
    """One reading of the trade feed.

    With `full`, `orders` and `positions` are all that are open; else those that are new or have
    changed since the last reading, and `orders_gone` and `positions_gone` are the tickets that are
    no longer open. `deals` and `history` (finished orders) may hold what was seen before; they
    are never complete. `account` is None when it was not read or has not changed. `answered` are
    tickets of orders that the server has answered a request with, and the lots that it said were
    executed: that explains their deals before their record is in history.
    """

    full: bool
    orders: tuple[TradeOrder, ...] = ()
    orders_gone: tuple[int, ...] = ()
    positions: tuple[TradePosition, ...] = ()
    positions_gone: tuple[int, ...] = ()
    deals: tuple[TradeDeal, ...] = ()
    history: tuple[TradeOrder, ...] = ()
    account: AccountInfo | None = None
    answered: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """The server has accepted an order: a pending one, or a market order that takes its time.

    A pending order that came and went between two readings is placed as history shows it.
    """

    order: TradeOrder


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """A working order is no longer what it was `before`; more than its current price differs."""

    order: TradeOrder
    before: TradeOrder


@dataclass(frozen=True, slots=True)
class Dealt:
    """A deal was made. `order` is None for balance operations and where it cannot be known."""

    deal: TradeDeal
    order: TradeOrder | None


@dataclass(frozen=True, slots=True)
class OrderDone:
    """An order is finished: filled, cancelled, expired or rejected, as its `state` says."""

    order: TradeOrder


@dataclass(frozen=True, slots=True)
class PositionOpened:
    """A position that was not there before."""

    position: TradePosition


@dataclass(frozen=True, slots=True)
class PositionChanged:
    """A position is no longer what it was `before`; more than price, profit and swap differ."""

    position: TradePosition
    before: TradePosition


@dataclass(frozen=True, slots=True)
class PositionClosed:
    """A position is gone. `position` is what was last seen of it."""

    position: TradePosition


@dataclass(frozen=True, slots=True)
class AccountSeen:
    """The account's figures, when they differ from the last ones."""

    account: AccountInfo


Fact = (
    OrderPlaced
    | OrderChanged
    | Dealt
    | OrderDone
    | PositionOpened
    | PositionChanged
    | PositionClosed
    | AccountSeen
)
