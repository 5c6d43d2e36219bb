"""Which function of the library does a command serve, and with which arguments?"""

from collections.abc import Mapping
from typing import Any, Final

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.layout import WireError
from tradingview_scraper.adapters.mt5.simulator.wire import Command
from tradingview_scraper.adapters.mt5.terminal.api import FUNCTIONS
from tradingview_scraper.adapters.mt5.terminal.records import TradeRequest

#: The function of the library behind each command; a state poll belongs to no function.
FUNCTION_OF: Final[dict[int, str]] = {
    Command.VERSION: "version",
    Command.HELLO: "initialize",
    Command.LOGIN: "login",
    Command.CONNECTION_STATE: "connection_state",
    Command.COPY_TICKS_FROM: "copy_ticks_from",
    Command.COPY_TICKS_RANGE: "copy_ticks_range",
    Command.COPY_RATES_FROM: "copy_rates_from",
    Command.COPY_RATES_RANGE: "copy_rates_range",
    Command.COPY_RATES_FROM_POS: "copy_rates_from_pos",
    Command.POSITIONS_TOTAL: "positions_total",
    Command.POSITIONS: "positions_get",
    Command.POSITIONS_OF_SYMBOL: "positions_get",
    Command.POSITION: "positions_get",
    Command.ORDERS_TOTAL: "orders_total",
    Command.ORDERS: "orders_get",
    Command.ORDERS_OF_SYMBOL: "orders_get",
    Command.ORDER: "orders_get",
    Command.HISTORY_ORDERS_TOTAL: "history_orders_total",
    Command.HISTORY_ORDERS: "history_orders_get",
    Command.HISTORY_ORDERS_OF_POSITION: "history_orders_get",
    Command.HISTORY_ORDER: "history_orders_get",
    Command.HISTORY_DEALS_TOTAL: "history_deals_total",
    Command.HISTORY_DEALS: "history_deals_get",
    Command.HISTORY_DEALS_OF_POSITION: "history_deals_get",
    Command.HISTORY_DEAL: "history_deals_get",
    Command.ORDER_CHECK: "order_check",
    Command.ORDER_SEND: "order_send",
    Command.ORDER_CALC_MARGIN: "order_calc_margin",
    Command.ORDER_CALC_PROFIT: "order_calc_profit",
    Command.SYMBOL_INFO: "symbol_info",
    Command.SYMBOL_SELECT: "symbol_select",
    Command.SYMBOL_INFO_TICK: "symbol_info_tick",
    Command.SYMBOLS_TOTAL: "symbols_total",
    Command.SYMBOLS: "symbols_get",
    Command.SYMBOLS_OF_GROUP: "symbols_get",
    Command.TERMINAL_INFO: "terminal_info",
    Command.ACCOUNT_INFO: "account_info",
    Command.MARKET_BOOK_ADD: "market_book_add",
    Command.MARKET_BOOK_RELEASE: "market_book_release",
    Command.MARKET_BOOK_GET: "market_book_get",
}

#: A trade request in which nothing is said.
NO_REQUEST: Final = TradeRequest(
    0, 0, 0, "", 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0, 0, 0, "", 0, 0
)  # fmt: skip

_BLANKS: Final[dict[str, Any]] = {"text": "", "f64": 0.0}

#: The functions that a fault can name: those that reach the terminal.
FAULT_FUNCTIONS: Final = frozenset(FUNCTION_OF.values()) & FUNCTIONS

_DATES: Final = ("date_from", "date_to")
_NAMES: Final[dict[int, tuple[str, ...]]] = {
    Command.VERSION: ("protocol",),
    Command.HELLO: ("protocol", "client"),
    Command.LOGIN: ("kind", "login", "password", "server"),
    Command.COPY_TICKS_FROM: ("symbol", "date_from", "count", "flags"),
    Command.COPY_TICKS_RANGE: ("symbol", "date_from", "date_to", "flags"),
    Command.COPY_RATES_FROM: ("symbol", "timeframe", "date_from", "count"),
    Command.COPY_RATES_RANGE: ("symbol", "timeframe", "date_from", "date_to"),
    Command.COPY_RATES_FROM_POS: ("symbol", "timeframe", "start_pos", "count"),
    Command.POSITIONS_OF_SYMBOL: ("symbol",),
    Command.POSITION: ("ticket",),
    Command.ORDERS_OF_SYMBOL: ("symbol",),
    Command.ORDER: ("ticket",),
    Command.HISTORY_ORDERS_TOTAL: _DATES,
    Command.HISTORY_ORDERS: _DATES,
    Command.HISTORY_ORDERS_OF_POSITION: ("position",),
    Command.HISTORY_ORDER: ("ticket",),
    Command.HISTORY_DEALS_TOTAL: _DATES,
    Command.HISTORY_DEALS: _DATES,
    Command.HISTORY_DEALS_OF_POSITION: ("position",),
    Command.HISTORY_DEAL: ("ticket",),
    Command.ORDER_CALC_MARGIN: ("action", "symbol", "volume", "price"),
    Command.ORDER_CALC_PROFIT: ("action", "symbol", "volume", "price_open", "price_close"),
    Command.SYMBOL_INFO: ("symbol",),
    Command.SYMBOL_SELECT: ("symbol", "enable"),
    Command.SYMBOL_INFO_TICK: ("symbol",),
    Command.SYMBOLS_OF_GROUP: ("group",),
    Command.MARKET_BOOK_ADD: ("symbol",),
    Command.MARKET_BOOK_RELEASE: ("symbol",),
    Command.MARKET_BOOK_GET: ("symbol",),
    Command.ORDER_CHECK: TradeRequest._fields,
    Command.ORDER_SEND: TradeRequest._fields,
}


def arguments(command: int, payload: bytes) -> dict[str, Any]:
    """The arguments of a request by their names; dates of ticks are in milliseconds.

    Empty for bytes that are no such request.
    """
    names = _NAMES.get(command, ())
    if not names:
        return {}
    message = wire.REQUESTS.get(Command(command))
    try:
        values = (message or wire.REQUEST).decode(payload)
    except WireError:
        return {}
    return dict(zip(names, values, strict=True))


def argument_names(function: str) -> frozenset[str]:
    """The arguments of a function that reach the terminal."""
    return frozenset(
        name
        for command, served in FUNCTION_OF.items()
        if served == function
        for name in _NAMES.get(command, ())
    )


def frame_of(function: str, given: Mapping[str, Any]) -> bytes | None:
    """The request that has these `arguments`; those that are left out are zero or empty.

    None when the function has no such arguments.
    """
    for command, name in FUNCTION_OF.items():
        names = _NAMES.get(command, ())
        if name != function or not given.keys() <= set(names) or (names and not given):
            continue
        message = wire.REQUESTS.get(Command(command))
        if message is None:
            return wire.request(command, wire.REQUEST.encode(NO_REQUEST._replace(**given)))
        blanks = (_BLANKS.get(kind, 0) for kind in message.kinds)
        values = {**dict(zip(names, blanks, strict=True)), **given}
        return wire.request(command, message.encode(*values.values()))
    return None
