"""Does the configuration page say what the classes say: every field, default and unit?"""

import re
from pathlib import Path

import msgspec
import pytest
from nautilus_trader.live.config import RoutingConfig

from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5GuardsConfig,
    MT5InstrumentProviderConfig,
    MT5QualityConfig,
)
from tradingview_scraper.adapters.mt5.simulator.library.attach import PATH_VARIABLE
from tradingview_scraper.adapters.mt5.terminal.config import ENVIRONMENT, MT5TerminalConfig

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")
CONFIGS = [
    MT5TerminalConfig,
    MT5InstrumentProviderConfig,
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5GuardsConfig,
    MT5QualityConfig,
]
#: How a page writes a default that is a configuration of its own.
NESTED = (*CONFIGS, RoutingConfig)
UNITS = {"_secs": "s", "_ms": "ms", "_lots": "lots", "_points": "points", "_weeks": "weeks"}


def table(heading: str, page: str = PAGE) -> list[list[str]]:
    """The rows of the table under a heading, a list of cells each."""
    section = re.split(r"^## ", page.split(f"\n## {heading}\n", 1)[1], flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| `.*\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in row[1:-1].split("|")] for row in rows]


def written(field: msgspec.inspect.Field) -> str:
    """A field's default as the page has it."""
    if field.required:
        return "required"
    if isinstance(field.default, NESTED):
        assert field.default == type(field.default)()
        return f"`{type(field.default).__name__}()`"
    if isinstance(field.default, str):
        return f'`"{field.default}"`'
    return f"`{field.default!r}`"


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_every_field_is_on_the_page_with_its_default(config):
    expected = {field.name: written(field) for field in msgspec.structs.fields(config)}
    rows = table(config.__name__)
    found = {row[0].strip("`"): row[1] for row in rows}
    assert found == expected, f"docs/configuration.md, {config.__name__}: see the difference"
    assert len(rows) == len(found), "a field is there twice"


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_every_row_has_its_unit_and_a_meaning(config):
    for row in table(config.__name__):
        assert len(row) == 4, row
        name, _, unit, meaning = row
        for suffix, expected in UNITS.items():
            if name.strip("`").endswith(suffix):
                assert unit == expected, name
        assert len(meaning) > 10, name


def test_environment_variables_are_on_the_page():
    found = {row[1].strip("`"): row[0].strip("`") for row in table("Environment variables")}
    assert found == dict(ENVIRONMENT)
    assert f"`{PATH_VARIABLE}`" in PAGE
