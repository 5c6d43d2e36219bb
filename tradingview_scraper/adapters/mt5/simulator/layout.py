"""How does a record lie in bytes? Fields in wire order, compiled once, for both ends.

Everything is little endian and packed. Kinds: ``u8`` (a flag), ``u32``, ``i32``, ``u64``, ``i64``,
``f64``, ``wN`` (N UTF-16 units, zero terminated), ``padN`` (N bytes that nobody reads), and, for
messages only, ``text`` (a ``u32`` count of UTF-16 units, then the units).
"""

import struct
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

_CODES: Final = {"u8": "?", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "f64": "d"}
_COUNT: Final = struct.Struct("<I")


class WireError(ValueError):
    """Bytes that are no such record or message: too short, too long, or not text."""


class Layout:
    """One record type on the wire.

    `declaration` lists ``name kind`` in wire order; the names are those of `record`, which may have
    one more (a result's own ``request`` never travels). `encode` takes, and `decode` gives, the
    values in the order of the *record's* fields. Raises `WireError` for bytes of another size.
    """

    def __init__(self, record: type[tuple[Any, ...]], declaration: str, *, size: int) -> None:
        wire: list[str] = []
        kinds: dict[str, str] = {}
        codes = "<"
        for item in declaration.split(","):
            *name, kind = item.split()
            if kind.startswith("pad"):
                codes += f"{int(kind[3:])}x"
                continue
            wire.append(name[0])
            kinds[name[0]] = kind
            codes += f"{2 * int(kind[1:])}s" if kind[0] == "w" else _CODES[kind]
        self.record = record
        self.fields: Final[tuple[str, ...]] = tuple(
            name
            for name in record._fields  # type: ignore[attr-defined]
            if name in kinds
        )
        self.kinds: Final = kinds
        self._struct: Final = struct.Struct(codes)
        self.size: Final = self._struct.size
        if self.size != size or sorted(self.fields) != sorted(wire):
            raise AssertionError(f"{record.__name__} must be {size} bytes, was {self.size}")
        self._to_wire: Final = _order([self.fields.index(name) for name in wire])
        self._to_record: Final = _order([wire.index(name) for name in self.fields])
        self._texts: Final = tuple(
            (at, int(kinds[name][1:]) - 1)
            for at, name in enumerate(self.fields)
            if kinds[name][0] == "w"
        )

    def encode(self, values: Sequence[Any]) -> bytes:
        """The record's bytes. Texts too long for their field are cut, always terminated."""
        if not self._texts:
            return self._struct.pack(*self._to_wire(values))
        items = list(values)
        for at, units in self._texts:
            items[at] = _cut(items[at].encode("utf-16-le", "surrogatepass"), units)
        return self._struct.pack(*self._to_wire(items))

    def decode(self, data: bytes | memoryview) -> tuple[Any, ...]:
        """The values in the order of the record's fields."""
        try:
            values = self._to_record(self._struct.unpack(data))
        except struct.error as error:
            raise WireError(f"{self.record.__name__}: {error}") from None
        if not self._texts:
            return values
        items = list(values)
        for at, _ in self._texts:
            items[at] = _until_zero(items[at])
        return tuple(items)

    def encode_many(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """``u32 count`` and the records."""
        return b"".join((_COUNT.pack(len(rows)), *map(self.encode, rows)))

    def decode_many(self, data: bytes | memoryview) -> list[tuple[Any, ...]]:
        """The records behind a ``u32 count``."""
        return [self.decode(data[at : at + self.size]) for at in self.offsets(data)]

    def offsets(self, data: bytes | memoryview) -> range:
        """Where each record of a counted list begins; `WireError` unless the size is exact."""
        if len(data) < _COUNT.size:
            raise WireError(f"expected a count, got {len(data)} bytes")
        end = _COUNT.size + _COUNT.unpack_from(data)[0] * self.size
        if end != len(data):
            raise WireError(f"{self.record.__name__}[] of {end} bytes expected, got {len(data)}")
        return range(_COUNT.size, end, self.size)


class Message:
    """A fixed sequence of values: a request's payload, or a short answer.

    >>> Message("text i32 i64 i32").encode("EURUSD", 1, 1704067200, 10)

    Raises `WireError` for bytes that are not exactly this sequence.
    """

    def __init__(self, declaration: str = "") -> None:
        self.kinds: Final = tuple(declaration.split())
        self._parts: Final[tuple[tuple[struct.Struct | None, int], ...]] = tuple(
            part
            for is_text, kinds in groupby(self.kinds, key="text".__eq__)
            for part in (
                [(None, 1)] * len(list(kinds))
                if is_text
                else [_numbers("".join(_CODES[kind] for kind in kinds))]
            )
        )

    def encode(self, *values: Any) -> bytes:
        """The message's bytes; `values` in the declared order."""
        chunks: list[bytes] = []
        at = 0
        for numbers, count in self._parts:
            if numbers is None:
                units = values[at].encode("utf-16-le", "surrogatepass")
                chunks += (_COUNT.pack(len(units) // 2), units)
            else:
                chunks.append(numbers.pack(*values[at : at + count]))
            at += count
        return b"".join(chunks)

    def decode(self, data: bytes | memoryview) -> tuple[Any, ...]:
        """The values in the declared order."""
        values: list[Any] = []
        at = 0
        try:
            for numbers, _ in self._parts:
                if numbers is None:
                    start = at + _COUNT.size
                    end = start + 2 * _COUNT.unpack_from(data, at)[0]
                    if end > len(data):
                        raise WireError(f"a text of {end - start} bytes is cut at {len(data)}")
                    values.append(str(data[start:end], "utf-16-le", "surrogatepass"))
                    at = end
                else:
                    values += numbers.unpack_from(data, at)
                    at += numbers.size
        except struct.error as error:
            raise WireError(f"expected {' '.join(self.kinds)}: {error}") from None
        if at != len(data):
            raise WireError(f"expected {' '.join(self.kinds) or 'nothing'}, got {len(data)} bytes")
        return tuple(values)


def _order(indexes: list[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    return tuple if indexes == sorted(indexes) else itemgetter(*indexes)


def _numbers(codes: str) -> tuple[struct.Struct, int]:
    return struct.Struct("<" + codes), len(codes)


def _cut(units: bytes, most: int) -> bytes:
    if len(units) <= 2 * most:
        return units
    half_pair = 0xD8 <= units[2 * most - 1] <= 0xDB
    return units[: 2 * (most - half_pair)]


def _until_zero(units: bytes) -> str:
    return units.decode("utf-16-le", "replace").partition("\0")[0]
