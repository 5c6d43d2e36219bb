"""The server's clock: zones, stepping, and being wrong."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.schema import ClockSpec
from tradingview_scraper.adapters.mt5.simulator.zone import ServerZone

HOUR = 3_600_000


def msc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def stepped(start: str, zone: str = "America/New_York+7h") -> Clock:
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    return Clock(ClockSpec(mode="stepped", start=moment, zone=zone))


@pytest.mark.parametrize(
    ("zone", "utc", "server"),
    [
        ("America/New_York+7h", "2025-01-15T12:00", "2025-01-15T14:00"),
        ("America/New_York+7h", "2025-07-15T12:00", "2025-07-15T15:00"),
        # The United States have summer time already, Europe does not yet.
        ("America/New_York+7h", "2025-03-17T12:00", "2025-03-17T15:00"),
        ("Europe/Athens", "2025-03-17T12:00", "2025-03-17T14:00"),
        ("Europe/Athens", "2025-04-01T12:00", "2025-04-01T15:00"),
        ("America/Sao_Paulo", "2025-04-01T12:00", "2025-04-01T09:00"),
        ("UTC", "2025-04-01T12:00", "2025-04-01T12:00"),
        ("UTC+2", "2025-04-01T12:00", "2025-04-01T14:00"),
        ("UTC-03:30", "2025-04-01T12:00", "2025-04-01T08:30"),
    ],
)
def test_server_time_follows_its_zone(zone: str, utc: str, server: str) -> None:
    assert stepped(utc, zone).now_msc() == msc(server)


def test_fx_week_of_a_new_york_server_begins_on_monday_midnight_all_year() -> None:
    # Sunday 17:00 in New York, in winter and in summer.
    for utc in ("2025-01-05T22:00", "2025-03-09T21:00", "2025-07-06T21:00", "2025-11-02T22:00"):
        opened = datetime.fromtimestamp(stepped(utc).now_msc() / 1000, UTC)
        assert (opened.weekday(), opened.hour, opened.minute) == (0, 0, 0)


def test_stepped_clock_stands_still_until_advanced() -> None:
    clock = stepped("2025-01-15T12:00")
    before = clock.now_msc()
    assert clock.now_msc() == before
    clock.advance(1.5)
    assert clock.now_msc() == before + 1500


def test_clock_does_not_advance_backwards() -> None:
    with pytest.raises(ValueError, match="use shift"):
        stepped("2025-01-15T12:00").advance(-1)


def test_shifted_clock_is_wrong_either_way_while_utc_is_not() -> None:
    clock = stepped("2025-01-15T12:00")
    before, utc = clock.now_msc(), clock.utc_msc()
    clock.shift(-90)
    assert clock.now_msc() == before - 90_000
    clock.shift(100)
    assert clock.now_msc() == before + 10_000
    assert clock.utc_msc() == utc


def test_spring_switch_jumps_an_hour_forward_at_the_server() -> None:
    clock = stepped("2025-03-09T06:59:59")
    before = clock.now_msc()
    clock.advance(1)
    assert clock.now_msc() == before + 1000 + HOUR


def test_autumn_switch_repeats_an_hour_at_the_server() -> None:
    clock = stepped("2025-11-02T05:59:59")
    before = clock.now_msc()
    clock.advance(1)
    assert clock.now_msc() == before + 1000 - HOUR


def test_real_clock_follows_this_machine_and_can_jump_forward() -> None:
    clock = Clock(ClockSpec(zone="UTC"))
    before = time.time_ns() // 1_000_000
    now = clock.now_msc()
    assert before <= now <= time.time_ns() // 1_000_000
    clock.advance(3600)
    assert clock.now_msc() >= now + HOUR


@pytest.mark.parametrize(
    "text", ["", "Mars/North", "UTC+15", "UTC+2:5", "New York", "America/New_York+7", "+7h", "/etc"]
)
def test_unknown_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a zone like"):
        ServerZone(text)


@given(st.integers(0, 4_000_000_000_000))
def test_fixed_offset_is_the_same_at_all_times(utc: int) -> None:
    assert ServerZone("UTC+05:30").offset_msc(utc) == 5 * HOUR + HOUR // 2


@given(st.integers(946_684_800, 2_000_000_000))
def test_new_york_is_two_or_three_hours_behind_the_server_offset(second: int) -> None:
    zone = ServerZone("America/New_York+7h")
    assert zone.offset_msc(second * 1000) in (2 * HOUR, 3 * HOUR)
