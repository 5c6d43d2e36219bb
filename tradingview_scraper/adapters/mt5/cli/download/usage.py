"""What does ``mt5 download`` take?"""

from pathlib import Path
from typing import Any

import click

from tradingview_scraper.adapters.mt5.cli import options
from tradingview_scraper.adapters.mt5.cli.terminal_options import TerminalChoice, terminal_options


@click.command()
@click.argument("symbols", nargs=-1)
@options.archive
@click.option("--ticks/--no-ticks", default=True, show_default=True)
@click.option(
    "--bars",
    "timeframes",
    multiple=True,
    type=options.TIMEFRAMES,
    help="Bars of a timeframe; may be given several times.",
)
@click.option(
    "--from",
    "first_day",
    metavar="DAY",
    help="First server day, 2025-03-10. [default: where the archive ends, or 30 days back]",
)
@click.option("--to", "last_day", metavar="DAY", help="Last server day. [default: now]")
@click.option("--check", is_flag=True, help="Only check the archive; needs no terminal.")
@terminal_options
@options.as_json
def download(
    folder: Path, check: bool, terminal: TerminalChoice, as_json: bool, **asked: Any
) -> None:
    """Download ticks, bars and symbols of SYMBOLS into an archive.

    SYMBOLS are names or groups ("USD*", "*,!*JPY*"). Start it again at any time: what is complete
    is not asked for again, and nothing is lost or doubled. Exit status 0: all is there; 1: the
    terminal has less than its own bars promise, or a file is damaged; 2: it could not run.
    """
    from tradingview_scraper.adapters.mt5.cli.download.command import Asked, run, run_check

    if check:
        raise SystemExit(run_check(folder, as_json=as_json))
    raise SystemExit(run(Asked(folder, **asked), terminal, as_json=as_json))
