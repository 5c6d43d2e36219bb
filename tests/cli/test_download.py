"""``mt5 download``: whole, resumable, incremental, and honest about what the terminal lacks."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tradingview_scraper.adapters.mt5.simulator as library
from tests.library import LIBRARY
from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.download import State, Wish, download
from tradingview_scraper.adapters.mt5.archive.patience import Patience
from tradingview_scraper.adapters.mt5.archive.periods import Series, seconds_of
from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.simulator.control import Control
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, Timeframe

pytestmark = pytest.mark.timeout(180)

FIRST = seconds_of("2025-03-07")


def _at(control: Control) -> tuple[str, ...]:
    return ("--path", control.path, "--module", LIBRARY)


def _digest(root: Path) -> dict[str, str]:
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*.parquet"))
    }


def _ticks(archive: Archive, symbol: str) -> Any:
    return np.concatenate(list(archive.rows(Series(symbol, None), 0, 2**40)))


def _download(control: Control, archive: Archive, wish: Wish, patience: Patience | None = None):
    async def run() -> Any:
        client = MT5Client(MT5TerminalConfig(path=control.path, module=LIBRARY))
        await client.connect()
        try:
            return await download(client, archive, wish, read_at_ns=1, patience=patience)
        finally:
            await client.disconnect()

    return asyncio.run(run())


def test_archive_holds_what_the_terminal_holds(small: Control, mt5, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "a")
    status, document, _ = mt5(
        "download", "EUR/USD*", *("--bars", "M1", "--bars", "D1", "--from", "2025-03-07"),
        *("--archive", archive.root), *_at(small),
    )  # fmt: skip
    assert status == 0 and document["missing"] == []
    library.initialize(small.path)
    try:
        wanted = library.copy_ticks_range("EUR/USD*", FIRST, 2**31 - 1, int(CopyTicks.ALL))
        minutes = library.copy_rates_range("EUR/USD*", 1, seconds_of("2025-03-01"), 2**31 - 1)
    finally:
        library.shutdown()
    assert len(wanted) > 1000
    assert _ticks(archive, "EUR/USD*").tobytes() == wanted.tobytes()
    (month,) = archive.parts(Series("EUR/USD*", Timeframe.M1))
    assert archive.read(month).tobytes() == minutes[:-1].tobytes(), "the last one is forming"
    assert archive.symbol("EUR/USD*") is not None
    terms = archive.terms()
    assert terms is not None and terms.leverage == 100
    assert "5001234" not in "".join(
        file.read_text("utf-8") for file in archive.root.rglob("*.json")
    )


def test_next_run_asks_for_nothing_that_is_complete(small: Control, tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    wish = Wish(("EURUSD",), timeframes=(Timeframe.H1,))
    _download(small, archive, wish._replace(first=FIRST))
    before = _digest(tmp_path)
    small.advance(86_400.0)
    calls = small.stats()["calls"]["copy_ticks_range"]
    report = _download(small, archive, wish)
    states = [one.state for one in report.outcomes if one.series.timeframe is None]
    assert states == [State.COMPLETE, State.OPEN], "the day that was open, and the new one"
    assert small.stats()["calls"]["copy_ticks_range"] == calls + 2 * 4
    after = _digest(tmp_path)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {
        "ticks/EURUSD/2025/2025-03-12.parquet",
        "ticks/EURUSD/2025/2025-03-13.parquet",
        "bars/EURUSD/H1/2025-03.parquet",
    }
    whole = Archive(tmp_path / "once")
    _download(small, whole, wish._replace(first=FIRST))
    assert _ticks(whole, "EURUSD").tobytes() == _ticks(archive, "EURUSD").tobytes()


def test_killed_download_goes_on_where_it_was(small: Control, mt5, tmp_path: Path) -> None:
    wanted = ("EURUSD", "USDJPY", "--from", "2025-03-05", *_at(small))
    # Each answer comes late, so that the kill comes in the middle.
    small.slow(0.1, "copy_ticks_range")
    process = subprocess.Popen(
        [sys.executable, "-m", "tradingview_scraper.adapters.mt5", "download", *wanted,
         "--archive", str(tmp_path / "cut")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(_digest(tmp_path / "cut")) < 2:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait(30)
    small.slow(0.0, "copy_ticks_range")
    cut = len(_digest(tmp_path / "cut"))
    assert mt5("download", *wanted, "--archive", tmp_path / "cut")[0] == 0
    assert mt5("download", *wanted, "--archive", tmp_path / "whole")[0] == 0
    assert cut < len(_digest(tmp_path / "whole"))
    assert _digest(tmp_path / "cut") == _digest(tmp_path / "whole")


@pytest.mark.parametrize("meanwhile", ["none", "short"])
def test_synchronising_terminal_is_waited_for(
    small: Control, tmp_path: Path, meanwhile: str
) -> None:
    async def pass_time(seconds: float) -> None:
        await asyncio.to_thread(small.advance, seconds)

    whole, late = Archive(tmp_path / "whole"), Archive(tmp_path / "late")
    wish = Wish(("EURUSD",), first=FIRST, last=seconds_of("2025-03-11") - 1)
    _download(small, whole, wish)
    small.delay_history(6.0, meanwhile)  # type: ignore[arg-type]
    report = _download(small, late, wish, Patience(sleep=pass_time))
    assert report.is_whole
    assert _digest(late.root) == _digest(whole.root)


def test_call_that_fails_for_ever_is_reported_and_the_rest_is_read(
    small: Control, tmp_path: Path
) -> None:
    where = {"symbol": "USDJPY"}
    small.fault("answer", "copy_ticks_range", code=-1, where=where)
    archive = Archive(tmp_path)
    wish = Wish(("EURUSD", "USDJPY"), first=seconds_of("2025-03-11"))
    report = _download(small, archive, wish, Patience(pauses=()))
    states = {(one.series.symbol, one.state) for one in report.outcomes}
    assert ("EURUSD", State.OPEN) in states and ("USDJPY", State.FAILED) in states
    assert not report.is_whole
    small.clear_faults()
    assert _download(small, archive, wish, Patience(pauses=())).is_whole


def test_history_that_begins_later_than_asked_is_said(small: Control, tmp_path: Path) -> None:
    wish = Wish(("EURUSD",), first=seconds_of("2025-01-01"))
    report = _download(small, Archive(tmp_path), wish, Patience(pauses=()))
    assert report.is_whole
    assert any("begins on 2025-03-04" in note for note in report.notes)


def test_misspelt_symbol_gets_suggestions(small: Control, mt5, tmp_path: Path) -> None:
    status, document, said = mt5("download", "eurusd", "--archive", tmp_path, *_at(small))
    assert status == 2 and "EURUSD" in document["error"] and "did you mean" in said


def test_archive_is_checked_without_a_terminal(mt5, tmp_path: Path) -> None:
    assert mt5("download", "--check", "--archive", tmp_path)[0] == 2
