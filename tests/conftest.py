"""Which simulated terminals, databases, and looks at processes do tests share?"""

import importlib.util
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.limits import STRETCH
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch

#: A hedging account whose clock stands still, on a Monday noon in London, until it is advanced.
STEPPED = {
    "extends": "demo-hedging",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stretch the limit of every test: on Windows one that is over it ends the whole run."""
    if STRETCH == 1.0:
        return
    for item in items:
        own = item.get_closest_marker("timeout")
        seconds = own.args[0] if own else float(config.getini("timeout"))
        item.add_marker(pytest.mark.timeout(seconds * STRETCH), append=False)


class Kept:
    """One terminal process from test to test; what a test has broken is replaced.

    To start a process takes a hundred times as long as to begin anew on fresh books.
    """

    def __init__(self) -> None:
        self._control: Control | None = None

    def fresh(self) -> Control:
        if self._control is not None:
            try:
                self._control.reset(STEPPED)
            except (OSError, RuntimeError, ValueError):
                self.close()
        if self._control is None:
            self._control = launch(STEPPED)
        return self._control

    def close(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None


@pytest.fixture(scope="session")
def kept_terminal() -> Iterator[Kept]:
    kept = Kept()
    yield kept
    kept.close()


@pytest.fixture
def terminal(kept_terminal: Kept) -> Control:
    """A terminal on fresh books, with a clock that stands still."""
    return kept_terminal.fresh()


@pytest.fixture(scope="session")
def processes() -> ModuleType:
    """``processes.lives(pid)`` and ``processes.kill(pid)``."""
    spec = importlib.util.spec_from_file_location(
        "processes", Path(__file__).with_name("processes.py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[int]:
    """The port of an empty Redis of the test's own; where there is none, the test is skipped."""
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server (Debian: apt-get install redis-server)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < end
    yield port
    process.kill()
    process.wait()
