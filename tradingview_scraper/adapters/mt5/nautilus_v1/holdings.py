"""Which positions does the account have, as far as the terminal has said?"""

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

    A deal counts at once, also when the position's own record follows later: a strategy acts on
    its fills, and nothing may be closed twice. A record is as new as its last change of volume,
    which carries the time of the deal that made it [vendor].
    """

    def __init__(self) -> None:
        self._held: dict[int, TradePosition] = {}
        #: When a position last changed by its own records, and by deals; closed ones too.
        self._recorded_msc: dict[int, int] = {}
        self._dealt_msc: dict[int, int] = {}
        self._closed: set[int] = set()

    def __iter__(self) -> Iterator[TradePosition]:
        return iter(tuple(self._held.values()))

    def watch(self) -> None:
        """Facts follow from here on; `seed` may come later."""
        self._held.clear()
        self._recorded_msc.clear()
        self._dealt_msc.clear()
        self._closed.clear()

    def seed(self, positions: Iterable[TradePosition]) -> None:
        """A reading of all positions. What facts have said since `watch` is newer."""
        for position in positions:
            told = position.identifier in self._recorded_msc or position.identifier in self._closed
            if not told:
                self._take(position)

    def apply(self, fact: Fact) -> None:
        """Take in what happened."""
        match fact:
            case PositionOpened(position) | PositionChanged(position, _):
                self._take(position)
            case PositionClosed(position):
                self._closed.add(position.identifier)
                self._held.pop(position.identifier, None)
            case Dealt(deal, _) if is_trade(deal):
                self._count(deal)

    def _take(self, position: TradePosition) -> None:
        changed = position.time_update_msc or position.time_msc
        if changed >= self._dealt_msc.get(position.identifier, 0):
            self._recorded_msc[position.identifier] = changed
            self._held[position.identifier] = position

    def _count(self, deal: TradeDeal) -> None:
        identifier = deal.position_id
        if identifier in self._closed or deal.time_msc <= self._recorded_msc.get(identifier, 0):
            return
        self._dealt_msc[identifier] = deal.time_msc
        held = self._held.pop(identifier, None) or _opened_by(deal)
        lots = held.volume if held.type == PositionType.BUY else -held.volume
        lots += deal.volume if deal.type == DealType.BUY else -deal.volume
        if abs(lots) > _NOISE_LOTS:
            self._held[identifier] = held._replace(
                volume=round(abs(lots), 8),
                type=int(PositionType.BUY if lots > 0 else PositionType.SELL),
                time_update_msc=deal.time_msc,
            )


def _opened_by(deal: TradeDeal) -> TradePosition:
    """The position of an opening deal, before the terminal shows it; nothing is in it yet."""
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
