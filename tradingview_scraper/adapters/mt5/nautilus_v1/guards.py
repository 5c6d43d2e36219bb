"""Is a request within the limits of the configuration? `Guards`: what is open, what it adds."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from nautilus_trader.cache.cache import Cache
from nautilus_trader.model.enums import OrderSide, OrderStatus, PriceType
from nautilus_trader.model.identifiers import ClientOrderId, VenueOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import leg_of
from tradingview_scraper.adapters.mt5.nautilus_v1.config import MT5GuardsConfig
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, currency
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.rules.guards import Asked, Breach, Limits, Line, OrderLimits
from tradingview_scraper.adapters.mt5.terminal.constants import OrderType, PositionType
from tradingview_scraper.adapters.mt5.terminal.records import TradePosition

_BUYS: Final = frozenset(
    {OrderType.BUY, OrderType.BUY_LIMIT, OrderType.BUY_STOP, OrderType.BUY_STOP_LIMIT}
)


class Guards:
    """The limits of one account's orders.

    Open lots are the account's: its positions, the orders of this node from the moment they are
    let through, and pending orders of anybody else.
    """

    def __init__(
        self,
        config: MT5GuardsConfig,
        client: MT5Client,
        cache: Cache,
        *,
        provider: MT5InstrumentProvider,
        positions: Iterable[TradePosition],
        hedging: bool,
        deposit: str,
    ) -> None:
        self._limits = OrderLimits(
            Limits(
                order_lots=config.max_order_lots,
                order_notional=config.max_order_notional,
                orders_per_minute=config.max_orders_per_minute,
                open_lots=config.max_open_lots,
                symbol_lots=config.max_open_lots_per_symbol,
            )
        )
        self._client = client
        self._cache = cache
        self._provider = provider
        self._positions = positions
        self._hedging = hedging
        self._deposit = currency(deposit)
        #: Let through and not finished, whether the cache has them as working yet or not.
        self._admitted: dict[ClientOrderId, tuple[Order, bool]] = {}
        #: Lots that waiting orders are about to have left to fill, more than they have.
        self._raised: dict[ClientOrderId, float] = {}

    @property
    def limits(self) -> Limits:
        """What is limited."""
        return self._limits.limits

    def opens(
        self, order: Order, request: Mapping[str, int | float | str], listing: Listing
    ) -> float:
        """The lots of a request that may open something; 0 for one that only closes."""
        if order.is_reduce_only or (self._hedging and request.get("position")):
            return 0.0
        symbol = listing.info.name
        line = Line() if self._hedging else self._lines(symbol).get(symbol, Line())
        return line.opened_by(
            buys=int(request["type"]) in _BUYS,
            lots=float(request["volume"]),
            hedging=self._hedging,
        )

    def admit(
        self,
        order: Order,
        request: Mapping[str, int | float | str],
        listing: Listing,
        opens: float,
        now_ns: int,
    ) -> Breach | None:
        """None, and the order counts from now on; or the limit that does not allow it."""
        limits = self.limits
        if limits == Limits():
            return None
        symbol = listing.info.name
        lines: Mapping[str, Line] = {}
        if limits.open_lots is not None:
            lines = self._lines()
        elif limits.symbol_lots is not None:
            lines = self._lines(symbol)
        line = lines.get(symbol, Line())
        added = line
        if opens:
            buys = int(request["type"]) in _BUYS
            added = line.with_order(buys=buys, lots=float(request["volume"]))
        before, after = line.most(hedging=self._hedging), added.most(hedging=self._hedging)
        account = sum(each.most(hedging=self._hedging) for each in lines.values())
        asked = Asked(
            symbol=symbol,
            opens=opens,
            notional=self._limited_notional(order, request, listing, opens),
            account_before=account,
            account_with=account - before + after,
            symbol_before=before,
            symbol_with=after,
        )
        breach = self._limits.admit(asked, now_ns)
        if breach is None:
            self._admitted[order.client_order_id] = order, not opens
        return breach

    def admit_change(
        self,
        order: Order,
        request: Mapping[str, int | float | str],
        listing: Listing,
        *,
        whole: float,
        left: float,
    ) -> Breach | None:
        """None; or the limit that does not allow a waiting order to become `request`.

        Of `whole` lots, with `left` of them to be filled, which count from now on. A change that
        lets the order open no more than it may without it is always allowed.
        """
        if self.limits == Limits():
            return None
        symbol, buys = listing.info.name, order.side == OrderSide.BUY
        lot = float(listing.sizing.lot)
        was = float(order.leaves_qty) / lot
        others = self._lines(without=order.client_order_id)
        line = others.get(symbol, Line())
        before, after = line.with_order(buys=buys, lots=was), line.with_order(buys=buys, lots=left)
        opened, opens = (
            line.opened_by(buys=buys, lots=lots, hedging=self._hedging)
            for lots in (float(order.quantity) / lot, whole)
        )
        most = [each.most(hedging=self._hedging) for each in (line, before, after)]
        account = sum(each.most(hedging=self._hedging) for each in others.values())
        if symbol in others:
            account -= most[0]
        old = {"price": float(order.trigger_price if order.has_trigger_price else order.price)}
        breach = self._limits.breach_of_change(
            Asked(
                symbol=symbol,
                opens=opens,
                notional=self._limited_notional(order, request, listing, opens),
                account_before=account + most[1],
                account_with=account + most[2],
                symbol_before=most[1],
                symbol_with=most[2],
            ),
            opened=opened,
            notional=self._limited_notional(order, old, listing, opened),
        )
        if breach is None and left > was:
            self._raised[order.client_order_id] = left
        return breach

    def _limited_notional(
        self,
        order: Order,
        request: Mapping[str, int | float | str],
        listing: Listing,
        opens: float,
    ) -> float | None:
        if self.limits.order_notional is None:
            return None
        return self._notional(order, request, listing, opens)

    def _notional(
        self,
        order: Order,
        request: Mapping[str, int | float | str],
        listing: Listing,
        opens: float,
    ) -> float | None:
        instrument = listing.instrument
        price = float(request.get("price", 0.0))
        if not price:
            quote = self._cache.quote_tick(instrument.id)
            if quote is None:
                return None
            price = float(quote.ask_price if order.side == OrderSide.BUY else quote.bid_price)
        rate = 1.0
        if instrument.quote_currency != self._deposit:
            rate = self._cache.get_xrate(
                instrument.venue, instrument.quote_currency, self._deposit, PriceType.MID
            )
            if not rate:
                return None
        units = opens * float(listing.sizing.lot)
        return units * price * float(instrument.multiplier) * float(rate)

    def _lines(
        self, symbol: str | None = None, *, without: ClientOrderId | None = None
    ) -> dict[str, Line]:
        """What is open and working, by symbol; of one symbol or of all, `without` an order."""
        lines: dict[str, Line] = {}
        for position in self._positions:
            if symbol in (None, position.symbol):
                line = lines.get(position.symbol, Line())
                if position.type == PositionType.BUY:
                    line = line._replace(long=line.long + position.volume)
                else:
                    line = line._replace(short=line.short + position.volume)
                lines[position.symbol] = line
        for name, buys, lots in self._working(without):
            if symbol in (None, name):
                lines[name] = lines.get(name, Line()).with_order(buys=buys, lots=lots)
        return lines

    def _working(self, without: ClientOrderId | None) -> Iterator[tuple[str, bool, float]]:
        """Symbol, side and lots of the orders that may still open something."""
        self._admitted = {key: one for key, one in self._admitted.items() if not one[0].is_closed}
        venue = self._provider.venue
        known = {
            order.client_order_id: (order, order.is_reduce_only)
            for order in (
                *self._cache.orders_open(venue=venue),
                *self._cache.orders_inflight(venue=venue),
            )
        }
        self._raised = {
            key: lots
            for key, lots in self._raised.items()
            if key in known and known[key][0].status == OrderStatus.PENDING_UPDATE
        }
        for key, (order, closes) in (known | self._admitted).items():
            if key == without:
                continue
            instrument = self._cache.instrument(order.instrument_id)
            listing = self._provider.adopt(instrument) if instrument is not None else None
            if not closes and leg_of(order) is None and listing is not None:
                lots = float(order.leaves_qty) / float(listing.sizing.lot)
                lots = max(lots, self._raised.get(key, 0.0))
                yield listing.info.name, order.side == OrderSide.BUY, lots
        for record in self._client.orders.values():
            if (
                record.type != OrderType.CLOSE_BY
                and not record.position_id
                and self._cache.client_order_id(VenueOrderId(str(record.ticket))) is None
            ):
                yield record.symbol, record.type in _BUYS, record.volume_current
