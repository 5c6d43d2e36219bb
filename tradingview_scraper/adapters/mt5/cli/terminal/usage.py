"""What does ``mt5 terminal`` take?"""

from pathlib import Path

import click


@click.command()
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
    from tradingview_scraper.adapters.mt5.cli.terminal.command import run

    raise SystemExit(run(scenario, books))
