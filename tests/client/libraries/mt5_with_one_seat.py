"""The simulator's library, on a terminal that takes one client at a time."""

import os
from pathlib import Path

from tradingview_scraper.adapters.mt5 import simulator
from tradingview_scraper.adapters.mt5.simulator import *  # noqa: F403

_refused = False


def initialize(path, **options):
    global _refused
    try:
        # Whoever makes the file has the seat, until its process is gone.
        seat = os.open(f"{path}.seat", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        os.write(seat, str(os.getpid()).encode())
        os.close(seat)
    except FileExistsError:
        _refused = Path(f"{path}.seat").read_text() != str(os.getpid())
    return not _refused and simulator.initialize(path, **options)


def last_error():
    if _refused:
        return (-10003, "IPC initialize failed, CreateFile failed [231]")
    return simulator.last_error()
