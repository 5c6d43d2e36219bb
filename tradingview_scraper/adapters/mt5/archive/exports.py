"""What is in a CSV file that the terminal's Symbols window exported? Ticks or bars, as raw rows.

Tab-separated with a header in angle brackets [recorded]. In ticks a side that did not change is
blank; the library's ticks carry it, so it is filled with what it was. Times are the server's.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from tradingview_scraper.adapters.mt5.archive.archive import Archive, Part
from tradingview_scraper.adapters.mt5.archive.files import ArchiveError
from tradingview_scraper.adapters.mt5.archive.periods import Period, Series
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE

_TICKS: Final = ("<DATE>", "<TIME>", "<BID>", "<ASK>", "<LAST>", "<VOLUME>", "<FLAGS>")
_BARS: Final = (
    *("<DATE>", "<TIME>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>"),
    *("<TICKVOL>", "<VOL>", "<SPREAD>"),
)
#: Daily bars and above have no time.
_DAILY: Final = tuple(name for name in _BARS if name != "<TIME>")
#: ``EURUSD_M15_202501020000_202512312345.csv``, and without the timeframe for ticks.
_NAME: Final = re.compile(r"(?P<symbol>.+?)(?:_(?P<timeframe>[A-Z]+\d+))?(?:_\d{12}){2}")
_BLOCK: Final = 16 << 20


class Named(NamedTuple):
    """What the name of an export says; None where it says nothing."""

    symbol: str | None
    timeframe: Timeframe | None


def named(file: Path) -> Named:
    """Symbol and timeframe by the terminal's own naming of the file."""
    match = _NAME.fullmatch(file.stem)
    if match is None:
        return Named(None, None)
    return Named(match["symbol"], Timeframe.__members__.get(match["timeframe"] or ""))


def is_of_ticks(file: Path) -> bool:
    """The file holds ticks, not bars. Raises `ArchiveError` for a file that is no export."""
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        header = tuple(lines.readline().rstrip("\r\n").split("\t"))
    if header == _TICKS:
        return True
    if header in (_BARS, _DAILY):
        return False
    raise ArchiveError(
        f"{file} must begin with the header of the terminal's export, "
        f"{' '.join(_TICKS)} or {' '.join(_BARS)}, was {' '.join(header)[:80]!r}"
    )


def import_export(archive: Archive, series: Series, file: Path) -> list[Part]:
    """Put the rows of an export into an archive; the parts that they are in now.

    Days (months) between the first and the last of the file are complete; these two may go on in
    another file. The last bar is left out: it may have been forming. Raises `ArchiveError`.
    """
    parts: list[Part] = []
    rest: Rows | None = None
    begun: Period | None = None
    for rows in _blocks(file, series):
        rest = rows if rest is None else np.concatenate((rest, rows))
        while True:
            period = series.period_at(int(rest["time"][0]))
            end = int(rest["time"].searchsorted(period.end))
            if end == len(rest):
                break
            parts.append(_put(archive, series, period, rest[:end], begun is not None))
            rest, begun = rest[end:], period
    if rest is not None:
        last = rest if series.timeframe is None else rest[:-1]
        if len(last):
            period = series.period_at(int(last["time"][0]))
            parts.append(_put(archive, series, period, last, False))
    return parts


def _put(archive: Archive, series: Series, period: Period, rows: Rows, complete: bool) -> Part:
    try:
        return archive.put(series, period, rows, complete=complete, source="export")
    except ValueError as error:
        raise ArchiveError(f"the export cannot be used: {error}") from error


def _blocks(file: Path, series: Series) -> Iterator[Rows]:
    of_ticks = is_of_ticks(file)
    if of_ticks != (series.timeframe is None):
        kind = "ticks" if of_ticks else "bars"
        raise ArchiveError(f"{file} holds {kind}, and {series} was asked for")
    texts = {name: pa.string() for name in ("<DATE>", "<TIME>")}
    numbers = {name: pa.float64() for name in {*_TICKS, *_BARS} - texts.keys()}
    last = np.zeros(4)
    try:
        with csv.open_csv(
            file,
            read_options=csv.ReadOptions(block_size=_BLOCK),
            parse_options=csv.ParseOptions(delimiter="\t"),
            convert_options=csv.ConvertOptions(column_types={**texts, **numbers}),
        ) as batches:
            for batch in batches:
                if not batch.num_rows:
                    continue
                rows = _tick_rows(batch, last) if of_ticks else _rate_rows(batch)
                yield rows
    except (pa.ArrowException, ValueError) as error:
        raise ArchiveError(f"{file} is not as the terminal exports it: {error}") from error


def _tick_rows(batch: Any, last: NDArray[np.float64]) -> Rows:
    """`last` has bid, ask, last and volume of the row before, and is moved on."""
    rows = np.zeros(batch.num_rows, TICK_DTYPE)
    rows["time_msc"] = _times(batch).astype("datetime64[ms]").astype(np.int64)
    rows["time"] = rows["time_msc"] // 1000
    rows["flags"] = _numbers(batch, "<FLAGS>")
    for at, (field, column) in enumerate(
        (("bid", "<BID>"), ("ask", "<ASK>"), ("last", "<LAST>"), ("volume_real", "<VOLUME>"))
    ):
        values = _filled(_numbers(batch, column), last[at])
        rows[field], last[at] = values, values[-1]
    rows["volume"] = rows["volume_real"]
    return rows


def _rate_rows(batch: Any) -> Rows:
    rows = np.zeros(batch.num_rows, RATE_DTYPE)
    rows["time"] = _times(batch).astype("datetime64[s]").astype(np.int64)
    for field, column in (
        *(("open", "<OPEN>"), ("high", "<HIGH>"), ("low", "<LOW>"), ("close", "<CLOSE>")),
        *(("tick_volume", "<TICKVOL>"), ("real_volume", "<VOL>"), ("spread", "<SPREAD>")),
    ):
        rows[field] = _numbers(batch, column)
    return rows


def _times(batch: Any) -> NDArray[Any]:
    names = batch.schema.names
    text = pc.replace_substring(batch.column(names.index("<DATE>")), ".", "-")
    if "<TIME>" in names:
        text = pc.binary_join_element_wise(text, batch.column(names.index("<TIME>")), "T")
    times: NDArray[Any] = text.to_numpy(zero_copy_only=False).astype("datetime64")
    return times


def _numbers(batch: Any, name: str) -> NDArray[np.float64]:
    found: NDArray[np.float64] = batch.column(batch.schema.names.index(name)).to_numpy(
        zero_copy_only=False
    )
    return found


def _filled(values: NDArray[np.float64], before: float) -> NDArray[np.float64]:
    """Blanks (NaN) become the value before them, `before` at the beginning."""
    at = np.where(np.isnan(values), -1, np.arange(len(values)))
    at = np.maximum.accumulate(at)
    return np.where(at < 0, before, values[at])
