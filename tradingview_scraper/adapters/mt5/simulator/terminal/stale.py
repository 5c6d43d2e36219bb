"""What does a terminal show while its link is cut? The copy that it had when the link broke.

Every read keeps succeeding with the last state [recorded]; the trade server goes on without it.
"""

from typing import Final

from tradingview_scraper.adapters.mt5.simulator.broker.broker import Broker
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    TradeDeal,
    TradeOrder,
    TradePosition,
)

#: Before and after every date that a program can ask for.
_ALWAYS: Final = (-(2**62), 2**62)


class StaleBooks:
    """Account, orders, positions and history as they were; named as the broker's reads."""

    def __init__(self, broker: Broker) -> None:
        self._account = broker.account()
        self._positions = broker.positions()
        self._orders = broker.orders()
        self._history = broker.history_orders(*_ALWAYS)
        self._deals = broker.history_deals(*_ALWAYS)
        self.check: Final = broker.check
        self.calc_margin: Final = broker.calc_margin
        self.calc_profit: Final = broker.calc_profit

    def account(self) -> AccountInfo:
        return self._account

    def positions(self) -> list[TradePosition]:
        return self._positions

    def orders(self) -> list[TradeOrder]:
        return self._orders

    def history_orders(self, start: int, end: int) -> list[TradeOrder]:
        return [order for order in self._history if start <= order.time_done <= end]

    def history_deals(self, start: int, end: int) -> list[TradeDeal]:
        return [deal for deal in self._deals if start <= deal.time <= end]

    def history_orders_of(self, position: int) -> list[TradeOrder]:
        return [order for order in self._history if order.position_id == position]

    def history_deals_of(self, position: int) -> list[TradeDeal]:
        return [deal for deal in self._deals if deal.position_id == position]

    def history_order(self, ticket: int) -> TradeOrder | None:
        return next((order for order in self._history if order.ticket == ticket), None)

    def history_deal(self, ticket: int) -> TradeDeal | None:
        by_order = next((deal for deal in self._deals if deal.order == ticket and ticket), None)
        return by_order or next((deal for deal in self._deals if deal.ticket == ticket), None)
