"""How does history come from a terminal into an archive? Period by period, resumable.

What an earlier run has finished is not asked for again; what was not over then is read anew and
put together with what is there. A period that fails is reported, and the others go on.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.patience import Patience, is_hopeless
from tradingview_scraper.adapters.mt5.archive.periods import DAY_SECS, Period, Series, text_of
from tradingview_scraper.adapters.mt5.archive.reading import (
    HOLIDAYS_SECS,
    Calendar,
    newest_day,
    read_calendar,
    read_period,
)
from tradingview_scraper.adapters.mt5.archive.terms import terms_of
from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.rules.commissions import commission_per_lot
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError, MT5Error
from tradingview_scraper.adapters.mt5.worker.arguments import LAST_DATE

#: Days that a first download without a start goes back.
DEFAULT_DAYS: Final = 30
#: Deals of so many days tell what the broker charges.
_COMMISSION_DAYS: Final = 90
#: So many periods without anything in a row: the terminal's history does not go so far back, and
#: one try is enough for the next.
_ABSENT_IN_A_ROW: Final = 3
#: So many failures in a row: the terminal is gone.
_FAILED_IN_A_ROW: Final = 3


class Wish(NamedTuple):
    """What is to be in the archive. Seconds are server time; None: see `download`."""

    symbols: tuple[str, ...]
    ticks: bool = True
    timeframes: tuple[Timeframe, ...] = ()
    first: int | None = None
    last: int | None = None


class State(StrEnum):
    """What became of one period."""

    #: Read to its end.
    COMPLETE = "complete"
    #: Read as far as it has come; the next run goes on.
    OPEN = "open"
    #: Complete since an earlier run, and not asked for.
    KEPT = "kept"
    #: The terminal has less than its own bars promise; the next run asks again.
    SHORT = "short"
    #: The terminal did not answer.
    FAILED = "failed"


class Outcome(NamedTuple):
    """What became of one period; `rows` are those in the archive now."""

    series: Series
    period: Period
    state: State
    rows: int
    note: str


class Task(NamedTuple):
    """One period that is to be read, or was."""

    series: Series
    period: Period
    calendar: Calendar


class Report(NamedTuple):
    """What a run did. `notes` are about whole series."""

    outcomes: list[Outcome]
    notes: list[str]

    @property
    def is_whole(self) -> bool:
        """Everything that was wished for is there, as far as it has come."""
        return not any(done.state in (State.SHORT, State.FAILED) for done in self.outcomes)


async def download(
    client: MT5Client,
    archive: Archive,
    wish: Wish,
    *,
    planned: Callable[[int], None] = lambda tasks: None,
    done: Callable[[Outcome], None] = lambda outcome: None,
    read_at_ns: int,
    patience: Patience | None = None,
) -> Report:
    """Read what the archive has not, up to now or to `wish.last`.

    Without `wish.first` each series goes on where the archive ends, or begins `DEFAULT_DAYS` back.
    `planned` is told the number of periods, `done` each of them. The symbols are added to Market
    Watch, where they stay. Raises `MT5Error` when nothing more can be read, and `ArchiveError`.
    """
    patience = patience if patience is not None else Patience()
    archive.claim(client.account.server, client.zone)
    archive.clear_unfinished()
    report = Report([], [])
    tasks: list[Task] = []
    newest = 0
    for symbol in wish.symbols:
        if not await client.symbol_select(symbol, True):
            report.notes.append(f"{symbol}: the terminal does not add it to Market Watch")
        archive.put_symbol(await client.symbol_info(symbol), read_at_ns)
        planned_tasks, calendar = await _plan(client, archive, symbol, wish, patience, report)
        tasks += planned_tasks
        newest = max(newest, calendar.newest)
    archive.put_terms(terms_of(client.account, await _commissions(client, newest)))
    planned(len(tasks))
    await _run(client, archive, tasks, patience, report, done)
    return report


async def _plan(
    client: MT5Client,
    archive: Archive,
    symbol: str,
    wish: Wish,
    patience: Patience,
    report: Report,
) -> tuple[list[Task], Calendar]:
    series = [Series(symbol, None)] if wish.ticks else []
    series += [Series(symbol, timeframe) for timeframe in wish.timeframes]
    now = await newest_day(client, symbol, patience)
    firsts = {one: _first(archive, one, wish, now) for one in series}
    begin = min((one.period_at(first).first for one, first in firsts.items()), default=now)
    calendar = await read_calendar(client, symbol, begin, patience)
    if not calendar.newest or not len(calendar.days):
        if series:
            report.notes.append(f"{symbol}: the terminal has no bars of it in this range")
        return [], calendar
    tasks = []
    for one, first in firsts.items():
        earliest = max(first, int(calendar.days["time"][0]))
        last = calendar.newest + DAY_SECS - 1
        if wish.last is not None:
            last = min(last, wish.last)
        if earliest > first + HOLIDAYS_SECS:
            report.notes.append(
                f"{one}: the terminal's history begins on {text_of(earliest)}, "
                f"{text_of(first)} was asked for"
            )
        tasks += [Task(one, period, calendar) for period in one.periods(earliest, last)]
    return tasks, calendar


def _first(archive: Archive, series: Series, wish: Wish, now: int) -> int:
    """The first second that is asked for."""
    if wish.first is not None:
        return wish.first
    first = now - DEFAULT_DAYS * DAY_SECS
    paths = archive.paths(series)
    periods = [series.period_named(path.stem) for path in paths]
    known = [period for period in periods if period is not None]
    for period in known:
        part = archive.known(series, period)
        if part is None or not part.complete:
            return period.first
    return known[-1].end if known else max(first, 1)


async def _run(
    client: MT5Client,
    archive: Archive,
    tasks: list[Task],
    patience: Patience,
    report: Report,
    done: Callable[[Outcome], None],
) -> None:
    absent = failed = 0
    before: Series | None = None
    for task in tasks:
        if task.series != before:
            absent, before = 0, task.series
        tries = 1 if absent >= _ABSENT_IN_A_ROW else None
        outcome = await _fetch(client, archive, task, patience, tries)
        absent = absent + 1 if outcome.state is State.SHORT and not outcome.rows else 0
        failed = failed + 1 if outcome.state is State.FAILED else 0
        report.outcomes.append(outcome)
        done(outcome)
        if failed >= _FAILED_IN_A_ROW:
            raise MT5Error(
                f"the terminal does not answer any more ({outcome.note}); what was read is in the "
                "archive: start the same command again when it does"
            )


async def _fetch(
    client: MT5Client, archive: Archive, task: Task, patience: Patience, tries: int | None
) -> Outcome:
    series, period, calendar = task
    known = archive.known(series, period)
    if known is not None and known.complete:
        return Outcome(series, period, State.KEPT, known.rows, "")
    have = known.rows if known is not None else 0
    try:
        reading = await read_period(client, series, period, calendar, patience, tries=tries)
    except MT5Error as error:
        if is_hopeless(error):
            raise
        return Outcome(series, period, State.FAILED, have, str(error))
    if reading.missing and not len(reading.rows):
        return Outcome(series, period, State.SHORT, have, reading.missing)
    complete = not reading.missing and reading.is_over
    try:
        part = archive.put(series, period, reading.rows, complete=complete, source="terminal")
    except ValueError as error:
        return Outcome(series, period, State.FAILED, have, str(error))
    if reading.missing:
        return Outcome(series, period, State.SHORT, part.rows, reading.missing)
    return Outcome(series, period, State.COMPLETE if complete else State.OPEN, part.rows, "")


async def _commissions(client: MT5Client, newest: int) -> dict[str, float]:
    since = max(1, newest - _COMMISSION_DAYS * DAY_SECS)
    try:
        return commission_per_lot(await client.history_deals_get(since, LAST_DATE))
    except MT5CallError:
        return {}
