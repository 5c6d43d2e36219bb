"""Does a worker process stay small, alone with its pipes, and never without its node?"""

import ctypes
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tradingview_scraper.adapters.mt5.client.process import spawn
from tradingview_scraper.adapters.mt5.worker.frames import (
    Answer,
    Attach,
    Attached,
    Call,
    Failed,
    FailureKind,
    decode_report,
    encode,
)

#: A library that prints, and that reads stdin.
LOUD = """
import sys

def initialize(*args, **kwargs):
    print("a line from the library")
    sys.stdout.flush()
    assert sys.stdin.read() == ""
    return True

def last_error():
    return (1, "Success")

def account_info():
    return (7,) + (0,) * 9 + (0.0,) * 14 + ("", "Demo", "USD", "")

def terminal_info():
    return (False,) * 10 + (0,) * 4 + (0.0,) * 2 + ("",) * 6

def symbols_total():
    import subprocess
    subprocess.run([sys.executable, "-c", "print('a child prints')"], check=True)
    return 5

def modules():
    return [name for name in ("nautilus_trader", "pandas") if name in sys.modules]

def version():
    import os
    return (1, os.getpid(), ",".join(modules()))

def shutdown():
    return True
"""

LIMIT = 30.0


@pytest.fixture
def worker():
    process = spawn()
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


@pytest.fixture
def loud(tmp_path):
    (tmp_path / "loud_mt5_library.py").write_text(LOUD, "utf-8")
    return Attach(
        1, "loud_mt5_library", None, False, 1000, 7, None, True, None, False, [str(tmp_path)]
    )


def say(process, *commands):
    for command in commands:
        process.stdin.write(encode(command))


def heard(process):
    size = int.from_bytes(_exactly(process, 4), "little")
    return decode_report(_exactly(process, size))


def _exactly(process, count):
    data = b""
    while len(data) < count:
        more = process.stdout.read(count - len(data))
        assert more, "the worker has closed its end"
        data += more
    return data


def until(condition):
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_prints_of_the_library_and_of_its_children_touch_no_frame(worker, loud):
    say(worker, loud, Call(2, "symbols_total", [], {}))

    assert isinstance(heard(worker), Attached)
    answer = heard(worker)
    assert isinstance(answer, Answer) and bytes(answer.value) == b"\x05"


def test_a_worker_imports_neither_nautilus_nor_pandas_and_stays_small(worker, loud):
    say(worker, loud, Call(2, "version", [], {}))

    heard(worker)
    answer = heard(worker)
    assert bytes(answer.value).endswith(b"\xa0"), "an empty list of modules"
    assert resident_bytes(worker) < allowed_bytes()


def test_the_root_package_imports_neither_nautilus_nor_pandas():
    code = (
        "import sys, tradingview_scraper.adapters.mt5\n"
        "sys.exit(any(name in sys.modules for name in ('nautilus_trader', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_a_worker_ends_when_its_stdin_does(worker, loud):
    say(worker, loud)
    heard(worker)
    worker.stdin.close()

    assert worker.wait(LIMIT) == 0


def test_a_worker_that_cannot_attach_says_why_and_ends(worker):
    say(worker, Attach(1, "no_such", None, False, 1, 7, None, True, None, False, []))

    report = heard(worker)
    assert isinstance(report, Failed) and report.kind is FailureKind.MISSING
    worker.wait(LIMIT)


def test_noise_on_stdin_ends_the_worker(worker):
    worker.stdin.write(b"\x05\x00\x00\x00hello")

    worker.wait(LIMIT)


@pytest.mark.skipif(sys.platform == "win32", reason="there a group of its own does it")
def test_ctrl_c_does_not_end_a_worker(worker, loud):
    say(worker, loud)
    heard(worker)
    os.kill(worker.pid, signal.SIGINT)
    say(worker, Call(2, "version", [], {}))

    assert isinstance(heard(worker), Answer)
    assert os.getpgid(worker.pid) != os.getpgid(0)


def test_a_worker_does_not_outlive_a_node_that_is_killed(tmp_path, processes):
    """Though it hangs in a call that holds the interpreter's lock, as the library's calls do."""
    marker = tmp_path / "called"
    (tmp_path / "hanging_mt5_library.py").write_text(
        textwrap.dedent(
            f"""
            import ctypes, pathlib, sys

            def initialize(*args, **kwargs):
                pathlib.Path({str(marker)!r}).touch()
                if sys.platform == "win32":
                    ctypes.PyDLL("kernel32").Sleep(600_000)
                else:
                    ctypes.PyDLL(None).sleep(600)
            """
        ),
        "utf-8",
    )
    node = textwrap.dedent(
        f"""
        import sys, time
        from tradingview_scraper.adapters.mt5.client.process import spawn
        from tradingview_scraper.adapters.mt5.worker.frames import Attach, encode
        worker = spawn()
        worker.stdin.write(encode(Attach(
            1, "hanging_mt5_library", None, False, 1, 7, None, True, None, False,
            [{str(tmp_path)!r}],
        )))
        print(worker.pid, flush=True)
        time.sleep(600)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", node], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(process.stdout.readline())
        until(marker.exists)
        assert processes.lives(pid)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()

    until(lambda: not processes.lives(pid))


def allowed_bytes():
    """60 MB; on Windows what numpy takes there, which Wine makes larger, and 15 MB."""
    if sys.platform != "win32":
        return 60 * 1024 * 1024
    code = "import numpy; print(1, flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as bare:
        bare.stdout.readline()
        allowed = resident_bytes(bare) + 15 * 1024 * 1024
        bare.stdin.write(b"\n")
    return allowed


def resident_bytes(process):
    if sys.platform != "win32":
        pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    counters = (ctypes.c_size_t * 9)()
    size = ctypes.sizeof(counters)
    assert ctypes.WinDLL("kernel32").K32GetProcessMemoryInfo(
        ctypes.c_void_p(int(process._handle)), ctypes.byref(counters), size
    )
    # PROCESS_MEMORY_COUNTERS: two 32-bit fields, the peak, and then the working set.
    return counters[2]
