"""Archive to catalog: the same objects as live, once, on numbers that this machine reads."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nautilus_trader.model.data import Bar, QuoteTick
from nautilus_trader.model.identifiers import Venue

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.files import ArchiveError
from tradingview_scraper.adapters.mt5.archive.periods import Series, day_at, month_at
from tradingview_scraper.adapters.mt5.archive.terms import Terms
from tradingview_scraper.adapters.mt5.nautilus_v1 import catalog as catalog_module
from tradingview_scraper.adapters.mt5.nautilus_v1.catalog import (
    PRICE_BYTES,
    archive_listing,
    open_catalog,
    write_instrument,
    write_series,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.ticks import quote_ticks
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE

MONDAY = 1_741_564_800
TICKS, HOURS = Series("EURUSD", None), Series("EURUSD", Timeframe.H1)
NEW_YORK = ZoneRule.parse("America/New_York+7h")


def _ticks(count: int) -> Any:
    rows = np.zeros(count, TICK_DTYPE)
    rows["time_msc"] = MONDAY * 1000 + 250 * np.arange(count)
    rows["time"] = rows["time_msc"] // 1000
    rows["bid"] = 1.08 + np.arange(count) % 7 * 1e-5
    rows["ask"], rows["flags"] = rows["bid"] + 1e-4, 6
    return rows


@pytest.fixture
def archive(tmp_path: Path, info_of) -> Archive:
    made = Archive(tmp_path / "archive")
    made.claim("Some-Demo", NEW_YORK)
    made.put_symbol(info_of("EURUSD"), 10**18)
    made.put_terms(Terms(currency="USD", currency_digits=2, leverage=100, margin_mode=2,
                         margin_so_mode=0, margin_so_call=50.0, margin_so_so=30.0))  # fmt: skip
    made.put(TICKS, day_at(MONDAY), _ticks(40), complete=False, source="terminal")
    rates = np.zeros(3, RATE_DTYPE)
    rates["time"] = MONDAY + 3_600 * np.arange(3)
    for field in ("open", "high", "low", "close"):
        rates[field] = 1.08
    made.put(HOURS, month_at(MONDAY), rates, complete=False, source="terminal")
    return made


def _dicts(quotes: list[QuoteTick]) -> list[dict[str, Any]]:
    # Comparing a quote of Rust's reader with one of Cython aborts the process [measured].
    return [QuoteTick.to_dict(quote) for quote in quotes]


def _build(archive: Archive, folder: Path) -> tuple[Any, list[tuple[int, int]]]:
    catalog = open_catalog(folder)
    known = archive_listing(archive, "EURUSD", venue=Venue("MT5"))
    write_instrument(catalog, known.instrument)
    built = [write_series(catalog, archive, series, known) for series in (TICKS, HOURS)]
    return catalog, [(one.written, one.kept) for one in built]


def test_catalog_holds_what_live_would_have_said(archive: Archive, tmp_path: Path) -> None:
    catalog, _ = _build(archive, tmp_path / "c")
    (instrument,) = catalog.instruments()
    known = archive_listing(archive, "EURUSD", venue=Venue("MT5"))
    assert type(instrument).to_dict(instrument) == type(instrument).to_dict(known.instrument)
    live = quote_ticks(
        _ticks(40),
        instrument_id=known.instrument.id,
        price_precision=5,
        size=known.instrument.lot_size,
        zone=NEW_YORK,
    ).ticks
    assert _dicts(catalog.query(QuoteTick)) == _dicts(live)
    found = catalog.query(Bar)
    assert [bar.ts_event for bar in found] == [
        NEW_YORK.utc_ns((MONDAY + hour * 3_600) * 1000) for hour in (1, 2, 3)
    ]
    assert str(found[0].bar_type) == "EURUSD.MT5-1-HOUR-BID-EXTERNAL"


def test_building_again_changes_nothing_and_what_grew_is_replaced(
    archive: Archive, tmp_path: Path
) -> None:
    _, first = _build(archive, tmp_path / "c")
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "c").rglob("*.parquet")}
    _, second = _build(archive, tmp_path / "c")
    assert (first, second) == ([(1, 0), (1, 0)], [(0, 1), (0, 1)])
    assert files == {file: file.stat().st_mtime_ns for file in (tmp_path / "c").rglob("*.parquet")}
    archive.put(TICKS, day_at(MONDAY), _ticks(90), complete=True, source="terminal")
    catalog, third = _build(archive, tmp_path / "c")
    assert third == [(1, 0), (0, 1)]
    fresh, _ = _build(archive, tmp_path / "fresh")
    assert _dicts(catalog.query(QuoteTick)) == _dicts(fresh.query(QuoteTick))
    assert len(catalog.query(QuoteTick)) == 90


#: Written by Nautilus itself, on Windows and on Linux: bits of their numbers.
WRITTEN = {bits: Path(__file__).parents[1] / f"data/catalogs/{bits}-bit" for bits in (64, 128)}


@pytest.mark.parametrize(("written", "machine"), [(64, 128), (128, 64)])
def test_catalog_of_the_other_numbers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int, machine: int
) -> None:
    """Nautilus' reader would end the process. One of the machines is pretended."""
    monkeypatch.setattr(catalog_module, "PRICE_BYTES", machine // 8)
    with pytest.raises(ArchiveError, match=f"{written}-bit numbers.* reads {machine}-bit ones"):
        open_catalog(WRITTEN[written])
    # Also where all other series are this machine's.
    shutil.copytree(WRITTEN[machine] / "data/quote_tick", tmp_path / "data/quote_tick")
    open_catalog(tmp_path)
    shutil.copytree(WRITTEN[written] / "data/bar", tmp_path / "data/bar")
    with pytest.raises(ArchiveError, match=r"in EURUSD\.MT5-1-HOUR-BID-EXTERNAL"):
        open_catalog(tmp_path)


def test_catalog_of_a_machine_like_this_one_is_read() -> None:
    catalog = open_catalog(WRITTEN[PRICE_BYTES * 8])
    assert [str(quote.bid_price) for quote in catalog.query(QuoteTick)] == [
        "1.08000", "1.08001", "1.08002",
    ]  # fmt: skip
    assert [str(bar.close) for bar in catalog.query(Bar)] == ["1.08010"] * 2


def test_what_has_no_numbers_of_a_width_can_be_read_anywhere(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = archive_listing(archive, "EURUSD", venue=Venue("MT5"))
    write_instrument(open_catalog(tmp_path / "c"), known.instrument)
    monkeypatch.setattr(catalog_module, "PRICE_BYTES", 24 - PRICE_BYTES)
    assert len(open_catalog(tmp_path / "c").instruments()) == 1


def test_symbol_without_its_info_says_how_to_get_it(archive: Archive) -> None:
    with pytest.raises(ArchiveError, match="mt5 download GBPUSD --no-ticks"):
        archive_listing(archive, "GBPUSD", venue=Venue("MT5"))
