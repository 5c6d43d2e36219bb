"""``mt5 demo``: how is it run, from the terminal process to the exit status?"""

import json
import sys
from pathlib import Path

from rich.console import Console

from tradingview_scraper.adapters.mt5.cli.demo.session import DemoFailed, DemoResult, trade
from tradingview_scraper.adapters.mt5.cli.demo.view import as_document, print_result


def run(*, seconds: float, scenario: str, library: str, report: Path | None, as_json: bool) -> int:
    """Run the demo and show it; the exit status (0 agrees, 1 does not, 2 could not run)."""
    console = Console(stderr=as_json, highlight=False)
    try:
        result: DemoResult = trade(
            seconds=seconds, scenario=scenario, library=library, console=console
        )
    except DemoFailed as failure:
        console.print(f"[red]The demo could not run:[/red] {failure}")
        if as_json:
            sys.stdout.write(json.dumps({"ok": False, "error": str(failure)}) + "\n")
        return 2
    page = None
    if report is not None:
        from tradingview_scraper.adapters.mt5.cli.demo.report import write_report

        page = write_report(result, report)
    print_result(result, console, page)
    if as_json:
        sys.stdout.write(json.dumps(as_document(result, page)) + "\n")
    return 0 if result.agrees else 1
