"""Rows for archives, and archives of simulated terminals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE

NEW_YORK = ZoneRule.parse("America/New_York+7h")

#: Server seconds of Monday, 2025-03-10.
MONDAY = 1_741_564_800


def ticks(*times_msc: int, bid: float = 1.1) -> Any:
    rows = np.zeros(len(times_msc), TICK_DTYPE)
    rows["time_msc"] = times_msc
    rows["time"] = rows["time_msc"] // 1000
    rows["bid"], rows["ask"], rows["flags"] = bid, bid + 0.0001, 6
    return rows


def rates(*opened: int) -> Any:
    rows = np.zeros(len(opened), RATE_DTYPE)
    rows["time"] = opened
    rows["tick_volume"] = 1
    for field in ("open", "high", "low", "close"):
        rows[field] = 1.1
    return rows


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path / "archive")
    made.claim("Some-Demo", NEW_YORK)
    return made


@pytest.fixture
def make_ticks():
    return ticks


@pytest.fixture
def make_rates():
    return rates
