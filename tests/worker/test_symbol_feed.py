"""Does a symbol feed say what has changed, once, and whether the symbol ticks?"""

import pytest

from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo, TerminalInfo
from tradingview_scraper.adapters.mt5.worker.library import CallFailed
from tradingview_scraper.adapters.mt5.worker.symbol_feed import SymbolFeed

FIELDS = [SymbolInfo._fields.index(field) for field in ("trade_mode", "swap_long")]
NOT_FOUND = (-4, "Terminal: Not found")


_ZEROS = {bool: False, int: 0, float: 0.0, str: ""}


def blank(record, **fields):
    return record(**{name: _ZEROS[kind] for name, kind in record.__annotations__.items()} | fields)


class World:
    """A library with one symbol and a link."""

    def __init__(self, library):
        self.info = blank(SymbolInfo, name="EURUSD", trade_mode=4, time=1_000)
        self.connected = True
        self.library = library
        library._symbol_info = lambda symbol: self.info
        library._terminal_info = lambda: tuple(blank(TerminalInfo, connected=self.connected))

    def feed(self, quiet_secs=0.0, *, selects=True):
        return SymbolFeed(self.library, 4, "EURUSD", 1.0, FIELDS, quiet_secs, selects)

    def change(self, **fields):
        self.info = self.info._replace(**fields)


@pytest.fixture
def world(library):
    return World(library)


def test_the_record_comes_at_once_and_then_when_a_field_changes(world):
    feed = world.feed()
    assert feed.step(0.0)[0].info == world.info
    assert feed.step(1.0) == (None, 2.0)

    world.change(bid=1.5, time=1_001)
    assert feed.step(2.0)[0] is None
    world.change(swap_long=-7.0)
    assert feed.step(3.0)[0].info.swap_long == -7.0
    assert feed.step(4.0)[0] is None


def test_quotes_that_stop_and_begin_again_are_told(world):
    feed = world.feed(quiet_secs=3.0)
    assert feed.step(0.0)[0].quiet is None
    world.change(time=1_001)
    assert feed.step(1.0)[0].quiet is False
    assert [feed.step(now)[0] for now in (2.0, 3.0)] == [None, None]
    assert feed.step(4.0)[0].quiet is True
    world.change(time=1_007)
    assert feed.step(5.0)[0].quiet is False


def test_a_first_quote_is_no_sign_of_life(world):
    world.change(time=0)
    feed = world.feed(quiet_secs=3.0)
    assert feed.step(0.0)[0].quiet is None
    world.change(time=900)
    assert feed.step(1.0)[0] is None
    assert feed.step(4.0)[0].quiet is True


def test_the_link_to_the_trade_server_is_told(world):
    feed = world.feed(quiet_secs=3.0)
    assert feed.step(0.0)[0].connected
    world.connected = False
    assert not feed.step(1.0)[0].connected


def test_a_symbol_that_is_gone_is_told_once_and_waited_for(world):
    feed = world.feed()
    feed.step(0.0)
    world.library.failures["symbol_info"] = [NOT_FOUND]
    assert feed.step(1.0)[0].info is None
    world.library.failures["symbol_select"] = [NOT_FOUND]
    assert feed.step(2.0)[0] is None
    assert feed.step(3.0)[0].info == world.info


def test_another_failure_is_none_of_the_symbols(world):
    feed = world.feed()
    world.library.failures["symbol_info"] = [(-1, "Terminal: Call failed")]
    with pytest.raises(CallFailed):
        feed.step(0.0)
    assert feed.failed(0.0) == 2.0
    assert feed.step(2.0)[0].info == world.info


@pytest.mark.parametrize("selects", [True, False])
def test_a_definition_can_be_read_without_market_watch(world, selects):
    world.feed(selects=selects).step(0.0)
    assert world.library.count("symbol_select") == selects
