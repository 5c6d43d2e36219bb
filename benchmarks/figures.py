"""How is a figure measured, and written down? Alone, with its unit and the limit it has to keep."""

import importlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
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


def alone(name: str) -> list[Figure]:
    """The figures of a benchmark, in a process of its own: none pays for what another has left."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as pool:
        return pool.submit(measured, name).result()


def measured(name: str) -> list[Figure]:
    """The figures of a benchmark, here."""
    figures: list[Figure] = importlib.import_module(f"benchmarks.{name}").run()
    return figures
