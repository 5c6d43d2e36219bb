"""Does every error text on the page still exist in the code, and is every code on the page?"""

import ast
import re
from pathlib import Path

import pytest

import tradingview_scraper.adapters.mt5 as package
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome, describe, outcome
from tradingview_scraper.adapters.mt5.terminal.constants import (
    ResultCode,
    TradeAction,
    TradeRetcode,
)

ROOT = Path(package.__file__).parent
PAGE = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text("utf-8")
#: Stands for a value that a text is formatted with.
_VALUE = "\x00"
_LIBRARY, _SERVER = "Codes of the library", "Codes of the trade server"


def sections() -> dict[str, list[list[str]]]:
    """The rows of each section's table, a list of cells each."""
    found = {}
    for section in PAGE.split("\n## ")[1:]:
        heading, body = section.split("\n", 1)
        rows = [line[2:-2].split(" | ") for line in body.splitlines() if line.startswith("| ")]
        found[heading] = rows[1:]
    return found


def texts(folder: Path) -> list[str]:
    """Every text of the code below `folder`, no docstrings; `_VALUE` where a value is put in."""
    return [text for file in folder.rglob("*.py") for text in _texts_of(file.read_text("utf-8"))]


def _texts_of(code: str) -> list[str]:
    tree = ast.parse(code)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(map(_text_of, node.values)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [node.value] if id(node) not in docstrings else []
    return found


def _text_of(part: ast.expr) -> str:
    return part.value if isinstance(part, ast.Constant) else _VALUE


def exists(quoted: str, among: list[str]) -> bool:
    """Is there a text with these words, where ``...`` stands for anything?"""
    pieces = [re.escape(piece.strip()) for piece in quoted.split("...")]
    pattern = re.compile(".*".join(pieces), re.DOTALL)
    return any(pattern.search(text) for text in among)


def quoted_texts() -> list[str]:
    return [
        row[0].strip("`")
        for heading, rows in sections().items()
        if heading not in (_LIBRARY, _SERVER)
        for row in rows
        if row[0].startswith("`")
    ]


@pytest.fixture(scope="module")
def ours() -> list[str]:
    return texts(ROOT)


def test_every_quoted_text_is_in_the_code(ours):
    missing = []
    for quoted in quoted_texts():
        code, _, rest = quoted.partition(": ")
        # A reason's code and its words may come from two places.
        parts = (code, rest) if re.fullmatch("[A-Z_]+", code) and rest else (quoted,)
        if not exists(quoted, ours) and not all(exists(part, ours) for part in parts):
            missing.append(quoted)
    assert missing == [], "docs/troubleshooting.md quotes texts that the code has no more"


def test_a_text_that_is_not_in_the_code_is_found_out(ours):
    assert not exists("the terminal has ... wheels", ours)
    assert exists("expected account ..., the terminal is on ...", ours)


def test_there_is_something_to_test():
    assert len(quoted_texts()) > 40


def test_every_code_of_the_library_is_there_with_its_text():
    known = texts(ROOT / "simulator")
    found = set()
    for row in sections()[_LIBRARY]:
        code, text = re.fullmatch(r"`\((-\d+), '(.*)'\)`", row[0]).groups()
        found.add(int(code))
        text = text.removeprefix("IPC initialize failed, ")
        assert exists(text, known), text
    assert found == {code.value for code in ResultCode if code < 0}


def test_every_code_of_a_trade_server_is_there_with_its_outcome():
    found = {row[0].strip("`"): row[1] for row in sections()[_SERVER]}
    verdicts = {code: outcome(TradeAction.DEAL, code) for code in TradeRetcode}
    assert found == {
        describe(code): verdict.lower()
        for code, verdict in verdicts.items()
        if verdict is not Outcome.ACCEPTED
    }
