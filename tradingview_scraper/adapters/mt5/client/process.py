"""How is a worker started so that it cannot outlive its node?"""

import contextlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

_WORKER: Final = "tradingview_scraper.adapters.mt5.worker"
#: The folder from which this package is imported; the worker imports it from there as well.
_ROOT: Final = Path(__file__).resolve().parents[4]
#: What a worker can say at once (Linux; Windows hands over what is written in one go): each reading
#: of the pipe may have to wait for the interpreter, 5 ms while the node computes.
PIPE_BYTES: Final = 1 << 20
#: Never in a child's environment; the trade lane's attach frame carries it.
_SECRET: Final = "MT5_PASSWORD"


def spawn() -> "subprocess.Popen[bytes]":
    """Start a worker with unbuffered pipes on stdin and stdout; its stderr is ours.

    Call it from a thread that lives as long as the worker may: on Linux the worker dies with the
    *thread* that started it. It gets a process group of its own, so that Ctrl-C reaches the node
    only.
    """
    command = [sys.executable, "-P", "-m", _WORKER, str(os.getpid())]
    options: dict[str, Any] = {}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        options["process_group"] = 0
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env=_environment(),
        **options,
    )
    if sys.platform == "win32":
        _hold(process)
    elif sys.platform == "linux" and process.stdout is not None:
        # Less is what the system allows.
        with contextlib.suppress(OSError):
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return process


def _environment() -> dict[str, str]:
    environment = {name: text for name, text in os.environ.items() if name.upper() != _SECRET}
    paths = [str(_ROOT), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    # numpy is used for its arrays only: no threads of its own, and less memory.
    environment["OPENBLAS_NUM_THREADS"] = "1"
    return environment


if sys.platform == "linux":
    import fcntl

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _KILL_ON_JOB_CLOSE: Final = 0x2000
    #: What a worker starts is not in the job: `initialize` may start the user's terminal, which
    #: must outlive the node.
    _SILENT_BREAKAWAY_OK: Final = 0x1000
    _EXTENDED_LIMIT_INFORMATION: Final = 9

    class _BasicLimits(ctypes.Structure):
        _fields_ = (
            ("PerProcessUserTimeLimit", ctypes.c_int64),
            ("PerJobUserTimeLimit", ctypes.c_int64),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class _ExtendedLimits(ctypes.Structure):
        _fields_ = (
            ("BasicLimitInformation", _BasicLimits),
            ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel32.CreateJobObjectW.restype = wintypes.HANDLE
    _kernel32.CreateJobObjectW.argtypes = (ctypes.c_void_p, wintypes.LPCWSTR)
    _kernel32.SetInformationJobObject.argtypes = (
        wintypes.HANDLE,
        ctypes.c_int,
        ctypes.c_void_p,
        wintypes.DWORD,
    )
    _kernel32.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)

    @cache
    def _job() -> int:
        """A job that Windows ends when this process is gone: our workers, not their children.

        Its handle is never closed and not inherited, so it lives exactly as long as we do.
        """
        job = _kernel32.CreateJobObjectW(None, None)
        limits = _ExtendedLimits()
        limits.BasicLimitInformation.LimitFlags = _KILL_ON_JOB_CLOSE | _SILENT_BREAKAWAY_OK
        if not job or not _kernel32.SetInformationJobObject(
            job, _EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), ctypes.sizeof(limits)
        ):
            raise ctypes.WinError(ctypes.get_last_error())
        return int(job)

    def _hold(process: "subprocess.Popen[bytes]") -> None:
        handle = int(process._handle)
        if not _kernel32.AssignProcessToJobObject(_job(), handle):
            error = ctypes.get_last_error()
            process.kill()
            raise ctypes.WinError(error)
