"""Is a server's zone inferred from live ticks only, and every jump explained or refused?"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.clock import (
    ClockState,
    LiveTicks,
    Look,
    infer,
    verdict,
)
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule

NEW_YORK = ZoneRule.parse("America/New_York+7h")
ATHENS = ZoneRule.parse("Europe/Athens")
NS = 1_000_000_000
# Their tables are worked out at the first question, which is no part of an example's time.
for zone in (NEW_YORK, ATHENS):
    zone.server_msc(0)


def utc(*when):
    return int(datetime(*when, tzinfo=UTC).timestamp()) * NS


moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31)).map(
    lambda moment: int(moment.replace(tzinfo=UTC).timestamp()) * NS
)


def seen(rule, at, *, late=0.4, rounds=3, symbols=("EURUSD", "BTCUSD")):
    """What a live market on a server with this rule shows from `at` on."""
    live = LiveTicks()
    for second in range(rounds):
        now = at + second * NS
        live.add(Look(s, rule.server_msc(now - int(late * NS)), now) for s in symbols)
    return live.offset


@given(at=moments, late=st.floats(0.0, 50.0))
def test_the_rule_of_a_live_server_is_verified_at_any_time(at, late):
    for rule in (NEW_YORK, ATHENS, ZoneRule.parse("UTC-3"), ZoneRule.parse("UTC")):
        offset = seen(rule, at, late=late)
        switches = rule.server_msc(at - 100 * NS) - rule.server_msc(at + 100 * NS) != -200_000
        assert switches or verdict(rule, offset, at).state is ClockState.VERIFIED


@given(at=moments)
def test_new_york_is_inferred_from_itself(at):
    offset = seen(NEW_YORK, at)
    switches = NEW_YORK.server_msc(at - 9 * NS) - NEW_YORK.server_msc(at + 9 * NS) != -18_000
    assert switches or infer(offset, at) == (NEW_YORK, True)


@given(age=st.integers(1, 200 * 3_600), at=moments)
def test_a_stale_tick_is_never_evidence(age, at):
    friday = NEW_YORK.server_msc(at - age * NS)
    live = LiveTicks()
    for second in range(5):
        live.add(Look(s, friday, at + second * NS) for s in ("EURUSD", "GBPUSD"))
    assert live.offset is None
    assert verdict(NEW_YORK, live.offset, at).state is ClockState.UNVERIFIED


def test_a_tick_that_appears_where_there_was_none_is_no_evidence():
    at = utc(2025, 3, 10, 12)
    live = LiveTicks()
    live.add([Look("EURUSD", 0, at)])
    live.add([Look("EURUSD", NEW_YORK.server_msc(at), at + NS)])
    assert live.offset is None


def test_one_live_tick_is_not_enough():
    at = utc(2025, 3, 10, 12)
    assert seen(NEW_YORK, at, rounds=2, symbols=("EURUSD",)) is None
    assert seen(NEW_YORK, at, rounds=2) == 3 * 3_600


def test_a_delayed_feed_does_not_outvote_the_live_one():
    at = utc(2025, 3, 10, 12)
    live = LiveTicks()
    for second in range(4):
        now = at + second * NS
        shown = NEW_YORK.server_msc(now)
        live.add([Look("EURUSD", shown, now)])
        live.add(Look(s, shown - 1_800_000, now) for s in ("#AAPL", "#MSFT", "#IBM"))
    assert live.offset == 3 * 3_600


def test_a_server_in_another_zone_is_refused_with_both_offsets():
    at = utc(2025, 3, 17, 12)
    found = verdict(NEW_YORK, seen(ATHENS, at), at)
    assert found.state is ClockState.WRONG
    assert "UTC+2 h" in found.text
    assert "UTC+3 h" in found.text


@pytest.mark.parametrize("rule", [NEW_YORK, ATHENS])
def test_the_switch_of_the_rule_explains_the_jump(rule):
    for year in range(2020, 2031):
        for month in (3, 10, 11):
            day = datetime(year, month, 1, 12, tzinfo=UTC)
            while day.month == month:
                at = int(day.timestamp()) * NS
                assert verdict(rule, seen(rule, at), at).state is ClockState.VERIFIED
                day += timedelta(days=1)


def test_an_offset_that_is_not_new_yorks_is_taken_as_it_is():
    at = utc(2025, 3, 17, 12)
    assert infer(-3 * 3_600, at) == (ZoneRule.parse("UTC-3"), False)
    assert infer(seen(ATHENS, at), at) == (ZoneRule.parse("UTC+2"), False)
