"""What becomes of a trade request? `Broker`: requests to orders, deals, positions and money.

Its moment is the market's: what `Market.run_to` has revealed. Positions of all accounts live on,
whichever one the terminal shows. Pending orders and closing by an opposite position are not offered
(a request for them is refused, as by a server whose symbols do not allow it), and nothing is closed
by force for want of margin.
"""

from typing import Any, Final, NamedTuple
from zlib import crc32

from tradingview_scraper.adapters.mt5.simulator.broker.account import Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.books import Books, BooksError
from tradingview_scraper.adapters.mt5.simulator.broker.checks import COMMENTS
from tradingview_scraper.adapters.mt5.simulator.broker.money import Holding, rounded
from tradingview_scraper.adapters.mt5.simulator.broker.planning import (
    SIDES,
    Plan,
    plan_deal,
    plan_stops,
    positions_after,
)
from tradingview_scraper.adapters.mt5.simulator.broker.settlement import Settlement
from tradingview_scraper.adapters.mt5.simulator.broker.stops import first_hit
from tradingview_scraper.adapters.mt5.simulator.broker.valuation import Valuation, level
from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.market.sessions import DAY_MSC
from tradingview_scraper.adapters.mt5.simulator.scenario import Scenario
from tradingview_scraper.adapters.mt5.simulator.schema import AccountSpec
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderReason,
    TradeAction,
    TradeRetcode,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
    TradeRequest,
)


class SendAnswer(NamedTuple):
    """Fields of `OrderSendResult` but `request`, which the library adds itself."""

    retcode: int
    deal: int = 0
    order: int = 0
    volume: float = 0.0
    price: float = 0.0
    bid: float = 0.0
    ask: float = 0.0
    comment: str = ""
    request_id: int = 0
    retcode_external: int = 0


class CheckAnswer(NamedTuple):
    """Fields of `OrderCheckResult` but `request`."""

    retcode: int
    balance: float = 0.0
    equity: float = 0.0
    profit: float = 0.0
    margin: float = 0.0
    margin_free: float = 0.0
    margin_level: float = 0.0
    comment: str = ""


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
        self._settlement: Final = Settlement(market, scenario.broker)
        self._requests = 0
        now = market.now_msc
        self._ledgers = {
            account.login: Ledger(account, books.journal(account.login), now)
            for account in (scenario.account, *scenario.accounts)
        }
        self._ledger = self._ledgers[scenario.account.login]
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
        self._ledgers[account.login] = Ledger(account, journal, self._market.now_msc)
        self._hold()

    def advance_to(self, now_msc: int) -> None:
        """Reveal ticks up to `now_msc` and trigger what they trigger, in the order of time."""
        market = self._market
        # Ticks that were pushed late, at moments already passed.
        market.run_to(market.now_msc, self.on_ticks, only=self.watching())
        while market.now_msc < now_msc:
            until = min(now_msc, market.now_msc // DAY_MSC * DAY_MSC + DAY_MSC)
            touched = self._next_touch(until)
            if touched is None:
                market.run_to(until, self.on_ticks, only=())
            else:
                market.run_to(touched - 1, self.on_ticks, only=())
                market.run_to(touched, self.on_ticks, only=self.watching())

    def watching(self) -> frozenset[str]:
        """The symbols whose ticks can trigger something."""
        return frozenset(
            position.symbol
            for ledger in self._ledgers.values()
            for position in ledger.positions.values()
            if position.sl or position.tp
        )

    def on_ticks(self, symbol: str, rows: Rows) -> None:
        """Close the positions whose stops these rows touch, at the touching ticks' prices."""
        spec = self._market.spec(symbol)
        if spec is None:
            return
        for ledger in self._ledgers.values():
            rest = rows[rows["time_msc"] >= ledger.last_msc]
            stuck: set[int] = set()
            while len(rest):
                positions = [p for p in ledger.in_symbol(symbol) if p.identifier not in stuck]
                hit = first_hit(rest, positions, spec.info.point)
                if hit is None:
                    break
                rest = rest[hit.row :]
                if not self._settlement.stop(ledger, spec.info, hit, rest[0]):
                    # No price to change its profit at: the next tick tries again.
                    stuck.add(hit.position.identifier)
        self._hold()

    def send(
        self, request: TradeRequest, *, reason: OrderReason = OrderReason.EXPERT
    ) -> SendAnswer:
        """Execute a request, or refuse it. Whatever the answer reports done is in the books."""
        refusal = self._gate(reason)
        if refusal is not None:
            return _refused(refusal)
        self._requests += 1
        answer = self._executed(request, reason)
        number = crc32(f"{self._ledger.spec.login}/{self._requests}".encode())
        return answer._replace(request_id=number)

    def check(self, request: TradeRequest) -> CheckAnswer:
        """Whether `send` would take the request, as far as fields, filling and money tell.

        Neither sessions nor prices are looked at [recorded]. Retcode 0 is success; the figures are
        those after the trade.
        """
        account = self.account()
        positions = list(self._ledger.positions.values())
        code: int | None = self._gate(OrderReason.EXPERT)
        if code is None and request.action == TradeAction.DEAL:
            plan = self._plan(request, OrderReason.EXPERT, live=False)
            if isinstance(plan, TradeRetcode):
                code = plan
            else:
                positions = positions_after(self._ledger, plan.effect)
        elif code is None and request.action == TradeAction.SLTP:
            found = plan_stops(request, self._ledger, self._market, live=False)
            code = found if isinstance(found, TradeRetcode) else None
        elif code is None:
            code = _unsupported(request.action)
        margin = self._valuation().margin_of(positions) or 0.0
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
        return self._valuation().account(self._ledger)

    def positions(self) -> list[TradePosition]:
        """The open positions with current prices and profits, oldest first."""
        valuation = self._valuation()
        return [valuation.live(position) for position in self._ledger.positions.values()]

    def orders(self) -> list[TradeOrder]:
        """The active orders: none, as market orders are executed at once and others refused."""
        return []

    def history_orders(self, start: int, end: int) -> list[TradeOrder]:
        """Orders that were done from `start` to `end`, server seconds, both inclusive."""
        return [order for order in self._seen_orders() if start <= order.time_done <= end]

    def history_deals(self, start: int, end: int) -> list[TradeDeal]:
        """Deals from `start` to `end`, server seconds, both inclusive."""
        return [deal for deal in self._seen_deals() if start <= deal.time <= end]

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
        return self._valuation().margin(spec.info, [Holding(type, volume, price)])

    def calc_profit(
        self, type: int, symbol: str, volume: float, price_open: float, price_close: float
    ) -> float | None:
        """Profit between two prices in the account's currency; None as `calc_margin`."""
        spec = self._market.spec(symbol)
        if spec is None or type not in SIDES or min(volume, price_open, price_close) <= 0.0:
            return None
        return self._valuation().profit(spec.info, type, volume, price_open, price_close)

    def truth(self) -> dict[str, Any]:
        """The books of the account, without any lag, as plain dicts."""
        return {
            "account": self.account()._asdict(),
            "orders": [order._asdict() for order in self.orders()],
            "positions": [position._asdict() for position in self.positions()],
            "deals": [deal._asdict() for deal in self._ledger.deals],
            "history": [order._asdict() for order in self._ledger.history],
        }

    def _valuation(self) -> Valuation:
        return Valuation(self._ledger.spec, self._market)

    def _seen_orders(self) -> list[TradeOrder]:
        until = self._market.now_msc - self._spec.deal_lag_ms
        return [order for order in self._ledger.history if order.time_done_msc <= until]

    def _seen_deals(self) -> list[TradeDeal]:
        until = self._market.now_msc - self._spec.deal_lag_ms
        return [deal for deal in self._ledger.deals if deal.time_msc <= until]

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

    def _executed(self, request: TradeRequest, reason: OrderReason) -> SendAnswer:
        if request.action == TradeAction.SLTP:
            found = plan_stops(request, self._ledger, self._market, live=True)
            if isinstance(found, TradeRetcode):
                return _refused(found)
            self._ledger.record(self._market.now_msc, position=found)
            return SendAnswer(int(TradeRetcode.DONE), comment=COMMENTS[TradeRetcode.DONE])
        if request.action != TradeAction.DEAL:
            return _refused(_unsupported(request.action))
        plan = self._plan(request, reason, live=True)
        if isinstance(plan, TradeRetcode):
            tick = self._market.quote(request.symbol) if plan == TradeRetcode.REQUOTE else None
            return _refused(plan, tick)
        if not self._settlement.book(self._ledger, plan.info, plan.fill, plan.before):
            return _refused(TradeRetcode.PRICE_OFF)
        self._hold()
        return SendAnswer(
            retcode=int(TradeRetcode.DONE),
            deal=plan.fill.deal,
            order=plan.fill.order,
            volume=plan.fill.volume,
            price=plan.fill.price,
            bid=plan.tick.bid,
            ask=plan.tick.ask,
            comment=COMMENTS[TradeRetcode.DONE],
        )

    def _plan(
        self, request: TradeRequest, reason: OrderReason, *, live: bool
    ) -> Plan | TradeRetcode:
        return plan_deal(request, reason, self._ledger, self._market, self._spec, live=live)

    def _next_touch(self, until_msc: int) -> int | None:
        """When the next hidden tick touches a stop; looking ahead saves reporting every tick."""
        times = []
        for symbol in self.watching():
            rows = self._market.upcoming(symbol, until_msc)
            spec = self._market.spec(symbol)
            if spec is None or not len(rows):
                continue
            for ledger in self._ledgers.values():
                new = rows[rows["time_msc"] >= ledger.last_msc]
                hit = first_hit(new, ledger.in_symbol(symbol), spec.info.point)
                if hit is not None:
                    times.append(int(new["time_msc"][hit.row]))
        return min(times, default=None)

    def _hold(self) -> None:
        """Keep the symbols of open positions in Market Watch [recorded]."""
        symbols = {
            position.symbol
            for ledger in self._ledgers.values()
            for position in ledger.positions.values()
        }
        for symbol in symbols:
            if not self._market.select(symbol, True):
                raise BooksError(
                    f"the books hold a position in {symbol!r}, which is no symbol of the scenario: "
                    f"add it, or use other books"
                )
        self._market.held = frozenset(symbols)

    def _catch_up(self, now_msc: int) -> None:
        """Trigger what was touched while the terminal was away: stops live at the server."""
        away_since = [
            ledger.last_msc
            for ledger in self._ledgers.values()
            if any(position.sl or position.tp for position in ledger.positions.values())
        ]
        if away_since and min(away_since) < now_msc:
            self._market.rewind(min(away_since))
            self.advance_to(now_msc)


def _unsupported(action: int) -> TradeRetcode:
    """The refusal of an action that the symbols' `order_mode` does not offer."""
    offered = (TradeAction.PENDING, TradeAction.MODIFY, TradeAction.REMOVE)
    return TradeRetcode.INVALID_ORDER if action in offered else TradeRetcode.INVALID


def _refused(code: TradeRetcode, tick: Tick | None = None) -> SendAnswer:
    """A refusal: all numbers 0, but a requote brings the prices [recorded]."""
    bid, ask = (0.0, 0.0) if tick is None else (tick.bid, tick.ask)
    return SendAnswer(int(code), bid=bid, ask=ask, comment=COMMENTS[code])
