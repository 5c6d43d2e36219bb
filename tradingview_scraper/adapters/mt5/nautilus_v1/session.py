"""What does a connected account consist of, and which request is a command on it?"""

import asyncio
from decimal import Decimal

from nautilus_trader.execution.messages import ModifyOrder, SubmitOrder, SubmitOrderList
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import OrderType as NautilusOrderType
from nautilus_trader.model.enums import TimeInForce
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.watches import Watch
from tradingview_scraper.adapters.mt5.nautilus_v1.audit import Audit
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_changes import BracketChanges
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import (
    bracket_in,
    entry_command,
    leg_of,
    shape_in,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.brackets import Brackets
from tradingview_scraper.adapters.mt5.nautilus_v1.changes import Changes
from tradingview_scraper.adapters.mt5.nautilus_v1.config import MT5ExecClientConfig
from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.external import ExternalActivity
from tradingview_scraper.adapters.mt5.nautilus_v1.fills import TradeEvents
from tradingview_scraper.adapters.mt5.nautilus_v1.holdings import Holdings
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Journal, MagicTaken
from tradingview_scraper.adapters.mt5.nautilus_v1.lookups import Lookups, magics_in
from tradingview_scraper.adapters.mt5.nautilus_v1.metrics import MetricsLog
from tradingview_scraper.adapters.mt5.nautilus_v1.orders import Circumstances, request_for
from tradingview_scraper.adapters.mt5.nautilus_v1.overshoot import Overshoot
from tradingview_scraper.adapters.mt5.nautilus_v1.own_orders import OwnOrders
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.account import account_state
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.nautilus_v1.quality import Quality
from tradingview_scraper.adapters.mt5.nautilus_v1.rates import provide_rates
from tradingview_scraper.adapters.mt5.nautilus_v1.resumption import resume_changes
from tradingview_scraper.adapters.mt5.nautilus_v1.safety import Safety
from tradingview_scraper.adapters.mt5.nautilus_v1.statements import Statements
from tradingview_scraper.adapters.mt5.nautilus_v1.submission import Submission
from tradingview_scraper.adapters.mt5.nautilus_v1.supervision import Supervision
from tradingview_scraper.adapters.mt5.nautilus_v1.terminal_news import terminal_news
from tradingview_scraper.adapters.mt5.nautilus_v1.unproven import Doubts
from tradingview_scraper.adapters.mt5.rules.requests import Fields
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo, TradeDeal


class Session:
    """An account from connect to disconnect: its feed, its orders in flight, its positions.

    Made when the client is connected and the account registered; `open` starts the feed and reads
    the account, `close` ends it. `out` is the execution client that publishes.
    """

    def __init__(
        self,
        out: LiveExecutionClient,
        client: MT5Client,
        *,
        provider: MT5InstrumentProvider,
        config: MT5ExecClientConfig,
        journal: Journal,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._out = out
        self._cache = out._cache
        self._log = out._log
        self._client = client
        self._provider = provider
        self._config = config
        self._journal = journal
        self._loop = loop
        self._hedging = config.oms_type == "HEDGING"
        self._deposit: str = client.account.currency
        self._holdings = Holdings()
        self._watches: list[Watch] = []
        self.supervision = Supervision(client)
        self._news = terminal_news(client, out._msgbus)
        self.quality = Quality(out, config.quality, loop)
        self.doubts = Doubts(out, client, loop=loop, unproven_secs=config.unproven_change_secs)
        self.changes = Changes(
            out,
            client,
            journal=journal,
            listing_of=self._listing_of,
            loop=loop,
            doubts=self.doubts,
            may_be_dropped=config.allow_daily_expiry,
            hedging=self._hedging,
            replaces=config.replace_to_change_quantity,
            admit=self._admit_change,
            carried=lambda magic, terms: self.safety.protection.ordered(
                magic, sl=terms.sl, tp=terms.tp
            ),
        )
        self.brackets = Brackets(
            out,
            journal=journal,
            provider=provider,
            zone=client.zone,
            hedging=self._hedging,
            deposit=self._deposit,
            restores_stop_loss=config.restore_stop_loss,
        )
        self.safety = Safety(
            out, client, provider=provider, config=config, positions=self._holdings, loop=loop
        )
        self.bracket_changes = BracketChanges(
            out,
            client,
            brackets=self.brackets,
            changes=self.changes,
            provider=provider,
            audit=self.safety.protection,
            loop=loop,
            doubts=self.doubts,
        )
        own = OwnOrders(
            out,
            journal=journal,
            changes=self.changes,
            brackets=self.brackets,
            zone=client.zone,
            hedging=self._hedging,
            deposit=self._deposit,
        )
        external = ExternalActivity(
            out,
            changes=self.changes,
            provider=provider,
            told=self.brackets.told,
            zone=client.zone,
            hedging=self._hedging,
            deposit=self._deposit,
        )
        self._events = TradeEvents(
            out,
            journal=journal,
            own=own,
            external=external,
            brackets=self.brackets,
            bracket_changes=self.bracket_changes,
            overshoot=Overshoot(
                out,
                told=self.brackets.told,
                zone=client.zone,
                hedging=self._hedging,
                deposit=self._deposit,
            ),
            holdings=self._holdings,
            provider=provider,
            deposit=self._deposit,
            loop=loop,
            publish_account=self.publish_account,
            quality=self.quality,
        )
        self.statements = Statements(
            client,
            provider=provider,
            cache=self._cache,
            clock=out._clock,
            journal=journal,
            brackets=self.brackets,
            account_id=out.account_id,
            hedging=self._hedging,
            deposit=self._deposit,
        )
        self.submission = Submission(
            out,
            client,
            journal=journal,
            own=own,
            changes=self.changes,
            bracket_changes=self.bracket_changes,
            doubts=self.doubts,
            loop=loop,
            keepalive_secs=config.inflight_keepalive_secs,
            checks=config.check_orders,
            heard=self.safety.heard,
            quality=self.quality,
        )

        self._lookups = Lookups(
            out,
            client,
            journal=journal,
            own=own,
            replacements=self.changes.replacements,
            loop=loop,
            margin_secs=config.unproven_order_secs,
        )

        self.audit = Audit(
            out,
            client,
            journal=journal,
            publish=self._events.publish,
            loop=loop,
            every_secs=config.audit_secs,
        )
        self.metrics = MetricsLog(
            out,
            client,
            journal=journal,
            doubts=self.doubts,
            audit=self.audit,
            loop=loop,
            every_secs=config.metrics_log_secs,
        )

    async def open(self) -> None:
        """Follow the account from here on, and read how it stands. Raises `MT5Error`."""
        self._holdings.watch()
        self.brackets.watch()
        self.submission.start()
        self._lookups.start()
        self.quality.start()
        self._watches.append(self._client.watch_trade(self._events.publish, self._loop))
        self._news.join(self._out, self._loop)
        self.safety.watch()
        snapshot = await self.statements.read()
        self.statements.begin(snapshot)
        self._holdings.seed(snapshot.positions, snapshot.deals)
        resume_changes(
            snapshot,
            self._cache,
            journal=self._journal,
            changes=self.changes,
            listing_of=self._listing_of,
            replaces=self._config.replace_to_change_quantity,
            now=self._out._clock.timestamp_ns(),
        )
        self.brackets.restore(self._cache.orders())
        self.brackets.seed(snapshot)
        self.bracket_changes.resume()
        for magic in magics_in(snapshot):
            self._journal.note_foreign(magic)
        open_symbols = {position.symbol for position in snapshot.positions}
        open_symbols |= {order.symbol for order in snapshot.orders}
        missing = await provide_rates(
            self._client,
            self._provider,
            self._cache,
            self.statements.listings(open_symbols),
            self._deposit,
        )
        if missing:
            self._log.error(
                f"The terminal has no pair that converts {', '.join(missing)} into "
                f"{self._deposit}: the portfolio cannot value what is open in it, and may not start"
            )
        await self.safety.begin(snapshot)
        self.audit.start(snapshot)
        self.metrics.start()

    def close(self) -> None:
        """Publish nothing more."""
        for watch in self._watches:
            watch.close()
        self._watches.clear()
        self._news.leave(self._out)
        self.submission.close()
        self._lookups.close()
        self.audit.close()
        self.metrics.close()
        self.doubts.close()
        self.changes.close()
        self.bracket_changes.close()
        self.safety.close()
        self._events.close()
        self.quality.close()

    def reported(self, deals: list[TradeDeal]) -> None:
        """The engine hears of these deals, which it did not have, from the reports that it gets."""
        self._events.reported(deals)

    def request(self, command: SubmitOrder, shape: int | None = None) -> Fields:
        """The request of a command. Raises `Denied` with the reason when it must not be sent.

        `shape`: of the bracket that it is the entry of.
        """
        order = command.order
        if halted := self.supervision.halted():
            raise Denied(halted)
        listing = self._listing_of(order)
        if listing is None:
            raise Denied(
                f"VALIDATION_FAILED: {order.instrument_id} is no instrument of this terminal"
            )
        try:
            magic = self._journal.magic_for(order, shape)
        except MagicTaken as error:
            raise Denied(f"INVALID_CLIENT_ORDER_ID: {error}") from error
        quote = self._cache.quote_tick(order.instrument_id)
        age = self._out._clock.timestamp_ns() - quote.ts_init if quote is not None else 0
        now = Circumstances(
            hedging=self._hedging,
            positions=self._holdings,
            reducing=self._reducing(order) if order.is_reduce_only else Decimal(0),
            quote=quote,
            is_fresh=0 <= age < self._config.fresh_quote_secs * 1e9,
            magic=magic,
            deviation=self._config.deviation_points,
            zone=self._client.zone,
            may_be_dropped=self._config.allow_daily_expiry,
        )
        request = request_for(command, listing, now)
        self.safety.admit(order, request, listing)
        return request

    def modify(self, command: ModifyOrder) -> None:
        """Change an order, or a stop of a bracket. Returns at once."""
        if not self.bracket_changes.modify(command):
            self.changes.modify(command)

    def cancel(self, order: Order | None, client_order_id: ClientOrderId) -> None:
        """Cancel an order, or a stop of a bracket. Returns at once."""
        if not self.bracket_changes.cancel(client_order_id):
            self.changes.cancel(order, client_order_id)

    def submit_bracket(self, command: SubmitOrderList) -> None:
        """Send a bracket as one order with its stops. Raises `Denied`; then none of it is sent."""
        orders = bracket_in(command.order_list.orders)
        self.brackets.admit(orders, self._holdings)
        entry_only = entry_command(command, orders)
        shape = shape_in(orders)
        request = self.request(entry_only, shape)
        entry = self._journal.enter(orders.entry, request, shape=shape)
        self.brackets.enter(entry, orders)
        self.submission.send(entry, request)

    def publish_account(self, account: AccountInfo | None = None) -> None:
        """Send `account`, or how the account stood last, as an account state."""
        try:
            publish_account(self._out, account if account is not None else self._client.account)
        except ValueError as error:
            self._log.error(f"The account cannot be expressed: {error}")

    def _admit_change(
        self, order: Order, request: Fields, listing: Listing, whole: Decimal, left: Decimal
    ) -> None:
        """Raises `Denied` where an order must not be changed, or placed anew, now."""
        if halted := self.supervision.halted():
            raise Denied(halted)
        self.safety.admit_change(order, request, listing, whole, left)

    def _reducing(self, order: Order) -> Decimal:
        """Units that orders on the same side are about to take off the position.

        Reduce-only ones; on a netting account all that are executed at once.
        """
        wanted = {"instrument_id": order.instrument_id, "side": order.side}
        working = [*self._cache.orders_open(**wanted), *self._cache.orders_inflight(**wanted)]
        # What was handed over just now is not in flight for the cache yet.
        handed = [self._cache.order(one.client_order_id) for one in self._journal.in_flight()]
        working += [
            one
            for one in handed
            if one is not None
            and (one.instrument_id, one.side) == (order.instrument_id, order.side)
        ]
        return sum(
            (
                other.leaves_qty.as_decimal()
                for other in {one.client_order_id: one for one in working}.values()
                if (other.is_reduce_only or (not self._hedging and _is_at_once(other)))
                and other.client_order_id != order.client_order_id
                and leg_of(other) is None
            ),
            Decimal(0),
        )

    def _listing_of(self, order: Order) -> Listing | None:
        instrument = self._cache.instrument(order.instrument_id)
        return self._provider.adopt(instrument) if instrument is not None else None


def _is_at_once(order: Order) -> bool:
    at_once = (TimeInForce.IOC, TimeInForce.FOK)
    return order.order_type == NautilusOrderType.MARKET or order.time_in_force in at_once


def publish_account(out: LiveExecutionClient, account: AccountInfo) -> None:
    """Send `account` as an account state of the client `out`."""
    now = out._clock.timestamp_ns()
    out._send_account_state(
        account_state(account, account_id=out.account_id, ts_event=now, ts_init=now)
    )
