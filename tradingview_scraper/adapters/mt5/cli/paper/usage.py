"""What does ``mt5 paper`` take?"""

from typing import Any

import click

from tradingview_scraper.adapters.mt5.cli import options
from tradingview_scraper.adapters.mt5.cli.terminal_options import terminal_options


@click.command()
@click.argument("strategy")
@click.argument("symbols", nargs=-1)
@options.strategy_config
@options.venue
@options.balance
@click.option("--seconds", type=click.FloatRange(min=1), help="[default: until Ctrl-C]")
@terminal_options
@options.as_json
def paper(**asked: Any) -> None:
    """Run STRATEGY (my_module:MyStrategy) on live quotes of SYMBOLS, filled by a sandbox.

    The node has no execution client of the terminal: no order can reach the broker.
    """
    from tradingview_scraper.adapters.mt5.cli.paper.command import run

    raise SystemExit(run(**asked))
