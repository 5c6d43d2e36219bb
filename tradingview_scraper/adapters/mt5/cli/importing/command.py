"""``mt5 import``: how is it run, from the options to the exit status?"""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.exports import import_export, is_of_ticks, named
from tradingview_scraper.adapters.mt5.archive.periods import Series
from tradingview_scraper.adapters.mt5.cli.answers import DONE, answered
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.config import AUTO_ZONE, MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError


def run(
    files: tuple[Path, ...],
    folder: Path,
    *,
    symbol: str | None,
    timeframe: str | None,
    server: str | None,
    zone: str | None,
    as_json: bool,
) -> int:
    """Import the files in order; 0 when all are in the archive, 2 at the first that cannot be."""

    def work(console: Console) -> tuple[int, dict[str, Any]]:
        archive = Archive(folder)
        known = archive.origin()
        default = known.zone if known is not None else MT5TerminalConfig().server_time_zone
        if zone == AUTO_ZONE:
            raise MT5ConfigError(
                "--zone auto is detected from a terminal's live ticks, and a file has none: pass "
                "the zone of the server that the export comes from, e.g. America/New_York+7h"
            )
        archive.claim(server or "", ZoneRule.parse(zone or default))
        done = []
        for file in files:
            series = _series(file, symbol, timeframe)
            parts = import_export(archive, series, file)
            rows = sum(part.rows for part in parts)
            console.print(
                f"{escape(file.name)}: {escape(str(series))}, {len(parts)} files, which hold "
                f"{rows:,} rows now",
                soft_wrap=True,
            )
            done.append(
                {
                    "file": str(file),
                    "symbol": series.symbol,
                    "kind": series.kind,
                    "files": len(parts),
                    "rows": rows,
                }
            )
        return DONE, {"ok": True, "archive": str(folder), "imported": done}

    return answered("import", as_json, work)


def _series(file: Path, symbol: str | None, timeframe: str | None) -> Series:
    by_name = named(file)
    chosen = symbol or by_name.symbol
    if chosen is None:
        raise MT5ConfigError(
            f"{file.name} does not say which symbol it is of (as EURUSD_M1_202501010000_"
            "202502010000.csv does): pass --symbol"
        )
    if is_of_ticks(file):
        return Series(chosen, None)
    step = Timeframe[timeframe] if timeframe else by_name.timeframe
    if step is None:
        raise MT5ConfigError(f"{file.name} does not say which bars it has: pass --timeframe M1")
    return Series(chosen, step)
