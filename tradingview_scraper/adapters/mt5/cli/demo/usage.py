"""What does ``mt5 demo`` take?"""

from pathlib import Path
from typing import Any

import click

from tradingview_scraper.adapters.mt5.cli import options
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE


@click.command()
@click.option("--seconds", type=click.FloatRange(min=3.0), default=30.0, show_default=True)
@click.option(
    "--scenario", default="demo-hedging", show_default=True, help="Built-in name or a TOML file."
)
@click.option(
    "--library",
    default=SIMULATOR_MODULE,
    metavar="MODULE",
    help="The library's module; on Windows also MetaTrader5, attached to the simulated terminal.",
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write report.html with prices, fills and equity into this folder.",
)
@options.as_json
def demo(**asked: Any) -> None:
    """Trade on a simulated terminal and compare the result with the broker's books.

    Needs no terminal and no account. Exit status 0: the node and the broker agree, deal by deal,
    and everything is closed. 1: they do not. 2: the demo could not run.
    """
    from tradingview_scraper.adapters.mt5.cli.demo.command import run

    raise SystemExit(run(**asked))
