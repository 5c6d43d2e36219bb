"""How is a stop of a bracket changed or cancelled? `BracketChanges`.

While the entry waits, its stops are fields of the order (MODIFY); afterwards of the position
(SLTP). Either request names both, and removes what it does not name.
"""

import asyncio
import functools
from collections.abc import Sequence

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import ModifyOrder
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.nautilus_v1.asked import LevelChange
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket import (
    Bracket,
    Stop,
    id_of,
    is_same_level,
    levels_of,
    whose,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_asked import StopQueue, StopWish
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import Leg, level_of
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_reports import is_covering
from tradingview_scraper.adapters.mt5.nautilus_v1.brackets import Brackets
from tradingview_scraper.adapters.mt5.nautilus_v1.changes import Changes
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry
from tradingview_scraper.adapters.mt5.nautilus_v1.keepalive import keep_pending
from tradingview_scraper.adapters.mt5.nautilus_v1.outcomes import words_of
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.nautilus_v1.unproven import (
    WORKING,
    Doubts,
    Shown,
)
from tradingview_scraper.adapters.mt5.rules.facts import Fact
from tradingview_scraper.adapters.mt5.rules.protection import ProtectionAudit
from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused
from tradingview_scraper.adapters.mt5.rules.requests import Terms, position_stops
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder, TradePosition


class BracketChanges:
    """Takes the commands on stops of brackets, and tells what came of them.

    A change is told from the answer. One of unknown outcome is never sent again: it is told when
    the position shows it, and rejected when `Doubts` prove that it was not done. What an earlier
    run has sent is one of unknown outcome.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        brackets: Brackets,
        changes: Changes,
        provider: MT5InstrumentProvider,
        audit: ProtectionAudit,
        loop: asyncio.AbstractEventLoop,
        doubts: Doubts,
    ) -> None:
        self._out = out
        self._cache = out._cache
        self._log = out._log
        self._client = client
        self._brackets = brackets
        self._changes = changes
        self._provider = provider
        self._audit = audit
        self._loop = loop
        self._doubts = doubts
        self._queues: dict[ClientOrderId, StopQueue] = {}
        self._is_closed = False
        changes.watcher = self

    def resume(self) -> None:
        """Take up what an earlier run asked of stops, and never heard the end of.

        What was done before the account was read is in the reports, and need not be told here.
        """
        for bracket in self._brackets:
            for stop in bracket.stops.values():
                order = self._cache.order(stop.client_order_id)
                level = bracket.levels[stop.leg]
                if order is None or stop.is_over or not is_covering(bracket, stop, self._brackets):
                    continue
                if order.status == OrderStatus.PENDING_CANCEL:
                    self._ask(bracket, StopWish(stop, 0.0, is_earlier=True))
                elif order.status == OrderStatus.PENDING_UPDATE and is_same_level(
                    level_of(order), level
                ):
                    self._ask(bracket, StopWish(stop, level, is_earlier=True))

    def modify(self, command: ModifyOrder) -> bool:
        """Change a stop as `command` says. False, and nothing happens, for any other order."""
        found = self._brackets.find(command.client_order_id)
        if found is None:
            return False
        bracket, stop = found
        order = self._cache.order(stop.client_order_id)
        why = self._objection(bracket, stop, order, command)
        if why:
            self._reject(bracket, StopWish(stop, 0.0, command), f"UNSUPPORTED_MODIFY: {why}")
            return True
        wanted = command.trigger_price if stop.leg is Leg.SL else command.price
        level = float(wanted) if wanted is not None else bracket.levels[stop.leg]
        if level == bracket.levels[stop.leg] and stop.client_order_id not in self._asked(bracket):
            # Its quantity follows the position by itself.
            self._brackets.update(bracket, stop, self._now())
            return True
        self._ask(bracket, StopWish(stop, level, command))
        return True

    def cancel(self, client_order_id: ClientOrderId) -> bool:
        """Cancel a stop. False, and nothing happens, for any other order."""
        found = self._brackets.find(client_order_id)
        if found is None:
            return False
        bracket, stop = found
        entry = self._cache.order(bracket.entry.client_order_id)
        if stop.is_over or stop.is_cancelling or stop in bracket.held:
            # It ends, or has ended: its event is on the way.
            return True
        if bracket.is_waiting and entry is not None and entry.status == OrderStatus.PENDING_CANCEL:
            # It ends with the entry.
            bracket.held.append(stop)
        else:
            self._ask(bracket, StopWish(stop, 0.0))
        return True

    def apply(self, fact: Fact) -> None:
        """Take in what was just published."""
        for bracket in self._brackets.apply(fact):
            queue = self._queues.get(bracket.entry.client_order_id)
            if queue is not None and queue.sent is not None and queue.doubt is None:
                # Sent for the order that waited: the position tells from here on.
                self._doubt(queue, queue.sent)
            self._release(bracket)
            self._advance(bracket)
        for queue in tuple(self._queues.values()):
            self._compare(queue)

    def on_terms(self, entry: Entry, terms: Terms, ts_event: int) -> None:
        """A waiting order has these terms now."""
        self._brackets.on_terms(entry, terms, ts_event)
        queue = self._queues.get(entry.client_order_id)
        if queue is not None and queue.bracket.is_waiting:
            self._compare(queue, is_told=True)

    def on_cancel_refused(self, client_order_id: ClientOrderId) -> None:
        """The entry was not cancelled: its stops are to be, all the same."""
        for bracket in self._brackets:
            if bracket.entry.client_order_id == client_order_id:
                self._release(bracket)

    def keep_alive(self, now: int, keepalive_ns: int) -> None:
        """Keep the engine from guessing what is not known."""
        ids = [
            wish.stop.client_order_id
            for queue in self._queues.values()
            for wish in (queue.sent, *queue.waiting)
            if wish is not None
        ]
        keep_pending(self._out, ids, now, keepalive_ns)

    def close(self) -> None:
        """Say nothing more."""
        self._is_closed = True

    def _objection(
        self, bracket: Bracket, stop: Stop, order: Order | None, command: ModifyOrder
    ) -> str:
        if order is None or stop.is_over or order.is_closed:
            return "the order is over"
        if not bracket.entry.ticket:
            return "the server has not accepted its entry yet"
        if command.params:
            return f"params={sorted(command.params)} of a stop of a bracket"
        asked = command.quantity
        if asked is not None and asked.as_decimal() not in (
            stop.quantity,
            order.quantity.as_decimal(),
        ):
            return f"a stop at the server covers the position: quantity={stop.quantity}"
        price, trigger = command.price, command.trigger_price
        if stop.leg is Leg.SL and price is not None:
            return "a stop loss has a trigger price, no price"
        if stop.leg is Leg.TP and trigger is not None:
            return "a take profit has a price, no trigger price"
        return ""

    def _asked(self, bracket: Bracket) -> set[ClientOrderId]:
        """Stops of the bracket with a change that is not settled."""
        queue = self._queues.get(bracket.entry.client_order_id)
        if queue is None:
            return set()
        wishes = [*queue.waiting, *([queue.sent] if queue.sent is not None else [])]
        return {wish.stop.client_order_id for wish in wishes}

    def _release(self, bracket: Bracket) -> None:
        held, bracket.held = bracket.held, []
        for stop in held:
            if not stop.is_over:
                self._ask(bracket, StopWish(stop, 0.0))

    def _ask(self, bracket: Bracket, wish: StopWish) -> None:
        wish.stop.is_cancelling = wish.stop.is_cancelling or wish.is_cancel
        key = bracket.entry.client_order_id
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = StopQueue(bracket)
        queue.waiting.append(wish)
        self._advance(bracket)

    def _advance(self, bracket: Bracket) -> None:
        queue = self._queues.get(bracket.entry.client_order_id)
        while queue is not None and queue.waiting and queue.sent is None:
            if bracket.is_waiting and bracket.entry.terms is None:
                # Executed at once: the position is about to be there.
                return
            wish = queue.waiting.popleft()
            is_told = wish.is_earlier and wish.is_done_at(bracket.levels[wish.stop.leg])
            if wish.stop.is_over or is_told:
                if wish.command is not None:
                    self._reject(bracket, wish, "UNSUPPORTED_MODIFY: the order is over")
                continue
            queue.sent = wish
            if wish.is_earlier:
                self._doubt(queue, wish)
            elif bracket.is_waiting:
                self._change_entry(queue, wish)
            else:
                self._change_position(queue, wish)
        if queue is not None and not queue.waiting and queue.sent is None:
            self._queues.pop(bracket.entry.client_order_id, None)

    def _change_entry(self, queue: StopQueue, wish: StopWish) -> None:
        bracket = queue.bracket
        entry = self._cache.order(bracket.entry.client_order_id)
        command = ModifyOrder(
            trader_id=self._out.trader_id,
            strategy_id=entry.strategy_id,
            instrument_id=entry.instrument_id,
            client_order_id=entry.client_order_id,
            venue_order_id=entry.venue_order_id,
            quantity=None,
            price=None,
            trigger_price=None,
            command_id=UUID4(),
            ts_init=self._now(),
            params={wish.stop.leg.lower(): wish.level},
        )
        change = LevelChange(
            functools.partial(self._on_accepted, queue, wish),
            functools.partial(self._on_refused, queue, wish),
        )
        self._changes.change_level(entry, command, change)

    def _change_position(self, queue: StopQueue, wish: StopWish) -> None:
        bracket = queue.bracket
        position = self._brackets.position_of(bracket)
        instrument = self._cache.instrument(wish.stop.instrument_id)
        listing = self._provider.adopt(instrument) if instrument is not None else None
        if position is None or listing is None:
            self._on_refused(queue, wish, "UNSUPPORTED_MODIFY: the position is not open")
            return
        levels = {**bracket.levels, wish.stop.leg: wish.level}
        done = functools.partial(self._on_answered, queue, wish)
        try:
            request = position_stops(listing.info, position, sl=levels[Leg.SL], tp=levels[Leg.TP])
            self._client.send(request, done, self._loop)
        except (MT5Error, RequestRefused, ValueError) as error:
            self._on_refused(queue, wish, str(error))

    def _on_answered(self, queue: StopQueue, wish: StopWish, outcome: SendOutcome) -> None:
        if self._is_closed:
            self._log.error(f"{wish} was answered after disconnect: {outcome}")
        elif outcome.outcome is Outcome.ACCEPTED:
            self._on_accepted(queue, wish, outcome.ended_ns or self._now())
        elif outcome.outcome is Outcome.REJECTED:
            self._on_refused(queue, wish, words_of(outcome))
        elif queue.sent is wish:
            self._doubt(queue, wish)
            self._log.error(
                f"Whether {wish.stop.client_order_id} was changed as asked is not known: "
                f"{words_of(outcome)}. It is not asked again; its position will tell"
            )

    def _on_accepted(self, queue: StopQueue, wish: StopWish, ts_event: int) -> None:
        bracket, stop = queue.bracket, wish.stop
        self._protect(bracket, stop, wish.level)
        self._brackets.set_level(bracket, stop, wish.level, ts_event)
        self._settle(queue, wish)

    def _on_refused(self, queue: StopQueue, wish: StopWish, reason: str) -> None:
        self._reject(queue.bracket, wish, reason)
        self._settle(queue, wish)

    def _settle(self, queue: StopQueue, wish: StopWish) -> None:
        if wish.is_cancel:
            wish.stop.is_cancelling = False
        if queue.sent is wish:
            self._doubts.settle(queue.doubt)
            queue.sent = queue.doubt = None
        self._advance(queue.bracket)

    def _compare(self, queue: StopQueue, *, is_told: bool = False) -> None:
        """What was sent with an unknown outcome may have shown itself, or its stop has ended."""
        wish = queue.sent
        if wish is None:
            return
        level = queue.bracket.levels[wish.stop.leg]
        is_shown = (is_told or queue.doubt is not None) and wish.is_done_at(level)
        if is_shown:
            self._protect(queue.bracket, wish.stop, level)
        if is_shown or wish.stop.is_over:
            self._settle(queue, wish)

    def _protect(self, bracket: Bracket, stop: Stop, level: float) -> None:
        """The audit of stop losses learns what was meant."""
        if stop.leg is not Leg.SL:
            return
        if bracket.is_waiting:
            self._audit.ordered(bracket.entry.magic, sl=level, tp=bracket.levels[Leg.TP])
        elif level:
            self._audit.expect(bracket.position, sl=level, tp=bracket.levels[Leg.TP])
        else:
            self._audit.released(bracket.position)

    def _doubt(self, queue: StopQueue, wish: StopWish) -> None:
        self._doubts.settle(queue.doubt)
        queue.doubt = self._doubts.open(
            functools.partial(self._shown, queue, wish),
            functools.partial(self._on_refused, queue, wish),
            done=lambda: self._on_accepted(queue, wish, self._now()),
            what="the position",
        )

    async def _shown(self, queue: StopQueue, wish: StopWish) -> Shown:
        bracket = queue.bracket
        records: Sequence[TradeOrder | TradePosition]
        if bracket.is_waiting:
            orders = await self._client.orders_get(ticket=bracket.entry.ticket)
            records = [order for order in orders if order.state in WORKING]
        else:
            position = self._brackets.position_of(bracket)
            ticket = position.ticket if position is not None else bracket.position
            records = await self._client.positions_get(ticket=ticket)
        if not records:
            return Shown.NOTHING
        if not wish.is_done_at(levels_of(records[0])[wish.stop.leg]):
            return Shown.UNCHANGED
        # Where a stop was moved to, the feed tells.
        return Shown.NOTHING if wish.is_earlier_change else Shown.CHANGED

    def _reject(self, bracket: Bracket, wish: StopWish, reason: str) -> None:
        stop = wish.stop
        if stop.is_over and wish.command is None:
            return
        tell = (
            self._out.generate_order_cancel_rejected
            if wish.is_cancel
            else self._out.generate_order_modify_rejected
        )
        tell(*whose(stop), id_of(bracket, stop), reason, self._now())

    def _now(self) -> int:
        return int(self._out._clock.timestamp_ns())
