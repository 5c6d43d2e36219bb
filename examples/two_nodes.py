"""Two nodes over Redis: one trades beside the terminal, the other hears of it from anywhere.

    python examples/two_nodes.py trade REDIS_HOST:6379                # on Windows: your terminal
    python examples/two_nodes.py trade REDIS_HOST:6379 demo-hedging   # the simulated one
    python examples/two_nodes.py listen REDIS_HOST:6379               # anywhere, one or many

The trading node writes what is published on its message bus into one Redis stream: quotes, account
figures, events of orders and positions. A listener has no terminal and no client: it reads the
stream from the moment it starts. Redis has no password here: keep it inside a private network.
"""

import asyncio
import sys
from decimal import Decimal

from nautilus_trader.common.actor import Actor
from nautilus_trader.config import (
    DatabaseConfig,
    LiveDataEngineConfig,
    LoggingConfig,
    MessageBusConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import DataType, QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderFilled, PositionClosed, PositionOpened
from nautilus_trader.model.identifiers import ClientId, InstrumentId, TraderId
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5 import (
    MT5AccountFigures,
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5InstrumentProviderConfig,
    MT5LiveDataClientFactory,
    MT5LiveExecClientFactory,
    MT5TerminalConfig,
)

EURUSD = InstrumentId.from_str("EURUSD.MT5")
MT5 = ClientId("MT5")
FIGURES = DataType(MT5AccountFigures)
STREAM = "mt5"
SIMULATOR = "tradingview_scraper.adapters.mt5.simulator"


class Trader(Strategy):
    """Opens and closes 0.01 lot in turn, every twenty quotes: put your own strategy here."""

    seen = 0

    def on_start(self) -> None:
        self.subscribe_quote_ticks(EURUSD)
        # Account figures are read for who subscribes, so that they get into the stream.
        self.subscribe_data(FIGURES, client_id=MT5)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.seen += 1
        if self.seen % 20 or self.cache.orders_inflight(strategy_id=self.id):
            return
        if self.cache.positions_open(strategy_id=self.id):
            self.close_all_positions(EURUSD)
            return
        instrument = self.cache.instrument(EURUSD)
        units = instrument.make_qty(instrument.lot_size.as_decimal() * Decimal("0.01"))
        self.submit_order(self.order_factory.market(EURUSD, OrderSide.BUY, units))

    def on_stop(self) -> None:
        self.close_all_positions(EURUSD)


class Listener(Actor):
    """Prints what the other node publishes, until it has heard of a position from open to close."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[object] = []
        self.enough = asyncio.Event()

    def on_start(self) -> None:
        # Of a client that is elsewhere: the type is let in from the stream, nothing else happens.
        self.subscribe_quote_ticks(EURUSD, client_id=MT5)
        self.subscribe_data(FIGURES, client_id=MT5)
        for kind in (OrderFilled, PositionOpened, PositionClosed):
            self.msgbus.add_streaming_type(kind)
        self.msgbus.subscribe("events.order.*", self.on_remote)
        self.msgbus.subscribe("events.position.*", self.on_remote)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.on_remote(tick)

    def on_data(self, data: MT5AccountFigures) -> None:
        self.on_remote(data)

    def on_remote(self, message: object) -> None:
        print(message)
        self.heard.append(message)
        opened = any(isinstance(one, PositionOpened) for one in self.heard)
        if opened and isinstance(message, PositionClosed):
            self.enough.set()


def redis(address: str, **fields: object) -> MessageBusConfig:
    """One stream under a fixed name, whoever writes it; its tail of ten minutes is kept."""
    host, port = address.rsplit(":", 1)
    return MessageBusConfig(
        database=DatabaseConfig(host=host, port=int(port)),
        use_trader_prefix=False,
        use_trader_id=False,
        stream_per_topic=False,
        streams_prefix=STREAM,
        autotrim_mins=10,
        **fields,
    )


def trading_node(address: str, terminal: MT5TerminalConfig) -> TradingNode:
    """The node beside the terminal."""
    clients = {
        "terminal": terminal,
        "instrument_provider": MT5InstrumentProviderConfig(load_ids=frozenset({EURUSD})),
    }
    node = TradingNode(
        TradingNodeConfig(
            trader_id=TraderId("TRADER-001"),
            logging=LoggingConfig(log_level="WARNING"),
            message_bus=redis(address),
            data_clients={"MT5": MT5DataClientConfig(**clients)},
            exec_clients={"MT5": MT5ExecClientConfig(oms_type="HEDGING", **clients)},
        )
    )
    node.trader.add_strategy(Trader())
    node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
    node.add_exec_client_factory("MT5", MT5LiveExecClientFactory)
    node.build()
    return node


def trade(address: str, scenario: str = "") -> None:
    """Trade until Ctrl-C, on a simulated terminal or on the one of this machine."""
    terminal = MT5TerminalConfig()  # path and login come from the environment
    if scenario:
        terminal = MT5TerminalConfig(path=scenario, login=5001234, module=SIMULATOR)
    node = trading_node(address, terminal)
    try:
        node.run()
    except KeyboardInterrupt:
        node.stop()
    finally:
        node.dispose()


async def hear(address: str) -> list[object]:
    """Run a listening node until it has heard enough; what it heard."""
    node = TradingNode(
        TradingNodeConfig(
            trader_id=TraderId("LISTENER-001"),
            logging=LoggingConfig(log_level="ERROR"),
            message_bus=redis(address, external_streams=[STREAM]),
            data_engine=LiveDataEngineConfig(external_clients=[MT5]),
            timeout_post_stop=0.1,
        )
    )
    listener = Listener()
    node.trader.add_actor(listener)
    node.build()
    running = asyncio.create_task(node.run_async())
    try:
        await listener.enough.wait()
    finally:
        await node.stop_async()
        await running
    return listener.heard


def listen(address: str) -> list[object]:
    """Listen to the other node."""
    return asyncio.run(hear(address))


if __name__ == "__main__":
    {"trade": trade, "listen": listen}[sys.argv[1]](*sys.argv[2:])
