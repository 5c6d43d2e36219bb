"""What became of a trade request? The worker's word, or its absence, as a `SendOutcome`."""

from tradingview_scraper.adapters.mt5.client.answers import value_of
from tradingview_scraper.adapters.mt5.client.pending import Settlement
from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome, outcome
from tradingview_scraper.adapters.mt5.terminal.api import Request
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5CallError,
    MT5CallTimeout,
    MT5Error,
    MT5LaneLost,
)
from tradingview_scraper.adapters.mt5.terminal.records import OrderSendResult
from tradingview_scraper.adapters.mt5.worker.frames import Answer, Failed


def outcome_of(request: Request, settlement: Settlement) -> SendOutcome:
    """Accepted, rejected or unknown: a request is only rejected when that is certain."""
    times = (0, 0)
    if isinstance(settlement, Answer | Failed):
        times = settlement.started_ns, settlement.ended_ns
    try:
        result: OrderSendResult = value_of("order_send", settlement)
    except MT5Error as error:
        sent = _may_be_out(error)
        verdict = Outcome.UNKNOWN if sent else Outcome.REJECTED
        return SendOutcome(verdict, None, error, request, sent, *times)
    verdict = outcome(int(request["action"]), result.retcode)
    return SendOutcome(verdict, result, None, request, True, *times)


def _may_be_out(error: MT5Error) -> bool:
    if isinstance(error, MT5CallError | MT5LaneLost):
        return error.sent
    return isinstance(error, MT5CallTimeout)
