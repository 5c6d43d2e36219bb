"""What does ``mt5 doctor`` take?"""

from pathlib import Path
from typing import Any

import click

from tradingview_scraper.adapters.mt5.cli import options
from tradingview_scraper.adapters.mt5.cli.terminal_options import terminal_options


@click.command()
@click.argument("symbols", nargs=-1)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a scenario that is a twin of this broker, with SYMBOLS.",
)
@terminal_options
@options.as_json
def doctor(**asked: Any) -> None:
    """Check library, terminal, account, permissions, clock, SYMBOLS, history and latencies.

    Sends no order. Exit status 0: nothing fails; 1: something does, with its remedy.
    """
    from tradingview_scraper.adapters.mt5.cli.doctor.command import run

    raise SystemExit(run(**asked))
