"""What happens at the server as time goes on? `Timeline`: triggers, ends of orders, midnights.

Everything happens in the order of time. At one moment midnight comes first, then what expires,
then the ticks.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.simulator.broker.account import Change, Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.dealing import Dealing
from tradingview_scraper.adapters.mt5.simulator.broker.orders import done, expires_msc
from tradingview_scraper.adapters.mt5.simulator.broker.overnight import turn_of_day
from tradingview_scraper.adapters.mt5.simulator.broker.settlement import Settlement
from tradingview_scraper.adapters.mt5.simulator.broker.statement import Statements
from tradingview_scraper.adapters.mt5.simulator.broker.stopout import StopOut
from tradingview_scraper.adapters.mt5.simulator.broker.triggers import Key, StopHit, first_hit
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.market.sessions import DAY_MSC
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import OrderState
from tradingview_scraper.adapters.mt5.terminal.records import Tick, TradeOrder

#: How far hidden ticks are looked through at first; a quiet stretch doubles it. Looking far ahead
#: costs most where much happens, because everything that happens ends the look.
_LEAST_AHEAD_MSC: Final = 10_000


class Timeline:
    """Carries the market and all ledgers on together."""

    def __init__(
        self,
        market: Market,
        ledgers: Mapping[int, Ledger],
        statements: Statements,
        dealing: Dealing,
        settlement: Settlement,
    ) -> None:
        self._market: Final = market
        self._ledgers: Final = ledgers
        self._statements: Final = statements
        self._dealing: Final = dealing
        self._settlement: Final = settlement
        self._stop_out: Final = StopOut(market, settlement)
        #: Until when nothing happens, itself excluded, while the books and the ticks stay as they
        #: were: the versions of both.
        self._quiet_until = 0
        self._quiet_of: tuple[int, ...] = ()
        self._touches: dict[str, _Touch] = {}

    def advance_to(self, now_msc: int) -> None:
        """Reveal ticks up to `now_msc` and carry out what they and the hours bring."""
        market = self._market
        if self._quiet_of == self._version() and now_msc < self._quiet_until:
            market.run_to(now_msc, self.on_ticks, only=())
            return
        # Ticks that were pushed late, at moments already passed.
        market.run_to(market.now_msc, self.on_ticks, only=self.watching())
        self.enforce_margins()
        ahead = _LEAST_AHEAD_MSC
        while market.now_msc < now_msc:
            midnight = market.now_msc // DAY_MSC * DAY_MSC + DAY_MSC
            due = min([midnight, *(max(end, market.now_msc + 1) for end in self._ends())])
            horizon = due - 1
            if self._can_happen():
                # Always the same ends, so that what was found up to one of them serves again.
                horizon = min(horizon, (market.now_msc // ahead + 2) * ahead - 1)
            touched = self._next_event(horizon)
            if touched is not None and touched <= now_msc:
                market.run_to(touched - 1, self.on_ticks, only=())
                self._run_to(touched)
                ahead = max(_LEAST_AHEAD_MSC, ahead // 4)
                continue
            market.run_to(min(now_msc, horizon), self.on_ticks, only=())
            ahead = min(2 * ahead, DAY_MSC)
            if horizon == due - 1 and due <= now_msc:
                self._fall_due(due, is_midnight=due == midnight)
                self._run_to(due)
                continue
            self._quiet_until = horizon + 1 if touched is None else touched
            self._quiet_of = self._version()

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
                self._stop_out.enforce(self._statements.of(ledger))

    def _version(self) -> tuple[int, ...]:
        return self._market.version, *(ledger.version for ledger in self._ledgers.values())

    def _can_happen(self) -> bool:
        """Whether ticks can bring anything: something is open or waits."""
        return any(ledger.positions or ledger.orders for ledger in self._ledgers.values())

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
        times = [
            time
            for symbol in self.watching()
            if (time := self._next_touch(symbol, until_msc)) is not None
        ]
        until_msc = min([until_msc, *times])
        risks = (
            self._stop_out.next_risk(self._statements.of(ledger), until_msc)
            for ledger in self._ledgers.values()
            if ledger.positions
        )
        return min([*times, *(risk for risk in risks if risk is not None)], default=None)

    def _next_touch(self, symbol: str, until_msc: int) -> int | None:
        """When the next hidden tick of a symbol touches a stop or an order."""
        market = self._market
        versions = tuple(ledger.changed.get(symbol, 0) for ledger in self._ledgers.values())
        found = self._touches.get(symbol)
        of = (market.version, versions)
        if found is None or found.of != of or not market.now_msc < found.holds_until(until_msc):
            found = _Touch(of, until_msc, self._first_touch(symbol, until_msc))
            self._touches[symbol] = found
        return found.time if found.time is not None and found.time <= until_msc else None

    def _first_touch(self, symbol: str, until_msc: int) -> int | None:
        rows = self._market.upcoming(symbol, until_msc)
        spec = self._market.spec(symbol)
        if spec is None or not len(rows):
            return None
        times = []
        for ledger in self._ledgers.values():
            new = rows[rows["time_msc"] >= ledger.last_msc]
            orders = _orders_in(ledger, symbol)
            hit = first_hit(new, ledger.in_symbol(symbol), orders, spec.info.point)
            if hit is not None:
                times.append(int(new["time_msc"][hit.row]))
        return min(times, default=None)


class _Touch(NamedTuple):
    """The first touch of a symbol up to `until`, None: there is none, at the versions `of`."""

    of: tuple[int, tuple[int, ...]]
    until: int
    time: int | None

    def holds_until(self, until_msc: int) -> int:
        """Before which moment this is the first touch up to `until_msc`."""
        if self.time is not None:
            return self.time
        return self.until + 1 if until_msc <= self.until else 0


def _orders_in(ledger: Ledger, symbol: str) -> list[TradeOrder]:
    return [order for order in ledger.orders.values() if order.symbol == symbol]
