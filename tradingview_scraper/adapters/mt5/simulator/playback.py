"""How is a journal played again? Its calls and verbs, in their order, into a fresh terminal.

The terminal must run the scenario of the journal on a stepped clock. What the scenario's timetable
did it does again by itself; all else comes from the journal, each client over a connection of its
own, so that the books become what they were.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from tradingview_scraper.adapters.mt5.simulator import address
from tradingview_scraper.adapters.mt5.simulator.control import Control
from tradingview_scraper.adapters.mt5.simulator.library.pipe import Pipe, PipeError
from tradingview_scraper.adapters.mt5.simulator.terminal.functions import frame_of

#: Verbs after which nothing can be said about the next line.
_ENDINGS: Final = frozenset({"kill", "stop", "reset", "live_update"})
_AT: Final = "%Y.%m.%d %H:%M:%S.%f"


def play(entries: Iterable[Mapping[str, Any]], control: Control) -> None:
    """Play the lines of a journal, as `Control.journal` gives them.

    Time passes by their ``advance``, and, in the journal of a clock that ran, between the lines.
    Passwords are in no journal: a login that succeeded is done as by hand. Raises ValueError for a
    journal in which the terminal ends, and ConnectionError when nobody serves the terminal.
    """
    clients = _Clients(control)
    now: float | None = None
    for entry in entries:
        if entry.get("scheduled"):
            continue
        at = datetime.strptime(entry["at"], _AT).replace(tzinfo=UTC).timestamp()
        if now is not None and at > now + 1e-6:
            control.advance(at - now)
        now = at
        if "call" in entry:
            clients.call(entry)
            continue
        verb, given = entry["verb"], entry["arguments"]
        if verb in _ENDINGS:
            raise ValueError(f"a journal can be played up to a {verb!r}; one is at {entry['at']}")
        control.perform(verb, **given)
        if verb in ("advance", "shift_clock"):
            now += given["seconds"]
    clients.close()


class _Clients:
    """The connections of a journal's clients."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._pipes: dict[int, Pipe] = {}

    def call(self, entry: Mapping[str, Any]) -> None:
        """Make one call; what it answers is the terminal's affair, and it may be lost again."""
        if entry["call"] == "login":
            if entry.get("status", -1) >= 0:
                self._control.login(entry["arguments"]["login"])
            return
        frame = frame_of(entry["call"], entry["arguments"])
        if frame is None:
            return
        number = entry["client"]
        try:
            self._pipe(number).exchange(frame)
        except PipeError:
            self._pipes.pop(number).close()

    def close(self) -> None:
        for pipe in self._pipes.values():
            pipe.close()

    def _pipe(self, number: int) -> Pipe:
        if number not in self._pipes:
            pipe = Pipe.connect(address.terminal_address(self._control.path))
            if pipe is None:
                raise ConnectionError(f"no terminal serves {self._control.path}")
            self._pipes[number] = pipe
        return self._pipes[number]
