"""What did the library answer to a call, and is that an answer? Failure is never emptiness."""

import importlib
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from tradingview_scraper.adapters.mt5.terminal.api import TerminalLibrary
from tradingview_scraper.adapters.mt5.terminal.constants import ResultCode
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo

#: Functions that say failure with False.
_FALSE_IS_FAILURE: Final = frozenset(
    {"initialize", "login", "shutdown", "symbol_select", "market_book_add", "market_book_release"}
)
#: Codes after which the library has no terminal any more, until ``initialize`` [recorded].
LINK_IS_GONE: Final = frozenset(
    {
        ResultCode.E_INTERNAL_FAIL_SEND,
        ResultCode.E_INTERNAL_FAIL_RECEIVE,
        ResultCode.E_INTERNAL_FAIL_CONNECT,
    }
)


class CallFailed(Exception):
    """A call failed; `code` and `text` are ``last_error`` directly after it."""

    def __init__(self, function: str, code: int, text: str) -> None:
        super().__init__(f"{function} failed: ({code}, {text!r})")
        self.function = function
        self.code = code
        self.text = text

    @property
    def link_is_gone(self) -> bool:
        return self.code in LINK_IS_GONE


class Reply(NamedTuple):
    """A call's return value, ``last_error`` directly after it, and the wall clock around it."""

    value: Any
    code: int
    text: str
    started_ns: int
    ended_ns: int


def load(module: str, search_path: Sequence[str]) -> TerminalLibrary:
    """The library's module. `ImportError` when it is not on this machine."""
    known = set(sys.path)
    sys.path.extend(entry for entry in search_path if entry not in known)
    return cast(TerminalLibrary, importlib.import_module(module))


def call(
    library: TerminalLibrary,
    function: str,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Reply:
    """Call a function once, and read ``last_error`` directly after it.

    Without keywords it is called without any: the library takes an empty keyword dict for
    keywords and refuses a request beside it [recorded].
    """
    callee = getattr(library, function)
    started = time.time_ns()
    value = callee(*args, **kwargs) if kwargs else callee(*args)
    ended = time.time_ns()
    code, text = library.last_error()
    return Reply(value, code, text, started, ended)


def is_failure(function: str, value: Any, code: int) -> bool:
    """Whether a return value is a failure: ``()`` and an empty array are answers."""
    if value is None or (value is False and function in (_FALSE_IS_FAILURE | {"symbols_get"})):
        return True
    if function == "version":
        return not value[0]
    return code < 0 and not isinstance(value, bool) and hasattr(value, "__len__") and not len(value)


def ask(library: TerminalLibrary, function: str, *args: Any, **kwargs: Any) -> Any:
    """Call a function and return its answer. Raises `CallFailed`."""
    callee = getattr(library, function)
    value = callee(*args, **kwargs) if kwargs else callee(*args)
    if value is None or value is False:
        raise CallFailed(function, *library.last_error())
    return value


def account_of(library: TerminalLibrary) -> AccountInfo:
    """The account that the terminal is on. `CallFailed` when it is on none."""
    account = AccountInfo._make(ask(library, "account_info"))
    if not account.login:
        raise CallFailed("account_info", int(ResultCode.E_AUTH_FAILED), "no account is logged in")
    return account
