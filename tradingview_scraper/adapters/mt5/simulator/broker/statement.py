"""What do an account's books show at the present prices? Kept until a price or the books change."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.simulator.broker.account import Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.money import rounded
from tradingview_scraper.adapters.mt5.simulator.broker.valuation import Valuation
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    Tick,
    TradeOrder,
    TradePosition,
)

_NEVER: Final = -1
_ALWAYS: Final = 2**62


class Statement:
    """One account's figures, positions and orders at the market's moment.

    The same object is given as long as nothing has changed; it must not be changed.
    """

    def __init__(self, ledger: Ledger, market: Market) -> None:
        self.ledger: Final = ledger
        self.market: Final = market
        self.valuation: Final = Valuation(ledger.spec, market)
        self._of = (_NEVER, _NEVER)
        self._until = 0
        self._account: AccountInfo | None = None
        self._positions: list[TradePosition] | None = None
        self._orders: list[TradeOrder] | None = None
        self._live: dict[int, _Live] = {}
        self._margins: dict[str, _Margin] = {}

    def account(self) -> AccountInfo:
        """The account's figures."""
        self._renew()
        if self._account is None:
            margin = self.margin() or 0.0
            self._account = self.valuation.account(self.ledger, self.positions(), margin)
        return self._account

    def positions(self) -> list[TradePosition]:
        """The open positions with current prices and profits, oldest first."""
        self._renew()
        if self._positions is None:
            held = self.ledger.positions
            self._positions = [self._as_live(position) for position in held.values()]
            if len(self._live) > 2 * len(held) + 8:
                self._live = {key: live for key, live in self._live.items() if key in held}
        return self._positions

    def orders(self) -> list[TradeOrder]:
        """The active orders with current prices, oldest first."""
        self._renew()
        if self._orders is None:
            live = self.valuation.live_order
            self._orders = [live(order) for order in self.ledger.orders.values()]
        return self._orders

    def margin(
        self,
        changed: Sequence[TradePosition] | None = None,
        symbol: str = "",
        without: TradeOrder | None = None,
    ) -> float | None:
        """Margin of what is open and waits; None when a part of it cannot be converted.

        `changed`: what would be open in `symbol` instead, `without` an order that would be gone.
        """
        held = dict.fromkeys(position.symbol for position in self.ledger.positions.values())
        if changed is not None:
            held[symbol] = None
        total = 0.0
        for name in held:
            if changed is not None and name == symbol:
                amount = self.valuation.positions_margin(name, changed) if changed else 0.0
            else:
                amount = self._margin_in(name)
            if amount is None:
                return None
            total += amount
        orders = self._orders_margin(without)
        if orders is None:
            return None
        return rounded(total + orders, self.ledger.spec.currency_digits)

    def _orders_margin(self, without: TradeOrder | None) -> float | None:
        """What waiting orders hold: on an exchange only [vendor], each its own [decision]."""
        total = 0.0
        if self.ledger.spec.margin_mode == "exchange":
            for order in self.ledger.orders.values():
                amount = 0.0 if order == without else self.valuation.order_margin(order)
                if amount is None:
                    return None
                total += amount
        return total

    def _margin_in(self, symbol: str) -> float | None:
        spec = self.market.spec(symbol)
        currency = "" if spec is None else spec.info.currency_margin
        key = (self.ledger.changed.get(symbol, 0), self._quotes(currency))
        kept = self._margins.get(symbol)
        if kept is None or kept.key != key:
            amount = self.valuation.positions_margin(symbol, self.ledger.in_symbol(symbol))
            kept = self._margins[symbol] = _Margin(key, amount)
        return kept.amount

    def _as_live(self, position: TradePosition) -> TradePosition:
        spec = self.market.spec(position.symbol)
        currency = "" if spec is None else spec.info.currency_profit
        key = (self.market.quote(position.symbol), self._quotes(currency))
        kept = self._live.get(position.identifier)
        if kept is None or kept.position is not position or kept.key != key:
            kept = _Live(position, key, self.valuation.live(position))
            self._live[position.identifier] = kept
        return kept.live

    def _quotes(self, currency: str) -> tuple[Tick, ...]:
        """What changes a currency's money into the account's."""
        market = self.market
        pairs = market.conversion.symbols_between(currency, self.ledger.spec.currency)
        return tuple([market.quote(pair) for pair in pairs])

    def _renew(self) -> None:
        """Forget what does not hold any more."""
        market = self.market
        of = (self.ledger.version, market.version)
        if of == self._of and market.now_msc < self._until:
            return
        self._of = of
        symbols = self.valuation.symbols(self.ledger)
        self._until = min((market.quote_until(symbol) for symbol in symbols), default=_ALWAYS)
        self._account = self._positions = self._orders = None


class Statements:
    """The statements of all accounts."""

    def __init__(self, market: Market) -> None:
        self._market: Final = market
        self._statements: dict[int, Statement] = {}

    def of(self, ledger: Ledger) -> Statement:
        """The statement of one account."""
        found = self._statements.get(ledger.spec.login)
        if found is None or found.ledger is not ledger:
            found = self._statements[ledger.spec.login] = Statement(ledger, self._market)
        return found


class _Live(NamedTuple):
    """A position at the quotes of `key`."""

    position: TradePosition
    key: tuple[Tick, tuple[Tick, ...]]
    live: TradePosition


class _Margin(NamedTuple):
    """The margin in one symbol at a version of its positions and the quotes behind it."""

    key: tuple[int, tuple[Tick, ...]]
    amount: float | None
