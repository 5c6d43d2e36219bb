"""How does a terminal process come to life? `start_terminal`, for the library and for tests."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

#: Exit status of a terminal process that found another one serving its path.
EXIT_ALREADY_SERVED: Final = 3

_SERVER: Final = "tradingview_scraper.adapters.mt5.simulator.terminal.server"
_IMPORT_ROOT: Final = Path(__file__).resolve().parents[5]


def start_terminal(
    path: str, log: Path, *, books: Path | None = None, dies_with_starter: bool = False
) -> subprocess.Popen[bytes]:
    """Start the terminal process of `path`, detached; it writes what it has to say to `log`.

    It outlives its starter, as a real terminal does, unless `dies_with_starter`: then it ends when
    its standard input does. The child finds this package wherever this process found it.
    """
    command = [sys.executable, "-m", _SERVER, path]
    if books is not None:
        command += ["--books", str(books)]
    if dies_with_starter:
        command.append("--until-stdin-ends")
    searched = os.environ.get("PYTHONPATH", "")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_IMPORT_ROOT), searched)))
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    given = subprocess.PIPE if dies_with_starter else subprocess.DEVNULL
    with log.open("ab") as output:
        return _spawn(command, given, output, environment)


def last_words(log: Path) -> str:
    """The last line that a terminal process wrote, or ''."""
    try:
        lines = log.read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].strip() if lines else ""


if sys.platform == "win32":

    def _spawn(
        command: list[str], given: int, output: IO[bytes], environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        # A job that nobody may leave refuses the first try.
        for job in (subprocess.CREATE_BREAKAWAY_FROM_JOB, 0):
            with suppress(PermissionError):
                return subprocess.Popen(
                    command,
                    stdin=given,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    creationflags=flags | job,
                )
        raise PermissionError(f"not allowed to start {command[0]}")

else:

    def _spawn(
        command: list[str], given: int, output: IO[bytes], environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=given,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
