"""How does a Python function become a built-in one? Through CPython's own method definitions.

The library's functions are built in, and that shows: they tell ``f(request)`` from
``f(request, **{})``, refuse keywords with CPython's own words, and have a bare name. No Python
function can do that, but a built-in one can call Python: its C function is one of CPython's that
passes the call on to the object that the built-in function is bound to.
"""

import ctypes
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

#: The module's name as it stands in the texts of the library's TypeErrors [recorded].
MODULE: Final = "MetaTrader5._core"

_VARARGS: Final = 0x0001
_KEYWORDS: Final = 0x0002
_NOARGS: Final = 0x0004
_TP_DESCR_GET: Final = 54

_api: Final = ctypes.pythonapi


def without_arguments(name: str, body: Callable[[], Any], doc: str) -> Any:
    """A built-in function that takes no arguments."""
    return _builtin(name, body, doc, _NOARGS, _address(_api.PyObject_CallNoArgs))


def positional(name: str, body: Callable[..., Any], doc: str) -> Any:
    """A built-in function of positional arguments only; any number of them reaches `body`."""
    return _builtin(name, body, doc, _VARARGS, _address(_api.PyObject_CallObject))


def with_keywords(
    name: str, body: Callable[[tuple[Any, ...], Mapping[str, Any] | None], Any], doc: str
) -> Any:
    """A built-in function of any arguments: ``body(args, keywords)``.

    `keywords` is None when the call had none at all, and an empty dict after ``**{}``.
    """
    return _builtin(name, body, doc, _VARARGS | _KEYWORDS, _DESCRIPTOR_GET)


class _Body(ModuleType):
    """What a built-in function is bound to. A module, so that its name is shown bare."""

    __slots__ = ("body",)

    def __init__(self, body: Callable[..., Any]) -> None:
        super().__init__(MODULE)
        self.body = body

    def __call__(self, *args: Any) -> Any:
        return self.body(*args)

    def __get__(self, args: Any, keywords: Any = None) -> Any:
        # The slot behind this method is a C function of (self, args, keywords or NULL), exactly
        # what a built-in function with keywords needs; NULL arrives as None.
        return self.body(args, keywords)


class _MethodDef(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


#: CPython keeps pointers to these for as long as it lives.
_definitions: Final[list[_MethodDef]] = []

_new_function = _api.PyCFunction_NewEx
_new_function.restype = ctypes.py_object
_new_function.argtypes = (ctypes.c_void_p, ctypes.py_object, ctypes.py_object)
_get_slot = _api.PyType_GetSlot
_get_slot.restype = ctypes.c_void_p
_get_slot.argtypes = (ctypes.py_object, ctypes.c_int)
_DESCRIPTOR_GET: Final[int] = _get_slot(_Body, _TP_DESCR_GET)


def _builtin(name: str, body: Callable[..., Any], doc: str, flags: int, function: int) -> Any:
    definition = _MethodDef(name.encode(), function, flags, doc.encode())
    _definitions.append(definition)
    return _new_function(ctypes.addressof(definition), _Body(body), MODULE)


def _address(function: Any) -> int:
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return address
