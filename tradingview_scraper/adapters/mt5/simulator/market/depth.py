"""What stands in the order book? Five levels a side around the quote of a symbol with depth."""

from zlib import crc32

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from tradingview_scraper.adapters.mt5.terminal.constants import BookType
from tradingview_scraper.adapters.mt5.terminal.records import BookInfo, SymbolInfo, Tick

_LEVELS = 5


def depth(
    info: SymbolInfo, tick: Tick, seed: int, *, market_orders: bool = False
) -> tuple[BookInfo, ...]:
    """Sell levels first, prices descending throughout [recorded]; empty without a quote.

    The same tick gives the same book. `market_orders`: the best level of each side is one of market
    orders (types 3 and 4), without a limit of their own.
    """
    if tick.bid <= 0.0 or tick.ask <= 0.0:
        return ()
    levels = min(_LEVELS, info.ticks_bookdepth)
    key = (crc32(info.name.encode()), tick.time_msc)
    rng = Generator(PCG64(SeedSequence(seed, spawn_key=key)))
    gaps = rng.integers(1, 3, (2, levels))
    gaps[:, 0] = 0
    away = np.cumsum(gaps, axis=1) * info.trade_tick_size
    lots = 1 + np.floor(rng.exponential(40.0, (2, levels)))
    volumes = lots * info.volume_min
    sells = [
        _level(BookType.SELL, tick.ask + away[0][index], volumes[0][index], info)
        for index in reversed(range(levels))
    ]
    buys = [
        _level(BookType.BUY, tick.bid - away[1][index], volumes[1][index], info)
        for index in range(levels)
    ]
    if market_orders:
        waiting = (1 + np.floor(rng.exponential(10.0, 2))) * info.volume_min
        sells.append(_level(BookType.SELL_MARKET, tick.ask, waiting[0], info))
        buys.insert(0, _level(BookType.BUY_MARKET, tick.bid, waiting[1], info))
    return (*sells, *buys)


def _level(kind: BookType, price: float, volume: float, info: SymbolInfo) -> BookInfo:
    return BookInfo(
        type=int(kind),
        price=round(float(price), info.digits),
        volume=round(float(volume)),
        volume_dbl=round(float(volume), 8),
    )
