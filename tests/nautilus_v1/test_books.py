"""Depth as order books."""

import math

from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.enums import BookAction, BookType, RecordFlag
from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.books import deltas, depth10, sides
from tradingview_scraper.adapters.mt5.terminal.records import BookInfo

ID = InstrumentId.from_str("#AAPL.MT5")
HOW = {"instrument_id": ID, "sequence": 7, "ts_event": 5, "ts_init": 6}
STEPS = {"price_precision": 2, "size_precision": 0, "lot": 1.0}
SNAPSHOT, LAST = int(RecordFlag.F_SNAPSHOT), int(RecordFlag.F_LAST)


def entry(kind: int, price: float, volume: float) -> BookInfo:
    return BookInfo(kind, price, round(volume), volume)


#: As a terminal shows it: sells first, prices descending.
BOOK = (entry(1, 10.2, 3), entry(1, 10.1, 4), entry(2, 10.0, 5), entry(2, 9.9, 6))


def test_sides_begin_with_the_best_price():
    levels = sides(BOOK, **STEPS)
    assert [(str(o.price), str(o.size)) for o in levels.bids] == [("10.00", "5"), ("9.90", "6")]
    assert [(str(o.price), str(o.size)) for o in levels.asks] == [("10.10", "4"), ("10.20", "3")]


def test_market_orders_and_what_is_no_level_are_left_out():
    odd = (entry(3, 10.1, 9), entry(4, 0.0, 9), entry(1, 0.0, 1), entry(2, 9.0, 0))
    assert sides((*BOOK, *odd, entry(2, math.nan, 1)), **STEPS) == sides(BOOK, **STEPS)


def test_entries_of_one_price_are_one_level_and_sizes_are_units():
    levels = sides((entry(1, 10.1, 0.5), entry(1, 10.1, 1.5)), **{**STEPS, "lot": 100.0})
    assert [(str(o.price), str(o.size)) for o in levels.asks] == [("10.10", "200")]


def test_deltas_are_a_snapshot_that_makes_the_same_book():
    snapshot = deltas(sides(BOOK, **STEPS), **HOW)
    flags = [delta.flags for delta in snapshot.deltas]
    assert [delta.action for delta in snapshot.deltas] == [BookAction.CLEAR] + [BookAction.ADD] * 4
    assert flags == [SNAPSHOT] * 4 + [SNAPSHOT | LAST]
    book = OrderBook(ID, BookType.L2_MBP)
    book.apply_deltas(snapshot)
    book.apply_deltas(snapshot)
    assert [str(level.price) for level in book.bids()] == ["10.00", "9.90"]
    assert [str(level.price) for level in book.asks()] == ["10.10", "10.20"]


def test_empty_book_is_one_clear_with_both_flags():
    (clear,) = deltas(sides((), **STEPS), **HOW).deltas
    assert (clear.action, clear.flags) == (BookAction.CLEAR, SNAPSHOT | LAST)


def test_depth_has_ten_levels_at_most_and_an_empty_one_none():
    many = [entry(1, 11 + n, 1) for n in range(12)] + [entry(2, 9.0, 2)]
    depth = depth10(sides(many, **STEPS), **HOW)
    assert [float(order.price) for order in depth.asks] == [float(11 + n) for n in range(10)]
    assert (depth.ask_counts, depth.bid_counts) == ([1] * 10, [1] + [0] * 9)
    assert depth10(sides((), **STEPS), **HOW).ask_counts == [0] * 10
