"""How is a mapping written as TOML? Python's library only reads it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def to_toml(tables: Mapping[str, Any]) -> str:
    """A TOML document: one line per key, tables and lists inline. Raises TypeError for the rest."""
    return "".join(f"{_text(key)} = {_value(value)}\n" for key, value in tables.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        pairs = (f"{_text(key)} = {_value(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    raise TypeError(f"a scenario holds text, numbers, dates, lists and tables, not {value!r}")


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    plain = (char if char >= " " and char != "\x7f" else f"\\u{ord(char):04x}" for char in escaped)
    return f'"{"".join(plain)}"'
