"""``mt5 download``: how is it run, from the options to the exit status?"""

import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.checking import Finding, check
from tradingview_scraper.adapters.mt5.archive.download import Report, State, Wish, download
from tradingview_scraper.adapters.mt5.archive.periods import DAY_SECS, Series, seconds_of
from tradingview_scraper.adapters.mt5.cli.answers import DONE, PARTLY, answered
from tradingview_scraper.adapters.mt5.cli.download.progress import DownloadProgress
from tradingview_scraper.adapters.mt5.cli.symbol_names import named_symbols
from tradingview_scraper.adapters.mt5.cli.terminal_options import (
    TerminalChoice,
    chosen_terminal,
    with_client,
)
from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError


class Asked(NamedTuple):
    """What the options said."""

    folder: Path
    symbols: tuple[str, ...]
    ticks: bool
    timeframes: tuple[str, ...]
    first_day: str | None
    last_day: str | None


def run(asked: Asked, terminal: TerminalChoice, *, as_json: bool) -> int:
    """Download and check; the exit status: 0 whole, 1 something is missing, 2 could not run."""

    def work(console: Console) -> tuple[int, dict[str, Any]]:
        if not asked.symbols:
            raise MT5ConfigError("expected symbols or groups: mt5 download EURUSD 'USD*'")
        archive = Archive(asked.folder)
        with chosen_terminal(terminal) as config, DownloadProgress(console) as progress:
            report = with_client(config, lambda client: _run(client, archive, asked, progress))
        touched = list(dict.fromkeys(outcome.series for outcome in report.outcomes))
        findings = [check(archive, series) for series in touched]
        _print(console, archive, report, findings)
        is_whole = report.is_whole and all(finding.is_sound for finding in findings)
        return DONE if is_whole else PARTLY, _document(archive, report, findings, is_whole)

    return answered("download", as_json, work)


def run_check(folder: Path, *, as_json: bool) -> int:
    """Check a whole archive, without a terminal."""

    def work(console: Console) -> tuple[int, dict[str, Any]]:
        archive = Archive(folder)
        archive.open()
        findings = [check(archive, series) for series in archive.series()]
        report = Report([], [])
        _print(console, archive, report, findings)
        is_sound = all(finding.is_sound for finding in findings)
        return DONE if is_sound else PARTLY, _document(archive, report, findings, is_sound)

    return answered("download", as_json, work)


async def _run(
    client: MT5Client, archive: Archive, asked: Asked, progress: DownloadProgress
) -> Report:
    infos = await named_symbols(client, asked.symbols)
    last = seconds_of(asked.last_day) + DAY_SECS - 1 if asked.last_day else None
    wish = Wish(
        symbols=tuple(info.name for info in infos),
        ticks=asked.ticks,
        timeframes=tuple(Timeframe[name] for name in asked.timeframes),
        first=seconds_of(asked.first_day) if asked.first_day else None,
        last=last,
    )
    return await download(
        client,
        archive,
        wish,
        planned=progress.planned,
        done=progress.done,
        read_at_ns=time.time_ns(),
    )


def _print(console: Console, archive: Archive, report: Report, findings: list[Finding]) -> None:
    for note in report.notes:
        console.print(f"[yellow]{escape(note)}[/yellow]", soft_wrap=True)
    console.print(f"Archive {escape(str(archive.root))}", soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("series", "from", "to", "files", "rows", "read now", "check"):
        table.add_column(
            heading,
            justify="right" if heading in ("files", "rows") else "left",
            no_wrap=heading not in ("read now", "check"),
        )
    read = _states(report)
    for found in findings:
        states = read.get(found.series, {})
        shown = ", ".join(f"{count} {state}" for state, count in states.items())
        verdict = (
            "[green]sound[/green]" if found.is_sound else f"[red]{escape(found.trouble)}[/red]"
        )
        gaps = f", {found.gap_text}" if found.gap_text else ""
        table.add_row(
            escape(str(found.series)),
            found.first_day,
            found.last_day,
            str(found.files),
            f"{found.rows:,}",
            shown or "-",
            verdict + escape(gaps),
        )
    console.print(table)


def _states(report: Report) -> dict[Series, dict[State, int]]:
    counted: dict[Series, dict[State, int]] = defaultdict(lambda: defaultdict(int))
    for outcome in report.outcomes:
        counted[outcome.series][outcome.state] += 1
    return counted


def _document(
    archive: Archive, report: Report, findings: list[Finding], ok: bool
) -> dict[str, Any]:
    read = _states(report)
    return {
        "ok": ok,
        "archive": str(archive.root),
        "notes": report.notes,
        "series": [
            {
                "symbol": found.series.symbol,
                "kind": found.series.kind,
                "from": found.first_day,
                "to": found.last_day,
                "files": found.files,
                "rows": found.rows,
                "read": {str(state): n for state, n in read.get(found.series, {}).items()},
                "sound": found.is_sound,
                "trouble": found.trouble,
                "gaps": list(found.gaps),
            }
            for found in findings
        ],
        "missing": [
            {
                "symbol": outcome.series.symbol,
                "kind": outcome.series.kind,
                "period": outcome.period.name,
                "state": str(outcome.state),
                "note": outcome.note,
            }
            for outcome in report.outcomes
            if outcome.state in (State.SHORT, State.FAILED)
        ],
    }
