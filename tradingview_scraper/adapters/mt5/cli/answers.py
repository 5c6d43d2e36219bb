"""How does a command end? What it says to people and to machines, and its exit status."""

import json
import sys
from collections.abc import Callable
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error

#: All that was asked for was done.
DONE: Final = 0
#: It ran, and something of it is not as it should be; what, is said.
PARTLY: Final = 1
#: It could not run.
FAILED: Final = 2


def console_for(as_json: bool) -> Console:
    """Where people read: stderr when stdout belongs to a machine."""
    return Console(stderr=as_json, highlight=False)


def answered(
    command: str, as_json: bool, work: Callable[[Console], tuple[int, dict[str, Any]]]
) -> int:
    """Run `work`, which gives an exit status and a document; the document is the last line.

    Errors that a user can mend are said in one line; others are bugs and keep their traceback.
    """
    console = console_for(as_json)
    try:
        status, document = work(console)
    except KeyboardInterrupt:
        console.print(f"mt5 {command}: stopped; what was finished is kept")
        status, document = FAILED, {"ok": False, "error": "stopped by Ctrl-C"}
    except (MT5Error, OSError) as error:
        console.print(f"[red]mt5 {command}:[/red] {escape(str(error))}", soft_wrap=True)
        status, document = FAILED, {"ok": False, "error": str(error)}
    if as_json:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()
    return status
