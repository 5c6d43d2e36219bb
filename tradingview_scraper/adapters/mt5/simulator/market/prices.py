"""How do prices move? Seeded ticks and minute bars of one symbol, day by day.

A day is drawn in two steps. The *skeleton* fixes for each of its 1440 minutes the open, high, low
and close, the number of ticks and the smallest spread. The *ticks* are then drawn inside it, block
by block (the busier the symbol, the shorter its blocks), so that their bars are exactly the
skeleton's: a long history of bars costs no ticks, a busy symbol's last tick costs only its block,
and the two never disagree. Days hang together by a walk over days that stays around the symbol's
start price. Each symbol walks on its own: a cross like EURGBP is not what its two legs would make
it.

The same seed, symbol and day give the same bytes, whatever was asked before.
"""

from collections import OrderedDict
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from tradingview_scraper.adapters.mt5.simulator.market.catalogue import PriceModel
from tradingview_scraper.adapters.mt5.simulator.market.sessions import MINUTE_MSC, MINUTES
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import TickFlag
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE, SymbolInfo

#: The first day (2000-01-01, as days since 1970) of the walk; no price exists before it.
FIRST_DAY: Final = 10_957

#: How busy each hour of the server's day is (New York + 7 h: London 10-18, New York 15-24).
_HOURS: Final = {
    "currencies": (
        *(0.25, 0.35, 0.5, 0.6, 0.6, 0.55, 0.5, 0.6, 0.8, 1.2, 1.5, 1.4),
        *(1.2, 1.1, 1.3, 1.9, 2.1, 2.0, 1.7, 1.3, 1.0, 0.8, 0.6, 0.4),
    ),
    "stocks": (
        *(0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.3, 0.3),
        *(0.3, 0.3, 0.4, 0.5, 2.6, 2.4, 1.8, 1.5, 1.4, 1.6, 2.6, 0.4),
    ),
    "flat": (1.0,) * 24,
}
#: Rows that a block of ticks has on average, at most, and how long it may be, in minutes.
_BLOCK_ROWS: Final = 16_384
_BLOCKS: Final = (1440, 480, 240, 120, 60, 30, 20, 15, 10, 5, 2, 1)
_KEPT_SKELETONS: Final = 4
_REVERSION: Final = 0.985
_WEEKEND_STEP: Final = 0.35
_SAME_MILLISECOND: Final = 0.012

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]


class Skeleton(NamedTuple):
    """One day's minutes, prices in steps of the price grid; arrays of 1440."""

    open: _Ints
    high: _Ints
    low: _Ints
    close: _Ints
    ticks: _Ints
    spread: _Ints
    volume: _Ints
    #: Positions among a minute's ticks of its high, its low and its smallest spread.
    high_at: _Ints
    low_at: _Ints
    spread_at: _Ints


class SyntheticPrices:
    """The price path of one symbol. Symbols with the same `like` and seed share one path.

    `rate` multiplies the number of ticks, `volatility` how far they move.
    """

    def __init__(
        self,
        info: SymbolInfo,
        model: PriceModel,
        *,
        like: str,
        seed: int,
        rate: float = 1.0,
        volatility: float = 1.0,
    ) -> None:
        self._model = model
        self._seed = seed
        self._key = crc32(like.encode())
        self._scale = 10.0**info.digits
        self._per_step = max(1, round(info.trade_tick_size * self._scale))
        self._sigma = model.daily_volatility * volatility
        self._start_steps = model.start_price * self._scale / self._per_step
        #: Prices stay above this many steps, so that a spread below them is still a price.
        self._floor = max(1, min(60, int(self._start_steps) // 4))
        per_point = round(info.point * self._scale) / self._per_step
        self._points = max(1, round(self._per_step / max(1.0, info.point * self._scale)))
        self._spread = round(model.spread_points * per_point)
        self._spread_noise = model.spread_noise * per_point
        hours = np.repeat(np.array(_HOURS[model.day], dtype=np.float64), 60)
        hours /= hours.mean()
        self._intensity: _Floats = hours * (60.0 * model.ticks_per_second * rate)
        self._weights: _Floats = hours / hours.sum()
        self._walk = _DailyWalk(seed, self._key, self._sigma, weekends=model.sessions != "always")
        self._skeletons: OrderedDict[int, Skeleton] = OrderedDict()
        per_minute = 60.0 * model.ticks_per_second * rate * (2 if model.trade_volume else 1)
        #: How many minutes a block has; a day is a whole number of blocks.
        self.block_minutes: Final = next(
            (minutes for minutes in _BLOCKS if minutes * per_minute <= _BLOCK_ROWS), 1
        )

    def skeleton(self, day: int) -> Skeleton:
        """The minutes of a server day (days since 1970-01-01, not before `FIRST_DAY`)."""
        found = self._skeletons.get(day)
        if found is None:
            found = self._skeletons[day] = self._drawn(day)
            if len(self._skeletons) > _KEPT_SKELETONS:
                self._skeletons.popitem(last=False)
        return found

    def bars(self, day: int, minutes: NDArray[np.bool_]) -> Rows:
        """M1 bars (`RATE_DTYPE`, ascending) of the minutes that are True, where there are ticks."""
        if not minutes.any():
            return np.zeros(0, dtype=RATE_DTYPE)
        skeleton = self.skeleton(day)
        which = np.flatnonzero((skeleton.ticks > 0) & minutes)
        rows = np.zeros(len(which), dtype=RATE_DTYPE)
        rows["time"] = day * 86_400 + which * 60
        rows["open"] = self._price(skeleton.open[which])
        rows["high"] = self._price(skeleton.high[which])
        rows["low"] = self._price(skeleton.low[which])
        rows["close"] = self._price(skeleton.close[which])
        rows["tick_volume"] = skeleton.ticks[which]
        rows["spread"] = skeleton.spread[which] * self._points
        rows["real_volume"] = skeleton.volume[which]
        return rows

    def ticks(self, day: int, minutes: NDArray[np.bool_]) -> Rows:
        """Ticks (`TICK_DTYPE`, ascending) of the minutes of a day that are True."""
        blocks = range(MINUTES // self.block_minutes)
        return np.concatenate([self.block(day, block, minutes) for block in blocks])

    def block(self, day: int, block: int, minutes: NDArray[np.bool_]) -> Rows:
        """Ticks (`TICK_DTYPE`, ascending) of one block of a day; `minutes` are those of the day."""
        begin = block * self.block_minutes
        minutes = minutes[begin : begin + self.block_minutes]
        if not minutes.any():
            return np.zeros(0, dtype=TICK_DTYPE)
        whole = self.skeleton(day)
        skeleton = Skeleton(*(part[begin : begin + self.block_minutes] for part in whole))
        rng = self._generator(day, 3 + block)
        count = skeleton.ticks
        total = int(count.sum())
        if not total:
            return np.zeros(0, dtype=TICK_DTYPE)
        minute = np.repeat(np.arange(len(count)), count)
        first = np.cumsum(count) - count
        times = self._times(rng, minute, total, (day * MINUTES + begin) * MINUTE_MSC)
        price = self._ticks_inside(rng, skeleton, minute, first, total)
        extra = np.floor(rng.exponential(1.0, total) * self._spread_noise).astype(np.int64)
        # The last tick is one of them, so that the next block knows it.
        smallest = np.append((first + skeleton.spread_at)[count > 0], total - 1)
        extra[smallest] = 0
        before = _before(whole, begin)
        if self._model.trade_volume > 0.0:
            rows, minute = self._trade_rows(
                rng, skeleton, minute, first, times, price, extra, before
            )
        else:
            rows = self._quote_rows(skeleton, minute, times, price, extra, smallest, before)
        return rows if minutes.all() else rows[minutes[minute]]

    def _generator(self, day: int, purpose: int) -> Generator:
        return Generator(PCG64(SeedSequence(self._seed, spawn_key=(self._key, day, purpose))))

    def _drawn(self, day: int) -> Skeleton:
        rng = self._generator(day, 0)
        step = self._walk.step(day)
        path = self._path(day, rng, step)
        jitter = rng.integers(0, 20, MINUTES)
        opened = path[:-1] + (jitter == 0) - (jitter == 1)
        closed = path[1:].copy()
        burst = rng.gamma(3.0, 1.0 / 3.0, MINUTES) * (0.5 if step < 1.0 else 1.0)
        ticks = rng.poisson(self._intensity * burst).astype(np.int64)
        reach = self._sigma * step * np.sqrt(self._weights) * self._start_steps * 0.5
        up = np.floor(rng.exponential(1.0, MINUTES) * reach).astype(np.int64)
        down = np.floor(rng.exponential(1.0, MINUTES) * reach).astype(np.int64)
        at = rng.random((3, MINUTES))
        only_up = rng.random(MINUTES) < 0.5
        # A minute of one tick has one price, of two ticks no room, of three room for one extreme.
        closed = np.where(ticks == 1, opened, closed)
        up = np.where((ticks < 3) | ((ticks == 3) & ~only_up), 0, up)
        down = np.where((ticks < 3) | ((ticks == 3) & only_up), 0, down)
        high_at = np.where(ticks >= 3, 1 + np.floor(at[0] * (ticks - 2)), 0).astype(np.int64)
        low_at = np.where(ticks >= 4, 1 + np.floor(at[1] * (ticks - 3)), 0).astype(np.int64)
        low_at += (ticks >= 4) & (low_at >= high_at)
        low_at = np.where((ticks == 3) & ~only_up, high_at, low_at)
        high_at = np.where((ticks == 3) & ~only_up, 0, high_at)
        wide = np.where(rng.random(MINUTES) < 0.03, 1 + rng.poisson(2.0, MINUTES), 0)
        # Around the server's midnight banks roll over and spreads are wide.
        minute = np.arange(MINUTES)
        rollover = np.where((minute < 5) | (minute >= MINUTES - 3), 4 * max(1, self._spread), 0)
        extra = np.floor(rng.exponential(1.0, MINUTES) * ticks * self._model.trade_volume)
        traded = np.where(self._model.trade_volume > 0.0, ticks + extra, 0.0).astype(np.int64)
        return Skeleton(
            open=opened,
            high=np.maximum(opened, closed) + up,
            low=np.maximum(np.minimum(opened, closed) - down, self._floor),
            close=closed,
            ticks=ticks,
            spread=self._spread + wide + rollover,
            volume=traded,
            high_at=high_at,
            low_at=low_at,
            spread_at=np.floor(at[2] * ticks).astype(np.int64),
        )

    def _path(self, day: int, rng: Generator, step: float) -> _Ints:
        """Prices at the 1441 minute boundaries: a bridge between the walk's levels."""
        begin, end = self._walk.level(day), self._walk.level(day + 1)
        passed = np.concatenate(([0.0], np.cumsum(self._weights)))
        passed[-1] = 1.0
        moves = rng.standard_normal(MINUTES) * np.sqrt(self._weights) * (self._sigma * step)
        walk = np.concatenate(([0.0], np.cumsum(moves)))
        bridge = walk - passed * walk[-1] + begin + passed * (end - begin)
        steps: _Ints = np.rint(np.exp(bridge) * self._start_steps).astype(np.int64)
        return np.maximum(steps, self._floor + 1)

    def _times(self, rng: Generator, minute: _Ints, total: int, begin: int) -> _Ints:
        times = np.sort(minute * MINUTE_MSC + rng.integers(0, MINUTE_MSC, total))
        joined = rng.random(total) < _SAME_MILLISECOND
        joined[:1] = False
        joined[1:] &= minute[1:] == minute[:-1]
        leader = np.maximum.accumulate(np.where(joined, 0, np.arange(total)))
        return times[leader] + begin

    def _ticks_inside(
        self, rng: Generator, skeleton: Skeleton, minute: _Ints, first: _Ints, total: int
    ) -> _Ints:
        """Prices of all ticks: from open over high and low to close, with noise, never outside."""
        count = skeleton.ticks
        some, several = count >= 1, count >= 2
        has_high, has_low = skeleton.high_at > 0, skeleton.low_at > 0
        places = np.concatenate(
            (
                first[some],
                (first + count - 1)[several],
                (first + skeleton.high_at)[has_high],
                (first + skeleton.low_at)[has_low],
            )
        )
        values = np.concatenate(
            (
                skeleton.open[some],
                skeleton.close[several],
                skeleton.high[has_high],
                skeleton.low[has_low],
            )
        )
        order = np.argsort(places)
        line = np.interp(np.arange(total), places[order], values[order])
        range_ = skeleton.high - skeleton.low
        noise = np.maximum(0.6, 0.12 * range_)[minute]
        inside: _Ints = np.rint(line + rng.standard_normal(total) * noise).astype(np.int64)
        inside = np.clip(inside, skeleton.low[minute], skeleton.high[minute])
        inside[places] = values
        return inside

    def _quote_rows(
        self,
        skeleton: Skeleton,
        minute: _Ints,
        times: _Ints,
        bid: _Ints,
        extra: _Ints,
        smallest: _Ints,
        before: tuple[int, int],
    ) -> Rows:
        spread = skeleton.spread[minute] + extra
        for _ in range(3):
            # A tick that changes nothing is no tick: its ask moves (and may then equal the next).
            still = np.zeros(len(bid), dtype=bool)
            still[1:] = (bid[1:] == bid[:-1]) & (spread[1:] == spread[:-1])
            still[0] = (int(bid[0]), int(spread[0])) == before
            still[smallest] = False
            spread = spread + still
        ask = bid + spread
        rows = np.zeros(len(bid), dtype=TICK_DTYPE)
        rows["time"] = times // 1000
        rows["time_msc"] = times
        rows["bid"] = self._price(bid)
        rows["ask"] = self._price(ask)
        rows["flags"] = _quote_flags(bid, ask, before[0], sum(before))
        return rows

    def _trade_rows(
        self,
        rng: Generator,
        skeleton: Skeleton,
        minute: _Ints,
        first: _Ints,
        times: _Ints,
        last: _Ints,
        extra: _Ints,
        before: tuple[int, int],
    ) -> tuple[Rows, _Ints]:
        """Trades at the quote, each after the change of the quote that led to it."""
        total = len(last)
        spread = skeleton.spread[minute] + extra
        bought = rng.random(total) < 0.5
        bid = np.where(bought, last - spread, last)
        ask = bid + spread
        volume = self._volumes(rng, skeleton, minute, first, total)
        earlier = np.concatenate((times[:1], times[:-1]))
        quoted = np.maximum(times - rng.integers(1, 200, total), earlier)
        quoted = np.maximum(quoted, times // MINUTE_MSC * MINUTE_MSC)
        rows = np.zeros(2 * total, dtype=TICK_DTYPE)
        quotes, trades = rows[0::2], rows[1::2]
        quotes["time_msc"], trades["time_msc"] = quoted, times
        trades["last"] = self._price(last)
        quotes["last"][1:] = trades["last"][:-1]
        quotes["last"][:1] = before[0] * self._per_step / self._scale or trades["last"][:1]
        trades["volume"] = volume
        quotes["volume"][1:] = volume[:-1]
        flags = _quote_flags(bid, ask, 0, 0)
        changed = np.ones(total, dtype=bool)
        changed[1:] = (bid[1:] != bid[:-1]) | (ask[1:] != ask[:-1])
        quotes["flags"] = flags
        trade = int(TickFlag.LAST | TickFlag.VOLUME)
        trades["flags"] = trade | np.where(bought, int(TickFlag.BUY), int(TickFlag.SELL))
        for side in (quotes, trades):
            side["bid"], side["ask"] = self._price(bid), self._price(ask)
        rows["time"] = rows["time_msc"] // 1000
        rows["volume_real"] = rows["volume"]
        kept = np.ones(2 * total, dtype=bool)
        kept[0::2] = changed
        return rows[kept], np.repeat(minute, 2)[kept]

    def _volumes(
        self, rng: Generator, skeleton: Skeleton, minute: _Ints, first: _Ints, total: int
    ) -> _Ints:
        """At least 1 each, and together what the skeleton says of the minute."""
        shares = rng.exponential(1.0, total)
        passed = np.concatenate(([0.0], np.cumsum(shares)))
        begin = passed[first[minute]]
        whole = passed[(first + skeleton.ticks)[minute]] - begin
        rest = (skeleton.volume - skeleton.ticks)[minute]
        upto = np.floor(rest * np.minimum(1.0, (passed[1:] - begin) / whole)).astype(np.int64)
        final = np.zeros(total, dtype=bool)
        final[(first + skeleton.ticks - 1)[skeleton.ticks > 0]] = True
        upto = np.where(final, rest, upto)
        before = np.concatenate(([0], upto[:-1]))
        before[first[skeleton.ticks > 0]] = 0
        return 1 + upto - before

    def _price(self, steps: _Ints) -> _Floats:
        # An integer divided by a power of ten is the float that the decimal text would give.
        return (steps * self._per_step) / self._scale


class _DailyWalk:
    """Logarithms of the price at the beginning of each day, relative to the start price."""

    def __init__(self, seed: int, key: int, sigma: float, *, weekends: bool) -> None:
        self._rng = Generator(PCG64(SeedSequence(seed, spawn_key=(key, 0, 2))))
        self._sigma = sigma
        self._weekends = weekends
        self._levels = [0.0]

    def step(self, day: int) -> float:
        """How far this day may move, relative to a trading day."""
        return _WEEKEND_STEP if self._weekends and (day + 3) % 7 >= 5 else 1.0

    def level(self, day: int) -> float:
        if day < FIRST_DAY:
            raise ValueError(f"prices begin on day {FIRST_DAY} (2000-01-01), asked for {day}")
        while len(self._levels) <= day - FIRST_DAY:
            level = self._levels[-1]
            begin = FIRST_DAY + len(self._levels) - 1
            for offset, draw in enumerate(self._rng.standard_normal(512)):
                move = self._sigma * self.step(begin + offset) * float(draw)
                level = level * _REVERSION + move
                self._levels.append(level)
        return self._levels[day - FIRST_DAY]


def _before(skeleton: Skeleton, minute: int) -> tuple[int, int]:
    """Price and spread of the last tick before a minute in which a block begins; zeros: none."""
    busy = np.flatnonzero(skeleton.ticks[:minute])
    return (int(skeleton.close[busy[-1]]), int(skeleton.spread[busy[-1]])) if len(busy) else (0, 0)


def _quote_flags(bid: _Ints, ask: _Ints, bid_before: int, ask_before: int) -> NDArray[np.uint32]:
    moved_bid = np.diff(bid, prepend=bid_before) != 0
    moved_ask = np.diff(ask, prepend=ask_before) != 0
    flags = np.zeros(len(bid), dtype=np.uint32)
    flags += int(TickFlag.BID) * moved_bid.astype(np.uint32)
    flags += int(TickFlag.ASK) * moved_ask.astype(np.uint32)
    # Terminals flag the bid when nothing changed.
    flags[flags == 0] = int(TickFlag.BID)
    return flags
