"""What does the real MetaTrader5 library look like, and what does it say without a terminal?

Run it with a Windows Python that has the library; it prints one JSON document, which the tests
compare with `terminal` and with the simulator's library module::

    python scripts/record_library.py > tests/data/library.json

``calls`` ran in the order given, in a process that had never been initialised; each has its
``last_error`` read directly afterwards. ``initialize`` followed, then ``after_shutdown``.
"""

import importlib
import json
import sys
from typing import Any

STRUCTS = (
    "Tick",
    "BookInfo",
    "TradePosition",
    "TradeOrder",
    "TradeDeal",
    "TradeRequest",
    "OrderSendResult",
    "OrderCheckResult",
    "TerminalInfo",
    "AccountInfo",
    "SymbolInfo",
)

MONDAY = 1_704_067_200  # 2024-01-01, in seconds
DEAL: dict[str, Any] = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0}

Call = tuple[str, list[Any], dict[str, Any]]

CALLS: list[Call] = [
    ("last_error", [], {}),
    ("version", [], {}),
    ("version", [1], {}),
    ("terminal_info", [], {}),
    ("account_info", [], {}),
    ("account_info", [], {"login": 1}),
    ("symbols_total", [], {}),
    ("symbols_get", [], {}),
    ("symbols_get", ["*EUR*"], {}),
    ("symbols_get", [5], {}),
    ("symbol_info", ["EURUSD"], {}),
    ("symbol_info", [], {}),
    ("symbol_info", [5], {}),
    ("symbol_info", [], {"symbol": "EURUSD"}),
    ("symbol_info", ["A" * 29], {}),
    ("symbol_info", ["A" * 30], {}),
    ("symbol_info_tick", ["EURUSD"], {}),
    ("symbol_select", ["EURUSD"], {}),
    ("symbol_select", ["EURUSD", True], {}),
    ("symbol_select", [5], {}),
    ("market_book_add", ["EURUSD"], {}),
    ("market_book_get", ["EURUSD"], {}),
    ("market_book_release", ["EURUSD"], {}),
    ("copy_rates_from", ["EURUSD", 1, MONDAY, 10], {}),
    ("copy_rates_from", ["EURUSD", 1, MONDAY], {}),
    ("copy_rates_from", ["EURUSD", 1, 0, 10], {}),
    ("copy_rates_from", ["EURUSD", 1, "monday", 10], {}),
    ("copy_rates_from_pos", ["EURUSD", 1, 0, 10], {}),
    ("copy_rates_range", ["EURUSD", 1, MONDAY, MONDAY + 60], {}),
    ("copy_ticks_from", ["EURUSD", MONDAY, 10, -1], {}),
    ("copy_ticks_from", ["EURUSD", MONDAY * 1000, 10, -1], {}),
    ("copy_ticks_range", ["EURUSD", MONDAY, MONDAY + 60, -1], {}),
    ("orders_total", [], {}),
    ("orders_get", [], {}),
    ("orders_get", ["EURUSD"], {}),
    ("orders_get", [], {"ticket": 1}),
    ("positions_total", [], {}),
    ("positions_get", [], {}),
    ("positions_get", ["EURUSD"], {}),
    ("positions_get", [], {"symbol": "EURUSD"}),
    ("positions_get", [], {"ticket": "1"}),
    ("history_orders_total", [MONDAY, MONDAY + 60], {}),
    ("history_orders_get", [MONDAY, MONDAY + 60], {}),
    ("history_orders_get", [], {"date_from": MONDAY, "date_to": MONDAY + 60}),
    ("history_orders_get", [], {"ticket": 1}),
    ("history_deals_total", [MONDAY, MONDAY + 60], {}),
    ("history_deals_get", [MONDAY, MONDAY + 60], {}),
    ("history_deals_get", [], {"position": 1}),
    ("order_calc_margin", [0, "EURUSD", 1.0, 1.1], {}),
    ("order_calc_profit", [0, "EURUSD", 1.0, 1.1, 1.2], {}),
    ("order_check", [DEAL], {}),
    ("order_send", [DEAL], {}),
    ("order_send", [], {}),
    ("order_send", [], DEAL),
    ("order_send", [DEAL], {"magic": 1}),
    ("order_send", [5], {}),
    ("order_send", [{**DEAL, "volume": 1}], {}),
    ("order_send", [{**DEAL, "price": 1}], {}),
    ("order_send", [{**DEAL, "magic": -1}], {}),
    ("order_send", [{**DEAL, "comment": "x" * 29}], {}),
    ("order_send", [{**DEAL, "comment": "x" * 30}], {}),
    ("login", [], {}),
    ("login", [1], {}),
    ("login", ["1"], {}),
]

INITIALIZE: list[Call] = [
    ("initialize", [], {"timeout": 1000}),
    ("initialize", ["C:\\nowhere\\terminal64.exe"], {}),
    ("initialize", [5], {}),
    ("initialize", [], {"login": "1"}),
]

AFTER_SHUTDOWN: list[Call] = [
    ("shutdown", [], {}),
    ("version", [], {}),
    ("account_info", [], {}),
    ("order_send", [DEAL], {}),
]


def main() -> None:
    library = importlib.import_module(sys.argv[1] if len(sys.argv) > 1 else "MetaTrader5")
    public = {name: getattr(library, name) for name in dir(library) if not name.startswith("_")}
    document = {
        "library": library.__version__,
        "python": sys.version.split()[0],
        "constants": {n: v for n, v in public.items() if type(v) is int},
        "functions": [n for n, v in public.items() if callable(v) and n not in STRUCTS],
        "structs": {name: list(public[name].__match_args__) for name in STRUCTS},
        "calls": [answer(library, *call) for call in CALLS],
        "empty_keywords": empty_keywords(library),
        "initialize": [answer(library, *call) for call in INITIALIZE],
        "after_shutdown": [answer(library, *call) for call in AFTER_SHUTDOWN],
    }
    print(json.dumps(document, indent=1))


def answer(library: Any, function: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What one call came to: ``result`` (its repr) or ``raises``, and ``last_error`` after it."""
    said: dict[str, Any] = {"function": function, "args": args, "kwargs": kwargs}
    call = getattr(library, function)
    try:
        # Keywords that are empty are keywords to the library: pass none at all.
        said["result"] = repr(call(*args, **kwargs) if kwargs else call(*args))
    except (TypeError, SystemError, OverflowError, ValueError) as error:
        said["raises"] = f"{type(error).__name__}: {error}"
    said["last_error"] = list(library.last_error())
    return said


def empty_keywords(library: Any) -> dict[str, list[Any]]:
    """``last_error`` after the same request without keywords, and with an empty dict of them."""
    none: dict[str, Any] = {}
    library.order_send(DEAL)
    without = list(library.last_error())
    library.order_send(DEAL, **none)
    return {"without": without, "with": list(library.last_error())}


if __name__ == "__main__":
    main()
