"""What does ``mt5 flatten`` take?"""

from typing import Any

import click

from tradingview_scraper.adapters.mt5.cli import options
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig


@click.command()
@click.option(
    "--magic",
    type=click.IntRange(1000, 9999),
    help="Only what has this namespace, the first four digits of its magic number.",
)
@click.option("--all", "is_all", is_flag=True, help="Whoever opened it, by hand too.")
@click.option("--symbol", multiple=True, help="Only in this symbol; may be given more than once.")
@click.option("--path", help="The terminal; or MT5_TERMINAL_PATH.")
@click.option("--login", type=int, help="The account that the terminal must be on; or MT5_LOGIN.")
@click.option("--server", help="Its trade server; or MT5_SERVER.")
@click.option("--real", is_flag=True, help="The account holds real money, and is meant.")
@click.option("--library", default="MetaTrader5", metavar="MODULE", help="The library's module.")
@click.option(
    "--deviation",
    type=click.IntRange(min=0),
    default=1_000,
    show_default=True,
    help="Price change that is accepted where a requested price counts, in points.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=1.0),
    default=60.0,
    show_default=True,
    help="After this nothing more is sent.",
)
@click.option("--dry-run", "is_dry", is_flag=True, help="Only say what would be done.")
@click.option("--yes", "is_agreed", is_flag=True, help="Do not ask.")
@options.as_json
def flatten(
    magic: int | None,
    is_all: bool,
    symbol: tuple[str, ...],
    path: str | None,
    login: int | None,
    server: str | None,
    real: bool,
    library: str,
    seconds: float,
    **how: Any,
) -> None:
    """Close positions by ticket and cancel orders, and say what is left.

    Needs --magic or --all. Works while a node hangs; stop the node first if it may open again.
    Exit status 0: read again, and nothing is left (with --dry-run: there is nothing). 1: something
    is. 2: nothing was done.
    """
    if (magic is None) != is_all:
        raise click.UsageError("name what is meant: either --magic NAMESPACE or --all")
    from tradingview_scraper.adapters.mt5.cli.flatten.command import run
    from tradingview_scraper.adapters.mt5.cli.flatten.plan import Selection

    config = MT5TerminalConfig(
        path=path,
        login=login,
        server=server,
        module=library,
        allow_real_account=real,
        order_timeout_secs=min(30.0, seconds),
    )
    raise SystemExit(run(config, Selection(magic, frozenset(symbol)), seconds=seconds, **how))
