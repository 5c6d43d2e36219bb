"""Do the ids of a bracket's stops follow from the id of its entry, and only where they do?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.bracket_ids import StopIds, shape_for, stop_ids
from tradingview_scraper.adapters.mt5.rules.identity import SHAPES

ENTRY = "O-20260102-235959-001-000-7"
FOLLOWING = ["O-20260102-235959-001-000-8", "O-20260103-000000-001-000-9"]


@given(entry=st.sampled_from([ENTRY, "O-20260102-120000-T-1-S-A-9"]), shape=st.sampled_from(SHAPES))
def test_ids_and_shape_say_the_same(entry, shape):
    stops = stop_ids(entry, shape)
    if stops is not None:
        assert shape_for(entry, stops) == shape


def test_stops_of_the_order_factory_have_the_next_counts_also_over_midnight():
    stops = StopIds(*FOLLOWING, "OUO")
    assert stop_ids(ENTRY, shape_for(ENTRY, stops)) == stops


def test_shapes_stay_what_they_are():
    """Orders at venues carry them."""
    told = [stop_ids(ENTRY, shape) for shape in SHAPES]
    assert [None if ids is None else [*map(brief, ids[:2]), ids[2]] for ids in told] == [
        ["59-8", "59-9", "OUO"],
        ["59-8", "00-9", "OUO"],
        ["00-8", "00-9", "OUO"],
        ["59-8", "59-9", "OCO"],
        ["59-8", "00-9", "OCO"],
        ["00-8", "00-9", "OCO"],
        ["59-8", "", ""],
        ["00-8", "", ""],
        ["", "59-8", ""],
        ["", "00-8", ""],
        ["", "59-9", ""],
        ["", "00-9", ""],
        *[None] * 4,
    ]


def brief(text):
    return f"{text[15:17]}-{text[-1]}" if text else ""


@pytest.mark.parametrize(
    ("entry", "stops"),
    [
        ("named-by-hand", StopIds(*FOLLOWING, "OUO")),
        ("O-20269902-235959-001-000-7", StopIds(*FOLLOWING, "OUO")),
        (ENTRY, StopIds("named-by-hand", FOLLOWING[1], "OUO")),
        (ENTRY, StopIds(*reversed(FOLLOWING), "OUO")),
        (ENTRY, StopIds(*FOLLOWING, "")),
        (ENTRY, StopIds("", "", "")),
        (ENTRY, StopIds("O-20260102-235959-001-001-8", "", "")),
        (ENTRY, StopIds("O-20260102-235959-001-000-9", "", "")),
    ],
)
def test_other_ids_have_no_shape(entry, stops):
    assert shape_for(entry, stops) is None
