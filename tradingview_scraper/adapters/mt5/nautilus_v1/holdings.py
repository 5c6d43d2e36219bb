"""Which positions does the account have, as far as the terminal has said?"""

from collections.abc import Iterable, Iterator

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


class Holdings:
    """The open positions by identifier: an identifier stays, a ticket may change [vendor].

    A deal that reduces a position counts at once, even when the position's own record follows
    later: nothing may be closed twice.
    """

    def __init__(self) -> None:
        self._held: dict[int, TradePosition] = {}
        self._touched: set[int] = set()

    def __iter__(self) -> Iterator[TradePosition]:
        return iter(self._held.values())

    def watch(self) -> None:
        """Facts follow from here on; `seed` may come later."""
        self._held.clear()
        self._touched.clear()

    def seed(self, positions: Iterable[TradePosition]) -> None:
        """A reading of all positions. What facts have said since `watch` is newer."""
        for position in positions:
            if position.identifier not in self._touched:
                self._held[position.identifier] = position

    def apply(self, fact: Fact) -> None:
        """Take in what happened."""
        match fact:
            case PositionOpened(position) | PositionChanged(position, _):
                self._touched.add(position.identifier)
                self._held[position.identifier] = position
            case PositionClosed(position):
                self._touched.add(position.identifier)
                self._held.pop(position.identifier, None)
            case Dealt(deal, _) if is_trade(deal):
                self._reduce(deal)

    def _reduce(self, deal: TradeDeal) -> None:
        held = self._held.get(deal.position_id)
        if held is None or held.time_update_msc >= deal.time_msc:
            return
        if (held.type == PositionType.BUY) != (deal.type == DealType.BUY):
            left = max(0.0, held.volume - deal.volume)
            self._held[deal.position_id] = held._replace(volume=left)
