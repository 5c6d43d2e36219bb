"""What does ``mt5 instruments`` take?"""

from pathlib import Path
from typing import Any

import click

from tradingview_scraper.adapters.mt5.cli import options
from tradingview_scraper.adapters.mt5.cli.terminal_options import terminal_options


@click.command()
@click.argument("symbols", nargs=-1)
@click.option("--show", "shown", metavar="SYMBOL", help="All fields of one symbol, both sides.")
@click.option(
    "--catalog",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the instruments into this Nautilus catalog.",
)
@options.venue
@terminal_options
@options.as_json
def instruments(**asked: Any) -> None:
    """List the broker's symbols and the instruments that they become.

    SYMBOLS are names, groups ("*USD*,!*JPY*"), or words in names, descriptions and paths. Exit
    status 1: some symbol cannot become an instrument; why, is in the list.
    """
    from tradingview_scraper.adapters.mt5.cli.instruments.command import run

    raise SystemExit(run(**asked))
