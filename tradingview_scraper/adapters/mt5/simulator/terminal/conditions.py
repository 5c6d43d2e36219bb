"""Which calls does a fault meet? Conditions on a function and its arguments, as data.

A function is named, or by a pattern (``"copy_*"``), or in a list of those; None is every function.
The arguments fulfil a table of conditions by name, all of them, or, with a list of tables, at least
one of the tables. A condition is

- a value: the argument equals it;
- a list: one of these conditions holds;
- a table of ``min``, ``max`` (both inclusive), ``like`` (a text pattern with ``*`` and ``?``,
  case-sensitive) and ``not`` (a condition): all of them hold.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from tradingview_scraper.adapters.mt5.simulator.terminal.functions import (
    FAULT_FUNCTIONS,
    argument_names,
)

_OPERATORS: Final = ("min", "max", "like", "not")


def functions_met(named: str | Iterable[str] | None) -> frozenset[str] | None:
    """The functions of that name or pattern, or of a list of those; None is every one.

    Raises ValueError for what names no function.
    """
    if named is None:
        return None
    met: set[str] = set()
    for pattern in [named] if isinstance(named, str) else named:
        found = {name for name in FAULT_FUNCTIONS if fnmatchcase(name, pattern)}
        if not found:
            raise ValueError(
                f"function must be one of {', '.join(sorted(FAULT_FUNCTIONS))}, was {pattern!r}"
            )
        met |= found
    return frozenset(met)


def alternatives(where: Any, functions: frozenset[str] | None) -> list[dict[str, Any]]:
    """The tables of which a call's arguments must fulfil one; empty: any arguments will do.

    Raises ValueError for a name that none of the `functions` has, and for what is no condition.
    """
    tables = [where] if isinstance(where, Mapping) else list(where or ())
    known = {name for one in functions or FAULT_FUNCTIONS for name in argument_names(one)}
    for table in tables:
        if not isinstance(table, Mapping):
            raise ValueError(f"where must be a table of arguments or a list of them, was {table!r}")
        for name, condition in table.items():
            if name not in known:
                raise ValueError(
                    f"where must name arguments ({', '.join(sorted(known)) or 'there are none'}), "
                    f"was {name!r}"
                )
            _check(name, condition)
    return [dict(table) for table in tables if table]


def fulfils(arguments: Mapping[str, Any], table: Mapping[str, Any]) -> bool:
    """Whether a call with these arguments fulfils all conditions of a table."""
    return all(
        name in arguments and _holds(condition, arguments[name])
        for name, condition in table.items()
    )


def _holds(condition: Any, value: Any) -> bool:
    if isinstance(condition, list | tuple):
        return any(_holds(one, value) for one in condition)
    if not isinstance(condition, Mapping):
        return bool(value == condition)
    return all(_holds_for(name, operand, value) for name, operand in condition.items())


def _holds_for(operator: str, operand: Any, value: Any) -> bool:
    match operator:
        case "min":
            return not isinstance(value, str) and bool(value >= operand)
        case "max":
            return not isinstance(value, str) and bool(value <= operand)
        case "like":
            return isinstance(value, str) and fnmatchcase(value, operand)
    return not _holds(operand, value)


def _check(name: str, condition: Any) -> None:
    if isinstance(condition, list | tuple):
        for one in condition:
            _check(name, one)
    if not isinstance(condition, Mapping):
        return
    for operator, operand in condition.items():
        wanted = str if operator == "like" else (int, float)
        fits = operator == "not" or (isinstance(operand, wanted) and not isinstance(operand, bool))
        if operator not in _OPERATORS or not fits:
            raise ValueError(
                f"where.{name} must have min and max (numbers), like (a pattern) or not (a "
                f"condition), was {operator} = {operand!r}"
            )
    if not condition:
        raise ValueError(f"where.{name} must say something, was an empty table")
    if "not" in condition:
        _check(name, condition["not"])
