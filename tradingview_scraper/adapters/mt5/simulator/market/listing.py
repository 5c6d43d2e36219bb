"""What belongs to one symbol of a running market? Its ticks, bars and today's figures."""

from datetime import date
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from zlib import crc32

from tradingview_scraper.adapters.mt5.simulator.market.prices import SyntheticPrices
from tradingview_scraper.adapters.mt5.simulator.market.series import BarSeries
from tradingview_scraper.adapters.mt5.simulator.market.sessions import parse_sessions
from tradingview_scraper.adapters.mt5.simulator.market.stream import (
    BlockCache,
    PushedTicks,
    TickStream,
)
from tradingview_scraper.adapters.mt5.simulator.market.today import Today
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario, SymbolSpec
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolChartMode


class Listing(NamedTuple):
    """One symbol at work."""

    spec: SymbolSpec
    stream: TickStream
    series: BarSeries
    today: Today

    @property
    def by_last(self) -> bool:
        """Whether its bars are built from last prices, as on an exchange."""
        return self.spec.info.chart_mode == SymbolChartMode.LAST

    def frozen(self) -> "Listing":
        """The symbol with the ticks that it has now."""
        stream = self.stream.frozen()
        series = self.series.of(stream)
        return Listing(self.spec, stream, series, Today(self.spec.info, stream, series))


def list_symbol(
    spec: SymbolSpec, scenario: Scenario, now: int, cache: BlockCache, recorded: Rows | None
) -> Listing:
    """A symbol of the scenario whose terminal starts at `now` (server milliseconds).

    With `recorded` ticks it has no synthetic ones.
    """
    sessions = parse_sessions(spec.model.sessions)
    settings = scenario.prices
    prices = None
    if settings.synthetic and recorded is None:
        prices = SyntheticPrices(
            spec.info,
            spec.model,
            like=spec.like,
            seed=scenario.seed,
            rate=settings.rate,
            volatility=settings.volatility,
        )
    stream = TickStream(
        spec.name,
        prices=prices,
        pushed=PushedTicks(_pushed_file(scenario.books, spec.name), recorded),
        sessions=sessions,
        always_from=sessions.pause_start(now) if settings.always_open else None,
        history_from=(date.fromisoformat(settings.history_from) - date(1970, 1, 1)).days,
        cache=cache,
    )
    by_last = spec.info.chart_mode == SymbolChartMode.LAST
    series = BarSeries(
        stream, point=spec.info.point, by_last=by_last, limit=scenario.terminal.maxbars
    )
    return Listing(spec, stream, series, Today(spec.info, stream, series))


def _pushed_file(books: Path | None, name: str) -> Path | None:
    # Names like "#AAPL" or "US Oil" are no file names everywhere; neither are those that differ in
    # case only, hence the code of the name.
    code = f"{crc32(name.encode()):08x}"
    return None if books is None else books / "ticks" / f"{quote(name, safe='')}-{code}.bin"
