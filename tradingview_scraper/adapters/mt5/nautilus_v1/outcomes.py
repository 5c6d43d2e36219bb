"""What does the answer to a request say, in words?"""

from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.rules.retcodes import describe


def words_of(outcome: SendOutcome) -> str:
    """Why a request was refused, or its outcome is not known, in the venue's words."""
    if not outcome.sent:
        return f"NOT_SENT: {outcome.error}"
    if outcome.result is None:
        return str(outcome.error)
    words = outcome.result.comment
    return describe(outcome.result.retcode) + (f" ({words})" if words else "")
