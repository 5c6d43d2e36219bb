"""How is a request carried out? `Dealing`: every action of a trade request, and waiting orders."""

from typing import Final

from tradingview_scraper.adapters.mt5.simulator.broker.account import Change, Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.answers import (
    SendAnswer,
    accepted,
    refused,
)
from tradingview_scraper.adapters.mt5.simulator.broker.liquidity import Liquidity
from tradingview_scraper.adapters.mt5.simulator.broker.matching import Fill, effect
from tradingview_scraper.adapters.mt5.simulator.broker.orders import (
    LIMITS,
    STOP_LIMITS,
    STOPS,
    done,
    side_of,
    trigger_of,
)
from tradingview_scraper.adapters.mt5.simulator.broker.pending import (
    plan_change,
    plan_close_by,
    plan_placing,
    plan_removal,
)
from tradingview_scraper.adapters.mt5.simulator.broker.planning import (
    Plan,
    adds,
    money_refusal,
    plan_deal,
    plan_stops,
)
from tradingview_scraper.adapters.mt5.simulator.broker.settlement import Settlement
from tradingview_scraper.adapters.mt5.simulator.broker.statement import Statements
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.schema import BrokerSpec
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderReason,
    OrderState,
    OrderType,
    PositionType,
    TradeAction,
    TradeRetcode,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    SymbolInfo,
    Tick,
    TradeOrder,
    TradePosition,
    TradeRequest,
)

_OFF_PRICE: Final = {
    "requote": TradeRetcode.REQUOTE,
    "price_changed": TradeRetcode.PRICE_CHANGED,
    "price_off": TradeRetcode.PRICE_OFF,
}


class Dealing:
    """The dealing desk of the broker: it writes into the ledger that it is given."""

    def __init__(
        self, market: Market, spec: BrokerSpec, settlement: Settlement, statements: Statements
    ) -> None:
        self._market: Final = market
        self._spec: Final = spec
        self._statements: Final = statements
        self._settlement: Final = settlement
        #: How much there is to trade.
        self.liquidity: Final = Liquidity(spec.liquidity_lots)

    def execute(self, ledger: Ledger, request: TradeRequest, reason: OrderReason) -> SendAnswer:
        """Carry out a request, or refuse it."""
        match request.action:
            case TradeAction.DEAL:
                return self._deal(ledger, request, reason)
            case TradeAction.PENDING:
                return self._place(ledger, request, reason)
            case TradeAction.SLTP:
                return self._set_stops(ledger, request)
            case TradeAction.MODIFY:
                return self._change(ledger, request)
            case TradeAction.REMOVE:
                return self._remove(ledger, request)
            case TradeAction.CLOSE_BY:
                return self._close_by(ledger, request, reason)
        return refused(TradeRetcode.INVALID)

    def plan(
        self, ledger: Ledger, request: TradeRequest, reason: OrderReason, *, live: bool
    ) -> Plan | TradeRetcode:
        """What a market order would do."""
        statement = self._statements.of(ledger)
        return plan_deal(request, reason, statement, self._spec, self.liquidity, live=live)

    def activate(self, ledger: Ledger, info: SymbolInfo, order: TradeOrder, tick: Tick) -> bool:
        """Carry out a waiting order that a tick touched; False when it waits for another tick.

        A stop limit order becomes its limit order under the same ticket [vendor]. An order for
        which there is no money then is cancelled [vendor].
        """
        if order.type in STOP_LIMITS:
            ledger.record(tick.time_msc, Change(active=_limit_of(order)))
            return True
        met = self._position_of(ledger, order)
        if met is None and order.position_id not in (0, order.ticket) and ledger.is_hedging:
            self._cancel(ledger, order, tick.time_msc)
            return True
        wanted = order.volume_current
        if met is not None and ledger.is_hedging and met.type != side_of(order.type):
            wanted = min(wanted, met.volume)
        side = side_of(order.type)
        volume = self.liquidity.available(info, side, tick, wanted)
        once = order.type_filling in (OrderFilling.FOK, OrderFilling.IOC)
        if volume <= 0.0 or (order.type_filling == OrderFilling.FOK and volume < wanted):
            if once:
                self._cancel(ledger, order, tick.time_msc)
            return once
        price = self._price(info, order, tick)
        fill = Fill(order, ledger.tickets.deal, tick.time_msc, volume, price)
        result = effect(fill, met)
        if adds(result):
            statement = self._statements.of(ledger)
            refusal = money_refusal(statement, order.symbol, result, without=order)
            if refusal == TradeRetcode.NO_MONEY:
                self._cancel(ledger, order, tick.time_msc)
                return True
            if refusal is not None:
                return False
        if not self._settlement.book(ledger, info, fill, met, waits=not once):
            return False
        self.liquidity.take(info, side, tick, volume)
        return True

    def _deal(self, ledger: Ledger, request: TradeRequest, reason: OrderReason) -> SendAnswer:
        plan = self.plan(ledger, request, reason, live=True)
        if isinstance(plan, TradeRetcode):
            return self._refused_deal(request, plan)
        order, fill = plan.fill.order, plan.fill
        waits = request.type_filling == OrderFilling.RETURN
        if fill.volume <= 0.0:
            if not waits:
                return refused(TradeRetcode.REJECT)
            placed = order._replace(state=int(OrderState.PLACED))
            ledger.record(fill.time_msc, Change(active=placed))
            return accepted(TradeRetcode.PLACED, order=order.ticket)
        if not self._settlement.book(ledger, plan.info, fill, plan.before, waits=waits):
            return refused(TradeRetcode.PRICE_OFF)
        self.liquidity.take(plan.info, fill.type, plan.tick, fill.volume)
        whole = fill.volume >= order.volume_initial
        return accepted(
            TradeRetcode.DONE if whole else TradeRetcode.DONE_PARTIAL,
            deal=fill.deal,
            order=order.ticket,
            volume=fill.volume,
            price=fill.price,
            tick=plan.tick,
        )

    def _refused_deal(self, request: TradeRequest, code: TradeRetcode) -> SendAnswer:
        if code == TradeRetcode.REQUOTE:
            code = _OFF_PRICE[self._spec.off_price]
        if code != TradeRetcode.REQUOTE:
            return refused(code)
        # The prices at which the same request would be taken now.
        spec, tick = self._market.spec(request.symbol), self._market.quote(request.symbol)
        worse = self._spec.slippage_points * spec.info.point if spec is not None else 0.0
        digits = spec.info.digits if spec is not None else 8
        return refused(code, round(tick.bid - worse, digits), round(tick.ask + worse, digits))

    def _place(self, ledger: Ledger, request: TradeRequest, reason: OrderReason) -> SendAnswer:
        order = plan_placing(request, reason, self._statements.of(ledger), self._spec, live=True)
        if isinstance(order, TradeRetcode):
            return refused(order)
        ledger.record(order.time_setup_msc, Change(active=order))
        self._meet_market(ledger, order)
        return accepted(order=order.ticket, volume=order.volume_initial)

    def _meet_market(self, ledger: Ledger, order: TradeOrder) -> None:
        """A limit order at an exchange may be filled, or have to end, at once [vendor]."""
        spec = self._market.spec(order.symbol)
        if spec is None or order.type not in LIMITS:
            return
        tick = self._market.quote(order.symbol)
        trigger = trigger_of(order)
        price = tick.ask if side_of(order.type) == PositionType.BUY else tick.bid
        noise = spec.info.point * 1e-3
        matches = trigger is not None and (
            price <= trigger.level + noise if trigger.falling else price >= trigger.level - noise
        )
        now = tick._replace(time_msc=self._market.now_msc)
        if matches and order.type_filling == OrderFilling.BOC:
            self._cancel(ledger, order, now.time_msc)
        elif matches:
            self.activate(ledger, spec.info, order, now)
        elif order.type_filling in (OrderFilling.FOK, OrderFilling.IOC):
            self._cancel(ledger, order, now.time_msc)

    def _set_stops(self, ledger: Ledger, request: TradeRequest) -> SendAnswer:
        position = plan_stops(request, ledger, self._market, live=True)
        if isinstance(position, TradeRetcode):
            return refused(position)
        ledger.record(self._market.now_msc, Change(position=position))
        return accepted()

    def _change(self, ledger: Ledger, request: TradeRequest) -> SendAnswer:
        order = plan_change(request, ledger, self._market, live=True)
        if isinstance(order, TradeRetcode):
            return refused(order)
        ledger.record(self._market.now_msc, Change(active=order))
        self._meet_market(ledger, order)
        return accepted(order=order.ticket)

    def _remove(self, ledger: Ledger, request: TradeRequest) -> SendAnswer:
        order = plan_removal(request, ledger, self._market, live=True)
        if isinstance(order, TradeRetcode):
            return refused(order)
        self._cancel(ledger, order, self._market.now_msc)
        return accepted(order=order.ticket)

    def _close_by(self, ledger: Ledger, request: TradeRequest, reason: OrderReason) -> SendAnswer:
        plan = plan_close_by(request, reason, ledger, self._market, live=True)
        if isinstance(plan, TradeRetcode):
            return refused(plan)
        comment = plan.order.comment[: self._spec.comment_limit]
        order, deal = plan.order._replace(comment=comment), ledger.tickets.deal
        if not self._settlement.close_by(ledger, plan.info, order, plan.by):
            return refused(TradeRetcode.PRICE_OFF)
        return accepted(
            deal=deal,
            order=order.ticket,
            volume=order.volume_initial,
            price=plan.by.price_open,
            tick=self._market.quote(order.symbol),
        )

    def _position_of(self, ledger: Ledger, order: TradeOrder) -> TradePosition | None:
        """What the next fill of a waiting order falls on."""
        if ledger.is_hedging:
            return ledger.positions.get(order.position_id)
        return next(iter(ledger.in_symbol(order.symbol)), None)

    def _price(self, info: SymbolInfo, order: TradeOrder, tick: Tick) -> float:
        bought = side_of(order.type) == PositionType.BUY
        points = 0
        if order.type in STOPS:
            points = self._spec.stop_slippage_points
        elif order.type in (OrderType.BUY, OrderType.SELL):
            points = self._spec.slippage_points
        worse = points * info.point
        return round(tick.ask + worse if bought else tick.bid - worse, info.digits)

    @staticmethod
    def _cancel(ledger: Ledger, order: TradeOrder, msc: int) -> None:
        ledger.record(msc, Change(order=done(order, OrderState.CANCELED, msc)))


def _limit_of(order: TradeOrder) -> TradeOrder:
    bought = order.type == OrderType.BUY_STOP_LIMIT
    return order._replace(
        type=int(OrderType.BUY_LIMIT if bought else OrderType.SELL_LIMIT),
        price_open=order.price_stoplimit,
        price_stoplimit=0.0,
    )
