"""A library whose `initialize` never returns, and holds the interpreter's lock all the time."""

import ctypes
import sys


def initialize(*args, **kwargs):
    if sys.platform == "win32":
        ctypes.PyDLL("kernel32").Sleep(600_000)
    else:
        ctypes.PyDLL(None).sleep(600)
