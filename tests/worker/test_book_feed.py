"""Is the depth asked for while somebody watches, sent when it changed, and given back?"""

from collections import Counter

import pytest

from tradingview_scraper.adapters.mt5.terminal.records import BookInfo
from tradingview_scraper.adapters.mt5.worker.book_feed import BookFeed
from tradingview_scraper.adapters.mt5.worker.library import CallFailed

BOOK = (BookInfo(1, 1.2, 3, 3.0), BookInfo(2, 1.1, 4, 4.0))


class Library:
    """Depth of one symbol, and what was asked."""

    def __init__(self) -> None:
        self.entries = BOOK
        self.refuses = False
        self.calls: list[str] = []

    def last_error(self):
        return (1, "Success")

    def symbol_select(self, symbol, enable):
        return True

    def market_book_add(self, symbol):
        self.calls.append("add")
        return not self.refuses

    def market_book_get(self, symbol):
        return self.entries

    def market_book_release(self, symbol):
        self.calls.append("release")
        return True


@pytest.fixture
def depth():
    return Library()


@pytest.fixture
def feed_of(depth):
    users: Counter[str] = Counter()
    return lambda watch=1: BookFeed(depth, watch, "#AAPL", 0.05, users)


def test_a_book_is_sent_at_once_and_then_when_it_is_another(depth, feed_of):
    feed = feed_of()
    first, due = feed.step(10.0)
    assert (first.seq, first.entries) == (1, BOOK)
    assert feed.step(due)[0] is None
    depth.entries = ()
    second, _ = feed.step(due + 1)
    assert (second.seq, second.entries) == (2, ())


def test_an_empty_book_is_sent_as_well(depth, feed_of):
    depth.entries = ()
    assert feed_of().step(0.0)[0].entries == ()


def test_the_depth_is_added_by_the_first_feed_and_released_by_the_last(depth, feed_of):
    first, second = feed_of(1), feed_of(2)
    first.step(0.0)
    second.step(0.0)
    first.close()
    first.close()
    assert depth.calls == ["add"]
    second.close()
    assert depth.calls == ["add", "release"]


def test_a_refusal_without_an_error_code_is_a_failure(depth, feed_of):
    depth.refuses = True
    feed = feed_of()
    with pytest.raises(CallFailed, match="no depth"):
        feed.step(0.0)
    assert feed.failed(0.0) > 0.0
    depth.refuses = False
    assert feed.step(1.0)[0].entries == BOOK
