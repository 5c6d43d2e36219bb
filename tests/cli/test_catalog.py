"""``mt5 catalog``, and commands that take a catalog: from the options to the exit status."""

import shutil
from pathlib import Path

import pytest

from tests.library import LIBRARY
from tradingview_scraper.adapters.mt5.nautilus_v1.catalog import PRICE_BYTES
from tradingview_scraper.adapters.mt5.simulator.control import Control

OTHER = 192 - PRICE_BYTES * 8
WRITTEN = Path(__file__).parents[1] / f"data/catalogs/{OTHER}-bit"
EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.timeout(120)


def test_catalog_of_the_other_kind_of_machine_is_refused_by_every_command(
    small: Control, mt5, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES)
    archive, folder = tmp_path / "history", tmp_path / "catalog"
    terminal = ("--path", small.path, "--module", LIBRARY)
    mt5("download", "EURUSD", "--from", "2025-03-12", "--archive", archive, *terminal)
    shutil.copytree(WRITTEN, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    for command in (
        ("catalog", "EURUSD", "--archive", archive),
        ("backtest", "pulse:Pulse", "EURUSD", "--archive", archive, "--config", "pulse.toml"),
        ("instruments", "EURUSD", *terminal),
    ):
        status, document, said = mt5(*command, "--catalog", folder)
        assert status == 2, command
        assert f"{OTHER}-bit numbers" in document["error"]
        assert "build the catalog here, from the archive" in document["error"]
        assert "build the catalog" in " ".join(said.split())
    assert {path: path.read_bytes() for path in folder.rglob("*.parquet")} == before
    status, document, _ = mt5("catalog", "--archive", archive, "--catalog", tmp_path / "own")
    assert status == 0 and document["series"][0]["written"] == 1
