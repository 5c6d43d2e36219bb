"""How does a backtest run? An engine, a mirror of the account, and days of data."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from nautilus_trader.analysis.config import TearsheetConfig
from nautilus_trader.analysis.tearsheet import create_tearsheet
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.results import BacktestResult as EngineResult
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.position import Position
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5.archive.terms import Terms
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.simulation import add_mirror, oms_of
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

#: Nautilus' rolling Sharpe ratio looks back so far; a shorter backtest would leave it empty.
_ROLLING_DAYS: Final = 60


class BacktestResult(NamedTuple):
    """What a backtest came to. Money in the account's currency."""

    currency: str
    oms_type: str
    balance_start: float
    balance_end: float
    swaps: float
    swap_nights: int
    quotes: int
    bars: int
    orders: list[Any]
    fills: list[Any]
    positions: list[Position]
    statistics: dict[str, float]
    tearsheet: Path | None


def run_backtest(
    strategy: Strategy,
    listings: list[Listing],
    terms: Terms,
    zone: ZoneRule,
    days: Iterator[list[Any]],
    *,
    venue: str,
    balance: float,
    latency_ms: float = 0.0,
    fills_from_bars: bool = False,
    tearsheet: Path | None = None,
    log_level: str = "ERROR",
    progress: Callable[[int], None] = lambda last_ns: None,
) -> BacktestResult:
    """Run `strategy` over the days. Raises `MT5ConfigError` when there are none."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(log_level=log_level)))
    try:
        name = Venue(venue)
        swaps = add_mirror(
            engine,
            name,
            listings,
            terms,
            zone,
            balance=balance,
            latency_ms=latency_ms,
            fills_from_bars=fills_from_bars,
        )
        engine.add_strategy(strategy)
        quotes = bars = 0
        for data in days:
            ticks = sum(isinstance(item, QuoteTick) for item in data)
            quotes, bars = quotes + ticks, bars + len(data) - ticks
            engine.add_data(data, validate=False)
            engine.run(streaming=True)
            engine.clear_data()
            progress(data[-1].ts_init)
        if not quotes + bars:
            raise MT5ConfigError("there are no data in this range: mt5 download, or another range")
        engine.end()
        account = engine.cache.account_for_venue(name)
        currency = account.base_currency
        page = None
        if tearsheet is not None:
            tearsheet.parent.mkdir(parents=True, exist_ok=True)
            create_tearsheet(
                engine,
                output_path=str(tearsheet),
                currency=currency,
                config=_tearsheet_config(engine.get_result()),
            )
            page = tearsheet
        pnls = engine.get_result().stats_pnls.get(currency.code, {})
        cache = engine.cache
        return BacktestResult(
            currency=currency.code,
            oms_type=oms_of(terms).name,
            balance_start=balance,
            balance_end=account.balance_total(currency).as_double(),
            swaps=swaps.total,
            swap_nights=swaps.nights,
            quotes=quotes,
            bars=bars,
            orders=cache.orders(),
            fills=_fills(cache.orders()),
            positions=[*cache.position_snapshots(), *cache.positions()],
            statistics={key: float(value) for key, value in pnls.items() if value == value},
            tearsheet=page,
        )
    finally:
        engine.dispose()


def _tearsheet_config(result: EngineResult) -> TearsheetConfig:
    """The charts that this backtest is long enough for."""
    config = TearsheetConfig()
    days = ((result.backtest_end or 0) - (result.backtest_start or 0)) / 86_400e9
    if days > _ROLLING_DAYS:
        return config
    charts = [chart for chart in config.charts if chart.name != "rolling_sharpe"]
    return TearsheetConfig(charts=charts)


def _fills(orders: list[Any]) -> list[Any]:
    found = [
        event for order in orders for event in order.events if type(event).__name__ == "OrderFilled"
    ]
    return sorted(found, key=lambda event: event.ts_event)
