"""What did a worker's answer say? The library's records, or one of our errors."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from tradingview_scraper.adapters.mt5.client.pending import Settlement
from tradingview_scraper.adapters.mt5.client.results import Snapshot
from tradingview_scraper.adapters.mt5.terminal.constants import ResultCode
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5CallError,
    MT5ConnectionError,
    MT5Error,
    MT5IdentityError,
    MT5LaneLost,
    MT5LibraryMissing,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    BookInfo,
    OrderCheckResult,
    OrderSendResult,
    SymbolInfo,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
)
from tradingview_scraper.adapters.mt5.worker.frames import (
    Answer,
    Failed,
    FailureKind,
    value_decoder,
)

#: The name under which `TakeSnapshot` is answered.
SNAPSHOT: Final = "snapshot"

_SHAPES: Final[dict[str, Any]] = {
    "account_info": AccountInfo,
    "terminal_info": TerminalInfo,
    "version": tuple[int, int, str],
    "symbols_get": tuple[SymbolInfo, ...],
    "symbol_info": SymbolInfo,
    "symbol_info_tick": Tick,
    "market_book_get": tuple[BookInfo, ...],
    "orders_get": tuple[TradeOrder, ...],
    "positions_get": tuple[TradePosition, ...],
    "history_orders_get": tuple[TradeOrder, ...],
    "history_deals_get": tuple[TradeDeal, ...],
    "order_check": OrderCheckResult,
    "order_send": OrderSendResult,
    SNAPSHOT: Snapshot,
}
_DECODERS: Final[dict[str, Callable[[msgspec.Raw], Any]]] = {
    function: value_decoder(shape) for function, shape in _SHAPES.items()
}
_decode_any: Final = value_decoder(Any)

#: Codes with which the library refuses a request before it leaves [recorded].
_NEVER_LEFT: Final = frozenset(
    {
        ResultCode.E_INVALID_PARAMS,
        ResultCode.E_AUTO_TRADING_DISABLED,
        ResultCode.E_INTERNAL_FAIL_INIT,
        ResultCode.E_INTERNAL_FAIL_CONNECT,
    }
)
#: How the library begins the text of an error that the terminal sent [recorded].
_TERMINALS: Final = "Terminal:"
_REMEDY: Final = {
    ResultCode.E_INTERNAL_FAIL_INIT: "check the terminal's path, and that the terminal starts",
    ResultCode.E_INTERNAL_FAIL_TIMEOUT: "check that the terminal is connected to its broker",
    ResultCode.E_AUTH_FAILED: "check login, password and server",
}


def value_of(function: str, settlement: Settlement) -> Any:
    """What a call of `function` returned: records, rows, numbers. Raises why there is nothing.

    An answer that has another shape than the library's 5.0.6231 is an `MT5CallError`.
    """
    match settlement:
        case Answer():
            try:
                return _DECODERS.get(function, _decode_any)(settlement.value)
            except msgspec.MsgspecError as error:
                text = f"the answer has another shape than that of 5.0.6231: {error}"
                raise MT5CallError(function, settlement.code, text) from None
        case Failed():
            raise error_of(settlement)
        case MT5Error():
            raise settlement
        case _:
            raise TypeError(f"{function} is not answered by {type(settlement).__name__}")


def error_of(failed: Failed) -> MT5Error:
    """The error that a worker's failure is to the caller."""
    match failed.kind:
        case FailureKind.CALL:
            # The terminal can answer with the same codes [recorded]: then it had the request.
            is_terminals = failed.text.startswith(_TERMINALS)
            sent = is_terminals or failed.code not in _NEVER_LEFT
            return MT5CallError(failed.function, failed.code, failed.text, sent=sent)
        case FailureKind.RAISED:
            return MT5CallError(failed.function, failed.code, failed.text)
        case FailureKind.IDENTITY:
            return MT5IdentityError(failed.text)
        case FailureKind.MISSING:
            return MT5LibraryMissing(failed.text)
        case FailureKind.UNSENT:
            lost = MT5LaneLost(_unsent_text(failed), sent=False)
            lost.code, lost.text = failed.code, failed.text
            return lost
        case FailureKind.CONNECTION:
            remedy = next((text for code, text in _REMEDY.items() if code == failed.code), "")
            text = f"{failed.function} failed: ({failed.code}, {failed.text!r})"
            return MT5ConnectionError(
                f"{text}; {remedy}" if remedy else text, failed.code, failed.text
            )


def _unsent_text(failed: Failed) -> str:
    if not failed.function:
        return f"not sent: {failed.text}"
    return f"not sent: {failed.function} before it failed: ({failed.code}, {failed.text!r})"
