"""How do rows become a Parquet file, and a file rows again? Written whole or not at all.

The columns are the fields of the library's arrays, unchanged: server time, prices as floats. What
cannot be seen from the rows stands as JSON under the key ``mt5`` of the file's metadata (`Facts`).
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE

FORMAT: Final = 1
_KEY: Final = b"mt5"
_ROW_GROUP: Final = 250_000

#: Ends of the names of files that are being written.
UNFINISHED: Final = ".unfinished"


class ArchiveError(MT5Error):
    """An archive that cannot be read or written to; the text says what to do."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of its rows."""

    format: int = FORMAT
    symbol: str
    #: ``ticks``, or the name of the timeframe.
    kind: str
    #: ``2025-03-10``, or ``2025-03``.
    period: str
    #: Where the rows come from: ``terminal``, or ``export``.
    source: str
    #: The trade server; "" when an export's is not known.
    server: str
    #: Zone rule of the server's clock. `time` is that clock, written as if it were a UTC epoch.
    zone: str
    #: The period was over, and read to its end. False: there may be more to come.
    complete: bool


def write_rows(path: Path, rows: Rows, facts: Facts) -> None:
    """Put `rows` at `path`, over what lies there, in one step. The same rows give the same bytes
    (with the same pyarrow)."""
    columns = [np.ascontiguousarray(rows[field]) for field in _fields(facts)]
    table = pa.table(dict(zip(_fields(facts), columns, strict=True)))
    table = table.replace_schema_metadata({_KEY: msgspec.json.encode(facts)})
    replace_file(path, lambda file: _write_table(table, file))


def read_rows(path: Path, facts: Facts) -> Rows:
    """The rows of a file, ascending, as the library gave them. Raises `ArchiveError`."""
    dtype = TICK_DTYPE if facts.kind == "ticks" else RATE_DTYPE
    try:
        table = pq.read_table(path, columns=_fields(facts), partitioning=None)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise _damaged(path, error) from error
    rows = np.empty(table.num_rows, dtype)
    for field in _fields(facts):
        rows[field] = table.column(field).to_numpy()
    return rows


def read_facts(path: Path) -> tuple[Facts, int]:
    """What a file says of itself, and its number of rows, without reading them.

    Raises `ArchiveError` for a file that is damaged or not of an archive.
    """
    try:
        metadata = pq.read_metadata(path)
        facts = msgspec.json.decode((metadata.metadata or {}).get(_KEY, b""), type=Facts)
    except (OSError, pa.ArrowException, msgspec.MsgspecError) as error:
        raise _damaged(path, error) from error
    if facts.format != FORMAT:
        raise ArchiveError(
            f"{path} has format {facts.format}, this version reads {FORMAT}: use the version that "
            "wrote it"
        )
    return facts, metadata.num_rows


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file, and move it to `path` when it is on the disk as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        write(draft)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Put a JSON document at `path` in one step."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)

    def write(draft: Path) -> None:
        draft.write_bytes(text + b"\n")

    replace_file(path, write)


def _fields(facts: Facts) -> list[str]:
    dtype = TICK_DTYPE if facts.kind == "ticks" else RATE_DTYPE
    return list(dtype.names or ())


def _write_table(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", row_group_size=_ROW_GROUP)


def _damaged(path: Path, error: Exception) -> ArchiveError:
    return ArchiveError(
        f"{path} is damaged, or no file of an archive ({error}): delete it and download it again"
    )
