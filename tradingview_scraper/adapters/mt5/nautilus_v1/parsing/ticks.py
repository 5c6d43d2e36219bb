"""Which quotes are in the ticks that a terminal sent?"""

from decimal import Decimal
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import FIXED_PRECISION, PRICE_MAX, Price, Quantity
from numpy.typing import NDArray

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import TickFlag

#: Up to this many rows constructors are faster than vectorised integers [measured].
_FEW: Final = 20

_QUOTED: Final = int(TickFlag.BID | TickFlag.ASK)
_TRADED: Final = int(TickFlag.LAST | TickFlag.VOLUME | TickFlag.BUY | TickFlag.SELL)


class Quotes(NamedTuple):
    """Quotes in the order of their rows. `skipped` rows had no usable bid and ask."""

    ticks: list[QuoteTick]
    skipped: int


def quote_size(listing: Listing, lots: float) -> Quantity:
    """The size of both sides of a quote, in units: so many lots, at least the smallest step."""
    sizes = listing.sizing
    steps = max(round(Decimal(str(lots)) * sizes.lot / sizes.size_increment), 1)
    return Quantity(steps * sizes.size_increment, sizes.size_precision)


def quote_ticks(
    rows: Rows,
    *,
    instrument_id: InstrumentId,
    price_precision: int,
    size: Quantity,
    zone: ZoneRule,
    ts_init: int | None = None,
) -> Quotes:
    """Rows of `TICK_DTYPE`, ascending, as quotes.

    MetaTrader has no size at a quote: `size` stands on both sides. A bid or an ask of zero is no
    quote [vendor]: skipped. A crossed one is delivered as it is. Rows that only report a trade are
    left out: they change neither side. `ts_init` None: the event's own time, for history.
    """
    if len(rows) <= _FEW:
        return _few(rows, instrument_id, price_precision, size, zone, ts_init)
    flags = rows["flags"]
    of_quotes = ((flags & _QUOTED) != 0) | ((flags & _TRADED) == 0)
    bid, ask = rows["bid"], rows["ask"]
    # Also false for NaN.
    usable = (bid != 0) & (ask != 0) & (np.abs(bid) <= PRICE_MAX) & (np.abs(ask) <= PRICE_MAX)
    keep = of_quotes & usable
    skipped = int(np.count_nonzero(of_quotes & ~usable))
    if not keep.all():
        rows = rows[keep]
        bid, ask = rows["bid"], rows["ask"]
    events = zone.utc_ns_array(rows["time_msc"]).tolist()
    inits = repeat(ts_init) if ts_init is not None else events
    precision, raw, places = repeat(price_precision), repeat(size.raw), repeat(size.precision)
    ticks = list(
        map(
            QuoteTick.from_raw,
            repeat(instrument_id),
            _raws(bid, price_precision),
            _raws(ask, price_precision),
            precision,
            precision,
            raw,
            raw,
            places,
            places,
            events,
            inits,
        )
    )
    return Quotes(ticks, skipped)


def _raws(prices: NDArray[np.float64], precision: int) -> list[int]:
    """Prices as Nautilus' raw integers, aligned to `precision`."""
    points = np.rint(prices * 10.0**precision).astype(np.int64)
    scale = 10 ** (FIXED_PRECISION - precision)
    if not len(points) or int(np.abs(points).max()) * scale < 2**63:
        return (points * scale).tolist()
    # Raw integers are wider than what numpy counts with: 922 and more, at high precision.
    return [point * scale for point in points.tolist()]


def _few(
    rows: Rows,
    instrument_id: InstrumentId,
    precision: int,
    size: Quantity,
    zone: ZoneRule,
    ts_init: int | None,
) -> Quotes:
    """The same, row by row: a handful of rows costs less than the first array operation."""
    ticks = []
    skipped = 0
    for _, bid, ask, _, _, msc, flags, _ in rows.tolist():
        if flags & _TRADED and not flags & _QUOTED:
            continue
        if not (bid and ask and abs(bid) <= PRICE_MAX and abs(ask) <= PRICE_MAX):
            skipped += 1
            continue
        event = zone.utc_ns(msc)
        ticks.append(
            QuoteTick(
                instrument_id,
                Price(bid, precision),
                Price(ask, precision),
                size,
                size,
                event,
                event if ts_init is None else ts_init,
            )
        )
    return Quotes(ticks, skipped)
