"""``python -m benchmarks.page RUN.json docs/benchmarks.md``: the page, from what a run wrote."""

import importlib
import json
import sys
from pathlib import Path

_HEAD = """# Benchmarks

Written by `scripts/bench` from one run; numbers are of that machine. A bar is the figure against
its limit (full: at the limit).

![How much of its limit each figure takes](benchmarks-limits.svg)

## Beside the published adapter

![This adapter and mt5-connector at the same work](benchmarks-published.svg)

`published_adapter` has mt5-connector 0.7.1 and this adapter do the same work: one driver, the same
simulated terminal (its server's clock set to UTC, as mt5-connector needs), a process each, one
after the other, each at its default intervals. Ratios are theirs / ours. Few orders: the order of
magnitude compares, single milliseconds do not. A tick that was lost has no age. Not compared:
brackets and restarts (other work than ours).
"""


def page(document: dict) -> str:
    """Markdown, a table for each benchmark."""
    parts = [_HEAD]
    for name, figures in document.items():
        parts.append(f"\n## {name}\n\n{_question(name)}")
        if not figures:
            parts.append("Not measured in this run.\n")
            continue
        parts.append("| figure | value | limit | |\n|---|---:|---:|---|\n")
        for figure in figures:
            value, limit = figure["value"], figure["limit"]
            bar = bound = ""
            if limit is not None:
                sign = ">=" if figure["at_least"] else "<="
                bound = f"{sign} {limit:g} {figure['unit']}"
                missed = value < limit if figure["at_least"] else value > limit
                share = min(1.0, value / limit) if limit else float(value > 0)
                filled = max(0, round(share * 20))
                bar = f"`{'#' * filled}{'.' * (20 - filled)}`{' **missed**' if missed else ''}"
            shown = f"{_digits(value)} {figure['unit']}".rstrip()
            parts.append(f"| {figure['name']} | {shown} | {bound} | {bar} |\n")
    return "".join(parts)


def _question(name: str) -> str:
    """What a benchmark asks: the first line of its module; nothing for one that is not there."""
    try:
        text = importlib.import_module(f"benchmarks.{name}").__doc__ or ""
    except ModuleNotFoundError:
        return ""
    return f"{text.strip().splitlines()[0]}\n\n"


def _digits(value: float) -> str:
    """Whole where it is, or large; otherwise three digits that count."""
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    Path(sys.argv[2]).write_text(page(json.loads(lines[-1])), encoding="utf-8")
