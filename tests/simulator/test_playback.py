"""Does a journal, played into a fresh terminal, make the same books?"""

import pytest

import tradingview_scraper.adapters.mt5.simulator as mt5
from tests.simulator.test_journal import BUY, KEPT, a_day_of_trouble
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.simulator.playback import play

SCENARIO = {**KEPT, "prices": {"rate": 1.0}}


def test_a_day_of_trouble_played_again_makes_the_same_books_and_journal():
    with launch(SCENARIO) as first:
        entries, books = a_day_of_trouble(first)
    assert any(entry.get("scheduled") for entry in entries)
    assert len(books["deals"]) > 20
    with launch(SCENARIO) as again:
        play(entries, again)
        assert again.books() == books
        assert again.journal() == entries


def test_money_and_trades_by_hand_are_played_too():
    with launch(SCENARIO) as first:
        first.operate("balance", 500.0, "more")
        first.trade_by_hand(**BUY)
        first.advance(100)
        first.login(5001235)
        first.operate("credit", 50.0)
        entries, books = first.journal(), first.books()
    with launch(SCENARIO) as again:
        play(entries, again)
        assert again.books() == books
        again.login(5001234)
        assert again.books()["account"]["balance"] == 100_496.5 + 3.15


def test_a_journal_is_played_only_as_far_as_the_terminal_lives():
    line = {"at": "2025.03.10 15:00:00.000", "verb": "live_update", "arguments": {}}
    with launch(SCENARIO) as terminal, pytest.raises(ValueError, match="live_update"):
        play([line], terminal)


def test_a_call_whose_reply_was_lost_is_made_and_lost_again():
    with launch(SCENARIO) as first:
        mt5.initialize(first.path)
        first.lose_reply("order_send")
        assert mt5.order_send(BUY) is None
        mt5.initialize(first.path)
        assert mt5.order_send(BUY).retcode == 10009
        mt5.shutdown()
        entries, books = first.journal(), first.books()
    assert len(books["positions"]) == 2
    with launch(SCENARIO) as again:
        play(entries, again)
        assert again.books() == books
