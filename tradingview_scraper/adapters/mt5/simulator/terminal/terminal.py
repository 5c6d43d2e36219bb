"""What does a terminal answer? `Terminal`: requests in, answers out, no I/O.

It stands between its clients and the broker: it knows what is asked, the state of the link to the
trade server, the switches of the terminal program, and the scripted faults. What a request means is
the `Broker`'s, what prices are is the `Market`'s.
"""

import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, NamedTuple

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.broker.answers import SendAnswer
from tradingview_scraper.adapters.mt5.simulator.broker.broker import Broker
from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.layout import Layout, WireError
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
from tradingview_scraper.adapters.mt5.simulator.terminal.outside import is_outside
from tradingview_scraper.adapters.mt5.simulator.terminal.stale import StaleBooks
from tradingview_scraper.adapters.mt5.simulator.terminal.synchronising import Synchronising
from tradingview_scraper.adapters.mt5.simulator.wire import Command, State, Status
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderReason,
    TradeRetcode,
)
from tradingview_scraper.adapters.mt5.terminal.records import TerminalInfo, TradeRequest

_TRADE_FUNCTIONS: Final = frozenset({"order_send", "order_check"})
_VERSION_OF_PROTOCOL: Final = 500
#: More different requests than programs have.
_MOST_REPEATED: Final = 4_096


class Reply(NamedTuple):
    """What a client gets: bytes after `delay` seconds, or, with `lost`, a closed connection.

    Before that one closes, `part` bytes come.
    """

    data: bytes
    delay: float = 0.0
    lost: bool = False
    part: int = 0


class Denied(Exception):
    """The call fails with this status."""

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        self.status = status


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
        self._sources = _sources(market, broker)
        #: Requests that were answered before, by their frames.
        self._repeated: dict[bytes, _Repeated] = {}
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
        self._answers, self._sources = self._live, _sources(market, broker)
        if not connected:
            frozen, stale = market.frozen(), StaleBooks(broker)
            self._answers, self._sources = self._table(frozen, stale), _sources(frozen, stale)
        self._repeated.clear()

    def handle(self, frame: bytes, now: float, client: int = 0) -> Reply:
        """The reply to one request frame that `client` sent `now` (monotonic seconds)."""
        if self._journal is None and not self._faults:
            repeated = self._repeated.get(frame)
            if repeated is not None and (data := self._repeat(repeated)) is not None:
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

    def _repeat(self, repeated: "_Repeated") -> bytes | None:
        """The answer to a request that came before, made anew only when it says something new."""
        self.run()
        found = repeated.read()
        if found is None:
            return None
        self.calls[repeated.function] += 1
        if found is not repeated.found:
            repeated.found = found
            repeated.answer = wire.answer(repeated.command, Status.OK, repeated.encode(found))
        return repeated.answer

    def _remember(self, frame: bytes, command: int, payload: bytes) -> None:
        """Let the next such request be answered by what it reads alone."""
        source = self._sources.get(command)
        if source is None or len(self._repeated) >= _MOST_REPEATED:
            return
        read, encode = source
        values = wire.REQUESTS[Command(command)].decode(payload)
        if read(*values) is not None:
            self._repeated[bytes(frame)] = _Repeated(
                command, FUNCTION_OF[command], partial(read, *values), encode
            )

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
        if plan is AS_USUAL and command in self._sources and wire.is_success(data):
            self._remember(frame, command, payload)
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

        def history(symbol: str, timeframe: int, rows: Rows | None) -> bytes:
            return _rows(self.history.part(market, symbol, timeframe, rows))

        def bars(command: Command, rows: Rows | None, *ask: Any) -> bytes:
            refuses = self._spec.outside_history == "error"
            if refuses and rows is not None and not len(rows) and is_outside(market, command, *ask):
                rows = None
            return history(ask[0], ask[1], rows)

        return {
            Command.VERSION: self._version,
            Command.HELLO: lambda protocol, client: wire.TOTAL.encode(self._spec.build),
            Command.LOGIN: self._login,
            Command.CONNECTION_STATE: self._state,
            Command.COPY_TICKS_FROM: lambda *ask: _rows(self.history.ticks_from(market, *ask)),
            Command.COPY_TICKS_RANGE: lambda *ask: history(ask[0], 0, market.ticks_range(*ask)),
            Command.COPY_RATES_FROM: lambda *ask: bars(
                Command.COPY_RATES_FROM, market.rates_from(*ask), *ask
            ),
            Command.COPY_RATES_RANGE: lambda *ask: bars(
                Command.COPY_RATES_RANGE, market.rates_range(*ask), *ask
            ),
            Command.COPY_RATES_FROM_POS: lambda *ask: bars(
                Command.COPY_RATES_FROM_POS, market.rates_from_pos(*ask), *ask
            ),
            Command.POSITIONS_TOTAL: lambda: _total(broker.positions()),
            Command.POSITIONS: lambda: wire.POSITION.encode_many(broker.positions()),
            Command.POSITIONS_OF_SYMBOL: lambda symbol: wire.POSITION.encode_many(
                [position for position in broker.positions() if position.symbol == symbol]
            ),
            Command.POSITION: lambda ticket: _one(
                wire.POSITION, _of_ticket(broker.positions(), ticket)
            ),
            Command.ORDERS_TOTAL: lambda: _total(broker.orders()),
            Command.ORDERS: lambda: wire.ORDER.encode_many(broker.orders()),
            Command.ORDERS_OF_SYMBOL: lambda symbol: wire.ORDER.encode_many(
                [order for order in broker.orders() if order.symbol == symbol]
            ),
            Command.ORDER: lambda ticket: _one(wire.ORDER, _of_ticket(broker.orders(), ticket)),
            Command.HISTORY_ORDERS_TOTAL: lambda *dates: _total(broker.history_orders(*dates)),
            Command.HISTORY_ORDERS: lambda *dates: wire.ORDER.encode_many(
                broker.history_orders(*dates)
            ),
            Command.HISTORY_ORDERS_OF_POSITION: lambda position: wire.ORDER.encode_many(
                broker.history_orders_of(position)
            ),
            Command.HISTORY_ORDER: lambda ticket: _one(wire.ORDER, broker.history_order(ticket)),
            Command.HISTORY_DEALS_TOTAL: lambda *dates: _total(broker.history_deals(*dates)),
            Command.HISTORY_DEALS: lambda *dates: wire.DEAL.encode_many(
                broker.history_deals(*dates)
            ),
            Command.HISTORY_DEALS_OF_POSITION: lambda position: wire.DEAL.encode_many(
                broker.history_deals_of(position)
            ),
            Command.HISTORY_DEAL: lambda ticket: _one(wire.DEAL, broker.history_deal(ticket)),
            Command.ORDER_CHECK: lambda payload: wire.CHECK_RESULT.encode(
                broker.check(TradeRequest._make(wire.REQUEST.decode(payload)))
            ),
            Command.ORDER_SEND: self._send,
            Command.ORDER_CALC_MARGIN: lambda *ask: _money(broker.calc_margin(*ask)),
            Command.ORDER_CALC_PROFIT: lambda *ask: _money(broker.calc_profit(*ask)),
            Command.SYMBOL_INFO: lambda symbol: _one(wire.SYMBOL_INFO, market.info(symbol)),
            Command.SYMBOL_SELECT: lambda symbol, enable: _done(market.select(symbol, enable)),
            Command.SYMBOL_INFO_TICK: lambda symbol: _one(wire.TICK, market.tick(symbol)),
            Command.SYMBOLS_TOTAL: lambda: _total(market.names()),
            Command.SYMBOLS: lambda: wire.SYMBOL_INFO.encode_many(market.infos(None)),
            Command.SYMBOLS_OF_GROUP: lambda group: wire.SYMBOL_INFO.encode_many(
                market.infos(group)
            ),
            Command.TERMINAL_INFO: lambda: wire.TERMINAL_INFO.encode(self._terminal_info()),
            Command.ACCOUNT_INFO: lambda: wire.ACCOUNT_INFO.encode(broker.account()),
            Command.MARKET_BOOK_ADD: lambda symbol: _done(market.book_add(symbol)),
            Command.MARKET_BOOK_RELEASE: lambda symbol: _done(market.book_release(symbol)),
            Command.MARKET_BOOK_GET: lambda symbol: _many(wire.BOOK, market.book(symbol)),
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


class _Repeated:
    """A request that was answered before: what it reads, and the answer made of that."""

    __slots__ = ("answer", "command", "encode", "found", "function", "read")

    def __init__(
        self, command: int, function: str, read: Callable[[], Any], encode: Callable[[Any], bytes]
    ) -> None:
        self.command = command
        self.function = function
        self.read = read
        self.encode = encode
        self.found: Any = None
        self.answer = b""


def _sources(
    market: Market, broker: Broker | StaleBooks
) -> dict[int, tuple[Callable[..., Any], Callable[[Any], bytes]]]:
    """What the requests that are made again and again read: the same object, the same bytes."""
    return {
        Command.SYMBOL_INFO_TICK: (market.tick, wire.TICK.encode),
        Command.SYMBOL_INFO: (market.info, wire.SYMBOL_INFO.encode),
        Command.ACCOUNT_INFO: (broker.account, wire.ACCOUNT_INFO.encode),
        Command.POSITIONS: (broker.positions, wire.POSITION.encode_many),
        Command.ORDERS: (broker.orders, wire.ORDER.encode_many),
    }


def _rows(rows: Rows | None) -> bytes:
    if rows is None:
        raise Denied(Status.CALL_FAILED)
    return wire.encode_rows(rows)


def _total(items: list[Any]) -> bytes:
    return wire.TOTAL.encode(len(items))


def _one(layout: Layout, record: tuple[Any, ...] | None) -> bytes:
    if record is None:
        raise Denied(Status.NOT_FOUND)
    return layout.encode(record)


def _many(layout: Layout, records: tuple[tuple[Any, ...], ...] | None) -> bytes:
    if records is None:
        raise Denied(Status.NOT_FOUND)
    return layout.encode_many(records)


def _money(amount: float | None) -> bytes:
    if amount is None:
        raise Denied(Status.CALL_FAILED)
    return wire.MONEY.encode(amount)


def _done(success: bool) -> bytes:
    if not success:
        raise Denied(Status.NOT_FOUND)
    return b""


def _of_ticket(records: Iterable[Any], ticket: int) -> Any:
    return next((record for record in records if record.ticket == ticket), None)
