"""Which commands does ``mt5`` have, and what do they take?"""

from pathlib import Path
from typing import Any

import click

from tradingview_scraper.adapters.mt5.cli.terminal_options import TerminalChoice, terminal_options
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe

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


_json = click.option(
    "--json", "as_json", is_flag=True, help="The result as JSON, on the last line."
)
_archive = click.option(
    "--archive",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("mt5-archive"),
    show_default=True,
    help="Folder of the archive.",
)


@main.command()
@click.argument("symbols", nargs=-1)
@_archive
@click.option("--ticks/--no-ticks", default=True, show_default=True)
@click.option(
    "--bars",
    "timeframes",
    multiple=True,
    type=click.Choice([timeframe.name for timeframe in Timeframe]),
    help="Bars of a timeframe; may be given several times.",
)
@click.option(
    "--from",
    "first_day",
    metavar="DAY",
    help="First server day, 2025-03-10. [default: where the archive ends, or 30 days back]",
)
@click.option("--to", "last_day", metavar="DAY", help="Last server day. [default: now]")
@click.option("--check", is_flag=True, help="Only check the archive; needs no terminal.")
@terminal_options
@_json
def download(
    symbols: tuple[str, ...],
    folder: Path,
    ticks: bool,
    timeframes: tuple[str, ...],
    first_day: str | None,
    last_day: str | None,
    check: bool,
    terminal: TerminalChoice,
    as_json: bool,
) -> None:
    """Download ticks, bars and symbols of SYMBOLS into an archive.

    SYMBOLS are names or groups ("USD*", "*,!*JPY*"). Start it again at any time: what is complete
    is not asked for again, and nothing is lost or doubled. Exit status 0: all is there; 1: the
    terminal has less than its own bars promise, or a file is damaged; 2: it could not run.
    """
    from tradingview_scraper.adapters.mt5.cli.download import command

    if check:
        raise SystemExit(command.run_check(folder, as_json=as_json))
    asked = command.Asked(folder, symbols, ticks, timeframes, first_day, last_day)
    raise SystemExit(command.run(asked, terminal, as_json=as_json))


@main.command("import")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@_archive
@click.option("--symbol", help="The symbol. [default: the file's name says it]")
@click.option("--timeframe", type=click.Choice([timeframe.name for timeframe in Timeframe]))
@click.option("--server", help="The trade server that the export is of.")
@click.option("--zone", metavar="RULE", help="The server's clock. [default: the archive's]")
@_json
def import_(
    files: tuple[Path, ...],
    folder: Path,
    symbol: str | None,
    timeframe: str | None,
    server: str | None,
    zone: str | None,
    as_json: bool,
) -> None:
    """Import FILES that the terminal exported (Symbols, Ticks or Bars, Export) into an archive.

    What is in the archive already is not doubled.
    """
    from tradingview_scraper.adapters.mt5.cli.importing.command import run

    raise SystemExit(
        run(
            files,
            folder,
            symbol=symbol,
            timeframe=timeframe,
            server=server,
            zone=zone,
            as_json=as_json,
        )
    )


@main.command()
@click.argument("symbols", nargs=-1)
@_archive
@click.option(
    "--catalog",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("catalog"),
    show_default=True,
    help="Folder of the Nautilus catalog.",
)
@click.option("--venue", default="MT5", show_default=True)
@click.option("--leverage", type=click.IntRange(min=1), help="[default: the account's]")
@click.option("--from", "first_day", metavar="DAY")
@click.option("--to", "last_day", metavar="DAY")
@_json
def catalog(
    symbols: tuple[str, ...],
    folder: Path,
    target: Path,
    venue: str,
    leverage: int | None,
    first_day: str | None,
    last_day: str | None,
    as_json: bool,
) -> None:
    """Build or update a Nautilus catalog from an archive: instruments, quotes, bars.

    SYMBOLS default to all of the archive. Build it on the machine that will read it: catalogs of
    Windows (64-bit numbers) and of other systems (128-bit) are not the same.
    """
    from tradingview_scraper.adapters.mt5.cli.catalog.command import run

    raise SystemExit(
        run(
            symbols,
            folder,
            target,
            venue=venue,
            leverage=leverage,
            first_day=first_day,
            last_day=last_day,
            as_json=as_json,
        )
    )


@main.command()
@click.argument("symbols", nargs=-1)
@click.option("--show", "shown", metavar="SYMBOL", help="All fields of one symbol, both sides.")
@click.option(
    "--catalog",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the instruments into this Nautilus catalog.",
)
@click.option("--venue", default="MT5", show_default=True)
@terminal_options
@_json
def instruments(
    symbols: tuple[str, ...],
    shown: str | None,
    catalog: Path | None,
    venue: str,
    terminal: TerminalChoice,
    as_json: bool,
) -> None:
    """List the broker's symbols and the instruments that they become.

    SYMBOLS are names, groups ("*USD*,!*JPY*"), or words in names, descriptions and paths. Exit
    status 1: some symbol cannot become an instrument; why, is in the list.
    """
    from tradingview_scraper.adapters.mt5.cli.instruments.command import run

    raise SystemExit(
        run(
            symbols,
            shown=shown,
            catalog=catalog,
            venue=venue,
            terminal=terminal,
            as_json=as_json,
        )
    )


@main.command()
@click.argument("symbols", nargs=-1)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a scenario that is a twin of this broker, with SYMBOLS.",
)
@terminal_options
@_json
def doctor(
    symbols: tuple[str, ...], record: Path | None, terminal: TerminalChoice, as_json: bool
) -> None:
    """Check library, terminal, account, permissions, clock, SYMBOLS, history and latencies.

    Sends no order. Exit status 0: nothing fails; 1: something does, with its remedy.
    """
    from tradingview_scraper.adapters.mt5.cli.doctor.command import run

    raise SystemExit(run(symbols, record=record, terminal=terminal, as_json=as_json))


@main.command()
@click.argument("strategy")
@click.argument("symbols", nargs=-1)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The strategy's configuration, TOML or JSON.",
)
@_archive
@click.option(
    "--catalog",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the data from this catalog that `mt5 catalog` built from the archive.",
)
@click.option("--from", "first_day", metavar="DAY", help="First server day.")
@click.option("--to", "last_day", metavar="DAY", help="Last server day.")
@click.option("--venue", default="MT5", show_default=True)
@click.option("--balance", type=click.FloatRange(min=0), default=10_000.0, show_default=True)
@click.option("--leverage", type=click.IntRange(min=1), help="[default: the account's]")
@click.option("--commission", type=float, help="Per lot and deal. [default: what past deals show]")
@click.option("--latency-ms", type=click.FloatRange(min=0), default=0.0, show_default=True)
@click.option(
    "--tearsheet",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("tearsheet.html"),
    show_default=True,
)
@_json
def backtest(as_json: bool, **asked: Any) -> None:
    """Run STRATEGY (my_module:MyStrategy) on an archive, with the terms of the account.

    Leverage, hedging or netting, currency, commission, swaps and the instruments are those of the
    terminal that the archive came from; the spread is that of its quotes. SYMBOLS default to all.
    """
    from tradingview_scraper.adapters.mt5.cli.backtest.command import Asked, run

    raise SystemExit(run(Asked(**asked), as_json=as_json))


@main.command()
@click.argument("strategy")
@click.argument("symbols", nargs=-1)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The strategy's configuration, TOML or JSON.",
)
@click.option("--venue", default="MT5", show_default=True)
@click.option("--balance", type=click.FloatRange(min=0), default=10_000.0, show_default=True)
@click.option("--seconds", type=click.FloatRange(min=1), help="[default: until Ctrl-C]")
@terminal_options
@_json
def paper(
    strategy: str,
    symbols: tuple[str, ...],
    config: Path | None,
    venue: str,
    balance: float,
    seconds: float | None,
    terminal: TerminalChoice,
    as_json: bool,
) -> None:
    """Run STRATEGY (my_module:MyStrategy) on live quotes of SYMBOLS, filled by a sandbox.

    The node has no execution client of the terminal: no order can reach the broker.
    """
    from tradingview_scraper.adapters.mt5.cli.paper.command import run

    raise SystemExit(
        run(
            strategy,
            symbols,
            config=config,
            venue=venue,
            balance=balance,
            seconds=seconds,
            terminal=terminal,
            as_json=as_json,
        )
    )
