"""What does the demo trade? A strategy that certainly trades, and remembers what it saw."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide, PriceType
from nautilus_trader.model.events import OrderFilled, PositionOpened
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.objects import Currency
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy


class DemoStrategyConfig(StrategyConfig, frozen=True):
    """Two instruments, how long a position is held, and the size in lots of each."""

    instrument_ids: tuple[InstrumentId, ...]
    account_currency: str
    #: Seconds a position is held; half of it passes between two positions.
    hold_secs: float = 3.0
    #: Orders are this many lots.
    lots: str = "0.10"


@dataclass
class Observed:
    """Everything the strategy saw, for the report and the check. Times are UTC nanoseconds."""

    quotes: dict[str, list[tuple[int, float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    equity: list[tuple[int, float]] = field(default_factory=list)
    fills: list[OrderFilled] = field(default_factory=list)
    tick_latency_ns: list[int] = field(default_factory=list)
    fill_latency_ns: list[int] = field(default_factory=list)


class DemoStrategy(Strategy):
    """Buys and sells in turn on each instrument, one position at a time, by market orders."""

    def __init__(self, config: DemoStrategyConfig) -> None:
        super().__init__(config)
        self.observed = Observed()
        self._finishing = False
        self._sent_ns: dict[ClientOrderId, int] = {}
        self._due_ns: dict[InstrumentId, int] = {}
        self._next_side: dict[InstrumentId, OrderSide] = {}
        self._seen: set[InstrumentId] = set()
        self._equity_due_ns = 0

    def on_start(self) -> None:
        for number, instrument_id in enumerate(self.config.instrument_ids):
            self._next_side[instrument_id] = OrderSide.SELL if number % 2 else OrderSide.BUY
            self.subscribe_quote_ticks(instrument_id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        now = time.time_ns()
        bid, ask = tick.bid_price.as_double(), tick.ask_price.as_double()
        self.observed.quotes[tick.instrument_id.value].append((tick.ts_event, bid, ask))
        if tick.instrument_id in self._seen:
            self.observed.tick_latency_ns.append(now - tick.ts_event)
        else:  # the quote that stood before the subscription
            self._seen.add(tick.instrument_id)
        self._sample_equity(now)
        if now >= self._due_ns.get(tick.instrument_id, 0):
            self._trade(tick.instrument_id, now)

    def on_order_filled(self, event: OrderFilled) -> None:
        sent = self._sent_ns.pop(event.client_order_id, None)
        if sent is not None:
            self.observed.fill_latency_ns.append(time.time_ns() - sent)
        self.observed.fills.append(event)

    def on_position_opened(self, event: PositionOpened) -> None:
        if self._finishing:  # its order was under way when everything else was closed
            self.close_all_positions(event.instrument_id)

    def on_stop(self) -> None:
        for instrument_id in self.config.instrument_ids:
            self.unsubscribe_quote_ticks(instrument_id)

    def finish(self) -> None:
        """Open nothing more and close what is open."""
        self._finishing = True
        for instrument_id in self.config.instrument_ids:
            self._close(instrument_id)

    def is_flat(self) -> bool:
        """No position is open and no order under way."""
        return not (self.cache.positions_open(strategy_id=self.id) or self._busy())

    def submit_order(self, order: Any, *args: Any, **kwargs: Any) -> None:
        """Submit `order` and remember when, also where the framework closes a position."""
        self._sent_ns[order.client_order_id] = time.time_ns()
        super().submit_order(order, *args, **kwargs)

    def _trade(self, instrument_id: InstrumentId, now: int) -> None:
        if self._finishing or self._busy(instrument_id):
            return
        hold_ns = int(self.config.hold_secs * 1e9)
        if self.cache.positions_open(instrument_id=instrument_id, strategy_id=self.id):
            self._close(instrument_id)
            self._due_ns[instrument_id] = now + hold_ns // 2
        else:
            self._open(instrument_id)
            self._due_ns[instrument_id] = now + hold_ns

    def _open(self, instrument_id: InstrumentId) -> None:
        instrument = self.cache.instrument(instrument_id)
        side = self._next_side[instrument_id]
        self._next_side[instrument_id] = OrderSide.SELL if side == OrderSide.BUY else OrderSide.BUY
        wanted = instrument.lot_size.as_decimal() * Decimal(self.config.lots)
        size = max(wanted, instrument.min_quantity.as_decimal())
        self.submit_order(self.order_factory.market(instrument_id, side, instrument.make_qty(size)))

    def _close(self, instrument_id: InstrumentId) -> None:
        if not self._busy(instrument_id):
            self.close_all_positions(instrument_id)

    def _busy(self, instrument_id: InstrumentId | None = None) -> bool:
        # Market orders: what is not over is under way, from the moment that it is handed over.
        orders = self.cache.orders(instrument_id=instrument_id, strategy_id=self.id)
        return not all(order.is_closed for order in orders)

    def _sample_equity(self, now: int) -> None:
        if now < self._equity_due_ns:
            return
        self._equity_due_ns = now + 200_000_000
        venue = self.config.instrument_ids[0].venue
        account = self.portfolio.account(venue)
        if account is None:
            return
        currency = Currency.from_str(self.config.account_currency)
        equity = account.balance_total(currency).as_double()
        for position in self.cache.positions_open(strategy_id=self.id):
            closing = PriceType.BID if position.is_long else PriceType.ASK
            price = self.cache.price(position.instrument_id, closing)
            if price is None:
                return
            floating = position.unrealized_pnl(price)
            rate = 1.0
            if floating.currency != currency:
                rate = self.cache.get_xrate(venue, floating.currency, currency, PriceType.MID)
            if not rate:
                return
            equity += floating.as_double() * rate
        self.observed.equity.append((now, equity))
