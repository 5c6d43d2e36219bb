"""How does the library want its arguments? Plain ints, floats as floats, dates never 0.

Everything here raises `ValueError` for what the library would take wrongly without a word: a date
of 0 sends uninitialised memory, an unknown key of a request is ignored, an int volume and a numpy
int are refused with a -2 that names no reason [recorded].
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from tradingview_scraper.adapters.mt5.terminal.records import TradeRequest

#: The largest date that the library takes: its slot is a 32-bit int on Windows [recorded].
LAST_DATE: Final = 2_147_483_647

_REQUEST_FLOATS: Final = frozenset({"volume", "price", "stoplimit", "sl", "tp"})
_REQUEST_TEXTS: Final = frozenset({"symbol", "comment"})
_TAKES_REQUEST: Final = frozenset({"order_send", "order_check"})
_DATES: Final[dict[str, tuple[int, ...]]] = {
    "copy_rates_from": (2,),
    "copy_rates_range": (2, 3),
    "copy_ticks_from": (1,),
    "copy_ticks_range": (1, 2),
    "history_orders_total": (0, 1),
    "history_orders_get": (0, 1),
    "history_deals_total": (0, 1),
    "history_deals_get": (0, 1),
}
_FLOATS: Final[dict[str, tuple[int, ...]]] = {
    "order_calc_margin": (2, 3),
    "order_calc_profit": (2, 3, 4),
}


def prepare(
    function: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments as the library takes them. Raises `ValueError` for what it would take wrongly."""
    if function in _TAKES_REQUEST:
        if len(args) > 1 or (args and kwargs) or (args and not isinstance(args[0], Mapping)):
            raise ValueError(f"{function} takes one request, as a dict or as keywords")
        return [prepare_request(args[0] if args else kwargs)], {}
    dates = _DATES.get(function, ())
    floats = _FLOATS.get(function, ())
    prepared = [
        _date(function, value)
        if place in dates
        else _float(f"{function} argument {place + 1}", value)
        if place in floats
        else _plain(value)
        for place, value in enumerate(args)
    ]
    return prepared, {name: _plain(value) for name, value in kwargs.items()}


def prepare_request(request: Mapping[str, Any]) -> dict[str, int | float | str]:
    """A trade request with prices and volumes as floats and the rest as ints and texts."""
    unknown = request.keys() - set(TradeRequest._fields)
    if unknown:
        raise ValueError(
            f"a request has no field {', '.join(sorted(map(repr, unknown)))}; "
            f"expected some of {', '.join(TradeRequest._fields)}"
        )
    if "action" not in request:
        raise ValueError("a request needs an action")
    prepared: dict[str, int | float | str] = {}
    for name, value in request.items():
        if name in _REQUEST_FLOATS:
            prepared[name] = _float(name, value)
        elif name in _REQUEST_TEXTS:
            if not isinstance(value, str):
                raise ValueError(f"{name} must be a text, was {value!r}")
            prepared[name] = str(value)
        else:
            prepared[name] = _int(name, value)
    return prepared


def _date(function: str, value: Any) -> int:
    seconds = _int(f"a date of {function}", value)
    if not 1 <= seconds <= LAST_DATE:
        raise ValueError(
            f"a date of {function} must be server seconds from 1 to {LAST_DATE}, was {seconds}"
        )
    return seconds


def _float(name: str, value: Any) -> float:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        raise ValueError(f"{name} must be a number, was {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, was {number}")
    return number


def _int(name: str, value: Any) -> int:
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return int(value)
    raise ValueError(f"{name} must be a whole number, was {value!r}")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise ValueError(f"expected a number or a text, was {type(value).__name__}: {value!r}")
