"""``mt5 catalog``: how is it run, from the options to the exit status?"""

from pathlib import Path
from typing import Any

from nautilus_trader.model.identifiers import Venue
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.files import ArchiveError
from tradingview_scraper.adapters.mt5.archive.periods import DAY_SECS, seconds_of
from tradingview_scraper.adapters.mt5.cli.answers import DONE, PARTLY, answered
from tradingview_scraper.adapters.mt5.nautilus_v1.catalog import (
    Built,
    archive_listing,
    open_catalog,
    write_instrument,
    write_series,
)
from tradingview_scraper.adapters.mt5.rules.suggestions import did_you_mean
from tradingview_scraper.adapters.mt5.rules.symbols import UnsupportedSymbol


def run(
    symbols: tuple[str, ...],
    folder: Path,
    target: Path,
    *,
    venue: str,
    leverage: int | None,
    first_day: str | None,
    last_day: str | None,
    as_json: bool,
) -> int:
    """Build or update; 0 all, 1 a symbol cannot become an instrument, 2 could not run."""

    def work(console: Console) -> tuple[int, dict[str, Any]]:
        archive = Archive(folder)
        archive.open()
        series = archive.series()
        known_symbols = list(dict.fromkeys([*archive.symbols(), *(one.symbol for one in series)]))
        for symbol in symbols:
            if symbol not in known_symbols:
                raise ArchiveError(
                    f"{folder} has nothing of {symbol!r}: {did_you_mean(symbol, known_symbols)}"
                )
        first = seconds_of(first_day) if first_day else 0
        last = seconds_of(last_day) + DAY_SECS - 1 if last_day else 2**62
        catalog = open_catalog(target)
        built: list[Built] = []
        refused: dict[str, str] = {}
        with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
            for symbol in symbols or known_symbols:
                try:
                    known = archive_listing(archive, symbol, venue=Venue(venue), leverage=leverage)
                except UnsupportedSymbol as error:
                    refused[symbol] = str(error)
                    continue
                write_instrument(catalog, known.instrument)
                for one in (one for one in series if one.symbol == symbol):
                    task = shown.add_task(str(one), total=len(archive.paths(one)))
                    built.append(
                        write_series(
                            catalog,
                            archive,
                            one,
                            known,
                            first=first,
                            last=last,
                            done=lambda part, task=task: shown.advance(task),  # type: ignore[misc]
                        )
                    )
        for symbol, reason in refused.items():
            console.print(f"[yellow]{escape(symbol)}: {escape(reason)}[/yellow]", soft_wrap=True)
        for done in built:
            console.print(
                f"{escape(str(done.series))}: {done.written} files written ({done.items:,} "
                f"objects), {done.kept} up to date",
                soft_wrap=True,
            )
        console.print(f"Catalog {escape(str(target))}", soft_wrap=True)
        return PARTLY if refused else DONE, {
            "ok": not refused,
            "catalog": str(target),
            "refused": refused,
            "series": [
                {
                    "symbol": done.series.symbol,
                    "kind": done.series.kind,
                    "written": done.written,
                    "kept": done.kept,
                    "objects": done.items,
                    "skipped": done.skipped,
                }
                for done in built
            ],
        }

    return answered("catalog", as_json, work)
