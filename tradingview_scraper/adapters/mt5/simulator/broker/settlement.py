"""How does a fill enter the books? With its profit, its commission, its order and its deal."""

from typing import Final

import numpy as np

from tradingview_scraper.adapters.mt5.simulator.broker.account import Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.matching import (
    Fill,
    closing_type,
    deal_of,
    done_order,
    effect,
)
from tradingview_scraper.adapters.mt5.simulator.broker.money import rounded
from tradingview_scraper.adapters.mt5.simulator.broker.stops import StopHit, stop_comment
from tradingview_scraper.adapters.mt5.simulator.broker.valuation import Valuation
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.schema import BrokerSpec
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderTime,
    PositionType,
    SymbolCalcMode,
    SymbolFilling,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo, TradePosition

_PAIRS: Final = (SymbolCalcMode.FOREX, SymbolCalcMode.FOREX_NO_LEVERAGE)


class Settlement:
    """The broker's back office: what a fill costs and brings, written into a ledger."""

    def __init__(self, market: Market, spec: BrokerSpec) -> None:
        self._market: Final = market
        self._spec: Final = spec

    def stop(self, ledger: Ledger, info: SymbolInfo, hit: StopHit, row: np.void) -> bool:
        """Close a position whose stop was touched by a tick, at that tick's price."""
        position = hit.position
        bought = position.type == PositionType.BUY
        by_fok = info.filling_mode & SymbolFilling.FOK
        fill = Fill(
            order=ledger.tickets.order,
            deal=ledger.tickets.deal,
            time_msc=int(row["time_msc"]),
            symbol=position.symbol,
            type=int(closing_type(position)),
            volume=position.volume,
            price=round(float(row["bid"] if bought else row["ask"]), info.digits),
            asked_price=hit.level,
            sl=0.0,
            tp=0.0,
            type_filling=int(OrderFilling.FOK if by_fok else OrderFilling.IOC),
            type_time=int(OrderTime.GTC),
            magic=position.magic,
            reason=int(hit.reason),
            comment=stop_comment(hit.reason, hit.level, info.digits),
        )
        return self.book(ledger, info, fill, position)

    def book(self, ledger: Ledger, info: SymbolInfo, fill: Fill, met: TradePosition | None) -> bool:
        """Enter a fill into the books; False, and nothing happened, when no price converts it."""
        result = effect(fill, met)
        profit: float | None = 0.0
        if met is not None and result.closed:
            profit = Valuation(ledger.spec, self._market).profit(
                info, met.type, result.closed, met.price_open, fill.price, fill.time_msc
            )
        if profit is None:
            return False
        deal = deal_of(fill, result, profit=profit, commission=self._commission(ledger, fill))
        ledger.record(
            fill.time_msc,
            order=done_order(fill, result.identifier),
            deal=deal,
            position=result.position,
            closed=result.identifier if result.position is None else None,
        )
        return True

    def _commission(self, ledger: Ledger, fill: Fill) -> float:
        """What the broker charges for a fill: negative money in the account's currency."""
        spec = self._market.spec(fill.symbol)
        if spec is None:
            return 0.0
        per_lot = spec.commission_per_lot
        if per_lot is None:
            pair = spec.info.trade_calc_mode in _PAIRS
            per_lot = self._spec.commission_per_lot if pair else 0.0
        return rounded(-per_lot * fill.volume, ledger.spec.currency_digits)
