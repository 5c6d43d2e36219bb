"""What has changed on the account? Orders, positions, deals, history orders, and the account.

One *reading* goes over all of them, a call at a time, and ends in a report, an empty one too: who
waits for something counts them. Deals come first and leave before the rest is read, so that a fill
leaves soonest. The account is compared with the expected one after whatever was read, before any
of it leaves; only records of a request that was just sent need no look at the account: it was
compared directly before the request, and the server gave it the ticket that they carry. Figures
that only follow the prices are not changes.
"""

from collections.abc import Generator
from typing import Any, Final

from tradingview_scraper.adapters.mt5.terminal.api import TerminalLibrary
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    OrderSendResult,
    TradeDeal,
    TradeOrder,
    TradePosition,
)
from tradingview_scraper.adapters.mt5.worker.frames import Foreign, Report, Trade
from tradingview_scraper.adapters.mt5.worker.history_window import (
    DEALS,
    ORDERS,
    HistoryWindow,
    recent_start,
)
from tradingview_scraper.adapters.mt5.worker.identity import Expected
from tradingview_scraper.adapters.mt5.worker.library import account_of, ask

_ORDER_PRICE: Final = TradeOrder._fields.index("price_current")
_POSITION_PRICE: Final = TradePosition._fields.index("price_current")
_POSITION_PROFIT: Final = TradePosition._fields.index("profit")
_DEAL_ORDER: Final = TradeDeal._fields.index("order")
_ACCOUNT_PROFIT: Final = AccountInfo._fields.index("profit")
_ACCOUNT_CALL: Final = AccountInfo._fields.index("margin_so_call")
_ACCOUNT_INITIAL: Final = AccountInfo._fields.index("margin_initial")
_ACCOUNT_BLOCKED: Final = AccountInfo._fields.index("commission_blocked")
#: Readings that follow a request at short intervals, until its deals are there.
_RUSH: Final = 20
_RUSH_SECS: Final = 0.01


class TradeFeed:
    """The state of the account, whole at first and then what changed."""

    def __init__(
        self,
        library: TerminalLibrary,
        watch: int,
        expected: Expected,
        every_secs: float,
        account_every_secs: float,
        deals_from: int | None,
        orders_from: int | None,
    ) -> None:
        self.watch = watch
        self._library = library
        self._expected = expected
        self._every = every_secs
        self._account_every = account_every_secs
        self._deals_from = deals_from
        self._orders_from = orders_from
        self._deals: HistoryWindow | None = None
        self._history: HistoryWindow | None = None
        self._orders: dict[int, tuple[Any, ...]] = {}
        self._positions: dict[int, tuple[Any, ...]] = {}
        self._account: tuple[Any, ...] | None = None
        self._account_due = 0.0
        self._foreign = False
        self._pieces: Generator[Report | None, None, None] | None = None
        self._due = 0.0
        self._rush = 0
        # Requests whose deals were not seen yet: ticket, and lots executed as far as answered.
        self._just_sent: dict[int, float] = {}
        self._seq = 0
        # Found and not sent yet; it outlives a reading that fails.
        self._changes = _Changes()

    def step(self, now: float) -> tuple[Report | None, float]:
        if self._pieces is None:
            self._pieces = self._reading(now)
            pause = min(self._every, _RUSH_SECS) if self._rush else self._every
            self._due = max(min(self._due, now) + pause, now)
        try:
            return next(self._pieces), now
        except StopIteration:
            self._pieces = None
            return None, self._due

    def failed(self, now: float) -> float:
        self._pieces = None
        self._due = now + self._every
        return self._due

    def close(self) -> None:
        """Holds nothing in the terminal."""

    def request_was_sent(self, result: OrderSendResult | None) -> None:
        """Read again from the start: deals of the request may be there already.

        `result` is the server's answer, None when there is none.
        """
        if result is not None and result.order:
            self._just_sent[result.order] = result.volume if result.deal else 0.0
        if self._pieces is not None and self._deals is not None:
            self._pieces.close()
            self._pieces = None
        self._rush = _RUSH

    def _reading(self, now: float) -> Generator[Report | None, None, None]:
        if self._foreign:
            account = account_of(self._library)
            if self._expected.objection(account) is not None:
                return
            self._foreign = False
            yield None
        if self._deals is None or self._history is None:
            yield from self._whole(now)
        else:
            yield from self._changed(now, self._deals, self._history)

    def _whole(self, now: float) -> Generator[Report | None, None, None]:
        if self._deals_from is None:
            self._deals_from = yield from recent_start(self._library, DEALS)
        if self._orders_from is None:
            self._orders_from = yield from recent_start(self._library, ORDERS)
        changes = self._changes = _Changes()
        self._orders, self._positions = {}, {}
        deals = HistoryWindow(self._library, DEALS, self._deals_from)
        history = HistoryWindow(self._library, ORDERS, self._orders_from)
        changes.deals += deals.read_all()
        yield None
        changes.history += history.read_all()
        yield None
        self._read_orders()
        yield None
        self._read_positions()
        yield None
        account = account_of(self._library)
        if self._is_foreign(account):
            yield self._foreign_report(account)
            return
        self._deals, self._history = deals, history
        yield self._report(account, now, full=True)

    def _changed(
        self, now: float, deals: HistoryWindow, history: HistoryWindow
    ) -> Generator[Report | None, None, None]:
        changes = self._changes
        straight = self._rush > 0
        yield from deals.read_new(changes.deals, now, straight=straight)
        answered = tuple(sent for sent in self._just_sent.items() if sent[1])
        if answered and (own := changes.take({ticket for ticket, _ in answered})):
            # What the server has said it executed explains these deals: they leave at once.
            self._rush = 0
            self._forget_sent(own)
            yield self._frame(own, answered=answered)
        yield from history.read_new(changes.history, now, straight=straight)
        self._rush = 0 if changes.deals else max(0, self._rush - 1)
        if self._just_sent and (own := changes.take(set(self._just_sent))):
            self._forget_sent(own)
            yield self._frame(own)
        if not self._rush:
            self._just_sent.clear()
        account = account_of(self._library)
        if self._is_foreign(account):
            yield self._foreign_report(account)
            return
        yield self._report(account, now) if changes else None
        self._read_orders()
        yield None
        self._read_positions()
        if self._changes:
            yield None
            account = account_of(self._library)
            if self._is_foreign(account):
                yield self._foreign_report(account)
                return
        yield self._report(account, now)

    def _forget_sent(self, own: "_Changes") -> None:
        for deal in own.deals:
            self._just_sent.pop(deal[_DEAL_ORDER], None)

    def _read_orders(self) -> None:
        rows = ask(self._library, "orders_get")
        found = {row[0]: row[:_ORDER_PRICE] + row[_ORDER_PRICE + 1 :] for row in rows}
        known, self._orders = self._orders, found
        self._changes.orders.update(
            {row[0]: row for row in rows if known.get(row[0]) != found[row[0]]}
        )
        self._changes.orders_gone += [ticket for ticket in known if ticket not in found]

    def _read_positions(self) -> None:
        rows = ask(self._library, "positions_get")
        found = {row[0]: row[:_POSITION_PRICE] + row[_POSITION_PROFIT + 1 :] for row in rows}
        known, self._positions = self._positions, found
        self._changes.positions.update(
            {row[0]: row for row in rows if known.get(row[0]) != found[row[0]]}
        )
        self._changes.positions_gone += [ticket for ticket in known if ticket not in found]

    def _is_foreign(self, account: AccountInfo) -> bool:
        return self._expected.objection(account) is not None

    def _foreign_report(self, account: AccountInfo) -> Foreign:
        """Whatever was read may be another account's: forget it, and begin anew when it is back."""
        self._foreign = True
        self._deals = self._history = None
        self._changes = _Changes()
        self._just_sent.clear()
        self._account = None
        reason = self._expected.objection(account) or ""
        return Foreign(self.watch, reason, account)

    def _report(self, account: AccountInfo, now: float, *, full: bool = False) -> Trade:
        changes, self._changes = self._changes, _Changes()
        steady = _steady(account)
        is_news = changes or full or steady != self._account or now >= self._account_due
        if is_news:
            self._account = steady
            self._account_due = now + self._account_every
        return self._frame(changes, account if is_news else None, full=full)

    def _frame(
        self,
        changes: "_Changes",
        account: AccountInfo | None = None,
        *,
        full: bool = False,
        answered: tuple[tuple[int, float], ...] = (),
    ) -> Trade:
        self._seq += 1
        return Trade(
            watch=self.watch,
            seq=self._seq,
            full=full,
            orders=tuple(changes.orders.values()),
            orders_gone=tuple(changes.orders_gone),
            positions=tuple(changes.positions.values()),
            positions_gone=tuple(changes.positions_gone),
            deals=tuple(changes.deals),
            history=tuple(changes.history),
            account=account,
            answered=answered,
            deals_from=self._deals_from or 1,
            orders_from=self._orders_from or 1,
        )


class _Changes:
    """What was found since the last report."""

    def __init__(self) -> None:
        self.orders: dict[int, Any] = {}
        self.orders_gone: list[int] = []
        self.positions: dict[int, Any] = {}
        self.positions_gone: list[int] = []
        self.deals: list[Any] = []
        self.history: list[Any] = []

    def take(self, tickets: set[int]) -> "_Changes":
        """Take out the deals and finished orders of these orders."""
        own = _Changes()
        own.deals = [deal for deal in self.deals if deal[_DEAL_ORDER] in tickets]
        own.history = [order for order in self.history if order[0] in tickets]
        if own:
            self.deals = [deal for deal in self.deals if deal[_DEAL_ORDER] not in tickets]
            self.history = [order for order in self.history if order[0] not in tickets]
        return own

    def __bool__(self) -> bool:
        return bool(
            self.deals
            or self.history
            or self.orders
            or self.orders_gone
            or self.positions
            or self.positions_gone
        )


def _steady(account: AccountInfo) -> tuple[Any, ...]:
    """What of an account does not move with the prices."""
    return (
        account[:_ACCOUNT_PROFIT]
        + account[_ACCOUNT_CALL:_ACCOUNT_INITIAL]
        + account[_ACCOUNT_BLOCKED:]
    )
