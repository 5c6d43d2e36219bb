"""Is a server's zone judged by live ticks only, and every jump explained or refused?"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.clock import (
    WINDOW_SECS,
    ClockState,
    LiveTicks,
    Look,
    infer,
)
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule

NEW_YORK = ZoneRule.parse("America/New_York+7h")
ATHENS = ZoneRule.parse("Europe/Athens")
NS = 1_000_000_000
TWO = ("EURUSD", "BTCUSD")
# Their tables are worked out at the first question, which is no part of an example's time.
for zone in (NEW_YORK, ATHENS):
    zone.server_msc(0)


def utc(*when):
    return int(datetime(*when, tzinfo=UTC).timestamp()) * NS


moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31)).map(
    lambda moment: int(moment.replace(tzinfo=UTC).timestamp()) * NS
)


def seen(shown_by, at, *, late=0.4, looks=3, symbols=TWO, live=None):
    """A market on a server with this rule, looked at every second up to `at`."""
    live = live or LiveTicks()
    for second in range(looks):
        now = at - (looks - 1 - second) * NS
        for symbol in symbols:
            live.add(Look(symbol, shown_by.server_msc(now - int(late * NS)), now))
    return live


def judged(live, at, rule=NEW_YORK, watched=2):
    return live.verdict(rule, at, watched=watched)


def switches(rule, at):
    """The clock is put forward or back about then."""
    return rule.server_msc(at - 100 * NS) - rule.server_msc(at + 100 * NS) != -200_000


@given(at=moments, late=st.floats(0.0, 50.0))
def test_the_rule_of_a_live_server_is_verified_at_any_time(at, late):
    for rule in (NEW_YORK, ATHENS, ZoneRule.parse("UTC-3"), ZoneRule.parse("UTC")):
        found = judged(seen(rule, at, late=late), at, rule)
        assert switches(rule, at) or found.state is ClockState.VERIFIED


@given(at=moments)
def test_new_york_is_inferred_from_itself(at):
    offset = seen(NEW_YORK, at).offset(at, watched=2)
    assert switches(NEW_YORK, at) or infer(offset, at) == (NEW_YORK, True)


@given(age=st.integers(1, 200 * 3_600), at=moments)
def test_scenario_32_a_stale_tick_is_never_evidence(age, at):
    friday = NEW_YORK.server_msc(at - age * NS)
    live = LiveTicks()
    for second in range(5):
        for symbol in ("EURUSD", "GBPUSD"):
            live.add(Look(symbol, friday, at + second * NS))
    found = judged(live, at + 5 * NS)
    assert (found.state, found.offset, found.symbols) == (ClockState.UNVERIFIED, None, ())


@given(age=st.integers(1, 200 * 3_600), at=moments)
def test_scenario_32_fridays_last_ticks_that_arrive_on_saturday_are_no_evidence(age, at):
    """A terminal that was offline catches up: every symbol moves once, to an old tick."""
    live = LiveTicks()
    for second, before in enumerate((50 * 3_600, age, age, age)):
        for symbol in TWO:
            shown = NEW_YORK.server_msc(at - (age + before) * NS)
            live.add(Look(symbol, shown, at + second * NS))
    assert judged(live, at + 5 * NS).state is ClockState.UNVERIFIED


def test_a_tick_that_appears_where_there_was_none_is_no_move():
    at = utc(2025, 3, 10, 12)
    live = LiveTicks()
    for second, shown in enumerate((0, NEW_YORK.server_msc(at + NS), NEW_YORK.server_msc(at))):
        for symbol in TWO:
            assert not live.add(Look(symbol, shown, at + second * NS))


def test_looks_that_follow_each_other_at_once_count_as_one():
    at = utc(2025, 3, 10, 12)
    live = LiveTicks()
    for number in range(10):
        now = at + number * NS // 100
        for symbol in TWO:
            assert not live.add(Look(symbol, NEW_YORK.server_msc(now), now))


def test_two_symbols_must_agree_not_two_looks_at_one():
    at = utc(2025, 3, 10, 12)
    found = judged(seen(NEW_YORK, at, looks=9, symbols=("EURUSD",)), at)
    assert (found.state, found.offset) == (ClockState.UNVERIFIED, None)
    assert "only EURUSD shows a server clock of UTC+3 h" in found.text
    assert judged(seen(NEW_YORK, at), at).state is ClockState.VERIFIED


def test_the_only_symbol_is_believed_and_the_verdict_says_so():
    at = utc(2025, 3, 10, 12)
    found = judged(seen(NEW_YORK, at, symbols=("EURUSD",)), at, watched=1)
    assert (found.state, found.symbols) == (ClockState.VERIFIED, ("EURUSD",))
    assert "no other symbol is subscribed to" in found.text


def test_evidence_expires():
    at = utc(2025, 3, 10, 12)
    live = seen(NEW_YORK, at)
    later = at + int((WINDOW_SECS - 1) * NS)
    assert judged(live, later - NS).state is ClockState.VERIFIED
    assert judged(live, later + NS).state is ClockState.UNVERIFIED


def test_a_summer_offset_does_not_outlive_the_autumn_switch():
    """Ticks of the hour before it are compared with the rule of their own time."""
    switch = utc(2025, 11, 2, 6)
    live = seen(NEW_YORK, switch - 30 * NS)
    found = judged(live, switch + 30 * NS)
    assert (found.state, found.offset) == (ClockState.VERIFIED, 2 * 3_600)
    # The repeated hour steps back: nothing moves. Behind it, the clock is an hour less ahead.
    seen(NEW_YORK, switch + 30 * NS, live=live)
    assert judged(live, switch + 30 * NS).state is ClockState.VERIFIED
    seen(NEW_YORK, switch + 7_200 * NS, live=live)
    assert judged(live, switch + 7_200 * NS).state is ClockState.VERIFIED


def test_a_rule_without_the_switch_is_found_out_after_it():
    summer, rule = utc(2025, 10, 30, 12), ZoneRule.parse("UTC+3")
    live = seen(NEW_YORK, summer)
    assert judged(live, summer, rule).state is ClockState.VERIFIED
    winter = utc(2025, 11, 3, 12)
    found = judged(seen(NEW_YORK, winter, live=live), winter, rule)
    assert (found.state, found.offset) == (ClockState.WRONG, 2 * 3_600)
    assert "'America/New_York+7h' fits now" in found.text


def test_a_delayed_feed_does_not_outvote_the_live_ones():
    at = utc(2025, 3, 10, 12)
    live = seen(NEW_YORK, at)
    seen(NEW_YORK, at, late=1_800.4, symbols=("#AAPL", "#MSFT", "#IBM"), live=live)
    found = judged(live, at, watched=5)
    assert (found.state, found.symbols) == (ClockState.VERIFIED, ("BTCUSD", "EURUSD"))
    only_one = seen(NEW_YORK, at, symbols=("EURUSD",))
    seen(NEW_YORK, at, late=1_800.4, symbols=("#AAPL", "#MSFT"), live=only_one)
    assert judged(only_one, at, watched=3).state is ClockState.UNVERIFIED


def test_a_smaller_offset_is_a_delayed_feed_or_a_wrong_zone_and_both_are_said():
    at = utc(2025, 3, 17, 12)
    found = judged(seen(ATHENS, at), at)
    assert (found.state, found.offset) == (ClockState.WRONG, 2 * 3_600)
    assert "UTC+2 h, expected UTC+3 h" in found.text
    assert "delayed by 1 h" in found.text and "set server_time_zone" in found.text


def test_a_larger_offset_is_never_a_delay():
    at = utc(2025, 3, 17, 12)
    found = judged(seen(NEW_YORK, at), at, ATHENS)
    assert (found.state, found.offset) == (ClockState.WRONG, 3 * 3_600)
    assert "delayed" not in found.text
    assert "'America/New_York+7h' fits now" in found.text


def test_a_symbol_that_is_forgotten_is_no_evidence():
    at = utc(2025, 3, 10, 12)
    live = seen(NEW_YORK, at)
    live.forget("EURUSD")
    assert judged(live, at).state is ClockState.UNVERIFIED
    assert not live.add(Look("EURUSD", NEW_YORK.server_msc(at + NS), at + NS))


@pytest.mark.parametrize("rule", [NEW_YORK, ATHENS])
def test_scenario_32_the_switch_of_the_rule_explains_the_jump(rule):
    for year in range(2020, 2031):
        for month in (3, 10, 11):
            live, day = LiveTicks(), datetime(year, month, 1, 12, tzinfo=UTC)
            while day.month == month:
                at = int(day.timestamp()) * NS
                assert judged(seen(rule, at, live=live), at, rule).state is ClockState.VERIFIED
                day += timedelta(days=1)


def test_an_offset_that_is_not_new_yorks_is_taken_as_it_is():
    at = utc(2025, 3, 17, 12)
    assert infer(-3 * 3_600, at) == (ZoneRule.parse("UTC-3"), False)
    assert infer(seen(ATHENS, at).offset(at, watched=2), at) == (ZoneRule.parse("UTC+2"), False)
