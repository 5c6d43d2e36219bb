"""How does the library take one value? Converters by kind, with what each refuses.

All rules are [recorded] from the real library. A refused value means -2 and a text (`Refused`), or,
where the C code leaves an exception pending, a SystemError whose cause is that exception. Numbers
are 32-bit where a Windows C ``long`` is.
"""

import math
import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

#: Most UTF-16 units that the library takes.
SYMBOL_LIMIT: Final = 29
GROUP_LIMIT: Final = 1997
CREDENTIAL_LIMIT: Final = 253
PATH_LIMIT: Final = 257

INVALID: Final = "Invalid arguments"

_INT_MIN: Final = -(2**31)
_INT_MAX: Final = 2**31 - 1


class Refused(Exception):
    """The library refuses the call: -2 with this text. `cause` would be left pending by C code."""

    def __init__(self, text: str, cause: Exception | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.cause = cause


def accepted_text(value: Any, limit: int) -> str | None:
    """The text as it is sent, cut at an embedded NUL; None when it is none or too long."""
    if not isinstance(value, str):
        return None
    if len(value) > limit or (
        not value.isascii() and len(value.encode("utf-16-le", "surrogatepass")) > 2 * limit
    ):
        return None
    return value.partition("\0")[0]


def _int(value: Any, at: int) -> int:
    try:
        number = operator.index(value)
    except TypeError as error:
        raise Refused(INVALID, error) from None
    if not _INT_MIN <= number <= _INT_MAX:
        raise Refused(INVALID, OverflowError("Python int too large to convert to C long"))
    return number


def _unsigned(value: Any, at: int) -> int:
    if not isinstance(value, int):
        wrong = f"argument {at} must be int, not {type(value).__name__}"
        raise Refused(INVALID, TypeError(wrong))
    return value & 0xFFFF_FFFF


def _float(value: Any, at: int) -> float:
    if not hasattr(value, "__float__") and not hasattr(value, "__index__"):
        wrong = f"must be real number, not {type(value).__name__}"
        raise Refused(INVALID, TypeError(wrong))
    return float(value)


def _flag(value: Any, at: int) -> bool:
    return bool(value)


def date(value: Any) -> tuple[int, Exception | None]:
    """Whole seconds as they are sent, and the exception that a too large int leaves pending.

    A naive datetime is local time. Dates from 2038-01-19 on arrive as the least 32-bit number.
    """
    if isinstance(value, int):
        if _INT_MIN <= value <= _INT_MAX:
            return int(value), None
        return -1, OverflowError("Python int too large to convert to C long")
    if isinstance(value, datetime):
        try:
            value = value.timestamp()
        except (OSError, OverflowError, ValueError) as error:
            raise Refused(INVALID, error) from None
    elif not isinstance(value, float):
        raise Refused(INVALID)
    if not math.isfinite(value) or not _INT_MIN <= math.trunc(value) <= _INT_MAX:
        return _INT_MIN, None
    return math.trunc(value), None


def _whole(bits: int, *, signed: bool = False) -> Callable[[Any, str], int]:
    top = 2 ** (bits - signed)
    negative = (
        "can't convert negative int to unsigned"
        if bits == 64
        else "can't convert negative value to unsigned int"
    )
    large = (
        "int too big to convert"
        if bits == 64
        else "Python int too large to convert to C unsigned long"
    )

    def convert(value: Any, refusal: str) -> int:
        if not isinstance(value, int):
            raise Refused(refusal)
        if value >= top or (signed and value < -top):
            raise Refused(refusal, OverflowError(large))
        if value < 0 and not signed:
            raise Refused(refusal, OverflowError(negative))
        return int(value)

    return convert


def _text(limit: int) -> Callable[[Any, str], str]:
    def convert(value: Any, refusal: str) -> str:
        if (text := accepted_text(value, limit)) is None:
            raise Refused(refusal)
        return text

    return convert


def _price(value: Any, refusal: str) -> float:
    if not isinstance(value, float):
        raise Refused(refusal)
    return float(value)


def _truth(value: Any, refusal: str) -> bool:
    return bool(value)


#: Positional numbers: ``convert(value, its place from 1)``.
NUMBERS: Final[dict[str, Callable[[Any, int], Any]]] = {
    "int": _int,
    "unsigned": _unsigned,
    "float": _float,
    "flag": _flag,
}
#: Named ones: ``convert(value, text of the refusal)``.
NAMED: Final[dict[str, Callable[[Any, str], Any]]] = {
    "u32": _whole(32),
    "u64": _whole(64),
    "i64": _whole(64, signed=True),
    "f64": _price,
    "symbol": _text(SYMBOL_LIMIT),
    "w32": _text(SYMBOL_LIMIT),
    "group": _text(GROUP_LIMIT),
    "credential": _text(CREDENTIAL_LIMIT),
    "path": _text(PATH_LIMIT),
    "truth": _truth,
}
