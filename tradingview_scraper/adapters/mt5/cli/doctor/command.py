"""``mt5 doctor``: how is it run, from the options to the exit status?"""

from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tradingview_scraper.adapters.mt5.cli.answers import DONE, PARTLY, answered
from tradingview_scraper.adapters.mt5.cli.doctor.examination import Examination, examine
from tradingview_scraper.adapters.mt5.cli.doctor.findings import Finding, Verdict, of_no_terminal
from tradingview_scraper.adapters.mt5.cli.doctor.twin import Twin, read_twin, write_twin
from tradingview_scraper.adapters.mt5.cli.terminal_options import (
    TerminalChoice,
    chosen_terminal,
    with_client,
)
from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5ConfigError,
    MT5ConnectionError,
    MT5IdentityError,
)

_COLOURS: Final = {
    Verdict.OK: "green",
    Verdict.NOTE: "yellow",
    Verdict.FAIL: "red",
    Verdict.SKIP: "cyan",
}


def run(
    symbols: tuple[str, ...], *, record: Path | None, terminal: TerminalChoice, as_json: bool
) -> int:
    """Examine; 0 nothing fails, 1 something does (also: no terminal), 2 wrong options."""

    def work(console: Console) -> tuple[int, dict[str, Any]]:
        recorded: str | None = None
        twin: Twin | None = None
        try:
            with chosen_terminal(terminal) as config:
                seen, twin = with_client(
                    config, lambda client: _look(client, symbols, record is not None)
                )
        except MT5ConfigError:
            raise
        except (MT5ConnectionError, MT5IdentityError) as error:
            seen = Examination([of_no_terminal(error)], {}, [])
        if record is not None and twin is not None:
            write_twin(twin, record)
            recorded = str(record)
        notes = twin.left_out if twin is not None else []
        _print(console, seen.findings)
        if recorded is not None:
            console.print(f"Twin of this broker: {escape(recorded)}", soft_wrap=True)
            for note in notes:
                console.print(f"[yellow]left out: {escape(note)}[/yellow]", soft_wrap=True)
        failed = [one for one in seen.findings if one.verdict is Verdict.FAIL]
        if failed:
            console.print(f"[red]{len(failed)} of {len(seen.findings)} checks fail.[/red]")
        else:
            console.print(f"[green]Ready[/green]: {len(seen.findings)} checks, none fails.")
        return PARTLY if failed else DONE, {
            "ok": not failed,
            "findings": [{**one._asdict(), "verdict": str(one.verdict)} for one in seen.findings],
            "latency_ms": seen.latency_ms,
            "twin": recorded,
            "left_out": notes,
        }

    return answered("doctor", as_json, work)


async def _look(
    client: MT5Client, words: tuple[str, ...], wants_twin: bool
) -> tuple[Examination, Twin | None]:
    seen = await examine(client, words)
    return seen, await read_twin(client, seen.symbols) if wants_twin else None


def _print(console: Console, findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    # A long path is broken, not cut: it is there to be copied.
    table.add_column(overflow="fold")
    for one in findings:
        said = escape(one.said)
        if one.remedy:
            said += f"\n[bold]-> {escape(one.remedy)}[/bold]"
        table.add_row(
            f"[{_COLOURS[one.verdict]}]{one.verdict.upper()}[/]", escape(one.subject), said
        )
    console.print(table)
