"""How a request is executed: deviation and requotes, slippage, and what a tick has to offer."""

from collections.abc import Callable
from typing import Any

import pytest

from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    DealReason,
    DealType,
    OrderFilling,
    OrderState,
    OrderType,
    TradeAction,
    TradeRetcode,
)

DONE = TradeRetcode.DONE
PARTIAL = TradeRetcode.DONE_PARTIAL


def quoted(open_desk: Callable[..., Any], **overrides: Any) -> Any:
    """A desk with one symbol, EURUSD at 1.10000/1.10010."""
    account, broker = overrides.pop("account", {}), overrides.pop("broker", {})
    symbols = [{"name": "EURUSD", **overrides}]
    desk = open_desk(symbols=symbols, account={"balance": 10_000.0, **account}, broker=broker)
    desk.tick("EURUSD", 1.10000, 1.10010)
    return desk


def deals(desk: Any) -> list[Any]:
    found = desk.broker.history_deals(0, desk.market.now_msc // 1000)
    return [deal for deal in found if deal.type < DealType.BALANCE]


@pytest.mark.parametrize("execution", [0, 1])
def test_price_within_the_deviation_is_filled_at_the_new_one(
    open_desk: Callable[..., Any], execution: int
) -> None:
    """Recorded: asked 1.09724, filled at 1.09728 with a deviation of 10."""
    desk = quoted(open_desk, trade_exemode=execution)
    desk.tick("EURUSD", 1.09718, 1.09728)
    answer = desk.buy("EURUSD", 0.01, price=1.09724, deviation=10)
    assert (answer.retcode, answer.price) == (DONE, 1.09728)
    (order,) = desk.broker.history_orders(0, desk.market.now_msc // 1000)
    assert (order.price_open, order.price_current) == (1.09724, 1.09728)


@pytest.mark.parametrize("execution", [0, 1])
def test_price_beyond_the_deviation_is_requoted_and_the_offer_is_good(
    open_desk: Callable[..., Any], execution: int
) -> None:
    desk = quoted(open_desk, trade_exemode=execution, filling_mode=0)
    answer = desk.buy("EURUSD", 0.01, price=1.10004, deviation=5)
    assert (answer.retcode, answer.bid, answer.ask) == (10004, 1.10000, 1.10010)
    assert (answer.order, answer.deal, answer.price, answer.volume) == (0, 0, 0.0, 0.0)
    assert desk.broker.positions() == []
    again = desk.buy("EURUSD", 0.01, price=answer.ask)
    assert (again.retcode, again.price) == (DONE, 1.10010)


def test_slipping_price_is_measured_against_the_deviation(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, trade_exemode=1, broker={"slippage_points": 4})
    taken = desk.buy("EURUSD", 0.01, price=1.10010, deviation=4)
    assert (taken.retcode, taken.price) == (DONE, 1.10014)
    refused = desk.sell("EURUSD", 0.01, price=1.10000, deviation=3)
    assert (refused.retcode, refused.bid, refused.ask) == (10004, 1.09996, 1.10014)
    assert desk.sell("EURUSD", 0.01, price=refused.bid).price == 1.09996


@pytest.mark.parametrize(("off_price", "code"), [("price_changed", 10020), ("price_off", 10021)])
def test_price_beyond_the_deviation_is_refused_in_the_brokers_own_words(
    open_desk: Callable[..., Any], off_price: str, code: int
) -> None:
    desk = quoted(open_desk, trade_exemode=1, broker={"off_price": off_price})
    answer = desk.buy("EURUSD", 0.01, price=1.10004, deviation=5)
    assert (answer.retcode, answer.bid, answer.ask) == (code, 0.0, 0.0)
    assert desk.broker.positions() == []


def test_symbol_for_real_money_is_refused_to_others(open_desk: Callable[..., Any]) -> None:
    pending = {"action": 5, "symbol": "EURUSD", "volume": 0.01, "type": 2, "price": 1.05}
    for trade_mode, code in (("demo", 10032), ("contest", 10032), ("real", 10009)):
        desk = open_desk(
            symbols=[{"name": "EURUSD", "real_only": True}], account={"trade_mode": trade_mode}
        )
        desk.tick("EURUSD", 1.10000, 1.10010)
        assert desk.buy("EURUSD", 0.01).retcode == code
        assert desk.send(**pending, type_filling=2).retcode == code
        checked = desk.broker.check(desk.request(symbol="EURUSD", volume=0.01))
        assert checked.retcode == (0 if code == 10009 else code)


def test_market_execution_ignores_price_and_deviation(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, broker={"slippage_points": 4})
    answer = desk.buy("EURUSD", 0.01, price=1.05, deviation=0)
    assert (answer.retcode, answer.price) == (DONE, 1.10014)


def test_stop_loss_slips_as_recorded(open_desk: Callable[..., Any]) -> None:
    """Recorded: a stop loss at 65087.71 that was filled at 65093.81."""
    desk = open_desk(account={"balance": 10_000.0}, broker={"stop_slippage_points": 610})
    desk.tick("BTCUSD", 65_000.0, 65_010.0)
    desk.sell("BTCUSD", 0.01, sl=65_087.71)
    desk.tick("BTCUSD", 65_077.71, 65_087.71)
    closed = deals(desk)[1]
    assert (closed.reason, closed.price) == (DealReason.SL, 65_093.81)
    assert (closed.comment, closed.type) == ("[sl 65087.71]", DealType.BUY)
    # (65,000 - 65,093.81) * 0.01
    assert closed.profit == -0.94


def test_stop_order_slips_and_limit_order_does_not(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, broker={"stop_slippage_points": 7})
    for type, price in ((OrderType.BUY_STOP, 1.102), (OrderType.SELL_LIMIT, 1.102)):
        desk.send(
            action=int(TradeAction.PENDING),
            symbol="EURUSD",
            type=int(type),
            volume=0.01,
            price=price,
            type_filling=int(OrderFilling.RETURN),
        )
    desk.tick("EURUSD", 1.102, 1.1021)
    assert [(deal.type, deal.price) for deal in deals(desk)] == [(0, 1.10217), (1, 1.102)]


def test_fee_is_charged_per_deal(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, broker={"fee_per_deal": 0.25, "commission_per_lot": 0.0})
    opened = desk.buy("EURUSD", 0.01)
    desk.sell("EURUSD", 0.01, position=opened.order)
    assert [(deal.fee, deal.commission) for deal in deals(desk)] == [(-0.25, 0.0)] * 2
    assert desk.broker.account().balance == 9_999.40


def test_immediate_or_cancel_fills_what_is_there(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, broker={"liquidity_lots": 0.05})
    answer = desk.buy("EURUSD", 0.08)
    assert (answer.retcode, answer.volume, answer.price) == (PARTIAL, 0.05, 1.10010)
    assert answer.comment == "Request executed partially"
    assert desk.broker.orders() == []
    order = desk.broker.history_order(answer.order)
    assert (order.state, order.volume_initial, order.volume_current) == (2, 0.08, 0.03)
    assert [(deal.volume, deal.order) for deal in deals(desk)] == [(0.05, answer.order)]
    # The other side of the same tick has its own lots; this one has none left.
    assert desk.sell("EURUSD", 0.02).retcode == DONE
    again = desk.buy("EURUSD", 0.01)
    assert (again.retcode, again.order, again.deal) == (TradeRetcode.REJECT, 0, 0)
    desk.advance(1)
    desk.tick("EURUSD", 1.10001, 1.10011)
    assert desk.buy("EURUSD", 0.05).retcode == DONE


def test_fill_or_kill_is_all_or_nothing(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, broker={"liquidity_lots": 0.05})
    before = desk.broker.truth()
    answer = desk.buy("EURUSD", 0.06, type_filling=int(OrderFilling.FOK))
    assert (answer.retcode, answer.volume, answer.order) == (TradeRetcode.REJECT, 0.0, 0)
    assert desk.broker.truth() == before
    assert desk.buy("EURUSD", 0.05, type_filling=int(OrderFilling.FOK)).retcode == DONE


@pytest.mark.parametrize("mode", ["exchange", "hedging"])
def test_rest_of_a_return_order_works_on(open_desk: Callable[..., Any], mode: str) -> None:
    desk = quoted(
        open_desk,
        trade_exemode=3,
        account={"margin_mode": mode},
        broker={"liquidity_lots": 0.05},
    )
    answer = desk.buy("EURUSD", 0.12, type_filling=int(OrderFilling.RETURN))
    assert (answer.retcode, answer.volume) == (PARTIAL, 0.05)
    (order,) = desk.broker.orders()
    assert (order.ticket, order.state, order.type) == (answer.order, OrderState.PARTIAL, 0)
    assert (order.volume_initial, order.volume_current) == (0.12, 0.07)
    for price, left in ((1.10020, 0.02), (1.10030, 0.0)):
        desk.advance(1)
        desk.tick("EURUSD", price - 0.0001, price)
        assert sum(order.volume_current for order in desk.broker.orders()) == left
    order = desk.broker.history_order(answer.order)
    assert (order.state, order.volume_current) == (OrderState.FILLED, 0.0)
    assert [(deal.volume, deal.price) for deal in deals(desk)] == [
        (0.05, 1.10010),
        (0.05, 1.10020),
        (0.02, 1.10030),
    ]
    assert {deal.position_id for deal in deals(desk)} == {answer.order}
    assert {deal.entry for deal in deals(desk)} == {DealEntry.IN}
    (held,) = desk.broker.positions()
    # (0.05 * 1.10010 + 0.05 * 1.10020 + 0.02 * 1.10030) / 0.12
    assert held.volume == 0.12
    assert held.price_open == pytest.approx(1.100175, abs=1e-9)


def test_return_order_without_any_offer_is_placed(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, trade_exemode=3, broker={"liquidity_lots": 0.05})
    desk.buy("EURUSD", 0.05, type_filling=int(OrderFilling.RETURN))
    answer = desk.buy("EURUSD", 0.01, type_filling=int(OrderFilling.RETURN))
    assert (answer.retcode, answer.deal, answer.volume) == (TradeRetcode.PLACED, 0, 0.0)
    assert [order.ticket for order in desk.broker.orders()] == [answer.order]
    desk.advance(1)
    desk.tick("EURUSD", 1.1, 1.1001)
    assert desk.broker.history_order(answer.order).state == OrderState.FILLED


def test_removed_rest_is_cancelled_and_its_deals_stay(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, trade_exemode=3, broker={"liquidity_lots": 0.05})
    answer = desk.buy("EURUSD", 0.12, type_filling=int(OrderFilling.RETURN))
    assert desk.send(action=int(TradeAction.REMOVE), order=answer.order).retcode == DONE
    order = desk.broker.history_order(answer.order)
    assert (order.state, order.volume_current) == (OrderState.CANCELED, 0.07)
    desk.advance(1)
    desk.tick("EURUSD", 1.1, 1.1001)
    assert len(deals(desk)) == 1


def test_rest_of_a_close_never_opens_the_other_way(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, trade_exemode=3, broker={"liquidity_lots": 0.05})
    for price in (1.10020, 1.10030):
        desk.buy("EURUSD", 0.05)
        desk.advance(1)
        desk.tick("EURUSD", price - 0.0001, price)
    first, second = desk.broker.positions()
    desk.sell("EURUSD", 0.04, position=first.ticket)
    answer = desk.sell(
        "EURUSD", 0.05, position=second.ticket, type_filling=int(OrderFilling.RETURN)
    )
    assert (answer.retcode, answer.volume) == (PARTIAL, 0.01)
    # Something else closes what the rest was to close.
    desk.send(action=int(TradeAction.SLTP), symbol="EURUSD", position=second.ticket, sl=1.09)
    desk.advance(1)
    desk.tick("EURUSD", 1.08990, 1.09000)
    assert [held.identifier for held in desk.broker.positions()] == [first.identifier]
    assert desk.broker.history_order(answer.order).state == OrderState.CANCELED
    assert desk.broker.orders() == []


def test_pending_order_is_filled_in_parts_at_ticks_that_touch(
    open_desk: Callable[..., Any],
) -> None:
    desk = quoted(open_desk, broker={"liquidity_lots": 0.05})
    placed = desk.send(
        action=int(TradeAction.PENDING),
        symbol="EURUSD",
        type=int(OrderType.BUY_LIMIT),
        volume=0.12,
        price=1.095,
        type_filling=int(OrderFilling.RETURN),
    )
    filled = []
    for ask in (1.0950, 1.0951, 1.0949, 1.0960, 1.0950, 1.0950):
        desk.advance(1)
        desk.tick("EURUSD", ask - 0.0001, ask)
        filled.append(round(sum(deal.volume for deal in deals(desk)), 2))
    assert filled == [0.05, 0.05, 0.10, 0.10, 0.12, 0.12]
    assert desk.broker.history_order(placed.order).state == OrderState.FILLED
    (held,) = desk.broker.positions()
    assert (held.ticket, held.volume) == (placed.order, 0.12)


def test_activated_stop_works_on_wherever_the_price_goes(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, broker={"liquidity_lots": 0.05})
    placed = desk.send(
        action=int(TradeAction.PENDING),
        symbol="EURUSD",
        type=int(OrderType.BUY_STOP),
        volume=0.08,
        price=1.105,
        type_filling=int(OrderFilling.RETURN),
    )
    desk.tick("EURUSD", 1.1049, 1.1050)
    assert desk.broker.orders()[0].state == OrderState.PARTIAL
    desk.advance(1)
    desk.tick("EURUSD", 1.1009, 1.1010)
    assert [(deal.volume, deal.price) for deal in deals(desk)] == [(0.05, 1.105), (0.03, 1.101)]
    assert desk.broker.history_order(placed.order).state == OrderState.FILLED


def test_whole_order_must_be_paid_for_however_little_there_is(
    open_desk: Callable[..., Any],
) -> None:
    desk = quoted(
        open_desk,
        trade_exemode=3,
        account={"balance": 100.0, "margin_mode": "exchange"},
        broker={"liquidity_lots": 0.05},
    )
    for filling in (OrderFilling.IOC, OrderFilling.RETURN):
        answer = desk.buy("EURUSD", 0.12, type_filling=int(filling))
        assert (answer.retcode, answer.order) == (TradeRetcode.NO_MONEY, 0)
    assert desk.broker.orders() == [] and desk.broker.positions() == []


def test_waiting_close_orders_take_a_part_of_their_position(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, trade_exemode=3, order_mode=127, broker={"liquidity_lots": 0.05})
    desk.buy("EURUSD", 0.05)
    desk.advance(1)
    desk.tick("EURUSD", 1.1, 1.1001)
    (held,) = desk.broker.positions()
    desk.sell("EURUSD", 0.04)
    answer = desk.sell("EURUSD", 0.04, position=held.ticket, type_filling=int(OrderFilling.RETURN))
    assert (answer.retcode, answer.volume) == (PARTIAL, 0.01)
    # 0.04 are still open, 0.03 of them wait to be closed.
    other = desk.broker.positions()[-1]
    exists = TradeRetcode.CLOSE_ORDER_EXIST
    assert desk.sell("EURUSD", 0.02, position=held.ticket).retcode == exists
    by = {"action": int(TradeAction.CLOSE_BY), "position": held.ticket}
    assert desk.send(**by, position_by=other.ticket).retcode == exists
    desk.advance(1)
    desk.tick("EURUSD", 1.1, 1.1001)
    assert desk.broker.orders() == []
    assert desk.sell("EURUSD", 0.01, position=held.ticket).retcode == DONE


def test_too_many_requests_in_a_second(open_desk: Callable[..., Any]) -> None:
    desk = quoted(open_desk, broker={"requests_per_second": 3})
    codes = [desk.buy("EURUSD", 0.01).retcode for _ in range(4)]
    assert codes == [DONE, DONE, DONE, TradeRetcode.TOO_MANY_REQUESTS]
    desk.advance(0.999)
    assert desk.buy("EURUSD", 0.01).retcode == TradeRetcode.TOO_MANY_REQUESTS
    desk.advance(0.001)
    assert desk.buy("EURUSD", 0.01).retcode == DONE
    assert len(desk.broker.positions()) == 4
