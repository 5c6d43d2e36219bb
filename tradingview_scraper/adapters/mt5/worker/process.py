"""How does a worker stay alone with its pipes, and die with its node? Set-up of the process."""

import contextlib
import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
#: How long another thread waits for the interpreter while this one computes.
_SWITCH_SECS: Final = 0.0002


def take_pipes() -> tuple[int, int]:
    """Private descriptors of what was stdin and stdout; nothing else in the process has them.

    After it, fd 0 is empty and fd 1 is stderr, so that neither a ``print`` in the library nor a
    program that it starts can touch a frame.
    """
    reading, writing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:
        # A program without a console on Windows has no stderr either.
        os.dup2(nothing, 1)
    os.close(nothing)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(reading, os.O_BINARY)
        msvcrt.setmode(writing, os.O_BINARY)
    return reading, writing


def settle(parent: int) -> None:
    """Ignore Ctrl-C, die with `parent`, and let time run in milliseconds.

    The node's Ctrl-C must not end the workers before the node has used them for its last orders.
    On Windows the node holds the workers in a job object instead.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(_SWITCH_SECS)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
    elif sys.platform == "win32":
        signal.signal(signal.SIGBREAK, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            ctypes.WinDLL("winmm").timeBeginPeriod(1)


def write_all(fd: int, frame: bytearray) -> None:
    """Write a whole frame; waits while the node does not read."""
    written = os.write(fd, frame)
    if written == len(frame):
        return
    rest = memoryview(frame)[written:]
    while rest:
        rest = rest[os.write(fd, rest) :]
