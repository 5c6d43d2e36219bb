"""The broker's books: what a killed terminal comes back with, and what it refuses to read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.simulator.broker.books import Books, BooksError, Journal
from tradingview_scraper.adapters.mt5.terminal.constants import DealReason, TradeRetcode

DONE = TradeRetcode.DONE
FILE = "account-5001234.jsonl"


def traded(open_desk: Callable[..., Any], books: Path) -> Any:
    """A desk with a closed and an open position."""
    desk = open_desk(books=books)
    desk.tick("EURUSD", 1.10000, 1.10010)
    first = desk.buy("EURUSD", 0.02, magic=1, sl=1.05)
    desk.advance(1)
    desk.tick("EURUSD", 1.10110, 1.10120)
    desk.sell("EURUSD", 0.01, position=first.order)
    desk.sell("EURUSD", 0.03, magic=2, tp=1.05)
    return desk


def reopened(open_desk: Callable[..., Any], desk: Any, books: Path) -> Any:
    """Another terminal on the same books, at the same moment."""
    again = open_desk(books=books)
    again.clock.advance((desk.clock.now_msc() - again.clock.now_msc()) / 1000)
    again.broker.advance_to(again.clock.now_msc())
    return again


def test_killed_terminal_resumes_with_the_same_books(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    desk = traded(open_desk, tmp_path)
    again = reopened(open_desk, desk, tmp_path)
    assert again.broker.truth() == desk.broker.truth()
    assert len(again.broker.positions()) == 2


def test_tickets_go_on_where_they_stopped(open_desk: Callable[..., Any], tmp_path: Path) -> None:
    desk = traded(open_desk, tmp_path)
    again = reopened(open_desk, desk, tmp_path)
    continued, untouched = again.buy("EURUSD", 0.01), desk.buy("EURUSD", 0.01)
    assert (continued.order, continued.deal) == (untouched.order, untouched.deal)
    assert continued.order > max(order["ticket"] for order in desk.broker.truth()["history"][:-1])


def test_deposit_is_made_once(open_desk: Callable[..., Any], tmp_path: Path) -> None:
    for _ in range(3):
        desk = open_desk(books=tmp_path, account={"balance": 500.0})
    assert desk.broker.account().balance == 500.0
    assert len(desk.broker.truth()["deals"]) == 1


def test_every_line_is_one_whole_event(open_desk: Callable[..., Any], tmp_path: Path) -> None:
    traded(open_desk, tmp_path)
    events = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert [sorted(event) for event in events[1:]] == [
        ["balance", "changes", "login", "msc", "tickets"]
    ] * 3
    (change,) = events[2]["changes"]
    assert sorted(change) == ["deal", "order", "position"]
    assert change["position"]["volume"] == 0.01
    assert change["deal"]["order"] == change["order"]["ticket"]


def test_answer_is_on_disk_before_it_is_given(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    desk = open_desk(books=tmp_path)
    desk.tick("EURUSD", 1.1, 1.1001)
    answer = desk.buy("EURUSD", 0.01)
    last = json.loads((tmp_path / FILE).read_text().splitlines()[-1])
    assert last["changes"][0]["deal"]["ticket"] == answer.deal


@pytest.mark.parametrize("torn", [b'{"login":5001234,"msc":1,"de', b"{}\x00\x00", b"[1"])
def test_torn_last_line_did_not_happen(
    open_desk: Callable[..., Any], tmp_path: Path, torn: bytes
) -> None:
    desk = traded(open_desk, tmp_path)
    truth = desk.broker.truth()
    with (tmp_path / FILE).open("ab") as file:
        file.write(torn)
    again = reopened(open_desk, desk, tmp_path)
    assert again.broker.truth() == truth
    # What comes next is not glued to the torn line.
    again.buy("EURUSD", 0.01)
    third = reopened(open_desk, again, tmp_path)
    assert third.broker.truth() == again.broker.truth()


def test_every_cut_of_the_journal_is_a_state_that_existed(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    """A kill at any byte leaves whole events: never half a trade."""
    traded(open_desk, tmp_path)
    raw = (tmp_path / FILE).read_bytes()
    whole = raw.splitlines(keepends=True)
    for cut in range(0, len(raw), 97):
        (tmp_path / FILE).write_bytes(raw[:cut])
        events = Journal(tmp_path / FILE).events
        complete = sum(1 for end in _ends(whole) if end <= cut)
        assert len(events) == complete


def _ends(lines: list[bytes]) -> list[int]:
    ends, total = [], 0
    for line in lines:
        total += len(line)
        ends.append(total)
    return ends


def test_damage_in_the_middle_is_refused_with_its_place(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    traded(open_desk, tmp_path)
    lines = (tmp_path / FILE).read_bytes().splitlines(keepends=True)
    lines[1] = b"garbage\n"
    (tmp_path / FILE).write_bytes(b"".join(lines))
    with pytest.raises(BooksError, match=r"account-5001234\.jsonl, line 2"):
        open_desk(books=tmp_path)


def test_balance_that_the_deals_do_not_make_is_refused(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    traded(open_desk, tmp_path)
    text = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(text.replace('"profit":100000.0', '"profit":100001.0'))
    with pytest.raises(BooksError, match=r"line 1.*balance"):
        open_desk(books=tmp_path)


def test_books_of_another_account_are_refused(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    traded(open_desk, tmp_path)
    (tmp_path / FILE).rename(tmp_path / "account-7.jsonl")
    with pytest.raises(BooksError, match="account 5001234"):
        open_desk(books=tmp_path, account={"login": 7})


def test_position_in_a_symbol_that_is_gone_is_refused(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    traded(open_desk, tmp_path)
    with pytest.raises(BooksError, match="'EURUSD'"):
        open_desk(books=tmp_path, symbols=["USDJPY"])


def test_each_account_has_a_file_of_its_own(open_desk: Callable[..., Any], tmp_path: Path) -> None:
    accounts = [{"login": 900, "balance": 5.0}]
    open_desk(books=tmp_path, accounts=accounts)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "account-5001234.jsonl",
        "account-900.jsonl",
    ]


def test_stop_that_was_touched_while_the_terminal_was_down_has_closed(
    open_desk: Callable[..., Any], tmp_path: Path
) -> None:
    settings = {"symbols": ["EURUSD"], "prices": {"synthetic": True}}
    desk = open_desk(books=tmp_path, **settings)
    quote = desk.market.quote("EURUSD")
    bought = desk.buy(
        "EURUSD", 0.01, sl=round(quote.bid - 0.0005, 5), tp=round(quote.bid + 0.0005, 5)
    )
    # The one terminal lives on; the other was killed and comes back six hours later.
    alone = open_desk(**settings)
    alone.buy("EURUSD", 0.01, sl=round(quote.bid - 0.0005, 5), tp=round(quote.bid + 0.0005, 5))
    alone.advance(6 * 3600)
    again = open_desk(books=tmp_path, clock={"start": "2025-03-12T18:00:00Z"}, **settings)
    assert again.broker.positions() == alone.broker.positions() == []
    expected, closed = (world.broker.truth()["deals"][-1] for world in (alone, again))
    assert closed == expected
    assert closed["position_id"] == bought.order
    assert closed["reason"] in (DealReason.SL, DealReason.TP)


def test_failed_write_changes_nothing(open_desk: Callable[..., Any], tmp_path: Path) -> None:
    desk = open_desk(books=tmp_path / "books")
    desk.tick("EURUSD", 1.1, 1.1001)
    truth = desk.broker.truth()
    file = tmp_path / "books" / FILE
    kept = file.read_bytes()
    file.unlink()
    file.mkdir()
    with pytest.raises(BooksError, match="cannot be written"):
        desk.buy("EURUSD", 0.01)
    assert desk.broker.truth() == truth
    file.rmdir()
    file.write_bytes(kept)
    assert desk.buy("EURUSD", 0.01).retcode == DONE


def test_cleared_books_begin_anew(open_desk: Callable[..., Any], tmp_path: Path) -> None:
    desk = traded(open_desk, tmp_path)
    Books(tmp_path).clear()
    again = reopened(open_desk, desk, tmp_path)
    assert (again.broker.positions(), again.market.quote("EURUSD").bid) == ([], 0.0)
    assert len(again.broker.truth()["deals"]) == 1


def test_books_in_memory_leave_no_file(open_desk: Callable[..., Any], tmp_path: Path) -> None:
    desk = open_desk()
    desk.tick("EURUSD", 1.1, 1.1001)
    assert desk.buy("EURUSD", 0.01).retcode == DONE
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=15), st.booleans())
def test_folding_gives_the_state_back_at_every_moment(
    open_desk: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, int]],
    hedging: bool,
) -> None:
    books = tmp_path_factory.mktemp("books")
    account = {"margin_mode": "hedging" if hedging else "netting"}
    desk = open_desk(books=books, account=account)
    desk.tick("EURUSD", 1.10000, 1.10010)
    for step, hundredths in steps:
        held = desk.broker.positions()
        if step < 2 or not held:
            desk.send(symbol="EURUSD", volume=hundredths / 100, type=step % 2)
        else:
            volume = min(hundredths / 100, held[0].volume)
            desk.send(
                symbol="EURUSD", volume=volume, type=1 - held[0].type, position=held[0].ticket
            )
        again = open_desk(books=books, account=account)
        assert again.broker.truth() == desk.broker.truth()
