"""Does a request for bars lie outside of all the data that there is?"""

from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.wire import Command


def is_outside(market: Market, command: Command, symbol: str, timeframe: int, *ask: int) -> bool:
    """Whether no bar can be there: before the first one, or from after the last one on.

    `ask` is the rest of the request, which found nothing; a pause between bars is inside.
    """
    if command == Command.COPY_RATES_RANGE:
        start, end = ask
        newest = market.rates_from_pos(symbol, timeframe, 0, 1)
        before = market.rates_from(symbol, timeframe, end, 1)
        after = newest is None or not len(newest) or start > newest["time"][0]
        return start <= end and (after or before is None or not len(before))
    _, count = ask
    return count > 0
