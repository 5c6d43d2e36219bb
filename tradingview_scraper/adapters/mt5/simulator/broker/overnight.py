"""What does midnight do to positions? Their swaps, and the stops that last a day."""

from typing import Final

from tradingview_scraper.adapters.mt5.simulator.broker.account import Change, Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.money import rounded
from tradingview_scraper.adapters.mt5.simulator.broker.valuation import Valuation
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DayOfWeek,
    PositionType,
    SymbolOrders,
    SymbolSwapMode,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo, TradePosition

#: Days of a year that interest is counted with [vendor].
_YEAR: Final = 360


def nights(info: SymbolInfo, day: int) -> int:
    """How many swaps the night after a server day (days since 1970-01-01) costs.

    One on weekdays, three on `swap_rollover3days`, none after Saturday and Sunday. A symbol whose
    triple day is no day of the week is charged every night [recorded: 24/7 symbols with a 7].
    """
    # 1970-01-01 was a Thursday, and the terminal's week begins on Sunday.
    weekday = (day + DayOfWeek.THURSDAY) % 7
    if info.swap_rollover3days not in tuple(DayOfWeek):
        return 1
    if weekday == info.swap_rollover3days:
        return 3
    return 0 if weekday in (DayOfWeek.SATURDAY, DayOfWeek.SUNDAY) else 1


def swap_of_night(info: SymbolInfo, position: TradePosition) -> tuple[float, str | None]:
    """One night's swap and its currency, None for the account's; `price_current` must be live.

    The modes that close and reopen positions charge nothing here [decision].
    """
    bought = position.type == PositionType.BUY
    rate = info.swap_long if bought else info.swap_short
    lots = position.volume
    size = info.trade_contract_size * lots
    match info.swap_mode:
        case SymbolSwapMode.POINTS:
            value = info.trade_tick_value / info.trade_tick_size * info.point
            return rate * value * lots, info.currency_profit
        case SymbolSwapMode.CURRENCY_SYMBOL:
            return rate * lots, info.currency_base
        case SymbolSwapMode.CURRENCY_MARGIN:
            return rate * lots, info.currency_margin
        case SymbolSwapMode.CURRENCY_DEPOSIT:
            return rate * lots, None
        case SymbolSwapMode.INTEREST_CURRENT:
            return size * position.price_current * rate / 100 / _YEAR, info.currency_profit
        case SymbolSwapMode.INTEREST_OPEN:
            return size * position.price_open * rate / 100 / _YEAR, info.currency_profit
    return 0.0, None


def turn_of_day(ledger: Ledger, market: Market, day: int) -> list[Change]:
    """What the end of a server day (days since 1970-01-01) changes in an account's positions.

    A swap without a price to change it at is not charged [decision]. Symbols whose
    `order_gtc_mode` is DAILY lose their positions' stops as well [vendor].
    """
    positions = list(ledger.positions.values())
    changed = [_overnight(ledger, market, position, day) for position in positions]
    return [
        Change(position=after)
        for before, after in zip(positions, changed, strict=True)
        if after != before
    ]


def _overnight(ledger: Ledger, market: Market, held: TradePosition, day: int) -> TradePosition:
    spec = market.spec(held.symbol)
    if spec is None:
        return held
    account = ledger.spec
    live = Valuation(account, market).live(held)
    amount, currency = swap_of_night(spec.info, live)
    amount *= nights(spec.info, day)
    side: Final = "profit" if amount > 0.0 else "loss"
    money = market.convert(amount, currency or account.currency, account.currency, side)
    swap = held.swap + rounded(money or 0.0, account.currency_digits)
    held = held._replace(swap=rounded(swap, account.currency_digits))
    if spec.info.order_gtc_mode == SymbolOrders.DAILY:
        held = held._replace(sl=0.0, tp=0.0)
    return held
