"""How is a function of the library called from asyncio? One coroutine each, by its own name."""

import asyncio
import concurrent.futures
from abc import ABC, abstractmethod
from typing import Any

from tradingview_scraper.adapters.mt5.client.lanes import Lane
from tradingview_scraper.adapters.mt5.terminal.api import Request, Rows
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    BookInfo,
    OrderCheckResult,
    OrderSendResult,
    SymbolInfo,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
)


class Calls(ABC):
    """The library's functions as coroutines over `submit`, with the library's records as results.

    Arguments are the library's own, dates are server seconds and never 0, ``*_get`` without a
    filter means all. Failure raises (see `submit`); ``()`` and an empty array are answers.
    ``initialize``, ``shutdown`` and ``last_error`` are not here: connecting, disconnecting and
    errors are the client's business.
    """

    @abstractmethod
    def submit(
        self,
        function: str,
        *args: Any,
        lane: Lane | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> concurrent.futures.Future[Any]:
        """Start a call of the library; see `MT5Client.submit`."""

    async def _ask(self, function: str, *args: Any, **by: Any) -> Any:
        chosen = {name: value for name, value in by.items() if value is not None}
        return await asyncio.wrap_future(self.submit(function, *args, **chosen))

    async def account_info(self) -> AccountInfo:
        answer: AccountInfo = await self._ask("account_info")
        return answer

    async def terminal_info(self) -> TerminalInfo:
        answer: TerminalInfo = await self._ask("terminal_info")
        return answer

    async def version(self) -> tuple[int, int, str]:
        answer: tuple[int, int, str] = await self._ask("version")
        return answer

    async def login(self, login: int, *, password: str = "", server: str = "") -> bool:
        """Switch the account of the terminal, for every program attached to it."""
        by = {"password": password or None, "server": server or None}
        answer: bool = await self._ask("login", login, **by)
        return answer

    async def symbols_total(self) -> int:
        answer: int = await self._ask("symbols_total")
        return answer

    async def symbols_get(self, group: str | None = None) -> tuple[SymbolInfo, ...]:
        args = () if group is None else (group,)
        answer: tuple[SymbolInfo, ...] = await self._ask("symbols_get", *args)
        return answer

    async def symbol_info(self, symbol: str) -> SymbolInfo:
        answer: SymbolInfo = await self._ask("symbol_info", symbol)
        return answer

    async def symbol_info_tick(self, symbol: str) -> Tick:
        answer: Tick = await self._ask("symbol_info_tick", symbol)
        return answer

    async def symbol_select(self, symbol: str, enable: bool = True) -> bool:
        answer: bool = await self._ask("symbol_select", symbol, enable)
        return answer

    async def market_book_add(self, symbol: str) -> bool:
        answer: bool = await self._ask("market_book_add", symbol)
        return answer

    async def market_book_get(self, symbol: str) -> tuple[BookInfo, ...]:
        answer: tuple[BookInfo, ...] = await self._ask("market_book_get", symbol)
        return answer

    async def market_book_release(self, symbol: str) -> bool:
        answer: bool = await self._ask("market_book_release", symbol)
        return answer

    async def copy_rates_from(
        self, symbol: str, timeframe: int, date_from: int, count: int
    ) -> Rows:
        answer: Rows = await self._ask("copy_rates_from", symbol, timeframe, date_from, count)
        return answer

    async def copy_rates_from_pos(
        self, symbol: str, timeframe: int, start_pos: int, count: int
    ) -> Rows:
        answer: Rows = await self._ask("copy_rates_from_pos", symbol, timeframe, start_pos, count)
        return answer

    async def copy_rates_range(
        self, symbol: str, timeframe: int, date_from: int, date_to: int
    ) -> Rows:
        answer: Rows = await self._ask("copy_rates_range", symbol, timeframe, date_from, date_to)
        return answer

    async def copy_ticks_from(self, symbol: str, date_from: int, count: int, flags: int) -> Rows:
        answer: Rows = await self._ask("copy_ticks_from", symbol, date_from, count, flags)
        return answer

    async def copy_ticks_range(self, symbol: str, date_from: int, date_to: int, flags: int) -> Rows:
        answer: Rows = await self._ask("copy_ticks_range", symbol, date_from, date_to, flags)
        return answer

    async def orders_total(self) -> int:
        answer: int = await self._ask("orders_total")
        return answer

    async def orders_get(
        self, *, symbol: str | None = None, group: str | None = None, ticket: int | None = None
    ) -> tuple[TradeOrder, ...]:
        answer: tuple[TradeOrder, ...] = await self._ask(
            "orders_get", symbol=symbol, group=group, ticket=ticket
        )
        return answer

    async def positions_total(self) -> int:
        answer: int = await self._ask("positions_total")
        return answer

    async def positions_get(
        self, *, symbol: str | None = None, group: str | None = None, ticket: int | None = None
    ) -> tuple[TradePosition, ...]:
        answer: tuple[TradePosition, ...] = await self._ask(
            "positions_get", symbol=symbol, group=group, ticket=ticket
        )
        return answer

    async def history_orders_total(self, date_from: int, date_to: int) -> int:
        answer: int = await self._ask("history_orders_total", date_from, date_to)
        return answer

    async def history_orders_get(
        self,
        *dates: int,
        group: str | None = None,
        ticket: int | None = None,
        position: int | None = None,
    ) -> tuple[TradeOrder, ...]:
        """By ``(date_from, date_to)`` [and `group`], or by `ticket`, or by `position`."""
        answer: tuple[TradeOrder, ...] = await self._ask(
            "history_orders_get", *dates, group=group, ticket=ticket, position=position
        )
        return answer

    async def history_deals_total(self, date_from: int, date_to: int) -> int:
        answer: int = await self._ask("history_deals_total", date_from, date_to)
        return answer

    async def history_deals_get(
        self,
        *dates: int,
        group: str | None = None,
        ticket: int | None = None,
        position: int | None = None,
    ) -> tuple[TradeDeal, ...]:
        """By ``(date_from, date_to)`` [and `group`], or by `ticket` (an order's), or `position`."""
        answer: tuple[TradeDeal, ...] = await self._ask(
            "history_deals_get", *dates, group=group, ticket=ticket, position=position
        )
        return answer

    async def order_calc_margin(
        self, action: int, symbol: str, volume: float, price: float
    ) -> float:
        answer: float = await self._ask("order_calc_margin", action, symbol, volume, price)
        return answer

    async def order_calc_profit(
        self, action: int, symbol: str, volume: float, price_open: float, price_close: float
    ) -> float:
        answer: float = await self._ask(
            "order_calc_profit", action, symbol, volume, price_open, price_close
        )
        return answer

    async def order_check(self, request: Request) -> OrderCheckResult:
        answer: OrderCheckResult = await self._ask("order_check", request)
        return answer

    async def order_send(self, request: Request) -> OrderSendResult:
        """Send a trade request; the reply's ``retcode`` may well be a rejection.

        `MT5CallError`, `MT5CallTimeout` and `MT5LaneLost` mean that its outcome is *unknown*,
        unless their ``sent`` is False. Never send it again on your own; see `MT5Client.send`.
        """
        answer: OrderSendResult = await self._ask("order_send", request)
        return answer
