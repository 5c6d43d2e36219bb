"""Records to translate, and nodes on a simulated terminal."""

import asyncio
import importlib.util
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from nautilus_trader.cache.cache import Cache
from nautilus_trader.config import (
    CacheConfig,
    DatabaseConfig,
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.core.message import Event
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import Bar, QuoteTick
from nautilus_trader.model.enums import OmsType, OrderSide
from nautilus_trader.model.events import AccountState, OrderFilled, OrderInitialized
from nautilus_trader.model.identifiers import ClientId, InstrumentId, TraderId, Venue
from nautilus_trader.model.orders import MarketOrder, Order, OrderList
from nautilus_trader.model.orders.unpacker import OrderUnpacker
from nautilus_trader.model.position import Position
from nautilus_trader.trading.strategy import Strategy

from tests.library import LIBRARY
from tests.limits import STRETCH
from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5InstrumentProviderConfig,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.execution import MT5ExecutionClient
from tradingview_scraper.adapters.mt5.nautilus_v1.factories import (
    MT5LiveDataClientFactory,
    MT5LiveExecClientFactory,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import (
    instrument_id as id_of_symbol,
)
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.simulator.control import Control
from tradingview_scraper.adapters.mt5.simulator.market.catalogue import CATALOGUE
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.constants import OrderReason, OrderType
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    SymbolInfo,
    TradeDeal,
    TradeOrder,
    TradePosition,
)

#: Of nodes under test: set NAUTILUS_LOG=INFO to watch one.
LOG_LEVEL = os.environ.get("NAUTILUS_LOG", "ERROR")

#: Of terminals with a clock that stands still, at a busy hour.
CLOCK = {"mode": "stepped", "start": "2025-03-10T15:00:00Z"}

#: Files in which each case takes seconds and is tried on a hedging and on a netting account: the
#: latter is of the matrix there.
_ON_BOTH = frozenset(
    {
        "test_bracket_changes",
        "test_bracket_restarts",
        "test_cache_database",
        "test_exec_tester",
        "test_recovered_brackets",
    }
)

_ZEROS: dict[type, Any] = {bool: False, int: 0, float: 0.0, str: ""}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        case = item.name.lower().partition("[")[2].strip("]").split("-")
        if item.path.stem in _ON_BOTH and "netting" in case:
            item.add_marker(pytest.mark.matrix)


def blank[R: (AccountInfo, TradeDeal, TradeOrder, TradePosition)](
    record: type[R], **fields: Any
) -> R:
    return record(**{name: _ZEROS[kind] for name, kind in record.__annotations__.items()} | fields)


@pytest.fixture
def zone() -> ZoneRule:
    return ZoneRule.parse("America/New_York+7h")


@pytest.fixture
def info_of() -> Callable[..., SymbolInfo]:
    """Symbols of the simulator's catalogue, with other fields."""

    def info(symbol: str, **fields: Any) -> SymbolInfo:
        return CATALOGUE[symbol].info._replace(**fields)

    return info


@pytest.fixture
def listing_of(info_of: Callable[..., SymbolInfo], zone: ZoneRule) -> Callable[..., Listing]:
    """Listings of the simulator's catalogue on a 1:100 account."""

    def make(symbol: str, *, venue: str = "MT5", **fields: Any) -> Listing:
        info = info_of(symbol, **fields)
        return listing(info, venue=Venue(venue), leverage=100, zone=zone, ts_init=1)

    return make


@pytest.fixture
def order_of() -> Callable[..., TradeOrder]:
    def make(**fields: Any) -> TradeOrder:
        return blank(TradeOrder, **fields)

    return make


@pytest.fixture
def deal_of() -> Callable[..., TradeDeal]:
    def make(**fields: Any) -> TradeDeal:
        return blank(TradeDeal, **fields)

    return make


@pytest.fixture
def position_of() -> Callable[..., TradePosition]:
    def make(**fields: Any) -> TradePosition:
        return blank(TradePosition, **fields)

    return make


@pytest.fixture
def account_of() -> Callable[..., AccountInfo]:
    def make(**fields: Any) -> AccountInfo:
        return blank(AccountInfo, **{"currency": "USD", "login": 5001234} | fields)

    return make


class Recorder(Strategy):
    """Does what a test tells it to, and keeps what it hears."""

    def __init__(self, config: StrategyConfig, symbols: Sequence[str]) -> None:
        super().__init__(config)
        self._symbols = symbols
        self.heard: list[Event] = []
        self.quotes: list[QuoteTick] = []
        self.bars: list[Bar] = []

    def on_start(self) -> None:
        for symbol in self._symbols:
            self.subscribe_quote_ticks(instrument_id(symbol))

    def on_event(self, event: Event) -> None:
        self.heard.append(event)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.quotes.append(tick)

    def on_bar(self, bar: Bar) -> None:
        self.bars.append(bar)

    def market(
        self, symbol: str, side: OrderSide, units: str, *, position: Position | None = None, **terms
    ) -> MarketOrder:
        instrument = self.cache.instrument(instrument_id(symbol))
        order = self.order_factory.market(
            instrument.id, side, instrument.make_qty(Decimal(units)), **terms
        )
        self.submit_order(order, position_id=position.id if position is not None else None)
        return order

    def buy(self, symbol: str, units: str, **terms: Any) -> MarketOrder:
        return self.market(symbol, OrderSide.BUY, units, **terms)

    def sell(self, symbol: str, units: str, **terms: Any) -> MarketOrder:
        return self.market(symbol, OrderSide.SELL, units, **terms)


class Rig:
    """A running node on a simulated terminal."""

    def __init__(self, node: TradingNode, terminal: Control, strategy: Recorder) -> None:
        self.node = node
        self.terminal = terminal
        self.strategy = strategy
        self.events: list[Event] = []
        self.states: list[AccountState] = []
        bus = node.kernel.msgbus
        bus.subscribe("events.order.*", self.events.append)
        bus.subscribe("events.account.*", self.states.append)

    @property
    def cache(self) -> Cache:
        return self.node.cache

    @property
    def client(self) -> MT5ExecutionClient:
        return self.node.kernel.exec_engine._clients[ClientId("MT5")]

    async def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Wait until `condition` holds, and give its value."""
        seconds *= STRETCH
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, f"still waiting after {seconds:g} s; {self.names()}"
            await asyncio.sleep(0.005)
        return found

    async def done(self, order: MarketOrder) -> MarketOrder:
        """Wait until an order is finished."""
        await self.until(lambda: order.is_closed)
        return order

    async def opened(self, order: MarketOrder) -> Position:
        """Wait until an order has opened its position."""
        await self.done(order)
        return await self.until(lambda: self.cache.position_for_order(order.client_order_id))

    def names(self, order: MarketOrder | None = None) -> list[str]:
        """Names of the order events so far, of all orders or one."""
        return [
            type(event).__name__.removeprefix("Order")
            for event in self.events
            if order is None or event.client_order_id == order.client_order_id
        ]

    def is_settled(self) -> bool:
        """No order is on its way."""
        orders = self.cache.orders()
        return all(order.is_open or order.is_closed for order in orders) and not any(
            order.is_inflight for order in orders
        )

    def fills(self) -> list[OrderFilled]:
        return [event for event in self.events if isinstance(event, OrderFilled)]

    def sends(self) -> int:
        return self.terminal.stats()["calls"]["order_send"]


def instrument_id(symbol: str) -> InstrumentId:
    return id_of_symbol(symbol, Venue("MT5"))


def one_stop(bracket: OrderList, leg: str) -> OrderList:
    """A bracket of the factory with one of its stops only: "SL" or "TP"."""
    entry, sl, tp = bracket.orders
    stop = sl if leg == "SL" else tp
    return OrderList(
        bracket.id,
        [
            _with(entry, linked_order_ids=[stop.client_order_id.value]),
            _with(stop, contingency_type="NO_CONTINGENCY", linked_order_ids=None),
        ],
    )


def entered_by(bracket: OrderList, entry: Order) -> OrderList:
    """A bracket of the factory with another order as its entry: it makes none that is a stop."""
    first, *stops = bracket.orders
    init = OrderInitialized.to_dict(entry.init_event)
    kept = {name: init[name] for name in ("order_type", "options", "time_in_force")}
    return OrderList(bracket.id, [_with(first, **kept), *stops])


def _with(order: Order, **changes: Any) -> Order:
    """The same order, initialized otherwise."""
    init = {**OrderInitialized.to_dict(order.init_event), **changes}
    return OrderUnpacker.from_init(OrderInitialized.from_dict(init))


def remember(cache: Cache, orders: Sequence[Order]) -> None:
    """Fill a cache as its database would: with orders, and what they hold, of an earlier run."""
    for order in orders:
        again = OrderUnpacker.from_init(order.init_event)
        cache.add_order(again, order.position_id, ClientId("MT5"))
        for event in order.events[1:]:
            again.apply(event)
            cache.update_order(again)
    fills = [event for order in orders for event in order.events if isinstance(event, OrderFilled)]
    for fill in sorted(fills, key=lambda fill: fill.ts_init):
        position = cache.position(fill.position_id)
        if position is None:
            listed = CATALOGUE[fill.instrument_id.symbol.value].info
            instrument = listing(
                listed,
                venue=Venue("MT5"),
                leverage=100,
                zone=ZoneRule.parse("America/New_York+7h"),
                ts_init=1,
            ).instrument
            position = Position(instrument, fill)
            cache.add_position(position, OmsType.HEDGING)
        else:
            position.apply(fill)
            cache.update_position(position)


type Drive = Callable[[Rig], Awaitable[None]]


def run_on(
    terminal: Control,
    drive: Drive,
    *,
    symbols: Sequence[str] = ("EURUSD",),
    oms_type: str = "HEDGING",
    terminal_fields: Mapping[str, Any] | None = None,
    exec_fields: Mapping[str, Any] | None = None,
    data_fields: Mapping[str, Any] | None = None,
    engine_fields: Mapping[str, Any] | None = None,
    risk_fields: Mapping[str, Any] | None = None,
    load_all: bool = False,
    starts: bool = True,
    strategy_fields: Mapping[str, Any] | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    others: Sequence[Strategy] = (),
    beside: Mapping[str, Control] | None = None,
    remembered: Sequence[Order] = (),
    database: DatabaseConfig | None = None,
    start_secs: float | None = None,
    trades: bool = True,
) -> None:
    """Run `drive` with a node on a terminal, from the running strategy to the stopped node.

    `beside`: further terminals, by the name of their client and venue. `database`: where the cache
    keeps what it has. Without `trades` the node has a data client alone.
    """
    settings = MT5TerminalConfig(
        **{
            "path": terminal.path,
            "login": 5001234,
            "module": LIBRARY,
            "trade_poll_ms": 20,
            **(terminal_fields or {}),
        }
    )
    provider = MT5InstrumentProviderConfig(
        load_all=load_all, load_ids=frozenset(map(instrument_id, symbols))
    )
    data_clients, exec_clients = {}, {}
    for name, control in (beside or {}).items():
        login = control.books()["account"]["login"]
        common = {
            "venue": name,
            "terminal": MT5TerminalConfig(
                path=control.path, login=login, module=LIBRARY, trade_poll_ms=20
            ),
            "instrument_provider": MT5InstrumentProviderConfig(
                load_ids=frozenset(InstrumentId.from_str(f"{one}.{name}") for one in symbols)
            ),
        }
        data_clients[name] = MT5DataClientConfig(**common)
        exec_clients[name] = MT5ExecClientConfig(**common, oms_type=oms_type)
    if trades:
        exec_clients["MT5"] = MT5ExecClientConfig(
            terminal=settings,
            instrument_provider=provider,
            oms_type=oms_type,
            **(exec_fields or {}),
        )
    config = TradingNodeConfig(
        trader_id=TraderId("TEST-001"),
        cache=CacheConfig(database=database) if database is not None else None,
        logging=LoggingConfig(log_level=LOG_LEVEL),
        data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
        risk_engine=LiveRiskEngineConfig(
            graceful_shutdown_on_exception=True, **(risk_fields or {})
        ),
        exec_engine=LiveExecEngineConfig(
            **{
                "graceful_shutdown_on_exception": True,
                "reconciliation_startup_delay_secs": 0.0,
                **(engine_fields or {}),
            }
        ),
        data_clients={
            "MT5": MT5DataClientConfig(
                terminal=settings, instrument_provider=provider, **(data_fields or {})
            ),
            **data_clients,
        },
        exec_clients=exec_clients,
        timeout_connection=(start_secs or 30.0) * STRETCH if starts or start_secs else 5.0,
        timeout_post_stop=0.1,
    )

    async def whole() -> None:
        node = TradingNode(config=config, loop=asyncio.get_running_loop())
        named = StrategyConfig(
            **{"strategy_id": "S-001", "order_id_tag": "001", **(strategy_fields or {})}
        )
        strategy = Recorder(named, symbols)
        for one in (strategy, *others):
            node.trader.add_strategy(one)
        for name in ("MT5", *(beside or {})):
            node.add_data_client_factory(name, MT5LiveDataClientFactory)
            node.add_exec_client_factory(name, MT5LiveExecClientFactory)
        node.build()
        remember(node.cache, remembered)
        rig = Rig(node, terminal, strategy)
        running = asyncio.ensure_future(node.run_async())
        try:
            if starts:
                await rig.until(lambda: strategy.is_running, 60)
            await drive(rig)
        finally:
            await node.stop_async()
            _, late = await asyncio.wait([running], timeout=20 * STRETCH)
            node.kernel.dispose()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
        assert not late, f"the node must have stopped within {20 * STRETCH:g} s"

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(whole())


def beside_this(name: str) -> ModuleType:
    """A module beside this file: tests are no package, and programs of theirs need it too."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def beside() -> Callable[[str], ModuleType]:
    """`beside_this`."""
    return beside_this


@pytest.fixture(scope="session")
def cells() -> ModuleType:
    """What the cells of the fault matrix are made of."""
    return beside_this("cells")


@pytest.fixture
def run_node() -> Callable[..., None]:
    """`run_on`."""
    return run_on


@pytest.fixture
def run_netting(terminal: Control) -> Callable[..., None]:
    """Run a node on a netting account: `run_on` with what it needs there."""

    def again(drive: Drive, **fields: Any) -> None:
        login = terminal.books()["account"]["login"]
        given = {"login": login, **fields.pop("terminal_fields", {})}
        run_on(terminal, drive, oms_type="NETTING", terminal_fields=given, **fields)

    def run(drive: Drive, **fields: Any) -> None:
        terminal.reset({"extends": "demo-netting", "clock": CLOCK})
        again(drive, **fields)

    run.again = again  # type: ignore[attr-defined]
    return run


@pytest.fixture(params=["HEDGING", "NETTING"])
def run_bracket(
    request: pytest.FixtureRequest, terminal: Control, run_netting: Callable[..., None]
) -> Callable[..., None]:
    """Run a node on a hedging and on a netting account; ``run_bracket.again`` on the same books."""
    if request.param == "NETTING":
        return run_netting

    def run(drive: Drive, **fields: Any) -> None:
        run_on(terminal, drive, **fields)

    run.again = run  # type: ignore[attr-defined]
    return run


#: Units of a lot of the symbols that are compared.
_LOTS = {"EURUSD": 100_000, "GBPUSD": 100_000, "#AAPL": 1}


@pytest.fixture
def compared() -> Callable[[Rig, bool], tuple[Any, Any]]:
    """`compare`."""
    return compare


@pytest.fixture
def doubled_in() -> Callable[[Mapping[str, Any]], list[int]]:
    """`doubled`."""
    return doubled


def compare(rig: Rig, hedging: bool) -> tuple[Any, Any]:
    """Cache and books in the same words.

    What waits, what is held (by ticket on a hedging account, by net volume on the others), the
    stops of brackets where the cache has any, all deals, the account's total.
    """
    books = rig.terminal.books()
    cached = _of_the_cache(rig, hedging)
    return cached, _of_the_books(books, hedging, cached.stops.keys())


class Standing(NamedTuple):
    """How an account stands."""

    #: Ticket of an order -> side, price, units.
    waiting: dict[str, tuple[int, float, int]]
    positions: dict[str, int]
    #: Ticket and leg -> price, and units that it covers.
    stops: dict[str, tuple[float, int]]
    #: Tickets of all deals.
    deals: list[str]
    total: float


def doubled(books: Mapping[str, Any]) -> list[int]:
    """Magic numbers that more than one order was sent with."""
    sent = Counter(
        order["magic"]
        for order in (*books["orders"], *books["history"])
        if order["magic"] and order["reason"] == OrderReason.EXPERT
    )
    return [magic for magic, times in sent.items() if times > 1]


def _of_the_books(books: Mapping[str, Any], hedging: bool, stops: Iterable[str]) -> Standing:
    waiting = {
        str(order["ticket"]): (
            order["type"] % 2,
            # The rest of a market order waits at no price of its own.
            round(order["price_open"], 5) if order["type"] > OrderType.SELL else 0.0,
            _units(order, "volume_current"),
        )
        for order in books["orders"]
    }
    positions: dict[str, int] = {}
    for position in books["positions"]:
        key = str(position["identifier"]) if hedging else position["symbol"]
        sign = -1 if position["type"] else 1
        positions[key] = sign * _units(position, "volume")
    return Standing(
        waiting,
        positions,
        {stop: _level(books, stop) for stop in stops},
        sorted(str(deal["ticket"]) for deal in books["deals"] if deal["symbol"]),
        round(books["account"]["balance"] + books["account"]["credit"], 2),
    )


def _level(books: Mapping[str, Any], stop: str) -> tuple[float, int]:
    """The level of a stop at the server, and the units that it covers.

    An order that is filled in part has its own levels: the position's are younger.
    """
    ticket, _, leg = stop.partition("-")
    opened = {deal["order"]: deal["position_id"] for deal in books["deals"]}.get(int(ticket))
    for position in books["positions"]:
        if position["identifier"] == opened:
            return round(position[leg.lower()], 5), _units(position, "volume")
    for order in books["orders"]:
        if order["ticket"] == int(ticket):
            return round(order[leg.lower()], 5), _units(order, "volume_current")
    return 0.0, 0


def _units(record: Mapping[str, Any], volume: str) -> int:
    return round(record[volume] * _LOTS[record["symbol"]])


def _of_the_cache(rig: Rig, hedging: bool) -> Standing:
    waiting, stops = {}, {}
    for order in rig.cache.orders_open():
        at = order.price if order.has_price else 0
        if order.has_trigger_price and not getattr(order, "is_triggered", False):
            at = order.trigger_price
        ticket = order.venue_order_id.value
        if ticket.endswith(("-SL", "-TP")):
            stops[ticket] = float(at), int(order.leaves_qty)
            continue
        waiting[ticket] = (int(order.side == OrderSide.SELL), float(at), int(order.leaves_qty))
    positions: dict[str, Any] = {}
    for position in rig.cache.positions_open():
        key = position.id.value if hedging else position.instrument_id.symbol.value
        positions[key] = positions.get(key, Decimal(0)) + position.signed_decimal_qty()
    positions = {key: int(units) for key, units in positions.items() if units}
    deals = sorted(
        trade.value
        for order in rig.cache.orders()
        for trade in order.trade_ids
        # A part of a deal that is there besides, so that the engine counts it.
        if not trade.value.endswith("-OPENED")
    )
    account = rig.cache.account(rig.client.account_id)
    total = round(account.balance_total().as_double(), 2)
    return Standing(waiting, positions, stops, deals, total)
