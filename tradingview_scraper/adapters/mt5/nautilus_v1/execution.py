"""How do commands reach an account, and what does Nautilus hear of it? `MT5ExecutionClient`."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.core.datetime import dt_to_unix_nanos
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import (
    BatchCancelOrders,
    CancelAllOrders,
    CancelOrder,
    GenerateFillReports,
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
    GeneratePositionStatusReports,
    ModifyOrder,
    QueryAccount,
    QueryOrder,
    SubmitOrder,
    SubmitOrderList,
)
from nautilus_trader.execution.reports import (
    ExecutionMassStatus,
    FillReport,
    OrderStatusReport,
    PositionStatusReport,
)
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import AccountType, OmsType, OrderStatus
from nautilus_trader.model.identifiers import AccountId, ClientId, ClientOrderId, VenueOrderId
from nautilus_trader.model.orders import Order

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import (
    each_alone,
    is_linked,
    is_stop,
    list_of,
    shape_in,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5ExecClientConfig,
    without_password,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Journal
from tradingview_scraper.adapters.mt5.nautilus_v1.metrics import Figures
from tradingview_scraper.adapters.mt5.nautilus_v1.opening import outliving_workers
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.account import (
    check_countable,
    check_reported,
    oms_type_of,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.nautilus_v1.recovery import recover_orders
from tradingview_scraper.adapters.mt5.nautilus_v1.session import Session, publish_account
from tradingview_scraper.adapters.mt5.rules.requests import Fields
from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5ConfigError,
    MT5ConnectionError,
    MT5Error,
    MT5IdentityError,
)
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo

_OPEN = (
    OrderStatus.ACCEPTED,
    OrderStatus.TRIGGERED,
    OrderStatus.PENDING_UPDATE,
    OrderStatus.PENDING_CANCEL,
    OrderStatus.PARTIALLY_FILLED,
)
_NOT_CONNECTED = "TRADING_HALTED: the account is not connected"


class MT5ExecutionClient(LiveExecutionClient):
    """One account on one terminal.

    Takes market, limit, stop and stop limit orders, changes and cancels them, and closes tickets;
    what the symbol does not take is denied with a reason before it is submitted. Fills come from
    the account's deals, never from the reply to a request. An order whose outcome is unknown stays
    in flight, and is never sent again, until the account's records prove what happened. Commands
    are handed over and not waited for.

    Raises `MT5ConfigError` where the configuration has no login.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client: MT5Client,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
        instrument_provider: MT5InstrumentProvider,
        config: MT5ExecClientConfig,
        name: str = "MT5",
    ) -> None:
        login = config.terminal.login
        if login is None:
            raise MT5ConfigError(
                "trading needs the expected account: set terminal.login, or MT5_LOGIN"
            )
        super().__init__(
            loop=loop,
            client_id=ClientId(name),
            venue=instrument_provider.venue,
            oms_type=OmsType[config.oms_type],
            account_type=AccountType.MARGIN,
            base_currency=None,
            instrument_provider=instrument_provider,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            config=without_password(config),
        )
        self._set_account_id(AccountId(f"{name}-{login}"))
        self._mt5 = client
        self._provider = instrument_provider
        self._settings = config
        self._journal = Journal(config.magic_namespace, config.own_namespaces)
        self._is_attached = False
        self._is_reconciled = False
        self._session: Session | None = None

    @property
    def metrics(self) -> Figures:
        """What was done and met since connect. Raises RuntimeError when not connected."""
        if self._session is None:
            raise RuntimeError("the account is not connected: there are no figures")
        return self._session.metrics.figures()

    async def _connect(self) -> None:
        self._is_reconciled = False
        await self._mt5.connect()
        self._is_attached = True
        try:
            await outliving_workers(self._mt5, self._log, self._open)
        except BaseException:
            await self._disconnect()
            raise

    async def _disconnect(self) -> None:
        self._close()
        if self._is_attached:
            self._is_attached = False
            await self._mt5.disconnect()

    async def _submit_order(self, command: SubmitOrder) -> None:
        order = command.order
        if order.is_closed:
            self._log.warning(f"{order.client_order_id} is {order.status_string()}: not sent")
            return
        session = self._session
        if session is None:
            self._deny(order, _NOT_CONNECTED)
            return
        if session.brackets.find(order.client_order_id) is not None:
            # An emulator beside the strategy releases the stops of every bracket that is filled.
            self._log.info(f"{order.client_order_id} is at the server already: not sent")
            return
        try:
            request = session.request(command)
            entry = self._journal.enter(order, request, leg=_leg_of(command, request))
        except Denied as error:
            self._deny(order, str(error))
            return
        except Exception as error:
            self._log.exception(f"Cannot prepare {order!r}", error)
            self._deny(order, f"SUBMIT_FAILED: {error}")
            return
        session.submission.send(entry, request)

    async def _submit_order_list(self, command: SubmitOrderList) -> None:
        orders = command.order_list.orders
        if not any(is_linked(order) for order in orders):
            for alone in each_alone(command):
                await self._submit_order(alone)
            return
        try:
            if self._session is None:
                raise Denied(_NOT_CONNECTED)
            self._session.submit_bracket(command)
        except Denied as error:
            # Whole or not at all: an entry that stands without its stop is worse than none.
            for order in orders:
                self._deny(order, str(error))
        except Exception as error:
            self._log.exception(f"Cannot prepare {command!r}", error)
            for order in orders:
                self._deny(order, f"SUBMIT_FAILED: {error}")

    async def _modify_order(self, command: ModifyOrder) -> None:
        halted = _NOT_CONNECTED
        if self._session is not None:
            halted = self._session.supervision.halted()
            if not halted:
                self._session.modify(command)
                return
        self.generate_order_modify_rejected(
            command.strategy_id,
            command.instrument_id,
            command.client_order_id,
            command.venue_order_id,
            halted,
            self._clock.timestamp_ns(),
        )

    async def _cancel_order(self, command: CancelOrder) -> None:
        self._cancel(command.client_order_id)

    async def _cancel_all_orders(self, command: CancelAllOrders) -> None:
        wanted = {
            "instrument_id": command.instrument_id,
            "strategy_id": command.strategy_id,
            "side": command.order_side,
        }
        working = [*self._cache.orders_open(**wanted), *self._cache.orders_inflight(**wanted)]
        for client_order_id in dict.fromkeys(order.client_order_id for order in working):
            self._cancel(client_order_id)

    async def _batch_cancel_orders(self, command: BatchCancelOrders) -> None:
        for cancel in command.cancels:
            self._cancel(cancel.client_order_id)

    async def _query_account(self, command: QueryAccount) -> None:
        try:
            publish_account(self, await self._mt5.account_info())
        except MT5Error as error:
            self._log.error(f"The account does not answer: {error}")

    async def _query_order(self, command: QueryOrder) -> None:
        try:
            await super()._query_order(command)
        except (MT5Error, RuntimeError) as error:
            self._log.warning(f"Cannot say how {command.client_order_id} stands: {error}")

    async def generate_order_status_report(
        self, command: GenerateOrderStatusReport
    ) -> OrderStatusReport | None:
        """How one order stands; None when the account certainly has no such order.

        Raises while its outcome is unknown: an answer would make the engine give it up.
        """
        client_order_id, ticket = command.client_order_id, command.venue_order_id
        entry = self._journal.of_order(client_order_id) if client_order_id is not None else None
        if entry is not None and entry.is_in_flight:
            raise RuntimeError(
                f"what became of {client_order_id} is not known yet: "
                f"{'it is looked up' if entry.is_unknown else 'the broker has not answered'}"
            )
        if ticket is None and entry is not None and entry.ticket:
            ticket = entry.venue_order_id(entry.ticket)
        statements = self._need_session().statements
        snapshot = await statements.read()
        for report in statements.orders_told(snapshot):
            if _names(report, client_order_id, ticket):
                return report
        if entry is not None and not entry.is_refused:
            raise RuntimeError(
                f"{client_order_id} ({ticket}) is not in the terminal's recent past, or its events "
                f"are on their way"
            )
        return None

    async def generate_order_status_reports(
        self, command: GenerateOrderStatusReports
    ) -> list[OrderStatusReport]:
        """Orders of the account, filled as far as Nautilus has their deals."""
        statements = self._need_session().statements
        snapshot = await statements.read(_ns(command.start))
        end = _ns(command.end)
        return [
            report
            for report in statements.orders_told(snapshot)
            if (command.instrument_id is None or report.instrument_id == command.instrument_id)
            and (not command.open_only or report.order_status in _OPEN)
            and (end is None or report.ts_accepted <= end)
        ]

    async def generate_fill_reports(self, command: GenerateFillReports) -> list[FillReport]:
        """Deals of the account."""
        statements = self._need_session().statements
        snapshot = await statements.read(_ns(command.start))
        end = _ns(command.end)
        return [
            report
            for report in statements.fills(snapshot, statements.whole(snapshot))
            if (command.instrument_id is None or report.instrument_id == command.instrument_id)
            and command.venue_order_id in (None, report.venue_order_id)
            and (end is None or report.ts_event <= end)
        ]

    async def generate_position_status_reports(
        self, command: GeneratePositionStatusReports
    ) -> list[PositionStatusReport]:
        """Open positions, and FLAT for each that Nautilus has open and the account has not.

        Raises while fills of theirs are still on the way.
        """
        statements = self._need_session().statements
        return statements.positions(await statements.read_told(), command.instrument_id)

    async def generate_mass_status(self, lookback_mins: int | None = None) -> ExecutionMassStatus:
        """Orders, fills and positions from one reading. Raises when it is not complete.

        The first one, on which a node's start depends, waits for lanes that are down.
        """
        if self._is_reconciled:
            return await self._mass_status(lookback_mins)
        with suppress(MT5ConnectionError):
            await self._mt5.ready()
        mass = await outliving_workers(
            self._mt5, self._log, lambda: self._mass_status(lookback_mins)
        )
        self._is_reconciled = True
        return mass

    async def _mass_status(self, lookback_mins: int | None) -> ExecutionMassStatus:
        session = self._need_session()
        statements = session.statements
        since = None
        if lookback_mins is not None:
            since = _ns(self._clock.utc_now() - timedelta(minutes=lookback_mins))
        self.reconciliation_active = True
        try:
            snapshot = await statements.read(since)
            statements.settle(snapshot)
            await recover_orders(
                self,
                self._journal,
                statements,
                self._need_session().brackets,
                snapshot,
                namespaces=(self._settings.magic_namespace, *self._settings.own_namespaces),
                zone=self._mt5.zone,
            )
            deals = statements.whole(snapshot)
            mass = ExecutionMassStatus(
                client_id=self.id,
                account_id=self.account_id,
                venue=self.venue,
                report_id=UUID4(),
                ts_init=self._clock.timestamp_ns(),
            )
            mass.add_order_reports(statements.orders(snapshot, deals))
            mass.add_fill_reports(statements.fills(snapshot, deals))
            mass.add_position_reports(statements.unexplained(snapshot, deals))
            session.reported(statements.take_up(deals))
            return mass
        finally:
            self.reconciliation_active = False

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    async def _open(self) -> None:
        self._close()
        account = self._mt5.account
        self._check_account(account)
        await self._provider.initialize()
        for instrument in self._provider.list_all():
            self._cache.add_instrument(instrument)
        publish_account(self, account)
        await self._await_account_registered()
        check_reported(self._cache.account(self.account_id))
        for order in self._cache.orders():
            if is_stop(order, self._cache):
                continue
            if order.account_id == self.account_id or (
                order.account_id is None and self._cache.client_id(order.client_order_id) == self.id
            ):
                bracket = list_of(order, self._cache)
                self._journal.restore(order, shape_in(bracket) if bracket is not None else None)
        self._session = Session(
            self,
            self._mt5,
            provider=self._provider,
            config=self._settings,
            journal=self._journal,
            loop=self._loop,
        )
        await self._session.open()

    def _check_account(self, account: AccountInfo) -> None:
        expected = self._settings.terminal.login
        if account.login != expected:
            raise MT5IdentityError(f"the account must be {expected}, was {account.login}")
        found = oms_type_of(account)
        if found != self.oms_type:
            raise MT5ConfigError(
                f"oms_type is {self._settings.oms_type}, but account {account.login} is "
                f"{found.name}: set oms_type={found.name!r}"
            )
        check_countable(account)

    def _deny(self, order: Order, reason: str) -> None:
        self.generate_order_denied(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            reason,
            self._clock.timestamp_ns(),
        )

    def _cancel(self, client_order_id: ClientOrderId) -> None:
        order = self._cache.order(client_order_id)
        halted = _NOT_CONNECTED
        if self._session is not None:
            halted = self._session.supervision.halted()
            if not halted:
                self._session.cancel(order, client_order_id)
                return
        if order is not None:
            self.generate_order_cancel_rejected(
                order.strategy_id,
                order.instrument_id,
                client_order_id,
                order.venue_order_id,
                halted,
                self._clock.timestamp_ns(),
            )

    def _need_session(self) -> Session:
        if self._session is None:
            raise RuntimeError("the account is not connected: its state is not known")
        self._session.supervision.check_reads()
        return self._session


def _leg_of(command: SubmitOrder, request: Fields) -> int:
    """The position whose leg of a close-by is the order's."""
    return int(command.position_id.value) if request["action"] == TradeAction.CLOSE_BY else 0


def _names(
    report: OrderStatusReport, client_order_id: ClientOrderId | None, ticket: VenueOrderId | None
) -> bool:
    if ticket is not None:
        return report.venue_order_id == ticket
    return client_order_id is not None and report.client_order_id == client_order_id


def _ns(moment: object) -> int | None:
    return None if moment is None else dt_to_unix_nanos(moment)
