"""Which ticks were recorded? Files in the terminal's export format, of Parquet, or raw arrays.

``.csv`` is what the terminal's "Export Ticks" writes: tabs, CRLF, a blank field is unchanged.
``.parquet`` has columns named like the fields of a tick, of which ``time_msc`` is needed (it wants
pyarrow). ``.npy`` holds an array that ``copy_ticks_*`` gave, as `numpy.save` writes it.
"""

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from tradingview_scraper.adapters.mt5.simulator.market.ticks import fill_flags
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario
from tradingview_scraper.adapters.mt5.simulator.schema import ScenarioError
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

_HEADER: Final = ("<DATE>", "<TIME>", "<BID>", "<ASK>", "<LAST>", "<VOLUME>", "<FLAGS>")


def recorded_ticks(scenario: Scenario, began_msc: int) -> dict[str, Rows]:
    """The ticks of the symbols that have a file, ascending (`TICK_DTYPE`).

    With ``replay = "start"`` the earliest of all files happens at `began_msc` (server time).
    Raises `ScenarioError` for a file that cannot be used.
    """
    found = {spec.name: read_ticks(spec.ticks) for spec in scenario.symbols if spec.ticks}
    if scenario.prices.replay == "start" and any(map(len, found.values())):
        first = min(int(rows["time_msc"][0]) for rows in found.values() if len(rows))
        for rows in found.values():
            rows["time_msc"] += began_msc - first
            rows["time"] = rows["time_msc"] // 1000
    return found


def read_ticks(file: Path) -> Rows:
    """The ticks of a file, ascending. Raises `ScenarioError` that names the file and the line."""
    readers = {".csv": _from_csv, ".parquet": _from_parquet, ".npy": _from_npy}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise ScenarioError(f"{file}: expected ticks in one of {', '.join(readers)}")
    try:
        rows = reader(file)
    except OSError as error:
        raise ScenarioError(f"{file}: {error.strerror or error}") from None
    back = np.flatnonzero(rows["time_msc"][1:] < rows["time_msc"][:-1])
    if len(back):
        raise ScenarioError(
            f"{file}: expected ticks in ascending order, tick {int(back[0]) + 2} is earlier "
            f"than the one before it"
        )
    rows["time"] = rows["time_msc"] // 1000
    fill_flags(rows, None)
    return rows


def _from_csv(file: Path) -> Rows:
    raw = file.read_bytes()
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        lines = raw.decode(encoding).splitlines()
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{file}: not text: {error}") from None
    header = tuple(lines[0].split("\t")) if lines else ()
    if header not in (_HEADER, _HEADER[:-1]):
        raise ScenarioError(f"{file}, line 1: expected {' '.join(_HEADER)}, got {lines[:1]}")
    rows = np.zeros(len(lines) - 1, dtype=TICK_DTYPE)
    bid = ask = last = 0.0
    days: dict[str, int] = {}
    values: list[tuple[float, ...]] = []
    for number, line in enumerate(lines[1:], 2):
        try:
            date, time, bids, asks, lasts, volume, *flags = line.split("\t")
            day = days.get(date)
            if day is None:
                moment = datetime.strptime(date, "%Y.%m.%d").replace(tzinfo=UTC)
                day = days[date] = int(moment.timestamp()) * 1000
            msc = day + _msc_of_day(time)
            bid = float(bids) if bids else bid
            ask = float(asks) if asks else ask
            last = float(lasts) if lasts else last
            traded = float(volume) if volume else 0.0
            flag = int(flags[0]) if flags and flags[0] else 0
        except (ValueError, IndexError) as error:
            raise ScenarioError(f"{file}, line {number}: not a tick: {error}") from None
        values.append((msc // 1000, bid, ask, last, int(traded), msc, flag, traded))
    rows[:] = values
    return rows


def _msc_of_day(time: str) -> int:
    hours, minutes, seconds = time.split(":")
    whole, _, part = seconds.partition(".")
    msc = int(part.ljust(3, "0")[:3]) if part else 0
    return ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 1000 + msc


def _from_parquet(file: Path) -> Rows:
    try:
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError:
        raise ScenarioError(f"{file}: Parquet needs pyarrow: pip install pyarrow") from None
    try:
        table = parquet.read_table(file)
    except (ValueError, KeyError) as error:
        raise ScenarioError(f"{file}: not Parquet: {error}") from None
    names = set(table.column_names)
    if "time_msc" not in names:
        raise ScenarioError(f"{file}: expected a column time_msc, got {', '.join(sorted(names))}")
    rows = np.zeros(table.num_rows, dtype=TICK_DTYPE)
    for field in TICK_DTYPE.names or ():
        if field in names:
            rows[field] = table.column(field).to_numpy()
    if "volume_real" not in names:
        rows["volume_real"] = rows["volume"]
    return rows


def _from_npy(file: Path) -> Rows:
    try:
        rows = np.load(file, allow_pickle=False)
    except ValueError as error:
        raise ScenarioError(f"{file}: not an array: {error}") from None
    if rows.dtype != TICK_DTYPE or rows.ndim != 1:
        raise ScenarioError(f"{file}: expected an array of copy_ticks_*, got {rows.dtype}")
    return np.array(rows)
