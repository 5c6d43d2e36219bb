"""What does a terminal answer? `Terminal`: requests in, answers out, no I/O.

It stands between its clients and the broker: it knows what is asked, the state of the link to the
trade server, the switches of the terminal program, and the scripted faults. What a request means is
the `Broker`'s, what prices are is the `Market`'s.
"""

import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.broker.broker import Broker, SendAnswer
from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.layout import Layout, WireError
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario
from tradingview_scraper.adapters.mt5.simulator.schema import AccountSpec
from tradingview_scraper.adapters.mt5.simulator.terminal.faults import Fault, Faults
from tradingview_scraper.adapters.mt5.simulator.wire import Command, State, Status
from tradingview_scraper.adapters.mt5.terminal.api import FUNCTIONS, Rows
from tradingview_scraper.adapters.mt5.terminal.constants import OrderReason, TradeRetcode
from tradingview_scraper.adapters.mt5.terminal.records import TerminalInfo, TradeRequest

#: The function of the library behind each command; a state poll belongs to no function.
FUNCTION_OF: Final[dict[int, str]] = {
    Command.VERSION: "version",
    Command.HELLO: "initialize",
    Command.LOGIN: "login",
    Command.CONNECTION_STATE: "connection_state",
    Command.COPY_TICKS_FROM: "copy_ticks_from",
    Command.COPY_TICKS_RANGE: "copy_ticks_range",
    Command.COPY_RATES_FROM: "copy_rates_from",
    Command.COPY_RATES_RANGE: "copy_rates_range",
    Command.COPY_RATES_FROM_POS: "copy_rates_from_pos",
    Command.POSITIONS_TOTAL: "positions_total",
    Command.POSITIONS: "positions_get",
    Command.POSITIONS_OF_SYMBOL: "positions_get",
    Command.POSITION: "positions_get",
    Command.ORDERS_TOTAL: "orders_total",
    Command.ORDERS: "orders_get",
    Command.ORDERS_OF_SYMBOL: "orders_get",
    Command.ORDER: "orders_get",
    Command.HISTORY_ORDERS_TOTAL: "history_orders_total",
    Command.HISTORY_ORDERS: "history_orders_get",
    Command.HISTORY_ORDERS_OF_POSITION: "history_orders_get",
    Command.HISTORY_ORDER: "history_orders_get",
    Command.HISTORY_DEALS_TOTAL: "history_deals_total",
    Command.HISTORY_DEALS: "history_deals_get",
    Command.HISTORY_DEALS_OF_POSITION: "history_deals_get",
    Command.HISTORY_DEAL: "history_deals_get",
    Command.ORDER_CHECK: "order_check",
    Command.ORDER_SEND: "order_send",
    Command.ORDER_CALC_MARGIN: "order_calc_margin",
    Command.ORDER_CALC_PROFIT: "order_calc_profit",
    Command.SYMBOL_INFO: "symbol_info",
    Command.SYMBOL_SELECT: "symbol_select",
    Command.SYMBOL_INFO_TICK: "symbol_info_tick",
    Command.SYMBOLS_TOTAL: "symbols_total",
    Command.SYMBOLS: "symbols_get",
    Command.SYMBOLS_OF_GROUP: "symbols_get",
    Command.TERMINAL_INFO: "terminal_info",
    Command.ACCOUNT_INFO: "account_info",
    Command.MARKET_BOOK_ADD: "market_book_add",
    Command.MARKET_BOOK_RELEASE: "market_book_release",
    Command.MARKET_BOOK_GET: "market_book_get",
}

#: The functions that a fault can name: those that reach the terminal.
FAULT_FUNCTIONS: Final = frozenset(FUNCTION_OF.values()) & FUNCTIONS

_TRADE_FUNCTIONS: Final = frozenset({"order_send", "order_check"})
_VERSION_OF_PROTOCOL: Final = 500


class Reply(NamedTuple):
    """What a client gets: bytes after `delay` seconds, or, with `lost`, a closed connection."""

    data: bytes
    delay: float = 0.0
    lost: bool = False


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
    ) -> None:
        self.clock: Final = clock
        self.market: Final = market
        self.broker: Final = broker
        self.connected = scenario.terminal.connected
        #: Called with the number of the account whenever the terminal has switched.
        self.on_login: Callable[[int], None] = lambda login: None
        #: Calls that arrived, by function.
        self.calls: Counter[str] = Counter()
        #: Seconds by which the broker answers a trade request late.
        self.latency: Final = scenario.broker.latency_ms / 1000
        self._spec: Final = scenario.terminal
        self._servers: Final = {
            account.login: account.server for account in (scenario.account, *scenario.accounts)
        }
        self._known_logins = {scenario.account.login, broker.account().login}
        self._paths: Final = {"path": path, "data_path": data_path, "commondata_path": data_path}
        self._faults = Faults()
        self._answers: Final[dict[int, Callable[..., bytes]]] = self._table()
        broker.auto_trading = scenario.terminal.trade_allowed

    def handle(self, frame: bytes | memoryview, now: float) -> Reply:
        """The reply to one request frame that arrived `now` (monotonic seconds)."""
        command, payload = wire.split_request(frame)
        function = FUNCTION_OF.get(command)
        if function is None:
            return Reply(wire.answer(command, Status.UNSUPPORTED))
        self.calls[function] += 1
        plan = self._faults.plan(function, now)
        delay = plan.delay + (self.latency if command == Command.ORDER_SEND else 0.0)
        data = self._answer(command, payload) if plan.executed else b""
        if plan.code is not None:
            data = _scripted(command, plan.code)
        return Reply(data, delay, plan.lost is not None)

    def run(self) -> None:
        """Let the world come up to the server's clock; without a link, the terminal sees none."""
        if self.connected:
            self.broker.advance_to(self.clock.now_msc())

    def add_fault(self, fault: Fault) -> None:
        """Put a fault in force. Raises ValueError for a function or a code that it cannot have."""
        if fault.function is not None and fault.function not in FAULT_FUNCTIONS:
            raise ValueError(
                f"function must be one of {', '.join(sorted(FAULT_FUNCTIONS))}, "
                f"was {fault.function!r}"
            )
        if fault.kind == "answer" and fault.code >= 0 and fault.function not in _TRADE_FUNCTIONS:
            raise ValueError(
                f"only {' and '.join(sorted(_TRADE_FUNCTIONS))} answer with a retcode; the other "
                f"functions fail with a negative code, was {fault.code}"
            )
        self._faults.add(fault)

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

    def _table(self) -> dict[int, Callable[..., bytes]]:
        market, broker = self.market, self.broker
        return {
            Command.VERSION: self._version,
            Command.HELLO: lambda protocol, client: wire.TOTAL.encode(self._spec.build),
            Command.LOGIN: self._login,
            Command.CONNECTION_STATE: self._state,
            Command.COPY_TICKS_FROM: lambda *ask: _rows(market.ticks_from(*ask)),
            Command.COPY_TICKS_RANGE: lambda *ask: _rows(market.ticks_range(*ask)),
            Command.COPY_RATES_FROM: lambda *ask: _rows(market.rates_from(*ask)),
            Command.COPY_RATES_RANGE: lambda *ask: _rows(market.rates_range(*ask)),
            Command.COPY_RATES_FROM_POS: lambda *ask: _rows(market.rates_from_pos(*ask)),
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
        if self._spec.tradeapi_disabled:
            raise Denied(Status.TRADE_API_DISABLED)
        if not self.connected:
            return wire.SEND_RESULT.encode(
                SendAnswer(TradeRetcode.CONNECTION, comment="No connection")
            )
        return wire.SEND_RESULT.encode(self.broker.send(request, reason=OrderReason.EXPERT))

    def _terminal_info(self) -> TerminalInfo:
        now = {
            "connected": self.connected,
            "trade_allowed": self.broker.auto_trading,
            **self._paths,
        }
        return TerminalInfo._make(
            now[name] if name in now else getattr(self._spec, name) for name in TerminalInfo._fields
        )


def _scripted(command: int, code: int) -> bytes:
    if code < 0:
        return wire.answer(command, code)
    if command == Command.ORDER_CHECK:
        values: tuple[Any, ...] = (code, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "")
        return wire.answer(command, Status.OK, wire.CHECK_RESULT.encode(values))
    return wire.answer(command, Status.OK, wire.SEND_RESULT.encode(SendAnswer(code)))


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
