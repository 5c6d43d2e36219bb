"""Has a reduce-only order opened a position? `Overshoot`: raises an alarm, and has it counted.

No server has reduce-only. On a netting account, where somebody else (a person, a stop at the
server) closes the position while the order is on its way, its deal opens one.
"""

from decimal import Decimal
from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import ClientOrderId, TradeId, VenueOrderId

from tradingview_scraper.adapters.mt5.nautilus_v1.alarms import Alarms
from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5AlarmKind
from tradingview_scraper.adapters.mt5.nautilus_v1.holdings import Holdings
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, quantity
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import (
    deal_side,
    fill_report,
    order_of,
    order_report,
)
from tradingview_scraper.adapters.mt5.rules.symbols import units
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import DealEntry
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal

#: Ends the ids of what is reported for the part of a deal that the engine does not count.
_SUFFIX: Final = "-OPENED"
_OPENING: Final = (DealEntry.IN, DealEntry.INOUT)


class Overshoot:
    """The reduce-only orders of a netting account that have opened a position.

    The engine opens none from a reduce-only fill [wheel] and would take the account for flat: what
    it does not count is reported as an external order with that fill, without money, which the
    order's own fill has.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        *,
        told: Holdings,
        zone: ZoneRule,
        hedging: bool,
        deposit: str,
    ) -> None:
        """`told`: the account's positions, counting the deals that were told."""
        self._out = out
        self._cache = out._cache
        self._alarms = Alarms(out)
        self._told = told
        self._zone = zone
        self._hedging = hedging
        self._deposit = deposit

    def has_opened(self, client_order_id: ClientOrderId, deal: TradeDeal) -> bool:
        """Whether a deal of ours opened a position, and must not have; that raises an alarm."""
        order = self._cache.order(client_order_id)
        if self._hedging or order is None or not order.is_reduce_only:
            return False
        if deal.entry not in _OPENING:
            return False
        self._alarms.tell(
            MT5AlarmKind.POSITION_OPENED_BY_REDUCING,
            f"{client_order_id} was to reduce, and its deal {deal.ticket} of {deal.volume:g} lots "
            f"of {deal.symbol} opened a position: what it was to reduce was closed in the same "
            f"moment. Close it, or keep it",
            symbol=deal.symbol,
            position=deal.position_id,
            figure=deal.volume,
        )
        return True

    def tell(self, deal: TradeDeal, listing: Listing) -> None:
        """Have the engine count what it has not. All deals that were told are applied by now."""
        missing = self._missing(deal, listing)
        if not missing:
            return
        ticket = VenueOrderId(f"{deal.order}{_SUFFIX}")
        size = quantity(missing, listing.instrument.size_precision)
        common = {
            "hedging": self._hedging,
            "account_id": self._out.account_id,
            "zone": self._zone,
            "ts_init": self._out._clock.timestamp_ns(),
        }
        order = order_report(order_of(None, [deal]), [], listing, is_open=True, **common)
        order.venue_order_id, order.quantity = ticket, size
        self._out._send_order_status_report(order)
        free = deal._replace(commission=0.0, fee=0.0)
        fill = fill_report(free, listing, deposit=self._deposit, **common)
        fill.venue_order_id, fill.last_qty = ticket, size
        fill.trade_id = TradeId(f"{deal.ticket}{_SUFFIX}")
        self._out._send_fill_report(fill)

    def _missing(self, deal: TradeDeal, listing: Listing) -> Decimal:
        """Units of a deal by which the engine is behind the account."""
        lots = self._told.net_lots(deal.symbol)
        held = units(abs(lots), listing.sizing) * (1 if lots > 0 else -1)
        counted = sum(
            (
                position.signed_decimal_qty()
                for position in self._cache.positions_open(
                    instrument_id=listing.instrument.id, account_id=self._out.account_id
                )
            ),
            Decimal(0),
        )
        sign = 1 if deal_side(deal) == OrderSide.BUY else -1
        return min(max(sign * (held - counted), Decimal(0)), units(deal.volume, listing.sizing))
