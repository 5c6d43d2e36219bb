"""A node as a trader's program runs it, in a process of its own, until something ends it.

Arguments: the terminal's path, and as JSON what the node holds and how it is set. Prints ``ready``
and the processes of its workers when it does, ``disposed`` at an orderly end. A quote of GBPUSD
makes its strategy raise.
"""

import json
import sys
from datetime import timedelta

from nautilus_trader.config import (
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5InstrumentProviderConfig,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.factories import (
    MT5LiveDataClientFactory,
    MT5LiveExecClientFactory,
)
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE, MT5TerminalConfig

EURUSD, GBPUSD = (InstrumentId.from_str(f"{symbol}.MT5") for symbol in ("EURUSD", "GBPUSD"))


class Holder(Strategy):
    """Opens a position and an order that waits, or nothing; then says so, once."""

    def __init__(self, config, holds, say):
        super().__init__(config)
        self._holds = self._wants = holds
        self._say = say
        self._is_said = False

    def on_start(self):
        self.subscribe_quote_ticks(EURUSD)
        self.clock.set_timer("look", interval=timedelta(milliseconds=50), callback=self._look)

    def on_quote_tick(self, tick):
        if tick.instrument_id == GBPUSD:
            raise RuntimeError("a mistake of the strategy")
        if self._wants:
            self._wants = False
            instrument = self.cache.instrument(EURUSD)
            units = instrument.make_qty(1_000)
            away = instrument.make_price(float(tick.bid_price) - 0.01)
            make = self.order_factory
            self.submit_order(make.market(EURUSD, OrderSide.BUY, units))
            self.submit_order(make.limit(EURUSD, OrderSide.BUY, units, away))

    def _look(self, _):
        stands = self.cache.positions_open() and len(self.cache.orders_open()) == 1
        if self._is_said or self._wants or (self._holds and not stands):
            return
        self._is_said = True
        self.subscribe_quote_ticks(GBPUSD)
        self._say()


def main(path, text):
    wants = json.loads(text)
    common = {
        "terminal": MT5TerminalConfig(
            path=path,
            login=5001234,
            module=SIMULATOR_MODULE,
            trade_poll_ms=20,
            call_timeout_secs=1.0,
            order_timeout_secs=1.0,
        ),
        "instrument_provider": MT5InstrumentProviderConfig(load_ids=frozenset((EURUSD, GBPUSD))),
    }
    graceful = {"graceful_shutdown_on_exception": wants["graceful"]}
    config = TradingNodeConfig(
        logging=LoggingConfig(log_level="ERROR"),
        data_engine=LiveDataEngineConfig(**graceful),
        exec_engine=LiveExecEngineConfig(reconciliation_startup_delay_secs=0.0, **graceful),
        data_clients={"MT5": MT5DataClientConfig(**common)},
        exec_clients={"MT5": MT5ExecClientConfig(**common, oms_type="HEDGING")},
        timeout_post_stop=wants["post_stop_secs"],
    )
    node = TradingNode(config=config)

    def say():
        client = node.kernel.exec_engine._clients[ClientId("MT5")]._mt5
        print("ready", *client.pids.values(), flush=True)

    settings = StrategyConfig(manage_stop=wants["manage_stop"])
    node.trader.add_strategy(Holder(settings, wants["holds"], say))
    node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
    node.add_exec_client_factory("MT5", MT5LiveExecClientFactory)
    node.build()
    try:
        node.run()
    finally:
        node.dispose()
    print("disposed", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
