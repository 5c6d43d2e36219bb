"""What may a script ask of a running terminal? The verbs of the control channel.

A request is ``{"verb": name, "arguments": {...}}``; its answer ``{"result": ...}`` or
``{"error": text, "kind": kind}``, where `kind` is the name of the exception that `control` raises.
"""

import base64
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Collection
from typing import Any, Final, Protocol

import numpy as np

from tradingview_scraper.adapters.mt5.simulator.terminal.conditions import (
    alternatives,
    functions_met,
)
from tradingview_scraper.adapters.mt5.simulator.terminal.faults import KINDS, WHENS, Fault
from tradingview_scraper.adapters.mt5.simulator.terminal.functions import NO_REQUEST
from tradingview_scraper.adapters.mt5.simulator.terminal.timetable import VERBS
from tradingview_scraper.adapters.mt5.simulator.terminal.world import World
from tradingview_scraper.adapters.mt5.terminal.constants import (
    TradeAction,
    TradeRetcode,
)
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE, TradeRequest

#: Verbs that only look: a journal does not have them.
_SILENT: Final = frozenset({"books", "stats", "where", "journal"})
_KILLED: Final = 9


class Served(Protocol):
    """What the verbs need of the server."""

    @property
    def path(self) -> str: ...
    @property
    def world(self) -> World: ...
    @property
    def sessions(self) -> Collection[object]: ...
    @property
    def waiting(self) -> Collection[object]: ...
    def advance(self, seconds: float) -> None: ...
    def drop_connections(self) -> int: ...
    def live_update(self, seconds: float, build: int | None) -> None: ...
    def set_limit(self, connections: int | None) -> None: ...
    def reset(self) -> None: ...
    def stop(self) -> None: ...


class Verbs:
    """Performs requests of the control channel on a server."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._verbs: Final[dict[str, Callable[..., Any]]] = {
            "push_ticks": self._push_ticks,
            "advance": server.advance,
            "fault": self._fault,
            "clear_faults": self._clear_faults,
            "hang": self._hang,
            "slow": self._slow,
            "drop_connections": server.drop_connections,
            "lose_reply": self._lose_reply,
            "answer": self._answer,
            "requote": self._requote,
            "delay_history": self._delay_history,
            "shift_clock": self._shift_clock,
            "gap": self._gap,
            "partial_fill": self._partial_fill,
            "operate": self._operate,
            "set_trade_allowed": self._set_trade_allowed,
            "live_update": self._live_update,
            "set_limit": self._set_limit,
            "kill": self._kill,
            "journal": self._journal,
            "login": self._login,
            "set_connected": self._set_connected,
            "trade_by_hand": self._trade_by_hand,
            "books": self._books,
            "reset": server.reset,
            "stats": self._stats,
            "where": self._where,
            "stop": server.stop,
        }

    def perform(self, request: dict[str, Any], *, scheduled: bool = False) -> dict[str, Any]:
        """The answer to one request, of a script or of the timetable; never raises."""
        name = request.get("verb", "")
        verb = self._verbs.get(name)
        if verb is None:
            return {"error": f"there is no verb {name!r}", "kind": "ValueError"}
        given = request.get("arguments", {})
        if name not in _SILENT:
            self._server.world.journal.verb(name, given, scheduled=scheduled)
        try:
            return {"result": verb(**given)}
        except ValueError as error:
            return {"error": str(error), "kind": "ValueError"}
        except TypeError as error:
            return {"error": str(error), "kind": "TypeError"}
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return {"error": f"{type(error).__name__}: {error}", "kind": "RuntimeError"}

    def _push_ticks(self, symbol: str, rows: str) -> None:
        self._server.world.push_ticks(symbol, np.frombuffer(base64.b64decode(rows), TICK_DTYPE))

    def check(self, name: str, given: dict[str, Any]) -> None:
        """Raises ValueError or TypeError unless a timetable may have that verb so."""
        if name not in VERBS:
            raise ValueError(f"expected one of {', '.join(sorted(VERBS))}, got {name!r}")
        inspect.signature(self._verbs[name]).bind(**given)
        alternatives(given.get("where"), functions_met(given.get("function")))

    def _fault(
        self,
        kind: Any,
        function: str | list[str] | None = None,
        *,
        seconds: float = 0.0,
        when: Any = "after",
        code: int = 0,
        executed: bool = False,
        count: int | None = None,
        lasts: float | None = None,
        where: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, was {kind!r}")
        if when not in WHENS:
            raise ValueError(f"when must be one of {', '.join(WHENS)}, was {when!r}")
        functions = functions_met(function)
        terminal = self._server.world.terminal
        now = self._server.world.clock.utc_msc() / 1000
        terminal.add_fault(
            Fault(
                kind=kind,
                functions=functions,
                where=alternatives(where, functions),
                count=count,
                ends=None if lasts is None else now + lasts,
                seconds=seconds,
                when=when,
                code=code,
                executed=executed,
            )
        )

    def _hang(self, seconds: float, function: str | list[str] | None = None) -> None:
        self._fault("hang", function, seconds=seconds)

    def _slow(self, seconds: float, function: str | list[str] | None = None) -> None:
        self._fault("slow", function, seconds=seconds)

    def _lose_reply(self, function: str, when: str = "after") -> None:
        self._fault("lose", function, when=when, count=1)

    def _answer(self, function: str, retcode: int, n: int = 1, executed: bool = False) -> None:
        self._fault("answer", function, code=retcode, count=n, executed=executed)

    def _requote(self, n: int) -> None:
        deals = {"action": int(TradeAction.DEAL)}
        self._fault("answer", "order_send", code=TradeRetcode.REQUOTE, count=n, where=deals)

    def _clear_faults(self) -> None:
        self._server.world.terminal.clear_faults()
        self._server.world.broker.fill_partially(0.0, 0)

    def _delay_history(self, seconds: float, meanwhile: Any = "none") -> None:
        if meanwhile not in ("none", "short") or not seconds >= 0:
            raise ValueError(
                f"expected 0 seconds or more and 'none' or 'short', got {seconds}, {meanwhile!r}"
            )
        self._server.world.terminal.history.delay(seconds, meanwhile)

    def _shift_clock(self, seconds: float) -> None:
        self._server.world.shift(seconds)

    def _gap(self, symbol: str, points: int) -> None:
        self._server.world.gap(symbol, points)

    def _partial_fill(self, lots: float, n: int = 1) -> None:
        self._server.world.broker.fill_partially(lots, n)

    def _operate(self, kind: str, amount: float, comment: str = "") -> dict[str, Any]:
        return self._server.world.operate(kind, amount, comment)

    def _set_trade_allowed(self, allowed: bool) -> None:
        self._server.world.allow_trading(bool(allowed))

    def _live_update(self, seconds: float = 1.0, build: int | None = None) -> None:
        if not 0 <= seconds <= 3600:
            raise ValueError(f"an update takes 0 to 3600 seconds, not {seconds}")
        self._server.live_update(seconds, build)

    def _set_limit(self, connections: int | None) -> None:
        if connections is not None and connections < 1:
            raise ValueError(f"connections must be 1 or more, or None, was {connections}")
        self._server.set_limit(connections)

    def _kill(self) -> None:
        # As it stands: nothing is written, nobody is told.
        os._exit(_KILLED)

    def _journal(self) -> list[dict[str, Any]]:
        return self._server.world.journal.entries()

    def _login(self, account: dict[str, Any]) -> None:
        self._server.world.log_in(account)

    def _set_connected(self, connected: bool) -> None:
        self._server.world.terminal.connected = connected

    def _trade_by_hand(self, request: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(request.keys() - set(TradeRequest._fields))
        if unknown:
            raise ValueError(f"a trade request has no {', '.join(unknown)}")
        world = self._server.world
        answer = world.terminal.send_by_hand(NO_REQUEST._replace(**request))
        return answer._asdict()

    def _books(self) -> dict[str, Any]:
        self._server.world.terminal.run()
        return self._server.world.broker.truth()

    def _stats(self) -> dict[str, Any]:
        return {
            "calls": dict(self._server.world.terminal.calls),
            "sessions": len(self._server.sessions),
            "waiting": len(self._server.waiting),
        }

    def _where(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "path": self._server.path,
            "books": str(self._server.world.books),
        }
