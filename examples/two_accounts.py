"""Two accounts in one node: a venue for each terminal, one strategy on both.

    uv run python examples/two_accounts.py       # two simulated terminals

On Windows the two are copies of the terminal in folders of their own, started with ``/portable``:

    MT5TerminalConfig(path=r"C:\\mt5\\broker-a\\terminal64.exe", login=1111111, portable=True)

The strategy compares both quotes, then buys 0.01 lot of EURUSD at the cheaper one, and closes it.
"""

import asyncio
from decimal import Decimal

from nautilus_trader.config import LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import PositionClosed, PositionOpened
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5 import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5InstrumentProviderConfig,
    MT5LiveDataClientFactory,
    MT5LiveExecClientFactory,
    MT5TerminalConfig,
)
from tradingview_scraper.adapters.mt5.simulator.control import launch

#: Venue of each account, and how the account keeps positions.
VENUES = {"ALPHA": "HEDGING", "BETA": "NETTING"}
IDS = [InstrumentId.from_str(f"EURUSD.{venue}") for venue in VENUES]
SIMULATOR = "tradingview_scraper.adapters.mt5.simulator"


class Cheaper(Strategy):
    """Buys where the ask is lower, once, and closes."""

    def __init__(self) -> None:
        super().__init__()
        self.bought: InstrumentId | None = None
        self.done = asyncio.Event()

    def on_start(self) -> None:
        for instrument_id in IDS:
            self.subscribe_quote_ticks(instrument_id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        quotes = [self.cache.quote_tick(instrument_id) for instrument_id in IDS]
        if self.bought is not None or None in quotes:
            return
        cheaper = min(quotes, key=lambda quote: quote.ask_price)
        for quote in quotes:
            balance = self.portfolio.account(quote.instrument_id.venue).balance_total()
            print(f"{quote.instrument_id}: ask {quote.ask_price}, the account has {balance}")
        instrument = self.cache.instrument(cheaper.instrument_id)
        quantity = instrument.make_qty(instrument.lot_size.as_decimal() * Decimal("0.01"))
        self.bought = instrument.id
        self.submit_order(self.order_factory.market(instrument.id, OrderSide.BUY, quantity))

    def on_position_opened(self, event: PositionOpened) -> None:
        print(f"bought {event.quantity} {event.instrument_id} at {event.avg_px_open}")
        self.close_position(self.cache.position(event.position_id))

    def on_position_closed(self, event: PositionClosed) -> None:
        print(f"closed for {event.realized_pnl}, in account {event.account_id}")
        self.done.set()


async def run(terminals: dict[str, MT5TerminalConfig]) -> InstrumentId | None:
    """Run a node on the terminals, by venue; what was bought."""
    data_clients, exec_clients = {}, {}
    for venue, terminal in terminals.items():
        load = MT5InstrumentProviderConfig(load_ids=frozenset({f"EURUSD.{venue}"}))
        common = {"venue": venue, "terminal": terminal, "instrument_provider": load}
        data_clients[venue] = MT5DataClientConfig(**common)
        exec_clients[venue] = MT5ExecClientConfig(oms_type=VENUES[venue], **common)
    node = TradingNode(
        TradingNodeConfig(
            logging=LoggingConfig(log_level="ERROR"),
            data_clients=data_clients,
            exec_clients=exec_clients,
            timeout_post_stop=0.1,
        )
    )
    strategy = Cheaper()
    node.trader.add_strategy(strategy)
    for venue in terminals:
        node.add_data_client_factory(venue, MT5LiveDataClientFactory)
        node.add_exec_client_factory(venue, MT5LiveExecClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    try:
        await strategy.done.wait()
    finally:
        await node.stop_async()
        await running
    return strategy.bought


def main(alpha: str, beta: str) -> InstrumentId | None:
    """Run the example on two simulated terminals: their paths."""
    paths = {"ALPHA": (alpha, 5001234), "BETA": (beta, 5002234)}
    return asyncio.run(
        run(
            {
                venue: MT5TerminalConfig(path=path, login=login, module=SIMULATOR)
                for venue, (path, login) in paths.items()
            }
        )
    )


if __name__ == "__main__":
    with launch("demo-hedging") as one, launch("demo-netting") as other:
        main(one.path, other.path)
