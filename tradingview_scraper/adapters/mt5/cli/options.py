"""Which options do several commands take, beside those of the terminal?"""

from pathlib import Path
from typing import Any, Final

import click

from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe

#: Name of a timeframe.
TIMEFRAMES: Final = click.Choice([timeframe.name for timeframe in Timeframe])

as_json: Final[Any] = click.option(
    "--json", "as_json", is_flag=True, help="The result as JSON, on the last line."
)
archive: Final[Any] = click.option(
    "--archive",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("mt5-archive"),
    show_default=True,
    help="Folder of the archive.",
)
venue: Final[Any] = click.option("--venue", default="MT5", show_default=True)
leverage: Final[Any] = click.option(
    "--leverage", type=click.IntRange(min=1), help="[default: the account's]"
)
balance: Final[Any] = click.option(
    "--balance", type=click.FloatRange(min=0), default=10_000.0, show_default=True
)
first_day: Final[Any] = click.option("--from", "first_day", metavar="DAY", help="First server day.")
last_day: Final[Any] = click.option("--to", "last_day", metavar="DAY", help="Last server day.")
strategy_config: Final[Any] = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The strategy's configuration, TOML or JSON.",
)
