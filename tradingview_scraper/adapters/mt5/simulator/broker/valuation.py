"""What is an account worth now? Positions, margin and equity at the market's prices."""

from collections.abc import Iterable
from typing import Final

from tradingview_scraper.adapters.mt5.simulator.broker import money
from tradingview_scraper.adapters.mt5.simulator.broker.account import Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.money import Holding
from tradingview_scraper.adapters.mt5.simulator.broker.orders import (
    SIDES,
    STOP_LIMITS,
    side_of,
)
from tradingview_scraper.adapters.mt5.simulator.market.conversion import Side
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.schema import AccountSpec
from tradingview_scraper.adapters.mt5.terminal.constants import PositionType
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    SymbolInfo,
    TradeOrder,
    TradePosition,
)


class Valuation:
    """Money of one account, in its currency and rounded to its digits."""

    def __init__(self, spec: AccountSpec, market: Market) -> None:
        self._spec: Final = spec
        self._market: Final = market

    def profit(
        self,
        info: SymbolInfo,
        type: int,
        volume: float,
        price_open: float,
        price_close: float,
        at: int | None = None,
    ) -> float | None:
        """Profit of a position that closes at `price_close`; None when no quote converts it.

        Changed at the side that closes: a buy position's at the bid of the pairs, a sell position's
        at the ask [recorded for the traded pair itself].
        """
        raw = money.profit(info, type, volume, price_open, price_close)
        side: Final = "bid" if type == PositionType.BUY else "ask"
        amount = self._market.conversion.convert(
            raw, info.currency_profit, self._spec.currency, side, at
        )
        return None if amount is None else self._rounded(amount)

    def margin(self, info: SymbolInfo, holdings: Iterable[Holding]) -> float | None:
        """Margin of what is held in one symbol; None when no quote converts it.

        A pair's margin is changed at the opening price when the pair itself leads to the account's
        currency, else at the ask of the pairs [decision].
        """
        total = 0.0
        for amount, price in money.hedged_margin(info, holdings, self._spec.leverage):
            direct = (info.currency_base, info.currency_profit)
            if direct == (info.currency_margin, self._spec.currency) and direct[0] != direct[1]:
                total += amount * price
                continue
            changed = self._market.conversion.convert(
                amount, info.currency_margin, self._spec.currency, "ask"
            )
            if changed is None:
                return None
            total += changed
        return self._rounded(total)

    def positions_margin(self, symbol: str, positions: Iterable[TradePosition]) -> float | None:
        """Margin of positions in one symbol; None when it cannot be converted."""
        spec = self._market.spec(symbol)
        if spec is None:
            return None
        holdings = [
            Holding(position.type, position.volume, position.price_open) for position in positions
        ]
        return self.margin(spec.info, holdings)

    def order_margin(self, order: TradeOrder) -> float | None:
        """What a waiting order holds; None when it cannot be converted.

        The rest of a market order holds none: it is paid for as it trades [decision].
        """
        spec = self._market.spec(order.symbol)
        if spec is None or self._spec.margin_mode != "exchange" or order.type in SIDES:
            return 0.0
        price = order.price_stoplimit if order.type in STOP_LIMITS else order.price_open
        holding = Holding(side_of(order.type), order.volume_current, price)
        return self.margin(spec.info, [holding])

    def live(self, position: TradePosition) -> TradePosition:
        """A position with its current price and profit: those of closing it now."""
        spec = self._market.spec(position.symbol)
        tick = self._market.quote(position.symbol)
        price = tick.bid if position.type == PositionType.BUY else tick.ask
        if spec is None or price <= 0.0:
            return position
        profit = self.profit(spec.info, position.type, position.volume, position.price_open, price)
        return position._replace(price_current=price, profit=profit or 0.0)

    def live_order(self, order: TradeOrder) -> TradeOrder:
        """A waiting order with its current price."""
        tick = self._market.quote(order.symbol)
        price = tick.ask if side_of(order.type) == PositionType.BUY else tick.bid
        return order._replace(price_current=price) if price > 0.0 else order

    def account(
        self, ledger: Ledger, positions: Iterable[TradePosition], margin: float
    ) -> AccountInfo:
        """The account's figures, from its live positions and the margin that they hold.

        `margin_level` is 0 without margin [recorded].
        """
        spec = self._spec
        profit = self._rounded(sum(position.profit + position.swap for position in positions))
        equity = self._rounded(ledger.balance + ledger.credit + profit)
        return AccountInfo(
            login=spec.login,
            trade_mode=int(spec.trade_mode_code),
            leverage=spec.leverage,
            limit_orders=spec.limit_orders,
            margin_so_mode=int(spec.margin_so_mode_code),
            trade_allowed=spec.trade_allowed,
            trade_expert=spec.trade_expert,
            margin_mode=int(spec.margin_mode_code),
            currency_digits=spec.currency_digits,
            fifo_close=spec.fifo_close,
            balance=ledger.balance,
            credit=ledger.credit,
            profit=profit,
            equity=equity,
            margin=margin,
            margin_free=self._rounded(equity - margin),
            margin_level=level(equity, margin),
            margin_so_call=spec.margin_so_call,
            margin_so_so=spec.margin_so_so,
            margin_initial=0.0,
            margin_maintenance=0.0,
            assets=0.0,
            liabilities=0.0,
            commission_blocked=0.0,
            name=spec.name,
            server=spec.server,
            currency=spec.currency,
            company=spec.company,
        )

    def symbols(self, ledger: Ledger) -> set[str]:
        """The symbols whose quotes the figures of a ledger depend on."""
        held = {position.symbol for position in ledger.positions.values()}
        held |= {order.symbol for order in ledger.orders.values()}
        found = set(held)
        for symbol in held:
            if (spec := self._market.spec(symbol)) is not None:
                for currency in (spec.info.currency_profit, spec.info.currency_margin):
                    found.update(
                        self._market.conversion.symbols_between(currency, self._spec.currency)
                    )
        return found

    def _converted(
        self, amount: float, currency: str, side: Side, at: int | None = None
    ) -> float | None:
        return self._market.conversion.convert(amount, currency, self._spec.currency, side, at)

    def _rounded(self, amount: float) -> float:
        return money.rounded(amount, self._spec.currency_digits)


def level(equity: float, margin: float) -> float:
    """Margin level in per cent, 0 without margin [recorded]."""
    return equity / margin * 100.0 if margin > 0.0 else 0.0
