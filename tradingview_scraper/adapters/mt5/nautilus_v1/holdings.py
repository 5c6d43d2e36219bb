"""Which positions does the account have, counting every deal that was told?"""

import math
from collections.abc import Iterable, Iterator
from typing import Final

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trades import is_trade
from tradingview_scraper.adapters.mt5.rules.facts import (
    Dealt,
    Fact,
    PositionChanged,
    PositionClosed,
    PositionOpened,
)
from tradingview_scraper.adapters.mt5.terminal.constants import DealType, PositionType
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradePosition

#: Lots that are no position: sums of floats.
_NOISE_LOTS: Final = 1e-8


class Holdings:
    """The open positions by identifier: an identifier stays, a ticket may change [vendor].

    Volumes are those of one reading of the account and of each deal that it did not contain. The
    positions' own records may be ahead of the deals or behind them, so only their tickets count: a
    strategy acts on its fills, and what it has closed must not be there a second time.
    """

    def __init__(self) -> None:
        self._held: dict[int, TradePosition] = {}
        self._counted: set[int] = set()
        #: Earlier deals are in the reading, though it does not list them.
        self._first = 0
        self._early: list[TradeDeal] | None = None

    def __iter__(self) -> Iterator[TradePosition]:
        return iter(tuple(self._held.values()))

    def net_lots(self, symbol: str) -> float:
        """The positions of a symbol: long ones less short ones."""
        lots = (
            held.volume if held.type == PositionType.BUY else -held.volume
            for held in self._held.values()
            if held.symbol == symbol
        )
        return math.fsum(lots)

    def is_flat(self, symbol: str) -> bool:
        """Whether the positions of a symbol, long and short, come to nothing."""
        return abs(self.net_lots(symbol)) <= _NOISE_LOTS

    def has_counted(self, deal: TradeDeal) -> bool:
        """Whether a deal is in the volumes."""
        return deal.ticket in self._counted or deal.ticket < self._first

    def watch(self) -> None:
        """Facts follow from here on, a reading (`seed`) later."""
        self._held.clear()
        self._counted.clear()
        self._early = []

    def seed(self, positions: Iterable[TradePosition], deals: Iterable[TradeDeal]) -> None:
        """The account at one moment since `watch`, and the latest deals that it contains, without
        a gap between them: tickets of deals ascend.
        """
        self._held = {position.identifier: position for position in positions}
        self._counted.update(deal.ticket for deal in deals)
        self._first = min(self._counted, default=0)
        early, self._early = self._early or [], None
        for deal in early:
            self._count(deal)

    def apply(self, fact: Fact) -> None:
        """Take in what happened."""
        match fact:
            case Dealt(deal, _) if is_trade(deal):
                if self._early is None:
                    self._count(deal)
                else:
                    self._early.append(deal)
            case PositionOpened(position) | PositionChanged(position, _):
                held = self._held.get(position.identifier)
                if held is not None:
                    self._held[position.identifier] = held._replace(ticket=position.ticket)
            case PositionClosed(position):
                self._held.pop(position.identifier, None)

    def _count(self, deal: TradeDeal) -> None:
        if deal.ticket in self._counted:
            return
        self._counted.add(deal.ticket)
        held = self._held.pop(deal.position_id, None) or _opened_by(deal)
        lots = held.volume if held.type == PositionType.BUY else -held.volume
        lots += deal.volume if deal.type == DealType.BUY else -deal.volume
        if abs(lots) > _NOISE_LOTS:
            side = PositionType.BUY if lots > 0 else PositionType.SELL
            self._held[deal.position_id] = held._replace(volume=round(abs(lots), 8), type=int(side))


def _opened_by(deal: TradeDeal) -> TradePosition:
    """The position of an opening deal, with nothing in it yet. Its ticket is its identifier."""
    return TradePosition(
        ticket=deal.position_id,
        time=deal.time,
        time_msc=deal.time_msc,
        time_update=deal.time,
        time_update_msc=deal.time_msc,
        type=int(PositionType.BUY),
        magic=deal.magic,
        identifier=deal.position_id,
        reason=deal.reason,
        volume=0.0,
        price_open=deal.price,
        sl=0.0,
        tp=0.0,
        price_current=deal.price,
        swap=0.0,
        profit=0.0,
        symbol=deal.symbol,
        comment="",
        external_id="",
    )
