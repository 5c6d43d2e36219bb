"""``mt5 terminal``: how is it run, from the options to the exit status?"""

import sys
from pathlib import Path

from tradingview_scraper.adapters.mt5.simulator.scenario import load_scenario
from tradingview_scraper.adapters.mt5.simulator.terminal import server
from tradingview_scraper.adapters.mt5.simulator.terminal.lock import AlreadyLocked
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError


def run(scenario: str, books: Path | None) -> int:
    """Serve `scenario` until Ctrl-C; 0 when it ended orderly, 2 when it could not start."""
    try:
        world = load_scenario(scenario)
        account = world.account
        print(
            f"Simulated terminal {scenario!r}: account {account.login} at {account.server}, "
            f"{len(world.symbols)} symbols, {account.balance:,.2f} {account.currency}.\n"
            f"Attach with initialize({scenario!r}). Ctrl-C ends it.",
            flush=True,
        )
        server.run(scenario, books)
    except KeyboardInterrupt:
        return 0
    except AlreadyLocked:
        print(f"mt5 terminal: another process already serves {scenario!r}", file=sys.stderr)
        return 2
    except (OSError, MT5ConfigError) as error:
        print(f"mt5 terminal: {error}", file=sys.stderr)
        return 2
    return 0
