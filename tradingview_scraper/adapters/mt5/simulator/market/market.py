"""What does the trade server know of symbols and prices? `Market`.

Nothing here reads the clock on its own account: what has happened is what `run_to` has revealed, so
that prices, bars and the broker's triggers always speak of the same moment.
"""

from collections.abc import Callable, Collection
from copy import copy
from typing import Final, NamedTuple

import numpy as np

from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.library.groups import group_pattern
from tradingview_scraper.adapters.mt5.simulator.market.conversion import Conversion, Side
from tradingview_scraper.adapters.mt5.simulator.market.depth import depth
from tradingview_scraper.adapters.mt5.simulator.market.listing import Listing, list_symbol
from tradingview_scraper.adapters.mt5.simulator.market.replay import recorded_ticks
from tradingview_scraper.adapters.mt5.simulator.market.sessions import DAY_MSC
from tradingview_scraper.adapters.mt5.simulator.market.stream import BlockCache, joined_rows
from tradingview_scraper.adapters.mt5.simulator.market.ticks import (
    fill_flags,
    filtered,
    in_time_order,
    wanted,
    with_undocumented_bits,
)
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario, SymbolSpec
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolCalcMode, Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import (
    TICK_DTYPE,
    BookInfo,
    SymbolInfo,
    Tick,
)

#: Rows that one range of ticks may hold; beyond, a terminal is out of memory.
MOST_TICKS: Final = 30_000_000

_CFD_MODES: Final = (SymbolCalcMode.CFD, SymbolCalcMode.CFDINDEX, SymbolCalcMode.CFDLEVERAGE)
_NO_TICK: Final = Tick(0, 0.0, 0.0, 0.0, 0, 0, 0, 0.0)
_TIMEFRAMES: Final[dict[int, Timeframe]] = {int(frame): frame for frame in Timeframe}


class Market:
    """Symbols, their ticks, bars and depth, and Market Watch.

    `account_currency` is what tick values are shown in. `held` names the symbols that cannot leave
    Market Watch because something is open in them.
    """

    def __init__(
        self, scenario: Scenario, clock: Clock, *, began_utc_msc: int | None = None
    ) -> None:
        self.account_currency = scenario.account.currency
        self.held: frozenset[str] = frozenset()
        self._clock = clock
        self._seed = scenario.seed
        self._now = clock.now_msc()
        self._late: dict[str, list[Rows]] = {}
        #: Changes with everything that changes ticks, revealed or hidden, or Market Watch.
        self.version = 0
        self._standing: dict[str, _Standing] = {}
        self._infos: dict[str, tuple[tuple[object, ...], SymbolInfo]] = {}
        self._book_since: dict[str, int] = {}
        self._book_market_orders = scenario.prices.book_market_orders
        self._flag_bits = scenario.prices.flag_bits
        self._raw_tick_values = scenario.prices.raw_tick_values
        cache = BlockCache()
        began = self._now if began_utc_msc is None else clock.server_msc(began_utc_msc)
        recorded = recorded_ticks(scenario, began)
        self._symbols = {
            spec.name: list_symbol(spec, scenario, self._now, cache, recorded.get(spec.name))
            for spec in scenario.symbols
        }
        self._selected = {spec.name for spec in scenario.symbols if spec.selected}
        #: What money of one currency is in another.
        self.conversion = self._conversion()

    @property
    def has_late_ticks(self) -> bool:
        """Ticks were pushed at moments that had passed, and `run_to` has not reported them yet."""
        return bool(self._late)

    @property
    def now_msc(self) -> int:
        """Up to when ticks are revealed, in milliseconds of server time."""
        return self._now

    def frozen(self) -> "Market":
        """The market as a terminal without a link keeps seeing it; Market Watch stays shared."""
        copied = copy(self)
        copied._symbols = {name: found.frozen() for name, found in self._symbols.items()}
        copied._standing = {}
        copied._infos = {}
        copied._late = {}
        copied.conversion = copied._conversion()
        return copied

    def gap(self, symbol: str, points: int, msc: int) -> None:
        """The prices of ticks later than `msc` are so many points higher, for good.

        Pushed and recorded ticks stay as they are. Raises ValueError for an unknown symbol.
        """
        found = self._symbols.get(symbol)
        if found is None:
            raise ValueError(f"expected a symbol of the scenario, got {symbol!r}")
        found.stream.gap(msc, points, found.spec.info)
        self._changed(symbol)

    def names(self) -> list[str]:
        """All symbols, in the scenario's order."""
        return list(self._symbols)

    def exists(self, symbol: str) -> bool:
        return symbol in self._symbols

    def spec(self, symbol: str) -> SymbolSpec | None:
        """What never changes about a symbol."""
        found = self._symbols.get(symbol)
        return None if found is None else found.spec

    def info(self, symbol: str) -> SymbolInfo | None:
        """All fields as of now; prices are zero while the symbol is not selected. None: unknown."""
        found = self._symbols.get(symbol)
        if found is None:
            return None
        info = found.spec.info
        pairs = self.conversion.symbols_between(info.currency_profit, self.account_currency)
        # What the fields depend on: as long as that stays, the same object is given.
        key = (
            self._stands(symbol).tick,
            [self._stands(pair).tick for pair in pairs],
            (self._now // DAY_MSC, self.version, symbol in self._selected, self.account_currency),
        )
        kept = self._infos.get(symbol)
        if kept is None or kept[0] != key:
            kept = self._infos[symbol] = (key, self._info_now(found))
        return kept[1]

    def infos(self, group: str | None = None) -> list[SymbolInfo]:
        """`info` of all symbols whose names match the group, like ``"*USD*,!XAU*"``."""
        pattern = group_pattern("*" if group is None else group)
        names = [name for name in self._symbols if pattern.matches(name)]
        return [info for name in names if (info := self.info(name)) is not None]

    def select(self, symbol: str, enable: bool) -> bool:
        """Put a symbol into Market Watch or take it out.

        False: unknown, or held there by a position.
        """
        if symbol not in self._symbols or (not enable and symbol in self.held):
            return False
        if enable:
            self._selected.add(symbol)
        else:
            self._selected.discard(symbol)
        return True

    def is_selected(self, symbol: str) -> bool:
        return symbol in self._selected

    def is_open(self, symbol: str) -> bool:
        """Whether the symbol's session is open now.

        Never before the `start_time` and from the `expiration_time` of a contract on [assumed].
        """
        found = self._symbols[symbol]
        info, now = found.spec.info, self._now // 1000
        if now < info.start_time or 0 < info.expiration_time <= now:
            return False
        return found.stream.is_open(self._now)

    def tick(self, symbol: str) -> Tick | None:
        """The last tick, zeros before the first one; None when unknown or not selected."""
        return self.quote(symbol) if symbol in self._selected else None

    def quote(self, symbol: str) -> Tick:
        """The last tick in the server's own view, selected or not. Raises KeyError when unknown."""
        return self._stands(symbol).tick

    def quote_until(self, symbol: str) -> int:
        """Up to which moment, itself excluded, `quote` stays what it is while `version` does."""
        return self._stands(symbol).until

    def quote_at(self, symbol: str, msc: int) -> Tick:
        """The last tick at a moment that is revealed already."""
        now = self._stands(symbol)
        if now.since <= msc:
            return now.tick
        row = self._symbols[symbol].stream.last(msc)
        return _NO_TICK if row is None else Tick._make(row.item())

    def ticks_from(self, symbol: str, from_msc: int, count: int, flags: int) -> Rows | None:
        """The first `count` ticks at or after `from_msc`, ascending.

        None: unknown, not selected, a negative count, or flags that are none of `CopyTicks`.
        """
        mask = wanted(flags)
        if symbol not in self._selected or mask is None or count < 0:
            return None
        stream = self._symbols[symbol].stream
        parts: list[Rows] = []
        found = 0
        for span in stream.spans(from_msc, self._now):
            if found >= count:
                break
            part = filtered(stream.part(*span), mask)
            parts.append(part[: count - found])
            found += len(parts[-1])
        return self._flagged(symbol, joined_rows(parts))

    def newest_ticks(self, symbol: str, count: int) -> Rows:
        """The last `count` ticks that are revealed, ascending; the symbol must exist."""
        stream = self._symbols[symbol].stream
        parts: list[Rows] = []
        for day in stream.days_back(self._now):
            end = min(self._now, (day + 1) * DAY_MSC - 1)
            parts.append(stream.between(day * DAY_MSC, end))
            if sum(map(len, parts)) >= count:
                break
        return joined_rows(parts[::-1])[-count:]

    def ticks_range(self, symbol: str, from_msc: int, to_msc: int, flags: int) -> Rows | None:
        """The ticks from `from_msc` to `to_msc`, both inclusive, ascending.

        None: as `ticks_from`, or more than `MOST_TICKS`.
        """
        mask = wanted(flags)
        if symbol not in self._selected or mask is None:
            return None
        stream = self._symbols[symbol].stream
        end = min(to_msc, self._now)
        parts: list[Rows] = []
        found = 0
        for span in stream.spans(from_msc, end):
            parts.append(filtered(stream.part(*span), mask))
            found += len(parts[-1])
            if found > MOST_TICKS:
                return None
        return self._flagged(symbol, joined_rows(parts))

    def rates_from(self, symbol: str, timeframe: int, at: int, count: int) -> Rows | None:
        """The last `count` bars that begin at or before `at` (server seconds), ascending.

        None: unknown symbol, no such timeframe, or a negative count. The forming bar is included,
        and the terminal's ``maxbars`` limits every answer; the newest win.
        """
        frame = _timeframe(timeframe)
        if symbol not in self._symbols or frame is None or count < 0:
            return None
        return self._symbols[symbol].series.before(frame, at, count, self._now)

    def rates_range(self, symbol: str, timeframe: int, start: int, end: int) -> Rows | None:
        """The bars that begin from `start` to `end` (server seconds), both inclusive."""
        frame = _timeframe(timeframe)
        if symbol not in self._symbols or frame is None:
            return None
        return self._symbols[symbol].series.between(frame, start, end, self._now)

    def rates_from_pos(self, symbol: str, timeframe: int, position: int, count: int) -> Rows | None:
        """`count` bars up to the one `position` bars back; 0 is the forming one."""
        frame = _timeframe(timeframe)
        if symbol not in self._symbols or frame is None or count < 0 or position < 0:
            return None
        return self._symbols[symbol].series.from_position(frame, position, count, self._now)

    def push_ticks(self, symbol: str, rows: Rows) -> None:
        """Add ticks (`TICK_DTYPE`, ascending) to a symbol's stream.

        A row with `time_msc` 0 is stamped now, `time` follows from `time_msc`, and flags 0 are set
        to what changed. Rows later than now are revealed when their time comes. Raises ValueError
        for an unknown symbol, another dtype, or times that go back behind the last revealed tick.
        """
        found = self._symbols.get(symbol)
        if found is None:
            raise ValueError(f"expected a symbol of the scenario, got {symbol!r}")
        if rows.dtype != TICK_DTYPE or rows.ndim != 1:
            raise ValueError(f"expected one-dimensional rows of TICK_DTYPE, got {rows.dtype}")
        if not len(rows):
            return
        rows = rows.copy()
        now = max(self._clock.now_msc(), self._now)
        rows["time_msc"][rows["time_msc"] == 0] = now
        times = rows["time_msc"]
        last = found.stream.last(self._now)
        if last is not None and times[0] < last["time_msc"]:
            raise ValueError(
                f"{symbol}: expected ticks from {last['time_msc']} ms on (the last revealed one), "
                f"got one at {times[0]} ms"
            )
        if np.any(times[1:] < times[:-1]):
            raise ValueError(f"{symbol}: expected ticks in ascending order of time_msc")
        rows["time"] = times // 1000
        fill_flags(rows, found.stream.last(int(times[0])))
        found.stream.pushed.push(rows)
        self._changed(symbol)
        late = int(np.searchsorted(times, self._now, "right"))
        if late:
            self._late.setdefault(symbol, []).append(rows[:late])
            found.today.forget()

    def book_add(self, symbol: str) -> bool:
        """Subscribe to the depth; False when the symbol has none or is not selected."""
        found = self._symbols.get(symbol)
        if found is None or not found.spec.info.ticks_bookdepth or symbol not in self._selected:
            return False
        self._book_since.setdefault(symbol, self._now)
        return True

    def book_release(self, symbol: str) -> bool:
        """End the subscription; False when there was none."""
        return self._book_since.pop(symbol, None) is not None

    def book(self, symbol: str) -> tuple[BookInfo, ...] | None:
        """The depth: sells first, prices descending. None: not added.

        Empty until the first tick after `book_add` [recorded].
        """
        since = self._book_since.get(symbol)
        if since is None:
            return None
        tick = self.quote(symbol)
        if tick.time_msc <= since:
            return ()
        info = self._symbols[symbol].spec.info
        return depth(info, tick, self._seed, market_orders=self._book_market_orders)

    def run_to(
        self,
        now_msc: int,
        on_ticks: Callable[[str, Rows], None],
        only: Collection[str] | None = None,
    ) -> None:
        """Reveal the ticks up to `now_msc` and report them in the order of time, symbol by symbol.

        During a report everything up to the last tick of it is revealed, nothing later. `only`: the
        symbols that are reported; the others are revealed as well. A moment before the last one is
        no error: the clock went back, and nothing new is revealed until it has caught up.
        """
        names = [name for name in self._symbols if only is None or name in only]
        late, self._late = self._late, {}
        for name in names:
            for rows in late.get(name, ()):
                on_ticks(name, rows)
        while self._now < now_msc:
            # Day by day, so that a long jump does not hold all its ticks at once.
            until = min(now_msc, (self._now // DAY_MSC + 1) * DAY_MSC)
            begin = self._now + 1
            batches = [
                (name, rows)
                for name in names
                if len(rows := self._symbols[name].stream.between(begin, until))
            ]
            for name, rows in in_time_order(batches):
                self._now = int(rows["time_msc"][-1])
                on_ticks(name, rows)
            self._now = until

    def prepare(self, until_msc: int) -> None:
        """Draw a block of ticks that is due until then, so that no call has to wait for it."""
        for name in self._selected:
            if self._symbols[name].stream.prepare(until_msc):
                return

    def upcoming(self, symbol: str, until_msc: int) -> Rows:
        """The ticks after now up to `until_msc` that are still hidden, for the server's own use."""
        return self._symbols[symbol].stream.between(self._now + 1, until_msc)

    def rewind(self, msc: int) -> None:
        """Hide again what came after `msc`, for `run_to` to report it once more."""
        self._now = min(self._now, msc)
        self.version += 1

    def next_due_msc(self, only: Collection[str] | None = None) -> int | None:
        """When the next hidden tick (of the symbols `only`) is due; None: none for some days."""
        names = [name for name in self._symbols if only is None or name in only]
        times = [self._symbols[name].stream.next_time(self._now) for name in names]
        return min((time for time in times if time is not None), default=None)

    def _conversion(self) -> Conversion:
        infos = (symbol.spec.info for symbol in self._symbols.values())
        return Conversion(infos, self.quote, self.quote_at)

    def _info_now(self, found: Listing) -> SymbolInfo:
        info, symbol = found.spec.info, found.spec.name
        profit, loss = self._tick_value(info, "profit"), self._tick_value(info, "loss")
        if symbol not in self._selected:
            return info._replace(
                trade_tick_value=profit, trade_tick_value_profit=profit, trade_tick_value_loss=loss
            )
        return found.today.fill(self._now, self.quote(symbol), profit, loss)

    def _stands(self, symbol: str) -> "_Standing":
        found = self._standing.get(symbol)
        if found is None or not found.since <= self._now < found.until:
            row, since, until = self._symbols[symbol].stream.standing(self._now)
            tick = _NO_TICK if row is None else Tick._make(row.item())
            # The same tick stays the same object, for who keeps what was made of it.
            if found is not None and found.tick == tick:
                tick = found.tick
            found = self._standing[symbol] = _Standing(tick, since, until)
        return found

    def _changed(self, symbol: str) -> None:
        self._standing.pop(symbol, None)
        self.version += 1

    def _flagged(self, symbol: str, rows: Rows) -> Rows:
        if not self._flag_bits:
            return rows
        return with_undocumented_bits(rows, self._symbols[symbol].by_last)

    def _tick_value(self, info: SymbolInfo, side: Side) -> float:
        if self._raw_tick_values and info.trade_calc_mode in _CFD_MODES:
            return info.trade_tick_value
        value = self.conversion.convert(
            info.trade_tick_value, info.currency_profit, self.account_currency, side
        )
        return 0.0 if value is None else value


class _Standing(NamedTuple):
    """The last tick, from `since` to before `until`."""

    tick: Tick
    since: int
    until: int


def _timeframe(code: int) -> Timeframe | None:
    return _TIMEFRAMES.get(code)
