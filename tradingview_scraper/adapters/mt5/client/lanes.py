"""Which lane does a call belong to, how long may it take, and how are the lanes?"""

from enum import StrEnum
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.terminal.api import FUNCTIONS
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig


class Lane(StrEnum):
    """One worker process each, so that an order never waits for data, nor ticks for an order."""

    TRADE = "trade"
    QUOTES = "quotes"
    HISTORY = "history"


class State(StrEnum):
    """Where a lane is in its life."""

    #: Its worker is being started, or attaches.
    STARTING = "starting"
    #: It serves calls and feeds.
    ATTACHED = "attached"
    #: Of a terminal: trading works, and something else does not.
    DEGRADED = "degraded"
    #: Its worker is gone; calls fail, a new worker follows after a pause.
    LOST = "lost"
    #: Its workers kept dying; none is started any more until `connect`.
    FAILED = "failed"
    #: The terminal is on another account, or may not be used: nothing is sent until `connect`.
    REFUSED = "refused"
    #: It was stopped by `disconnect`, or never started.
    STOPPED = "stopped"


class LaneState(NamedTuple):
    """A lane's state since now. `reason` says why, and what to do about it."""

    lane: Lane
    state: State
    reason: str


_TRADE: Final = frozenset(
    {
        "order_send",
        "order_check",
        "orders_total",
        "orders_get",
        "positions_total",
        "positions_get",
        "account_info",
        "login",
    }
)
_QUOTES: Final = frozenset(
    {
        "symbol_info",
        "symbol_info_tick",
        "symbol_select",
        "market_book_add",
        "market_book_get",
        "market_book_release",
    }
)
#: Functions that a caller never calls: `MT5Client` attaches, detaches and reads errors itself.
OWN: Final = frozenset({"initialize", "shutdown", "last_error"})

#: A worker with nothing to say says so every second; a few may come late.
_HEARTBEATS: Final = 3.0

#: The lane of each function that can be called.
LANE_OF: Final[dict[str, Lane]] = {
    name: Lane.TRADE if name in _TRADE else Lane.QUOTES if name in _QUOTES else Lane.HISTORY
    for name in sorted(FUNCTIONS - OWN)
}


def deadline_secs(function: str, lane: Lane, config: MT5TerminalConfig) -> float:
    """Seconds that a call of `function` on `lane` may take before its worker is killed."""
    if function == "order_send":
        return config.order_timeout_secs
    if function == "login":
        return config.attach_timeout_secs
    return _read_secs(lane, config)


def silence_secs(lane: Lane, config: MT5TerminalConfig) -> float:
    """Seconds that an idle worker of `lane` may send nothing before it counts as hung."""
    return max(_HEARTBEATS, _read_secs(lane, config))


def _read_secs(lane: Lane, config: MT5TerminalConfig) -> float:
    return config.history_timeout_secs if lane is Lane.HISTORY else config.call_timeout_secs
