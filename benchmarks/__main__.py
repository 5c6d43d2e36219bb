"""``python -m benchmarks [NAME ...]``: run them, print every figure against its limit."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.figures import alone

NAMES = (
    "never_waits",
    "tick_latency",
    "order_overhead",
    "trade_poll",
    "ingest",
    "history",
    "quiet",
    "replay",
    "memory",
    "simulator",
    "published_adapter",
)


def main() -> int:
    """Exit status 1 when a figure misses its limit. The last line is JSON with ``--json``."""
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or list(NAMES)
    console = Console(highlight=False)
    document: dict[str, Any] = {}
    failed = False
    for name in wanted:
        console.print(f"[dim]{name} ...[/dim]")
        figures = alone(name)
        table = Table(title=name)
        for heading in ("figure", "value", "limit", ""):
            table.add_column(heading, justify="left" if heading == "figure" else "right")
        for figure in figures:
            limit = ""
            if figure.limit is not None:
                limit = f"{'>=' if figure.at_least else '<='} {figure.limit:g} {figure.unit}"
            verdict = "" if figure.limit is None else "ok" if figure.holds else "[red]MISSED[/red]"
            table.add_row(figure.name, f"{figure.value:,.2f} {figure.unit}", limit, verdict)
            failed = failed or not figure.holds
        console.print(table)
        document[name] = [figure._asdict() for figure in figures]
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps(document) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
