"""What does a client hand back besides the library's records?"""

from collections.abc import Mapping
from typing import NamedTuple

from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    OrderSendResult,
    TradeDeal,
    TradeOrder,
    TradePosition,
)


class SendOutcome(NamedTuple):
    """What became of a trade request.

    `outcome` is the whole truth about the request: ACCEPTED, REJECTED or UNKNOWN. `sent` is False
    when it certainly never reached the library or was refused inside it; the outcome is REJECTED
    then, and `error` says why. `started_ns` and `ended_ns` are the wall clock around the library
    call, in the worker; 0 when there was none, or its answer was lost.
    """

    outcome: Outcome
    result: OrderSendResult | None
    error: MT5Error | None
    request: Mapping[str, int | float | str]
    sent: bool
    started_ns: int
    ended_ns: int


class Snapshot(NamedTuple):
    """One consistent reading of an account: no deal and no order was done while it was read."""

    orders: tuple[TradeOrder, ...]
    history: tuple[TradeOrder, ...]
    deals: tuple[TradeDeal, ...]
    positions: tuple[TradePosition, ...]
    account: AccountInfo
