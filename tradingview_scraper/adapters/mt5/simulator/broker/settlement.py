"""How does a fill enter the books? With its profit, its costs, its order and its deal."""

from typing import Final

from tradingview_scraper.adapters.mt5.simulator.broker.account import Change, Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.matching import (
    Charges,
    Effect,
    Fill,
    closing_type,
    deal_of,
    effect,
)
from tradingview_scraper.adapters.mt5.simulator.broker.money import rounded
from tradingview_scraper.adapters.mt5.simulator.broker.orders import (
    done,
    filled,
    is_done,
    new_order,
)
from tradingview_scraper.adapters.mt5.simulator.broker.triggers import StopHit, stop_comment
from tradingview_scraper.adapters.mt5.simulator.broker.valuation import Valuation
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.schema import BrokerSpec
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    OrderFilling,
    OrderReason,
    OrderState,
    OrderType,
    PositionType,
    SymbolCalcMode,
    SymbolFilling,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    SymbolInfo,
    Tick,
    TradeOrder,
    TradePosition,
)

_PAIRS: Final = (SymbolCalcMode.FOREX, SymbolCalcMode.FOREX_NO_LEVERAGE)


class Settlement:
    """The broker's back office: what a fill costs and brings, written into a ledger."""

    def __init__(self, market: Market, spec: BrokerSpec) -> None:
        self._market: Final = market
        self._spec: Final = spec

    def stop(self, ledger: Ledger, info: SymbolInfo, hit: StopHit, tick: Tick) -> bool:
        """Close a position whose stop was touched, at the touching tick's price.

        Both stops are market orders then, and slip by the broker's `stop_slippage_points`.
        """
        comment = stop_comment(hit.reason, hit.level, info.digits)
        worse = self._spec.stop_slippage_points * info.point
        return self.close(
            ledger, info, hit.position, tick, hit.reason, comment, asked=hit.level, worse=worse
        )

    def close(
        self,
        ledger: Ledger,
        info: SymbolInfo,
        position: TradePosition,
        tick: Tick,
        reason: OrderReason,
        comment: str,
        *,
        asked: float = 0.0,
        worse: float = 0.0,
    ) -> bool:
        """Close a position for the server's own reasons; magic is the position's."""
        bought = position.type == PositionType.BUY
        price = round(tick.bid - worse if bought else tick.ask + worse, info.digits)
        by_fok = info.filling_mode & SymbolFilling.FOK
        order = new_order(
            ticket=ledger.tickets.order,
            msc=tick.time_msc,
            symbol=position.symbol,
            type=int(closing_type(position)),
            volume=position.volume,
            price_open=asked or price,
            type_filling=int(OrderFilling.FOK if by_fok else OrderFilling.IOC),
            magic=position.magic,
            reason=int(reason),
            comment=comment,
        )
        fill = Fill(order, ledger.tickets.deal, tick.time_msc, position.volume, price)
        return self.book(ledger, info, fill, position)

    def book(
        self,
        ledger: Ledger,
        info: SymbolInfo,
        fill: Fill,
        met: TradePosition | None,
        *,
        waits: bool = False,
    ) -> bool:
        """Enter a fill into the books; False, and nothing happened, when no price converts it.

        `waits`: an unfilled rest of the order stays active.
        """
        result = effect(fill, met)
        profit: float | None = 0.0
        swap = 0.0
        if met is not None and result.closed:
            profit = Valuation(ledger.spec, self._market).profit(
                info, met.type, result.closed, met.price_open, fill.price, fill.time_msc
            )
            swap = self._swap_share(ledger, met, result.closed)
        if profit is None:
            return False
        order = filled(
            fill.order, fill.volume, fill.price, result.identifier, fill.time_msc, waits=waits
        )
        charges = Charges(
            profit=profit,
            commission=self._commission(ledger, info, fill.volume),
            swap=swap,
            fee=self._fee(ledger),
        )
        ledger.record(
            fill.time_msc,
            Change(
                order=order if is_done(order) else None,
                active=None if is_done(order) else order,
                deal=deal_of(fill, result.entry, result.identifier, charges),
                position=self._left(ledger, result, swap),
                closed=result.identifier if result.position is None else None,
            ),
        )
        return True

    def close_by(
        self, ledger: Ledger, info: SymbolInfo, order: TradeOrder, by: TradePosition
    ) -> bool:
        """Close the position of `order` and an opposite one with each other.

        Each ends at the other's opening price, in a deal of its own; the profit is in the first
        deal [vendor]. False, and nothing happened, when no price converts it.
        """
        named = ledger.positions[order.position_id]
        msc, volume = order.time_setup_msc, order.volume_initial
        profit = Valuation(ledger.spec, self._market).profit(
            info, named.type, volume, named.price_open, by.price_open, msc
        )
        if profit is None:
            return False
        changes, deal = [], ledger.tickets.deal
        for position, price, amount in (
            (named, by.price_open, profit),
            (by, named.price_open, 0.0),
        ):
            # The deals know directions, the order is of the type CLOSE_BY.
            fill = Fill(order._replace(type=int(closing_type(position))), deal, msc, volume, price)
            result = effect(fill, position)
            swap = self._swap_share(ledger, position, volume)
            commission = self._commission(ledger, info, volume)
            charges = Charges(amount, commission, swap, self._fee(ledger))
            changes.append(
                Change(
                    deal=deal_of(fill, DealEntry.OUT_BY, position.identifier, charges),
                    position=self._left(ledger, result, swap),
                    closed=position.identifier if result.position is None else None,
                )
            )
            deal = ledger.next_ticket(deal)
        finished = done(order, OrderState.FILLED, msc)._replace(
            type=int(OrderType.CLOSE_BY), volume_current=0.0, price_current=by.price_open
        )
        ledger.record(msc, Change(order=finished), *changes)
        return True

    def _left(self, ledger: Ledger, result: Effect, swap: float) -> TradePosition | None:
        """What is open afterwards, without the swap that was realised."""
        if result.position is None or result.entry != DealEntry.OUT:
            return result.position
        rest = rounded(result.position.swap - swap, ledger.spec.currency_digits)
        return result.position._replace(swap=rest)

    def _swap_share(self, ledger: Ledger, met: TradePosition, closed: float) -> float:
        """The swap that closing so many lots realises: in proportion [decision]."""
        return rounded(met.swap * closed / met.volume, ledger.spec.currency_digits)

    def _fee(self, ledger: Ledger) -> float:
        return rounded(-self._spec.fee_per_deal, ledger.spec.currency_digits)

    def _commission(self, ledger: Ledger, info: SymbolInfo, volume: float) -> float:
        """What the broker charges for a fill: negative money in the account's currency."""
        spec = self._market.spec(info.name)
        if spec is None:
            return 0.0
        per_lot = spec.commission_per_lot
        if per_lot is None:
            pair = spec.info.trade_calc_mode in _PAIRS
            per_lot = self._spec.commission_per_lot if pair else 0.0
        return rounded(-per_lot * volume, ledger.spec.currency_digits)
