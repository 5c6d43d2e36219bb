"""What does the adapter add to an order? From `submit_order` to `OrderFilled`, less the terminal.

The same market orders are sent once through a node, once directly through the library's module in a
process of its own. What lies between the two is NautilusTrader's engines, measured alone beside it,
and ours: two processes, the identity check and the reading that turns an answer into a deal.

Once on a quiet terminal, once while 50 symbols stream and a year of M1 bars is downloaded, which is
asked for again until the orders are through; the direct calls are made under the same load.
"""

import asyncio
import json
import sys
import time
from typing import NamedTuple

import numpy as np
import pandas as pd
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import BarType, QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderAccepted, OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

from benchmarks import nautilus_alone
from benchmarks.figures import Figure
from benchmarks.node import run_node, terminal_config, until
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch

ORDERS, WARM, PAUSE_SECS = 300, 30, 0.05
SYMBOLS = [f"EURUSD.{number:02d}" for number in range(50)]
#: Ticks a second of each symbol that streams.
PER_SECOND = 5
YEAR = pd.Timedelta(days=365)
_DIRECT = """
import json, sys, time
import tradingview_scraper.adapters.mt5.simulator as mt5
path, count = sys.argv[1], int(sys.argv[2])
assert mt5.initialize(path), mt5.last_error()
info = mt5.symbol_info("EURUSD")
mt5.symbol_select("EURUSD", True)
spent, position = [], 0
for number in range(count):
    request = {"action": 1, "symbol": "EURUSD", "volume": 0.01, "type": number % 2,
               "price": mt5.symbol_info_tick("EURUSD").ask, "type_filling": 1, "magic": 7}
    if number % 2:
        request["position"] = position
    started = time.perf_counter_ns()
    result = mt5.order_send(request)
    spent.append(time.perf_counter_ns() - started)
    assert result is not None and result.retcode == 10009, (result, mt5.last_error())
    position = result.order
    time.sleep(0.05)
mt5.shutdown()
print(json.dumps(spent))
"""


class Spent(NamedTuple):
    """Nanoseconds by order: until it was accepted, until it was filled, and the bare calls."""

    accepted: list[int]
    filled: list[int]
    direct: list[int]
    quotes: int
    bars: int


class Trader(Strategy):
    """Opens and closes 0.01 lot of EURUSD, one order after the other; watches `symbols`."""

    def __init__(self, symbols: list[str]) -> None:
        super().__init__()
        self.instrument_id = InstrumentId.from_str("EURUSD.MT5")
        self.symbols = symbols
        self.accepted: list[int] = []
        self.spent: list[int] = []
        self.sent = 0
        self.quotes = 0
        self.bars = 0
        self.is_asking = False
        self.filled = asyncio.Event()

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.instrument_id)
        for symbol in self.symbols:
            self.subscribe_quote_ticks(InstrumentId.from_str(f"{symbol}.MT5"))
        self.is_asking = bool(self.symbols)
        self._ask()

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.quotes += 1

    def on_historical_data(self, data: object) -> None:
        self.bars += 1

    def trade(self) -> None:
        """Send the next order."""
        instrument = self.cache.instrument(self.instrument_id)
        side = OrderSide.SELL if len(self.spent) % 2 else OrderSide.BUY
        order = self.order_factory.market(self.instrument_id, side, instrument.make_qty(1_000))
        open_positions = self.cache.positions_open(instrument_id=self.instrument_id)
        position_id = open_positions[0].id if open_positions else None
        self.sent = time.perf_counter_ns()
        self.submit_order(order, position_id=position_id)

    def on_order_accepted(self, event: OrderAccepted) -> None:
        self.accepted.append(time.perf_counter_ns() - self.sent)

    def on_order_filled(self, event: OrderFilled) -> None:
        self.spent.append(time.perf_counter_ns() - self.sent)
        self.filled.set()

    def _ask(self) -> None:
        """A year of M1 bars, and again when it has come, until the orders are through."""
        if self.is_asking:
            self.request_bars(
                BarType.from_str("EURUSD.MT5-1-MINUTE-BID-EXTERNAL"),
                start=self.clock.utc_now() - YEAR,
                callback=lambda _: self._ask(),
            )


def run() -> list[Figure]:
    """Percentiles through the node, directly, and their difference: quiet, and under load."""
    alone = np.array(nautilus_alone.spent_ns(ORDERS, PAUSE_SECS)[WARM:]) / 1e6
    floor = Figure("NautilusTrader alone, p50 (floor)", float(np.median(alone)), "ms")
    with launch("demo-hedging") as control:
        quiet = _figures("quiet", _spent(control, []))
    scenario = {
        "extends": "demo-hedging",
        "symbols": ["EURUSD", *({"name": symbol, "like": "EURUSD"} for symbol in SYMBOLS)],
        "prices": {"rate": PER_SECOND},
    }
    with launch(scenario) as control:
        spent = _spent(control, SYMBOLS)
        loaded = [
            Figure("quotes meanwhile", spent.quotes, ""),
            Figure("bars meanwhile", spent.bars, ""),
            *_figures("under load", spent),
        ]
    return [floor, *quiet, *loaded]


def _spent(control: Control, symbols: list[str]) -> Spent:
    trader = Trader(symbols)
    direct: list[int] = []

    async def drive(node: TradingNode) -> None:
        await until(lambda: node.cache.quote_tick(trader.instrument_id) is not None, 30)
        for _ in range(ORDERS):
            trader.filled.clear()
            trader.trade()
            await asyncio.wait_for(trader.filled.wait(), 30)
            await asyncio.sleep(PAUSE_SECS)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _DIRECT, control.path, str(ORDERS), stdout=asyncio.subprocess.PIPE
        )
        answer, _ = await process.communicate()
        direct.extend(json.loads(answer))
        trader.is_asking = False

    run_node(terminal_config(control), ["EURUSD", *symbols], trader, drive, trading=True)
    return Spent(trader.accepted, trader.spent, direct, trader.quotes, trader.bars)


def _figures(how: str, spent: Spent) -> list[Figure]:
    def percentiles(nanoseconds: list[int]) -> tuple[float, float]:
        p50, p99 = np.percentile(np.array(nanoseconds[WARM:]) / 1e6, [50, 99])
        return float(p50), float(p99)

    accepted, filled = percentiles(spent.accepted), percentiles(spent.filled)
    direct = percentiles(spent.direct)
    return [
        Figure(f"{how}: order_send directly, p50 (floor)", direct[0], "ms"),
        Figure(f"{how}: order_send directly, p99", direct[1], "ms"),
        Figure(
            f"{how}: submit_order -> OrderAccepted, overhead p50",
            accepted[0] - direct[0],
            "ms",
            1.5,
        ),
        Figure(
            f"{how}: submit_order -> OrderAccepted, overhead p99",
            accepted[1] - direct[0],
            "ms",
            6.0,
        ),
        Figure(
            f"{how}: submit_order -> OrderFilled, overhead p50", filled[0] - direct[0], "ms", 1.5
        ),
        Figure(
            f"{how}: submit_order -> OrderFilled, overhead p99", filled[1] - direct[0], "ms", 6.0
        ),
    ]
