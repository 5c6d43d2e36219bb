"""Is this process the only one? `FileLock`, which the system releases when its holder dies."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType


class AlreadyLocked(Exception):
    """Another process holds the lock; the text names it where that is known."""


class FileLock:
    """A lock on a file, held from enter to exit or until the process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def __enter__(self) -> "FileLock":
        """Raises `AlreadyLocked`."""
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._file)
        except OSError:
            os.close(self._file)
            raise AlreadyLocked(f"{self._path} is locked") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _release(self._file, self._path)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _release(file: int, path: Path) -> None:
        os.close(file)
        # Whoever opened the file meanwhile keeps it.
        with suppress(OSError):
            path.unlink()

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(file: int, path: Path) -> None:
        path.unlink(missing_ok=True)
        os.close(file)
