"""Balance operations, and what an account itself forbids: limits, FIFO, hedging."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tradingview_scraper.adapters.mt5.terminal.constants import (
    DealEntry,
    DealType,
    TradeRetcode,
)

DONE = TradeRetcode.DONE


def opened(open_desk: Callable[..., Any], **account: Any) -> Any:
    """EURUSD at 1.10000/1.10010 and 10,000 USD, without commission."""
    desk = open_desk(account={"balance": 10_000.0, **account}, broker={"commission_per_lot": 0.0})
    desk.tick("EURUSD", 1.10000, 1.10010)
    return desk


def test_deposit_and_withdrawal_are_deals(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk)
    desk.advance(5)
    deal = desk.broker.operate(DealType.BALANCE, 500.0, "top up")
    assert (deal.type, deal.profit, deal.comment) == (DealType.BALANCE, 500.0, "top up")
    assert (deal.symbol, deal.order, deal.volume, deal.position_id) == ("", 0, 0.0, 0)
    assert deal.time_msc == desk.market.now_msc
    assert desk.broker.account().balance == 10_500.0
    desk.broker.operate(DealType.BALANCE, -10_500.0)
    assert desk.broker.account().balance == 0.0
    tickets = [deal["ticket"] for deal in desk.broker.truth()["deals"]]
    assert tickets == sorted(set(tickets)) and len(tickets) == 3


def test_credit_counts_for_equity_and_not_for_the_balance(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    desk = open_desk(books=tmp_path, account={"balance": 10_000.0, "credit": 50.0})
    desk.broker.operate(DealType.CREDIT, 100.0, "bonus")
    desk.broker.operate(DealType.CREDIT, -30.0)
    for again in (desk, open_desk(books=tmp_path, account={"balance": 10_000.0, "credit": 50.0})):
        account = again.broker.account()
        assert (account.balance, account.credit, account.equity) == (10_000.0, 120.0, 10_120.0)


def test_charges_and_corrections_move_the_balance(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk)
    for kind, amount in ((DealType.CHARGE, -12.5), (DealType.CORRECTION, 2.25)):
        desk.broker.operate(kind, amount)
    assert desk.broker.account().balance == 9_989.75


def test_operations_that_cannot_be_are_refused(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk)
    # Margin 110.01 * 10, and 10 of spread.
    desk.buy("EURUSD", 1.0)
    free = desk.broker.account().margin_free
    before = desk.broker.truth()
    for kind, amount in (
        (DealType.BALANCE, 0.0),
        (DealType.BALANCE, -free - 0.01),
        (DealType.CREDIT, -0.01),
        (DealType.BUY, 5.0),
        (DealType.BONUS, 5.0),
    ):
        with pytest.raises(ValueError, match="must"):
            desk.broker.operate(kind, amount)
    assert desk.broker.truth() == before
    desk.broker.operate(DealType.BALANCE, -free)
    assert desk.broker.account().margin_free == 0.0


def test_number_of_positions_is_limited(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, limit_positions=2)
    first = desk.buy("EURUSD", 0.01)
    desk.sell("EURUSD", 0.01)
    third = desk.buy("EURUSD", 0.01)
    assert (third.retcode, third.order) == (TradeRetcode.LIMIT_POSITIONS, 0)
    assert desk.sell("EURUSD", 0.01, position=first.order).retcode == DONE
    assert desk.buy("EURUSD", 0.01).retcode == DONE
    netting = opened(open_desk, limit_positions=1, margin_mode="netting")
    netting.tick("GBPUSD", 1.3, 1.3001)
    assert netting.buy("EURUSD", 0.01).retcode == DONE
    assert netting.buy("EURUSD", 0.01).retcode == DONE
    assert netting.buy("GBPUSD", 0.01).retcode == TradeRetcode.LIMIT_POSITIONS
    assert netting.sell("EURUSD", 0.05).retcode == DONE


def test_first_in_is_first_out_where_the_account_says_so(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, fifo_close=True)
    assert desk.broker.account().fifo_close is True
    first, second = (desk.buy("EURUSD", 0.01).order for _ in range(2))
    refused = desk.sell("EURUSD", 0.01, position=second)
    assert (refused.retcode, refused.deal) == (TradeRetcode.FIFO_CLOSE, 0)
    assert desk.sell("EURUSD", 0.01, position=first).retcode == DONE
    assert desk.sell("EURUSD", 0.01, position=second).retcode == DONE


def test_opposite_positions_where_they_are_prohibited(open_desk: Callable[..., Any]) -> None:
    desk = opened(open_desk, hedge_prohibited=True)
    held = desk.buy("EURUSD", 0.01)
    assert desk.sell("EURUSD", 0.01).retcode == TradeRetcode.HEDGE_PROHIBITED
    assert desk.buy("EURUSD", 0.01).retcode == DONE
    assert desk.sell("EURUSD", 0.01, position=held.order).retcode == DONE


@pytest.mark.parametrize("mode", ["hedging", "netting"])
def test_restricted_symbols_may_always_be_closed(
    open_desk: Callable[..., Any], tmp_path: Path, mode: str
) -> None:
    account = {"margin_mode": mode}
    for trade_mode, side, code in (
        (1, "sell", TradeRetcode.LONG_ONLY),
        (2, "buy", TradeRetcode.SHORT_ONLY),
        (3, "buy", TradeRetcode.CLOSE_ONLY),
        (3, "sell", TradeRetcode.CLOSE_ONLY),
    ):
        books = tmp_path / f"{trade_mode}{side}"
        desk = open_desk(books=books, account=account)
        desk.tick("EURUSD", 1.10000, 1.10010)
        other = desk.sell if side == "buy" else desk.buy
        held = other("EURUSD", 0.02)
        symbols = [{"name": "EURUSD", "trade_mode": trade_mode}]
        desk = open_desk(books=books, account=account, symbols=symbols)
        desk.tick("EURUSD", 1.10000, 1.10010)
        send = getattr(desk, side)
        named = {"position": held.order} if mode == "hedging" else {}
        if mode == "hedging":
            assert send("EURUSD", 0.01).retcode == code
        else:
            # More than there is would open the other way.
            assert send("EURUSD", 0.03).retcode == code
        assert send("EURUSD", 0.02, **named).retcode == DONE
        assert desk.broker.positions() == []
        assert desk.broker.truth()["deals"][-1]["entry"] == DealEntry.OUT
