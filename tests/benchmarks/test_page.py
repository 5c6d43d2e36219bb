"""Is the page of a run what the run has measured?"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.figures import Figure
from benchmarks.page import page

ROOT = Path(__file__).parents[2]


def row(figure: Figure) -> list[str]:
    """Cells of the only row that a figure has."""
    lines = page({"some_work": [figure._asdict()]}).splitlines()
    heading = lines.index("## some_work")
    head, under, line = lines[heading + 2 :]
    assert head.count("|") == under.count("|") == line.count("|") == 5
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(
    ("figure", "bound", "bar"),
    [
        (Figure("a", 5.0, "ms"), "", ""),
        (Figure("a", 5.0, "ms", limit=10.0), "<= 10 ms", f"`{'#' * 10}{'.' * 10}`"),
        (Figure("a", 10.0, "ms", limit=10.0), "<= 10 ms", f"`{'#' * 20}`"),
        (Figure("a", 10.01, "ms", limit=10.0), "<= 10 ms", f"`{'#' * 20}` **missed**"),
        (Figure("a", -1.0, "ms", limit=10.0), "<= 10 ms", f"`{'.' * 20}`"),
        (Figure("a", 0.0, "", limit=0.0), "<= 0", f"`{'.' * 20}`"),
        (Figure("a", 1.0, "", limit=0.0), "<= 0", f"`{'#' * 20}` **missed**"),
        (Figure("a", 2.0, "GB/s", 1.0, at_least=True), ">= 1 GB/s", f"`{'#' * 20}`"),
        (
            Figure("a", 0.5, "GB/s", 1.0, at_least=True),
            ">= 1 GB/s",
            f"`{'#' * 10}{'.' * 10}` **missed**",
        ),
    ],
)
def test_bar_is_the_figure_against_its_limit(figure: Figure, bound: str, bar: str) -> None:
    assert row(figure)[2:] == [bound, bar]
    assert ("missed" in bar) is not figure.holds


def test_value_has_its_unit_and_readable_digits() -> None:
    assert row(Figure("ticks", 42_000_000.4, "/s"))[:2] == ["ticks", "42,000,000 /s"]
    assert row(Figure("age", 5.5491, "ms"))[:2] == ["age", "5.55 ms"]
    assert row(Figure("lost", 0.0, ""))[:2] == ["lost", "0"]


def test_benchmark_is_introduced_by_its_question() -> None:
    assert "## memory\n\nHow much memory does a worker take" in page({"memory": []})


def test_benchmark_without_figures_says_so() -> None:
    assert "Not measured in this run." in page({"published_adapter": []})


def test_page_is_made_of_the_last_line_of_a_run(tmp_path: Path) -> None:
    run = tmp_path / "run.json"
    document = {
        "first": [Figure("age", 1.25, "ms", 5.0)._asdict()],
        "second": [Figure("lost", 0.0, "", 0.0)._asdict()],
    }
    run.write_text(f"first ...\n{{a table}}\n{json.dumps(document)}\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "benchmarks.page", run, tmp_path / "page.md"], cwd=ROOT, check=True
    )
    written = (tmp_path / "page.md").read_text("utf-8")
    assert written == page(document)
    assert [line for line in written.splitlines() if line.startswith("## ")] == [
        "## Beside the published adapter",
        "## first",
        "## second",
    ]
