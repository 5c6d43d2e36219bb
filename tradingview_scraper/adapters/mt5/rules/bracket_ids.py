"""Which ids do the stops of a bracket have, when only the id of its entry is known?

Nautilus' order factory makes the default ids of a bracket one after the other: entry, stop loss,
take profit. A *shape* is one of the few ways in which ids can follow each other so: it is written
into the magic number of the entry, and the ids are read from it. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

#: An id in Nautilus' default format: until the second, what stands between, and the count.
_DEFAULT: Final = re.compile(r"O-(\d{8}-\d{6})(-.+-)([1-9]\d*)")
_MADE: Final = "%Y%m%d-%H%M%S"


class StopIds(NamedTuple):
    """The client order ids of a bracket's stops; empty where it has none of them."""

    sl: str
    tp: str
    #: How they cancel each other: "OUO" or "OCO"; empty for one alone.
    contingency: str


class _Step(NamedTuple):
    """How far the id of a stop is from that of its entry."""

    counts: int
    seconds: int


class _Shape(NamedTuple):
    sl: _Step | None
    tp: _Step | None
    contingency: str


def shape_for(entry_id: str, stops: StopIds) -> int | None:
    """The shape of these ids; None where they do not follow each other."""
    return next((n for n, ids in _ids(entry_id) if ids == stops), None)


def stop_ids(entry_id: str, shape: int) -> StopIds | None:
    """The ids of the stops of the entry with this shape; None for an id of another format."""
    return next((ids for n, ids in _ids(entry_id) if n == shape), None)


def _ids(entry_id: str) -> Iterator[tuple[int, StopIds]]:
    found = _DEFAULT.fullmatch(entry_id)
    if found is None:
        return
    stamp, between, count = found.groups()
    try:
        made = datetime.strptime(stamp, _MADE)
    except ValueError:
        return
    for number, shape in _SHAPES.items():
        sl, tp = (
            ""
            if step is None
            else f"O-{made + timedelta(seconds=step.seconds):{_MADE}}{between}"
            f"{int(count) + step.counts}"
            for step in (shape.sl, shape.tp)
        )
        yield number, StopIds(sl, tp, shape.contingency)


#: Never changed: orders at the venue carry them. A second may begin between two ids.
_SHAPES: Final[Mapping[int, _Shape]] = {
    0: _Shape(_Step(1, 0), _Step(2, 0), "OUO"),
    1: _Shape(_Step(1, 0), _Step(2, 1), "OUO"),
    2: _Shape(_Step(1, 1), _Step(2, 1), "OUO"),
    3: _Shape(_Step(1, 0), _Step(2, 0), "OCO"),
    4: _Shape(_Step(1, 0), _Step(2, 1), "OCO"),
    5: _Shape(_Step(1, 1), _Step(2, 1), "OCO"),
    6: _Shape(_Step(1, 0), None, ""),
    7: _Shape(_Step(1, 1), None, ""),
    8: _Shape(None, _Step(1, 0), ""),
    9: _Shape(None, _Step(1, 1), ""),
    # The factory's bracket without its stop loss.
    10: _Shape(None, _Step(2, 0), ""),
    11: _Shape(None, _Step(2, 1), ""),
}
