"""How late does the broker answer a trade request? Drawn from the seed, one draw a request."""

from random import Random
from typing import Final

from tradingview_scraper.adapters.mt5.simulator.schema import BrokerSpec


class Latency:
    """The broker's latencies, in the order of the requests; the same seed gives the same ones."""

    def __init__(self, spec: BrokerSpec, seed: int) -> None:
        self._spec: Final = spec
        self._random: Final = Random(f"latency/{seed}")

    def draw(self) -> float:
        """Seconds until the answer to the next request."""
        least, spread = self._spec.latency_ms, self._spec.latency_spread_ms
        if not spread:
            return least / 1000
        if self._spec.latency_law == "uniform":
            return (least + self._random.uniform(0.0, spread)) / 1000
        if self._spec.latency_law == "lognormal":
            return (least + spread * self._random.lognormvariate(0.0, 1.0)) / 1000
        return (least + self._random.expovariate(1.0 / spread)) / 1000
