"""Two opposite positions closed by each other: one order, two deals, the profit in the first."""

from collections.abc import Callable
from typing import Any

import pytest

from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    DealType,
    OrderReason,
    OrderState,
    OrderType,
    TradeAction,
    TradeRetcode,
)

DONE = TradeRetcode.DONE


@pytest.fixture
def desk(open_desk: Callable[..., Any]) -> Any:
    """0.03 bought at 1.10010 and 0.01 sold at 1.10200 in EURUSD."""
    desk = open_desk(account={"balance": 10_000.0})
    desk.tick("EURUSD", 1.10000, 1.10010)
    desk.buy("EURUSD", 0.03, magic=1)
    desk.tick("EURUSD", 1.10200, 1.10210)
    desk.sell("EURUSD", 0.01, magic=2)
    return desk


def close_by(
    desk: Any, named: int, opposite: int, reason: OrderReason = OrderReason.EXPERT, **fields: Any
) -> Any:
    asked = {"position": named, "position_by": opposite, **fields}
    return desk.send(by=reason, action=int(TradeAction.CLOSE_BY), **asked)


def test_smaller_position_ends_and_the_larger_keeps_its_rest(desk: Any) -> None:
    bought, sold = desk.broker.positions()
    answer = close_by(desk, bought.ticket, sold.ticket, magic=7, comment="pair")
    assert (answer.retcode, answer.volume, answer.price) == (DONE, 0.01, 1.10200)
    (held,) = desk.broker.positions()
    assert (held.identifier, held.volume, held.price_open) == (bought.identifier, 0.02, 1.10010)
    first, second = desk.broker.truth()["deals"][-2:]
    assert (first["ticket"], first["order"]) == (answer.deal, answer.order)
    assert (first["entry"], first["type"], first["position_id"]) == (3, 1, bought.identifier)
    # (1.10200 - 1.10010) * 1,000
    assert (first["price"], first["volume"], first["profit"]) == (1.10200, 0.01, 1.90)
    assert (second["entry"], second["type"], second["position_id"]) == (3, 0, sold.identifier)
    assert (second["price"], second["volume"], second["profit"]) == (1.10010, 0.01, 0.0)
    assert second["order"] == answer.order and second["ticket"] > first["ticket"]
    assert {first["magic"], second["magic"]} == {7}
    order = desk.broker.history_order(answer.order)
    assert (order.type, order.state) == (OrderType.CLOSE_BY, OrderState.FILLED)
    assert (order.position_id, order.position_by_id) == (bought.identifier, sold.identifier)
    assert (order.volume_initial, order.volume_current, order.comment) == (0.01, 0.0, "pair")
    # 10,000 - 0.11 - 0.04 of opening, + 1.90, - 2 * 0.04
    assert desk.broker.account().balance == 10_001.67


def test_order_belongs_to_the_named_position_only(desk: Any) -> None:
    bought, sold = desk.broker.positions()
    answer = close_by(desk, sold.ticket, bought.ticket)
    assert (answer.price, answer.volume) == (1.10010, 0.01)
    broker = desk.broker
    assert answer.order in [o.ticket for o in broker.history_orders_of(sold.identifier)]
    assert answer.order not in [o.ticket for o in broker.history_orders_of(bought.identifier)]
    ended, reduced = broker.truth()["deals"][-2:]
    # The short is the first now: (1.10200 - 1.10010) * 1,000 as well.
    assert (ended["position_id"], ended["type"], ended["profit"]) == (sold.identifier, 0, 1.90)
    assert (reduced["position_id"], reduced["profit"]) == (bought.identifier, 0.0)
    assert [held.identifier for held in broker.positions()] == [bought.identifier]


def test_equal_positions_both_end(desk: Any) -> None:
    bought, _ = desk.broker.positions()
    desk.sell("EURUSD", 0.02, position=bought.ticket)
    bought, sold = desk.broker.positions()
    assert close_by(desk, bought.ticket, sold.ticket).retcode == DONE
    assert desk.broker.positions() == []
    entries = [deal["entry"] for deal in desk.broker.truth()["deals"]]
    assert entries[-2:] == [DealEntry.OUT_BY, DealEntry.OUT_BY]


def test_what_cannot_be_closed_by_each_other_is_refused(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(symbols=["EURUSD", {"like": "EURUSD", "name": "B", "order_mode": 63}])
    for symbol in ("EURUSD", "B"):
        desk.tick(symbol, 1.10000, 1.10010)
        desk.buy(symbol, 0.01)
        desk.buy(symbol, 0.01)
        desk.sell(symbol, 0.01)
    first, second, third, b_long, _, b_short = (p.ticket for p in desk.broker.positions())
    before = desk.broker.truth()
    for named, by, code in (
        (first, second, TradeRetcode.INVALID),
        (first, first, TradeRetcode.INVALID),
        (first, b_short, TradeRetcode.INVALID),
        (first, 999, TradeRetcode.POSITION_CLOSED),
        (999, third, TradeRetcode.POSITION_CLOSED),
        (b_long, b_short, TradeRetcode.INVALID_ORDER),
    ):
        assert close_by(desk, named, by).retcode == code
    assert desk.broker.truth() == before
    netting = open_desk(account={"margin_mode": "netting"})
    assert close_by(netting, 1, 2).retcode == TradeRetcode.INVALID


def test_by_hand_the_reason_is_the_clients(desk: Any) -> None:
    bought, sold = desk.broker.positions()
    answer = close_by(desk, bought.ticket, sold.ticket, reason=OrderReason.CLIENT)
    assert desk.broker.history_order(answer.order).reason == OrderReason.CLIENT


def test_money_is_conserved(desk: Any) -> None:
    bought, sold = desk.broker.positions()
    close_by(desk, bought.ticket, sold.ticket)
    deals = [d for d in desk.broker.truth()["deals"] if d["type"] <= DealType.BALANCE]
    total = sum(d["profit"] + d["commission"] + d["swap"] + d["fee"] for d in deals)
    assert desk.broker.account().balance == pytest.approx(total, abs=1e-9)
