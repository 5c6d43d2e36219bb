"""How does a script reach the control channel? One request, one answer, a JSON line each."""

import json
import sys
import time
from typing import Any, Final

#: How long a terminal may take to answer a script.
ANSWER_LIMIT_SECS: Final = 60.0


def ask(where: str, request: dict[str, Any]) -> dict[str, Any]:
    """The answer of the control channel at `where`.

    Raises `ConnectionError` when nobody listens there or the terminal ends before it answers.
    """
    answer = bytearray()
    line = json.dumps(request).encode() + b"\n"
    try:
        with _Connection(where) as connection:
            connection.write(line)
            while not answer.endswith(b"\n"):
                part = connection.read()
                if not part:
                    raise ConnectionResetError("the terminal ended before it answered")
                answer += part
    except TimeoutError:
        raise ConnectionError(f"no answer within {ANSWER_LIMIT_SECS:g} s from {where}") from None
    except (FileNotFoundError, OSError) as error:
        raise ConnectionError(f"no terminal listens at {where}: {error}") from None
    found: dict[str, Any] = json.loads(answer)
    return found


def listens(where: str) -> bool:
    """Whether a terminal answers there."""
    try:
        ask(where, {"verb": "where"})
    except ConnectionError:
        return False
    return True


if sys.platform == "win32":
    _PIPE_BUSY: Final = 231

    class _Connection:
        def __init__(self, where: str) -> None:
            deadline = time.monotonic() + ANSWER_LIMIT_SECS
            while True:
                try:
                    self._file = open(where, "r+b", buffering=0)  # noqa: PTH123, SIM115
                except OSError as error:
                    if error.winerror != _PIPE_BUSY or time.monotonic() > deadline:
                        raise
                    time.sleep(0.01)
                else:
                    return

        def __enter__(self) -> "_Connection":
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

        def write(self, data: bytes) -> None:
            self._file.write(data)

        def read(self) -> bytes:
            return self._file.read(65_536) or b""

else:
    import socket

    class _Connection:
        def __init__(self, where: str) -> None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._socket.settimeout(ANSWER_LIMIT_SECS)
                self._socket.connect(where)
            except OSError:
                self._socket.close()
                raise

        def __enter__(self) -> "_Connection":
            return self

        def __exit__(self, *_: object) -> None:
            self._socket.close()

        def write(self, data: bytes) -> None:
            self._socket.sendall(data)

        def read(self) -> bytes:
            return self._socket.recv(65_536)
