"""Which commands does ``mt5`` have?

What a command takes is in its ``usage``, which imports nothing heavy: what it does is imported when
it runs, so that ``--help`` and a misspelt option are answered at once.
"""

from typing import Any, Final

import click

from tradingview_scraper.adapters.mt5.cli.backtest.usage import backtest
from tradingview_scraper.adapters.mt5.cli.catalog.usage import catalog
from tradingview_scraper.adapters.mt5.cli.demo.usage import demo
from tradingview_scraper.adapters.mt5.cli.doctor.usage import doctor
from tradingview_scraper.adapters.mt5.cli.download.usage import download
from tradingview_scraper.adapters.mt5.cli.flatten.usage import flatten
from tradingview_scraper.adapters.mt5.cli.importing.usage import import_
from tradingview_scraper.adapters.mt5.cli.instruments.usage import instruments
from tradingview_scraper.adapters.mt5.cli.paper.usage import paper
from tradingview_scraper.adapters.mt5.cli.terminal.usage import terminal

_SETTINGS: Final[dict[str, Any]] = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
}


@click.group(context_settings=_SETTINGS)
def main() -> None:
    """MetaTrader 5 for NautilusTrader: try it, check it, run it."""


for _command in (
    demo,
    doctor,
    instruments,
    download,
    import_,
    catalog,
    backtest,
    paper,
    flatten,
    terminal,
):
    main.add_command(_command)
