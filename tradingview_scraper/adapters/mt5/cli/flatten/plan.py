"""What is to be closed and cancelled, and with which requests? Pure."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.rules.identity import namespace_of
from tradingview_scraper.adapters.mt5.rules.requests import market_deal
from tradingview_scraper.adapters.mt5.terminal.constants import (
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
)

type Request = dict[str, int | float | str]

#: Refusals that the next moment may not repeat.
PASSING: Final = frozenset(
    {
        TradeRetcode.REQUOTE,
        TradeRetcode.REJECT,
        TradeRetcode.PRICE_CHANGED,
        TradeRetcode.PRICE_OFF,
        TradeRetcode.ORDER_CHANGED,
        TradeRetcode.TOO_MANY_REQUESTS,
        TradeRetcode.LOCKED,
        TradeRetcode.FROZEN,
    }
)
#: Orders that are being executed, and cannot be cancelled.
_AT_MARKET: Final = frozenset({OrderType.BUY, OrderType.SELL, OrderType.CLOSE_BY})
#: Of requests of this command: below every namespace (``rules.identity``).
_MAGICS: Final = 10**10


class Selection(NamedTuple):
    """Whose positions and orders: of one namespace or of everybody; of some symbols or all."""

    #: First four digits of the magic numbers; None: all, those without a magic number too.
    namespace: int | None
    symbols: frozenset[str] = frozenset()

    def takes(self, record: TradePosition | TradeOrder) -> bool:
        """Whether a position or an order is meant."""
        is_whose = self.namespace is None or namespace_of(record.magic) == self.namespace
        return is_whose and (not self.symbols or record.symbol in self.symbols)

    def positions(self, records: Iterable[TradePosition]) -> list[TradePosition]:
        """Those that are meant, the oldest first: some accounts must close in that order."""
        return sorted(filter(self.takes, records), key=lambda record: record.time_msc)

    def orders(self, records: Iterable[TradeOrder]) -> list[TradeOrder]:
        """Pending orders that are meant."""
        return [
            record for record in records if self.takes(record) and record.type not in _AT_MARKET
        ]


def run_magic(started_ns: int) -> int:
    """The magic number before the first one of a run: of no namespace, and of no recent run."""
    return _MAGICS + started_ns // 1_000_000 % 100_000 * 100_000


def cancel_request(order: TradeOrder) -> Request:
    """Remove a pending order."""
    return {"action": int(TradeAction.REMOVE), "order": order.ticket, "symbol": order.symbol}


def close_request(
    position: TradePosition, info: SymbolInfo, tick: Tick, *, magic: int, deviation: int
) -> Request:
    """Close a position by its ticket, as much as one order may. Raises `RequestRefused`."""
    sells = position.type == PositionType.BUY
    lots = min(position.volume, info.volume_max) if info.volume_max > 0 else position.volume
    return market_deal(
        info,
        side=OrderType.SELL if sells else OrderType.BUY,
        lots=lots,
        magic=magic,
        price=tick.bid if sells else tick.ask,
        deviation=deviation,
        position=position.ticket,
        comment="mt5 flatten",
    )
