"""What tests of brackets do: submit one, let the market come, look at the server."""

import numpy as np
import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType

from tests.nautilus_v1.conftest import instrument_id, one_stop
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    PositionType,
    TradeAction,
)
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = instrument_id("EURUSD")
STOP_ACCEPTED = ["Initialized", "Submitted", "Accepted"]
SLTP = {"action": int(TradeAction.SLTP), "symbol": "EURUSD"}
#: From the market, as the entry sees it.
AWAY = {OrderSide.BUY: 1, OrderSide.SELL: -1}


async def submit(
    rig,
    side=OrderSide.BUY,
    *,
    entry=None,
    units=10_000,
    legs="both",
    symbol="EURUSD",
    away=0.0050,
    **terms,
):
    """Entry at the market, or a limit that far from it, with stops `away`, or one of them."""
    instrument = rig.cache.instrument(instrument_id(symbol))
    quote = await rig.until(lambda: rig.cache.quote_tick(instrument.id))
    at = float(quote.ask_price if side == OrderSide.BUY else quote.bid_price)
    if entry is not None:
        at -= entry * AWAY[side]
        terms |= {"entry_order_type": OrderType.LIMIT, "entry_price": instrument.make_price(at)}
    orders = rig.strategy.order_factory.bracket(
        instrument.id,
        side,
        instrument.make_qty(units),
        sl_trigger_price=instrument.make_price(at - away * AWAY[side]),
        tp_price=instrument.make_price(at + away * AWAY[side]),
        **terms,
    )
    if legs != "both":
        orders = one_stop(orders, legs)
    rig.strategy.submit_order_list(orders)
    return orders.orders


async def accepted(rig, *orders):
    await rig.until(lambda: all(order.status == OrderStatus.ACCEPTED for order in orders))


async def opened(rig, side=OrderSide.BUY, **terms):
    """A bracket whose entry is filled."""
    entry, sl, tp = await submit(rig, side, **terms)
    await rig.done(entry)
    assert entry.status == OrderStatus.FILLED, entry.last_event
    await accepted(rig, sl, tp)
    await rig.until(lambda: rig.cache.positions_open())
    return entry, sl, tp


async def placed(rig):
    orders = await submit(rig, entry=0.0100)
    await accepted(rig, *orders)
    return orders


def push(terminal, bid, ask=None, *, symbol="EURUSD"):
    """One tick; the last price, where there is one, is the bid."""
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = bid, bid + 0.0001 if ask is None else ask
    if symbol != "EURUSD":
        rows["last"], rows["volume_real"] = bid, 1.0
    terminal.push_ticks(symbol, rows)


def come_to(terminal, price):
    """Let the market come to an order that buys at `price`."""
    push(terminal, float(price) - 0.0002, float(price) - 0.0001)


def close_by_hand(terminal, lots):
    """Close so much of the position."""
    held = position(terminal)
    terminal.trade_by_hand(
        action=int(TradeAction.DEAL),
        type_filling=int(OrderFilling.IOC),
        symbol=held["symbol"],
        type=int(held["type"] == PositionType.BUY),
        volume=lots,
        position=held["ticket"],
    )


def position(terminal):
    (found,) = terminal.books()["positions"]
    return found


def waiting(terminal):
    (found,) = terminal.books()["orders"]
    return found


def levels(record):
    return pytest.approx((record["sl"], record["tp"]))


def asked(sl, tp):
    return (
        float(sl.trigger_price) if sl is not None else 0.0,
        float(tp.price) if tp is not None else 0.0,
    )
