"""What was asked of a terminal, and what did it answer? `Journal`: a readable line for each call.

Lines are JSON objects. A call has ``at`` (server time), ``client`` (connections are numbered),
``call``, ``arguments`` (zeros and empty texts are left out), ``status`` and ``answer``; with
``lost`` nobody got it. A verb of the control channel has ``at``, ``verb`` and ``arguments``; one
that the timetable did has ``scheduled`` as well.
Nothing in it depends on the machine: the same scenario, seed and calls give the same lines, on a
clock that is stepped.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.layout import Layout, Message
from tradingview_scraper.adapters.mt5.simulator.terminal.functions import FUNCTION_OF, arguments
from tradingview_scraper.adapters.mt5.simulator.wire import Command

_RECORDS: Final[dict[int, Layout]] = {
    Command.SYMBOL_INFO_TICK: wire.TICK,
    Command.ACCOUNT_INFO: wire.ACCOUNT_INFO,
    Command.ORDER_SEND: wire.SEND_RESULT,
    Command.ORDER_CHECK: wire.CHECK_RESULT,
}
_NUMBERS: Final[dict[int, Message]] = {
    Command.HELLO: wire.TOTAL,
    Command.CONNECTION_STATE: wire.TOTAL,
    Command.POSITIONS_TOTAL: wire.TOTAL,
    Command.ORDERS_TOTAL: wire.TOTAL,
    Command.HISTORY_ORDERS_TOTAL: wire.TOTAL,
    Command.HISTORY_DEALS_TOTAL: wire.TOTAL,
    Command.SYMBOLS_TOTAL: wire.TOTAL,
    Command.ORDER_CALC_MARGIN: wire.MONEY,
    Command.ORDER_CALC_PROFIT: wire.MONEY,
}


class Journal:
    """The calls and verbs of one terminal, at the server's time `now_msc`. No file: none kept."""

    def __init__(self, file: Path | None, now_msc: Callable[[], int]) -> None:
        self._path: Final = file
        self._file = None if file is None else file.open("a", encoding="utf-8", newline="\n")
        self._now_msc: Final = now_msc

    def call(self, client: int, frame: bytes | memoryview, answer: bytes, lost: bool) -> None:
        """Write one call: the request's frame and the answer's, empty when it was not executed."""
        if self._file is None:
            return
        command, payload = wire.split_request(frame)
        entry: dict[str, Any] = {
            "client": client,
            "call": FUNCTION_OF.get(command, f"command {command:#x}"),
            "arguments": _without_blanks(arguments(command, payload)),
        }
        entry["arguments"].pop("password", None)
        found = wire.split_answer(answer[wire.SIZE_BYTES :])
        if found is not None:
            _, status, body = found
            entry["status"] = status
            if len(body):
                entry["answer"] = _readable(command, body)
        if lost:
            entry["lost"] = True
        self._write(entry)

    def verb(self, name: str, given: Mapping[str, Any], *, scheduled: bool = False) -> None:
        """Write one verb of the control channel, or, `scheduled`, of the scenario's timetable."""
        if self._file is not None:
            entry: dict[str, Any] = {"verb": name, "arguments": dict(given)}
            if scheduled:
                entry["scheduled"] = True
            self._write(entry)

    def entries(self) -> list[dict[str, Any]]:
        """All lines so far. Raises ValueError when no journal is kept."""
        if self._path is None:
            raise ValueError('no journal is kept: say "journal = true" in the [terminal] table')
        return [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def clear(self) -> None:
        """Forget everything; nothing is written any more."""
        self.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _write(self, entry: dict[str, Any]) -> None:
        if self._file is None:
            return
        seconds, part = divmod(self._now_msc(), 1000)
        moment = datetime.fromtimestamp(seconds, UTC)
        at = moment.strftime("%Y.%m.%d %H:%M:%S.") + f"{part:03d}"
        self._file.write(json.dumps({"at": at, **entry}, ensure_ascii=False) + "\n")
        self._file.flush()


def _readable(command: int, body: memoryview) -> Any:
    """Small answers as they are, large ones as their size and a checksum."""
    if command in _RECORDS:
        layout = _RECORDS[command]
        return _without_blanks(dict(zip(layout.fields, layout.decode(body), strict=True)))
    if command in _NUMBERS:
        return _NUMBERS[command].decode(body)[0]
    if len(body) == 4:
        return wire.TOTAL.decode(body)[0]
    return {"bytes": len(body), "crc32": f"{crc32(body):08x}"}


def _without_blanks(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (0, "")}
