"""What does the trade server answer? The fields of results, without the request."""

from typing import NamedTuple

from tradingview_scraper.adapters.mt5.simulator.broker.checks import COMMENTS
from tradingview_scraper.adapters.mt5.terminal.constants import TradeRetcode
from tradingview_scraper.adapters.mt5.terminal.records import Tick


class SendAnswer(NamedTuple):
    """Fields of `OrderSendResult` but `request`, which the library adds itself."""

    retcode: int
    deal: int = 0
    order: int = 0
    volume: float = 0.0
    price: float = 0.0
    bid: float = 0.0
    ask: float = 0.0
    comment: str = ""
    request_id: int = 0
    retcode_external: int = 0


class CheckAnswer(NamedTuple):
    """Fields of `OrderCheckResult` but `request`."""

    retcode: int
    balance: float = 0.0
    equity: float = 0.0
    profit: float = 0.0
    margin: float = 0.0
    margin_free: float = 0.0
    margin_level: float = 0.0
    comment: str = ""


def refused(code: TradeRetcode, bid: float = 0.0, ask: float = 0.0) -> SendAnswer:
    """A refusal: all numbers 0, but a requote brings the prices [recorded]."""
    return SendAnswer(int(code), bid=bid, ask=ask, comment=COMMENTS[code])


def accepted(
    code: TradeRetcode = TradeRetcode.DONE,
    *,
    deal: int = 0,
    order: int = 0,
    volume: float = 0.0,
    price: float = 0.0,
    tick: Tick | None = None,
) -> SendAnswer:
    """A request that was taken; the fields that its action fills [recorded]."""
    bid, ask = (0.0, 0.0) if tick is None else (tick.bid, tick.ask)
    return SendAnswer(int(code), deal, order, volume, price, bid, ask, COMMENTS[code])
