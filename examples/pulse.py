"""A strategy that runs unchanged in a backtest, on the simulated terminal and live.

    uv run mt5 download EURUSD --archive history --simulator demo-hedging
    uv run mt5 backtest examples.pulse:Pulse --config examples/pulse.toml --archive history
    uv run mt5 paper examples.pulse:Pulse EURUSD --config examples/pulse.toml \
        --simulator demo-hedging --seconds 30

It buys with the first quote, closes, sells and closes again, a number of quotes apart, and closes
at its end: to be looked at, not to earn. In a quiet hour a hundred quotes take minutes.
"""

from decimal import Decimal

from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy


class PulseConfig(StrategyConfig, frozen=True):
    """What to trade, every how many quotes, and how much."""

    instrument_id: InstrumentId
    every: int = 100
    lots: str = "0.10"


class Pulse(Strategy):
    """Opens and closes in turn."""

    def __init__(self, config: PulseConfig) -> None:
        super().__init__(config)
        self.seen = 0
        self.side = OrderSide.BUY

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.config.instrument_id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        is_due = self.seen % self.config.every == 0
        self.seen += 1
        if not is_due:
            return
        if self.cache.positions_open(strategy_id=self.id):
            self.close_all_positions(self.config.instrument_id)
            return
        instrument = self.cache.instrument(self.config.instrument_id)
        units = instrument.lot_size.as_decimal() * Decimal(self.config.lots)
        order = self.order_factory.market(instrument.id, self.side, instrument.make_qty(units))
        self.side = OrderSide.SELL if self.side == OrderSide.BUY else OrderSide.BUY
        self.submit_order(order)

    def on_stop(self) -> None:
        self.close_all_positions(self.config.instrument_id)
