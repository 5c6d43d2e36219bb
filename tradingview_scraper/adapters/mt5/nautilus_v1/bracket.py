"""What is a bracket, and what was Nautilus told of it last? `Bracket`, `Stop`."""

from dataclasses import dataclass, field
from decimal import Decimal

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import (
    ClientOrderId,
    InstrumentId,
    StrategyId,
    VenueOrderId,
)

from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import Leg, stop_id
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder, TradePosition


@dataclass(slots=True, eq=False)
class Stop:
    """A stop loss or take profit as an order, with what Nautilus was told last."""

    client_order_id: ClientOrderId
    strategy_id: StrategyId
    instrument_id: InstrumentId
    leg: Leg
    side: OrderSide
    #: Units: what was filled, and what is covered besides.
    quantity: Decimal
    filled: Decimal = Decimal(0)
    is_over: bool = False
    #: A cancel is on its way, or its outcome is not known.
    is_cancelling: bool = False


@dataclass(slots=True, eq=False)
class Bracket:
    """An entry and its stops."""

    entry: Entry
    stops: dict[Leg, Stop]
    #: Of the entry, in units.
    quantity: Decimal
    #: The levels at the server, as they were heard of last; 0 is none.
    levels: dict[Leg, float]
    #: Identifier of the position: that of the entry's ticket, but where it adds to another one.
    position: int = 0
    #: Units of the entry that were filled, and the deals that did it.
    filled: Decimal = Decimal(0)
    deals: set[int] = field(default_factory=set)
    is_entry_done: bool = False
    #: Stops that are to be cancelled once it is known what becomes of the entry.
    held: list[Stop] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return all(stop.is_over for stop in self.stops.values())

    @property
    def is_waiting(self) -> bool:
        """The entry waits at the server, nothing of it filled."""
        return not self.filled and not self.is_entry_done


def whose(stop: Stop) -> tuple[StrategyId, InstrumentId, ClientOrderId]:
    """What the events of a stop begin with."""
    return stop.strategy_id, stop.instrument_id, stop.client_order_id


def id_of(bracket: Bracket, stop: Stop) -> VenueOrderId:
    """The id at the venue that a stop has for life."""
    return stop_id(bracket.entry.ticket, stop.leg)


def levels_of(record: TradeOrder | TradePosition) -> dict[Leg, float]:
    """The levels that a record of the server has; 0 is none."""
    return {Leg.SL: record.sl, Leg.TP: record.tp}


def is_same_level(level: float, other: float) -> bool:
    """Whether two levels are one: they differ by less than any price does."""
    return abs(level - other) < _NOISE


_NOISE = 1e-8
