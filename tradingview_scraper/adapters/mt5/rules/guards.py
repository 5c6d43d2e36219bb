"""Is an order within the trader's own limits? What an order adds, and `OrderLimits`.

The limits bound what an order may open. One that can only close is never refused by them: it makes
the risk smaller. Volumes are lots, money is the account's.
"""

from collections import deque
from typing import Final, NamedTuple

#: Lots, or money, that are no difference: sums of floats.
_NOISE: Final = 1e-8
_MINUTE_NS: Final = 60 * 1_000_000_000


class Breach(NamedTuple):
    """A limit that does not allow what was asked. `rule` is the name of the limit."""

    rule: str
    figure: float
    limit: float
    #: ``RULE: what it is, and what it may be``.
    text: str


class Limits(NamedTuple):
    """How much orders may do; None is no limit."""

    #: Lots that one order may open.
    order_lots: float | None = None
    #: Value of what one order may open, in the account's currency.
    order_notional: float | None = None
    #: Orders within any 60 seconds; closing ones count, and are not refused.
    orders_per_minute: int | None = None
    #: Lots open on the account, see `Line.most`.
    open_lots: float | None = None
    #: Lots open in one symbol, see `Line.most`.
    symbol_lots: float | None = None


class Line(NamedTuple):
    """What is open in one symbol, and what working orders may make of it, in lots."""

    long: float = 0.0
    short: float = 0.0
    #: Of working orders that may open something, pending or under way.
    buying: float = 0.0
    selling: float = 0.0

    def most(self, *, hedging: bool) -> float:
        """The most lots that can be open when any of the working orders are filled.

        Tickets of a hedging account add up, also opposite ones. A netting account has the larger
        of what it has, and what it has after all buys or after all sells.
        """
        if hedging:
            return self.long + self.short + self.buying + self.selling
        net = self.long - self.short
        return max(abs(net), abs(net + self.buying), abs(net - self.selling))

    def with_order(self, *, buys: bool, lots: float) -> "Line":
        """The line with one more working order."""
        if buys:
            return self._replace(buying=self.buying + lots)
        return self._replace(selling=self.selling + lots)

    def opened_by(self, *, buys: bool, lots: float, hedging: bool) -> float:
        """The part of an order of `lots` that opens something, on an order that names no ticket.

        On a netting account it closes first what is open against it, as far as other working orders
        on its side leave something to close.
        """
        if hedging:
            return lots
        net = self.long - self.short
        against = max(0.0, -net if buys else net)
        left = max(0.0, against - (self.buying if buys else self.selling))
        opened = lots - left
        return opened if opened > _NOISE else 0.0


class Asked(NamedTuple):
    """An order that is to be sent."""

    symbol: str
    #: Lots of it that may open something; 0 for one that only closes.
    opens: float
    #: Value of `opens` in the account's currency; None where it cannot be worked out.
    notional: float | None
    #: The most lots that can be open on the account, and in the symbol: before and with it.
    account_before: float = 0.0
    account_with: float = 0.0
    symbol_before: float = 0.0
    symbol_with: float = 0.0


class OrderLimits:
    """Judges orders one by one, and counts those that it lets through."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._sent_ns: deque[int] = deque()

    def admit(self, asked: Asked, now_ns: int) -> Breach | None:
        """None, and the order counts; or the first limit that does not allow it.

        `now_ns` is any clock in nanoseconds that does not go back.
        """
        breach = self._breach(asked, now_ns) if asked.opens > 0 else None
        if breach is None and self.limits.orders_per_minute is not None:
            self._sent_ns.append(now_ns)
        return breach

    def breach_of_change(
        self, asked: Asked, *, opened: float, notional: float | None
    ) -> Breach | None:
        """None, or the first limit that does not allow a working order to become `asked`.

        As it is it opens `opened` lots worth `notional`: what does not grow is allowed. Counts as
        no order.
        """
        if asked.opens > opened + _NOISE:
            breach = self._lots_breach(asked)
            if breach is not None:
                return breach
        grows = asked.opens > opened + _NOISE
        if asked.notional is not None and notional is not None:
            grows = asked.notional > notional + _NOISE
        breach = self._notional_breach(asked) if grows else None
        return breach if breach is not None else self._open_breach(asked)

    def _breach(self, asked: Asked, now_ns: int) -> Breach | None:
        limits = self.limits
        breach = (
            self._lots_breach(asked) or self._notional_breach(asked) or self._open_breach(asked)
        )
        if breach is not None:
            return breach
        if limits.orders_per_minute is not None:
            while self._sent_ns and self._sent_ns[0] <= now_ns - _MINUTE_NS:
                self._sent_ns.popleft()
            if len(self._sent_ns) >= limits.orders_per_minute:
                what = "orders within 60 seconds"
                count = len(self._sent_ns) + 1
                return _over("GUARD_ORDER_RATE", count, limits.orders_per_minute, what)
        return None

    def _lots_breach(self, asked: Asked) -> Breach | None:
        limits = self.limits
        if limits.order_lots is not None and asked.opens > limits.order_lots + _NOISE:
            return _over("GUARD_ORDER_LOTS", asked.opens, limits.order_lots, "lots in one order")
        return None

    def _notional_breach(self, asked: Asked) -> Breach | None:
        limits = self.limits
        if limits.order_notional is not None:
            if asked.notional is None:
                text = (
                    "GUARD_ORDER_NOTIONAL: the order's value in the account's currency is not "
                    f"known, limit={limits.order_notional:g}: subscribe to quotes of {asked.symbol}"
                    " and of the pair that converts its currency"
                )
                return Breach("GUARD_ORDER_NOTIONAL", 0.0, limits.order_notional, text)
            if asked.notional > limits.order_notional + _NOISE:
                return _over(
                    "GUARD_ORDER_NOTIONAL",
                    asked.notional,
                    limits.order_notional,
                    "value of one order in the account's currency",
                )
        return None

    def _open_breach(self, asked: Asked) -> Breach | None:
        limits = self.limits
        if limits.open_lots is not None and _grows_over(
            limits.open_lots, asked.account_before, asked.account_with
        ):
            what = "lots open on the account with this and all working orders"
            return _over("GUARD_OPEN_LOTS", asked.account_with, limits.open_lots, what)
        if limits.symbol_lots is not None and _grows_over(
            limits.symbol_lots, asked.symbol_before, asked.symbol_with
        ):
            what = f"lots open in {asked.symbol} with this and all working orders"
            return _over("GUARD_SYMBOL_LOTS", asked.symbol_with, limits.symbol_lots, what)
        return None


def _grows_over(limit: float, before: float, after: float) -> bool:
    return after > limit + _NOISE and after > before + _NOISE


def _over(rule: str, figure: float, limit: float, what: str) -> Breach:
    return Breach(rule, figure, limit, f"{rule}: {what}={figure:.10g}, limit={limit:.10g}")
