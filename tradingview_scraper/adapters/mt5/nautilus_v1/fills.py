"""Which events does a fact of the trade feed become? `TradeEvents`."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.identifiers import ClientOrderId, TradeId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_changes import BracketChanges
from tradingview_scraper.adapters.mt5.nautilus_v1.brackets import Brackets
from tradingview_scraper.adapters.mt5.nautilus_v1.external import ExternalActivity
from tradingview_scraper.adapters.mt5.nautilus_v1.holdings import Holdings
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.overshoot import Overshoot
from tradingview_scraper.adapters.mt5.nautilus_v1.own_orders import OwnOrders
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import deal_kind, is_trade
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.nautilus_v1.quality import Quality
from tradingview_scraper.adapters.mt5.rules.facts import (
    AccountSeen,
    Dealt,
    Fact,
    OrderChanged,
    OrderDone,
    OrderPlaced,
)
from tradingview_scraper.adapters.mt5.terminal.constants import DealType
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo, TradeDeal, TradeOrder

#: Seconds that a report waits for the engine to apply the fills before it.
_APPLY_SECS: Final = 5.0
#: Seconds after a deal until the account is published though it was not read anew.
_ACCOUNT_SECS: Final = 0.5

#: Deals that undo an earlier one.
_VOIDED: Final = frozenset({DealType.BUY_CANCELED, DealType.SELL_CANCELED})


class TradeEvents:
    """Publishes what happened on the account: each deal once, in the order it happened.

    What an order of this node did becomes its events (`OwnOrders`), as does what a stop of its
    brackets did (`Brackets`). Everything else (closed by hand, another program) becomes reports
    (`ExternalActivity`).

    The engine applies events later, from its queue, but reports at once: a report therefore waits
    until the fills before it are applied. So a fact may have to wait, and then all behind it do.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        *,
        journal: Journal,
        own: OwnOrders,
        external: ExternalActivity,
        brackets: Brackets,
        bracket_changes: BracketChanges,
        overshoot: Overshoot,
        holdings: Holdings,
        provider: MT5InstrumentProvider,
        deposit: str,
        loop: asyncio.AbstractEventLoop,
        publish_account: Callable[[AccountInfo | None], None],
        quality: Quality,
    ) -> None:
        self._cache = out._cache
        self._log = out._log
        self._journal = journal
        self._own = own
        self._external = external
        self._brackets = brackets
        self._bracket_changes = bracket_changes
        self._overshoot = overshoot
        self._holdings = holdings
        self._provider = provider
        self._deposit = deposit
        self._loop = loop
        self._publish_account = publish_account
        self._quality = quality
        self._backlog: deque[Fact] = deque()
        self._drain_task: asyncio.Task[None] | None = None
        self._account_timer: asyncio.TimerHandle | None = None
        self._unapplied: list[tuple[ClientOrderId, TradeId]] = []
        #: Deals that opened a position and must not; told of when everything else is.
        self._overshot: deque[tuple[TradeDeal, Listing]] = deque()
        self._unlisted: set[str] = set()

    def publish(self, facts: list[Fact]) -> None:
        """Take the next facts of the feed. Publishes them at once where nothing has to wait."""
        for fact in facts:
            self._holdings.apply(fact)
        self._backlog.extend(facts)
        if self._drain_task is None and not self._advance():
            self._drain_task = self._loop.create_task(self._drain())
        accounts = [fact.account for fact in facts if isinstance(fact, AccountSeen)]
        if accounts:
            self._say_account(accounts[-1])
        elif any(isinstance(fact, Dealt) for fact in facts) and self._account_timer is None:
            # The account is read after its deals; should it look the same, it is said all the same.
            self._account_timer = self._loop.call_later(_ACCOUNT_SECS, self._say_account, None)

    def reported(self, deals: Iterable[TradeDeal]) -> None:
        """The engine hears of these deals, which it did not have, from the reports that it gets."""
        for deal in deals:
            entry = self._journal.owner_of_deal(deal, None)
            listing = self._provider.listing(deal.symbol)
            if entry is None or listing is None:
                continue
            if self._overshoot.has_opened(entry.client_order_id, deal):
                self._unapplied.append((entry.client_order_id, TradeId(str(deal.ticket))))
                self._overshot.append((deal, listing))
        if self._overshot and self._drain_task is None:
            self._drain_task = self._loop.create_task(self._drain())

    def close(self) -> None:
        """Publish nothing more."""
        self._backlog.clear()
        self._overshot.clear()
        if self._account_timer is not None:
            self._account_timer.cancel()
            self._account_timer = None
        if self._drain_task is not None:
            self._drain_task.cancel()
            self._drain_task = None

    def _say_account(self, account: AccountInfo | None) -> None:
        if self._account_timer is not None:
            self._account_timer.cancel()
            self._account_timer = None
        self._publish_account(account)

    def _advance(self) -> bool:
        """Publish until a fact has to wait. True when nothing is left."""
        while self._backlog:
            if not self._is_ready(self._backlog[0]):
                return False
            fact = self._backlog.popleft()
            try:
                self._publish(fact)
            except Exception as error:
                # The facts behind it are as true as before.
                self._log.exception(f"Cannot publish {fact}", error)
        while self._overshot and self._is_applied():
            self._overshoot.tell(*self._overshot.popleft())
        return not self._overshot

    async def _drain(self) -> None:
        try:
            while not self._advance():
                if self._backlog:
                    await self._prepare(self._backlog[0])
                else:
                    await self._applied()
        finally:
            self._drain_task = None

    def _is_ready(self, fact: Fact) -> bool:
        symbol = _symbol_of(fact)
        if not symbol:
            return True
        if self._provider.listing(symbol) is None and symbol not in self._unlisted:
            return False
        return self._is_own(fact) or self._is_applied()

    async def _prepare(self, fact: Fact) -> None:
        symbol = _symbol_of(fact)
        if self._provider.listing(symbol) is None and symbol not in self._unlisted:
            try:
                listing = await self._provider.listing_for(symbol)
            except MT5Error as error:
                self._log.error(f"Cannot load {symbol}, trying again: {error}")
                await asyncio.sleep(1.0)
                return
            if listing is None:
                self._unlisted.add(symbol)
            else:
                self._cache.add_instrument(listing.instrument)
        if not self._is_own(fact):
            await self._applied()

    async def _applied(self) -> None:
        """The engine has the fills that were told, or does not take them."""
        deadline = self._loop.time() + _APPLY_SECS
        while not self._is_applied():
            if self._loop.time() > deadline:
                self._log.error(f"The engine has not applied the fills {self._unapplied}")
                self._unapplied.clear()
            await asyncio.sleep(0)

    def _is_own(self, fact: Fact) -> bool:
        match fact:
            case OrderPlaced(order) | OrderChanged(order, _) | OrderDone(order):
                return self._journal.owner(order) is not None
            case Dealt(deal, order):
                return (
                    self._journal.owner_of_deal(deal, order) is not None
                    or self._brackets.stop_to_fill(deal) is not None
                )
        return True

    def _is_applied(self) -> bool:
        self._unapplied = [
            (client_order_id, trade_id)
            for client_order_id, trade_id in self._unapplied
            if not self._has_fill(self._cache.order(client_order_id), trade_id)
        ]
        return not self._unapplied

    def _publish(self, fact: Fact) -> None:
        match fact:
            case OrderPlaced(order):
                self._on_placed(order)
            case OrderChanged(order, before):
                self._on_changed(order, before)
            case Dealt(deal, order) if is_trade(deal):
                self._on_dealt(deal, order)
            case Dealt(deal, _):
                self._on_operation(deal)
            case OrderDone(order):
                self._on_done(order)
        self._bracket_changes.apply(fact)

    def _on_placed(self, order: TradeOrder) -> None:
        self._journal.note_foreign(order.magic)
        entry = self._journal.owner(order)
        if entry is None:
            self._external.placed(order)
        else:
            self._own.placed(entry, order)

    def _on_changed(self, order: TradeOrder, before: TradeOrder) -> None:
        entry = self._journal.owner(order)
        if entry is None:
            self._external.changed(order, before)
        else:
            self._own.changed(entry, order, before)

    def _on_dealt(self, deal: TradeDeal, order: TradeOrder | None) -> None:
        if self._journal.is_reported(deal):
            return
        self._journal.report(deal)
        self._journal.note_foreign(deal.magic)
        listing = self._provider.listing(deal.symbol)
        if listing is None:
            self._log.error(f"{deal.symbol} is no instrument, its deal is not reported: {deal}")
            return
        entry = self._journal.owner_of_deal(deal, order)
        hit = self._brackets.stop_to_fill(deal) if entry is None else None
        fill = None
        if entry is not None:
            fill = self._own.fill(entry, deal, order, listing)
        elif hit is not None:
            fill = self._brackets.fill(hit, deal, order, listing)
        else:
            self._external.dealt(deal, order, listing)
        if fill is None:
            return
        self._unapplied.append(fill)
        if entry is not None:
            self._quality.filled(entry, deal, order, listing)
            if self._overshoot.has_opened(entry.client_order_id, deal):
                self._overshot.append((deal, listing))
        elif hit is not None:
            self._quality.stopped(hit, deal, listing)

    def _on_operation(self, deal: TradeDeal) -> None:
        """Money without a trade: the account state that follows has it."""
        kind = deal_kind(deal)
        text = (
            f"{kind}: {deal.profit + deal.commission + deal.fee + deal.swap:+.2f} {self._deposit}"
        )
        text = f"{text} {deal.symbol} {deal.comment}".rstrip()
        if deal.type in _VOIDED:
            self._log.error(f"The server has voided a deal, check the positions: {text}: {deal}")
        else:
            self._log.info(f"Balance operation {deal.ticket}: {text}")

    def _on_done(self, order: TradeOrder) -> None:
        entry = self._journal.owner(order)
        if entry is None:
            self._external.done(order)
        else:
            self._own.done(entry, order)

    def _has_fill(self, order: Order | None, trade_id: TradeId) -> bool:
        return order is not None and trade_id in order.trade_ids


def _symbol_of(fact: Fact) -> str:
    match fact:
        case OrderPlaced(order) | OrderChanged(order, _) | OrderDone(order):
            return order.symbol
        case Dealt(deal, _):
            return deal.symbol if is_trade(deal) else ""
    return ""
