"""What is held, whichever of deals, records and the first reading comes first."""

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


def deal(lots: float, ticket: int, identifier: int = 1) -> Dealt:
    """A deal of signed lots; all are of the same millisecond."""
    blank = TradeDeal(*[0] * 9, *[0.0] * 6, "EURUSD", "", "")
    side = 0 if lots > 0 else 1
    return Dealt(
        blank._replace(type=side, volume=abs(lots), ticket=ticket, position_id=identifier), None
    )


def position(lots: float, identifier: int = 1, ticket: int | None = None) -> TradePosition:
    blank = TradePosition(*[0] * 9, *[0.0] * 7, "EURUSD", "", "")
    return blank._replace(
        ticket=ticket or identifier,
        identifier=identifier,
        type=0 if lots > 0 else 1,
        volume=abs(lots),
    )


def held(holdings: Holdings) -> dict[int, float]:
    """Signed lots by identifier."""
    return {one.identifier: round(one.volume * (1 - 2 * one.type), 8) for one in holdings}


def after(*facts, positions=(), deals=()) -> dict[int, float]:
    holdings = Holdings()
    holdings.watch()
    holdings.seed(positions, deals)
    for fact in facts:
        holdings.apply(fact)
    return held(holdings)


def test_deal_counts_before_the_position_is_shown():
    assert after(deal(-0.3, 1)) == {1: -0.3}
    assert after(deal(-0.3, 1), PositionOpened(position(-0.3))) == {1: -0.3}


def test_deal_that_a_record_has_overtaken_counts_once():
    assert after(PositionOpened(position(0.3)), deal(0.3, 1)) == {1: 0.3}


def test_deals_of_one_millisecond_all_count_and_each_once():
    first, second = deal(-0.1, 1), deal(-0.1, 2)
    assert after(first, second, first, positions=[position(0.3)]) == {1: 0.1}


def test_older_record_does_not_undo_a_deal():
    assert after(deal(0.3, 1), deal(-0.3, 2), PositionOpened(position(0.3))) == {}
    stale = PositionChanged(position(0.3), position(0.1))
    assert after(deal(-0.2, 1), stale, positions=[position(0.3)]) == {1: 0.1}


def test_reversal_of_a_net_position_turns_it():
    assert after(deal(-0.5, 1), positions=[position(0.3)]) == {1: -0.2}


def test_ticket_follows_the_record():
    holdings = Holdings()
    holdings.watch()
    holdings.seed([position(0.3)], [])
    holdings.apply(PositionChanged(position(0.3, ticket=77), position(0.3)))
    assert [(one.identifier, one.ticket) for one in holdings] == [(1, 77)]


def test_position_that_is_closed_is_gone():
    assert after(PositionClosed(position(0.3)), positions=[position(0.3)]) == {}


def test_deal_that_the_first_reading_contains_counts_once():
    holdings = Holdings()
    holdings.watch()
    contained, new = deal(0.1, 1), deal(0.2, 2)
    holdings.apply(contained)
    holdings.apply(new)
    holdings.seed([position(0.1)], [contained.deal])
    assert held(holdings) == {1: pytest.approx(0.3)}


lots = st.integers(-5, 5).filter(bool).map(lambda n: n / 100)


@given(st.lists(lots, min_size=1, max_size=8), st.data())
def test_what_is_held_is_the_sum_of_the_deals_that_were_told(moves, data):
    """Wherever the first reading was taken, and wherever the records come."""
    sums = [0.0, *(round(total, 8) for total in itertools.accumulate(moves))]
    if 0.0 in sums[1:]:
        # A closed position's identifier is not used again.
        end = sums.index(0.0, 1)
        sums, moves = sums[: end + 1], moves[:end]
    deals = [deal(move, n) for n, move in enumerate(moves, 1)]
    contained = data.draw(st.integers(0, len(deals)))
    records = [PositionChanged(position(one), position(0.5)) for one in sums if one]
    holdings = Holdings()
    holdings.watch()
    seeded_at = data.draw(st.integers(0, len(deals)))
    for fact in deals[:seeded_at]:
        holdings.apply(fact)
    base = [position(sums[contained])] if sums[contained] else []
    holdings.seed(base, [one.deal for one in deals[:contained]])
    told = max(contained, seeded_at)
    assert held(holdings) == ({1: sums[told]} if sums[told] else {})
    for number in range(seeded_at, len(deals)):
        if data.draw(st.booleans()):
            holdings.apply(data.draw(st.sampled_from(records)))
        holdings.apply(deals[number])
        told = max(contained, number + 1)
        assert held(holdings) == ({1: sums[told]} if sums[told] else {})
