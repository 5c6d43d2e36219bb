"""What does a library module make of a running terminal? Asks it everything, prints JSON.

``python attached_library.py MODULE PATH``: every answer with its types, then one round trip.
"""

import importlib
import json
import sys

import numpy as np

from tradingview_scraper.adapters.mt5.simulator.control import connect

NOON = 1741615200
MAGIC = 123_400_000_000_001


def plain(value):
    """A value as JSON that keeps its types apart."""
    if isinstance(value, np.ndarray):
        flags = [value.flags.owndata, value.flags.writeable, value.flags.c_contiguous]
        return ["array", str(value.dtype), value.shape, flags, value.tobytes().hex()]
    if hasattr(value, "_asdict"):
        kind = type(value)
        fields = {name: plain(field) for name, field in value._asdict().items()}
        return [f"{kind.__module__}.{kind.__name__}", fields]
    if isinstance(value, tuple):
        return ["tuple", [plain(item) for item in value]]
    return [type(value).__name__, repr(value)]


def main(module, path):
    mt5 = importlib.import_module(module)
    control = connect(path)
    seen = {}

    def ask(function, *args, **kwargs):
        call = getattr(mt5, function)
        # The library takes an empty ** for names, beside which it refuses a request.
        result = call(*args, **kwargs) if kwargs else call(*args)
        shown = ", ".join([*map(repr, args), *(f"{key}={kwargs[key]!r}" for key in kwargs)])
        name = f"{len(seen)} {function}({shown if function != 'initialize' else ''})"
        seen[name] = [plain(result), plain(mt5.last_error())]
        return result

    ask("initialize", path)
    for name in ("version", "terminal_info", "account_info", "symbols_total", "symbols_get"):
        ask(name)
    ask("symbols_get", "*USD*,!XAU*")
    for symbol in ("EURUSD", "#AAPL", "US500", "Germany 40", "USDCHF", "nothing", ""):
        ask("symbol_info", symbol)
        ask("symbol_info_tick", symbol)
    ask("symbol_select", "USDCHF")
    ask("symbol_select", "USDCHF", False)
    ask("symbol_select", "nothing")
    for count in (0, 1, 100, 5000):
        ask("copy_ticks_from", "EURUSD", NOON - 7200, count, mt5.COPY_TICKS_ALL)
        ask("copy_rates_from", "EURUSD", mt5.TIMEFRAME_M1, NOON, count)
        ask("copy_rates_from_pos", "#AAPL", mt5.TIMEFRAME_H1, 0, count)
    ask("copy_ticks_range", "BTCUSD", NOON - 60, NOON, mt5.COPY_TICKS_INFO)
    ask("copy_ticks_range", "EURUSD", NOON + 10, NOON + 20, mt5.COPY_TICKS_TRADE)
    ask("copy_rates_range", "EURUSD", mt5.TIMEFRAME_D1, NOON - 86_400 * 5, NOON)
    ask("copy_rates_range", "nothing", mt5.TIMEFRAME_D1, NOON - 86_400 * 5, NOON)
    for function in ("order_calc_margin",):
        ask(function, mt5.ORDER_TYPE_BUY, "EURUSD", 0.5, 1.1)
        ask(function, mt5.ORDER_TYPE_BUY, "nothing", 0.5, 1.1)
    ask("order_calc_profit", mt5.ORDER_TYPE_SELL, "USDJPY", 1.0, 148.0, 147.0)
    ask("market_book_get", "#AAPL")
    ask("market_book_add", "nothing")
    ask("positions_total")
    ask("orders_total")

    request = {
        "action": mt5.TRADE_ACTION_DEAL,
        "symbol": "EURUSD",
        "volume": 0.3,
        "type": mt5.ORDER_TYPE_BUY,
        "type_filling": mt5.ORDER_FILLING_IOC,
        "magic": MAGIC,
        "comment": "seen from both",
    }
    ask("order_check", request)
    opened = ask("order_send", request)
    ask("positions_get")
    ask("positions_get", symbol="EURUSD")
    ask("positions_get", ticket=opened.order)
    ask("positions_get", group="*JPY")
    ask("account_info")
    close = {**request, "type": mt5.ORDER_TYPE_SELL, "position": opened.order, "volume": 0.1}
    ask("order_send", close)
    ask("positions_get")
    ask("order_send", **{**close, "volume": 0.2})
    ask("order_send", {**close, "volume": 0.2})
    ask("order_send", {**request, "volume": 12_345.0})
    ask("positions_get")
    ask("orders_get")
    ask("history_deals_total", 1, 2_000_000_000)
    ask("history_deals_get", 1, 2_000_000_000)
    ask("history_deals_get", 1, 2_000_000_000, group="*JPY")
    ask("history_deals_get", position=opened.order)
    ask("history_deals_get", ticket=opened.order)
    ask("history_orders_get", 1, 2_000_000_000)
    ask("history_orders_get", position=opened.order)
    ask("history_orders_get", ticket=opened.order)
    ask("history_orders_get", ticket=1)
    pending = {
        "action": mt5.TRADE_ACTION_PENDING,
        "symbol": "EURUSD",
        "volume": 0.2,
        "type": mt5.ORDER_TYPE_BUY_LIMIT,
        "price": 1.0,
        "sl": 0.9,
        "tp": 1.2,
        "type_time": mt5.ORDER_TIME_SPECIFIED,
        "expiration": NOON + 86_400,
        "type_filling": mt5.ORDER_FILLING_RETURN,
        "magic": MAGIC,
        "comment": "Grüße 日本 🙂, cut somewhere",
    }
    ask("order_check", pending)
    limit = ask("order_send", pending).order
    stops = {"type": mt5.ORDER_TYPE_SELL_STOP_LIMIT, "price": 0.8, "stoplimit": 0.85}
    ask("order_send", {**pending, **stops, "sl": 0.0, "tp": 0.0, "type_time": 0, "expiration": 0})
    for wrong in ({"price": 9.0}, {"volume": 0.001}, {"sl": 2.0}, {"type_filling": 3}, {"type": 9}):
        ask("order_send", {**pending, **wrong})
        ask("order_check", {**pending, **wrong})
    ask("orders_total")
    ask("orders_get")
    ask("orders_get", ticket=limit)
    ask("orders_get", symbol="EURUSD")
    ask("orders_get", group="!EURUSD")
    change = {"action": mt5.TRADE_ACTION_MODIFY, "order": limit, "price": 0.99}
    ask("order_send", change)
    ask("order_send", change)
    ask("order_send", {"action": mt5.TRADE_ACTION_REMOVE, "order": limit})
    ask("order_send", {"action": mt5.TRADE_ACTION_REMOVE, "order": limit})
    ask("history_orders_get", ticket=limit)
    ask("history_orders_get", position=0)
    ask("order_send", {**request, "volume": 0.4})
    other = ask("order_send", {**request, "volume": 0.1, "type": mt5.ORDER_TYPE_SELL})
    (first, *_) = ask("positions_get")
    protect = {"action": mt5.TRADE_ACTION_SLTP, "symbol": "EURUSD", "position": first.ticket}
    ask("order_send", {**protect, "sl": 0.9, "tp": 1.3})
    ask("order_send", {**protect, "sl": 0.9, "tp": 1.3})
    closing = {"position": first.ticket, "position_by": other.order}
    ask("order_send", {"action": mt5.TRADE_ACTION_CLOSE_BY, **closing})
    ask("history_deals_get", 1, 2_000_000_000)
    ask("market_book_add", "#AAPL")
    ask("market_book_get", "#AAPL")
    control.advance(3600)
    ask("market_book_get", "#AAPL")
    ask("market_book_release", "#AAPL")
    ask("market_book_release", "#AAPL")
    frames = [name for name in dir(mt5) if name.startswith("TIMEFRAME_")]
    for name in frames:
        ask("copy_rates_from_pos", "EURUSD", getattr(mt5, name), 0, 30)
        ask("copy_rates_range", "#AAPL", getattr(mt5, name), NOON - 86_400 * 40, NOON)
    ask("copy_rates_from_pos", "EURUSD", 7, 0, 30)
    for flags in (mt5.COPY_TICKS_ALL, mt5.COPY_TICKS_INFO, mt5.COPY_TICKS_TRADE, 3):
        ask("copy_ticks_range", "#AAPL", NOON, NOON + 3600, flags)
    ask("copy_ticks_from", "EURUSD", NOON, -1, mt5.COPY_TICKS_ALL)
    ask("symbols_get", group="Germany*,#*,!#MSFT")
    ask("account_info")
    ask("login", 5001235, password="wrong")
    ask("login", 5001235, password="simulated")
    ask("account_info")
    ask("shutdown")
    ask("account_info")
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
