"""How does a node end? Orders and positions as its strategy is set, no worker left, in time.

A part of the cases runs always, all of them with ``pytest -m "matrix or not matrix"``.
"""

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.limits import STRETCH
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

PROGRAM = Path(__file__).with_name("node_to_stop.py")
#: Seconds for an end, on however slow a machine: a hung worker has 3 s, the engines have 10.
BOUND = 60 * STRETCH
WINDOWS = pytest.mark.skipif(
    sys.platform == "win32", reason="NautilusTrader handles no signals on Windows"
)
#: What ends a node. A strategy is stopped by all but the last.
ENDS = ("SIGTERM", "SIGINT", "exception", "exception_that_crashes")


def ends(*always):
    """All ends; those named run always."""
    return [
        pytest.param(
            how,
            marks=[
                *([WINDOWS] if how.startswith("SIG") else []),
                *([] if how in always else [pytest.mark.matrix]),
            ],
        )
        for how in ENDS
    ]


class Node:
    """A trader's program that is ready to be ended."""

    def __init__(self, process, terminal, how):
        self._process = process
        self._terminal = terminal
        self._how = how
        word, *pids = process.stdout.readline().split()
        assert word == "ready"
        self.workers = [int(pid) for pid in pids]
        assert len(set(self.workers)) == 3

    def end(self):
        """End it, and give whether that was orderly."""
        if self._how.startswith("exception"):
            rows = np.zeros(1, TICK_DTYPE)
            rows["bid"], rows["ask"] = 1.25, 1.2501
            self._terminal.push_ticks("GBPUSD", rows)
        else:
            self._process.send_signal(getattr(signal, self._how))
        said, _ = self._process.communicate(timeout=BOUND)
        return said.split() == ["disposed"]


@pytest.fixture
def node(terminal):
    @contextmanager
    def started(how, **wants):
        settings = {
            "holds": False,
            "manage_stop": False,
            "post_stop_secs": 0.5,
            "graceful": how != "exception_that_crashes",
            **wants,
        }
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), terminal.path, json.dumps(settings)],
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield Node(process, terminal, how)
            finally:
                process.kill()

    return started


@pytest.fixture
def gone(processes):
    """Waits until none of these processes lives: after a crash that takes the system a moment."""

    def gone(workers):
        by = time.monotonic() + BOUND
        while any(map(processes.lives, workers)):
            assert time.monotonic() < by
            time.sleep(0.02)

    return gone


@pytest.mark.parametrize("how", ends("SIGTERM"))
def test_idle_node_ends_without_workers_and_leaves_the_terminal_running(terminal, node, gone, how):
    with node(how) as running:
        assert running.end() == (how != "exception_that_crashes")
        gone(running.workers)
    assert terminal.stats()["sessions"] == 0


@pytest.mark.parametrize("how", ends("exception", "exception_that_crashes"))
def test_orders_and_positions_stay_where_the_strategy_does_not_close_them(
    terminal, node, gone, how
):
    """A crash stops no strategy: what is open stays in any case, for the next node."""
    manages = how == "exception_that_crashes"
    with node(how, holds=True, manage_stop=manages) as running:
        assert running.end() == (how != "exception_that_crashes")
        gone(running.workers)
    books = terminal.books()
    assert (len(books["orders"]), len(books["positions"])) == (1, 1)


@pytest.mark.parametrize("how", ends("SIGINT")[:-1])
def test_orders_and_positions_are_closed_where_the_strategy_manages_its_stop(
    terminal, node, gone, how
):
    """Within `timeout_post_stop`, Nautilus' default: the node leaves the account after that."""
    with node(how, holds=True, manage_stop=True, post_stop_secs=10.0) as running:
        assert running.end()
        gone(running.workers)
    books = terminal.books()
    assert (books["orders"], books["positions"]) == ([], [])


@pytest.mark.parametrize(
    ("how", "function"),
    [
        *(pytest.param(*one.values, "order_send", marks=one.marks) for one in ends("SIGTERM")),
        *(pytest.param(*one.values, "positions_get", marks=one.marks) for one in ends("exception")),
    ],
)
def test_node_whose_worker_hangs_ends_within_the_bound(terminal, node, gone, how, function):
    with node(how, holds=True, manage_stop=True) as running:
        terminal.hang(600.0, function)
        running.end()
        gone(running.workers)
    terminal.hang(0.0)
    assert terminal.stats()["sessions"] == 0
