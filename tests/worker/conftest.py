"""A library of plain lists, to drive the worker's parts call by call."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tradingview_scraper.adapters.mt5.terminal.records import (
    RATE_DTYPE,
    TICK_DTYPE,
    AccountInfo,
    OrderSendResult,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
    TradeRequest,
)

_ZEROS: dict[Any, Any] = {bool: False, int: 0, float: 0.0, str: ""}


def blank(record: type[Any], **fields: Any) -> Any:
    """A record of zeros and empty texts, but for `fields`."""
    values = {
        name: blank(TradeRequest) if kind is TradeRequest else _ZEROS[kind]
        for name, kind in record.__annotations__.items()
    }
    return record(**{**values, **fields})


class ScriptedLibrary:
    """The library over lists that a test changes. Refuses what the real one refuses.

    `failures` maps a function to the ``last_error``s of its next calls; `on_call` runs before
    each call and may change anything.
    """

    def __init__(self) -> None:
        self.account = blank(AccountInfo, login=7, server="Demo", balance=100.0)
        self.ticks: dict[str, np.ndarray] = {}
        self.rates: dict[tuple[str, int], np.ndarray] = {}
        self.orders: list[Any] = []
        self.positions: list[Any] = []
        self.deals: list[Any] = []
        self.history: list[Any] = []
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.failures: dict[str, list[tuple[int, str]]] = {}
        self.on_call: Callable[[str], None] = lambda function: None
        self.is_shut = False
        self.is_linked = True
        self._error = (1, "Success")

    def __getattr__(self, function: str) -> Any:
        answer = object.__getattribute__(self, f"_{function}")

        def called(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((function, args, kwargs))
            self.on_call(function)
            self._error = (1, "Success")
            if self.failures.get(function):
                self._error = self.failures[function].pop(0)
                if function in ("initialize", "login", "symbol_select"):
                    return False
                return None
            return answer(*args, **kwargs)

        return called

    def last_error(self) -> tuple[int, str]:
        return self._error

    def count(self, function: str) -> int:
        return sum(name == function for name, _, _ in self.calls)

    def _initialize(self, *path: str, **options: Any) -> bool:
        return True

    def _login(self, login: int, **options: Any) -> bool:
        self.account = self.account._replace(login=login)
        return True

    def _shutdown(self) -> bool:
        self.is_shut = True
        return True

    def _terminal_info(self) -> Any:
        return tuple(blank(TerminalInfo, build=5833, connected=self.is_linked))

    def _account_info(self) -> Any:
        return self.account

    def _symbol_select(self, symbol: str, enable: bool) -> bool:
        return True

    def _symbol_info_tick(self, symbol: str) -> Any:
        rows = self.ticks.get(symbol)
        return blank(Tick) if rows is None or not len(rows) else Tick._make(rows[-1].tolist())

    def _copy_ticks_from(self, symbol: str, second: int, count: int, flags: int) -> Any:
        rows = self.ticks.get(symbol, np.zeros(0, TICK_DTYPE))
        return rows[rows["time_msc"] >= second * 1000][:count]

    def _copy_rates_from_pos(self, symbol: str, timeframe: int, start: int, count: int) -> Any:
        rows = self.rates.get((symbol, timeframe), np.zeros(0, RATE_DTYPE))
        return rows[-count:] if count else rows[:0]

    def _orders_get(self) -> Any:
        return tuple(self.orders)

    def _positions_get(self) -> Any:
        return tuple(self.positions)

    def _orders_total(self) -> int:
        return len(self.orders)

    def _positions_total(self) -> int:
        return len(self.positions)

    def _history_deals_get(self, start: int, end: int) -> Any:
        return tuple(deal for deal in self.deals if start <= deal.time <= end)

    def _history_deals_total(self, start: int, end: int) -> int:
        return len(self._history_deals_get(start, end))

    def _history_orders_get(self, start: int, end: int) -> Any:
        return tuple(order for order in self.history if start <= order.time_done <= end)

    def _history_orders_total(self, start: int, end: int) -> int:
        return len(self._history_orders_get(start, end))

    def _order_send(self, request: Any, **kwargs: Any) -> Any:
        return blank(OrderSendResult, retcode=10009, order=len(self.calls))


def deal(ticket: int, time: int, **fields: Any) -> TradeDeal:
    return blank(TradeDeal, ticket=ticket, time=time, time_msc=time * 1000, **fields)


def order(ticket: int, done: int = 0, **fields: Any) -> TradeOrder:
    return blank(TradeOrder, ticket=ticket, time_done=done, **fields)


def position(ticket: int, **fields: Any) -> TradePosition:
    return blank(TradePosition, ticket=ticket, identifier=ticket, **fields)


def ticks(times: Any, first: int = 1) -> np.ndarray:
    """Ticks at `times` (ms); `bid` numbers them from `first`."""
    rows = np.zeros(len(times), TICK_DTYPE)
    rows["time_msc"] = times
    rows["time"] = rows["time_msc"] // 1000
    rows["bid"] = np.arange(first, first + len(rows))
    return rows


@pytest.fixture
def library() -> ScriptedLibrary:
    return ScriptedLibrary()


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The makers of records and of libraries: ``make.deal(ticket, time)`` and so on."""
    return SimpleNamespace(
        blank=blank,
        deal=deal,
        order=order,
        position=position,
        ticks=ticks,
        library=ScriptedLibrary,
    )
