"""Where are the broker's books kept? `Books`: one append-only journal per account.

A line of a journal is one event, whole: the entities that it changed, complete, as JSON. A killed
terminal can leave a torn last line; that event did not happen. Folded in order, the lines give the
account's state back.
"""

import json
from pathlib import Path
from typing import Any


class BooksError(Exception):
    """A journal that cannot be read or written: says the file, the line and what to do."""


class Journal:
    """The events of one account; with a file, they outlive the terminal."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.events: list[dict[str, Any]] = []
        self._size = 0
        if file is not None and file.exists():
            self._read(file)

    def append(self, event: dict[str, Any]) -> None:
        """Write one event; when this returns, it survives the process. Raises `BooksError`."""
        if self.file is not None:
            line = json.dumps(event, separators=(",", ":"), allow_nan=False).encode() + b"\n"
            try:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                with self.file.open("ab") as file:
                    file.truncate(self._size)
                    file.write(line)
            except OSError as error:
                raise BooksError(f"the books cannot be written: {self.file}: {error}") from error
            self._size += len(line)
        self.events.append(event)

    def clear(self) -> None:
        """Forget everything."""
        self.events = []
        self._size = 0
        if self.file is not None:
            self.file.unlink(missing_ok=True)

    def _read(self, file: Path) -> None:
        for number, line in enumerate(file.read_bytes().splitlines(keepends=True), 1):
            try:
                if not line.endswith(b"\n"):
                    raise ValueError("torn")
                event = json.loads(line)
            except ValueError as error:
                if self._size + len(line) == file.stat().st_size:
                    # The last line: its writer was killed. The next event is written over it.
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
