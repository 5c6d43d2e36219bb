"""What does midnight do to positions? Their swaps, and the stops that last a day."""

from typing import Final

from tradingview_scraper.adapters.mt5.simulator.broker.account import Change, Ledger, Tickets
from tradingview_scraper.adapters.mt5.simulator.broker.matching import (
    Charges,
    Fill,
    closing_type,
    deal_of,
)
from tradingview_scraper.adapters.mt5.simulator.broker.money import rounded
from tradingview_scraper.adapters.mt5.simulator.broker.orders import filled, new_order
from tradingview_scraper.adapters.mt5.simulator.broker.valuation import Valuation
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.market.sessions import DAY_MSC
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DayOfWeek,
    DealEntry,
    DealReason,
    OrderFilling,
    OrderType,
    PositionType,
    SymbolOrders,
    SymbolSwapMode,
)
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo, TradePosition

_REOPENING: Final = (SymbolSwapMode.REOPEN_CURRENT, SymbolSwapMode.REOPEN_BID)

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

    The modes that close and reopen positions charge nothing here: see `turn_of_day`.
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
    `order_gtc_mode` is DAILY lose their positions' stops as well [vendor]. Positions of the modes
    that reopen are closed at the price of now and opened again at a price that is worse by the
    swap's points: the identifier stays, the ticket does not [vendor].
    """
    changes: list[Change] = []
    tickets = ledger.tickets
    for held in ledger.positions.values():
        after = _overnight(ledger, market, held, day)
        reopening = _reopened(ledger, market, after, day, tickets)
        if reopening:
            changes += reopening
            opened = reopening[-1]
            assert opened.order is not None and opened.deal is not None
            tickets = Tickets(
                ledger.next_ticket(opened.order.ticket), ledger.next_ticket(opened.deal.ticket)
            )
        elif after != held:
            changes.append(Change(position=after))
    return changes


def _reopened(
    ledger: Ledger, market: Market, held: TradePosition, day: int, tickets: Tickets
) -> list[Change]:
    """The two deals of a position that is closed and opened again; none when it is not."""
    spec = market.spec(held.symbol)
    if spec is None or spec.info.swap_mode not in _REOPENING:
        return []
    info, msc = spec.info, (day + 1) * DAY_MSC
    bought = held.type == PositionType.BUY
    rate = (info.swap_long if bought else info.swap_short) * nights(info, day)
    tick = market.quote(held.symbol)
    price = tick.bid if bought else tick.ask
    if not rate or tick.bid <= 0.0 or price <= 0.0:
        return []
    profit = Valuation(ledger.spec, market).profit(
        info, held.type, held.volume, held.price_open, price
    )
    if profit is None:
        return []
    base = tick.bid if info.swap_mode == SymbolSwapMode.REOPEN_BID else price
    again = round(base - rate * info.point if bought else base + rate * info.point, info.digits)
    changes = []
    for entry, kind, at, charges in (
        (DealEntry.OUT, closing_type(held), price, Charges(profit=profit, swap=held.swap)),
        (DealEntry.IN, OrderType(held.type), again, Charges()),
    ):
        order = new_order(
            ticket=tickets.order,
            msc=msc,
            symbol=held.symbol,
            type=int(kind),
            volume=held.volume,
            price_open=at,
            type_filling=int(OrderFilling.FOK),
            magic=held.magic,
            reason=int(DealReason.ROLLOVER),
        )
        fill = Fill(order, tickets.deal, msc, held.volume, at)
        changes.append(
            Change(
                order=filled(order, held.volume, at, held.identifier, msc, waits=False),
                deal=deal_of(fill, entry, held.identifier, charges),
            )
        )
        opened = tickets.order
        tickets = Tickets(ledger.next_ticket(tickets.order), ledger.next_ticket(tickets.deal))
    position = held._replace(
        ticket=opened,
        time=msc // 1000,
        time_msc=msc,
        time_update=msc // 1000,
        time_update_msc=msc,
        price_open=again,
        swap=0.0,
    )
    return [changes[0], changes[1]._replace(position=position)]


def _overnight(ledger: Ledger, market: Market, held: TradePosition, day: int) -> TradePosition:
    spec = market.spec(held.symbol)
    if spec is None:
        return held
    account = ledger.spec
    live = Valuation(account, market).live(held)
    amount, currency = swap_of_night(spec.info, live)
    amount *= nights(spec.info, day)
    side: Final = "profit" if amount > 0.0 else "loss"
    money = market.conversion.convert(amount, currency or account.currency, account.currency, side)
    swap = held.swap + rounded(money or 0.0, account.currency_digits)
    held = held._replace(swap=rounded(swap, account.currency_digits))
    if spec.info.order_gtc_mode == SymbolOrders.DAILY:
        held = held._replace(sl=0.0, tp=0.0)
    return held
