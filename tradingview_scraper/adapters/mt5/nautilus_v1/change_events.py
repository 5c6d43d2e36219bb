"""Which events say what came of a change or a cancel? `ChangeEvents`."""

from collections.abc import Callable
from decimal import Decimal

from nautilus_trader.execution.messages import ModifyOrder
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.identifiers import VenueOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.nautilus_v1.asked import Wish
from tradingview_scraper.adapters.mt5.nautilus_v1.modifying import prices_of
from tradingview_scraper.adapters.mt5.nautilus_v1.outcomes import words_of
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, quantity
from tradingview_scraper.adapters.mt5.rules.requests import Terms


class ChangeEvents:
    """Publishes Updated, ModifyRejected and CancelRejected."""

    def __init__(
        self, out: LiveExecutionClient, listing_of: Callable[[Order], Listing | None]
    ) -> None:
        self._out = out
        self._listing_of = listing_of

    def updated(
        self,
        order: Order,
        ticket: int,
        terms: Terms,
        ts_event: int,
        units_asked: Decimal | None = None,
    ) -> None:
        """The order has these terms; with `units_asked`, so many units under this ticket."""
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
            venue_order_id_modified=units_asked is not None,
        )

    def refused(self, wish: Wish, reason: str) -> None:
        """What `wish` asks for was not done."""
        if wish.of_stop is not None:
            wish.of_stop.refused(reason)
        else:
            self.change_rejected(wish.command, reason)

    def change_rejected(self, command: ModifyOrder, reason: str) -> None:
        """What `command` asks for was not done."""
        self._out.generate_order_modify_rejected(
            command.strategy_id,
            command.instrument_id,
            command.client_order_id,
            command.venue_order_id,
            reason,
            self._now(),
        )

    def modify_rejected(self, order: Order, reason: str) -> None:
        """A change of the order was not done."""
        self._out.generate_order_modify_rejected(
            *_whose(order), order.venue_order_id, reason, self._now()
        )

    def cancel_rejected(self, order: Order, reason: str) -> None:
        """The order was not cancelled."""
        self._out.generate_order_cancel_rejected(
            *_whose(order), order.venue_order_id, reason, self._now()
        )

    def unknown(self, order: Order, ticket: int, outcome: SendOutcome) -> None:
        """Nobody knows: that is no event."""
        self._out._log.error(
            f"Whether {order.client_order_id} ({ticket}) was changed as asked is not known: "
            f"{words_of(outcome)}. It is not asked again; its record will tell"
        )

    def _now(self) -> int:
        return int(self._out._clock.timestamp_ns())


def _whose(order: Order) -> tuple[object, object, object]:
    return order.strategy_id, order.instrument_id, order.client_order_id
