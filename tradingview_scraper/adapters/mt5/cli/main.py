"""Which commands does ``mt5`` have, and what do they take?"""

from pathlib import Path
from typing import Any

import click

from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE

_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_SETTINGS)
def main() -> None:
    """MetaTrader 5 for NautilusTrader: try it, check it, run it."""


@main.command()
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
@click.option("--json", "as_json", is_flag=True, help="The result as JSON, on the last line.")
def demo(seconds: float, scenario: str, library: str, report: Path | None, as_json: bool) -> None:
    """Trade on a simulated terminal and compare the result with the broker's books.

    Needs no terminal and no account. Exit status 0: the node and the broker agree, deal by deal,
    and everything is closed. 1: they do not. 2: the demo could not run.
    """
    from tradingview_scraper.adapters.mt5.cli.demo.command import run

    raise SystemExit(
        run(seconds=seconds, scenario=scenario, library=library, report=report, as_json=as_json)
    )


@main.command()
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
@click.option("--json", "as_json", is_flag=True, help="The result as JSON, on the last line.")
def flatten(
    magic: int | None,
    is_all: bool,
    symbol: tuple[str, ...],
    path: str | None,
    login: int | None,
    server: str | None,
    real: bool,
    library: str,
    deviation: int,
    seconds: float,
    is_dry: bool,
    is_agreed: bool,
    as_json: bool,
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
    from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig

    raise SystemExit(
        run(
            MT5TerminalConfig(
                path=path,
                login=login,
                server=server,
                module=library,
                allow_real_account=real,
                order_timeout_secs=min(30.0, seconds),
            ),
            Selection(magic, frozenset(symbol)),
            deviation=deviation,
            seconds=seconds,
            is_dry=is_dry,
            is_agreed=is_agreed,
            as_json=as_json,
        )
    )


@main.command()
@click.argument("scenario", default="demo-hedging")
@click.option(
    "--books",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the broker's books in this folder, so that they outlive the terminal.",
)
def terminal(scenario: str, books: Path | None) -> None:
    """Run a simulated terminal in the foreground until Ctrl-C.

    SCENARIO is a built-in name (demo-hedging, demo-netting, exchange-netting) or a TOML file.
    Attach with `initialize(SCENARIO)` of the simulator's module or, on Windows, of the real
    library.
    """
    from tradingview_scraper.adapters.mt5.cli.terminal import run

    raise SystemExit(run(scenario, books))
