"""``mt5 import``: from the options to the exit status."""

from pathlib import Path

import pytest

HEAD = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>"
LINES = [
    "2025.03.10\t23:59:59.100\t0.84010\t0.84025\t\t\t6",
    "2025.03.11\t00:00:00.000\t0.84012\t0.84027\t\t\t6",
]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "EURGBP_202503100000_202503112359.csv"
    path.write_bytes("".join(f"{line}\r\n" for line in [HEAD, *LINES]).encode())
    return path


def test_export_is_in_the_archive_once_however_often_it_is_imported(mt5, export: Path) -> None:
    archive = export.parent / "archive"
    for _ in range(2):
        status, document, said = mt5("import", export, "--archive", archive)
        assert status == 0
        (done,) = document["imported"]
        assert (done["symbol"], done["kind"], done["files"], done["rows"]) == (
            "EURGBP", "ticks", 2, 2,
        )  # fmt: skip
        assert "2 rows now" in said


@pytest.mark.parametrize("is_known", [False, True], ids=["new archive", "archive with a zone"])
def test_zone_auto_is_refused_because_a_file_has_no_live_ticks(
    mt5, export: Path, is_known: bool
) -> None:
    archive = export.parent / "archive"
    if is_known:
        assert mt5("import", export, "--archive", archive, "--zone", "UTC+2")[0] == 0
    before = {path: path.read_bytes() for path in archive.rglob("*") if path.is_file()}
    status, document, said = mt5("import", export, "--archive", archive, "--zone", "auto")
    assert status == 2
    for text in (document["error"], said):
        assert "a file has none" in " ".join(text.split())
        assert "America/New_York+7h" in text
    assert {path: path.read_bytes() for path in archive.rglob("*") if path.is_file()} == before


def test_another_zone_than_the_archives_is_refused(mt5, export: Path) -> None:
    archive = export.parent / "archive"
    assert mt5("import", export, "--archive", archive, "--zone", "UTC+2")[0] == 0
    status, document, _ = mt5("import", export, "--archive", archive, "--zone", "UTC+3")
    assert status == 2 and "UTC+02:00, not as UTC+03:00" in document["error"]
    assert mt5("import", export, "--archive", archive)[0] == 0


def test_a_file_that_does_not_say_its_symbol_needs_it(mt5, export: Path) -> None:
    nameless = export.rename(export.with_name("ticks.csv"))
    wanted = ("import", nameless, "--archive", export.parent / "archive")
    status, document, _ = mt5(*wanted)
    assert status == 2 and "pass --symbol" in document["error"]
    assert mt5(*wanted, "--symbol", "EURGBP")[0] == 0
