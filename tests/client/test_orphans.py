"""Does no worker outlive its node: after an exception, Ctrl-C, a kill while a call hangs?"""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

LIMIT = 60.0

NODE = """
import asyncio, sys
from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE, MT5TerminalConfig

async def main():
    client = MT5Client(
        MT5TerminalConfig(path=sys.argv[1], login=5001234, module=SIMULATOR_MODULE)
    )
    await client.connect()
    print(*client.pids.values(), flush=True)
    try:
{body}
    finally:
        print("stopping", client.is_ready, flush=True)
        await client.disconnect()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.fixture
def node(terminal):
    """Starts a node on the terminal that runs `body` between connect and disconnect."""
    started = []

    def node(body):
        code = NODE.format(body=textwrap.indent(textwrap.dedent(body), " " * 8))
        options = {}
        if sys.platform == "win32":
            options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
        process = subprocess.Popen(
            [sys.executable, "-c", code, terminal.path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        started.append(process)
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 3, process.stderr.read()
        return process, pids

    yield node
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def until(condition):
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def gone(processes):
    """Waits until none of the workers lives."""
    return lambda workers: until(lambda: not any(map(processes.lives, workers)))


def test_after_a_kill_while_every_lane_hangs(terminal, node, gone, processes):
    process, workers = node(
        """
        for function in ("account_info", "symbol_info_tick", "symbols_total"):
            args = ("EURUSD",) if function == "symbol_info_tick" else ()
            client.submit(function, *args)
        print("asked", flush=True)
        await asyncio.sleep(600)
        """
    )
    terminal.hang(600.0)
    assert process.stdout.readline().strip() == "asked"
    assert all(map(processes.lives, workers))
    process.kill()
    process.wait()

    gone(workers)


def test_after_an_exception(node, gone):
    process, workers = node("raise RuntimeError('a bug in a strategy')")

    assert process.wait(LIMIT) != 0
    assert "a bug in a strategy" in process.stderr.read()
    gone(workers)


def test_after_a_node_that_just_ends(node, gone):
    """No disconnect, no exception: as a script that forgets."""
    process, workers = node("import os; os._exit(3)")

    assert process.wait(LIMIT) == 3
    gone(workers)


@pytest.mark.skipif(
    sys.platform == "win32", reason="a console event cannot be sent to chosen processes there"
)
def test_scenario_28_ctrl_c_leaves_the_workers_to_the_node_until_it_has_disconnected(node, gone):
    process, workers = node("await asyncio.sleep(600)")
    for pid in (*workers, process.pid):
        os.kill(pid, signal.SIGINT)

    assert process.stdout.readline().strip() == "stopping True"
    assert process.stdout.readline().strip() == "interrupted"
    assert process.wait(LIMIT) == 0
    gone(workers)
