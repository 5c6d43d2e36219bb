"""What does a library module make of these calls? Evaluates them and prints the outcomes as JSON.

``python record_calls.py MODULE CALLS.json``: the module is imported fresh, nothing is attached.
"""

import asyncio
import concurrent.futures
import datetime
import functools
import importlib
import json
import sys
from enum import IntEnum
from pathlib import Path

import numpy as np


class Number(IntEnum):
    ONE = 1


def outcome(mt5, scope, call):
    found = {"call": call}
    try:
        found["result"] = repr(eval(call, scope))
    except Exception as error:
        found["raises"] = f"{type(error).__name__}: {error}"
        if error.__cause__ is not None:
            found["cause"] = f"{type(error.__cause__).__name__}: {error.__cause__}"
    found["last_error"] = list(mt5.last_error())
    return found


def main(module, calls):
    mt5 = importlib.import_module(module)
    scope = {name: getattr(mt5, name) for name in dir(mt5) if not name.startswith("_")} | {
        "asyncio": asyncio,
        "datetime": datetime.datetime,
        "date": datetime.date,
        "utc": datetime.UTC,
        "np": np,
        "Number": Number,
        "partial": functools.partial,
        "pool": concurrent.futures.ThreadPoolExecutor(1),
        "request": {"action": 1, "symbol": "EURUSD", "volume": 1.0},
    }
    asked = json.loads(Path(calls).read_text("utf-8"))
    print(json.dumps([outcome(mt5, scope, row["call"]) for row in asked]))


if __name__ == "__main__":
    main(*sys.argv[1:])
