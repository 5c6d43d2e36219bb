"""``python -m benchmarks.drawing RUN.json FOLDER``: what a run has measured, drawn.

Two drawings: every figure that has a limit, and this adapter beside the published one. Needs
matplotlib, which the project does not install: `scripts/bench` does.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

_HELD, _MISSED, _OURS, _THEIRS = "#2a7f62", "#c8553d", "#2a7f62", "#8d99ae"
_EITHER: Final = (": ours", ": mt5-connector", ": mt5-connector at 10 ms")

type Figures = Sequence[Mapping[str, Any]]
type Document = Mapping[str, Figures]


def shares(document: Document) -> list[tuple[str, float]]:
    """Of every figure with a limit above 0: its name, and how much of the limit it takes.

    More than 1 is a missed limit, of a smallest one as well as of a largest one.
    """
    return [
        (
            f"{name}: {figure['name']}",
            figure["limit"] / figure["value"]
            if figure["at_least"]
            else figure["value"] / figure["limit"],
        )
        for name, figures in document.items()
        for figure in figures
        if figure["limit"] and figure["value"]
    ]


def pairs(figures: Figures) -> list[tuple[str, list[float | None]]]:
    """What the adapters did differently: name and unit; ours, theirs, theirs at our pace.

    None: not tried. What came out the same needs no drawing.
    """
    values = {figure["name"]: figure["value"] for figure in figures}
    found = []
    for figure in figures:
        name = figure["name"].removesuffix(_EITHER[0])
        if name != figure["name"] and f"{name}{_EITHER[1]}" in values:
            unit = f" ({figure['unit']})" if figure["unit"] else ""
            several = [values.get(f"{name}{end}") for end in _EITHER]
            if len({value for value in several if value is not None}) > 1:
                found.append((f"{name}{unit}", several))
    return found


def draw_limits(document: Document, file: Path) -> None:
    """A bar for each figure; the line is the limit."""
    found = shares(document)[::-1]
    figure, axes = _sheet(0.3 * len(found) + 1.2)
    bars = axes.barh(
        [name for name, _ in found],
        [share for _, share in found],
        color=[_MISSED if share > 1 else _HELD for _, share in found],
    )
    axes.bar_label(bars, [f"{share:.0%}" for _, share in found], padding=3, fontsize=8)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_xlabel("share of what is allowed")
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    _save(figure, axes, file)


def draw_pairs(document: Document, file: Path) -> None:
    """Three bars for each kind of work, on a logarithmic scale; nothing has no bar."""
    found = pairs(document.get("published_adapter", ()))[::-1]
    figure, axes = _sheet(0.62 * len(found) + 1.4)
    labels = ("this adapter", "mt5-connector 0.7.1", "mt5-connector 0.7.1, polling every 10 ms")
    for nth, (label, color) in enumerate(zip(labels, (_OURS, _THEIRS, "#c9cfda"), strict=True)):
        values = [several[nth] for _, several in found]
        places = [place + 0.26 * (1 - nth) for place in range(len(found))]
        bars = axes.barh(places, [value or 0.0 for value in values], 0.24, label=label, color=color)
        texts = ["" if value is None else f"{value:,.4g}" for value in values]
        axes.bar_label(bars, texts, padding=3, fontsize=8)
    axes.set_yticks(range(len(found)), [name for name, _ in found])
    axes.set_xscale("symlog", linthresh=1.0)
    axes.set_xlim(0, max((v or 0.0 for _, several in found for v in several), default=1.0) * 4)
    axes.legend(loc="lower right", fontsize=8)
    _save(figure, axes, file)


def _sheet(inches: float) -> tuple[Any, Any]:
    # Not installed with the project: `scripts/bench` brings it.
    import matplotlib as mpl

    mpl.use("svg")
    # The same file for the same figures.
    mpl.rcParams["svg.hashsalt"] = "benchmarks"
    mpl.rcParams["svg.fonttype"] = "none"
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=(10, inches))  # type: ignore[no-any-return]


def _save(figure: Any, axes: Any, file: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.01)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    run = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()[-1])
    folder = Path(sys.argv[2])
    draw_limits(run, folder / "benchmarks-limits.svg")
    draw_pairs(run, folder / "benchmarks-published.svg")
