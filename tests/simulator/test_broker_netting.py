"""Netting and exchange accounts: one position per symbol, added to, reduced and reversed."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.terminal.constants import (
    AccountMarginMode,
    DealEntry,
    DealReason,
    DealType,
    OrderFilling,
    OrderState,
    TradeAction,
    TradeRetcode,
)

DONE = TradeRetcode.DONE


@pytest.fixture
def desk(open_desk: Callable[..., Any]) -> Any:
    """10,000 USD netted at 1:100, 3.50 a lot and side, EURUSD at 1.10000/1.10010."""
    desk = open_desk(account={"balance": 10_000.0, "margin_mode": "netting"})
    desk.tick("EURUSD", 1.10000, 1.10010)
    return desk


def position(desk: Any) -> Any:
    (only,) = desk.broker.positions()
    return only


def deals(desk: Any) -> list[Any]:
    """All deals but the deposit."""
    now = desk.market.now_msc // 1000
    return [deal for deal in desk.broker.history_deals(0, now) if deal.type < DealType.BALANCE]


def test_margin_mode_is_the_accounts(open_desk: Callable[..., Any], desk: Any) -> None:
    assert desk.broker.account().margin_mode == AccountMarginMode.RETAIL_NETTING
    exchange = open_desk(account={"margin_mode": "exchange"})
    assert exchange.broker.account().margin_mode == AccountMarginMode.EXCHANGE


def test_adding_keeps_the_ticket_and_averages_the_price(desk: Any) -> None:
    first = desk.buy("EURUSD", 0.01, magic=1)
    desk.advance(5)
    desk.tick("EURUSD", 1.10300, 1.10310)
    second = desk.buy("EURUSD", 0.02, magic=2)
    held = position(desk)
    assert (held.ticket, held.identifier, held.volume) == (first.order, first.order, 0.03)
    # (1.10010 + 2 * 1.10310) / 3
    assert held.price_open == pytest.approx(1.1021, abs=1e-10)
    assert (held.magic, held.time_msc) == (1, desk.market.now_msc - 5000)
    assert held.time_update_msc == desk.market.now_msc
    added = deals(desk)[1]
    assert (added.entry, added.position_id, added.order) == (
        DealEntry.IN,
        first.order,
        second.order,
    )
    assert (added.profit, added.commission, added.magic) == (0.0, -0.07, 2)


def test_opposite_order_reduces_then_closes(desk: Any) -> None:
    opened = desk.buy("EURUSD", 0.03)
    desk.tick("EURUSD", 1.10110, 1.10120)
    assert desk.sell("EURUSD", 0.01).retcode == DONE
    held = position(desk)
    assert (held.volume, held.price_open, held.ticket) == (0.02, 1.10010, opened.order)
    assert desk.sell("EURUSD", 0.02).retcode == DONE
    assert desk.broker.positions() == []
    assert [(d.entry, d.volume, d.profit, d.position_id) for d in deals(desk)] == [
        (DealEntry.IN, 0.03, 0.0, opened.order),
        (DealEntry.OUT, 0.01, 1.0, opened.order),
        (DealEntry.OUT, 0.02, 2.0, opened.order),
    ]
    # 10,000 + 3.00 - 0.11 - 0.04 - 0.07
    assert desk.broker.account().balance == 10_002.78


def test_larger_opposite_order_reverses_in_one_deal(desk: Any) -> None:
    opened = desk.buy("EURUSD", 0.01, sl=1.05, tp=1.15, magic=1)
    desk.advance(5)
    desk.tick("EURUSD", 1.10110, 1.10120)
    turned = desk.sell("EURUSD", 0.03, magic=2)
    assert (turned.retcode, turned.volume, turned.price) == (DONE, 0.03, 1.10110)
    held = position(desk)
    assert (held.ticket, held.identifier) == (turned.order, opened.order)
    assert (held.type, held.volume, held.price_open) == (1, 0.02, 1.10110)
    assert (held.sl, held.tp, held.magic) == (0.0, 0.0, 2)
    deal = deals(desk)[1]
    assert (deal.entry, deal.volume, deal.position_id) == (DealEntry.INOUT, 0.03, opened.order)
    # 0.01 lot ended: 1.00; the commission is of the whole deal: 0.105
    assert (deal.profit, deal.commission) == (1.00, -0.11)
    desk.tick("EURUSD", 1.10000, 1.10010)
    # The new ticket finds it, the old one is gone; the identifier ties all deals together.
    assert desk.buy("EURUSD", 0.02, position=opened.order).retcode == TradeRetcode.POSITION_CLOSED
    assert desk.buy("EURUSD", 0.02, position=turned.order).retcode == DONE
    assert deals(desk)[2].profit == 2.00
    assert len(desk.broker.history_deals_of(opened.order)) == 3
    assert desk.broker.positions() == []


def test_position_reopened_after_closing_is_another_one(desk: Any) -> None:
    first = desk.buy("EURUSD", 0.01)
    desk.sell("EURUSD", 0.01)
    second = desk.buy("EURUSD", 0.01)
    assert position(desk).identifier == second.order != first.order


def test_symbols_do_not_net_with_each_other(desk: Any) -> None:
    desk.tick("GBPUSD", 1.3, 1.3001)
    desk.buy("EURUSD", 0.01)
    desk.sell("GBPUSD", 0.01)
    assert [held.symbol for held in desk.broker.positions()] == ["EURUSD", "GBPUSD"]


def test_stops_of_an_adding_order_replace_and_none_keeps(desk: Any) -> None:
    desk.buy("EURUSD", 0.01, sl=1.05, tp=1.15)
    desk.buy("EURUSD", 0.01)
    assert (position(desk).sl, position(desk).tp) == (1.05, 1.15)
    desk.buy("EURUSD", 0.01, sl=1.06)
    assert (position(desk).sl, position(desk).tp) == (1.06, 1.15)


def test_stops_are_found_by_symbol(desk: Any) -> None:
    sltp = {"action": int(TradeAction.SLTP), "symbol": "EURUSD", "sl": 1.09}
    assert desk.send(**sltp).retcode == TradeRetcode.POSITION_CLOSED
    desk.buy("EURUSD", 0.02)
    assert desk.send(**sltp).retcode == DONE
    desk.tick("EURUSD", 1.08990, 1.09000)
    assert desk.broker.positions() == []
    assert (deals(desk)[1].reason, deals(desk)[1].volume) == (DealReason.SL, 0.02)


def test_reversed_positions_stop_works_on_its_new_side(desk: Any) -> None:
    opened = desk.buy("EURUSD", 0.01, sl=1.05)
    desk.sell("EURUSD", 0.03, sl=1.10500)
    desk.tick("EURUSD", 1.04, 1.0401)
    assert position(desk).volume == 0.02
    desk.tick("EURUSD", 1.10490, 1.10500)
    assert desk.broker.positions() == []
    assert deals(desk)[2].position_id == opened.order


def test_trade_modes_count_what_opens_not_what_closes(open_desk: Callable[..., Any]) -> None:
    def opened(mode: int) -> Any:
        desk = open_desk(
            account={"margin_mode": "netting"}, symbols=[{"name": "EURUSD", "trade_mode": mode}]
        )
        desk.tick("EURUSD", 1.1, 1.1001)
        return desk

    long_only = opened(1)
    assert long_only.buy("EURUSD", 0.02).retcode == DONE
    assert long_only.sell("EURUSD", 0.01).retcode == DONE
    assert long_only.sell("EURUSD", 0.02).retcode == TradeRetcode.LONG_ONLY
    assert long_only.sell("EURUSD", 0.01).retcode == DONE


def test_reversal_needs_money_for_what_it_opens_only(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(account={"margin_mode": "netting", "balance": 150.0})
    desk.tick("EURUSD", 1.10000, 1.10010)
    assert desk.buy("EURUSD", 0.1).retcode == DONE
    assert desk.sell("EURUSD", 0.25).retcode == TradeRetcode.NO_MONEY
    assert desk.sell("EURUSD", 0.2).retcode == DONE
    assert (position(desk).type, position(desk).volume) == (1, 0.1)


def test_share_on_an_exchange_account(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(
        extends="exchange-netting", account={"balance": 10_000.0}, prices={"always_open": True}
    )
    desk.tick("#MSFT", 499.90, 500.00, last=500.00, volume=10)
    bought = desk.buy("#MSFT", 10.0, type_filling=int(OrderFilling.RETURN))
    assert bought.retcode == DONE
    # 2 cents a share
    assert deals(desk)[0].commission == -0.20
    assert desk.broker.account().margin == 5_000.00
    assert desk.buy("#MSFT", 0.5).retcode == TradeRetcode.INVALID_VOLUME
    desk.tick("#MSFT", 501.00, 501.10, last=501.00, volume=5)
    desk.sell("#MSFT", 4.0)
    assert deals(desk)[1].profit == 4.00
    assert position(desk).volume == 6.0


def test_future_is_settled_by_its_ticks(open_desk: Callable[..., Any]) -> None:
    desk = open_desk(extends="exchange-netting", account={"balance": 50_000.0})
    desk.tick("@ES", 6400.00, 6400.25, last=6400.25, volume=1)
    desk.buy("@ES", 2.0)
    account = desk.broker.account()
    # 12,000 a lot; one tick of 12.50 a lot under water; 2.25 a lot and side
    assert (account.margin, account.profit, account.balance) == (24_000.0, -25.0, 49_995.5)
    desk.tick("@ES", 6402.75, 6403.00, last=6402.75, volume=1)
    desk.sell("@ES", 2.0)
    # 10 ticks * 12.50 * 2
    assert deals(desk)[1].profit == 250.00
    assert desk.broker.account().balance == 50_241.0


def test_option_is_settled_by_its_ticks_and_books_or_cancels(
    open_desk: Callable[..., Any],
) -> None:
    desk = open_desk(
        extends="exchange-netting", symbols=["@ES6500C"], account={"balance": 50_000.0}
    )
    info = desk.market.info("@ES6500C")
    assert (info.trade_calc_mode, info.option_strike, info.basis) == (35, 6_500.0, "@ES")
    desk.tick("@ES6500C", 85.00, 85.25, last=85.25, volume=1)
    booked = {"action": 5, "symbol": "@ES6500C", "volume": 1.0, "type": 2, "type_filling": 3}
    # It would match at once.
    desk.send(**booked, price=85.25)
    assert desk.broker.history_orders(1, 2**31 - 1)[-1].state == OrderState.CANCELED
    resting = desk.send(**booked, price=84.00)
    assert [order.ticket for order in desk.broker.orders()] == [resting.order]
    desk.tick("@ES6500C", 83.75, 84.00, last=84.00, volume=1)
    assert (position(desk).price_open, desk.broker.account().margin) == (84.00, 6_000.0)
    desk.tick("@ES6500C", 90.00, 90.25, last=90.00, volume=1)
    desk.sell("@ES6500C", 1.0)
    # 24 ticks * 12.50
    assert deals(desk)[-1].profit == 300.00


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 20)), max_size=30))
def test_one_position_is_the_sum_of_what_was_traded(
    open_desk: Callable[..., Any], orders: list[tuple[bool, int]]
) -> None:
    desk = open_desk(account={"margin_mode": "netting"}, symbols=["EURUSD"])
    desk.tick("EURUSD", 1.10000, 1.10010)
    net, identifier = 0, None
    for sold, hundredths in orders:
        desk.advance(1)
        before = net
        net += -hundredths if sold else hundredths
        answer = desk.send(symbol="EURUSD", volume=hundredths / 100, type=int(sold))
        assert answer.retcode == DONE
        deal = deals(desk)[-1]
        if before == 0:
            identifier = answer.order
            expected = DealEntry.IN
        elif before * (net - before) > 0:
            expected = DealEntry.IN
        else:
            expected = DealEntry.INOUT if before * net < 0 else DealEntry.OUT
        assert (deal.entry, deal.position_id) == (expected, identifier)
        held = desk.broker.positions()
        assert len(held) == (net != 0)
        if net:
            assert held[0].volume == round(abs(net) / 100, 2)
            assert held[0].type == int(net < 0)
            assert held[0].identifier == identifier
            if expected == DealEntry.INOUT:
                assert held[0].ticket == answer.order
