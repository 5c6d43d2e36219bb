"""How are ticks picked by kind, flagged, and put in the order of time?"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, TickFlag

_WANTED: Final[dict[int, int]] = {
    CopyTicks.ALL: 0,
    CopyTicks.INFO: int(TickFlag.BID | TickFlag.ASK),
    CopyTicks.TRADE: int(TickFlag.LAST | TickFlag.VOLUME | TickFlag.BUY | TickFlag.SELL),
}


def wanted(flags: int) -> int | None:
    """The mask of tick flags that a request asks for: 0 for all ticks; None: no such request."""
    return _WANTED.get(flags)


def filtered(rows: Rows, mask: int) -> Rows:
    """The rows that have one of the flags; all with the mask 0."""
    return rows[(rows["flags"] & mask) != 0] if mask else rows


def fill_flags(rows: Rows, before: np.void | None) -> None:
    """Flags of the rows that have none: what differs from the row before."""
    bare = rows["flags"] == 0
    if not bare.any():
        return
    flags = np.zeros(len(rows), dtype=np.uint32)
    for field, flag in (("bid", TickFlag.BID), ("ask", TickFlag.ASK), ("last", TickFlag.LAST)):
        values = rows[field]
        first = 0.0 if before is None else before[field]
        flags[values != np.concatenate(([first], values[:-1]))] |= int(flag)
    traded = (rows["volume"] != 0) & ((flags & int(TickFlag.LAST)) != 0)
    flags[traded] |= int(TickFlag.VOLUME)
    flags[flags == 0] = int(TickFlag.BID)
    rows["flags"][bare] = flags[bare]


def with_undocumented_bits(rows: Rows, on_exchange: bool) -> Rows:
    """The rows with the flag bits of real history: 0x80 on a changed bid, 0x400 on an exchange."""
    rows = rows.copy()
    if on_exchange:
        rows["flags"] |= 0x400
    else:
        rows["flags"][(rows["flags"] & int(TickFlag.BID)) != 0] |= 0x80
    return rows


def in_time_order(batches: list[tuple[str, Rows]]) -> Iterator[tuple[str, Rows]]:
    """The rows of several symbols as runs in the order of time; equal times in the given order."""
    if len(batches) < 2:
        yield from batches
        return
    times = np.concatenate([rows["time_msc"] for _, rows in batches])
    owner = np.repeat(np.arange(len(batches)), [len(rows) for _, rows in batches])
    owner = owner[np.argsort(times, kind="stable")]
    begins = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1])))
    lengths = np.diff(np.concatenate((begins, [len(owner)])))
    taken = [0] * len(batches)
    for which, length in zip(owner[begins].tolist(), lengths.tolist(), strict=True):
        name, rows = batches[which]
        yield name, rows[taken[which] : taken[which] + length]
        taken[which] += length
