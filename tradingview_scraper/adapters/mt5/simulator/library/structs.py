"""What types do answers have? CPython's struct sequences, like those of the library.

They are tuples with named fields, ``_asdict()`` and a bare name, and cannot be pickled [recorded].
"""

import ctypes
import warnings
from typing import Any, Final

from tradingview_scraper.adapters.mt5.terminal.records import RECORDS


class _Field(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("doc", ctypes.c_char_p))


class _Description(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("doc", ctypes.c_char_p),
        ("fields", ctypes.POINTER(_Field)),
        ("in_sequence", ctypes.c_int),
    )


#: CPython keeps pointers to the names for as long as the types live.
_descriptions: Final[list[_Description]] = []

_new_type = ctypes.pythonapi.PyStructSequence_NewType
_new_type.restype = ctypes.py_object
_new_type.argtypes = (ctypes.POINTER(_Description),)


def _struct(name: str, fields: tuple[str, ...]) -> Any:
    table = (_Field * (len(fields) + 1))(*(_Field(field.encode(), None) for field in fields))
    description = _Description(name.encode(), None, table, len(fields))
    _descriptions.append(description)
    with warnings.catch_warnings():
        # A name without a module is what the library's structs have, and CPython frowns on it.
        warnings.simplefilter("ignore", DeprecationWarning)
        kind = _new_type(description)

    def _asdict(self: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(fields, self, strict=True))

    kind.__module__ = "builtins"
    kind._asdict = _asdict
    return kind


#: The library's struct types by name; ``STRUCTS["Tick"](sequence)`` makes one.
STRUCTS: Final[dict[str, Any]] = {
    name: _struct(name, record._fields)  # type: ignore[attr-defined]
    for name, record in RECORDS.items()
}
