"""What does ``mt5 backtest`` take?"""

from pathlib import Path
from typing import Any

import click

from tradingview_scraper.adapters.mt5.cli import options


@click.command()
@click.argument("strategy")
@click.argument("symbols", nargs=-1)
@options.strategy_config
@options.archive
@click.option(
    "--catalog",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the data from this catalog that `mt5 catalog` built from the archive.",
)
@options.first_day
@options.last_day
@options.venue
@options.balance
@options.leverage
@click.option("--commission", type=float, help="Per lot and deal. [default: what past deals show]")
@click.option("--latency-ms", type=click.FloatRange(min=0), default=0.0, show_default=True)
@click.option(
    "--tearsheet",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("tearsheet.html"),
    show_default=True,
)
@options.as_json
def backtest(as_json: bool, **asked: Any) -> None:
    """Run STRATEGY (my_module:MyStrategy) on an archive, with the terms of the account.

    Leverage, hedging or netting, currency, commission, swaps and the instruments are those of the
    terminal that the archive came from; the spread is that of its quotes. SYMBOLS default to all.
    """
    from tradingview_scraper.adapters.mt5.cli.backtest.command import Asked, run

    raise SystemExit(run(Asked(**asked), as_json=as_json))
