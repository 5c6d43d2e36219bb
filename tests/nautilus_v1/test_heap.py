"""The collector leaves a built node alone, and frees what becomes garbage later."""

import gc
import weakref

from tradingview_scraper.adapters.mt5.nautilus_v1.heap import frozen_heap


class Knot:
    """Garbage that only the collector can free, once nobody holds it."""

    def __init__(self) -> None:
        self.myself = self


def test_what_is_there_is_not_walked_while_inside() -> None:
    before = gc.get_freeze_count()
    there = Knot()
    with frozen_heap():
        assert gc.get_freeze_count() > before
        assert not any(thing is there for thing in gc.get_objects())
    assert any(thing is there for thing in gc.get_objects())


def test_garbage_that_is_made_inside_is_freed_inside() -> None:
    with frozen_heap():
        knot = Knot()
        gone = weakref.ref(knot)
        del knot
        gc.collect()
        assert gone() is None


def test_garbage_from_before_is_freed_at_the_entrance() -> None:
    knot = Knot()
    gone = weakref.ref(knot)
    del knot
    with frozen_heap():
        assert gone() is None
