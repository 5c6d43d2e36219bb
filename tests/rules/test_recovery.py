"""Is the client order id behind a magic number found, and only when it is the only one?"""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules import recovery
from tradingview_scraper.adapters.mt5.rules.bracket_ids import StopIds, shape_for
from tradingview_scraper.adapters.mt5.rules.identity import magic
from tradingview_scraper.adapters.mt5.rules.recovery import (
    AFTER_SECS,
    BEFORE_SECS,
    COUNTS,
    IdSearch,
    Recovered,
    default_id,
)

seconds = st.integers(1_600_000_000, 2_000_000_000)
counts = st.sampled_from(COUNTS)
tags = st.sampled_from(["000", "001", "EUR"])


def test_default_id_is_the_one_that_nautilus_makes():
    second = int(datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC).timestamp())
    assert default_id(second, "001", "000", 1) == "O-20260102-120000-001-000-1"


@settings(deadline=None, max_examples=25)
@given(made=seconds, late=st.integers(-AFTER_SECS, BEFORE_SECS), tag=tags, count=counts)
def test_an_id_is_found_from_the_time_at_the_server(made, late, tag, count):
    search = IdSearch(1000, "001", ["000", "001", "EUR"])
    text = default_id(made, "001", tag, count)
    assert search.find(magic(1000, text), made + late) == Recovered(text, tag)
    assert search.unseen(made + late) == 0


@settings(deadline=None, max_examples=25)
@given(
    made=seconds,
    late=st.one_of(st.integers(-900, -AFTER_SECS - 1), st.integers(BEFORE_SECS + 1, 900)),
)
def test_an_id_of_another_time_is_not_guessed(made, late):
    search = IdSearch(1000, "001", ["000"])
    assert search.find(magic(1000, default_id(made, "001", "000", 1)), made + late) is None


@settings(deadline=None, max_examples=25)
@given(made=seconds, text=st.text(min_size=1, max_size=36))
def test_an_id_of_another_format_namespace_or_strategy_is_not_guessed(made, text):
    search = IdSearch(1000, "001", ["000"])
    assert search.find(magic(1000, text), made) is None
    assert search.find(magic(1001, default_id(made, "001", "000", 1)), made) is None
    assert search.find(magic(1000, default_id(made, "001", "001", 1)), made) is None
    assert search.find(magic(1000, default_id(made, "002", "000", 1)), made) is None
    assert search.find(magic(1000, default_id(made, "001", "000", COUNTS.stop)), made) is None


@settings(deadline=None, max_examples=25)
@given(
    made=seconds,
    late=st.integers(-AFTER_SECS, BEFORE_SECS),
    count=counts,
    contingency=st.sampled_from(["OUO", "OCO", ""]),
    second=st.sampled_from([0, 1]),
)
def test_the_entry_of_a_bracket_tells_the_ids_of_its_stops(made, late, count, contingency, second):
    entry = default_id(made, "001", "000", count)
    sl, tp = (default_id(made + second, "001", "000", count + n) for n in (1, 2))
    stops = StopIds(sl, tp, contingency) if contingency else StopIds("", tp, "")
    number = magic(1000, entry, shape_for(entry, stops))
    found = IdSearch(1000, "001", ["000", "001"]).find(number, made + late)
    assert found == Recovered(entry, "000", stops)


def test_two_ids_with_one_magic_number_are_none(monkeypatch):
    """A hash of a few bits, in which ids collide."""
    made = 1_750_000_000

    def coarse(namespace, text, shape=None):
        return namespace * 10**11 + (magic(namespace, text) % 1_000 << 6)

    monkeypatch.setattr(recovery, "magic", coarse)
    search = IdSearch(1000, "001", ["000"])
    assert search.find(coarse(1000, default_id(made, "001", "000", 1)), made) is None
