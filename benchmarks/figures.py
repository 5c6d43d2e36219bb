"""How is a measured figure written down? With its unit and the limit it has to keep."""

from typing import NamedTuple


class Figure(NamedTuple):
    """One measured number. `limit` is the most (or, with `at_least`, the least) it may be."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """The limit is kept; True without a limit."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit
