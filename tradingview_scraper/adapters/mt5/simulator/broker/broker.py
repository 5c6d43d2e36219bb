"""What becomes of a trade request? `Broker`: requests to orders, deals, positions and money.

Its moment is the market's: what `Market.run_to` has revealed. Positions of all accounts live on,
whichever one the terminal shows.
"""

from bisect import bisect_left
from collections import deque
from typing import Any, Final
from zlib import crc32

from tradingview_scraper.adapters.mt5.simulator.broker.account import Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.answers import (
    CheckAnswer,
    SendAnswer,
    refused,
)
from tradingview_scraper.adapters.mt5.simulator.broker.books import Books, BooksError
from tradingview_scraper.adapters.mt5.simulator.broker.checks import COMMENTS
from tradingview_scraper.adapters.mt5.simulator.broker.dealing import Dealing
from tradingview_scraper.adapters.mt5.simulator.broker.money import Holding, rounded
from tradingview_scraper.adapters.mt5.simulator.broker.orders import SIDES
from tradingview_scraper.adapters.mt5.simulator.broker.pending import (
    ClosePlan,
    plan_change,
    plan_close_by,
    plan_placing,
    plan_removal,
)
from tradingview_scraper.adapters.mt5.simulator.broker.planning import (
    Plan,
    plan_stops,
    positions_after,
)
from tradingview_scraper.adapters.mt5.simulator.broker.settlement import Settlement
from tradingview_scraper.adapters.mt5.simulator.broker.statement import Statement, Statements
from tradingview_scraper.adapters.mt5.simulator.broker.timeline import Timeline
from tradingview_scraper.adapters.mt5.simulator.broker.valuation import level
from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario
from tradingview_scraper.adapters.mt5.simulator.schema import AccountSpec
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealType,
    OrderReason,
    TradeAction,
    TradeRetcode,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    TradeDeal,
    TradeOrder,
    TradePosition,
    TradeRequest,
)

_SECOND_MSC: Final = 1_000

#: Deals without a trade that move money; bonuses are not offered.
_OPERATIONS: Final = (
    DealType.BALANCE,
    DealType.CREDIT,
    DealType.CHARGE,
    DealType.CORRECTION,
    DealType.COMMISSION,
    DealType.COMMISSION_DAILY,
    DealType.COMMISSION_MONTHLY,
    DealType.INTEREST,
    DealType.DIVIDEND,
    DealType.TAX,
)


class Broker:
    """The trade server, on one of its accounts at a time.

    Answers and reads are as of the market's moment. `BooksError` when the books cannot be read at
    the start, or written; a change that could not be written did not happen.
    """

    def __init__(self, scenario: Scenario, market: Market, clock: Clock, books: Books) -> None:
        #: The AutoTrading button of the terminal: requests of programs are refused when it is off.
        self.auto_trading: bool = scenario.terminal.trade_allowed
        self._spec: Final = scenario.broker
        self._market: Final = market
        self._books: Final = books
        self._requests = 0
        self._sent: dict[int, deque[int]] = {}
        now = market.now_msc
        self._ledgers = {
            account.login: Ledger(account, books.journal(account.login), now)
            for account in (scenario.account, *scenario.accounts)
        }
        self._statements: Final = Statements(market)
        self._ledger = self._ledgers[scenario.account.login]
        self._held_of: tuple[int, ...] = ()
        settlement = Settlement(market, scenario.broker)
        self._dealing: Final = Dealing(market, scenario.broker, settlement, self._statements)
        self._timeline: Final = Timeline(
            market, self._ledgers, self._statements, self._dealing, settlement
        )
        self._hold()
        self._catch_up(now)

    def login(self, login: int, password: str | None = None) -> bool:
        """Switch the terminal to another account; False for an unknown one or a wrong password.

        None as the password is someone who is let in without one.
        """
        ledger = self._ledgers.get(login)
        if ledger is None or password not in (None, ledger.spec.password):
            return False
        self._ledger = ledger
        self._market.account_currency = ledger.spec.currency
        return True

    def open_account(self, account: AccountSpec) -> None:
        """One more account at this broker; the terminal stays on its own until `login`."""
        journal = self._books.journal(account.login)
        ledger = Ledger(account, journal, self._market.now_msc)
        self._ledgers[account.login] = ledger
        self._hold()

    def advance_to(self, now_msc: int) -> None:
        """Reveal ticks up to `now_msc`, with all that they and the hours bring, in time's order."""
        self._timeline.advance_to(now_msc)
        self._hold()

    def operate(self, kind: DealType, amount: float, comment: str = "") -> TradeDeal:
        """A balance operation on the account: money or credit in, or out when negative.

        Raises ValueError for a kind of deal that is none, for no amount, and for taking out more
        than there is (credit) or than is free (everything else).
        """
        account = self.account()
        if kind not in _OPERATIONS:
            names = ", ".join(kind.name for kind in _OPERATIONS)
            raise ValueError(f"kind must be one of {names}, was {kind!r}")
        amount = rounded(amount, account.currency_digits)
        there = account.credit if kind == DealType.CREDIT else account.margin_free
        if amount == 0.0 or amount < -there:
            raise ValueError(f"amount must not be 0 and at least {-there:.2f}, was {amount}")
        deal = self._ledger.operate(self._market.now_msc, kind, amount, comment)
        self._timeline.enforce_margins()
        self._hold()
        return deal

    def fill_partially(self, lots: float, fills: int) -> None:
        """There are only so many lots for each of the next `fills`, of any account; 0 ends it.

        Raises ValueError for a negative number of either.
        """
        if lots < 0.0 or fills < 0:
            raise ValueError(f"expected 0 or more lots and fills, got {lots}, {fills}")
        self._dealing.liquidity.script(lots, fills)

    def send(
        self, request: TradeRequest, *, reason: OrderReason = OrderReason.EXPERT
    ) -> SendAnswer:
        """Execute a request, or refuse it. Whatever the answer reports done is in the books."""
        refusal = self._gate(reason) or self._too_often()
        if refusal is not None:
            return refused(refusal)
        self._requests += 1
        answer = self._dealing.execute(self._ledger, request, reason)
        self._timeline.enforce_margins()
        self._hold()
        number = crc32(f"{self._ledger.spec.login}/{self._requests}".encode())
        return answer._replace(request_id=number)

    def check(self, request: TradeRequest) -> CheckAnswer:
        """Whether `send` would take the request, as far as fields, filling and money tell.

        Neither sessions nor prices are looked at [recorded]. Retcode 0 is success; the figures are
        those after the trade.
        """
        account = self.account()
        code: int | None = self._gate(OrderReason.EXPERT)
        margin: float | None = account.margin
        if code is None:
            plan = self._looked_at(request)
            if isinstance(plan, TradeRetcode):
                code = plan
            elif isinstance(plan, Plan):
                symbol = request.symbol
                changed = positions_after(self._statement, symbol, plan.effect)
                margin = self._statement.margin(changed, symbol)
            elif isinstance(plan, TradeOrder) and request.action == TradeAction.PENDING:
                held = self._statement.valuation.order_margin(plan)
                margin = None if held is None else account.margin + held
        margin = rounded(margin or 0.0, account.currency_digits)
        return CheckAnswer(
            retcode=int(code or 0),
            balance=account.balance,
            equity=account.equity,
            profit=account.profit,
            margin=margin,
            margin_free=rounded(account.equity - margin, account.currency_digits),
            margin_level=level(account.equity, margin),
            comment=COMMENTS[code or 0],
        )

    def account(self) -> AccountInfo:
        """The account that the terminal is on, at the market's prices."""
        return self._statement.account()

    def positions(self) -> list[TradePosition]:
        """The open positions with current prices and profits, oldest first."""
        return self._statement.positions()

    def orders(self) -> list[TradeOrder]:
        """The active orders with current prices, oldest first."""
        return self._statement.orders()

    def history_orders(self, start: int, end: int) -> list[TradeOrder]:
        """Orders that were done from `start` to `end`, server seconds, both inclusive."""
        return [order for order in self._seen_orders(start) if start <= order.time_done <= end]

    def history_deals(self, start: int, end: int) -> list[TradeDeal]:
        """Deals from `start` to `end`, server seconds, both inclusive."""
        return [deal for deal in self._seen_deals(start) if start <= deal.time <= end]

    def history_orders_of(self, position: int) -> list[TradeOrder]:
        """Done orders of one position, by its identifier."""
        return [order for order in self._seen_orders() if order.position_id == position]

    def history_deals_of(self, position: int) -> list[TradeDeal]:
        """Deals of one position, by its identifier."""
        return [deal for deal in self._seen_deals() if deal.position_id == position]

    def history_order(self, ticket: int) -> TradeOrder | None:
        """A done order by its ticket."""
        return next((order for order in self._seen_orders() if order.ticket == ticket), None)

    def history_deal(self, ticket: int) -> TradeDeal | None:
        """The first deal of the order of that ticket, or the deal of that ticket [vendor]."""
        deals = self._seen_deals()
        by_order = next((deal for deal in deals if deal.order == ticket and ticket), None)
        return by_order or next((deal for deal in deals if deal.ticket == ticket), None)

    def calc_margin(self, type: int, symbol: str, volume: float, price: float) -> float | None:
        """Margin of a market order in the account's currency, whatever is open already.

        None: unknown symbol, another type than BUY and SELL, no volume or price, or no conversion.
        """
        spec = self._market.spec(symbol)
        if spec is None or type not in SIDES or volume <= 0.0 or price <= 0.0:
            return None
        return self._statement.valuation.margin(spec.info, [Holding(type, volume, price)])

    def calc_profit(
        self, type: int, symbol: str, volume: float, price_open: float, price_close: float
    ) -> float | None:
        """Profit between two prices in the account's currency; None as `calc_margin`."""
        spec = self._market.spec(symbol)
        if spec is None or type not in SIDES or min(volume, price_open, price_close) <= 0.0:
            return None
        return self._statement.valuation.profit(spec.info, type, volume, price_open, price_close)

    def truth(self) -> dict[str, Any]:
        """The books of the account, without any lag, as plain dicts."""
        return {
            "account": self.account()._asdict(),
            "orders": [order._asdict() for order in self.orders()],
            "positions": [position._asdict() for position in self.positions()],
            "deals": [deal._asdict() for deal in self._ledger.deals],
            "history": [order._asdict() for order in self._ledger.history],
        }

    @property
    def _statement(self) -> Statement:
        return self._statements.of(self._ledger)

    def _seen_orders(self, start: int = -(2**40)) -> list[TradeOrder]:
        """Done orders that show already; most of those before the second `start` are left out."""
        until = self._market.now_msc - self._spec.deal_lag_ms
        ledger = self._ledger
        first = bisect_left(ledger.history_until, start * 1000)
        return [order for order in ledger.history[first:] if order.time_done_msc <= until]

    def _seen_deals(self, start: int = -(2**40)) -> list[TradeDeal]:
        """Deals that show already; most of those before the second `start` are left out."""
        until = self._market.now_msc - self._spec.deal_lag_ms
        ledger = self._ledger
        first = bisect_left(ledger.deals_until, start * 1000)
        return [deal for deal in ledger.deals[first:] if deal.time_msc <= until]

    def _gate(self, reason: OrderReason) -> TradeRetcode | None:
        """Whether this account may trade at all: 10027, 10026, 10017."""
        by_program = reason == OrderReason.EXPERT
        if by_program and not self.auto_trading:
            return TradeRetcode.CLIENT_DISABLES_AT
        if not self._ledger.spec.trade_allowed:
            return TradeRetcode.TRADE_DISABLED
        if by_program and not self._ledger.spec.trade_expert:
            return TradeRetcode.SERVER_DISABLES_AT
        return None

    def _too_often(self) -> TradeRetcode | None:
        """10024 for more requests in a second than the broker takes [number: decision]."""
        most = self._spec.requests_per_second
        if not most:
            return None
        now = self._market.now_msc
        times = self._sent.setdefault(self._ledger.spec.login, deque(maxlen=most))
        if len(times) == most and now - times[0] < _SECOND_MSC:
            return TradeRetcode.TOO_MANY_REQUESTS
        times.append(now)
        return None

    def _looked_at(
        self, request: TradeRequest
    ) -> Plan | ClosePlan | TradeOrder | TradePosition | TradeRetcode:
        """What a request would do, as far as its fields tell."""
        ledger, market, reason = self._ledger, self._market, OrderReason.EXPERT
        match request.action:
            case TradeAction.DEAL:
                return self._dealing.plan(ledger, request, reason, live=False)
            case TradeAction.PENDING:
                return plan_placing(request, reason, self._statement, self._spec, live=False)
            case TradeAction.SLTP:
                return plan_stops(request, ledger, market, live=False)
            case TradeAction.MODIFY:
                return plan_change(request, ledger, market, live=False)
            case TradeAction.REMOVE:
                return plan_removal(request, ledger, market, live=False)
            case TradeAction.CLOSE_BY:
                return plan_close_by(request, reason, ledger, market, live=False)
        return TradeRetcode.INVALID

    def _hold(self) -> None:
        """Keep the symbols of positions and orders in Market Watch [recorded for positions]."""
        of = tuple(ledger.version for ledger in self._ledgers.values())
        if of == self._held_of:
            return
        symbols: set[str] = set()
        for ledger in self._ledgers.values():
            symbols.update(position.symbol for position in ledger.positions.values())
            symbols.update(order.symbol for order in ledger.orders.values())
        for symbol in symbols - self._market.held:
            if not self._market.select(symbol, True):
                raise BooksError(
                    f"the books hold a position or an order in {symbol!r}, which is no symbol of "
                    f"the scenario: add it, or use other books"
                )
        self._market.held = frozenset(symbols)
        self._held_of = of

    def _catch_up(self, now_msc: int) -> None:
        """Do what happened while the terminal was away: everything lives at the server."""
        away_since = [
            ledger.last_msc
            for ledger in self._ledgers.values()
            if ledger.positions or ledger.orders
        ]
        if away_since and min(away_since) < now_msc:
            self._market.rewind(min(away_since))
            self.advance_to(now_msc)
