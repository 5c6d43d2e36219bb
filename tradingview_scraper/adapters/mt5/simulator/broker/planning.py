"""What would a trade request do? The checks in their order, and the fill, with nothing done yet."""

from typing import NamedTuple

from tradingview_scraper.adapters.mt5.simulator.broker import checks
from tradingview_scraper.adapters.mt5.simulator.broker.account import Ledger
from tradingview_scraper.adapters.mt5.simulator.broker.liquidity import Liquidity
from tradingview_scraper.adapters.mt5.simulator.broker.matching import Effect, Fill, effect
from tradingview_scraper.adapters.mt5.simulator.broker.money import rounded
from tradingview_scraper.adapters.mt5.simulator.broker.orders import SIDES, new_order
from tradingview_scraper.adapters.mt5.simulator.broker.statement import Statement
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.schema import BrokerSpec
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    OrderFilling,
    OrderReason,
    OrderType,
    SymbolOrderMode,
    TradeRetcode,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    SymbolInfo,
    Tick,
    TradeOrder,
    TradePosition,
    TradeRequest,
)


class Plan(NamedTuple):
    """A market order that may be executed: its fill and what that does."""

    info: SymbolInfo
    tick: Tick
    fill: Fill
    before: TradePosition | None
    effect: Effect


def plan_deal(
    request: TradeRequest,
    reason: OrderReason,
    statement: Statement,
    broker: BrokerSpec,
    liquidity: Liquidity,
    *,
    live: bool,
) -> Plan | TradeRetcode:
    """The plan of a market order, or the code of its refusal.

    `live` False: sessions, prices and stops are not looked at, as ``order_check`` does.
    """
    ledger, market = statement.ledger, statement.market
    spec = market.spec(request.symbol)
    if spec is None:
        return TradeRetcode.INVALID
    info, tick = spec.info, market.quote(request.symbol)
    refusal = checks.account_refusal(spec, ledger.spec) or _fields_refusal(info, request)
    if refusal is not None:
        return refusal
    met = _position_met(request, ledger)
    if isinstance(met, TradeRetcode):
        return met
    fill = _fill(request, reason, info, tick, ledger, market.now_msc, broker)
    if ledger.is_hedging and met is not None:
        fill = fill._replace(order=fill.order._replace(position_id=met.identifier))
    # What is asked for must be allowed and paid for, however much of it there is to trade.
    whole = effect(fill, met)
    refusal = _opening_refusal(info, request, whole, ledger)
    if refusal is None and live:
        refusal = _live_refusal(info, request, fill, whole, met, tick, market)
    if refusal is None and adds(whole):
        refusal = money_refusal(statement, request.symbol, whole)
    if refusal is not None:
        return refusal
    if live:
        there = liquidity.available(info, fill.type, tick, fill.volume)
        if there < fill.volume and request.type_filling == OrderFilling.FOK:
            there = 0.0
        fill = fill._replace(volume=there)
    return Plan(info, tick, fill, met, effect(fill, met))


def plan_stops(
    request: TradeRequest, ledger: Ledger, market: Market, *, live: bool
) -> TradePosition | TradeRetcode:
    """The position with the stops that are asked for, or the code of the refusal.

    A netting account also finds it by its symbol alone.
    """
    spec = market.spec(request.symbol)
    if spec is None:
        return TradeRetcode.INVALID
    if request.position:
        position = ledger.by_ticket(request.position)
    elif ledger.is_hedging:
        return TradeRetcode.INVALID
    else:
        position = next(iter(ledger.in_symbol(request.symbol)), None)
    if position is None:
        return TradeRetcode.POSITION_CLOSED
    if position.symbol != request.symbol:
        return TradeRetcode.INVALID
    digits = spec.info.digits
    changed = position._replace(sl=round(request.sl, digits), tp=round(request.tp, digits))
    if (changed.sl, changed.tp) == (position.sl, position.tp):
        return TradeRetcode.NO_CHANGES
    if not live:
        return changed
    tick = market.quote(request.symbol)
    if not market.is_open(request.symbol):
        return TradeRetcode.MARKET_CLOSED
    if tick.bid <= 0.0 or tick.ask <= 0.0:
        return TradeRetcode.PRICE_OFF
    refusal = checks.freeze_refusal(spec.info, position, tick)
    if refusal is None:
        refusal = checks.stops_refusal(spec.info, position.type, request.sl, request.tp, tick)
    return changed if refusal is None else refusal


def positions_after(statement: Statement, symbol: str, result: Effect) -> list[TradePosition]:
    """The account's positions in a symbol once an effect has happened."""
    held = {position.identifier: position for position in statement.ledger.in_symbol(symbol)}
    held.pop(result.identifier, None)
    if result.position is not None:
        held[result.identifier] = result.position
    return list(held.values())


def _fields_refusal(info: SymbolInfo, request: TradeRequest) -> TradeRetcode | None:
    if request.type not in SIDES or not info.order_mode & SymbolOrderMode.MARKET:
        return TradeRetcode.INVALID_ORDER
    refusal = checks.filling_refusal(info, request.type_filling)
    return refusal or checks.volume_refusal(info, request.volume)


def _position_met(request: TradeRequest, ledger: Ledger) -> TradePosition | TradeRetcode | None:
    """The position that the deal falls on; None opens a new one."""
    named = ledger.by_ticket(request.position) if request.position else None
    if request.position and named is None:
        return TradeRetcode.POSITION_CLOSED
    if ledger.is_hedging:
        if named is None:
            return None
        oldest = min(p.identifier for p in ledger.in_symbol(named.symbol))
        refusal = checks.closing_refusal(request, named, ledger.orders.values())
        if refusal is None and ledger.spec.fifo_close and named.identifier != oldest:
            refusal = TradeRetcode.FIFO_CLOSE
        return refusal or named
    if named is not None and named.symbol != request.symbol:
        return TradeRetcode.INVALID
    return next(iter(ledger.in_symbol(request.symbol)), None)


def _fill(
    request: TradeRequest,
    reason: OrderReason,
    info: SymbolInfo,
    tick: Tick,
    ledger: Ledger,
    now_msc: int,
    broker: BrokerSpec,
) -> Fill:
    worse = broker.slippage_points * info.point
    quoted, price = (
        (tick.ask, tick.ask + worse)
        if request.type == OrderType.BUY
        else (tick.bid, tick.bid - worse)
    )
    price = round(price, info.digits)
    # Float noise of the request ends here: everything later is on the grid.
    volume = round(round(request.volume / info.volume_step) * info.volume_step, 8)
    order = new_order(
        ticket=ledger.tickets.order,
        msc=now_msc,
        symbol=request.symbol,
        type=request.type,
        volume=volume,
        price_open=round(request.price or quoted, info.digits),
        type_filling=request.type_filling,
        type_time=request.type_time,
        magic=request.magic,
        reason=int(reason),
        sl=round(request.sl, info.digits),
        tp=round(request.tp, info.digits),
        comment=request.comment[: broker.comment_limit],
    )
    return Fill(order, ledger.tickets.deal, now_msc, volume, price)


def _opening_refusal(
    info: SymbolInfo, request: TradeRequest, result: Effect, ledger: Ledger
) -> TradeRetcode | None:
    if not adds(result):
        return None
    refusal = checks.opening_refusal(info, request.type)
    held = ledger.in_symbol(info.name)
    if refusal is None and result.position is not None:
        others = [p for p in held if p.identifier != result.identifier]
        waiting = [order for order in ledger.orders.values() if order.symbol == info.name]
        refusal = checks.limit_refusal(info, request.type, result.position.volume, others, waiting)
    if refusal is None and result.identifier not in ledger.positions:
        refusal = _account_refusal(ledger, request.type, held)
    return refusal


def _account_refusal(ledger: Ledger, side: int, held: list[TradePosition]) -> TradeRetcode | None:
    """10040 and 10046: what the account does not let open."""
    spec = ledger.spec
    if 0 < spec.limit_positions <= len(ledger.positions):
        return TradeRetcode.LIMIT_POSITIONS
    if ledger.is_hedging and spec.hedge_prohibited and any(p.type != side for p in held):
        return TradeRetcode.HEDGE_PROHIBITED
    return None


def _live_refusal(
    info: SymbolInfo,
    request: TradeRequest,
    fill: Fill,
    result: Effect,
    met: TradePosition | None,
    tick: Tick,
    market: Market,
) -> TradeRetcode | None:
    if not market.is_open(info.name):
        return TradeRetcode.MARKET_CLOSED
    refusal = checks.price_refusal(info, request, tick, fill.price)
    if refusal is None and adds(result):
        refusal = checks.stops_refusal(info, request.type, request.sl, request.tp, tick)
    if refusal is None and met is not None and result.closed:
        refusal = checks.freeze_refusal(info, met, tick)
    return refusal


def money_refusal(
    statement: Statement, symbol: str, result: Effect, without: TradeOrder | None = None
) -> TradeRetcode | None:
    """10019 when the trade needs more margin than there is equity, 10021 without a conversion.

    `without`: the waiting order that is being filled holds no margin any more.
    """
    changed = positions_after(statement, symbol, result)
    margin = statement.margin(changed, symbol, without)
    before = statement.margin(without=without)
    if margin is None or before is None:
        return TradeRetcode.PRICE_OFF
    digits = statement.ledger.spec.currency_digits
    free = rounded(statement.account().equity - margin, digits)
    return TradeRetcode.NO_MONEY if free < 0.0 and margin > before else None


def adds(result: Effect) -> bool:
    """Whether the trade opens, adds to or turns a position."""
    return result.entry in (DealEntry.IN, DealEntry.INOUT)
