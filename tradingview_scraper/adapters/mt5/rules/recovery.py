"""Which client order id has a magic number been made of? Found by trying those it can have been.

A hash cannot be turned round, but Nautilus' default ids can be listed: a second, the tags of the
trader and of a strategy, a counter. Pure.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.rules.bracket_ids import StopIds, stop_ids
from tradingview_scraper.adapters.mt5.rules.identity import magic, shape_of, short_hash

#: Seconds before and after an order's setup at the server in which its id may have been made: an
#: order is sent when it was made, and clocks differ a little.
BEFORE_SECS: Final = 10
AFTER_SECS: Final = 5
#: Counters that are tried: orders that a strategy has made since its node started.
COUNTS: Final = range(1, 501)


class Recovered(NamedTuple):
    """A client order id, and the tag of the strategy in it."""

    client_order_id: str
    strategy_tag: str
    #: Those of its stops, if the number says that it is a bracket's entry.
    stops: StopIds | None = None


def default_id(utc_second: int, trader_tag: str, strategy_tag: str, count: int) -> str:
    """Nautilus' own id of an order that was made in this second, e.g.
    ``O-20260102-120000-001-000-1``.
    """
    made = datetime.fromtimestamp(utc_second, UTC)
    return f"O-{made:%Y%m%d-%H%M%S}-{trader_tag}-{strategy_tag}-{count}"


class IdSearch:
    """Finds the client order ids of magic numbers. Every second is hashed once, and kept."""

    def __init__(self, namespace: int, trader_tag: str, strategy_tags: Sequence[str]) -> None:
        self._namespace = namespace
        self._trader_tag = trader_tag
        self._strategy_tags = tuple(dict.fromkeys(strategy_tags))
        self._seconds: dict[int, dict[int, list[Recovered]]] = {}

    def find(self, number: int, setup_utc_second: int) -> Recovered | None:
        """The only id around this second that `number` can be of; None when none or several are."""
        shape = shape_of(number)
        found = [
            recovered
            for second in self.seconds_of(setup_utc_second)
            for recovered in self._hashes(second).get(short_hash(number), ())
            if magic(self._namespace, recovered.client_order_id, shape) == number
        ]
        if len(found) != 1 or shape is None:
            return found[0] if len(found) == 1 else None
        return found[0]._replace(stops=stop_ids(found[0].client_order_id, shape))

    @property
    def ids_per_second(self) -> int:
        """How many ids are hashed for a second that was not looked at before."""
        return len(self._strategy_tags) * len(COUNTS)

    def unseen(self, setup_utc_second: int) -> int:
        """How many seconds `find` would have to hash."""
        return sum(second not in self._seconds for second in self.seconds_of(setup_utc_second))

    @staticmethod
    def seconds_of(setup_utc_second: int) -> range:
        """The seconds in which the id of an order may have been made."""
        return range(setup_utc_second - BEFORE_SECS, setup_utc_second + AFTER_SECS + 1)

    def _hashes(self, second: int) -> dict[int, list[Recovered]]:
        known = self._seconds.get(second)
        if known is None:
            known = self._seconds[second] = {}
            for tag in self._strategy_tags:
                first = default_id(second, self._trader_tag, tag, COUNTS.start)
                stem = first.removesuffix(str(COUNTS.start))
                for count in COUNTS:
                    text = f"{stem}{count}"
                    number = magic(self._namespace, text)
                    known.setdefault(short_hash(number), []).append(Recovered(text, tag))
        return known
