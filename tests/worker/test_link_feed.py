"""Does a link feed say that the terminal has lost its trade server, and nothing else?"""

import pytest

from tradingview_scraper.adapters.mt5.worker.library import CallFailed
from tradingview_scraper.adapters.mt5.worker.link_feed import LinkFeed


def test_the_record_comes_at_once_and_when_the_link_changes(library):
    feed = LinkFeed(library, 3, 0.25)
    report, due = feed.step(10.0)
    assert (report.watch, report.seq, report.terminal.connected) == (3, 1, True)
    assert due == 10.25
    assert feed.step(10.25)[0] is None

    library.is_linked = False
    report, _ = feed.step(10.5)
    assert (report.seq, report.terminal.connected) == (2, False)
    assert feed.step(10.75)[0] is None


def test_a_failed_look_is_repeated_and_loses_nothing(library):
    feed = LinkFeed(library, 3, 0.25)
    feed.step(0.0)
    library.is_linked = False
    library.failures["terminal_info"] = [(-1, "Terminal: Call failed")]
    with pytest.raises(CallFailed):
        feed.step(0.25)
    assert feed.failed(0.25) == 0.5
    assert feed.step(0.5)[0].terminal.connected is False
