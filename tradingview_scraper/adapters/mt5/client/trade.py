"""What is the state of the account, and what has happened on it? Owned here, fed by the worker."""

import concurrent.futures
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tradingview_scraper.adapters.mt5.client.delivery import Deliveries
from tradingview_scraper.adapters.mt5.client.link import Link
from tradingview_scraper.adapters.mt5.rules.lifecycle import Fact, Lifecycle, TradeUpdate
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    TradeOrder,
    TradePosition,
)
from tradingview_scraper.adapters.mt5.worker.frames import Foreign, Report, Trade, WatchTrade

#: Readings (one per poll, more after a request) until what is incomplete is said as it is.
_PATIENCE: Final = 200


class TradeState:
    """The account's orders, positions and life, in one order for all who watch it.

    It outlives the trade lane's workers: the whole reading with which each of them begins is the
    baseline for the first, and brings what happened meanwhile for those that follow. Works on the
    trade lane's reader thread; `on_facts` and `on_foreign` are called there.
    """

    def __init__(
        self,
        watch_id: int,
        config: MT5TerminalConfig,
        on_facts: Callable[[list[Fact], Deliveries], None],
        on_foreign: Callable[[str], None],
    ) -> None:
        self.id = watch_id
        self._config = config
        self._on_facts = on_facts
        self._on_foreign = on_foreign
        self._link: Link | None = None
        self._seq = 0
        self.forget()

    def forget(self) -> None:
        """Begin anew: the next whole reading is the baseline. No worker is running."""
        #: Frames of the trade feed so far: it has looked again when there are more.
        self.frames = 0
        #: Done when the first whole reading is in.
        self.baseline: concurrent.futures.Future[None] = concurrent.futures.Future()
        self.account: AccountInfo | None = None
        self._lifecycle: Lifecycle | None = None
        self._orders: dict[int, TradeOrder] = {}
        self._positions: dict[int, TradePosition] = {}
        self._deals_from: int | None = None
        self._orders_from: int | None = None

    def refuse(self, error: MT5Error) -> None:
        """Whoever waits for the baseline waits in vain."""
        if not self.baseline.done():
            self.baseline.set_exception(error)

    @property
    def orders(self) -> Mapping[int, TradeOrder]:
        """Open orders by ticket, as of the last frame; `price_current` may be older."""
        return MappingProxyType(self._orders)

    @property
    def positions(self) -> Mapping[int, TradePosition]:
        """Open positions by ticket, as of the last frame; price, swap and profit may be older."""
        return MappingProxyType(self._positions)

    def resume(self, link: Link, command_id: int) -> WatchTrade:
        self._link = link
        self._seq = 0
        return WatchTrade(
            command_id,
            self.id,
            self._config.trade_poll_ms,
            self._config.account_poll_ms,
            self._deals_from,
            self._orders_from,
        )

    def receive(self, link: Link, report: Report, deliveries: Deliveries) -> None:
        if link is not self._link:
            return
        if isinstance(report, Foreign):
            self._on_foreign(report.reason)
            return
        if not isinstance(report, Trade):
            return
        self._seq += 1
        if report.seq != self._seq:
            raise ValueError(f"expected frame {self._seq} of the trade feed, was {report.seq}")
        self.frames += 1
        self._keep(report)
        update = TradeUpdate(
            full=report.full,
            orders=report.orders,
            orders_gone=report.orders_gone,
            positions=report.positions,
            positions_gone=report.positions_gone,
            deals=report.deals,
            history=report.history,
            account=report.account,
            answered=report.answered,
        )
        if self._lifecycle is None:
            self._lifecycle = Lifecycle(_PATIENCE)
            self._lifecycle.baseline(update)
            if not self.baseline.done():
                self.baseline.set_result(None)
        elif facts := self._lifecycle.apply(update):
            self._on_facts(facts, deliveries)

    def _keep(self, report: Trade) -> None:
        """New dicts, not changed ones: readers on other threads may hold the old ones."""
        self._deals_from, self._orders_from = report.deals_from, report.orders_from
        if report.account is not None:
            self.account = report.account
        if report.full or report.orders or report.orders_gone:
            orders = {} if report.full else dict(self._orders)
            orders.update((order.ticket, order) for order in report.orders)
            for ticket in report.orders_gone:
                orders.pop(ticket, None)
            self._orders = orders
        if report.full or report.positions or report.positions_gone:
            positions = {} if report.full else dict(self._positions)
            positions.update((position.ticket, position) for position in report.positions)
            for ticket in report.positions_gone:
                positions.pop(ticket, None)
            self._positions = positions
