"""``mt5 backtest``: how is it run, from the options to the exit status?"""

from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from nautilus_trader.model.identifiers import Venue
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.periods import DAY_SECS, seconds_of
from tradingview_scraper.adapters.mt5.cli.answers import DONE, answered
from tradingview_scraper.adapters.mt5.cli.backtest.session import BacktestResult, run_backtest
from tradingview_scraper.adapters.mt5.cli.strategies import load_strategy
from tradingview_scraper.adapters.mt5.nautilus_v1.catalog import archive_listing, open_catalog
from tradingview_scraper.adapters.mt5.nautilus_v1.replay import (
    bar_types_of,
    days_of_archive,
    days_of_catalog,
)
from tradingview_scraper.adapters.mt5.rules.suggestions import did_you_mean
from tradingview_scraper.adapters.mt5.rules.symbols import UnsupportedSymbol
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

_SHOWN: Final = 12


class Asked(NamedTuple):
    """What the options said."""

    strategy: str
    config: Path | None
    symbols: tuple[str, ...]
    folder: Path
    catalog: Path | None
    first_day: str | None
    last_day: str | None
    venue: str
    balance: float
    leverage: int | None
    commission: float | None
    latency_ms: float
    tearsheet: Path | None


def run(asked: Asked, *, as_json: bool) -> int:
    """Run and show it; 0 when it ran to its end, 2 when it could not."""

    def work(console: Console) -> tuple[int, dict[str, Any]]:
        result = _backtest(asked, console)
        _print(console, result)
        return DONE, _document(result)

    return answered("backtest", as_json, work)


def _backtest(asked: Asked, console: Console) -> BacktestResult:
    archive = Archive(asked.folder)
    zone = ZoneRule.parse(archive.open().zone)
    terms = archive.terms()
    if terms is None:
        raise MT5ConfigError(
            f"{asked.folder} has no terms of an account: `mt5 download` from a terminal writes them"
        )
    known = archive.symbols()
    for symbol in asked.symbols:
        if symbol not in known:
            raise MT5ConfigError(
                f"{asked.folder} has no symbol {symbol!r}: {did_you_mean(symbol, known)}"
            )
    listings = []
    for symbol in asked.symbols or known:
        try:
            listings.append(
                archive_listing(archive, symbol, venue=Venue(asked.venue), leverage=asked.leverage)
            )
        except UnsupportedSymbol as error:
            console.print(f"[yellow]left out: {escape(str(error))}[/yellow]", soft_wrap=True)
    if asked.commission is not None:
        charged = {one.info.name: asked.commission for one in listings}
        terms = msgspec.structs.replace(terms, commission_per_lot=charged)
    first = seconds_of(asked.first_day) if asked.first_day else 1
    last = seconds_of(asked.last_day) + DAY_SECS - 1 if asked.last_day else 2**32
    has_ticks = any(
        one.timeframe is None and one.symbol in {each.info.name for each in listings}
        for one in archive.series()
    )
    if not has_ticks:
        console.print("[yellow]no ticks: orders are filled from bars, without a spread[/yellow]")
    if asked.catalog is not None:
        days = days_of_catalog(
            open_catalog(asked.catalog),
            listings,
            bar_types_of(archive, listings),
            zone,
            first,
            last,
        )
    else:
        days = days_of_archive(archive, listings, first, last)
    return run_backtest(
        load_strategy(asked.strategy, asked.config),
        listings,
        terms,
        zone,
        days,
        venue=asked.venue,
        balance=asked.balance,
        latency_ms=asked.latency_ms,
        fills_from_bars=not has_ticks,
        tearsheet=asked.tearsheet,
    )


def _print(console: Console, result: BacktestResult) -> None:
    table = Table(box=SIMPLE_HEAD, title="Backtest", title_justify="left", show_header=False)
    table.add_row("data", f"{result.quotes:,} quotes, {result.bars:,} bars")
    table.add_row("account", f"{result.oms_type.lower()}, {result.currency}")
    table.add_row("orders", f"{len(result.orders):,}, {len(result.fills):,} fills")
    table.add_row("swaps", f"{result.swaps:,.2f} in {result.swap_nights} nights")
    change = result.balance_end - result.balance_start
    table.add_row(
        "balance", f"{result.balance_start:,.2f} -> {result.balance_end:,.2f} ({change:+,.2f})"
    )
    for name, value in list(result.statistics.items())[:_SHOWN]:
        table.add_row(name.lower(), f"{value:,.4g}")
    console.print(table)
    if result.tearsheet is not None:
        console.print(f"Tearsheet: {escape(str(result.tearsheet))}", soft_wrap=True)


def _document(result: BacktestResult) -> dict[str, Any]:
    return {
        "ok": True,
        "quotes": result.quotes,
        "bars": result.bars,
        "orders": len(result.orders),
        "fills": len(result.fills),
        "positions": len(result.positions),
        "currency": result.currency,
        "oms_type": result.oms_type,
        "balance_start": result.balance_start,
        "balance_end": result.balance_end,
        "swaps": result.swaps,
        "statistics": result.statistics,
        "tearsheet": str(result.tearsheet) if result.tearsheet is not None else None,
    }
