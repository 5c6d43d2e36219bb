"""Where are the broker's books kept? `Books`: one append-only journal per account.

A line of a journal is one event, whole: the entities that it changed, complete, as JSON. A killed
terminal can leave a torn last line; that event did not happen. Folded in order, the lines give the
account's state back.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

import msgspec

_APPENDING: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class BooksError(Exception):
    """A journal that cannot be read or written: says the file, the line and what to do."""


class Journal:
    """The events of one account; with a file, they outlive the terminal."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        #: What was found in the file; without one, all events.
        self.events: list[dict[str, Any]] = []
        self._size = 0
        self._is_torn = False
        if file is not None and file.exists():
            self._read(file)

    def append(self, event: dict[str, Any]) -> None:
        """Write one event; when this returns, it survives the process. Raises `BooksError`."""
        if self.file is None:
            self.events.append(event)
            return
        line = msgspec.json.encode(event) + b"\n"
        try:
            self._write(self.file, line)
        except OSError as error:
            self._is_torn = True
            raise BooksError(f"the books cannot be written: {self.file}: {error}") from error
        self._size += len(line)

    def clear(self) -> None:
        """Forget everything."""
        self.events = []
        self._size = 0
        self._is_torn = False
        if self.file is not None:
            self.file.unlink(missing_ok=True)

    def _write(self, file: Path, line: bytes) -> None:
        try:
            handle = os.open(file, _APPENDING, 0o644)
        except FileNotFoundError:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(file, _APPENDING, 0o644)
        try:
            if self._is_torn:
                os.ftruncate(handle, self._size)
                self._is_torn = False
            if os.write(handle, line) != len(line):
                raise OSError("only a part was written")
        finally:
            os.close(handle)

    def _read(self, file: Path) -> None:
        for number, line in enumerate(file.read_bytes().splitlines(keepends=True), 1):
            try:
                if not line.endswith(b"\n"):
                    raise ValueError("torn")
                event = json.loads(line)
            except ValueError as error:
                if self._size + len(line) == file.stat().st_size:
                    # The last line: its writer was killed. The next event is written over it.
                    self._is_torn = True
                    return
                raise BooksError(
                    f"{file}, line {number}: not an event ({error}); mend it or remove the file"
                ) from None
            self.events.append(event)
            self._size += len(line)


class Books:
    """The journals of all accounts, in a directory, or in memory with None."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory
        self._journals: dict[int, Journal] = {}

    def journal(self, login: int) -> Journal:
        """The journal of one account."""
        if login not in self._journals:
            file = None if self.directory is None else self.directory / f"account-{login}.jsonl"
            self._journals[login] = Journal(file)
        return self._journals[login]

    def clear(self) -> None:
        """Forget all accounts, also those on disk, and the ticks that were pushed."""
        for journal in self._journals.values():
            journal.clear()
        if self.directory is not None:
            for file in self.directory.glob("account-*.jsonl"):
                file.unlink(missing_ok=True)
            for file in self.directory.glob("ticks/*.bin"):
                file.unlink(missing_ok=True)
