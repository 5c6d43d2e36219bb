"""What does a terminal answer? `Terminal`: requests in, answers out, no I/O.

It stands between its clients and the broker: it knows what is asked, the state of the link to the
trade server, the switches of the terminal program, and the scripted faults. What a request means is
the `Broker`'s, what prices are is the `Market`'s.
"""

import sys
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.broker.answers import SendAnswer
from tradingview_scraper.adapters.mt5.simulator.broker.broker import Broker
from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.layout import WireError
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario
from tradingview_scraper.adapters.mt5.simulator.schema import AccountSpec
from tradingview_scraper.adapters.mt5.simulator.terminal.faults import (
    AS_USUAL,
    Fault,
    Faults,
)
from tradingview_scraper.adapters.mt5.simulator.terminal.functions import (
    FAULT_FUNCTIONS,
    FUNCTION_OF,
    arguments,
)
from tradingview_scraper.adapters.mt5.simulator.terminal.journal import Journal
from tradingview_scraper.adapters.mt5.simulator.terminal.latency import Latency
from tradingview_scraper.adapters.mt5.simulator.terminal.reads import Denied, readers
from tradingview_scraper.adapters.mt5.simulator.terminal.repeats import Repeats
from tradingview_scraper.adapters.mt5.simulator.terminal.stale import StaleBooks
from tradingview_scraper.adapters.mt5.simulator.terminal.synchronising import Synchronising
from tradingview_scraper.adapters.mt5.simulator.wire import Command, State, Status
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderReason,
    TradeRetcode,
)
from tradingview_scraper.adapters.mt5.terminal.records import TerminalInfo, TradeRequest

_TRADE_FUNCTIONS: Final = frozenset({"order_send", "order_check"})
_VERSION_OF_PROTOCOL: Final = 500


class Reply(NamedTuple):
    """What a client gets: bytes after `delay` seconds, or, with `lost`, a closed connection.

    Before that one closes, `part` bytes come.
    """

    data: bytes
    delay: float = 0.0
    lost: bool = False
    part: int = 0


class Terminal:
    """A running terminal program, on one account of one broker.

    `path` is what clients attach by, `data_path` where its books are.
    """

    def __init__(
        self,
        scenario: Scenario,
        clock: Clock,
        market: Market,
        broker: Broker,
        *,
        path: str = "",
        data_path: str = "",
        journal: Journal | None = None,
    ) -> None:
        self.clock: Final = clock
        self.market: Final = market
        self.broker: Final = broker
        #: Called with the number of the account whenever the terminal has switched.
        self.on_login: Callable[[int], None] = lambda login: None
        #: Calls that arrived, by function.
        self.calls: Counter[str] = Counter()
        #: How much history is there yet.
        self.history: Final = Synchronising(
            clock, scenario.terminal.history_sync_secs, scenario.terminal.history_meanwhile
        )
        self._broker_spec: Final = scenario.broker
        self._latency: Final = Latency(scenario.broker, scenario.seed)
        self._journal: Final = journal
        self._spec: Final = scenario.terminal
        self._servers: Final = {
            account.login: account.server for account in (scenario.account, *scenario.accounts)
        }
        self._known_logins = {scenario.account.login, broker.account().login}
        self._paths: Final = {"path": path, "data_path": data_path, "commondata_path": data_path}
        self._faults = Faults()
        #: The books may have changed since the broker was carried on.
        self._traded = True
        self._live: Final = self._table(market, broker)
        self._answers = self._live
        self._repeats: Final = Repeats()
        self._connected = True
        self.connected = scenario.terminal.connected
        broker.auto_trading = scenario.terminal.trade_allowed

    @property
    def connected(self) -> bool:
        """The link to the trade server is up. Without it, clients read the state of the break."""
        return self._connected

    @connected.setter
    def connected(self, connected: bool) -> None:
        if connected == self._connected:
            return
        self.run()
        self._connected = connected
        market, broker = self.market, self.broker
        self._answers = self._live
        self._repeats.read(market, broker)
        if not connected:
            frozen, stale = market.frozen(), StaleBooks(broker)
            self._answers = self._table(frozen, stale)
            self._repeats.read(frozen, stale)

    def handle(self, frame: bytes, now: float, client: int = 0) -> Reply:
        """The reply to one request frame that `client` sent `now` (monotonic seconds)."""
        if self._journal is None and not self._faults:
            repeated = self._repeats.find(frame)
            if repeated is not None:
                self.run()
                if (data := repeated.answer()) is not None:
                    self.calls[repeated.function] += 1
                    return Reply(data)
        reply = self._handled(frame, now)
        if self._journal is not None:
            self._journal.call(client, frame, reply.data, reply.lost)
        return reply

    def run(self) -> None:
        """Let the world come up to the server's clock; without a link, clients see none of it."""
        now = self.clock.now_msc()
        market = self.market
        # A broker that is at this moment already has nothing to do, unless somebody has traded.
        if self._traded or now > market.now_msc or market.has_late_ticks:
            self._traded = False
            self.broker.advance_to(now)

    def send_by_hand(self, request: TradeRequest) -> SendAnswer:
        """A person trades in the terminal window."""
        self.run()
        self._traded = True
        return self.broker.send(request, reason=OrderReason.CLIENT)

    def add_fault(self, fault: Fault) -> None:
        """Put a fault in force. Raises ValueError for a code that its functions cannot have."""
        met = FAULT_FUNCTIONS if fault.functions is None else fault.functions
        if fault.kind == "answer" and fault.code >= 0 and not met <= _TRADE_FUNCTIONS:
            raise ValueError(
                f"only {' and '.join(sorted(_TRADE_FUNCTIONS))} answer with a retcode; the other "
                f"functions fail with a negative code, was {fault.code}"
            )
        self._faults.add(fault)

    def clear_faults(self) -> None:
        """End all faults."""
        self._faults.clear()

    def knows(self, login: int) -> bool:
        """Whether the broker has that account."""
        return login in self._servers

    def open_account(self, account: AccountSpec) -> None:
        """The broker gets one more account; the terminal stays on its own."""
        self.broker.open_account(account)
        self._servers[account.login] = account.server

    def log_in(self, login: int) -> None:
        """A person switches the terminal to another account; ValueError when it is unknown."""
        if not self._switched(login, None):
            raise ValueError(f"login must be one of {sorted(self._servers)}, was {login}")

    def _handled(self, frame: bytes, now: float) -> Reply:
        command, payload = wire.split_request(frame)
        function = FUNCTION_OF.get(command)
        if function is None:
            return Reply(wire.answer(command, Status.UNSUPPORTED))
        self.calls[function] += 1
        plan = AS_USUAL
        if self._faults:
            plan = self._faults.plan(
                function, now, self._world_now, lambda: arguments(command, payload)
            )
        delay = plan.delay
        if command == Command.ORDER_SEND:
            latency = self._latency.draw()
            timeout = self._broker_spec.timeout_ms / 1000
            if 0.0 < timeout < latency:
                latency = timeout
                if plan.code is None:
                    plan = plan._replace(code=int(TradeRetcode.TIMEOUT))
            delay += latency
        data = self._answer(command, payload) if plan.executed else b""
        if plan is AS_USUAL and wire.is_success(data):
            self._repeats.remember(frame, command, payload)
        if plan.code is not None:
            data = self._scripted(command, payload, plan.code)
        part = len(data) // 2 if plan.lost == "during" else 0
        return Reply(data, delay, plan.lost is not None, part)

    def _answer(self, command: int, payload: bytes) -> bytes:
        try:
            self.run()
            message = wire.REQUESTS.get(Command(command))
            values = (payload,) if message is None else message.decode(payload)
            return wire.answer(command, Status.OK, self._answers[command](*values))
        except Denied as denied:
            return wire.answer(command, denied.status)
        except WireError:
            return wire.answer(command, Status.INVALID_PARAMS)
        except Exception:
            # A client must get its answer; what went wrong here is for the terminal's own log.
            traceback.print_exc(file=sys.stderr)
            return wire.answer(command, Status.CALL_FAILED)

    def _table(
        self, market: Market, broker: Broker | StaleBooks
    ) -> dict[int, Callable[..., bytes]]:
        """What answers each command, from a market and books that may be those of a broken link."""
        refuses = self._spec.outside_history == "error"
        return {
            **readers(market, broker, self.history, refuses_outside=refuses),
            Command.VERSION: self._version,
            Command.HELLO: lambda protocol, client: wire.TOTAL.encode(self._spec.build),
            Command.LOGIN: self._login,
            Command.CONNECTION_STATE: self._state,
            Command.ORDER_SEND: self._send,
            Command.TERMINAL_INFO: lambda: wire.TERMINAL_INFO.encode(self._terminal_info()),
        }

    def _version(self, _: int) -> bytes:
        return wire.VERSION.encode(_VERSION_OF_PROTOCOL, self._spec.build, self._spec.released)

    def _state(self) -> bytes:
        return wire.TOTAL.encode(State.CONNECTED if self.connected else State.CONNECTING)

    def _login(self, _: int, login: int, password: str, server: str) -> bytes:
        login = login or self.broker.account().login
        # Without a password the terminal uses the one that it saved at an earlier login [vendor].
        saved = not password and login in self._known_logins
        if server not in ("", self._servers.get(login)) or not (password or saved):
            raise Denied(Status.NOT_AUTHORIZED)
        if not self._switched(login, None if saved else password):
            raise Denied(Status.NOT_AUTHORIZED)
        return b""

    def _switched(self, login: int, password: str | None) -> bool:
        if not self.broker.login(login, password):
            return False
        self._known_logins.add(login)
        self.on_login(login)
        return True

    def _send(self, payload: bytes) -> bytes:
        request = TradeRequest._make(wire.REQUEST.decode(payload))
        self._traded = True
        if self._spec.tradeapi_disabled:
            raise Denied(Status.TRADE_API_DISABLED)
        if not self.connected:
            return wire.SEND_RESULT.encode(
                SendAnswer(TradeRetcode.CONNECTION, comment="No connection")
            )
        return wire.SEND_RESULT.encode(self.broker.send(request, reason=OrderReason.EXPERT))

    def _scripted(self, command: int, payload: bytes, code: int) -> bytes:
        if code < 0:
            return wire.answer(command, code)
        if command == Command.ORDER_CHECK:
            values: tuple[Any, ...] = (code, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "")
            return wire.answer(command, Status.OK, wire.CHECK_RESULT.encode(values))
        answer = SendAnswer(code)
        symbol = arguments(command, payload).get("symbol", "")
        if code == TradeRetcode.REQUOTE and self.market.exists(symbol):
            # A requote brings the prices that are offered instead [recorded].
            self.run()
            tick = self.market.quote(symbol)
            answer = answer._replace(bid=tick.bid, ask=tick.ask, comment="Requote")
        return wire.answer(command, Status.OK, wire.SEND_RESULT.encode(answer))

    def _world_now(self) -> float:
        return self.clock.utc_msc() / 1000

    def _terminal_info(self) -> TerminalInfo:
        now = {
            "connected": self.connected,
            "trade_allowed": self.broker.auto_trading,
            **self._paths,
        }
        return TerminalInfo._make(
            now[name] if name in now else getattr(self._spec, name) for name in TerminalInfo._fields
        )
