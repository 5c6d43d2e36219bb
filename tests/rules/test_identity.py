"""Does a magic number carry the identity of an order, and only of ours?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.identity import (
    NAMESPACES,
    SHAPES,
    magic,
    namespace_of,
    shape_of,
    short_hash,
)

shapes = st.sampled_from([None, *SHAPES])
namespaces = st.sampled_from(NAMESPACES)
ids = st.text(min_size=1, max_size=40)


@given(namespace=namespaces, client_order_id=ids, shape=shapes)
def test_namespace_and_shape_can_be_read_back(namespace, client_order_id, shape):
    number = magic(namespace, client_order_id, shape)
    assert shape_of(number) == shape
    assert short_hash(number) == short_hash(magic(namespace, client_order_id))
    assert namespace_of(number) == namespace
    assert str(number).startswith(str(namespace))
    assert len(str(number)) == 15


@given(namespace=namespaces, client_order_id=ids, shape=shapes)
def test_number_is_exact_as_a_float(namespace, client_order_id, shape):
    number = magic(namespace, client_order_id, shape)
    assert number < 2**53
    assert int(float(number)) == number


def test_number_is_the_same_in_every_process_and_release():
    assert magic(4711, "O-20260102-120000-001-000-1") == 471108638406626
    assert magic(4711, "O-20260102-120000-001-000-1", 3) == 471172075677311


@given(one=ids, other=ids)
def test_ids_that_differ_have_numbers_that_differ(one, other):
    assert (magic(1000, one) == magic(1000, other)) == (one == other)


def test_a_session_of_orders_does_not_collide():
    numbers = {magic(1234, f"O-20260102-120000-001-000-{n}") for n in range(20_000)}
    assert len(numbers) == 20_000


@pytest.mark.parametrize("namespace", [0, 999, 10_000, -1000])
def test_namespace_must_have_four_digits(namespace):
    with pytest.raises(ValueError, match=f"within 1000..9999, was {namespace}"):
        magic(namespace, "O-1")


def test_shape_must_fit():
    with pytest.raises(ValueError, match="shape must be within"):
        magic(1000, "O-1", 16)


def test_order_without_an_id_has_no_number():
    with pytest.raises(ValueError, match="must not be empty"):
        magic(1000, "")


@pytest.mark.parametrize(
    "number",
    [
        0,
        1,
        234000,
        456,
        10**11 * 999,
        10**11 * 10_000,
        10**11 * 1000 + 2**36 + 2**34,
        -1,
        2**64 - 1,
    ],
)
def test_numbers_of_others_have_no_namespace(number):
    assert namespace_of(number) is None
    assert shape_of(number) is None


def test_largest_number_of_a_namespace_is_ours():
    assert namespace_of(10**11 * 9999 + 2**36 + 2**34 - 1) == 9999
