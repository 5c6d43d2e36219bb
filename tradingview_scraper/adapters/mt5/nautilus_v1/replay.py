"""How do an archive's or a catalog's data reach a backtest? A server day at a time, in order."""

from collections.abc import Iterator
from typing import Any

from nautilus_trader.model.data import Bar, QuoteTick
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.periods import DAY_SECS, Series, day_at
from tradingview_scraper.adapters.mt5.nautilus_v1.catalog import bar_type_of, bars_of, quotes_of
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule


def days_of_archive(
    archive: Archive, listings: list[Listing], first: int, last: int
) -> Iterator[list[Any]]:
    """Quotes and bars of server seconds first..last, ascending, a list a day; none is empty."""
    zone = ZoneRule.parse(archive.open().zone)
    known = {one.info.name: one for one in listings}
    series = [one for one in archive.series() if one.symbol in known]
    bars: list[Bar] = []
    for one in series:
        if one.timeframe is not None:
            for rows in archive.rows(one, first, last):
                bars += bars_of(rows, known[one.symbol], one.timeframe, zone)[0]
    bars.sort(key=lambda bar: bar.ts_init)
    days = sorted(
        {
            part.period.first
            for one in series
            if one.timeframe is None
            for part in archive.parts(one)
            if part.rows and part.period.end > first and part.period.first <= last
        }
    )
    for day in days:
        end_ns = zone.utc_ns((day + DAY_SECS) * 1000)
        data = _taken(bars, end_ns)
        begin, end = max(first, day), min(last, day + DAY_SECS - 1)
        for one in series:
            if one.timeframe is None:
                part = archive.part(one, day_at(day))
                for rows in archive.rows(one, begin, end) if part is not None else ():
                    data += quotes_of(rows, known[one.symbol], zone)[0]
        if data:
            yield sorted(data, key=lambda item: item.ts_init)
    if bars:
        yield bars


def days_of_catalog(
    catalog: ParquetDataCatalog,
    listings: list[Listing],
    bar_types: list[str],
    zone: ZoneRule,
    first: int,
    last: int,
) -> Iterator[list[Any]]:
    """The same from a catalog that `mt5 catalog` built."""
    ids = [one.instrument.id.value for one in listings]
    spans = [
        *(span for name in ids for span in catalog.get_intervals(QuoteTick, name)),
        *(span for name in bar_types for span in catalog.get_intervals(Bar, name)),
    ]
    if not spans:
        return
    begin = max(first, zone.server_seconds(min(span[0] for span in spans)))
    until = min(last, zone.server_seconds(max(span[1] for span in spans)))
    for day in Series("", None).periods(begin, until):
        start = zone.utc_ns(max(first, day.first) * 1000)
        end = zone.utc_ns((min(last, day.last) + 1) * 1000) - 1
        data: list[Any] = list(catalog.query(QuoteTick, identifiers=ids, start=start, end=end))
        if bar_types:
            data += catalog.query(Bar, identifiers=bar_types, start=start, end=end)
        if data:
            yield sorted(data, key=lambda item: item.ts_init)


def bar_types_of(archive: Archive, listings: list[Listing]) -> list[str]:
    """The bar types that an archive has of these symbols."""
    known = {one.info.name: one for one in listings}
    return [
        str(bar_type_of(known[one.symbol], one.timeframe))
        for one in archive.series()
        if one.timeframe is not None and one.symbol in known
    ]


def _taken(bars: list[Bar], before_ns: int) -> list[Any]:
    """The bars that close before a moment, taken out of the list."""
    count = 0
    while count < len(bars) and bars[count].ts_init < before_ns:
        count += 1
    taken: list[Any] = bars[:count]
    del bars[:count]
    return taken
