"""Which of a broker's symbols may somebody have meant? Brokers add prefixes and suffixes."""

import difflib
import re
from collections.abc import Iterable
from typing import Final

_CLOSE: Final = 0.6
_NOT_PLAIN: Final = re.compile(r"[^A-Z0-9]")


def suggestions(name: str, known: Iterable[str], limit: int = 5) -> list[str]:
    """Symbols of `known` that `name` may stand for, the likeliest first.

    The same letters in another case or with other punctuation, then names that contain it or are
    contained in it (``EURUSD`` and ``EURUSD.a``), the shortest first, then close misspellings.
    """
    names = list(dict.fromkeys(known))
    wanted = _plain(name)
    plain = {symbol: _plain(symbol) for symbol in names}
    same = [symbol for symbol in names if plain[symbol] == wanted]
    wider = sorted(
        (symbol for symbol in names if wanted and wanted in plain[symbol]),
        key=lambda symbol: (len(symbol), symbol),
    )
    within = sorted(
        (symbol for symbol in names if len(plain[symbol]) > 2 and plain[symbol] in wanted),
        key=lambda symbol: (-len(symbol), symbol),
    )
    spelt = [
        symbol
        for close in difflib.get_close_matches(wanted, list(plain.values()), limit, _CLOSE)
        for symbol in names
        if plain[symbol] == close
    ]
    return list(dict.fromkeys((*same, *wider, *within, *spelt)))[:limit]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message: ``did you mean EURUSD.a, EURUSD.b?``, or where to look."""
    found = suggestions(name, known)
    if found:
        return f"did you mean {', '.join(found)}?"
    return "`mt5 instruments` lists what the broker has"


def _plain(name: str) -> str:
    return _NOT_PLAIN.sub("", name.upper())
