"""Which margin does the terminal itself take for its symbols?"""

import asyncio
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from tradingview_scraper.adapters.mt5.client.calls import Calls
from tradingview_scraper.adapters.mt5.rules.margin import MarginProbe, measured_rate
from tradingview_scraper.adapters.mt5.terminal.constants import OrderType
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError

#: Symbols whose questions are on their way at once.
_AT_ONCE: Final = 32


async def measured_rates(
    client: Calls, probes: Iterable[tuple[str, MarginProbe]]
) -> dict[str, Decimal]:
    """Margin as a fraction of the notional value by symbol, the dearer of the two sides.

    Three questions a symbol, on the history lane. The value of a volume is the profit that it
    makes when its price doubles, so both answers are in the account's currency. A symbol that the
    terminal does not answer for is left out. Raises `MT5Error` when the terminal does not answer
    at all.
    """
    rates: dict[str, Decimal] = {}
    waiting = list(probes)
    for first in range(0, len(waiting), _AT_ONCE):
        batch = waiting[first : first + _AT_ONCE]
        answers = await asyncio.gather(*(_rate(client, symbol, what) for symbol, what in batch))
        for (symbol, _), rate in zip(batch, answers, strict=True):
            if rate is not None:
                rates[symbol] = rate
    return rates


async def _rate(client: Calls, symbol: str, what: MarginProbe) -> Decimal | None:
    lots, price = what
    answers: Sequence[float | BaseException] = await asyncio.gather(
        client.order_calc_profit(OrderType.BUY, symbol, lots, price, 2 * price),
        client.order_calc_margin(OrderType.BUY, symbol, lots, price),
        client.order_calc_margin(OrderType.SELL, symbol, lots, price),
        return_exceptions=True,
    )
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, MT5CallError):
            raise answer
    worth, *margins = [answer for answer in answers if not isinstance(answer, BaseException)] or [0]
    if len(margins) < 2:
        return None
    return measured_rate(max(margins), worth)
