"""What is asked of one order, and not settled yet? `Work`."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from nautilus_trader.execution.messages import ModifyOrder
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry
from tradingview_scraper.adapters.mt5.nautilus_v1.unproven import Doubt
from tradingview_scraper.adapters.mt5.rules.requests import Terms


class Cancel(StrEnum):
    """How far a cancel is."""

    NONE = "none"
    #: For the ticket of an order that is still on its way.
    WAITING = "waiting"
    SENT = "sent"
    #: The server has taken it; the order's end is still to be seen.
    TAKEN = "taken"
    UNKNOWN = "unknown"


class LevelChange(NamedTuple):
    """A stop loss or take profit, an order of its own in Nautilus, changed with its entry."""

    accepted: Callable[[int], None]
    refused: Callable[[str], None]


class EntryWatcher(Protocol):
    """Hears of the orders that carry stops."""

    def on_terms(self, entry: Entry, terms: Terms, ts_event: int) -> None:
        """A waiting order has these terms now."""

    def on_cancel_refused(self, client_order_id: ClientOrderId) -> None:
        """The cancel of a waiting order was not done."""


class Wish(NamedTuple):
    """A change that is asked for; `of_stop` where it is one of a stop that the order carries."""

    command: ModifyOrder
    of_stop: LevelChange | None = None


@dataclass(slots=True)
class Work:
    """The changes and the cancel of one order, from their commands until they are settled."""

    order: Order
    entry: Entry | None
    ticket: int
    #: Changes that wait for the one before them, or for the order's ticket.
    waiting: deque[Wish] = field(default_factory=deque)
    is_changing: bool = False
    #: Asked for last, and not refused: what the next change starts from.
    asked: Terms | None = None
    #: A change whose outcome is not known.
    change_doubt: Doubt | None = None
    cancel: Cancel = Cancel.NONE
    #: A cancel whose outcome is not known, or not seen yet.
    cancel_doubt: Doubt | None = None

    @property
    def is_idle(self) -> bool:
        """Nothing is asked for any more."""
        return not (
            self.waiting
            or self.is_changing
            or self.change_doubt is not None
            or self.cancel is not Cancel.NONE
        )


def objection(order: Order | None) -> str:
    """Why nothing can be asked of an order, if so."""
    if order is None:
        return "the order is not known"
    if order.is_closed or not (order.is_open or order.is_inflight):
        return f"the order is {order.status_string()}"
    return ""
