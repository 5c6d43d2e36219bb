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
    for index in np.flatnonzero(rows["flags"] == 0):
        previous = rows[index - 1] if index else before
        flags = 0
        for field, flag in (("bid", TickFlag.BID), ("ask", TickFlag.ASK), ("last", TickFlag.LAST)):
            value = rows[field][index]
            old = 0.0 if previous is None else previous[field]
            if value != old:
                flags |= int(flag)
        if rows["volume"][index] and flags & TickFlag.LAST:
            flags |= int(TickFlag.VOLUME)
        rows["flags"][index] = flags or int(TickFlag.BID)


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
