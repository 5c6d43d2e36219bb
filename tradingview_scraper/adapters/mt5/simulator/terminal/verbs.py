"""What may a script ask of a running terminal? The verbs of the control channel.

A request is ``{"verb": name, "arguments": {...}}``; its answer ``{"result": ...}`` or
``{"error": text, "kind": kind}``, where `kind` is the name of the exception that `control` raises.
"""

import base64
import os
import sys
import traceback
from collections.abc import Callable, Collection
from typing import Any, Final, Literal, Protocol

import numpy as np

from tradingview_scraper.adapters.mt5.simulator.terminal.faults import Fault
from tradingview_scraper.adapters.mt5.simulator.terminal.world import World
from tradingview_scraper.adapters.mt5.terminal.constants import OrderReason
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE, TradeRequest

#: Verbs with a name already and nothing behind them yet.
NOT_BUILT: Final = frozenset(
    {
        "requote",
        "delay_history",
        "shift_clock",
        "set_trade_allowed",
        "live_update",
        "set_limit",
    }
)

_NO_REQUEST: Final = TradeRequest(
    0, 0, 0, "", 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0, 0, 0, "", 0, 0
)  # fmt: skip


class Served(Protocol):
    """What the verbs need of the server."""

    @property
    def path(self) -> str: ...
    @property
    def world(self) -> World: ...
    @property
    def sessions(self) -> Collection[object]: ...
    def drop_connections(self) -> int: ...
    def reset(self) -> None: ...
    def stop(self) -> None: ...


class Verbs:
    """Performs requests of the control channel on a server."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._verbs: Final[dict[str, Callable[..., Any]]] = {
            "push_ticks": self._push_ticks,
            "advance": self._advance,
            "hang": self._hang,
            "slow": self._slow,
            "drop_connections": server.drop_connections,
            "lose_reply": self._lose_reply,
            "answer": self._answer,
            "login": self._login,
            "set_connected": self._set_connected,
            "trade_by_hand": self._trade_by_hand,
            "books": self._books,
            "reset": server.reset,
            "stats": self._stats,
            "where": self._where,
            "stop": server.stop,
        }

    def perform(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request; never raises."""
        name = request.get("verb", "")
        if name in NOT_BUILT:
            return {"error": f"{name} is not built yet", "kind": "NotImplementedError"}
        verb = self._verbs.get(name)
        if verb is None:
            return {"error": f"there is no verb {name!r}", "kind": "ValueError"}
        try:
            return {"result": verb(**request.get("arguments", {}))}
        except ValueError as error:
            return {"error": str(error), "kind": "ValueError"}
        except TypeError as error:
            return {"error": str(error), "kind": "TypeError"}
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return {"error": f"{type(error).__name__}: {error}", "kind": "RuntimeError"}

    def _push_ticks(self, symbol: str, rows: str) -> None:
        self._server.world.push_ticks(symbol, np.frombuffer(base64.b64decode(rows), TICK_DTYPE))

    def _advance(self, seconds: float) -> None:
        self._server.world.advance(seconds)

    def _hang(self, seconds: float, function: str | None) -> None:
        self._add(Fault(kind="hang", function=function, seconds=seconds))

    def _slow(self, seconds: float, function: str | None) -> None:
        self._add(Fault(kind="slow", function=function, seconds=seconds))

    def _lose_reply(self, function: str, when: Literal["before", "after"]) -> None:
        if when not in ("before", "after"):
            raise ValueError(f"when must be 'before' or 'after' the request is done, was {when!r}")
        self._add(Fault(kind="lose", function=function, when=when, count=1))

    def _answer(self, function: str, retcode: int, n: int, executed: bool) -> None:
        self._add(Fault(kind="answer", function=function, code=retcode, count=n, executed=executed))

    def _add(self, fault: Fault) -> None:
        self._server.world.terminal.add_fault(fault)

    def _login(self, account: dict[str, Any]) -> None:
        self._server.world.log_in(account)

    def _set_connected(self, connected: bool) -> None:
        self._server.world.terminal.connected = connected
        self._server.world.terminal.run()

    def _trade_by_hand(self, request: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(request.keys() - set(TradeRequest._fields))
        if unknown:
            raise ValueError(f"a trade request has no {', '.join(unknown)}")
        world = self._server.world
        world.terminal.run()
        answer = world.broker.send(_NO_REQUEST._replace(**request), reason=OrderReason.CLIENT)
        return answer._asdict()

    def _books(self) -> dict[str, Any]:
        self._server.world.terminal.run()
        return self._server.world.broker.truth()

    def _stats(self) -> dict[str, Any]:
        return {
            "calls": dict(self._server.world.terminal.calls),
            "sessions": len(self._server.sessions),
        }

    def _where(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "path": self._server.path,
            "books": str(self._server.world.books),
        }
