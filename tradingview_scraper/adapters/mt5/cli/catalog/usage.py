"""What does ``mt5 catalog`` take?"""

from pathlib import Path
from typing import Any

import click

from tradingview_scraper.adapters.mt5.cli import options


@click.command()
@click.argument("symbols", nargs=-1)
@options.archive
@click.option(
    "--catalog",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("catalog"),
    show_default=True,
    help="Folder of the Nautilus catalog.",
)
@options.venue
@options.leverage
@options.first_day
@options.last_day
@options.as_json
def catalog(**asked: Any) -> None:
    """Build or update a Nautilus catalog from an archive: instruments, quotes, bars.

    SYMBOLS default to all of the archive. Build it on the machine that will read it: catalogs of
    Windows (64-bit numbers) and of other systems (128-bit) are not the same.
    """
    from tradingview_scraper.adapters.mt5.cli.catalog.command import run

    raise SystemExit(run(**asked))
