"""How is a request handed over, and what does its answer say in words?"""

import asyncio
from collections.abc import Callable

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.rules.requests import Fields
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome, describe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error


def words_of(outcome: SendOutcome) -> str:
    """Why a request was refused, or its outcome is not known, in the venue's words."""
    if not outcome.sent:
        return f"NOT_SENT: {outcome.error}"
    if outcome.result is None:
        return str(outcome.error)
    words = outcome.result.comment
    return describe(outcome.result.retcode) + (f" ({words})" if words else "")


def hand_over(
    client: MT5Client,
    loop: asyncio.AbstractEventLoop,
    request: Fields,
    done: Callable[[SendOutcome], None],
) -> None:
    """Send a request; one that cannot be sent is answered at once, as rejected."""
    try:
        client.send(request, done, loop)
    except (MT5Error, ValueError) as error:
        refused = error if isinstance(error, MT5Error) else MT5Error(str(error))
        done(SendOutcome(Outcome.REJECTED, None, refused, request, False, 0, 0))
