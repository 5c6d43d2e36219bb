"""Stop-out: when the server closes by force, in which order, and what it writes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealReason,
    DealType,
    OrderFilling,
    OrderReason,
    OrderState,
    OrderType,
    TradeAction,
)


def opened(open_desk: Callable[..., Any], balance: float, **account: Any) -> Any:
    """No commission; EURUSD at 1.10000/1.10010, GBPUSD at 1.30000/1.30010; 50/30 per cent."""
    fields = {"balance": balance, "margin_so_call": 50.0, "margin_so_so": 30.0, **account}
    desk = open_desk(account=fields, broker={"commission_per_lot": 0.0})
    desk.tick("EURUSD", 1.10000, 1.10010)
    desk.tick("GBPUSD", 1.30000, 1.30010)
    return desk


def forced(desk: Any) -> list[Any]:
    found = desk.broker.history_deals(0, desk.market.now_msc // 1000)
    return [deal for deal in found if deal.reason == DealReason.SO]


@pytest.mark.parametrize("mode", ["hedging", "netting"])
def test_position_is_closed_at_the_level_and_not_before(
    open_desk: Callable[..., Any], mode: str
) -> None:
    desk = opened(open_desk, 200.0, margin_mode=mode)
    # Margin 0.1 * 100,000 * 1.10010 / 100 = 110.01; out at an equity of 33.003.
    desk.buy("EURUSD", 0.1, magic=9, comment="mine")
    # 200 + (1.08346 - 1.10010) * 10,000 = 33.60: below the call, above the stop-out.
    desk.tick("EURUSD", 1.08346, 1.08356)
    assert desk.broker.account().margin_level < desk.broker.account().margin_so_call
    assert forced(desk) == []
    desk.advance(1)
    # 200 - 167.0 = 33.00
    desk.tick("EURUSD", 1.08340, 1.08350)
    (deal,) = forced(desk)
    assert (deal.type, deal.price, deal.profit, deal.magic) == (1, 1.08340, -167.0, 9)
    assert deal.comment == "so: 30.00%/33.00/110.01"
    order = desk.broker.history_order(deal.order)
    assert (order.reason, order.state, order.comment) == (OrderReason.SO, 4, deal.comment)
    assert desk.broker.positions() == []
    assert desk.broker.account().balance == 33.0


def test_largest_loss_goes_first_and_the_rest_stays_when_that_is_enough(
    open_desk: Callable[..., Any],
) -> None:
    desk = opened(open_desk, 400.0)
    small = desk.buy("GBPUSD", 0.05)
    large = desk.buy("EURUSD", 0.2)
    # Margins 65.01 and 220.02. (1.08440 - 1.10010) * 20,000 = -314.
    desk.tick("EURUSD", 1.08440, 1.08450)
    (deal,) = forced(desk)
    assert deal.position_id == large.order
    assert [held.ticket for held in desk.broker.positions()] == [small.order]
    # 400 - 314, - 0.50 floating, over 65.01
    assert desk.broker.account().margin_level == pytest.approx(85.5 / 65.01 * 100, abs=0.01)


def test_closing_goes_on_until_the_level_is_above(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, 400.0)
    tickets = [desk.buy("EURUSD", volume).order for volume in (0.05, 0.2, 0.1)]
    desk.tick("EURUSD", 1.05000, 1.05010)
    assert [deal.position_id for deal in forced(desk)] == [tickets[1], tickets[2], tickets[0]]
    # The server does not stop at nothing: (1.05 - 1.1001) * 35,000 = -1,753.50.
    assert desk.broker.account().balance == -1_353.5


def test_stop_out_happens_at_its_tick_within_one_advance(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, 200.0)
    desk.buy("EURUSD", 0.1)
    now = desk.market.now_msc
    prices = (1.0950, 1.0900, 1.0850, 1.0830, 1.0700, 1.1000)
    for index, bid in enumerate(prices, 1):
        desk.tick_at("EURUSD", now + index * 1000, bid, bid + 0.0001)
    desk.advance(60)
    (deal,) = forced(desk)
    assert (deal.time_msc, deal.price) == (now + 4000, 1.0830)


def test_loss_that_grows_by_the_conversion_is_seen(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(
        account={"balance": 150.0, "currency": "EUR"}, broker={"commission_per_lot": 0.0}
    )
    desk.tick("EURUSD", 1.10000, 1.10010)
    desk.tick("GBPUSD", 1.30000, 1.30010)
    desk.tick("USDJPY", 150.0, 150.01)
    # Margin in USD 100 = 90.91 EUR; a loss of 134 USD is 122 EUR, and more when the euro falls.
    desk.buy("USDJPY", 0.1)
    now = desk.market.now_msc
    desk.tick_at("USDJPY", now + 1000, 148.08, 148.09)
    desk.tick_at("EURUSD", now + 2000, 1.05000, 1.05010)
    desk.advance(1)
    assert forced(desk) == []
    desk.advance(5)
    (deal,) = forced(desk)
    assert deal.time_msc == now + 2000


def test_level_of_zero_never_closes(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, 200.0, margin_so_so=0.0)
    desk.buy("EURUSD", 0.1)
    desk.tick("EURUSD", 1.05, 1.0501)
    assert forced(desk) == [] and desk.broker.account().equity < 0.0


def test_credit_holds_the_account_up(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, 200.0, credit=100.0)
    desk.buy("EURUSD", 0.1)
    desk.tick("EURUSD", 1.08340, 1.08350)
    assert forced(desk) == []
    assert desk.broker.account().equity == 133.0


def test_orders_that_hold_margin_go_before_positions(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, 300.0, margin_mode="exchange")
    desk.buy("EURUSD", 0.1)
    waiting = desk.send(
        action=int(TradeAction.PENDING),
        symbol="GBPUSD",
        type=int(OrderType.BUY_LIMIT),
        volume=0.1,
        price=1.25,
        type_filling=int(OrderFilling.RETURN),
    )
    # Margins 110.01 and 125. 300 - 231 = 69: 29.36 per cent of both, 62.72 of the position's.
    desk.tick("EURUSD", 1.07700, 1.07710)
    assert desk.broker.orders() == [] and forced(desk) == []
    assert desk.broker.history_order(waiting.order).state == OrderState.CANCELED
    assert len(desk.broker.positions()) == 1


def test_waiting_orders_without_margin_stay(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, 200.0)
    desk.buy("EURUSD", 0.1)
    desk.send(
        action=int(TradeAction.PENDING),
        symbol="EURUSD",
        type=int(OrderType.BUY_LIMIT),
        volume=0.01,
        price=1.05,
        type_filling=int(OrderFilling.RETURN),
    )
    desk.tick("EURUSD", 1.08, 1.0801)
    assert len(forced(desk)) == 1 and len(desk.broker.orders()) == 1


def test_stop_out_while_the_terminal_was_away(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    tables = {"account": {"balance": 200.0}, "broker": {"commission_per_lot": 0.0}}
    prices = {"prices": {"synthetic": True, "volatility": 50.0}}
    desk = open_desk(books=tmp_path, **tables, **prices)
    price = desk.market.quote("EURUSD").ask
    volume = int(200.0 / price / 10 * 0.9) / 100
    desk.buy("EURUSD", volume)
    desk.sell("GBPUSD", 0.01)
    later = open_desk(
        books=tmp_path,
        **tables,
        **prices,
        clock={"mode": "stepped", "start": "2025-03-14T12:00:00Z"},
    )
    desk.advance(2 * 86_400)
    assert forced(desk)
    assert later.broker.truth() == desk.broker.truth()


def test_balance_is_the_sum_of_all_deals_after_a_stop_out(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, 400.0)
    for volume in (0.05, 0.2, 0.1):
        desk.buy("EURUSD", volume)
    desk.tick("EURUSD", 1.08, 1.0801)
    deals = desk.broker.truth()["deals"]
    total = sum(d["profit"] + d["commission"] + d["swap"] + d["fee"] for d in deals)
    assert desk.broker.account().balance == pytest.approx(total, abs=1e-9)
    assert deals[0]["type"] == DealType.BALANCE


def test_stop_out_in_money_looks_at_the_equity(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, 200.0, margin_so_mode="money", margin_so_call=100.0, margin_so_so=50.0)
    assert desk.broker.account().margin_so_mode == 1
    desk.buy("EURUSD", 0.1)
    # 200 - 149.90 = 50.10, then 50.00; in per cent it would be far above 30.
    desk.tick("EURUSD", 1.08511, 1.08521)
    assert (desk.broker.account().equity, forced(desk)) == (50.1, [])
    desk.advance(1)
    desk.tick("EURUSD", 1.08510, 1.08520)
    (deal,) = forced(desk)
    assert (deal.price, desk.broker.account().balance) == (1.08510, 50.0)


def test_stop_out_in_money_is_found_among_hidden_ticks(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, 200.0, margin_so_mode="money", margin_so_so=50.0)
    desk.buy("EURUSD", 0.1)
    now = desk.market.now_msc
    for second, bid in ((1, 1.0950), (2, 1.0850), (3, 1.0990)):
        desk.tick_at("EURUSD", now + second * 1000, bid, bid + 0.0001)
    desk.advance(3600)
    (deal,) = forced(desk)
    assert (deal.time_msc, deal.price) == (now + 2000, 1.0850)
