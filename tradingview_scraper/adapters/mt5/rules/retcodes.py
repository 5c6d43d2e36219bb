"""What became of a trade request? Accepted, rejected, or unknown: by one table.

A request is *unknown* when the answer proves nothing: the code says that the server failed, timed
out or was out of reach, or it is none of the known ones. An unknown request is looked up, never
sent again and never called rejected.
"""

from enum import StrEnum
from typing import Final

from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction, TradeRetcode


class Outcome(StrEnum):
    """What an answer to a trade request proves."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"


def outcome(action: int, retcode: int) -> Outcome:
    """What the code `retcode` says of a request with `TradeAction` `action`.

    10025 (nothing to change) accepts MODIFY and SLTP: the order or position is as asked. 10036
    and 10039 (the position is closed, or being closed) *reject* a close: this request traded
    nothing, and the deals that did close the position arrive on their own. A code that is not in
    the table is UNKNOWN, 0 included (success for ``order_check`` only).
    """
    if retcode == TradeRetcode.NO_CHANGES and action in _KEEPS_AS_IT_IS:
        return Outcome.ACCEPTED
    return _TABLE[retcode][0] if retcode in _TABLE else Outcome.UNKNOWN


def describe(retcode: int) -> str:
    """``"10019 NO_MONEY: not enough money for the request"``."""
    if retcode not in _TABLE:
        return f"{retcode}: not a known code of a trade server"
    return f"{retcode} {TradeRetcode(retcode).name}: {_TABLE[retcode][1]}"


_KEEPS_AS_IT_IS: Final = frozenset({TradeAction.MODIFY, TradeAction.SLTP})

_YES: Final = Outcome.ACCEPTED
_NO: Final = Outcome.REJECTED
_WHO_KNOWS: Final = Outcome.UNKNOWN

_CODES: Final[tuple[tuple[TradeRetcode, Outcome, str], ...]] = (
    (TradeRetcode.REQUOTE, _NO, "the price has moved, a new one is offered"),
    (TradeRetcode.REJECT, _NO, "the dealer rejected the request"),
    (TradeRetcode.CANCEL, _NO, "the request was cancelled by the trader"),
    (TradeRetcode.PLACED, _YES, "the order is placed"),
    (TradeRetcode.DONE, _YES, "the request is done"),
    (TradeRetcode.DONE_PARTIAL, _YES, "the request is done in part"),
    (TradeRetcode.ERROR, _WHO_KNOWS, "the server failed while it processed the request"),
    (TradeRetcode.TIMEOUT, _WHO_KNOWS, "the server did not answer in time"),
    (TradeRetcode.INVALID, _NO, "the request is not valid"),
    (TradeRetcode.INVALID_VOLUME, _NO, "the volume is not valid for the symbol"),
    (TradeRetcode.INVALID_PRICE, _NO, "the price is not valid"),
    (TradeRetcode.INVALID_STOPS, _NO, "stop loss or take profit is not valid"),
    (TradeRetcode.TRADE_DISABLED, _NO, "trading is disabled"),
    (TradeRetcode.MARKET_CLOSED, _NO, "the market is closed"),
    (TradeRetcode.NO_MONEY, _NO, "not enough money for the request"),
    (TradeRetcode.PRICE_CHANGED, _NO, "the price has changed"),
    (TradeRetcode.PRICE_OFF, _NO, "there are no quotes to execute at"),
    (TradeRetcode.INVALID_EXPIRATION, _NO, "the expiration is not valid"),
    (TradeRetcode.ORDER_CHANGED, _NO, "the state of the order has changed"),
    (TradeRetcode.TOO_MANY_REQUESTS, _NO, "too many requests"),
    (TradeRetcode.NO_CHANGES, _NO, "the request changes nothing"),
    (TradeRetcode.SERVER_DISABLES_AT, _NO, "the server has disabled automated trading"),
    (TradeRetcode.CLIENT_DISABLES_AT, _NO, "automated trading is switched off in the terminal"),
    (TradeRetcode.LOCKED, _NO, "the request is locked for processing"),
    (TradeRetcode.FROZEN, _NO, "the order or position is frozen: too close to execution"),
    (TradeRetcode.INVALID_FILL, _NO, "the symbol does not take this filling"),
    (TradeRetcode.CONNECTION, _WHO_KNOWS, "the terminal has no connection to the trade server"),
    (TradeRetcode.ONLY_REAL, _NO, "allowed on real accounts only"),
    (TradeRetcode.LIMIT_ORDERS, _NO, "the limit of pending orders is reached"),
    (TradeRetcode.LIMIT_VOLUME, _NO, "the limit of volume for the symbol is reached"),
    (TradeRetcode.INVALID_ORDER, _NO, "the order type is wrong or not allowed"),
    (TradeRetcode.POSITION_CLOSED, _NO, "the position is closed already"),
    (TradeRetcode.INVALID_CLOSE_VOLUME, _NO, "the volume to close exceeds the position"),
    (TradeRetcode.CLOSE_ORDER_EXIST, _NO, "the position is being closed by another order"),
    (TradeRetcode.LIMIT_POSITIONS, _NO, "the limit of open positions is reached"),
    (TradeRetcode.REJECT_CANCEL, _NO, "the activation is rejected and the order cancelled"),
    (TradeRetcode.LONG_ONLY, _NO, "only long positions are allowed on the symbol"),
    (TradeRetcode.SHORT_ONLY, _NO, "only short positions are allowed on the symbol"),
    (TradeRetcode.CLOSE_ONLY, _NO, "positions of the symbol may only be closed"),
    (TradeRetcode.FIFO_CLOSE, _NO, "positions may only be closed in the order of opening"),
    (TradeRetcode.HEDGE_PROHIBITED, _NO, "opposite positions on one symbol are not allowed"),
)

_TABLE: Final = {int(code): (verdict, text) for code, verdict, text in _CODES}
