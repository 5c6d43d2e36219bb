"""What does a library module make of trouble? Asks a terminal that is made to fail, prints JSON.

``python troubled_library.py MODULE PATH CASE``: a case is a list of steps, calls of the library and
verbs of the terminal's control channel. Every call is shown with its result and ``last_error``.
"""

import importlib
import json
import subprocess
import sys
import time

from attached_library import plain

from tradingview_scraper.adapters.mt5.simulator.control import connect

BUY = {
    "action": 1,
    "symbol": "EURUSD",
    "volume": 0.1,
    "type": 0,
    "type_filling": 1,
    "magic": 4_200_000_000_007,
}
EVERY = [
    ("version",),
    ("account_info",),
    ("symbols_total",),
    ("symbols_get", "EUR*"),
    ("symbol_info", "EURUSD"),
    ("symbol_info_tick", "EURUSD"),
    ("symbol_select", "EURUSD"),
    ("market_book_add", "#AAPL"),
    ("market_book_get", "#AAPL"),
    ("market_book_release", "#AAPL"),
    ("copy_ticks_from", "EURUSD", 1741615200, 10, -1),
    ("copy_ticks_range", "EURUSD", 1741615200, 1741615210, -1),
    ("copy_rates_from", "EURUSD", 1, 1741615200, 10),
    ("copy_rates_from_pos", "EURUSD", 1, 0, 10),
    ("copy_rates_range", "EURUSD", 1, 1741615200, 1741615800),
    ("positions_total",),
    ("positions_get",),
    ("orders_total",),
    ("orders_get",),
    ("history_orders_total", 1, 2_000_000_000),
    ("history_orders_get", 1, 2_000_000_000),
    ("history_deals_total", 1, 2_000_000_000),
    ("history_deals_get", 1, 2_000_000_000),
    ("order_calc_margin", 0, "EURUSD", 0.1, 1.1),
    ("order_calc_profit", 0, "EURUSD", 0.1, 1.1, 1.2),
    ("order_check", BUY),
    ("order_send", BUY),
]
LOOK = [("positions_total",), ("initialize",), ("positions_total",), ("account_info",)]
FOR_EVER = 3600.0
KILLER = "kill-when-called"
RETCODES = [*range(10004, 10047)]


def lost(when):
    """Every function loses its answer; what comes next; and after attaching again."""
    for name, *given in EVERY:
        yield "lose_reply", {"function": name, "when": when}
        yield (name, *given)
        if when == "during":
            # A part of an answer arrives before the pipe is closed; by the next verb, it is.
            yield "stats", {}
        yield ("symbols_total",)
        yield ("symbols_total",)
        yield ("initialize",)
    yield from LOOK


def refused():
    """Every function fails with every status that the library has a text for."""
    for name, *given in EVERY:
        for code in (-1, -2, -3, -4, -5, -6, -7, -8, -9, -10000, -10005):
            yield "answer", {"function": name, "retcode": code}
            yield (name, *given)
    yield from LOOK


def retcodes():
    """Requests are answered with every code, carried out or not."""
    for code in RETCODES:
        for name in ("order_send", "order_check"):
            yield "answer", {"function": name, "retcode": code, "executed": code % 2 == 0}
            yield (name, BUY)
    yield "requote", {"n": 1}
    yield ("order_send", BUY)
    yield "partial_fill", {"lots": 0.03}
    yield ("order_send", BUY)
    yield from LOOK


def gone():
    """The terminal is killed between calls, stays away, comes back, and is attached again."""
    yield ("order_send", BUY)
    yield "kill", {}
    for name, *given in EVERY:
        yield (name, *given)
    yield "start", {}
    yield ("symbols_total",)
    yield from LOOK


def killed():
    """The terminal is killed while a call waits, stays away, comes back, and is attached again."""
    for name, *given in (
        ("account_info",),
        ("order_send", BUY),
        ("market_book_add", "#AAPL"),
        ("initialize",),
    ):
        yield "kill_while_waiting", {"function": name}
        yield (name, *given)
        yield ("version",)
        yield ("symbols_total",)
        yield ("order_send", BUY)
        yield "start", {}
        yield ("symbols_total",)
        yield from LOOK


def dropped():
    """All connections close between two calls."""
    yield "drop_connections", {}
    yield ("symbols_total",)
    yield ("account_info",)
    yield from LOOK


def late():
    """A terminal that hangs, and one that is slow."""
    yield "hang", {"seconds": 1.5, "function": "account_info"}
    yield ("account_info",)
    yield ("account_info",)
    yield "slow", {"seconds": 0.3, "function": "order_send"}
    yield ("order_send", BUY)
    yield from LOOK


def cut():
    """The link to the trade server breaks, and the AutoTrading button is off."""
    yield ("order_send", BUY)
    yield "set_connected", {"connected": False}
    yield "advance", {"seconds": 60}
    for name, *given in EVERY:
        yield (name, *given)
    yield "set_connected", {"connected": True}
    yield "set_trade_allowed", {"allowed": False}
    yield ("order_send", BUY)
    yield ("order_check", BUY)
    yield ("terminal_info",)
    yield from LOOK


def synchronising():
    """History that is not there yet."""
    for meanwhile in ("none", "short"):
        yield "delay_history", {"seconds": 10, "meanwhile": meanwhile}
        for _ in range(2):
            for name, *given in EVERY:
                if name.startswith("copy_"):
                    yield (name, *given)
            yield "advance", {"seconds": 11}


def switched():
    """A person logs in to another account."""
    yield ("order_send", BUY)
    yield "login", {"account": 5001235}
    yield ("account_info",)
    yield ("positions_get",)
    yield ("history_deals_get", 1, 2_000_000_000)
    yield "operate", {"kind": "balance", "amount": 12.5, "comment": "a gift"}
    yield ("history_deals_get", 1, 2_000_000_000)
    yield from LOOK


CASES = {
    "lost-before": lambda: lost("before"),
    "lost-after": lambda: lost("after"),
    "lost-during": lambda: lost("during"),
    "refused": refused,
    "retcodes": retcodes,
    "gone": gone,
    "killed": killed,
    "dropped": dropped,
    "late": late,
    "cut": cut,
    "synchronising": synchronising,
    "switched": switched,
}


def kill_while_waiting(control, function):
    """The next call of `function` is never answered: its terminal is killed in the middle of it.

    By another process, because the library lets no other thread of this one run meanwhile.
    """
    control.hang(FOR_EVER, function)
    before = control.stats()["calls"][function]
    subprocess.Popen([sys.executable, __file__, KILLER, control.path, function, str(before)])


def kill_when_called(path, function, before):
    control = connect(path)
    while control.stats()["calls"][function] <= int(before):
        time.sleep(0.01)
    control.kill()


def main(module, path, case):
    mt5 = importlib.import_module(module)
    control = connect(path)
    seen = []

    def ask(name, *given):
        if name == "initialize":
            given = (path,)
        started = time.monotonic()
        result = getattr(mt5, name)(*given)
        was_late = case == "late" and time.monotonic() - started >= 0.29
        shown = "" if name == "initialize" else repr(given)
        seen.append([name, shown, plain(result), plain(mt5.last_error()), was_late])

    ask("initialize")
    for name, *given in CASES[case]():
        if given and isinstance(given[0], dict) and given[0] is not BUY:
            verb = getattr(control, name, None)
            verb(**given[0]) if verb else kill_while_waiting(control, **given[0])
        else:
            ask(name, *given)
    mt5.shutdown()
    print(json.dumps(seen))


if __name__ == "__main__":
    if sys.argv[1] == KILLER:
        kill_when_called(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
