"""Is every table of the pages drawn as one?

A blank line in a table, or a bar too many in a row, and the rest of it is shown as text.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
_CODE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_RULE = re.compile(r"\|(\s*:?-+:?\s*\|)+")
_BAR = re.compile(r"(?<!\\)\|")


def broken_rows(text: str) -> list[str]:
    """The rows that are not drawn, or not with the cells of their table's head."""
    broken, table = [], []
    for line in [*_CODE.sub("", text).splitlines(), ""]:
        row = line.strip()
        if row.startswith("|"):
            table.append(row)
            continue
        if table:
            if len(table) < 3 or not _RULE.fullmatch(table[1]):
                broken += table
            else:
                bars = len(_BAR.findall(table[0]))
                broken += [one for one in table if len(_BAR.findall(one)) != bars]
        table = []
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_row_belongs_to_a_table(page):
    assert broken_rows(page.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("| a | b |\n|---|---|\n| 1 | 2 |\n", []),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\n| 3 | 4 |\n", ["| 3 | 4 |"]),
        ("| a | b |\n|---|---|\n| 1 | 2 | 3 |\n", ["| 1 | 2 | 3 |"]),
        ("| a | b |\n|---|---|\n| 1 \\| 2 | 3 |\n", []),
        ("```\n| no table |\n```\n", []),
    ],
)
def test_row_outside_a_table_is_noticed(text, broken):
    assert broken_rows(text) == broken
