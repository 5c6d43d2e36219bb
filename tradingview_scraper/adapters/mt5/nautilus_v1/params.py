"""What else may a command say? The `params` of an order or a change.

>>> strategy.submit_order(order, params={"sl": 1.0950, "tp": 1.1100, "deviation": 10})

- `sl`, `tp`: stop loss and take profit at the server, prices; of a change 0 removes one;
- `deviation`: price change that is accepted, in points (Instant and Request execution);
- `filling`: ``"FOK"``, ``"IOC"``, ``"RETURN"`` or ``"BOC"`` instead of what follows from the order;
- `comment`: instead of the client order id, the first 16 characters;
- `close_by`: the id of the opposite ticket that closes `position_id` (hedging accounts);
- `expire_time`: of a change: a new end, UTC nanoseconds or a datetime.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from nautilus_trader.core.datetime import dt_to_unix_nanos

from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Denied
from tradingview_scraper.adapters.mt5.terminal.constants import OrderFilling

_OF_ORDERS: Final = frozenset({"sl", "tp", "deviation", "filling", "comment", "close_by"})
_OF_CHANGES: Final = frozenset({"sl", "tp", "expire_time"})


class Params(NamedTuple):
    """The params of a command; None for what it does not say."""

    sl: float | None = None
    tp: float | None = None
    deviation: int | None = None
    filling: OrderFilling | None = None
    comment: str | None = None
    close_by: int | None = None
    #: UTC nanoseconds.
    expire_time: int | None = None


def order_params(params: Mapping[str, Any] | None) -> Params:
    """The params of a new order. Raises `Denied` for what is not known or makes no sense."""
    return _read(params, _OF_ORDERS)


def change_params(params: Mapping[str, Any] | None) -> Params:
    """The params of a change. Raises `Denied`."""
    return _read(params, _OF_CHANGES)


def _read(params: Mapping[str, Any] | None, known: frozenset[str]) -> Params:
    given = dict(params or {})
    if unknown := sorted(given.keys() - known):
        raise Denied(f"UNSUPPORTED_PARAMS: params={unknown}, supported={sorted(known)}")
    read: dict[str, Any] = {name: _READERS[name](name, value) for name, value in given.items()}
    return Params(**read)


def _price(name: str, value: Any) -> float:
    try:
        price = float(value)
    except (TypeError, ValueError):
        price = math.nan
    if isinstance(value, bool) or not math.isfinite(price) or price < 0:
        raise _wrong(name, "a price of zero or more", value)
    return price


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _wrong(name, "a whole number of zero or more", value)
    return value


def _filling(name: str, value: Any) -> OrderFilling:
    try:
        return OrderFilling[value] if isinstance(value, str) else OrderFilling(value)
    except (KeyError, ValueError):
        raise _wrong(name, "one of FOK, IOC, RETURN, BOC", value) from None


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(name, "a text", value)
    return value


def _ticket(name: str, value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal():
        raise _wrong(name, "the id of a position", value)
    return int(text)


def _moment(name: str, value: Any) -> int:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _wrong(name, "a datetime with its time zone", value)
        return int(dt_to_unix_nanos(value))
    return _count(name, value)


def _wrong(name: str, expected: str, value: Any) -> Denied:
    return Denied(f"VALIDATION_FAILED: params[{name!r}] must be {expected}, was {value!r}")


_READERS: Final = {
    "sl": _price,
    "tp": _price,
    "deviation": _count,
    "filling": _filling,
    "comment": _text,
    "close_by": _ticket,
    "expire_time": _moment,
}
