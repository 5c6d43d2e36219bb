"""Which events does a stop of a bracket become? `StopEvents`."""

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import OrderType as NautilusOrderType
from nautilus_trader.model.identifiers import TradeId

from tradingview_scraper.adapters.mt5.nautilus_v1.bracket import Bracket, Stop, id_of, whose
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import Leg
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, quantity
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import (
    commission,
    deal_side,
    fill_info,
    liquidity_side,
    position_id,
    price,
    volume,
)
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder


class StopEvents:
    """Says how a stop stands: nothing is decided here, and nothing remembered."""

    def __init__(self, out: LiveExecutionClient, *, hedging: bool, deposit: str) -> None:
        self._out = out
        self._hedging = hedging
        self._deposit = deposit

    def accepted(self, bracket: Bracket, stop: Stop, ts_event: int) -> None:
        """The server has it."""
        self._out.generate_order_submitted(*whose(stop), ts_event)
        self._out.generate_order_accepted(*whose(stop), id_of(bracket, stop), ts_event)

    def refused(self, bracket: Bracket, stop: Stop, reason: str, ts_event: int) -> None:
        """The server does not get its entry, or has not taken it."""
        if bracket.entry.is_checked:
            self._out.generate_order_denied(*whose(stop), reason, ts_event)
        else:
            self._out.generate_order_canceled(*whose(stop), None, ts_event)

    def updated(self, bracket: Bracket, stop: Stop, listing: Listing, ts_event: int) -> None:
        """Its level and its quantity."""
        level = price(bracket.levels[stop.leg], listing.instrument)
        self._out.generate_order_updated(
            *whose(stop),
            id_of(bracket, stop),
            quantity(stop.quantity, listing.instrument.size_precision),
            level if stop.leg is Leg.TP else None,
            level if stop.leg is Leg.SL else None,
            ts_event,
        )

    def canceled(self, bracket: Bracket, stop: Stop, ts_event: int) -> None:
        """It is no more."""
        self._out.generate_order_canceled(*whose(stop), id_of(bracket, stop), ts_event)

    def filled(
        self,
        bracket: Bracket,
        stop: Stop,
        deal: TradeDeal,
        order: TradeOrder | None,
        listing: Listing,
        ts_event: int,
    ) -> None:
        """The server closed the position, or a part of it, at the stop."""
        self._out.generate_order_filled(
            strategy_id=stop.strategy_id,
            instrument_id=stop.instrument_id,
            client_order_id=stop.client_order_id,
            venue_order_id=id_of(bracket, stop),
            venue_position_id=position_id(deal.position_id, self._hedging),
            trade_id=TradeId(str(deal.ticket)),
            order_side=deal_side(deal),
            order_type=NautilusOrderType.STOP_MARKET
            if stop.leg is Leg.SL
            else NautilusOrderType.LIMIT,
            last_qty=volume(deal.volume, listing),
            last_px=price(deal.price, listing.instrument),
            quote_currency=listing.instrument.quote_currency,
            commission=commission(deal, listing.instrument, self._deposit),
            liquidity_side=liquidity_side(deal, order),
            ts_event=ts_event,
            info=fill_info(deal, self._deposit),
        )
