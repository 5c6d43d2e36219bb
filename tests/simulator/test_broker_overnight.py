"""Swaps at the server's midnight, by mode and weekday, and how a closing deal realises them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tradingview_scraper.adapters.mt5.simulator.broker.overnight import nights
from tradingview_scraper.adapters.mt5.simulator.market.catalogue import CATALOGUE
from tradingview_scraper.adapters.mt5.terminal.constants import DayOfWeek, TradeRetcode

#: Wednesday 2025-03-12, 15:00 at the server: the desk's first moment.
HOURS_TO_MIDNIGHT = 9
DAY = 86_400


def holding(open_desk: Callable[..., Any], side: str = "buy", **overrides: Any) -> Any:
    """One lot of EURUSD at 1.10000/1.10010 with swaps of -6 and 3, the triple on Wednesday."""
    account = overrides.pop("account", {})
    symbol = {"name": "EURUSD", "swap_long": -6.0, "swap_short": 3.0, **overrides}
    desk = open_desk(
        symbols=[symbol],
        account={"balance": 10_000.0, **account},
        broker={"commission_per_lot": 0.0},
    )
    desk.tick("EURUSD", 1.10000, 1.10010)
    answer = getattr(desk, side)("EURUSD", 1.0)
    assert answer.retcode == TradeRetcode.DONE
    return desk


@pytest.mark.parametrize("account", [{"margin_mode": "hedging"}, {"margin_mode": "netting"}])
def test_swap_is_charged_at_midnight_three_times_on_the_triple_day(
    open_desk: Callable[..., Any], account: dict[str, Any]
) -> None:
    desk = holding(open_desk, account=account)
    desk.advance(HOURS_TO_MIDNIGHT * 3600 - 1)
    assert desk.broker.positions()[0].swap == 0.0
    desk.advance(1)
    # Wednesday's night: 3 * -6 points of one dollar.
    assert desk.broker.positions()[0].swap == -18.0
    desk.advance(DAY)
    assert desk.broker.positions()[0].swap == -24.0
    # Friday's night, none on Saturday and Sunday, Monday's.
    desk.advance(4 * DAY)
    assert desk.broker.positions()[0].swap == -36.0
    account_now = desk.broker.account()
    assert (account_now.balance, account_now.profit) == (10_000.0, -46.0)
    assert account_now.equity == 9_954.0


@pytest.mark.parametrize(
    ("mode", "side", "account", "expected"),
    [
        # -6 or 3 points of one dollar, three nights
        (1, "buy", {}, -18.0),
        (1, "sell", {}, 9.0),
        # 6 EUR and 3 EUR: a loss is changed at the ask, a gain at the bid
        (2, "buy", {}, -19.80),
        (2, "sell", {}, 9.90),
        (3, "buy", {}, -19.80),
        (3, "buy", {"currency": "EUR"}, -18.0),
        (4, "buy", {}, -18.0),
        (4, "buy", {"currency": "EUR"}, -18.0),
        # 100,000 * 1.10000 * -6 % / 360 * 3, at the current price and at the opening one
        (5, "buy", {}, -55.0),
        (6, "buy", {}, -55.01),
        (5, "sell", {}, 27.5),
        (0, "buy", {}, 0.0),
    ],
)
def test_swap_by_mode(
    open_desk: Callable[..., Any],
    mode: int,
    side: str,
    account: dict[str, Any],
    expected: float,
) -> None:
    desk = holding(open_desk, side, swap_mode=mode, account=account)
    desk.advance(HOURS_TO_MIDNIGHT * 3600)
    assert desk.broker.positions()[0].swap == expected


def test_week_costs_seven_nights_whichever_day_is_triple() -> None:
    info = CATALOGUE["EURUSD"].info
    # 2025-03-10 was a Monday: day 20,157.
    for triple in range(DayOfWeek.MONDAY, DayOfWeek.SATURDAY):
        week = [nights(info._replace(swap_rollover3days=triple), 20_157 + d) for d in range(7)]
        assert sum(week) == 7 and week[triple - 1] == 3 and week[5:] == [0, 0]
    assert [nights(info._replace(swap_rollover3days=7), 20_157 + d) for d in range(7)] == [1] * 7


def test_closing_deal_realises_the_swap(open_desk: Callable[..., Any]) -> None:
    desk = holding(open_desk)
    desk.advance(10 * 3600)
    (held,) = desk.broker.positions()
    desk.sell("EURUSD", 0.25, position=held.ticket)
    reduced = desk.broker.truth()["deals"][-1]
    assert (reduced["swap"], reduced["profit"]) == (-4.5, -2.5)
    assert desk.broker.positions()[0].swap == -13.5
    desk.sell("EURUSD", 0.75, position=held.ticket)
    assert desk.broker.truth()["deals"][-1]["swap"] == -13.5
    # 10,000 - 18 of swap - 10 of spread
    assert desk.broker.account().balance == 9_972.0


def test_reversal_realises_all_of_it(open_desk: Callable[..., Any]) -> None:
    desk = holding(open_desk, account={"margin_mode": "netting"})
    desk.advance(10 * 3600)
    desk.sell("EURUSD", 1.5)
    assert desk.broker.truth()["deals"][-1]["swap"] == -18.0
    assert desk.broker.positions()[0].swap == 0.0


def test_swap_does_not_count_as_a_change_of_volume(open_desk: Callable[..., Any]) -> None:
    desk = holding(open_desk)
    before = desk.broker.positions()[0]
    desk.advance(10 * 3600)
    after = desk.broker.positions()[0]
    assert after._replace(swap=0.0) == before


def test_restart_neither_forgets_nor_repeats_a_night(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    tables: dict[str, Any] = {"symbols": [{"name": "EURUSD", "swap_long": -6.0}]}
    desk = open_desk(books=tmp_path, **tables)
    desk.tick("EURUSD", 1.10000, 1.10010)
    desk.buy("EURUSD", 1.0)
    for start, swap in (
        ("2025-03-12T20:59:59Z", 0.0),
        # Midnight at the server, three hours ahead.
        ("2025-03-12T21:00:00Z", -18.0),
        ("2025-03-13T20:59:59Z", -18.0),
        ("2025-03-13T21:00:01Z", -24.0),
    ):
        desk = open_desk(books=tmp_path, clock={"mode": "stepped", "start": start}, **tables)
        assert desk.broker.positions()[0].swap == swap


@pytest.mark.parametrize(
    ("mode", "side", "closed_at", "opened_at"),
    [
        # Three nights of -6 points make a bought position dearer, three of 3 a sold one better.
        (7, "buy", 1.10000, 1.10018),
        (8, "buy", 1.10000, 1.10018),
        (7, "sell", 1.10010, 1.10019),
        (8, "sell", 1.10010, 1.10009),
    ],
)
@pytest.mark.parametrize("account", ["hedging", "netting"])
def test_modes_that_reopen_change_the_ticket_and_keep_the_identifier(
    open_desk: Callable[..., Any],
    account: str,
    mode: int,
    side: str,
    closed_at: float,
    opened_at: float,
) -> None:
    desk = holding(open_desk, side, swap_mode=mode, account={"margin_mode": account})
    (before,) = desk.broker.positions()
    desk.advance(HOURS_TO_MIDNIGHT * 3600)
    (after,) = desk.broker.positions()
    assert after.identifier == before.identifier == before.ticket
    assert after.ticket not in (before.ticket, 0)
    assert (after.price_open, after.swap, after.volume) == (opened_at, 0.0, 1.0)
    out, into = desk.broker.truth()["deals"][-2:]
    assert (out["entry"], out["price"], out["profit"], out["reason"]) == (1, closed_at, -10.0, 7)
    assert (into["entry"], into["price"], into["order"]) == (0, opened_at, after.ticket)
    assert {out["position_id"], into["position_id"]} == {after.identifier}
    assert [order["ticket"] for order in desk.broker.truth()["history"][-2:]] == [
        out["order"],
        into["order"],
    ]
    assert desk.broker.account().balance == 9_990.0
    # It is closed by the ticket that it has now.
    opposite = desk.sell if side == "buy" else desk.buy
    assert opposite("EURUSD", 1.0, position=after.ticket).retcode == TradeRetcode.DONE
    assert desk.broker.positions() == []


def test_weekends_reopen_nothing(open_desk: Callable[..., Any]) -> None:
    desk = holding(open_desk, swap_mode=7)
    desk.advance(HOURS_TO_MIDNIGHT * 3600 + 2 * DAY)
    friday = len(desk.broker.truth()["deals"])
    desk.advance(2 * DAY)
    assert len(desk.broker.truth()["deals"]) == friday
    desk.advance(DAY)
    assert len(desk.broker.truth()["deals"]) == friday + 2
