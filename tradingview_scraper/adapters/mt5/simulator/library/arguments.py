"""Which arguments does each function take? Signatures, as the C code reads them.

All rules are [recorded] from the real library; what it does to one value stands in `values`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.library.values import (
    INVALID,
    NAMED,
    NUMBERS,
    SYMBOL_LIMIT,
    Refused,
    accepted_text,
    date,
)

#: What an unset ``timeout`` means, in milliseconds.
DEFAULT_TIMEOUT: Final = 60_000

_UNNAMED: Final = "Unnamed arguments not allowed"
_WRONG_NUMBER: Final = "Invalid number of arguments"
_ORDINALS: Final = ("1st", "2nd", "3rd")

#: The library sends memory that nobody set where a date is 0; these stood there when recorded.
_GARBAGE_START: Final = 32_767
_GARBAGE: Final = 0
_DATES: Final = {
    "date": (_GARBAGE, 1),
    "date_msc": (_GARBAGE, 1000),
    "start": (_GARBAGE_START, 1),
    "start_msc": (_GARBAGE_START, 1000),
}


class Parsed(NamedTuple):
    """Values as they are sent. `pending` turns the whole call into a SystemError afterwards."""

    values: tuple[Any, ...]
    pending: Exception | None = None


class Positional:
    """Arguments without names: numbers are converted first, then texts and dates are looked at.

    >>> Positional("symbol int start int")

    ``?`` in front marks one that may be left out (True).
    """

    def __init__(self, declaration: str) -> None:
        kinds = declaration.split()
        self._most = len(kinds)
        self._least = sum(not kind.startswith("?") for kind in kinds)
        names = [kind.removeprefix("?") for kind in kinds]
        self._numbers = tuple(
            (at, NUMBERS[kind]) for at, kind in enumerate(names) if kind in NUMBERS
        )
        self._symbols = tuple(at for at, kind in enumerate(names) if kind == "symbol")
        self._dates = tuple((at, *_DATES[kind]) for at, kind in enumerate(names) if kind in _DATES)

    def parse(self, args: Sequence[Any]) -> Parsed:
        """Raises `Refused`."""
        if not self._least <= len(args) <= self._most:
            raise Refused(INVALID)
        values = list(args) + [True] * (self._most - len(args))
        for at, convert in self._numbers:
            values[at] = convert(values[at], at + 1)
        for at in self._symbols:
            if (text := accepted_text(values[at], SYMBOL_LIMIT)) is None:
                raise Refused(INVALID)
            values[at] = text
        pending: Exception | None = None
        for at, garbage, scale in self._dates:
            seconds, late = date(values[at])
            values[at] = (seconds or garbage) * scale
            pending = pending or late
        return Parsed(tuple(values), pending)


class Named:
    """Arguments with names. Each has a kind and a default; unknown names are ignored.

    `unnamed` is how many may also come without a name, in the declared order.
    """

    def __init__(self, unnamed: int, **kinds: tuple[str, Any]) -> None:
        self._unnamed = unnamed
        self._kinds = tuple((name, NAMED[kind], default) for name, (kind, default) in kinds.items())

    def parse(self, args: Sequence[Any], keywords: Mapping[str, Any] | None) -> dict[str, Any]:
        """Raises `Refused`. A name that was not given has its default."""
        if len(args) > self._unnamed:
            raise Refused(_WRONG_NUMBER if self._unnamed else _UNNAMED)
        given = keywords or {}
        values: dict[str, Any] = {}
        for at, (name, convert, default) in enumerate(self._kinds):
            if at < len(args):
                values[name] = convert(args[at], f"Invalid {_ORDINALS[at]} unnamed argument")
            elif name in given:
                values[name] = convert(given[name], f'Invalid "{name}" argument')
            else:
                values[name] = default
        return values


INITIALIZE: Final = Named(
    1,
    path=("path", None),
    login=("u64", None),
    password=("credential", None),
    server=("credential", None),
    timeout=("u32", DEFAULT_TIMEOUT),
    portable=("truth", False),
)
LOGIN: Final = Named(
    3,
    login=("u64", None),
    password=("credential", ""),
    server=("credential", ""),
    timeout=("u32", DEFAULT_TIMEOUT),
)
SYMBOLS: Final = Named(1, group=("group", ""))
LISTED: Final = Named(0, ticket=("u64", None), symbol=("symbol", None), group=("group", None))
HISTORY: Final = Named(0, ticket=("u64", None), position=("u64", None), group=("group", None))
HISTORY_DATES: Final = Positional("date date")


_REQUEST_FIELDS: Final = tuple(
    (name, NAMED[kind], {"f64": 0.0, "w32": ""}.get(kind, 0))
    for name, kind in ((name, wire.REQUEST.kinds[name]) for name in wire.REQUEST.fields)
)


def trade_request(args: Sequence[Any], keywords: Mapping[str, Any] | None) -> tuple[Any, ...]:
    """The values of a `TradeRequest`: from one dict without a name, or from names; not both.

    Left-out keys are 0 or ''. Raises `Refused`. Even an empty ``**{}`` counts as names.
    """
    request: Mapping[str, Any]
    if keywords is not None:
        if args:
            raise Refused(_UNNAMED)
        request = keywords
    elif len(args) != 1:
        raise Refused(_WRONG_NUMBER)
    elif not isinstance(args[0], dict):
        raise Refused(INVALID)
    else:
        request = args[0]
    return tuple(
        convert(request[name], f'Invalid "{name}" argument') if name in request else default
        for name, convert, default in _REQUEST_FIELDS
    )
