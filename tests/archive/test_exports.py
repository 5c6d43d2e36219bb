"""The terminal's own CSV exports."""

from pathlib import Path

import pytest

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.exports import import_export, is_of_ticks, named
from tradingview_scraper.adapters.mt5.archive.files import ArchiveError
from tradingview_scraper.adapters.mt5.archive.periods import Series
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe

TICKS = Series("EURGBP", None)
HEAD = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>"
LINES = [
    "2025.03.10\t23:59:59.100\t0.84010\t0.84025\t\t\t6",
    "2025.03.10\t23:59:59.900\t\t0.84027\t\t\t4",
    "2025.03.11\t00:00:00.000\t0.84012\t\t\t\t2",
    "2025.03.11\t00:00:00.000\t0.84013\t\t\t\t2",
    "2025.03.12\t08:00:00.250\t0.84100\t0.84110\t0.84105\t1.5\t30",
]


def _file(path: Path, lines: list[str], head: str = HEAD) -> Path:
    path.write_bytes("".join(f"{line}\r\n" for line in [head, *lines]).encode())
    return path


def test_blank_side_is_what_it_was(archive: Archive, tmp_path: Path) -> None:
    parts = import_export(archive, TICKS, _file(tmp_path / "a.csv", LINES))
    assert [(part.period.name, part.rows, part.complete) for part in parts] == [
        ("2025-03-10", 2, False),
        ("2025-03-11", 2, True),
        ("2025-03-12", 1, False),
    ]
    rows = archive.read(parts[0])
    assert rows["time_msc"].tolist() == [1_741_651_199_100, 1_741_651_199_900]
    assert rows["bid"].tolist() == [0.84010, 0.84010] and rows["ask"].tolist() == [0.84025, 0.84027]
    assert archive.read(parts[1])["ask"].tolist() == [0.84027, 0.84027]
    last = archive.read(parts[2])[0]
    assert (last["last"], last["volume"], last["volume_real"], last["flags"]) == (
        0.84105, 1, 1.5, 30,
    )  # fmt: skip


def test_overlapping_exports_are_put_together(archive: Archive, tmp_path: Path) -> None:
    import_export(archive, TICKS, _file(tmp_path / "all.csv", LINES))
    whole = [archive.read(part).tobytes() for part in archive.parts(TICKS)]
    import_export(archive, TICKS, _file(tmp_path / "again.csv", LINES[:4]))
    assert [archive.read(part).tobytes() for part in archive.parts(TICKS)] == whole


def test_last_bar_may_be_forming_and_is_left_out(archive: Archive, tmp_path: Path) -> None:
    head = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"
    lines = [
        "2025.03.31\t23:45:00\t1.1\t1.3\t1.0\t1.2\t10\t0\t5",
        "2025.04.01\t00:00:00\t1.2\t1.3\t1.1\t1.25\t11\t0\t6",
        "2025.04.01\t00:15:00\t1.25\t1.3\t1.1\t1.2\t12\t0\t7",
    ]
    series = Series("EURUSD", Timeframe.M15)
    parts = import_export(archive, series, _file(tmp_path / "b.csv", lines, head))
    assert [(part.period.name, part.rows) for part in parts] == [("2025-03", 1), ("2025-04", 1)]
    row = archive.read(parts[1])[0]
    assert row.tolist() == (1_743_465_600, 1.2, 1.3, 1.1, 1.25, 11, 6, 0)


def test_daily_bars_have_no_time(archive: Archive, tmp_path: Path) -> None:
    head = "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"
    lines = [f"2025.03.{day}\t1\t1\t1\t1\t1\t0\t1" for day in (10, 11, 12)]
    series = Series("EURUSD", Timeframe.D1)
    (part,) = import_export(archive, series, _file(tmp_path / "d.csv", lines, head))
    assert archive.read(part)["time"].tolist() == [1_741_564_800, 1_741_651_200]


def test_name_of_the_file_says_what_it_holds() -> None:
    assert named(Path("EURUSD_M15_202501020000_202512312345.csv")) == ("EURUSD", Timeframe.M15)
    assert named(Path("EUR_X_202501020000_202512312345.csv")) == ("EUR_X", None)
    assert named(Path("prices.csv")) == (None, None)


@pytest.mark.parametrize(
    "text", ["", "time,bid,ask\r\n1,2,3", f"{HEAD}\r\nyesterday\t1\t1\t1\t1\t1\t6"]
)
def test_file_that_is_no_export_is_refused(archive: Archive, tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.csv"
    file.write_text(text)
    with pytest.raises(ArchiveError):
        is_of_ticks(file)
        import_export(archive, TICKS, file)


def test_ticks_out_of_order_are_refused(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="ascending"):
        import_export(archive, TICKS, _file(tmp_path / "r.csv", LINES[1::-1]))
