"""How does an archive become a Nautilus catalog? By the translation that live data go through.

A catalog holds numbers as its machine's wheel has them, 64-bit on Windows and 128-bit elsewhere,
and cannot be read by the other [measured]: it is built where it is read, the archive travels.
Each file of the archive becomes one of the catalog. Building again changes nothing that is up to
date, and replaces what has grown since.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from nautilus_trader.model.data import Bar, BarSpecification, BarType, QuoteTick
from nautilus_trader.model.enums import AggregationSource, BarAggregation, PriceType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import FIXED_PRECISION
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from tradingview_scraper.adapters.mt5.archive.archive import Archive, Part
from tradingview_scraper.adapters.mt5.archive.files import ArchiveError
from tradingview_scraper.adapters.mt5.archive.periods import Series
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.bars import bars
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.ticks import quote_ticks
from tradingview_scraper.adapters.mt5.rules.bars import closing_time
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolChartMode, Timeframe

#: Bytes of a price in the catalogs of Windows, and of this machine.
_WINDOWS: Final = 8
PRICE_BYTES: Final = 16 if FIXED_PRECISION > 9 else _WINDOWS

_AGGREGATIONS: Final = {
    "M": BarAggregation.MINUTE,
    "H": BarAggregation.HOUR,
    "D": BarAggregation.DAY,
    "W": BarAggregation.WEEK,
    "MN": BarAggregation.MONTH,
}


class Built(NamedTuple):
    """What became of one series. `written` and `kept` count files, `items` what was written."""

    series: Series
    written: int
    kept: int
    items: int
    #: Rows that are no quote or no bar (no price on a side).
    skipped: int


def archive_listing(
    archive: Archive, symbol: str, *, venue: Venue, leverage: int | None = None
) -> Listing:
    """The instrument of an archived symbol, as live. `leverage` None: the account's.

    Raises `ArchiveError` when the archive does not know the symbol, or no leverage is known;
    `UnsupportedSymbol` for what cannot become an instrument.
    """
    info = archive.symbol(symbol)
    if info is None:
        raise ArchiveError(
            f"{archive.root} has no symbol_info of {symbol!r}, which an instrument is made of: "
            f"`mt5 download {symbol} --no-ticks` reads it"
        )
    terms = archive.terms()
    if leverage is None and terms is None:
        raise ArchiveError(f"{archive.root} does not know the account's leverage: pass --leverage")
    if leverage is None and terms is not None:
        leverage = terms.leverage
    zone = ZoneRule.parse(archive.open().zone)
    return listing(info, venue=venue, leverage=leverage or 1, zone=zone, ts_init=0)


def bar_type_of(known: Listing, timeframe: Timeframe) -> BarType:
    """The type under which a series of bars is known live."""
    letters = timeframe.name.rstrip("0123456789")
    is_last = known.info.chart_mode == SymbolChartMode.LAST
    spec = BarSpecification(
        int(timeframe.name.removeprefix(letters)),
        _AGGREGATIONS[letters],
        PriceType.LAST if is_last else PriceType.BID,
    )
    return BarType(known.instrument.id, spec, AggregationSource.EXTERNAL)


def quotes_of(rows: Rows, known: Listing, zone: ZoneRule) -> tuple[list[QuoteTick], int]:
    """Quotes of archived ticks, stamped with their own time, and the rows that were none."""
    found = quote_ticks(
        rows,
        instrument_id=known.instrument.id,
        price_precision=known.instrument.price_precision,
        size=known.instrument.lot_size,
        zone=zone,
    )
    return found.ticks, found.skipped


def bars_of(
    rows: Rows, known: Listing, timeframe: Timeframe, zone: ZoneRule
) -> tuple[list[Bar], int]:
    """Bars of archived rates, stamped with their closing time, and the rows that were none."""
    found = bars(
        rows,
        bar_type=bar_type_of(known, timeframe),
        timeframe=timeframe,
        listing=known,
        zone=zone,
    )
    return found.bars, found.skipped


def open_catalog(folder: Path) -> ParquetDataCatalog:
    """The catalog of a folder, made when it is not there.

    Raises `ArchiveError` when it was written by a wheel with other numbers than this one's.
    """
    for series in sorted(folder.glob("data/*/*/")):
        # What one machine has added to a series it could read: one file of it says it all.
        file = next(series.glob("*.parquet"), None)
        widths = _number_bytes(file) - {PRICE_BYTES} if file is not None else set()
        if widths:
            raise ArchiveError(
                f"{folder} was written with {max(widths) * 8}-bit numbers "
                f"({'Windows' if max(widths) == _WINDOWS else 'Linux, macOS'}; in {series.name}), "
                f"this machine's Nautilus reads {PRICE_BYTES * 8}-bit ones: build the catalog "
                "here, from the archive, into a folder of its own"
            )
    folder.mkdir(parents=True, exist_ok=True)
    return ParquetDataCatalog(str(folder))


def write_instrument(catalog: ParquetDataCatalog, instrument: Instrument) -> bool:
    """Put an instrument into a catalog in place of an older one; False when it is there already."""
    known = catalog.instruments(instrument_ids=[instrument.id.value])
    kind = type(instrument)
    if [kind.to_dict(one) for one in known if type(one) is kind] == [kind.to_dict(instrument)]:
        return False
    for one in known:
        catalog.fs.rm(catalog._make_path(type(one), one.id.value), recursive=True)
    catalog.write_data([instrument])
    return True


def write_series(
    catalog: ParquetDataCatalog,
    archive: Archive,
    series: Series,
    known: Listing,
    *,
    first: int = 0,
    last: int = 2**62,
    done: Callable[[Part], None] = lambda part: None,
) -> Built:
    """Bring the files of a series that lie in server seconds first..last into the catalog."""
    zone = ZoneRule.parse(archive.open().zone)
    kind: type[Any] = QuoteTick if series.timeframe is None else Bar
    identifier = known.instrument.id.value
    if series.timeframe is not None:
        identifier = str(bar_type_of(known, series.timeframe))
    written = kept = items = skipped = 0
    for part in archive.parts(series):
        if not part.rows or part.period.end <= first or part.period.first > last:
            continue
        rows = archive.read(part)
        bounds = _bounds(rows, series.timeframe, zone)
        if _is_there(catalog, kind, identifier, bounds, part):
            kept += 1
        else:
            if series.timeframe is None:
                data, none = quotes_of(rows, known, zone)
            else:
                data, none = bars_of(rows, known, series.timeframe, zone)
            catalog.delete_data_range(kind, identifier, *bounds)
            if data:
                catalog.write_data(data, *bounds)
            written, items, skipped = written + 1, items + len(data), skipped + none
        done(part)
    return Built(series, written, kept, items, skipped)


def _number_bytes(file: Path) -> set[int]:
    """Widths of the numbers in a file of a catalog; none in instruments and custom data."""
    kinds = [field.type for field in pq.read_schema(file)]
    return {kind.byte_width for kind in kinds if pa.types.is_fixed_size_binary(kind)}


def _bounds(rows: Rows, timeframe: Timeframe | None, zone: ZoneRule) -> tuple[int, int]:
    """First and last nanosecond of the rows: the name of their file."""
    if timeframe is None:
        return zone.utc_ns(int(rows["time_msc"][0])), zone.utc_ns(int(rows["time_msc"][-1]))
    first, last = (closing_time(int(rows["time"][at]), timeframe) * 1000 for at in (0, -1))
    return zone.utc_ns(first), zone.utc_ns(last)


def _is_there(
    catalog: ParquetDataCatalog,
    kind: type[Any],
    identifier: str,
    bounds: tuple[int, int],
    part: Part,
) -> bool:
    """A file of the catalog holds these times, and is newer than the archive's."""
    intervals = sorted(catalog.get_intervals(kind, identifier))
    # Their names are their times, and sort as these do.
    files = sorted(Path(catalog._make_path(kind, identifier)).glob("*.parquet"))
    changed = part.path.stat().st_mtime_ns
    return any(
        first <= bounds[0] and bounds[1] <= last and file.stat().st_mtime_ns >= changed
        for (first, last), file in zip(intervals, files, strict=True)
    )
