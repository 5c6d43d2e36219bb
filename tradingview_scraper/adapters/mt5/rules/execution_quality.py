"""How well are orders executed? `ExecutionQuality`: by symbol and order type, in bounded memory.

Slippage is measured in points and positive where it costs: a buy above what was asked for, a sell
below. What was asked for is the price in the request of an order that is executed at once, the
limit of a limit order, the trigger of a stop order, the level of a stop loss or take profit.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from tradingview_scraper.adapters.mt5.rules.levels import LIMITS, STOP_LIMITS, STOPS
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction, TradeRetcode

#: Samples that percentiles are taken of: the last ones.
RECENT: Final = 1_000
#: Orders whose request is remembered: the last ones.
_REMEMBERED: Final = 10_000
#: The server offered another price, or had none: 10004, 10020, 10021.
REQUOTES: Final = frozenset(
    {TradeRetcode.REQUOTE, TradeRetcode.PRICE_CHANGED, TradeRetcode.PRICE_OFF}
)


class OrderKind(StrEnum):
    """What figures are kept apart by, besides the symbol."""

    #: Executed at once, whatever it is to Nautilus.
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    CLOSE_BY = "close_by"
    #: Fills of a position's stops at the server; nothing is sent for them.
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"


class Asked(NamedTuple):
    """The request of an order, as far as its execution is measured against it."""

    symbol: str
    kind: OrderKind
    #: 0 where no price was asked for, or what was asked for can change.
    price: float
    #: Wall clock, when it was handed over.
    at_ns: int


class Fill(NamedTuple):
    """A deal that filled an order. `asked` is 0 where no price was asked for."""

    is_buy: bool
    price: float
    asked: float
    lots: float
    #: Of the symbol; slippage and spread are not measured where it is 0.
    point: float
    #: Ask less bid of the quote that the node had then; None where it had none.
    spread: float | None
    #: Wall clock, when the fill was published.
    at_ns: int


def kind_of_type(type: int) -> OrderKind:
    """Of an `OrderType`."""
    if type in LIMITS:
        return OrderKind.LIMIT
    if type in STOPS:
        return OrderKind.STOP
    return OrderKind.STOP_LIMIT if type in STOP_LIMITS else OrderKind.MARKET


def kind_of(request: Mapping[str, int | float | str]) -> OrderKind:
    """Of an ``order_send`` request that makes an order: a deal, a pending order, a close by."""
    if request["action"] == TradeAction.CLOSE_BY:
        return OrderKind.CLOSE_BY
    if request["action"] == TradeAction.PENDING:
        return kind_of_type(int(request["type"]))
    return OrderKind.MARKET


class Samples:
    """Count, mean and extremes of all samples, percentiles of the last `RECENT`."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self._least = float("inf")
        self._most = float("-inf")
        self._recent: deque[float] = deque(maxlen=RECENT)

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self._least = min(self._least, value)
        self._most = max(self._most, value)
        self._recent.append(value)

    def percentile(self, percent: int) -> float:
        """The nearest of the last `RECENT` samples at or above that rank; NaN without samples."""
        if not self._recent:
            return float("nan")
        ordered = sorted(self._recent)
        return ordered[-(-len(ordered) * percent // 100) - 1]

    def summary(self) -> dict[str, float] | None:
        """``count``, ``mean``, ``min``, ``p50``, ``p90``, ``p99``, ``max``; None of none."""
        if not self.count:
            return None
        figures = {"count": float(self.count), "mean": self.total / self.count, "min": self._least}
        for percent in (50, 90, 99):
            figures[f"p{percent}"] = self.percentile(percent)
        figures["max"] = self._most
        return {name: round(value, 6) for name, value in figures.items()}


class Row:
    """The figures of one symbol and order type."""

    def __init__(self) -> None:
        self.sent = 0
        self.requotes = 0
        self.outcomes = dict.fromkeys(Outcome, 0)
        #: By retcode, of what was not accepted; 0 where the answer has none.
        self.refusals: dict[int, int] = {}
        self.fills = 0
        self.lots = 0.0
        self.better = self.at_price = self.worse = 0
        #: Lots x points: what slippage costs in all is this x the value of a point of one lot.
        self.slippage_lot_points = 0.0
        self.slippage_points = Samples()
        self.spread_points = Samples()
        #: In the library's call: pipe, terminal, server, and back.
        self.broker_ms = Samples()
        #: From handing over until the answer is back, less the call: queue of the lane, processes.
        self.adapter_ms = Samples()
        #: From handing over until the fill is published, of what is executed at once.
        self.fill_ms = Samples()

    def document(self) -> dict[str, Any]:
        """The figures for machines; a group without samples is None."""
        return {
            "sent": self.sent,
            **{str(outcome).lower(): count for outcome, count in self.outcomes.items()},
            "requotes": self.requotes,
            "refusals": {str(code): count for code, count in sorted(self.refusals.items())},
            "fills": self.fills,
            "lots": round(self.lots, 8),
            "better": self.better,
            "at_price": self.at_price,
            "worse": self.worse,
            "slippage_lot_points": round(self.slippage_lot_points, 6),
            "slippage_points": self.slippage_points.summary(),
            "spread_points": self.spread_points.summary(),
            "broker_ms": self.broker_ms.summary(),
            "adapter_ms": self.adapter_ms.summary(),
            "fill_ms": self.fill_ms.summary(),
        }


class ExecutionQuality:
    """Collects what orders asked for and what they got. Pure: times come from the caller.

    `order` is a name of the caller's for an order, the same in all calls.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, OrderKind], Row] = {}
        self._asked: OrderedDict[str, Asked] = OrderedDict()

    def sent(self, order: str, request: Mapping[str, int | float | str], at_ns: int) -> None:
        """`request` was handed over."""
        kind = kind_of(request)
        price = float(request.get("price", 0.0)) if kind is OrderKind.MARKET else 0.0
        asked = Asked(str(request["symbol"]), kind, price, at_ns)
        self._asked[order] = asked
        if len(self._asked) > _REMEMBERED:
            self._asked.popitem(last=False)
        self._row(asked.symbol, kind).sent += 1

    def answered(
        self,
        order: str,
        outcome: Outcome,
        retcode: int,
        *,
        started_ns: int,
        ended_ns: int,
        at_ns: int,
    ) -> None:
        """The answer to an order's request is back, or will not come; `retcode` is 0 without one.

        `started_ns` and `ended_ns` are around the library's call; 0 where they are not known.
        """
        asked = self._asked.get(order)
        if asked is None:
            return
        row = self._row(asked.symbol, asked.kind)
        row.outcomes[outcome] += 1
        if outcome is not Outcome.ACCEPTED:
            row.refusals[retcode] = row.refusals.get(retcode, 0) + 1
        if retcode in REQUOTES:
            row.requotes += 1
        if started_ns and ended_ns:
            called = ended_ns - started_ns
            row.broker_ms.add(called / 1e6)
            row.adapter_ms.add(max(0, at_ns - asked.at_ns - called) / 1e6)

    def asked_of(self, order: str) -> Asked | None:
        """What an order asked for; None of one that was sent by an earlier run, or long ago."""
        return self._asked.get(order)

    def filled(self, symbol: str, kind: OrderKind, fill: Fill, sent_ns: int = 0) -> None:
        """A deal of `symbol` filled an order, which was handed over at `sent_ns` (0: not known)."""
        row = self._row(symbol, kind)
        row.fills += 1
        row.lots += fill.lots
        if fill.point > 0 and fill.spread is not None:
            row.spread_points.add(round(fill.spread / fill.point, 3))
        if fill.point > 0 and fill.asked > 0:
            points = (fill.price - fill.asked) / fill.point
            # Floats: a tenth of a point is less than any tick.
            points = round(points if fill.is_buy else -points, 3) + 0.0
            row.slippage_points.add(points)
            row.slippage_lot_points += points * fill.lots
            row.better += points < 0
            row.at_price += points == 0
            row.worse += points > 0
        if sent_ns and kind is OrderKind.MARKET:
            row.fill_ms.add((fill.at_ns - sent_ns) / 1e6)

    def rows(self) -> Iterator[tuple[str, OrderKind, Row]]:
        """By symbol, then order type."""
        for symbol, kind in sorted(self._rows):
            yield symbol, kind, self._rows[symbol, kind]

    def document(self) -> list[dict[str, Any]]:
        """A row for each symbol and order type, for JSON."""
        return [
            {"symbol": symbol, "order_type": str(kind), **row.document()}
            for symbol, kind, row in self.rows()
        ]

    def _row(self, symbol: str, kind: OrderKind) -> Row:
        row = self._rows.get((symbol, kind))
        if row is None:
            row = self._rows[symbol, kind] = Row()
        return row
