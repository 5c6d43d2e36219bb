"""Manual trades beside a strategy: it hears of them as of its own, and closes them after a while.

    uv run python examples/manual_trades.py                            # a simulated terminal
    uv run python examples/manual_trades.py "C:\\...\\terminal64.exe" 1234567   # yours, on Windows

The strategy claims EURUSD: what a person opens there is its own. Without a claim such orders and
positions belong to the strategy ``EXTERNAL``, and no `on_...` method hears of them. On your own
demo account, buy or sell EURUSD by hand while it runs; it ends when that position is closed.
"""

import asyncio
import sys
from collections.abc import Callable

from nautilus_trader.config import LoggingConfig, StrategyConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.events import PositionClosed, PositionOpened
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.position import Position
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5 import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5InstrumentProviderConfig,
    MT5LiveDataClientFactory,
    MT5LiveExecClientFactory,
    MT5TerminalConfig,
)
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch

EURUSD = InstrumentId.from_str("EURUSD.MT5")
SIMULATOR = "tradingview_scraper.adapters.mt5.simulator"
BUY_BY_HAND = {"action": 1, "symbol": "EURUSD", "volume": 0.02, "type": 0}


class Warden(Strategy):
    """Closes what a person opens, ten quotes later."""

    def __init__(self, started: Callable[[], object]) -> None:
        super().__init__(StrategyConfig(strategy_id="WARDEN", external_order_claims=[EURUSD]))
        self._started = started
        self._quotes_left: int | None = None
        self.closed: list[Position] = []
        self.done = asyncio.Event()

    def on_start(self) -> None:
        self.subscribe_quote_ticks(EURUSD)
        self._started()

    def on_position_opened(self, event: PositionOpened) -> None:
        print(f"opened by hand: {event.position_id} {event.entry.name} {event.quantity}")
        self._quotes_left = 10

    def on_quote_tick(self, tick: QuoteTick) -> None:
        if self._quotes_left is None:
            return
        self._quotes_left -= 1
        if self._quotes_left <= 0:
            self._quotes_left = None
            for position in self.cache.positions_open(strategy_id=self.id):
                self.close_position(position)

    def on_position_closed(self, event: PositionClosed) -> None:
        print(f"closed: {event.position_id} {event.realized_pnl}")
        self.closed.append(self.cache.position(event.position_id))
        self.done.set()


async def run(terminal: MT5TerminalConfig, started: Callable[[], object]) -> list[Position]:
    """Run a node until a manual position is closed; those that were. `started`: it runs now."""
    instruments = MT5InstrumentProviderConfig(load_ids=frozenset({EURUSD}))
    clients = {"terminal": terminal, "instrument_provider": instruments}
    node = TradingNode(
        TradingNodeConfig(
            logging=LoggingConfig(log_level="ERROR"),
            data_clients={"MT5": MT5DataClientConfig(**clients)},
            exec_clients={"MT5": MT5ExecClientConfig(oms_type="HEDGING", **clients)},
            timeout_post_stop=0.1,
        )
    )
    warden = Warden(started)
    node.trader.add_strategy(warden)
    node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
    node.add_exec_client_factory("MT5", MT5LiveExecClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    try:
        await warden.done.wait()
    finally:
        await node.stop_async()
        await running
    return warden.closed


def on_simulator(terminal: Control) -> list[Position]:
    """Run on a simulated terminal, where the person is simulated too."""
    config = MT5TerminalConfig(path=terminal.path, login=5001234, module=SIMULATOR)
    return asyncio.run(run(config, lambda: terminal.trade_by_hand(**BUY_BY_HAND)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        yours = MT5TerminalConfig(path=sys.argv[1], login=int(sys.argv[2]))
        asyncio.run(run(yours, lambda: print("Buy or sell EURUSD by hand now.")))
    else:
        with launch("demo-hedging") as simulated:
            on_simulator(simulated)
