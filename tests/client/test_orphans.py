"""Does no worker outlive its node: after an exception, Ctrl-C, a kill while a call hangs?"""

import signal
import subprocess
import sys
import textwrap
import time

import psutil
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
        return process, [psutil.Process(pid) for pid in pids]

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


def lives(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(workers):
    return lambda: not any(map(lives, workers))


def test_after_a_kill_while_every_lane_hangs(terminal, node):
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
    until(lambda: all(psutil.pid_exists(worker.pid) for worker in workers))
    process.kill()
    process.wait()

    until(gone(workers))


def test_after_an_exception(node):
    process, workers = node("raise RuntimeError('a bug in a strategy')")

    assert process.wait(LIMIT) != 0
    assert "a bug in a strategy" in process.stderr.read()
    until(gone(workers))


def test_after_a_node_that_just_ends(node):
    """No disconnect, no exception: as a script that forgets."""
    process, workers = node("import os; os._exit(3)")

    assert process.wait(LIMIT) == 3
    until(gone(workers))


def test_ctrl_c_leaves_the_workers_to_the_node_until_it_has_disconnected(node):
    process, workers = node("await asyncio.sleep(600)")
    interrupt = signal.SIGINT if sys.platform != "win32" else signal.CTRL_C_EVENT
    if sys.platform == "win32":
        pytest.skip("a console event cannot be sent to one group alone")
    for target in (*workers, process):
        target.send_signal(interrupt)

    assert process.stdout.readline().strip() == "stopping True"
    assert process.stdout.readline().strip() == "interrupted"
    assert process.wait(LIMIT) == 0
    until(gone(workers))
