"""Is what lies in an archive sound, and where are its gaps?

Sound: every file can be read, holds as many rows as it says, in order, within its period, and
nothing twice. A gap is no fault: markets close. Missing working days are reported as gaps.
"""

from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.files import ArchiveError
from tradingview_scraper.adapters.mt5.archive.merging import is_ascending
from tradingview_scraper.adapters.mt5.archive.periods import DAY_SECS, Period, Series, text_of
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

_SHOWN: Final = 3


class Finding(NamedTuple):
    """What a look at one series found."""

    series: Series
    files: int
    rows: int
    #: Day of the first and of the last row, ``2025-03-10``, or "".
    first_day: str
    last_day: str
    #: What is wrong with its files, or "".
    trouble: str
    #: Working days (Monday to Friday) of ticks without a row, and months of bars without a file,
    #: between the first and the last.
    gaps: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Nothing is wrong with the files; gaps are the market's, or not asked for yet."""
        return not self.trouble

    @property
    def gap_text(self) -> str:
        """The gaps in a few words, or ""."""
        if not self.gaps:
            return ""
        more = len(self.gaps) - _SHOWN
        shown = ", ".join(self.gaps[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        return f"nothing on {shown}"


def check(archive: Archive, series: Series) -> Finding:
    """Read every file of a series and look at every row."""
    troubles: list[str] = []
    filled: dict[Period, int] = {}
    ends: list[int] = []
    for path in archive.paths(series):
        period = series.period_named(path.stem)
        if period is None:
            continue
        try:
            part = archive.part(series, period)
            if part is None or part.path != path:
                troubles.append(f"{path} lies in the wrong place")
                continue
            rows = archive.read(part)
        except ArchiveError as error:
            troubles.append(str(error))
            continue
        troubles += [f"{path.name} {wrong}" for wrong in _wrong(rows, period, part.rows)]
        filled[period] = len(rows)
        ends += rows["time"][[0, -1]].tolist() if len(rows) else []
    return Finding(
        series=series,
        files=len(filled),
        rows=sum(filled.values()),
        first_day=text_of(min(ends)) if ends else "",
        last_day=text_of(max(ends)) if ends else "",
        trouble="; ".join(troubles),
        gaps=_gaps(series, filled),
    )


def _wrong(rows: Rows, period: Period, said: int) -> list[str]:
    wrong = []
    if len(rows) != said:
        wrong.append(f"says {said} rows and has {len(rows)}")
    if not is_ascending(rows):
        wrong.append("is not ascending")
    if len(rows) and not period.first <= rows["time"].min() <= rows["time"].max() < period.end:
        wrong.append("holds rows of another period")
    if rows.dtype == TICK_DTYPE and (rows["time"] != rows["time_msc"] // 1000).any():
        wrong.append("has ticks whose seconds are not those of their milliseconds")
    return wrong


def _gaps(series: Series, filled: dict[Period, int]) -> tuple[str, ...]:
    if not filled:
        return ()
    first, last = min(filled), max(filled)
    names = []
    for period in series.periods(first.first, last.last):
        if filled.get(period, 0):
            continue
        # 1970-01-01 was a Thursday: Monday is 0.
        weekday = (period.first // DAY_SECS + 3) % 7
        if series.timeframe is not None or weekday < 5:
            names.append(period.name)
    return tuple(names)
