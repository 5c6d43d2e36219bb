"""What does NautilusTrader itself add to an order? A client that accepts and fills at once.

From `submit_order` to `on_order_filled` with no terminal, no worker and no process behind it: the
floor under which no adapter's order can come.
"""

import asyncio
import time

from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.config import (
    LiveExecClientConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.execution.reports import ExecutionMassStatus
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.live.factories import LiveExecClientFactory
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import AccountType, LiquiditySide, OmsType, OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientId,
    PositionId,
    TradeId,
    TraderId,
    Venue,
    VenueOrderId,
)
from nautilus_trader.model.objects import AccountBalance, Money, Price
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from benchmarks.node import live

VENUE = Venue("ALONE")
EURUSD = TestInstrumentProvider.default_fx_ccy("EUR/USD", VENUE)


class AtOnce(LiveExecutionClient):
    """Accepts and fills whatever is submitted, in the hook."""

    def __init__(self, loop: asyncio.AbstractEventLoop, bus: MessageBus, cache, clock: LiveClock):
        super().__init__(
            loop=loop,
            client_id=ClientId("ALONE"),
            venue=VENUE,
            oms_type=OmsType.HEDGING,
            account_type=AccountType.MARGIN,
            base_currency=None,
            instrument_provider=InstrumentProvider(),
            msgbus=bus,
            cache=cache,
            clock=clock,
        )
        self._set_account_id(AccountId("ALONE-1"))
        self._count = 0

    async def _connect(self) -> None:
        self._cache.add_instrument(EURUSD)
        whole, none = Money(1e6, USD), Money(0, USD)
        self.generate_account_state(
            [AccountBalance(whole, none, whole)], [], True, self._clock.timestamp_ns()
        )
        await self._await_account_registered()

    async def _disconnect(self) -> None:
        pass

    async def _submit_order(self, command: SubmitOrder) -> None:
        order = command.order
        whose = (order.strategy_id, order.instrument_id, order.client_order_id)
        now = self._clock.timestamp_ns()
        self._count += 1
        ticket = VenueOrderId(str(self._count))
        self.generate_order_submitted(*whose, now)
        self.generate_order_accepted(*whose, ticket, now)
        self.generate_order_filled(
            *whose,
            ticket,
            PositionId(str((self._count + 1) // 2)),
            TradeId(str(self._count)),
            order.side,
            order.order_type,
            order.quantity,
            Price.from_str("1.10000"),
            USD,
            Money(0.1, USD),
            LiquiditySide.TAKER,
            now,
        )

    async def generate_mass_status(self, lookback_mins: int | None = None) -> ExecutionMassStatus:
        return ExecutionMassStatus(self.id, self.account_id, VENUE, UUID4(), 0)


class AtOnceFactory(LiveExecClientFactory):
    """Builds an `AtOnce`."""

    @staticmethod
    def create(loop, name, config, msgbus, cache, clock) -> AtOnce:
        return AtOnce(loop, msgbus, cache, clock)


class Trader(Strategy):
    """Opens and closes, one order after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.spent: list[int] = []
        self.filled = asyncio.Event()
        self._sent = 0

    def trade(self) -> None:
        """Send the next order."""
        side = OrderSide.SELL if len(self.spent) % 2 else OrderSide.BUY
        order = self.order_factory.market(EURUSD.id, side, EURUSD.make_qty(1_000))
        held = self.cache.positions_open()
        self._sent = time.perf_counter_ns()
        self.submit_order(order, position_id=held[0].id if held else None)

    def on_order_filled(self, event: OrderFilled) -> None:
        self.spent.append(time.perf_counter_ns() - self._sent)
        self.filled.set()


def spent_ns(orders: int, pause_secs: float) -> list[int]:
    """Nanoseconds from `submit_order` to `on_order_filled`, orders `pause_secs` apart."""
    trader = Trader()

    async def drive(_: TradingNode) -> None:
        for _ in range(orders):
            trader.filled.clear()
            trader.trade()
            await asyncio.wait_for(trader.filled.wait(), 30)
            await asyncio.sleep(pause_secs)

    async def whole() -> None:
        node = TradingNode(
            config=TradingNodeConfig(
                trader_id=TraderId("ALONE-001"),
                logging=LoggingConfig(log_level="ERROR"),
                risk_engine=LiveRiskEngineConfig(max_order_submit_rate="100000/00:00:01"),
                exec_engine=LiveExecEngineConfig(reconciliation_startup_delay_secs=0),
                exec_clients={"ALONE": LiveExecClientConfig()},
                timeout_post_stop=0.1,
            ),
            loop=asyncio.get_running_loop(),
        )
        node.trader.add_strategy(trader)
        node.add_exec_client_factory("ALONE", AtOnceFactory)
        await live(node, trader, drive)

    asyncio.run(whole())
    return trader.spent
