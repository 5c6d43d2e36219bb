"""What is put into an archive, and what comes out again."""

import os
from pathlib import Path

import pytest

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.checking import check
from tradingview_scraper.adapters.mt5.archive.files import UNFINISHED, ArchiveError
from tradingview_scraper.adapters.mt5.archive.periods import Series, day_at, month_at
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.simulator.market.catalogue import CATALOGUE
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe

MONDAY = 1_741_564_800
DAY = day_at(MONDAY)
TICKS = Series("EUR/USD", None)
NEW_YORK = ZoneRule.parse("America/New_York+7h")


def test_rows_come_back_bit_by_bit(archive: Archive, make_ticks) -> None:
    rows = make_ticks(
        MONDAY * 1000 + 1, MONDAY * 1000 + 1, MONDAY * 1000 + 2, bid=1.0973600000000001
    )
    part = archive.put(TICKS, DAY, rows, complete=True, source="terminal")
    assert part.path.relative_to(archive.root).as_posix() == (
        "ticks/EUR%2FUSD/2025/2025-03-10.parquet"
    )
    assert archive.read(part).tobytes() == rows.tobytes()
    assert archive.series() == [TICKS]
    assert list(archive.parts(TICKS)) == [part]


def test_unfinished_period_is_completed_and_a_finished_one_stays_so(
    archive: Archive, make_rates
) -> None:
    series, month = Series("EURUSD", Timeframe.M1), month_at(MONDAY)
    whole = make_rates(MONDAY, MONDAY + 60, MONDAY + 120)
    assert not archive.put(series, month, whole[:2], complete=False, source="terminal").complete
    assert archive.put(series, month, whole[1:], complete=True, source="terminal").rows == 3
    again = archive.put(series, month, whole[:1], complete=False, source="export")
    assert again.complete and again.source == "terminal+export"
    assert archive.read(again).tobytes() == whole.tobytes()


def test_rows_of_another_day_or_out_of_order_are_refused(archive: Archive, make_ticks) -> None:
    for rows in (make_ticks(MONDAY * 1000 - 1), make_ticks(MONDAY * 1000 + 5, MONDAY * 1000)):
        with pytest.raises(ValueError):
            archive.put(TICKS, DAY, rows, complete=True, source="terminal")
    assert list(archive.parts(TICKS)) == []


def test_failed_write_leaves_the_old_file_and_no_other(
    archive: Archive, make_ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make_ticks(MONDAY * 1000)
    part = archive.put(TICKS, DAY, old, complete=False, source="terminal")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full_disk)
        with pytest.raises(OSError):
            archive.put(TICKS, DAY, make_ticks(MONDAY * 1000 + 9), complete=True, source="terminal")
    assert archive.read(part).tobytes() == old.tobytes()
    assert [file.name for file in part.path.parent.iterdir()] == [part.path.name]


def test_leftovers_of_a_kill_are_no_parts_and_are_cleared(archive: Archive, make_ticks) -> None:
    part = archive.put(TICKS, DAY, make_ticks(MONDAY * 1000), complete=True, source="terminal")
    left = part.path.with_name(f"2025-03-11.parquet.99{UNFINISHED}")
    left.write_bytes(b"PAR1")
    assert list(archive.parts(TICKS)) == [part]
    archive.clear_unfinished()
    assert left.exists(), "it may be being written right now"
    os.utime(left, (0, 0))
    archive.clear_unfinished()
    assert not left.exists() and part.path.exists()


def test_history_of_two_servers_does_not_mix(archive: Archive) -> None:
    archive.claim("Some-Demo", NEW_YORK)
    archive.claim("", NEW_YORK)
    with pytest.raises(ArchiveError, match="Other-Live"):
        archive.claim("Other-Live", NEW_YORK)
    with pytest.raises(ArchiveError, match="--zone"):
        archive.claim("Some-Demo", ZoneRule.parse("UTC+2"))


def test_symbols_that_differ_by_case_only_are_refused(archive: Archive, make_ticks) -> None:
    archive.put(Series("EURUSD.a", None), DAY, make_ticks(), complete=True, source="terminal")
    with pytest.raises(ArchiveError, match="upper and lower case"):
        archive.put(Series("EURUSD.A", None), DAY, make_ticks(), complete=True, source="terminal")


def test_symbol_is_kept_anew_when_more_than_its_price_changed(archive: Archive) -> None:
    info = CATALOGUE["EURUSD"].info
    archive.put_symbol(info, 1_700_000_000 * 10**9)
    archive.put_symbol(info._replace(bid=1.2, time=5, select=True), 1_700_000_100 * 10**9)
    assert archive.symbol("EURUSD") == info
    archive.put_symbol(info._replace(swap_long=-9.0), 1_700_000_200 * 10**9)
    assert archive.symbol("EURUSD") == info._replace(swap_long=-9.0)
    assert len(list((archive.root / "instruments" / "EURUSD").iterdir())) == 2
    assert archive.symbol("GBPUSD") is None


def test_check_names_what_is_wrong_and_what_is_missing(archive: Archive, make_ticks) -> None:
    for day in (0, 1, 4):
        at = MONDAY + day * 86_400
        archive.put(TICKS, day_at(at), make_ticks(at * 1000), complete=True, source="terminal")
    found = check(archive, TICKS)
    assert found.is_sound
    assert (found.files, found.rows, found.first_day) == (3, 3, "2025-03-10")
    assert found.gaps == ("2025-03-12", "2025-03-13")
    paths = archive.paths(TICKS)
    paths[0].write_bytes(paths[0].read_bytes()[:-20])
    paths[1].replace(paths[1].with_name("2025-03-13.parquet"))
    found = check(archive, TICKS)
    assert "damaged" in found.trouble and "wrong place" in found.trouble


def test_empty_folder_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="mt5 download"):
        Archive(tmp_path).open()
