"""Which positions should have a stop loss at the server, and have none? `ProtectionAudit`.

A stop loss goes missing when a person clears it, when the server drops it at the day's end, or when
the broker opens the position without it. Facts of the trade feed in, findings out; times are any
clock in nanoseconds that does not go back.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.rules.facts import (
    Dealt,
    Fact,
    OrderDone,
    PositionChanged,
    PositionClosed,
    PositionOpened,
)
from tradingview_scraper.adapters.mt5.rules.identity import namespace_of
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    DealType,
    TradeAction,
)
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder, TradePosition

#: How long a stop loss may be missing before it is said: an order and its protection may show in
#: different readings.
GRACE_NS: Final = 2 * 1_000_000_000
#: How long after an attempt to set it again the next one is due.
AGAIN_NS: Final = 60 * 1_000_000_000


class Trouble(StrEnum):
    """What became of the protection of a position."""

    #: It should have a stop loss and has none.
    MISSING = "MISSING"
    #: It has one again.
    RESTORED = "RESTORED"


class ProtectionFinding(NamedTuple):
    """A change that somebody should hear of."""

    trouble: Trouble
    position: TradePosition
    #: The stop loss that it should have, or has again.
    sl: float


class Restoration(NamedTuple):
    """A stop loss, and take profit, that may be set again now."""

    position: TradePosition
    sl: float
    tp: float


@dataclass(slots=True)
class _Expected:
    sl: float
    tp: float
    #: What happened while nobody watched may have been meant: said, and not undone.
    may_restore: bool = True
    missing_since: int | None = None
    is_said: bool = False
    next_attempt: int = 0


class ProtectionAudit:
    """The positions that should have a stop loss, by identifier.

    That is known of an order that carried one (`ordered`, or the record of one of ours that this
    run did not send, or does not know to be there), or because it is said (`expect`). The level
    follows what the server shows: a stop loss that is moved is still one. A reversal on a
    netting account, and the close, end the expectation.
    """

    def __init__(self) -> None:
        self._expected: dict[int, _Expected] = {}
        self._by_magic: dict[int, tuple[float, float]] = {}
        self._positions: dict[int, TradePosition] = {}
        self._namespaces: Collection[int] = ()

    def ordered(self, magic: int, *, sl: float, tp: float = 0.0) -> None:
        """The order with this magic number, about to be sent, carries this stop loss; 0 is none."""
        if sl > 0:
            self._by_magic[magic] = sl, tp
        else:
            self._by_magic.pop(magic, None)

    def expect(self, identifier: int, *, sl: float, tp: float = 0.0) -> None:
        """The position should have this stop loss (above 0), whoever sets it."""
        self._expected[identifier] = _Expected(sl, tp)

    def released(self, identifier: int) -> None:
        """The position needs no stop loss any more: it was taken off on purpose."""
        self._expected.pop(identifier, None)

    def seed(
        self,
        positions: Iterable[TradePosition],
        history: Iterable[TradeOrder],
        *,
        namespaces: Collection[int],
    ) -> None:
        """The account at the start: what is open of ours, and the orders that opened it.

        A position without a stop loss whose order carried one is a finding, and is not restored.
        """
        self._namespaces = namespaces
        carried = {order.ticket: order for order in history if order.sl > 0}
        for position in positions:
            self._positions[position.identifier] = position
            is_ours = namespace_of(position.magic) in namespaces
            if not is_ours or position.identifier in self._expected:
                continue
            order = carried.get(position.identifier)
            if position.sl > 0:
                self._expected[position.identifier] = _Expected(position.sl, position.tp)
            elif order is not None:
                self._expected[position.identifier] = _Expected(order.sl, order.tp, False)

    def apply(self, fact: Fact) -> None:
        """Take in what happened."""
        match fact:
            case Dealt(deal, order) if deal.type in (DealType.BUY, DealType.SELL):
                if deal.entry == DealEntry.INOUT:
                    self.released(deal.position_id)
                if deal.entry in (DealEntry.IN, DealEntry.INOUT):
                    carried = self._by_magic.get(deal.magic) or self._carried(order)
                    if carried is not None and deal.position_id not in self._expected:
                        self._expected[deal.position_id] = _Expected(*carried)
            case OrderDone(order):
                # After all its deals.
                self._by_magic.pop(order.magic, None)
            case PositionOpened(position) | PositionChanged(position, _):
                self._positions[position.identifier] = position
            case PositionClosed(position):
                self._positions.pop(position.identifier, None)
                self.released(position.identifier)

    def look(self, now_ns: int) -> list[ProtectionFinding]:
        """What is to be said now: each loss once, after its grace, and each return."""
        found = []
        for identifier, expected in self._expected.items():
            position = self._positions.get(identifier)
            if position is None:
                continue
            if position.sl > 0:
                expected.sl, expected.missing_since = position.sl, None
                expected.tp = position.tp
                expected.may_restore = True
                if expected.is_said:
                    expected.is_said = False
                    found.append(ProtectionFinding(Trouble.RESTORED, position, position.sl))
            elif expected.missing_since is None:
                expected.missing_since = now_ns
            elif not expected.is_said and now_ns - expected.missing_since >= GRACE_NS:
                expected.is_said = True
                found.append(ProtectionFinding(Trouble.MISSING, position, expected.sl))
        return found

    def restorations(self, now_ns: int) -> list[Restoration]:
        """What is missing and due to be set again; each is due again `AGAIN_NS` later."""
        due = []
        for identifier, expected in self._expected.items():
            if not (expected.is_said and expected.may_restore and now_ns >= expected.next_attempt):
                continue
            expected.next_attempt = now_ns + AGAIN_NS
            position = self._positions[identifier]
            due.append(Restoration(position, expected.sl, position.tp or expected.tp))
        return due

    def _carried(self, order: TradeOrder | None) -> tuple[float, float] | None:
        if order is None or not order.sl > 0 or namespace_of(order.magic) not in self._namespaces:
            return None
        return order.sl, order.tp

    @property
    def is_waiting(self) -> bool:
        """Something is missing: look again."""
        return any(expected.missing_since is not None for expected in self._expected.values())


def protection_request(restoration: Restoration) -> Mapping[str, int | float | str]:
    """The ``order_send`` request that sets stop loss and take profit of a position again."""
    position = restoration.position
    return {
        "action": int(TradeAction.SLTP),
        "symbol": position.symbol,
        "position": position.ticket,
        "sl": round(restoration.sl, 10),
        "tp": round(restoration.tp, 10),
        "magic": position.magic,
    }
