"""Which symbols does a ``group`` mean? The library's filter for orders, positions and history."""

import re
from functools import lru_cache


@lru_cache(maxsize=64)
def group_pattern(group: str) -> "GroupPattern":
    """The filter of `group`: names with ``*`` separated by commas, ``!`` excludes.

    A symbol is in the group when one name matches and no excluded one does, wherever they stand;
    letter case counts, spaces around names do not [recorded].
    """
    return GroupPattern(group)


class GroupPattern:
    """A compiled group; `matches` tells whether a symbol is in it."""

    def __init__(self, group: str) -> None:
        names = [name.strip() for name in group.split(",")]
        self._wanted = [_expression(name) for name in names if name and name[0] != "!"]
        self._unwanted = [_expression(name[1:].strip()) for name in names if name[:1] == "!"]

    def matches(self, symbol: str) -> bool:
        return any(name.fullmatch(symbol) for name in self._wanted) and not any(
            name.fullmatch(symbol) for name in self._unwanted
        )


def _expression(name: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in name.split("*")), re.DOTALL)
