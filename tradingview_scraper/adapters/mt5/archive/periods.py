"""Which stretches of server time does one file hold? Days for ticks, months for bars."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

DAY_SECS: Final = 86_400
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Period(NamedTuple):
    """Server seconds from `first` up to, but without, `end`; `name` is ``2025-03-10`` or
    ``2025-03``."""

    first: int
    end: int
    name: str

    @property
    def last(self) -> int:
        """The last second of it."""
        return self.end - 1


class Series(NamedTuple):
    """The ticks (`timeframe` None) or the bars of one symbol."""

    symbol: str
    timeframe: Timeframe | None

    @property
    def kind(self) -> str:
        """``ticks`` or the name of the timeframe."""
        return "ticks" if self.timeframe is None else self.timeframe.name

    def __str__(self) -> str:
        return f"{self.symbol} {self.kind}"

    def period_at(self, second: int) -> Period:
        """The period whose file holds what happened at `second`."""
        return day_at(second) if self.timeframe is None else month_at(second)

    def periods(self, first: int, last: int) -> Iterator[Period]:
        """The periods that hold the seconds from `first` to `last`, ascending."""
        at = first
        while at <= last:
            period = self.period_at(at)
            yield period
            at = period.end

    def period_named(self, name: str) -> Period | None:
        """The period of a name; None when the name is no period's of this series."""
        text = name if self.timeframe is None else f"{name}-01"
        if not _DAY.fullmatch(text):
            return None
        try:
            return self.period_at(seconds_of(text))
        except MT5ConfigError:
            return None


def day_at(second: int) -> Period:
    """The server day of a server second."""
    first = second - second % DAY_SECS
    return Period(first, first + DAY_SECS, text_of(first))


def month_at(second: int) -> Period:
    """The server month of a server second."""
    day = _EPOCH + timedelta(seconds=second)
    first = datetime(day.year, day.month, 1, tzinfo=UTC)
    after = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    return Period(_seconds(first), _seconds(after), f"{first:%Y-%m}")


def seconds_of(day: str) -> int:
    """Midnight of ``2025-03-10`` in server seconds. Raises `MT5ConfigError`."""
    try:
        return _seconds(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC))
    except ValueError:
        raise MT5ConfigError(f"a day must be like 2025-03-10, was {day!r}") from None


def text_of(second: int) -> str:
    """The server day of a second, as ``2025-03-10``."""
    return f"{_EPOCH + timedelta(seconds=second):%Y-%m-%d}"


def _seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)
