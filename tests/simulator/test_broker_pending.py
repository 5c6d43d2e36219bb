"""Pending orders: placed, triggered, changed, removed and expired, on hedging and netting."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tradingview_scraper.adapters.mt5.simulator.broker.broker import SendAnswer
from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    DealReason,
    DealType,
    OrderFilling,
    OrderReason,
    OrderState,
    OrderTime,
    OrderType,
    TradeAction,
    TradeRetcode,
)

DONE = TradeRetcode.DONE
DAY = 86_400
#: Server seconds at which a desk begins: Wednesday 2025-03-12 15:00, New York + 7 h in summer.
START = 1_741_791_600
MIDNIGHT = START // DAY * DAY + DAY


@pytest.fixture(params=["hedging", "netting"])
def desk(open_desk: Callable[..., Any], request: Any) -> Any:
    """10,000 USD at 1:100, EURUSD at 1.10000/1.10010, on both kinds of account."""
    desk = open_desk(account={"balance": 10_000.0, "margin_mode": request.param})
    desk.tick("EURUSD", 1.10000, 1.10010)
    return desk


def quoted(open_desk: Callable[..., Any], **overrides: Any) -> Any:
    """A desk with one symbol, EURUSD at 1.10000/1.10010."""
    account = overrides.pop("account", {})
    broker = overrides.pop("broker", {})
    symbols = [{"name": "EURUSD", **overrides}]
    desk = open_desk(symbols=symbols, account={"balance": 10_000.0, **account}, broker=broker)
    desk.tick("EURUSD", 1.10000, 1.10010)
    return desk


def place(desk: Any, type: OrderType, price: float, volume: float = 0.01, **fields: Any) -> Any:
    asked = {
        "action": int(TradeAction.PENDING),
        "symbol": "EURUSD",
        "type": int(type),
        "volume": volume,
        "price": price,
        "type_filling": int(OrderFilling.RETURN),
        **fields,
    }
    return desk.send(**asked)


def change(desk: Any, ticket: int, price: float, **fields: Any) -> Any:
    return desk.send(action=int(TradeAction.MODIFY), order=ticket, price=price, **fields)


def remove(desk: Any, ticket: int) -> Any:
    return desk.send(action=int(TradeAction.REMOVE), order=ticket)


def deals(desk: Any) -> list[Any]:
    found = desk.broker.history_deals(0, desk.market.now_msc // 1000)
    return [deal for deal in found if deal.type < DealType.BALANCE]


def done(desk: Any, ticket: int) -> Any:
    """The order in history; it is there once and active no more."""
    assert ticket not in [order.ticket for order in desk.broker.orders()]
    found = [order for order in desk.broker.truth()["history"] if order["ticket"] == ticket]
    assert len(found) == 1
    return desk.broker.history_order(ticket)


def test_placed_order_waits_with_its_fields(desk: Any) -> None:
    answer = place(
        desk, OrderType.BUY_LIMIT, 1.09500, 0.02, sl=1.09, tp=1.11, magic=7, comment="dip"
    )
    assert answer._replace(request_id=0) == SendAnswer(
        DONE, order=answer.order, volume=0.02, comment="Request executed"
    )
    (order,) = desk.broker.orders()
    assert (order.ticket, order.type, order.state) == (answer.order, 2, OrderState.PLACED)
    assert (order.volume_initial, order.volume_current, order.price_open) == (0.02, 0.02, 1.095)
    assert (order.sl, order.tp, order.magic, order.comment) == (1.09, 1.11, 7, "dip")
    # What it would be filled at.
    assert (order.price_current, order.reason) == (1.10010, OrderReason.EXPERT)
    assert (order.time_setup, order.time_done, order.position_id) == (START, 0, 0)
    assert (order.time_expiration, order.type_time) == (0, OrderTime.GTC)
    assert desk.broker.account().margin == 0.0
    assert deals(desk) == [] and desk.broker.history_orders(0, START + DAY) == []


@pytest.mark.parametrize(
    ("type", "price", "short_of", "touching", "fill"),
    [
        (OrderType.BUY_LIMIT, 1.09500, (1.09491, 1.09501), (1.09490, 1.09500), 1.09500),
        (OrderType.BUY_LIMIT, 1.09500, (1.09491, 1.09501), (1.09400, 1.09410), 1.09410),
        (OrderType.SELL_LIMIT, 1.10500, (1.10499, 1.10509), (1.10500, 1.10510), 1.10500),
        (OrderType.SELL_LIMIT, 1.10500, (1.10499, 1.10509), (1.10600, 1.10610), 1.10600),
        (OrderType.BUY_STOP, 1.10500, (1.10489, 1.10499), (1.10490, 1.10500), 1.10500),
        (OrderType.BUY_STOP, 1.10500, (1.10489, 1.10499), (1.10600, 1.10610), 1.10610),
        (OrderType.SELL_STOP, 1.09500, (1.09501, 1.09511), (1.09500, 1.09510), 1.09500),
        (OrderType.SELL_STOP, 1.09500, (1.09501, 1.09511), (1.09400, 1.09410), 1.09400),
    ],
)
def test_order_is_filled_at_the_tick_that_touches(
    desk: Any,
    type: OrderType,
    price: float,
    short_of: tuple[float, float],
    touching: tuple[float, float],
    fill: float,
) -> None:
    placed = place(desk, type, price, 0.02, magic=7, comment="entry", sl=0.0)
    desk.advance(1)
    desk.tick("EURUSD", *short_of)
    assert len(desk.broker.orders()) == 1
    desk.advance(1)
    desk.tick("EURUSD", *touching)
    order = done(desk, placed.order)
    assert (order.state, order.type, order.position_id) == (4, type, placed.order)
    assert (order.price_open, order.price_current) == (price, fill)
    assert (order.volume_initial, order.volume_current) == (0.02, 0.0)
    assert (order.time_setup, order.time_done) == (START, START + 2)
    (deal,) = deals(desk)
    assert (deal.order, deal.position_id, deal.entry) == (placed.order, placed.order, DealEntry.IN)
    assert (deal.type, deal.price, deal.volume) == (type % 2, fill, 0.02)
    assert (deal.reason, deal.magic, deal.comment) == (DealReason.EXPERT, 7, "entry")
    assert deal.commission == -0.07
    (held,) = desk.broker.positions()
    assert (held.ticket, held.identifier, held.type) == (placed.order, placed.order, type % 2)
    assert (held.price_open, held.magic, held.comment) == (fill, 7, "entry")


def test_buy_limit_of_the_recording_is_filled_below_its_price(
    open_desk: Callable[..., Any],
) -> None:
    """Recorded: a buy limit at 0.97898 in history, with a current price of 0.97863."""
    desk = open_desk(account={"balance": 10_000.0})
    desk.tick("USDCHF", 0.97990, 0.98000)
    placed = place(desk, OrderType.BUY_LIMIT, 0.97898, symbol="USDCHF")
    desk.advance(1)
    desk.tick("USDCHF", 0.97853, 0.97863)
    order = done(desk, placed.order)
    assert (order.type, order.state) == (OrderType.BUY_LIMIT, OrderState.FILLED)
    assert (order.price_open, order.price_current) == (0.97898, 0.97863)


def test_stops_go_with_the_order_to_the_position(desk: Any) -> None:
    place(desk, OrderType.BUY_STOP, 1.10500, sl=1.10000, tp=1.11000)
    desk.tick("EURUSD", 1.10490, 1.10500)
    (held,) = desk.broker.positions()
    assert (held.sl, held.tp) == (1.10000, 1.11000)
    desk.advance(1)
    desk.tick("EURUSD", 1.09990, 1.10000)
    assert desk.broker.positions() == []
    _, closed = deals(desk)
    assert (closed.reason, closed.price) == (DealReason.SL, 1.09990)
    # (1.09990 - 1.10500) * 1,000
    assert (closed.profit, closed.comment) == (-5.10, "[sl 1.10000]")


@pytest.mark.parametrize(
    ("type", "price", "limit", "activating", "filling", "fill"),
    [
        (OrderType.BUY_STOP_LIMIT, 1.105, 1.103, (1.1049, 1.105), (1.1028, 1.1029), 1.1029),
        (OrderType.SELL_STOP_LIMIT, 1.095, 1.097, (1.095, 1.0951), (1.0971, 1.0972), 1.0971),
    ],
)
def test_stop_limit_becomes_its_limit_under_the_same_ticket(
    desk: Any,
    type: OrderType,
    price: float,
    limit: float,
    activating: tuple[float, float],
    filling: tuple[float, float],
    fill: float,
) -> None:
    placed = place(desk, type, price, stoplimit=limit)
    assert placed.retcode == DONE
    (order,) = desk.broker.orders()
    assert (order.type, order.price_open, order.price_stoplimit) == (type, price, limit)
    # The limit's price alone does nothing.
    desk.advance(1)
    desk.tick("EURUSD", *activating)
    (order,) = desk.broker.orders()
    assert (order.ticket, order.state) == (placed.order, OrderState.PLACED)
    assert (order.type, order.price_open) == (type - 4, limit)
    desk.advance(1)
    desk.tick("EURUSD", *filling)
    assert done(desk, placed.order).price_current == fill
    assert [deal.order for deal in deals(desk)] == [placed.order]


def test_netted_fill_reverses_and_hedged_fill_stands_beside(open_desk: Callable[..., Any]) -> None:
    for mode in ("netting", "hedging"):
        desk = quoted(open_desk, account={"margin_mode": mode})
        opened = desk.buy("EURUSD", 0.01)
        placed = place(desk, OrderType.SELL_LIMIT, 1.10500, 0.03)
        desk.tick("EURUSD", 1.10500, 1.10510)
        if mode == "netting":
            (held,) = desk.broker.positions()
            assert (held.identifier, held.ticket) == (opened.order, placed.order)
            assert (held.type, held.volume) == (1, 0.02)
            assert done(desk, placed.order).position_id == opened.order
            assert (deals(desk)[1].entry, deals(desk)[1].profit) == (DealEntry.INOUT, 4.90)
        else:
            assert [held.volume for held in desk.broker.positions()] == [0.01, 0.03]


def test_removed_order_goes_into_history_as_cancelled(desk: Any) -> None:
    placed = place(desk, OrderType.BUY_LIMIT, 1.09500)
    desk.advance(5)
    answer = remove(desk, placed.order)
    assert answer._replace(request_id=0) == SendAnswer(
        DONE, order=placed.order, comment="Request executed"
    )
    order = done(desk, placed.order)
    assert (order.state, order.volume_current, order.position_id) == (2, 0.01, 0)
    assert (order.time_setup, order.time_done) == (START, START + 5)
    desk.tick("EURUSD", 1.09, 1.0901)
    assert deals(desk) == []
    assert remove(desk, placed.order).retcode == TradeRetcode.INVALID
    assert change(desk, placed.order, 1.09).retcode == TradeRetcode.INVALID


def test_changing_keeps_what_cannot_change_and_removes_left_out_stops(desk: Any) -> None:
    placed = place(desk, OrderType.BUY_LIMIT, 1.09500, 0.02, sl=1.09, tp=1.11, magic=7)
    before = desk.broker.orders()[0]
    answer = change(desk, placed.order, 1.09600, sl=1.08, volume=5.0, magic=9, symbol="GBPUSD")
    assert (answer.retcode, answer.order, answer.deal) == (DONE, placed.order, 0)
    (order,) = desk.broker.orders()
    assert order == before._replace(price_open=1.09600, sl=1.08, tp=0.0)
    assert change(desk, placed.order, 1.09600).retcode == DONE
    assert desk.broker.orders()[0].sl == 0.0
    again = change(desk, placed.order, 1.09600)
    assert (again.retcode, again.order) == (TradeRetcode.NO_CHANGES, 0)


def test_changed_price_is_the_one_that_triggers(desk: Any) -> None:
    placed = place(desk, OrderType.BUY_LIMIT, 1.09500)
    change(desk, placed.order, 1.09000)
    desk.tick("EURUSD", 1.0940, 1.0941)
    assert len(desk.broker.orders()) == 1
    desk.tick("EURUSD", 1.0899, 1.0900)
    assert done(desk, placed.order).state == OrderState.FILLED


def test_change_is_measured_like_a_new_order(desk: Any) -> None:
    placed = place(desk, OrderType.BUY_LIMIT, 1.09500)
    for fields, code in (
        ({"price": 1.10020}, TradeRetcode.INVALID_PRICE),
        ({"price": 0.0}, TradeRetcode.INVALID_PRICE),
        ({"price": 1.09, "sl": 1.095}, TradeRetcode.INVALID_STOPS),
        (
            {"price": 1.09, "type_time": OrderTime.SPECIFIED, "expiration": START},
            TradeRetcode.INVALID_EXPIRATION,
        ),
    ):
        assert change(desk, placed.order, **fields).retcode == code
    assert desk.broker.orders()[0].price_open == 1.095


EXPIRATIONS = [
    # kind, what is asked, what the order shows, when it ends
    (OrderTime.DAY, 0, MIDNIGHT - DAY, MIDNIGHT),
    (OrderTime.SPECIFIED, START + 90, START + 90, START + 90),
    (OrderTime.SPECIFIED, START + 3 * DAY, START + 3 * DAY, START + 3 * DAY),
    (OrderTime.SPECIFIED_DAY, START + 60, START + 60, MIDNIGHT - 1),
    (OrderTime.SPECIFIED_DAY, START + DAY, START + DAY, MIDNIGHT + DAY - 1),
]


@pytest.mark.parametrize(("kind", "asked", "shown", "end"), EXPIRATIONS)
def test_order_expires_in_server_time(
    desk: Any, kind: OrderTime, asked: int, shown: int, end: int
) -> None:
    placed = place(desk, OrderType.BUY_LIMIT, 1.09, type_time=int(kind), expiration=asked)
    assert desk.broker.orders()[0].time_expiration == shown
    desk.advance(end - START - 1)
    assert len(desk.broker.orders()) == 1
    desk.advance(1)
    order = done(desk, placed.order)
    assert (order.state, order.time_done, order.time_done_msc) == (6, end, end * 1000)
    assert (order.volume_current, order.position_id) == (0.01, 0)


def test_good_till_cancelled_outlives_the_days(desk: Any) -> None:
    place(desk, OrderType.BUY_LIMIT, 1.09, expiration=START + 5)
    desk.advance(40 * DAY)
    assert len(desk.broker.orders()) == 1


def test_tick_before_the_end_fills_and_one_at_the_end_is_too_late(desk: Any) -> None:
    fields = {"type_time": int(OrderTime.SPECIFIED), "expiration": START + 10}
    first = place(desk, OrderType.BUY_LIMIT, 1.09500, **fields)
    second = place(desk, OrderType.BUY_LIMIT, 1.09400, **fields)
    desk.tick_at("EURUSD", START * 1000 + 9_999, 1.0948, 1.0949)
    desk.tick_at("EURUSD", START * 1000 + 10_000, 1.0938, 1.0939)
    desk.advance(3600)
    assert done(desk, first.order).state == OrderState.FILLED
    assert done(desk, second.order).state == OrderState.EXPIRED


@pytest.mark.parametrize(("gtc_mode", "keeps_stops"), [(1, False), (2, True)])
def test_daily_symbols_end_orders_and_stops_at_midnight(
    open_desk: Callable[..., Any], gtc_mode: int, keeps_stops: bool
) -> None:
    desk = quoted(open_desk, order_gtc_mode=gtc_mode, swap_mode=0)
    desk.buy("EURUSD", 0.01, sl=1.05, tp=1.15)
    placed = place(desk, OrderType.BUY_LIMIT, 1.09)
    desk.advance(MIDNIGHT - START)
    assert done(desk, placed.order).state == OrderState.EXPIRED
    (held,) = desk.broker.positions()
    assert (held.sl, held.tp) == ((1.05, 1.15) if keeps_stops else (0.0, 0.0))


@pytest.mark.parametrize(
    ("overrides", "fields", "code"),
    [
        ({}, {"symbol": "NOPE"}, TradeRetcode.INVALID),
        ({}, {"type": OrderType.BUY}, TradeRetcode.INVALID_ORDER),
        ({}, {"type": OrderType.CLOSE_BY}, TradeRetcode.INVALID_ORDER),
        ({"order_mode": 127 & ~2}, {}, TradeRetcode.INVALID_ORDER),
        (
            {"order_mode": 127 & ~4},
            {"type": OrderType.BUY_STOP, "price": 1.11},
            TradeRetcode.INVALID_ORDER,
        ),
        (
            {"order_mode": 127 & ~8},
            {"type": OrderType.BUY_STOP_LIMIT, "price": 1.11, "stoplimit": 1.1},
            TradeRetcode.INVALID_ORDER,
        ),
        ({"trade_mode": 0}, {}, TradeRetcode.TRADE_DISABLED),
        ({"trade_mode": 2}, {}, TradeRetcode.SHORT_ONLY),
        (
            {"trade_mode": 1},
            {"type": OrderType.SELL_LIMIT, "price": 1.11},
            TradeRetcode.LONG_ONLY,
        ),
        ({"trade_mode": 3}, {}, TradeRetcode.CLOSE_ONLY),
        ({}, {"volume": 0.015}, TradeRetcode.INVALID_VOLUME),
        ({}, {"type_filling": OrderFilling.IOC}, TradeRetcode.INVALID_FILL),
        ({}, {"type_filling": OrderFilling.FOK}, TradeRetcode.INVALID_FILL),
        ({"filling_mode": 7}, {"type_filling": OrderFilling.BOC}, TradeRetcode.INVALID_FILL),
        (
            {"trade_exemode": 3, "filling_mode": 2},
            {"type_filling": OrderFilling.FOK},
            TradeRetcode.INVALID_FILL,
        ),
        (
            {"trade_exemode": 3, "filling_mode": 7},
            {"type_filling": OrderFilling.BOC, "type": OrderType.BUY_STOP, "price": 1.11},
            TradeRetcode.INVALID_FILL,
        ),
        ({}, {"price": 0.0}, TradeRetcode.INVALID_PRICE),
        ({}, {"price": 1.095005}, TradeRetcode.INVALID_PRICE),
        ({}, {"price": 1.10011}, TradeRetcode.INVALID_PRICE),
        ({}, {"type": OrderType.SELL_LIMIT, "price": 1.09999}, TradeRetcode.INVALID_PRICE),
        ({}, {"type": OrderType.BUY_STOP, "price": 1.10009}, TradeRetcode.INVALID_PRICE),
        ({}, {"type": OrderType.SELL_STOP, "price": 1.10001}, TradeRetcode.INVALID_PRICE),
        (
            {},
            {"type": OrderType.BUY_STOP_LIMIT, "price": 1.105, "stoplimit": 1.106},
            TradeRetcode.INVALID_PRICE,
        ),
        (
            {},
            {"type": OrderType.SELL_STOP_LIMIT, "price": 1.095, "stoplimit": 1.094},
            TradeRetcode.INVALID_PRICE,
        ),
        ({}, {"type": OrderType.BUY_STOP_LIMIT, "price": 1.105}, TradeRetcode.INVALID_PRICE),
        ({"trade_stops_level": 20}, {"price": 1.09991}, TradeRetcode.INVALID_PRICE),
        (
            {"trade_stops_level": 20},
            {"type": OrderType.SELL_STOP, "price": 1.09981},
            TradeRetcode.INVALID_PRICE,
        ),
        ({}, {"sl": 1.09501}, TradeRetcode.INVALID_STOPS),
        ({}, {"tp": 1.09499}, TradeRetcode.INVALID_STOPS),
        ({"trade_stops_level": 20}, {"sl": 1.09481}, TradeRetcode.INVALID_STOPS),
        ({"order_mode": 127 & ~16}, {"sl": 1.09}, TradeRetcode.INVALID_STOPS),
        ({}, {"type_time": 4}, TradeRetcode.INVALID_EXPIRATION),
        ({"expiration_mode": 1}, {"type_time": OrderTime.DAY}, TradeRetcode.INVALID_EXPIRATION),
        (
            {},
            {"type_time": OrderTime.SPECIFIED, "expiration": START},
            TradeRetcode.INVALID_EXPIRATION,
        ),
        (
            {},
            {"type_time": OrderTime.SPECIFIED_DAY, "expiration": START - DAY},
            TradeRetcode.INVALID_EXPIRATION,
        ),
        ({"volume_limit": 0.05}, {"volume": 0.06}, TradeRetcode.LIMIT_VOLUME),
        ({"sessions": "Mon 00:00-24:00"}, {}, TradeRetcode.MARKET_CLOSED),
    ],
)
def test_server_refuses_a_pending_order(
    open_desk: Callable[..., Any],
    overrides: dict[str, Any],
    fields: dict[str, Any],
    code: TradeRetcode,
) -> None:
    desk = quoted(open_desk, **overrides)
    asked = {"type": OrderType.BUY_LIMIT, "price": 1.095, **fields}
    answer = place(desk, **asked)
    assert (answer.retcode, answer.order) == (code, 0)
    assert desk.broker.orders() == [] and desk.broker.truth()["history"] == []


@pytest.mark.parametrize(
    ("overrides", "fields"),
    [
        ({"trade_stops_level": 20}, {"price": 1.09990, "sl": 1.09970, "tp": 1.10010}),
        ({"trade_stops_level": 20}, {"type": OrderType.SELL_STOP, "price": 1.09980}),
        ({"trade_exemode": 3, "filling_mode": 7}, {"type_filling": OrderFilling.BOC}),
        ({"trade_exemode": 0, "filling_mode": 0}, {}),
        ({"volume_limit": 0.01}, {}),
        ({}, {"volume": 50.0}),
        ({}, {"type_time": OrderTime.SPECIFIED_DAY, "expiration": START - 60}),
    ],
)
def test_server_takes_a_pending_order(
    open_desk: Callable[..., Any], overrides: dict[str, Any], fields: dict[str, Any]
) -> None:
    desk = quoted(open_desk, **overrides)
    assert place(desk, **{"type": OrderType.BUY_LIMIT, "price": 1.095, **fields}).retcode == DONE
    assert len(desk.broker.orders()) == 1


def test_number_of_pending_orders_is_limited(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, account={"limit_orders": 2})
    for _ in range(2):
        assert place(desk, OrderType.BUY_LIMIT, 1.09).retcode == DONE
    third = place(desk, OrderType.BUY_LIMIT, 1.09)
    assert (third.retcode, third.order) == (TradeRetcode.LIMIT_ORDERS, 0)
    remove(desk, desk.broker.orders()[0].ticket)
    assert place(desk, OrderType.BUY_LIMIT, 1.09).retcode == DONE
    assert desk.buy("EURUSD", 0.01).retcode == DONE


def test_waiting_lots_count_for_the_volume_limit_of_their_direction(
    open_desk: Callable[..., Any],
) -> None:
    desk = quoted(open_desk, volume_limit=0.05)
    desk.buy("EURUSD", 0.02)
    assert place(desk, OrderType.BUY_STOP, 1.11, 0.02).retcode == DONE
    assert place(desk, OrderType.BUY_LIMIT, 1.09, 0.02).retcode == TradeRetcode.LIMIT_VOLUME
    assert place(desk, OrderType.SELL_LIMIT, 1.11, 0.05).retcode == DONE
    assert desk.buy("EURUSD", 0.02).retcode == TradeRetcode.LIMIT_VOLUME
    assert desk.buy("EURUSD", 0.01).retcode == DONE


def test_order_near_its_price_is_frozen(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, trade_freeze_level=30)
    placed = place(desk, OrderType.BUY_LIMIT, 1.09900)
    desk.tick("EURUSD", 1.09920, 1.09930)
    assert change(desk, placed.order, 1.09).retcode == TradeRetcode.FROZEN
    assert remove(desk, placed.order).retcode == TradeRetcode.FROZEN
    desk.tick("EURUSD", 1.09921, 1.09931)
    assert change(desk, placed.order, 1.09).retcode == DONE
    assert remove(desk, placed.order).retcode == DONE


def test_order_without_money_is_cancelled_when_it_is_activated(desk: Any) -> None:
    # 50 lots need 50,000 euros and more.
    placed = place(desk, OrderType.BUY_LIMIT, 1.09500, 50.0)
    assert placed.retcode == DONE
    desk.tick("EURUSD", 1.09490, 1.09500)
    assert done(desk, placed.order).state == OrderState.CANCELED
    assert deals(desk) == [] and desk.broker.positions() == []


def test_marketable_limit_at_an_exchange_is_filled_at_once(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, trade_exemode=3, filling_mode=7)
    answer = place(desk, OrderType.BUY_LIMIT, 1.10100)
    assert (answer.retcode, answer.deal) == (DONE, 0)
    assert done(desk, answer.order).price_current == 1.10010
    booked = place(desk, OrderType.BUY_LIMIT, 1.10100, type_filling=int(OrderFilling.BOC))
    assert done(desk, booked.order).state == OrderState.CANCELED
    at_once = place(desk, OrderType.BUY_LIMIT, 1.09, type_filling=int(OrderFilling.IOC))
    assert done(desk, at_once.order).state == OrderState.CANCELED
    assert len(deals(desk)) == 1


def test_pending_orders_hold_margin_on_exchange_accounts_only(
    open_desk: Callable[..., Any],
) -> None:
    for mode, margin in (("netting", 0.0), ("exchange", 10.95)):
        desk = quoted(open_desk, account={"margin_mode": mode})
        place(desk, OrderType.BUY_LIMIT, 1.09500)
        assert desk.broker.account().margin == margin
    assert place(desk, OrderType.BUY_LIMIT, 1.09500, 50.0).retcode == TradeRetcode.NO_MONEY
    desk.tick("EURUSD", 1.09490, 1.09500)
    assert desk.broker.account().margin == margin
    assert len(desk.broker.positions()) == 1


def test_check_looks_at_a_pending_order_without_placing_it(desk: Any) -> None:
    fields = {
        "action": int(TradeAction.PENDING),
        "symbol": "EURUSD",
        "type": int(OrderType.BUY_LIMIT),
        "volume": 0.01,
        "price": 1.095,
        "type_filling": int(OrderFilling.RETURN),
    }
    answer = desk.broker.check(desk.request(**fields))
    assert (answer.retcode, answer.comment, answer.margin) == (0, "Done", 0.0)
    assert desk.broker.check(desk.request(**{**fields, "volume": 0.0})).retcode == 10014
    assert desk.broker.orders() == []


def test_restart_brings_waiting_orders_back_and_fills_what_was_missed(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    desk = open_desk(books=tmp_path)
    desk.tick("EURUSD", 1.10000, 1.10010)
    kept = place(desk, OrderType.BUY_LIMIT, 1.09, sl=1.08)
    gone = place(
        desk,
        OrderType.SELL_LIMIT,
        1.2,
        type_time=int(OrderTime.SPECIFIED),
        expiration=START + 60,
    )
    remove(desk, place(desk, OrderType.BUY_STOP, 1.2).order)
    orders = [order._replace(price_current=0.0) for order in desk.broker.orders()]
    later = open_desk(books=tmp_path, clock={"mode": "stepped", "start": "2025-03-12T12:02:00Z"})
    assert [order.ticket for order in later.broker.orders()] == [kept.order]
    expired = done(later, gone.order)
    assert (expired.state, expired.time_done) == (OrderState.EXPIRED, START + 60)
    assert later.broker.orders()[0]._replace(price_current=0.0) == orders[0]
    later.tick("EURUSD", 1.0898, 1.0899)
    assert done(later, kept.order).state == OrderState.FILLED


def test_waiting_symbol_stays_in_market_watch(desk: Any) -> None:
    placed = place(desk, OrderType.BUY_LIMIT, 1.09)
    assert not desk.market.select("EURUSD", False)
    remove(desk, placed.order)
    assert desk.market.select("EURUSD", False)


def test_orders_of_one_tick_are_all_filled_the_older_first(desk: Any) -> None:
    tickets = [place(desk, OrderType.BUY_LIMIT, price).order for price in (1.09, 1.095, 1.092)]
    desk.tick("EURUSD", 1.08, 1.0801)
    assert [deal.order for deal in deals(desk)] == tickets
    assert desk.broker.orders() == []
