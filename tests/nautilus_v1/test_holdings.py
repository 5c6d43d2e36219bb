"""What is held, whichever of deal and position is told first."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.nautilus_v1.holdings import Holdings
from tradingview_scraper.adapters.mt5.rules.facts import (
    Dealt,
    PositionChanged,
    PositionClosed,
    PositionOpened,
)
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradePosition


def deal(lots: float, at: int, identifier: int = 1) -> Dealt:
    """A deal of signed lots."""
    blank = TradeDeal(*[0] * 9, *[0.0] * 6, "EURUSD", "", "")
    side = 0 if lots > 0 else 1
    return Dealt(
        blank._replace(type=side, volume=abs(lots), time_msc=at, position_id=identifier), None
    )


def position(lots: float, at: int, identifier: int = 1) -> TradePosition:
    blank = TradePosition(*[0] * 9, *[0.0] * 7, "EURUSD", "", "")
    return blank._replace(
        ticket=identifier,
        identifier=identifier,
        type=0 if lots > 0 else 1,
        volume=abs(lots),
        time_msc=at,
        time_update_msc=at,
    )


def held(holdings: Holdings) -> dict[int, float]:
    """Signed lots by identifier."""
    return {one.identifier: one.volume * (1 - 2 * one.type) for one in holdings}


def after(*facts) -> dict[int, float]:
    holdings = Holdings()
    for fact in facts:
        holdings.apply(fact)
    return held(holdings)


def test_deal_counts_before_the_position_is_shown():
    assert after(deal(-0.3, 10)) == {1: -0.3}
    assert after(deal(-0.3, 10), PositionOpened(position(-0.3, 10))) == {1: -0.3}


def test_deal_that_the_position_contains_counts_once():
    assert after(PositionOpened(position(0.3, 10)), deal(0.3, 10)) == {1: 0.3}


def test_deal_that_reduces_counts_before_the_position_says_so():
    opened = position(0.3, 10)
    assert after(PositionOpened(opened), deal(-0.1, 20)) == {1: pytest.approx(0.2)}
    changed = PositionChanged(position(0.2, 20), opened)
    assert after(PositionOpened(opened), changed, deal(-0.1, 20)) == {1: 0.2}


def test_deals_of_one_millisecond_all_count():
    assert after(PositionOpened(position(0.3, 10)), deal(-0.1, 20), deal(-0.1, 20)) == {
        1: pytest.approx(0.1)
    }


def test_older_record_does_not_undo_a_deal():
    assert after(deal(0.3, 10), deal(-0.3, 20), PositionOpened(position(0.3, 10))) == {}


def test_deal_that_shows_after_the_close_opens_nothing():
    assert after(PositionClosed(position(0.3, 10)), deal(0.3, 10)) == {}


def test_reversal_of_a_net_position_turns_it():
    assert after(PositionOpened(position(0.3, 10)), deal(-0.5, 20)) == {1: pytest.approx(-0.2)}


def test_position_that_a_fact_closed_is_not_brought_back_by_an_older_reading():
    holdings = Holdings()
    holdings.watch()
    holdings.apply(PositionClosed(position(0.1, 10)))
    holdings.seed([position(0.1, 10), position(0.2, 10, identifier=2)])
    assert held(holdings) == {2: 0.2}


lots = st.integers(-5, 5).filter(bool).map(lambda n: n / 100)


@given(st.lists(lots, min_size=1, max_size=6), st.data())
def test_every_interleaving_of_deals_and_records_ends_with_the_truth(moves, data):
    """Deals come in their order and so do records, but either may be ahead of the other."""
    sums = [round(total, 8) for total in itertools.accumulate(moves)]
    if 0.0 in sums:
        sums, moves = sums[: sums.index(0.0) + 1], moves[: sums.index(0.0) + 1]
    deals = [deal(move, 10 * n) for n, move in enumerate(moves, 1)]
    records = [
        PositionChanged(position(total, 10 * n), position(total, 0))
        for n, total in enumerate(sums, 1)
        if total
    ]
    if not sums[-1]:
        records.append(PositionClosed(position(sums[0], 10)))
    holdings = Holdings()
    while deals or records:
        takes_deal = deals and (not records or data.draw(st.booleans()))
        holdings.apply((deals if takes_deal else records).pop(0))
    assert held(holdings) == ({1: pytest.approx(sums[-1])} if sums[-1] else {})
