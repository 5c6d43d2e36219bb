"""What lies in an archive, and how is something put into it? `Archive`."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from tradingview_scraper.adapters.mt5.archive.files import (
    FORMAT,
    UNFINISHED,
    ArchiveError,
    Facts,
    read_facts,
    read_rows,
    write_json,
    write_rows,
)
from tradingview_scraper.adapters.mt5.archive.merging import is_ascending, merged
from tradingview_scraper.adapters.mt5.archive.names import folder_name, symbol_of
from tradingview_scraper.adapters.mt5.archive.periods import Period, Series
from tradingview_scraper.adapters.mt5.archive.terms import Terms
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE, SymbolInfo

#: Fields of a symbol that change with its prices: alone they are no reason to keep it anew.
_LIVE: Final = frozenset(
    {
        *("select", "visible", "time", "spread", "volume", "volumehigh", "volumelow"),
        *("bid", "bidhigh", "bidlow", "ask", "askhigh", "asklow", "last", "lasthigh", "lastlow"),
        *("volume_real", "volumehigh_real", "volumelow_real"),
        *("trade_tick_value", "trade_tick_value_profit", "trade_tick_value_loss"),
        *("price_change", "price_volatility", "price_theoretical", "price_sensitivity"),
        *(name for name in SymbolInfo._fields if name.startswith(("session_", "price_greeks_"))),
    }
)
#: A file that is being written is younger than this; older ones were left by a kill.
_ABANDONED_SECS: Final = 3_600


class Part(NamedTuple):
    """One file: the rows of a series in one period."""

    series: Series
    period: Period
    rows: int
    #: The period was over, and read to its end.
    complete: bool
    source: str
    path: Path


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """``archive.json``: whose history it is, and how its clock is read."""

    format: int = FORMAT
    #: The trade server; "" when it is not known.
    server: str
    #: Zone rule of the server's clock.
    zone: str


class Archive:
    """The archive in a folder. All times are server time. Nothing is kept in memory."""

    def __init__(self, root: Path) -> None:
        self.root: Final = root

    def origin(self) -> Origin | None:
        """Whose history it is; None for an archive that is still empty. `ArchiveError`."""
        file = self.root / "archive.json"
        if not file.exists():
            return None
        try:
            return msgspec.json.decode(file.read_bytes(), type=Origin)
        except (OSError, msgspec.MsgspecError) as error:
            raise ArchiveError(f"{file} cannot be read: {error}") from error

    def open(self) -> Origin:
        """`origin` of an archive to read from. Raises `ArchiveError` when there is none."""
        origin = self.origin()
        if origin is None:
            raise ArchiveError(
                f"{self.root} is no archive: it has no archive.json; `mt5 download` and "
                "`mt5 import` make one"
            )
        return origin

    def claim(self, server: str, zone: ZoneRule) -> Origin:
        """Make this the archive of a server; an archive of another one is refused.

        Raises `ArchiveError` for another server or another zone. A server of "" fits any.
        """
        known = self.origin()
        if known is not None:
            if known.server and server and known.server != server:
                raise ArchiveError(
                    f"{self.root} holds the history of {known.server!r}, not of {server!r}: use "
                    "another folder; brokers' ticks do not mix"
                )
            if ZoneRule.parse(known.zone) != zone:
                raise ArchiveError(
                    f"{self.root} reads its server's clock as {known.zone}, not as {zone}: pass "
                    f"--zone {known.zone}, or correct archive.json (the rows are server time and "
                    "stay as they are)"
                )
            if known.server or not server:
                return known
        origin = Origin(server=server, zone=str(zone))
        write_json(self.root / "archive.json", msgspec.to_builtins(origin))
        return origin

    def series(self) -> list[Series]:
        """What there is: ticks first, then bars, by symbol."""
        found = [Series(symbol, None) for symbol in self._symbols("ticks")]
        for symbol in self._symbols("bars"):
            folders = (self.root / "bars" / folder_name(symbol)).iterdir()
            names = sorted(folder.name for folder in folders if folder.is_dir())
            known = [Timeframe[name] for name in names if name in Timeframe.__members__]
            found += [Series(symbol, timeframe) for timeframe in sorted(known)]
        return found

    def parts(self, series: Series) -> Iterator[Part]:
        """The files of a series, by period. Raises `ArchiveError` at a damaged one."""
        for path in self.paths(series):
            part = self._part(series, path)
            if part is not None:
                yield part

    def paths(self, series: Series) -> list[Path]:
        """The files of a series, by period, whatever is in them."""
        return sorted(self._folder(series).rglob("*.parquet"), key=lambda path: path.name)

    def part(self, series: Series, period: Period) -> Part | None:
        """The file of a period; None when there is none. Raises `ArchiveError` when damaged."""
        path = self._path(series, period)
        return self._part(series, path) if path.exists() else None

    def known(self, series: Series, period: Period) -> Part | None:
        """`part`, where a damaged file is as good as none."""
        try:
            return self.part(series, period)
        except ArchiveError:
            return None

    def read(self, part: Part) -> Rows:
        """The rows of a file: `TICK_DTYPE` or `RATE_DTYPE`, ascending. Raises `ArchiveError`."""
        return read_rows(part.path, read_facts(part.path)[0])

    def rows(self, series: Series, first: int, last: int) -> Iterator[Rows]:
        """The rows of server seconds `first` to `last`, both inclusive, a file at a time."""
        for part in self.parts(series):
            if part.period.end <= first or part.period.first > last:
                continue
            rows = self.read(part)
            times = rows["time"]
            low, high = times.searchsorted(first, "left"), times.searchsorted(last, "right")
            if high > low:
                yield rows[low:high]

    def put(
        self, series: Series, period: Period, rows: Rows, *, complete: bool, source: str
    ) -> Part:
        """Keep the rows of a period, together with those that are there already (see `merged`).

        Raises ValueError for rows that are not ascending, not of this period, or not of this kind.
        """
        _check(series, period, rows)
        origin = self.open()
        known = self.known(series, period)
        if known is not None:
            complete = complete or known.complete
            source = source if known.source == source or not known.rows else "terminal+export"
            rows = merged(self.read(known), rows)
        facts = Facts(
            symbol=series.symbol,
            kind=series.kind,
            period=period.name,
            source=source,
            server=origin.server,
            zone=origin.zone,
            complete=complete,
        )
        path = self._path(series, period)
        write_rows(path, rows, facts)
        return Part(series, period, len(rows), complete, source, path)

    def put_symbol(self, info: SymbolInfo, read_at_ns: int) -> None:
        """Keep a symbol as it was at a moment, unless only its prices have moved since the last."""
        folder = self.root / "instruments" / self._name("instruments", info.name)
        last = self._symbol_file(info.name)
        if last is not None and _steady(_symbol_in(last)) == _steady(info):
            return
        at = datetime.fromtimestamp(read_at_ns // 10**9, UTC)
        document = {
            "format": FORMAT,
            "server": self.open().server,
            "read_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "symbol_info": info._asdict(),
        }
        write_json(folder / f"{at:%Y%m%dT%H%M%SZ}.json", document)

    def symbol(self, symbol: str) -> SymbolInfo | None:
        """A symbol as it was seen last; None when it never was. Raises `ArchiveError`."""
        file = self._symbol_file(symbol)
        return _symbol_in(file) if file is not None else None

    def symbols(self) -> list[str]:
        """Symbols whose ``symbol_info`` is there, sorted."""
        return self._symbols("instruments")

    def put_terms(self, terms: Terms) -> None:
        """Keep what the account trades on."""
        write_json(self.root / "terms.json", msgspec.to_builtins(terms))

    def terms(self) -> Terms | None:
        """What the account traded on; None when no terminal was asked yet. `ArchiveError`."""
        file = self.root / "terms.json"
        if not file.exists():
            return None
        try:
            return msgspec.json.decode(file.read_bytes(), type=Terms)
        except (OSError, msgspec.MsgspecError) as error:
            raise ArchiveError(f"{file} cannot be read: {error}") from error

    def clear_unfinished(self) -> None:
        """Remove what a killed process left half written."""
        if not self.root.is_dir():
            return
        for draft in self.root.rglob(f"*{UNFINISHED}"):
            if time.time() - draft.stat().st_mtime > _ABANDONED_SECS:
                draft.unlink(missing_ok=True)

    def _part(self, series: Series, path: Path) -> Part | None:
        period = series.period_named(path.stem)
        if period is None:
            return None
        facts, rows = read_facts(path)
        if (facts.symbol, facts.kind, facts.period) != (series.symbol, series.kind, period.name):
            raise ArchiveError(
                f"{path} holds {facts.symbol} {facts.kind} of {facts.period}: it lies in the "
                "wrong place"
            )
        return Part(series, period, rows, facts.complete, facts.source, path)

    def _path(self, series: Series, period: Period) -> Path:
        folder = self._folder(series)
        if series.timeframe is None:
            folder = folder / period.name[:4]
        return folder / f"{period.name}.parquet"

    def _folder(self, series: Series) -> Path:
        if series.timeframe is None:
            return self.root / "ticks" / self._name("ticks", series.symbol)
        return self.root / "bars" / self._name("bars", series.symbol) / series.timeframe.name

    def _name(self, kind: str, symbol: str) -> str:
        name = folder_name(symbol)
        folder = self.root / kind
        if folder.is_dir():
            for other in folder.iterdir():
                if other.name != name and other.name.lower() == name.lower():
                    raise ArchiveError(
                        f"{symbol!r} and {symbol_of(other.name)!r} differ in nothing but upper and "
                        "lower case, and would share a folder on Windows: use one archive for each"
                    )
        return name

    def _symbols(self, kind: str) -> list[str]:
        folder = self.root / kind
        if not folder.is_dir():
            return []
        return sorted(symbol_of(entry.name) for entry in folder.iterdir() if entry.is_dir())

    def _symbol_file(self, symbol: str) -> Path | None:
        folder = self.root / "instruments" / self._name("instruments", symbol)
        return max(folder.glob("*.json"), default=None, key=lambda file: file.name)


def _check(series: Series, period: Period, rows: Rows) -> None:
    wanted = TICK_DTYPE if series.timeframe is None else RATE_DTYPE
    if rows.dtype != wanted:
        raise ValueError(f"{series} must be rows of {wanted}, were {rows.dtype}")
    if not is_ascending(rows):
        raise ValueError(f"{series} of {period.name} must be ascending, and are not")
    if len(rows) and not period.first <= rows["time"][0] <= rows["time"][-1] < period.end:
        raise ValueError(f"{series} of {period.name} must lie within it, and do not")


def _symbol_in(file: Path) -> SymbolInfo:
    try:
        document: dict[str, Any] = msgspec.json.decode(file.read_bytes())
        return SymbolInfo(**document["symbol_info"])
    except (OSError, msgspec.MsgspecError, KeyError, TypeError) as error:
        raise ArchiveError(f"{file} is no symbol of an archive: {error!r}") from error


def _steady(info: SymbolInfo) -> dict[str, Any]:
    return {name: value for name, value in info._asdict().items() if name not in _LIVE}
