"""How is a terminal as a whole: may one trade on it and believe it, and if not, what helps?

Lanes tell how their workers are, the trade lane how the terminal's link to its trade server is.
One state follows from both. Pure, but for the lock of `Supervisor`.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.client.lanes import Lane, LaneState, State


class TerminalState(NamedTuple):
    """The terminal since now.

    `ATTACHED`: everything works. `DEGRADED`: trading works, a lane does not. `LOST`: the trade lane
    is down, or the terminal has no link to its trade server (what it shows is old then, though
    every read succeeds). `FAILED` and `REFUSED`: nothing changes before `connect` is called anew.
    """

    state: State
    #: Why, in one line.
    reason: str
    #: What a person can do; empty when there is nothing to do.
    remedy: str

    @property
    def may_trade(self) -> bool:
        """Requests are worth sending, and what the terminal shows is its server's word."""
        return self.state in _TRADES

    def __str__(self) -> str:
        text = f"{self.state}: {self.reason}"
        return f"{text}; {self.remedy}" if self.remedy else text


def terminal_state(lanes: Mapping[Lane, LaneState], is_linked: bool | None) -> TerminalState:
    """What follows from the lanes, and from the link to the trade server (None: not known)."""
    for final in (State.REFUSED, State.FAILED):
        found = next((lane for lane in lanes.values() if lane.state is final), None)
        if found is not None and (final is State.REFUSED or found.lane is Lane.TRADE):
            return TerminalState(final, _of(found), _REMEDY[final])
    trade = lanes[Lane.TRADE]
    if trade.state is not State.ATTACHED:
        return TerminalState(trade.state, _of(trade), _REMEDY.get(trade.state, ""))
    if not is_linked:
        reason = "the terminal has no link to its trade server: what it shows is old"
        if is_linked is None:
            reason = "whether the terminal is linked to its trade server is not known"
        return TerminalState(State.LOST, reason, _LINK_REMEDY)
    down = [lane for lane in lanes.values() if lane.state is not State.ATTACHED]
    if down:
        is_final = any(lane.state is State.FAILED for lane in down)
        remedy = _REMEDY[State.FAILED if is_final else State.LOST]
        return TerminalState(State.DEGRADED, "; ".join(map(_of, down)), remedy)
    return TerminalState(State.ATTACHED, "every lane is attached", "")


class Supervisor:
    """Keeps what is known, and tells every change once, in order. Thread-safe."""

    def __init__(self, tell: Callable[[TerminalState], None]) -> None:
        self._tell = tell
        self._lock = threading.RLock()
        self._lanes = {lane: LaneState(lane, State.STOPPED, "not started") for lane in Lane}
        self._is_linked: bool | None = None
        self.state = terminal_state(self._lanes, None)

    def lane_changed(self, state: LaneState) -> None:
        with self._lock:
            self._lanes[state.lane] = state
            self._look()

    def link_seen(self, is_linked: bool) -> None:
        with self._lock:
            self._is_linked = is_linked
            self._look()

    def _look(self) -> None:
        state = terminal_state(self._lanes, self._is_linked)
        if state != self.state:
            self.state = state
            self._tell(state)


def _of(lane: LaneState) -> str:
    return f"{lane.lane} lane {lane.state}: {lane.reason}"


_TRADES: Final = frozenset({State.ATTACHED, State.DEGRADED})
_LINK_REMEDY: Final = (
    "look at the connection status in the terminal's lower right corner; check the network and the "
    "broker's server; trading goes on by itself when the link is back"
)
_REMEDY: Final = {
    State.LOST: (
        "check that the terminal runs and shows no dialog; the lane is attached again by itself"
    ),
    State.FAILED: "find out why in the log, then restart the node",
    State.REFUSED: "log the terminal in to the expected account, then restart the node",
}
