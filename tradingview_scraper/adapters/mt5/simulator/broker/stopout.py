"""When does the server close positions by force? `StopOut`: at the margin level of the stop-out.

The account's margin call level is a warning only: nothing happens at it.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from tradingview_scraper.adapters.mt5.simulator.broker import money
from tradingview_scraper.adapters.mt5.simulator.broker.account import Change, Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.orders import done
from tradingview_scraper.adapters.mt5.simulator.broker.settlement import Settlement
from tradingview_scraper.adapters.mt5.simulator.broker.statement import Statement
from tradingview_scraper.adapters.mt5.simulator.market.conversion import Leg, conversion_path
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import (
    AccountStopoutMode,
    OrderReason,
    OrderState,
    PositionType,
)
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo, Tick, TradePosition

_Range = tuple[float, float]


class StopOut:
    """Watches the margin levels of accounts."""

    def __init__(self, market: Market, settlement: Settlement) -> None:
        self._market: Final = market
        self._settlement: Final = settlement
        self._legs: dict[tuple[str, str], tuple[Leg, ...] | None] = {}
        self._prices: tuple[tuple[frozenset[str], int, int], _Prices] | None = None

    def enforce(self, statement: Statement) -> None:
        """Bring an account above its stop-out level, as far as its markets are open.

        First go the pending orders that hold margin, one by one, then the positions, the largest
        loss first [broker's rules]. The prices are those of the market's moment.
        """
        ledger, valuation = statement.ledger, statement.valuation
        stuck: set[int] = set()
        while _is_out(account := statement.account()):
            holding = [order for order in ledger.orders.values() if valuation.order_margin(order)]
            if holding:
                now = self._market.now_msc
                ledger.record(now, Change(order=done(holding[0], OrderState.CANCELED, now)))
                continue
            losing = [
                position
                for position in statement.positions()
                if position.identifier not in stuck and self._market.is_open(position.symbol)
            ]
            if not losing:
                return
            worst = min(losing, key=lambda position: position.profit + position.swap)
            if not self._close(ledger, worst, account):
                stuck.add(worst.identifier)

    def next_risk(self, statement: Statement, until_msc: int) -> int | None:
        """When a hidden tick up to `until_msc` could first bring the account there; None: never.

        Only a bound is looked at, which spares most ticks: the moment itself must be evaluated.
        """
        ledger = statement.ledger
        margin = statement.account().margin
        if ledger.spec.margin_so_so <= 0.0 or not ledger.positions or margin <= 0.0:
            return None
        held = list(ledger.positions.values())
        paths = self._paths(ledger, held)
        symbols = {position.symbol for position in held}
        symbols |= {leg.symbol for path in paths.values() for leg in path or ()}
        prices = self._prices_of(frozenset(symbols), until_msc)
        # Mostly all of it is safe, which costs one look for as long as the prices are kept.
        whole = (0, len(prices.times))
        if not whole[1] or self._is_safe(ledger, held, paths, prices, margin, *whole):
            return None
        first = int(np.searchsorted(prices.times, self._market.now_msc, "right"))
        ranges = [(first, len(prices.times))]
        while ranges:
            low, high = ranges.pop()
            if low >= high or self._is_safe(ledger, held, paths, prices, margin, low, high):
                continue
            if high - low == 1:
                return int(prices.times[low])
            middle = (low + high) // 2
            ranges += [(middle, high), (low, middle)]
        return None

    def _prices_of(self, symbols: frozenset[str], until_msc: int) -> "_Prices":
        """The hidden ticks of these symbols up to then, and maybe some before them."""
        market = self._market
        of = (symbols, until_msc, market.version)
        if self._prices is None or self._prices[0] != of or market.now_msc < self._prices[1].since:
            prices = _Prices(
                market.now_msc,
                {name: market.upcoming(name, until_msc) for name in symbols},
                {name: market.quote(name) for name in symbols},
            )
            self._prices = (of, prices)
        return self._prices[1]

    def _close(self, ledger: Ledger, position: TradePosition, account: AccountInfo) -> bool:
        spec = self._market.spec(position.symbol)
        tick = self._market.quote(position.symbol)
        if spec is None or tick.bid <= 0.0 or tick.ask <= 0.0:
            return False
        tick = tick._replace(time_msc=self._market.now_msc)
        comment = f"so: {account.margin_level:.2f}%/{account.equity:.2f}/{account.margin:.2f}"
        return self._settlement.close(ledger, spec.info, position, tick, OrderReason.SO, comment)

    def _paths(
        self, ledger: Ledger, held: Iterable[TradePosition]
    ) -> dict[str, tuple[Leg, ...] | None]:
        """The legs from each currency of these positions to the account's."""
        target = ledger.spec.currency
        found: dict[str, tuple[Leg, ...] | None] = {}
        for position in held:
            spec = self._market.spec(position.symbol)
            if spec is None:
                continue
            for source in (spec.info.currency_profit, spec.info.currency_margin):
                if (source, target) not in self._legs:
                    specs = (self._market.spec(name) for name in self._market.names())
                    infos = [spec.info for spec in specs if spec is not None]
                    self._legs[source, target] = conversion_path(infos, source, target)
                found[source] = self._legs[source, target]
        return found

    def _is_safe(
        self,
        ledger: Ledger,
        held: list[TradePosition],
        paths: dict[str, tuple[Leg, ...] | None],
        prices: "_Prices",
        margin: float,
        low: int,
        high: int,
    ) -> bool:
        equity = ledger.balance + ledger.credit - 0.01 * (len(held) + 2)
        for position in held:
            spec = self._market.spec(position.symbol)
            if spec is None:
                continue
            bought = position.type == PositionType.BUY
            lowest, highest = prices.span(position.symbol, "bid" if bought else "ask", low, high)
            worst = money.profit(
                spec.info,
                position.type,
                position.volume,
                position.price_open,
                lowest if bought else highest,
            )
            least, most = _factor(paths.get(spec.info.currency_profit), prices, low, high)
            equity += min(worst * least, worst * most, 0.0 if lowest <= 0.0 else worst * most)
            equity += position.swap
        if ledger.spec.margin_so_mode_code == AccountStopoutMode.MONEY:
            return equity > ledger.spec.margin_so_so
        growth = 1.0
        for path in paths.values():
            least, most = _factor(path, prices, 0, high)
            growth = max(growth, most / least if least > 0.0 else 1e9)
        needed = (margin + 0.01) * growth * ledger.spec.margin_so_so / 100.0
        return equity > needed


class _Prices:
    """Ticks after `since` of several symbols on one axis of moments, with what stands before."""

    def __init__(self, since: int, rows: dict[str, Rows], quotes: dict[str, Tick]) -> None:
        self.since = since
        self._rows = rows
        self._quotes = quotes
        self._spans: dict[tuple[str, str, int, int], _Range] = {}
        times = [rows_["time_msc"] for rows_ in rows.values()]
        self.times = np.unique(np.concatenate(times)) if times else np.empty(0, np.int64)

    def span(self, symbol: str, column: str, low: int, high: int) -> _Range:
        """The extremes of a price from the moment `low` to before the moment `high`; 0: none."""
        key = (symbol, column, low, high)
        if key not in self._spans:
            self._spans[key] = self._span(symbol, column, low, high)
        return self._spans[key]

    def _span(self, symbol: str, column: str, low: int, high: int) -> _Range:
        rows = self._rows[symbol]
        first = int(np.searchsorted(rows["time_msc"], self.times[low], "left"))
        last = int(np.searchsorted(rows["time_msc"], self.times[high - 1], "right"))
        # What the last tick before the span left standing counts as well.
        prices = rows[column][max(first - 1, 0) : last]
        prices = prices[prices > 0.0]
        before = float(getattr(self._quotes[symbol], column)) if first == 0 or low == 0 else 0.0
        found = [float(prices.min()), float(prices.max())] if len(prices) else []
        found += [before] if before > 0.0 else []
        return (min(found), max(found)) if found else (0.0, 0.0)


def _factor(path: tuple[Leg, ...] | None, prices: _Prices, low: int, high: int) -> _Range:
    """By how much money of a currency is multiplied, at least and at most; 0 without a price."""
    least, most = 1.0, 1.0
    for leg in path or ():
        bids = prices.span(leg.symbol, "bid", low, high)
        asks = prices.span(leg.symbol, "ask", low, high)
        lowest, highest = min(*bids, *asks), max(*bids, *asks)
        if lowest <= 0.0:
            return 0.0, 1e9
        least, most = (
            (least / highest, most / lowest) if leg.inverse else (least * lowest, most * highest)
        )
    return least, most


def _is_out(account: AccountInfo) -> bool:
    """Whether the account is at or below its stop-out; a level of 0 is never reached."""
    if account.margin <= 0.0 or account.margin_so_so <= 0.0:
        return False
    if account.margin_so_mode == AccountStopoutMode.MONEY:
        return account.equity <= account.margin_so_so
    return account.margin_level <= account.margin_so_so
