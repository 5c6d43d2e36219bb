"""Does the page of the simulated terminal name all that scenarios and scripts can say?"""

from pathlib import Path

import msgspec
import pytest

from tradingview_scraper.adapters.mt5.simulator.control import Control
from tradingview_scraper.adapters.mt5.simulator.market.catalogue import PriceModel
from tradingview_scraper.adapters.mt5.simulator.scenario import built_in_names
from tradingview_scraper.adapters.mt5.simulator.schema import (
    AccountSpec,
    BrokerSpec,
    ClockSpec,
    PricesSpec,
    TerminalSpec,
)
from tradingview_scraper.adapters.mt5.simulator.terminal.timetable import VERBS

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text("utf-8")


def test_every_verb_is_on_the_page():
    verbs = {name for name in vars(Control) if not name.startswith("_")}
    assert verbs >= VERBS
    assert [name for name in sorted(verbs) if f"`{name}" not in PAGE] == []


@pytest.mark.parametrize(
    "table", [AccountSpec, ClockSpec, PricesSpec, BrokerSpec, TerminalSpec, PriceModel]
)
def test_every_field_is_on_the_page(table):
    names = [field.name for field in msgspec.structs.fields(table)]
    assert [name for name in names if f"| `{name}` |" not in PAGE] == []


def test_every_built_in_scenario_is_on_the_page():
    assert [name for name in built_in_names() if f"`{name}`" not in PAGE] == []
