"""Which functions does the library have? Each by name, as a built-in function bound to a `Library`.

Failures give None, but False from `initialize`, `login`, `symbol_select` and `symbols_get` of bad
arguments, and ``(0, 0, '')`` from `version` [recorded].
"""

from functools import lru_cache, partial
from typing import Any, Final

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.library import answers, builtin
from tradingview_scraper.adapters.mt5.simulator.library.answers import Read
from tradingview_scraper.adapters.mt5.simulator.library.arguments import Positional
from tradingview_scraper.adapters.mt5.simulator.library.library import NO_VERSION, Library, Listing
from tradingview_scraper.adapters.mt5.simulator.wire import Command
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE

_TOTAL: Final = answers.number(wire.TOTAL)
_MONEY: Final = answers.number(wire.MONEY)
_TICKS: Final = answers.rows(TICK_DTYPE)
_RATES: Final = answers.rows(RATE_DTYPE)

#: name: what is asked, how the answer is read.
_WITHOUT_ARGUMENTS: Final[dict[str, tuple[Command, Read]]] = {
    "terminal_info": (Command.TERMINAL_INFO, answers.record(wire.TERMINAL_INFO)),
    "account_info": (Command.ACCOUNT_INFO, answers.record(wire.ACCOUNT_INFO)),
    "positions_total": (Command.POSITIONS_TOTAL, _TOTAL),
    "orders_total": (Command.ORDERS_TOTAL, _TOTAL),
}

#: name: what is asked, its arguments, how the answer is read.
_POSITIONAL: Final[dict[str, tuple[Command, str, Read]]] = {
    "symbol_info": (Command.SYMBOL_INFO, "symbol", answers.record(wire.SYMBOL_INFO)),
    "symbol_info_tick": (Command.SYMBOL_INFO_TICK, "symbol", answers.record(wire.TICK)),
    "symbol_select": (Command.SYMBOL_SELECT, "symbol ?flag", answers.done),
    "market_book_get": (Command.MARKET_BOOK_GET, "symbol", answers.records(wire.BOOK)),
    "copy_rates_from": (Command.COPY_RATES_FROM, "symbol int start int", _RATES),
    "copy_rates_from_pos": (Command.COPY_RATES_FROM_POS, "symbol int int int", _RATES),
    "copy_rates_range": (Command.COPY_RATES_RANGE, "symbol int date date", _RATES),
    "copy_ticks_from": (Command.COPY_TICKS_FROM, "symbol start_msc int int", _TICKS),
    "copy_ticks_range": (Command.COPY_TICKS_RANGE, "symbol date_msc date_msc int", _TICKS),
    "history_orders_total": (Command.HISTORY_ORDERS_TOTAL, "date date", _TOTAL),
    "history_deals_total": (Command.HISTORY_DEALS_TOTAL, "date date", _TOTAL),
    "order_calc_margin": (Command.ORDER_CALC_MARGIN, "unsigned symbol float float", _MONEY),
    "order_calc_profit": (Command.ORDER_CALC_PROFIT, "unsigned symbol float float float", _MONEY),
}

_DEPTH: Final[dict[str, Command]] = {
    "market_book_add": Command.MARKET_BOOK_ADD,
    "market_book_release": Command.MARKET_BOOK_RELEASE,
}

_ORDERS: Final = Listing(wire.ORDER, Command.ORDERS, Command.ORDER, Command.ORDERS_OF_SYMBOL)
_POSITIONS: Final = Listing(
    wire.POSITION, Command.POSITIONS, Command.POSITION, Command.POSITIONS_OF_SYMBOL
)
_HISTORY_ORDERS: Final = Listing(
    wire.ORDER,
    Command.HISTORY_ORDERS,
    Command.HISTORY_ORDER,
    Command.HISTORY_ORDERS_OF_POSITION,
)
_HISTORY_DEALS: Final = Listing(
    wire.DEAL, Command.HISTORY_DEALS, Command.HISTORY_DEAL, Command.HISTORY_DEALS_OF_POSITION
)


def functions(library: Library) -> dict[str, Any]:
    """The library's functions by name; all share the connection and the error slot of `library`."""
    run = library.run
    made: dict[str, Any] = {
        "last_error": builtin.without_arguments(
            "last_error", library.last_error, "Code and text of the last call."
        )
    }

    def without_arguments(name: str, body: Any, failure: Any = None) -> None:
        call = partial(run, name, failure, failure, body)
        made[name] = builtin.without_arguments(name, call, _doc(body))

    def positional(name: str, body: Any, failure: Any = None) -> None:
        call = partial(run, name, failure, failure, body)
        made[name] = builtin.positional(name, call, _doc(body))

    def with_keywords(name: str, body: Any, failure: Any = None, refusal: Any = None) -> None:
        call = partial(run, name, failure, refusal, body)
        made[name] = builtin.with_keywords(name, call, _doc(body))

    without_arguments("shutdown", library.shutdown)
    without_arguments("version", library.version, NO_VERSION)
    without_arguments("symbols_total", library.symbols_total)
    for name, (command, read) in _WITHOUT_ARGUMENTS.items():
        frame = wire.request_of(command)
        without_arguments(name, partial(library.send, command, read, frame))
    for name, (command, declaration, read) in _POSITIONAL.items():
        body = (
            _look_up(library, command, read)
            if declaration == "symbol"
            else partial(library.call, command, Positional(declaration), read)
        )
        positional(name, body, False if name == "symbol_select" else None)
    for name, command in _DEPTH.items():
        positional(name, partial(library.switch_depth, command, Positional("symbol")))
    with_keywords("initialize", library.initialize, False, False)
    with_keywords("login", library.login, False, False)
    with_keywords("symbols_get", library.symbols_get, None, False)
    with_keywords("orders_get", partial(library.listed, _ORDERS))
    with_keywords("positions_get", partial(library.listed, _POSITIONS))
    with_keywords("history_orders_get", partial(library.history, _HISTORY_ORDERS))
    with_keywords("history_deals_get", partial(library.history, _HISTORY_DEALS))
    with_keywords("order_check", partial(library.trade, Command.ORDER_CHECK, wire.CHECK_RESULT))
    with_keywords("order_send", partial(library.trade, Command.ORDER_SEND, wire.SEND_RESULT))
    return made


def _look_up(library: Library, command: Command, read: Read) -> Any:
    """A call with nothing but a symbol: what is sent for one is kept."""
    signature = Positional("symbol")

    @lru_cache(maxsize=1024)
    def frame(symbol: str) -> bytes:
        return wire.request_of(command, *signature.parse((symbol,)).values)

    def look_up(*args: Any) -> Any:
        if len(args) == 1 and type(args[0]) is str:
            return library.send(command, read, frame(args[0]))
        return library.call(command, signature, read, *args)

    look_up.__doc__ = library.call.__doc__
    return look_up


def _doc(body: Any) -> str:
    return str(getattr(body, "func", body).__doc__ or "")
