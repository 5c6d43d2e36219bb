"""What happens at the server as time goes on? `Timeline`: triggers, ends of orders, midnights.

Everything happens in the order of time. At one moment midnight comes first, then what expires,
then the ticks.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from tradingview_scraper.adapters.mt5.simulator.broker.account import Change, Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.dealing import Dealing
from tradingview_scraper.adapters.mt5.simulator.broker.orders import done, expires_msc
from tradingview_scraper.adapters.mt5.simulator.broker.overnight import turn_of_day
from tradingview_scraper.adapters.mt5.simulator.broker.settlement import Settlement
from tradingview_scraper.adapters.mt5.simulator.broker.stopout import StopOut
from tradingview_scraper.adapters.mt5.simulator.broker.triggers import Key, StopHit, first_hit
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.market.sessions import DAY_MSC
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import OrderState
from tradingview_scraper.adapters.mt5.terminal.records import Tick, TradeOrder


class Timeline:
    """Carries the market and all ledgers on together."""

    def __init__(
        self,
        market: Market,
        ledgers: Mapping[int, Ledger],
        dealing: Dealing,
        settlement: Settlement,
    ) -> None:
        self._market: Final = market
        self._ledgers: Final = ledgers
        self._dealing: Final = dealing
        self._settlement: Final = settlement
        self._stop_out: Final = StopOut(market, settlement)

    def advance_to(self, now_msc: int) -> None:
        """Reveal ticks up to `now_msc` and carry out what they and the hours bring."""
        market = self._market
        # Ticks that were pushed late, at moments already passed.
        market.run_to(market.now_msc, self.on_ticks, only=self.watching())
        self.enforce_margins()
        while market.now_msc < now_msc:
            midnight = market.now_msc // DAY_MSC * DAY_MSC + DAY_MSC
            due = min([midnight, *(max(end, market.now_msc + 1) for end in self._ends())])
            until = min(now_msc, due - 1)
            touched = self._next_event(until)
            if touched is not None:
                market.run_to(touched - 1, self.on_ticks, only=())
                self._run_to(touched)
                continue
            market.run_to(until, self.on_ticks, only=())
            if due <= now_msc:
                self._fall_due(due, is_midnight=due == midnight)
                self._run_to(due)

    def watching(self) -> frozenset[str]:
        """The symbols whose ticks can trigger something."""
        return frozenset(
            symbol
            for ledger in self._ledgers.values()
            for symbol in (
                *(p.symbol for p in ledger.positions.values() if p.sl or p.tp),
                *(order.symbol for order in ledger.orders.values()),
            )
        )

    def on_ticks(self, symbol: str, rows: Rows) -> None:
        """Carry out what these rows touch, at the touching ticks' prices."""
        spec = self._market.spec(symbol)
        if spec is None:
            return
        for ledger in self._ledgers.values():
            rest = rows[rows["time_msc"] >= ledger.last_msc]
            # Touched at the first row already, without an end: the next tick tries again.
            tried: set[Key] = set()
            while len(rest):
                hit = first_hit(
                    rest,
                    ledger.in_symbol(symbol),
                    _orders_in(ledger, symbol),
                    spec.info.point,
                    tried,
                )
                if hit is None:
                    break
                if hit.row:
                    tried.clear()
                    rest = rest[hit.row :]
                tick = Tick._make(rest[0].item())
                if isinstance(hit, StopHit):
                    succeeded = self._settlement.stop(ledger, spec.info, hit, tick)
                else:
                    succeeded = self._dealing.activate(ledger, spec.info, hit.order, tick)
                if not succeeded:
                    tried.add(hit.key)

    def enforce_margins(self) -> None:
        """The stop-out of every account, at the market's moment."""
        for ledger in self._ledgers.values():
            # After a restart the market comes up from behind what some accounts know already.
            if ledger.last_msc <= self._market.now_msc:
                self._stop_out.enforce(ledger)

    def _run_to(self, msc: int) -> None:
        self._market.run_to(msc, self.on_ticks, only=self.watching())
        self.enforce_margins()

    def _ends(self) -> Iterator[int]:
        """When waiting orders expire, those of all accounts."""
        for ledger in self._ledgers.values():
            for order in ledger.orders.values():
                spec = self._market.spec(order.symbol)
                end = None if spec is None else expires_msc(order, spec.info)
                if end is not None:
                    yield end

    def _fall_due(self, msc: int, *, is_midnight: bool) -> None:
        for ledger in self._ledgers.values():
            changes = self._expired(ledger, msc)
            if is_midnight and ledger.last_msc < msc:
                changes += turn_of_day(ledger, self._market, msc // DAY_MSC - 1)
            if changes:
                ledger.record(msc, *changes)

    def _expired(self, ledger: Ledger, msc: int) -> list[Change]:
        changes = []
        for order in ledger.orders.values():
            spec = self._market.spec(order.symbol)
            end = None if spec is None else expires_msc(order, spec.info)
            if end is not None and end <= msc:
                changes.append(Change(order=done(order, OrderState.EXPIRED, msc)))
        return changes

    def _next_event(self, until_msc: int) -> int | None:
        """When the next hidden tick brings something; looking ahead spares reporting every tick."""
        times = []
        for symbol in self.watching():
            rows = self._market.upcoming(symbol, until_msc)
            spec = self._market.spec(symbol)
            if spec is None or not len(rows):
                continue
            for ledger in self._ledgers.values():
                new = rows[rows["time_msc"] >= ledger.last_msc]
                orders = _orders_in(ledger, symbol)
                hit = first_hit(new, ledger.in_symbol(symbol), orders, spec.info.point)
                if hit is not None:
                    times.append(int(new["time_msc"][hit.row]))
        until_msc = min([until_msc, *times])
        risks = (self._stop_out.next_risk(ledger, until_msc) for ledger in self._ledgers.values())
        return min([*times, *(risk for risk in risks if risk is not None)], default=None)


def _orders_in(ledger: Ledger, symbol: str) -> list[TradeOrder]:
    return [order for order in ledger.orders.values() if order.symbol == symbol]
