"""Which simulated venue of Nautilus mirrors an MT5 account? Its fees, its swaps, its fills."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from nautilus_trader.backtest.config import SimulationModuleConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import FeeModel, FillModel, LatencyModel
from nautilus_trader.backtest.modules import SimulationModule
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder
from nautilus_trader.model.enums import (
    AccountType,
    BookType,
    OmsType,
    OrderSide,
    OrderType,
    PriceType,
)
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.instruments import CurrencyPair, Instrument
from nautilus_trader.model.objects import Currency, Money, Price, Quantity

from tradingview_scraper.adapters.mt5.archive.terms import Terms
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, currency
from tradingview_scraper.adapters.mt5.rules.swaps import nights, swap_of_night
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import AccountMarginMode

_DAY_MS: Final = 86_400_000
#: Units; more than any order, and a quantity on either wheel.
_ANY_DEPTH: Final = 1_000_000_000


def oms_of(terms: Terms) -> OmsType:
    """How an account keeps positions, in Nautilus' words."""
    is_hedging = terms.margin_mode == AccountMarginMode.RETAIL_HEDGING
    return OmsType.HEDGING if is_hedging else OmsType.NETTING


class QuoteFills(FillModel):
    """Every order that the quote reaches is filled whole, at the quote's price.

    The size of a quote is the contract size, because the terminal has none: left to the engine,
    what is larger would slip by a tick. A limit fills when the opposite side reaches it, as at a
    broker.
    """

    def get_orderbook_for_fill_simulation(
        self, instrument: Instrument, order: Any, best_bid: Price, best_ask: Price
    ) -> OrderBook | None:
        """A book of any depth at the quote; None where the quote does not reach the order."""
        if order.order_type == OrderType.LIMIT:
            reached = (
                order.price >= best_ask if order.side == OrderSide.BUY else order.price <= best_bid
            )
            if not reached:
                return None
        book = OrderBook(instrument_id=instrument.id, book_type=BookType.L2_MBP)
        size = Quantity(_ANY_DEPTH, instrument.size_precision)
        book.add(BookOrder(OrderSide.BUY, best_bid, size, 1), 0, 0)
        book.add(BookOrder(OrderSide.SELL, best_ask, size, 2), 0, 0)
        return book


class LotFees(FeeModel):
    """Commission per lot and deal, in the account's currency, by symbol.

    On a `CurrencyPair` that is based on the account's currency it is in the quote currency at the
    price of the fill, as live: in the base currency Nautilus would shrink the position.
    """

    def __init__(self, per_lot: Mapping[str, float], account: Currency) -> None:
        self._per_lot = dict(per_lot)
        self._account = account

    def get_commission(
        self, order: Any, fill_qty: Quantity, fill_px: Price, instrument: Instrument
    ) -> Money:
        """What a fill costs."""
        rate = self._per_lot.get(instrument.raw_symbol.value, 0.0)
        lots = fill_qty.as_double() / instrument.lot_size.as_double()
        paid = round(rate * lots, self._account.precision)
        is_pair = isinstance(instrument, CurrencyPair)
        if is_pair and instrument.base_currency == self._account:
            return Money(paid * fill_px.as_double(), instrument.quote_currency)
        return Money(paid, self._account)


class Swaps(SimulationModule):
    """Books swaps on the account at each server midnight that a position was held over.

    A broker keeps them in the position until it is closed; the balance takes them at once here.
    """

    def __init__(self, listings: Mapping[str, Listing], zone: ZoneRule) -> None:
        super().__init__(SimulationModuleConfig())
        self._listings = listings
        self._zone = zone
        self._day: int | None = None
        self.total = 0.0
        self.nights = 0
        #: Positions whose swap had no rate of exchange, and was not booked.
        self.unbooked = 0

    def process(self, ts_now: int) -> None:
        """Book what the midnights since the last call cost."""
        day = self._zone.server_msc(ts_now) // _DAY_MS
        if self._day is not None:
            for ended in range(self._day, day):
                self._book(ended)
        self._day = day

    def log_diagnostics(self, logger: Any) -> None:
        """Said in the engine's log at the end."""
        logger.info(f"Swaps: {self.total:.2f} in {self.nights} nights")

    def reset(self) -> None:
        """Begin anew."""
        self._day, self.total, self.nights, self.unbooked = None, 0.0, 0, 0

    def _book(self, day: int) -> None:
        for position in self.exchange.cache.positions_open(venue=self.exchange.id):
            known = self._listings.get(position.instrument_id.value)
            count = nights(known.info, day) if known is not None else 0
            side = PriceType.BID if position.is_long else PriceType.ASK
            price = self.exchange.cache.price(position.instrument_id, side)
            if known is None or not count or price is None:
                continue
            swap = swap_of_night(
                known.info,
                is_long=position.is_long,
                lots=position.quantity.as_double() / known.instrument.lot_size.as_double(),
                opened_at=position.avg_px_open,
                price=price.as_double(),
            )
            account = self.exchange.base_currency
            rate = self._rate(swap.currency or account.code, account)
            if not rate:
                self.unbooked += 1
                continue
            money = Money(swap.amount * count * rate, account)
            self.total += money.as_double()
            self.nights += count
            if money.as_double():
                self.exchange.adjust_account(money)

    def _rate(self, source: str, account: Currency) -> float:
        if source == account.code:
            return 1.0
        found = self.exchange.cache.get_xrate(
            self.exchange.id, currency(source), account, PriceType.MID
        )
        return float(found or 0.0)


def add_mirror(
    engine: BacktestEngine,
    venue: Venue,
    listings: Iterable[Listing],
    terms: Terms,
    zone: ZoneRule,
    *,
    balance: float,
    latency_ms: float = 0.0,
    fills_from_bars: bool = False,
) -> Swaps:
    """Add a venue with the account's terms and instruments to an engine.

    Orders fill at the best price of the quotes, whole: the terminal's quotes have no size. There is
    no stop-out: an account that a broker would have closed goes on [measured: Nautilus has none].
    """
    known = {one.instrument.id.value: one for one in listings}
    account = currency(terms.currency)
    swaps = Swaps(known, zone)
    engine.add_venue(
        venue=venue,
        oms_type=oms_of(terms),
        account_type=AccountType.MARGIN,
        base_currency=account,
        starting_balances=[Money(balance, account)],
        # The instruments' margin rates contain the leverage already.
        default_leverage=Decimal(1),
        modules=[swaps],
        fill_model=QuoteFills(),
        fee_model=LotFees(terms.commission_per_lot, account),
        latency_model=LatencyModel(int(latency_ms * 1e6)) if latency_ms else None,
        bar_execution=fills_from_bars,
    )
    for one in known.values():
        engine.add_instrument(one.instrument)
    return swaps
