"""What does a position cost overnight? Swaps, booked at the server's midnight.

Swaps do not depend on the class of an instrument but on `swap_mode`; interest counts 360 days a
year [vendor]. The modes that close and reopen a position charge nothing here [decision].
"""

from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.terminal.constants import SymbolSwapMode
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

_YEAR: Final = 360
_SUNDAY, _SATURDAY = 0, 6


class Swap(NamedTuple):
    """Money that a night gives (negative: takes); `currency` None is the account's."""

    amount: float
    currency: str | None


def nights(info: SymbolInfo, day: int) -> int:
    """How many nights the midnight after a server day (days since 1970-01-01) counts.

    Three on `swap_rollover3days`, none after Saturday and Sunday, one else. A symbol whose triple
    day is no day of the week is charged every night [recorded: 24/7 symbols with a 7].
    """
    weekday = (day + 4) % 7  # 1970-01-01 was a Thursday, and Sunday is 0.
    if not _SUNDAY <= info.swap_rollover3days <= _SATURDAY:
        return 1
    if weekday == info.swap_rollover3days:
        return 3
    return 0 if weekday in (_SUNDAY, _SATURDAY) else 1


def swap_of_night(
    info: SymbolInfo, *, is_long: bool, lots: float, opened_at: float, price: float
) -> Swap:
    """One night's swap of a position of `lots`; `price` is the current one.

    Points are worth a point of the contract in the profit currency: the symbol's own tick value is
    that of the day it was read, and of another currency.
    """
    rate = info.swap_long if is_long else info.swap_short
    size = info.trade_contract_size * lots
    match info.swap_mode:
        case SymbolSwapMode.POINTS:
            return Swap(rate * info.point * size, info.currency_profit)
        case SymbolSwapMode.CURRENCY_SYMBOL:
            return Swap(rate * lots, info.currency_base)
        case SymbolSwapMode.CURRENCY_MARGIN:
            return Swap(rate * lots, info.currency_margin)
        case SymbolSwapMode.CURRENCY_DEPOSIT:
            return Swap(rate * lots, None)
        case SymbolSwapMode.INTEREST_CURRENT:
            return Swap(size * price * rate / 100 / _YEAR, info.currency_profit)
        case SymbolSwapMode.INTEREST_OPEN:
            return Swap(size * opened_at * rate / 100 / _YEAR, info.currency_profit)
    return Swap(0.0, None)
