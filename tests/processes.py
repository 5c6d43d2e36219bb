"""Does a process still live? Without psutil, which not every Windows has."""

import os
import signal
import sys
from pathlib import Path

if sys.platform == "win32":
    import ctypes

    _SYNCHRONIZE = 0x00100000
    _WAIT_TIMEOUT = 0x102
    _kernel32 = ctypes.WinDLL("kernel32")

    def lives(pid: int) -> bool:
        handle = _kernel32.OpenProcess(_SYNCHRONIZE, False, pid)
        if not handle:
            return False
        try:
            return _kernel32.WaitForSingleObject(handle, 0) == _WAIT_TIMEOUT
        finally:
            _kernel32.CloseHandle(handle)

else:

    def lives(pid: int) -> bool:
        """A zombie does not: nobody has fetched its exit status, but it does nothing more."""
        try:
            status = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return False
        return status.rpartition(")")[2].split()[0] != "Z"


def kill(pid: int) -> None:
    """At once, wherever it hangs."""
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
