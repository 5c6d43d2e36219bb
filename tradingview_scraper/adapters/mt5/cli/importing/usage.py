"""What does ``mt5 import`` take?"""

from pathlib import Path
from typing import Any

import click

from tradingview_scraper.adapters.mt5.cli import options


@click.command("import")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@options.archive
@click.option("--symbol", help="The symbol. [default: the file's name says it]")
@click.option("--timeframe", type=options.TIMEFRAMES)
@click.option("--server", help="The trade server that the export is of.")
@click.option("--zone", metavar="RULE", help="The server's clock. [default: the archive's]")
@options.as_json
def import_(**asked: Any) -> None:
    """Import FILES that the terminal exported (Symbols, Ticks or Bars, Export) into an archive.

    What is in the archive already is not doubled.
    """
    from tradingview_scraper.adapters.mt5.cli.importing.command import run

    raise SystemExit(run(**asked))
