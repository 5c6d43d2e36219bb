"""What has a symbol done today? The live fields of `SymbolInfo`, kept up tick by tick."""

from typing import Any

import numpy as np

from tradingview_scraper.adapters.mt5.simulator.market.series import BarSeries
from tradingview_scraper.adapters.mt5.simulator.market.sessions import DAY_MSC
from tradingview_scraper.adapters.mt5.simulator.market.stream import TickStream
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import (
    SymbolChartMode,
    TickFlag,
    Timeframe,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo, Tick

_TRADES = int(TickFlag.LAST | TickFlag.VOLUME)


class Today:
    """The statistics of one symbol's server day, as far as it is revealed."""

    def __init__(self, info: SymbolInfo, stream: TickStream, series: BarSeries) -> None:
        self._info = info
        self._stream = stream
        self._series = series
        self._by_last = info.chart_mode == SymbolChartMode.LAST
        self._until = -1
        self._extremes: dict[str, float] = {}
        self._opened = 0.0
        self._closed = 0.0
        self._deals = 0
        self._volume = 0
        self._turnover = 0.0

    def forget(self) -> None:
        """Start again: a tick was added to what had been counted."""
        self._until = -1

    def fill(
        self, now_msc: int, tick: Tick, tick_value_profit: float, tick_value_loss: float
    ) -> SymbolInfo:
        """`SymbolInfo` of a selected symbol, `tick` being its last one."""
        self._run_to(now_msc)
        info = self._info
        price = tick.last if self._by_last else tick.bid
        live: dict[str, Any] = dict(self._extremes)
        if self._by_last:
            live["session_deals"] = self._deals
            live["session_volume"] = float(self._volume)
            live["session_turnover"] = self._turnover
        if self._closed > 0.0 and price > 0.0:
            live["price_change"] = round((price / self._closed - 1.0) * 100.0, 4)
        return info._replace(
            select=True,
            visible=True,
            time=tick.time,
            bid=tick.bid,
            ask=tick.ask,
            last=tick.last,
            volume=tick.volume,
            volume_real=tick.volume_real,
            spread=round((tick.ask - tick.bid) / info.point) if tick.ask > 0.0 else 0,
            session_open=self._opened,
            session_close=self._closed,
            trade_tick_value=tick_value_profit,
            trade_tick_value_profit=tick_value_profit,
            trade_tick_value_loss=tick_value_loss,
            **live,
        )

    def _run_to(self, now_msc: int) -> None:
        begin = now_msc // DAY_MSC * DAY_MSC
        if self._until < begin or self._until > now_msc:
            self._begin(begin)
        if self._until < now_msc:
            self._add(self._stream.between(self._until + 1, now_msc))
            self._until = now_msc

    def _begin(self, begin: int) -> None:
        self._until = begin - 1
        self._extremes = {}
        self._opened = 0.0
        self._deals = self._volume = 0
        self._turnover = 0.0
        # Yesterday's bar costs less than its ticks, and its close is the last of them.
        before = self._series.before(Timeframe.D1, begin // 1000 - 1, 1, begin - 1)
        self._closed = float(before["close"][0]) if len(before) else 0.0

    def _add(self, rows: Rows) -> None:
        for field in ("bid", "ask"):
            self._widen(field, rows[field][rows[field] > 0.0])
        trades = rows[(rows["flags"] & _TRADES) != 0] if self._by_last else rows[:0]
        self._widen("last", trades["last"])
        self._widen("volume", trades["volume"])
        self._widen("volume_real", trades["volume_real"])
        self._deals += len(trades)
        self._volume += int(trades["volume"].sum())
        self._turnover += float((trades["last"] * trades["volume_real"]).sum())
        prices = trades["last"] if self._by_last else rows["bid"][rows["bid"] > 0.0]
        if not self._opened and len(prices):
            self._opened = float(prices[0])

    def _widen(self, field: str, values: Any) -> None:
        if not len(values):
            return
        name = field.removesuffix("_real")
        tail = field.removeprefix(name)
        high, low = f"{name}high{tail}", f"{name}low{tail}"
        highest, lowest = np.max(values).item(), np.min(values).item()
        self._extremes[high] = max(self._extremes.get(high, highest), highest)
        self._extremes[low] = min(self._extremes.get(low, lowest), lowest)
