"""What is read of a market and of books, by command?"""

from collections.abc import Callable, Iterable
from typing import Any

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.broker.broker import Broker
from tradingview_scraper.adapters.mt5.simulator.layout import Layout
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.terminal.outside import is_outside
from tradingview_scraper.adapters.mt5.simulator.terminal.stale import StaleBooks
from tradingview_scraper.adapters.mt5.simulator.terminal.synchronising import Synchronising
from tradingview_scraper.adapters.mt5.simulator.wire import Command, Status
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.records import TradeRequest


class Denied(Exception):
    """The call fails with this status."""

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        self.status = status


def readers(
    market: Market,
    broker: Broker | StaleBooks,
    history: Synchronising,
    *,
    refuses_outside: bool,
) -> dict[int, Callable[..., bytes]]:
    """What answers each command that only reads: bodies of answers. They raise `Denied`.

    Market and books may be those of a broken link. With `refuses_outside` bars of a range without
    any fail, instead of being none.
    """

    def part(symbol: str, timeframe: int, rows: Rows | None) -> bytes:
        return _rows(history.part(market, symbol, timeframe, rows))

    def bars(command: Command, rows: Rows | None, *ask: Any) -> bytes:
        if (
            refuses_outside
            and rows is not None
            and not len(rows)
            and is_outside(market, command, *ask)
        ):
            rows = None
        return part(ask[0], ask[1], rows)

    return {
        Command.COPY_TICKS_FROM: lambda *ask: _rows(history.ticks_from(market, *ask)),
        Command.COPY_TICKS_RANGE: lambda *ask: part(ask[0], 0, market.ticks_range(*ask)),
        Command.COPY_RATES_FROM: lambda *ask: bars(
            Command.COPY_RATES_FROM, market.rates_from(*ask), *ask
        ),
        Command.COPY_RATES_RANGE: lambda *ask: bars(
            Command.COPY_RATES_RANGE, market.rates_range(*ask), *ask
        ),
        Command.COPY_RATES_FROM_POS: lambda *ask: bars(
            Command.COPY_RATES_FROM_POS, market.rates_from_pos(*ask), *ask
        ),
        Command.POSITIONS_TOTAL: lambda: _total(broker.positions()),
        Command.POSITIONS: lambda: wire.POSITION.encode_many(broker.positions()),
        Command.POSITIONS_OF_SYMBOL: lambda symbol: wire.POSITION.encode_many(
            [position for position in broker.positions() if position.symbol == symbol]
        ),
        Command.POSITION: lambda ticket: _one(
            wire.POSITION, _of_ticket(broker.positions(), ticket)
        ),
        Command.ORDERS_TOTAL: lambda: _total(broker.orders()),
        Command.ORDERS: lambda: wire.ORDER.encode_many(broker.orders()),
        Command.ORDERS_OF_SYMBOL: lambda symbol: wire.ORDER.encode_many(
            [order for order in broker.orders() if order.symbol == symbol]
        ),
        Command.ORDER: lambda ticket: _one(wire.ORDER, _of_ticket(broker.orders(), ticket)),
        Command.HISTORY_ORDERS_TOTAL: lambda *dates: _total(broker.history_orders(*dates)),
        Command.HISTORY_ORDERS: lambda *dates: wire.ORDER.encode_many(
            broker.history_orders(*dates)
        ),
        Command.HISTORY_ORDERS_OF_POSITION: lambda position: wire.ORDER.encode_many(
            broker.history_orders_of(position)
        ),
        Command.HISTORY_ORDER: lambda ticket: _one(wire.ORDER, broker.history_order(ticket)),
        Command.HISTORY_DEALS_TOTAL: lambda *dates: _total(broker.history_deals(*dates)),
        Command.HISTORY_DEALS: lambda *dates: wire.DEAL.encode_many(broker.history_deals(*dates)),
        Command.HISTORY_DEALS_OF_POSITION: lambda position: wire.DEAL.encode_many(
            broker.history_deals_of(position)
        ),
        Command.HISTORY_DEAL: lambda ticket: _one(wire.DEAL, broker.history_deal(ticket)),
        Command.ORDER_CHECK: lambda payload: wire.CHECK_RESULT.encode(
            broker.check(TradeRequest._make(wire.REQUEST.decode(payload)))
        ),
        Command.ORDER_CALC_MARGIN: lambda *ask: _money(broker.calc_margin(*ask)),
        Command.ORDER_CALC_PROFIT: lambda *ask: _money(broker.calc_profit(*ask)),
        Command.SYMBOL_INFO: lambda symbol: _one(wire.SYMBOL_INFO, market.info(symbol)),
        Command.SYMBOL_SELECT: lambda symbol, enable: _done(market.select(symbol, enable)),
        Command.SYMBOL_INFO_TICK: lambda symbol: _one(wire.TICK, market.tick(symbol)),
        Command.SYMBOLS_TOTAL: lambda: _total(market.names()),
        Command.SYMBOLS: lambda: wire.SYMBOL_INFO.encode_many(market.infos(None)),
        Command.SYMBOLS_OF_GROUP: lambda group: wire.SYMBOL_INFO.encode_many(market.infos(group)),
        Command.ACCOUNT_INFO: lambda: wire.ACCOUNT_INFO.encode(broker.account()),
        Command.MARKET_BOOK_ADD: lambda symbol: _done(market.book_add(symbol)),
        Command.MARKET_BOOK_RELEASE: lambda symbol: _done(market.book_release(symbol)),
        Command.MARKET_BOOK_GET: lambda symbol: _many(wire.BOOK, market.book(symbol)),
    }


def _rows(rows: Rows | None) -> bytes:
    if rows is None:
        raise Denied(Status.CALL_FAILED)
    return wire.encode_rows(rows)


def _total(items: list[Any]) -> bytes:
    return wire.TOTAL.encode(len(items))


def _one(layout: Layout, record: tuple[Any, ...] | None) -> bytes:
    if record is None:
        raise Denied(Status.NOT_FOUND)
    return layout.encode(record)


def _many(layout: Layout, records: tuple[tuple[Any, ...], ...] | None) -> bytes:
    if records is None:
        raise Denied(Status.NOT_FOUND)
    return layout.encode_many(records)


def _money(amount: float | None) -> bytes:
    if amount is None:
        raise Denied(Status.CALL_FAILED)
    return wire.MONEY.encode(amount)


def _done(success: bool) -> bytes:
    if not success:
        raise Denied(Status.NOT_FOUND)
    return b""


def _of_ticket(records: Iterable[Any], ticket: int) -> Any:
    return next((record for record in records if record.ticket == ticket), None)
