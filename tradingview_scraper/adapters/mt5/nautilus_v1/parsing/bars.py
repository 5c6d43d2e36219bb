"""Which bars are in the rates that a terminal sent, and which bar types does it have?"""

from typing import Final, NamedTuple

import numpy as np
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import BarAggregation, PriceType
from nautilus_trader.model.objects import PRICE_MAX

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.rules.bars import closing_times
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolChartMode, Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

_LETTERS: Final = {
    BarAggregation.MINUTE: "M",
    BarAggregation.HOUR: "H",
    BarAggregation.DAY: "D",
    BarAggregation.WEEK: "W",
    BarAggregation.MONTH: "MN",
}

_PRICES: Final = {
    SymbolChartMode.BID: PriceType.BID,
    SymbolChartMode.LAST: PriceType.LAST,
}


class UnsupportedBarType(ValueError):
    """The terminal has no such bars; the text says which it has."""


class Bars(NamedTuple):
    """Bars in the order of their rows. `skipped` rows were no bars (high below low, no price)."""

    bars: list[Bar]
    skipped: int


def timeframe_of(bar_type: BarType, info: SymbolInfo) -> Timeframe:
    """The terminal's timeframe of an external bar type. Raises `UnsupportedBarType`.

    The price of a symbol's bars is what its charts are built from: bid, or last on an exchange.
    """
    spec = bar_type.spec
    price = _PRICES.get(SymbolChartMode(info.chart_mode))
    if spec.price_type != price:
        raise UnsupportedBarType(
            f"{bar_type}: bars of {info.name} are built by the terminal from "
            f"{'LAST' if price == PriceType.LAST else 'BID'} prices; subscribe to these, or to "
            f"INTERNAL bars"
        )
    name = f"{_LETTERS.get(spec.aggregation, '?')}{spec.step}"
    try:
        return Timeframe[name]
    except KeyError:
        steps = ", ".join(Timeframe.__members__)
        raise UnsupportedBarType(
            f"{bar_type}: the terminal has no such step, only {steps}; use INTERNAL bars for others"
        ) from None


def bars(
    rows: Rows,
    *,
    bar_type: BarType,
    timeframe: Timeframe,
    listing: Listing,
    zone: ZoneRule,
    ts_init: int | None = None,
) -> Bars:
    """Closed rows of `RATE_DTYPE`, ascending, as bars stamped with their closing time.

    Volume is the number of ticks, and the traded volume in units on symbols whose bars are built
    from last prices. `ts_init` None: the closing time, for history.
    """
    lows, opens, closes, highs = rows["low"], rows["open"], rows["close"], rows["high"]
    # Also false for NaN.
    usable = (lows >= -PRICE_MAX) & (lows <= opens) & (opens <= highs) & (highs <= PRICE_MAX)
    usable &= (lows <= closes) & (closes <= highs) & (closes != 0)
    # A copy: Nautilus takes no read-only arrays.
    kept = rows[usable]
    if listing.info.chart_mode == SymbolChartMode.LAST:
        volumes = kept["real_volume"] * float(listing.sizing.lot)
    else:
        volumes = kept["tick_volume"].astype(np.float64)
    events = zone.utc_ns_array(closing_times(kept["time"], timeframe) * 1000)
    inits = events if ts_init is None else np.full(len(kept), ts_init, np.uint64)
    made = Bar.from_raw_arrays_to_list(
        bar_type,
        listing.instrument.price_precision,
        listing.instrument.size_precision,
        kept["open"],
        kept["high"],
        kept["low"],
        kept["close"],
        volumes,
        events,
        inits,
    )
    return Bars(made, len(rows) - len(kept))
