"""What is asked of the stops of a bracket, and not settled yet? `StopQueue`."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from nautilus_trader.execution.messages import ModifyOrder

from tradingview_scraper.adapters.mt5.nautilus_v1.bracket import Bracket, Stop, is_same_level
from tradingview_scraper.adapters.mt5.nautilus_v1.unproven import Doubt


class StopWish(NamedTuple):
    """A change or cancel of a stop."""

    stop: Stop
    #: 0: cancel it. Of a change of an earlier run: the level that it was to be moved from, because
    #: nobody remembers where to.
    level: float
    command: ModifyOrder | None = None
    #: An earlier run has asked for it.
    is_earlier: bool = False

    @property
    def is_cancel(self) -> bool:
        """It is to be no more."""
        return not self.level and self.command is None

    @property
    def is_earlier_change(self) -> bool:
        """An earlier run wanted it somewhere else."""
        return self.is_earlier and not self.is_cancel

    def is_done_at(self, level: float) -> bool:
        """Whether a stop at `level` is what was asked for."""
        return is_same_level(level, self.level) != self.is_earlier_change


@dataclass(slots=True)
class StopQueue:
    """Changes of one bracket's stops: one at a time, each names what the one before has left."""

    bracket: Bracket
    waiting: deque[StopWish] = field(default_factory=deque)
    sent: StopWish | None = None
    #: Whether `sent` was done, where nobody answered; None: it is on its way.
    doubt: Doubt | None = None
