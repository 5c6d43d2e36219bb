"""Where does the terminal of a path listen? Its pipe (Windows) or local socket, and its files.

On Windows the name is the one that the real library computes [recorded]: ``MT5.Terminal.`` and the
SHA-256 of the lower-cased final path; a path that cannot be opened is hashed as it was given, so
any string works as long as a terminal serves it. Elsewhere the same rule (a file by its real path,
anything else as given) names a socket in a directory that only this user can enter.
"""

import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Final

#: The built-in scenarios: a terminal may be named by one of their names instead of a file.
SCENARIOS: Final = Path(__file__).with_name("scenarios")

#: Longest address of a local socket that every system takes (macOS: 104 bytes with the end).
_SOCKET_PATH_LIMIT: Final = 100
_LONGEST_NAME: Final = len("/0123456789abcdef01234567.control")


def terminal_address(path: str) -> str:
    """Where the library finds the terminal of `path`."""
    if sys.platform == "win32":
        return rf"\\.\pipe\MT5.Terminal.{_digest(path).upper()}"
    return _socket(path, "mt5")


def control_address(path: str) -> str:
    """Where tests and scripts find the control channel of the terminal of `path`."""
    if sys.platform == "win32":
        return rf"\\.\pipe\MT5.Simulator.Control.{_digest(path).upper()}"
    return _socket(path, "control")


def lock_file(path: str) -> Path:
    """The file that the one terminal process of `path` keeps locked."""
    return user_directory() / f"{_digest(path)[:24]}.lock"


def scenario_file(path: str) -> Path | None:
    """The TOML file that `path` means: a built-in scenario's name, or a file; None when neither."""
    built_in = SCENARIOS / f"{path}.toml"
    if Path(path).name == path and built_in.is_file():
        return built_in
    given = Path(path)
    return given if given.suffix.lower() == ".toml" and given.is_file() else None


def books_directory(path: str) -> Path:
    """Where the terminal of `path` keeps its books: beside the file, else with the user's own."""
    file = scenario_file(path)
    if file is None or file.parent == SCENARIOS:
        return user_directory() / f"{_digest(path)[:24]}.books"
    return file.resolve().with_suffix(".books")


def log_file(path: str) -> Path:
    """Where a terminal process that nobody watches writes what it has to say."""
    return books_directory(path).with_suffix(".log")


def user_directory() -> Path:
    """A directory of this user alone. Raises `PermissionError` when another user made it."""
    directory = _user_directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_owner(directory)
    return directory


def _socket(path: str, suffix: str) -> str:
    return str(user_directory() / f"{_digest(path)[:24]}.{suffix}")


def _digest(path: str) -> str:
    return hashlib.sha256(_hashed_text(path).encode("utf-16-le", "surrogatepass")).hexdigest()


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _user32 = ctypes.WinDLL("user32")
    _CreateFileW = _kernel32.CreateFileW
    _CreateFileW.restype = wintypes.HANDLE
    _CreateFileW.argtypes = (
        wintypes.LPCWSTR,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.LPVOID,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.HANDLE,
    )
    _GetFinalPathNameByHandleW = _kernel32.GetFinalPathNameByHandleW
    _GetFinalPathNameByHandleW.restype = wintypes.DWORD
    _GetFinalPathNameByHandleW.argtypes = (
        wintypes.HANDLE,
        wintypes.LPWSTR,
        wintypes.DWORD,
        wintypes.DWORD,
    )
    _CloseHandle = _kernel32.CloseHandle
    _CloseHandle.argtypes = (wintypes.HANDLE,)
    _CharLowerBuffW = _user32.CharLowerBuffW
    _CharLowerBuffW.restype = wintypes.DWORD
    _CharLowerBuffW.argtypes = (wintypes.LPWSTR, wintypes.DWORD)
    _GENERIC_READ = 0x80000000
    _SHARE_READ_WRITE = 3
    _OPEN_EXISTING = 3
    _LONGEST_PATH = 32_768

    def _hashed_text(path: str) -> str:
        text = path
        handle = _CreateFileW(path, _GENERIC_READ, _SHARE_READ_WRITE, None, _OPEN_EXISTING, 0, None)
        if handle != wintypes.HANDLE(-1).value:
            final = ctypes.create_unicode_buffer(_LONGEST_PATH)
            if _GetFinalPathNameByHandleW(handle, final, _LONGEST_PATH, 0):
                text = final.value
            _CloseHandle(handle)
        lowered = ctypes.create_unicode_buffer(text)
        _CharLowerBuffW(lowered, len(lowered) - 1)
        return lowered.value

    def _user_directory() -> Path:
        # The directory for temporary files is already this user's own.
        return Path(tempfile.gettempdir()) / "mt5-simulator"

    def _check_owner(directory: Path) -> None:
        pass

else:

    def _hashed_text(path: str) -> str:
        return os.path.realpath(path) if Path(path).is_file() else path

    def _user_directory() -> Path:
        name = f"mt5-simulator-{os.getuid()}"
        directory = Path(tempfile.gettempdir()) / name
        too_long = len(os.fsencode(directory)) > _SOCKET_PATH_LIMIT - _LONGEST_NAME
        return Path("/tmp") / name if too_long else directory

    def _check_owner(directory: Path) -> None:
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise PermissionError(
                f"{directory} must be a directory that only user {os.getuid()} can enter, was "
                f"{stat.filemode(found.st_mode)} of user {found.st_uid}; remove it"
            )
