"""How does the library find its terminal? Open the pipe, or start the process and wait for it."""

import os
from collections.abc import Mapping
from pathlib import Path
from subprocess import Popen
from typing import Final

from tradingview_scraper.adapters.mt5.simulator import address
from tradingview_scraper.adapters.mt5.simulator.library.pipe import Pipe, pause
from tradingview_scraper.adapters.mt5.simulator.library.process import (
    EXIT_ALREADY_SERVED,
    last_words,
    start_terminal,
)

#: Names the scenario of an ``initialize()`` without a path.
PATH_VARIABLE: Final = "MT5_SIMULATOR_SCENARIO"

#: How long a started terminal may take to open its pipe; ``timeout`` does not count here.
START_LIMIT_MSC: Final = 100_000
_STEP_MSC: Final = 50


class NoTerminal(Exception):
    """There is no terminal to attach to; the text is the library's reason behind -10003."""


def attach(path: str | None, environment: Mapping[str, str] = os.environ) -> Pipe:
    """A connection to the terminal of `path`, which is started when nobody serves it yet.

    `path` is a built-in scenario's name, a TOML file, or whatever a running terminal serves. Raises
    `NoTerminal`. Waits with the GIL held.
    """
    path = path or environment.get(PATH_VARIABLE)
    if not path:
        raise NoTerminal("MetaTrader 5 x64 not found")
    try:
        where = address.terminal_address(path)
        if (pipe := Pipe.connect(where)) is not None:
            return pipe
        file = address.scenario_file(path)
        if file is None:
            raise NoTerminal(f"Process create failed '{path}'")
        served = path if file.parent == address.SCENARIOS else str(file.resolve())
        log = address.log_file(path)
        process = start_terminal(served, log)
    except OSError as error:
        raise NoTerminal(f"Process create failed '{path}': {error}") from None
    return _wait_for(where, path, process, log)


def _wait_for(where: str, path: str, process: "Popen[bytes]", log: Path) -> Pipe:
    for _ in range(0, START_LIMIT_MSC, _STEP_MSC):
        pause(_STEP_MSC)
        if (pipe := Pipe.connect(where)) is not None:
            return pipe
        if process.poll() not in (None, EXIT_ALREADY_SERVED):
            raise NoTerminal(f"Process create failed '{path}': {last_words(log)}")
    raise NoTerminal(f"Pipe server didn't answer in {START_LIMIT_MSC // 1000} sec")
