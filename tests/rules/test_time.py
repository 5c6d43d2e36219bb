"""Is server time converted as the server's clock runs? Compared with the zone database itself."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

NEW_YORK = ZoneRule.parse("America/New_York+7h")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: The rule, and the same rule in terms of the zone database: zone and hours to add.
RULES = [
    ("America/New_York+7h", "America/New_York", 7.0),
    ("Europe/Athens", "Europe/Athens", 0.0),
    ("Africa/Casablanca-1h", "Africa/Casablanca", -1.0),
    ("Australia/Lord_Howe", "Australia/Lord_Howe", 0.0),
    ("UTC", "UTC", 0.0),
    ("UTC+2", "UTC", 2.0),
    ("UTC-03:30", "UTC", -3.5),
]

moments = st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
#: Many moments around the switches of the clocks.
switches = st.builds(
    lambda day, ms: day + timedelta(milliseconds=ms),
    st.sampled_from(
        [
            datetime(2024, 3, 10, 7, tzinfo=UTC),
            datetime(2024, 11, 3, 6, tzinfo=UTC),
            datetime(2025, 3, 30, 1, tzinfo=UTC),
            datetime(2025, 10, 26, 1, tzinfo=UTC),
            datetime(2026, 4, 4, 15, tzinfo=UTC),
        ]
    ),
    st.integers(-8_000_000, 8_000_000),
)


def nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1_000


def milliseconds(wall: datetime) -> int:
    return (wall.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


def server_wall(moment: datetime, zone: str, hours: float) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + timedelta(hours=hours)


def is_second_pass(moment: datetime, zone: str) -> bool:
    return bool(moment.astimezone(ZoneInfo(zone)).fold)


@pytest.mark.parametrize(("text", "zone", "hours"), RULES)
@given(moment=moments | switches)
def test_server_clock_is_the_zones_wall_clock(text, zone, hours, moment):
    rule = ZoneRule.parse(text)
    expected = milliseconds(server_wall(moment, zone, hours))
    assert rule.server_msc(nanoseconds(moment)) == expected


@pytest.mark.parametrize(("text", "zone", "hours"), RULES)
@given(moment=moments | switches)
def test_utc_to_server_and_back_is_the_identity_outside_the_repeated_hour(
    text, zone, hours, moment
):
    rule = ZoneRule.parse(text)
    utc_ns = nanoseconds(moment)
    back = rule.utc_ns(rule.server_msc(utc_ns))
    if is_second_pass(moment, zone):
        assert back < utc_ns // 1_000_000 * 1_000_000  # taken for the first pass
    else:
        assert back == utc_ns // 1_000_000 * 1_000_000


@pytest.mark.parametrize(("text", "zone", "hours"), RULES)
@given(walls=st.lists(st.integers(0, 4_000_000_000_000), max_size=20))
def test_array_and_scalar_agree(text, zone, hours, walls):
    rule = ZoneRule.parse(text)
    array = rule.utc_ns_array(np.array(walls, np.int64))
    assert array.dtype == np.uint64
    assert array.tolist() == [rule.utc_ns(wall) for wall in walls]


@given(around=st.lists(switches, min_size=1, max_size=20))
def test_array_and_scalar_agree_around_the_switches(around):
    walls = [milliseconds(moment.replace(tzinfo=None)) for moment in around]
    array = NEW_YORK.utc_ns_array(np.array(walls, np.int64))
    assert array.tolist() == [NEW_YORK.utc_ns(wall) for wall in walls]


def test_array_may_be_a_column_of_rows_and_is_not_changed():
    rows = np.zeros(3, [("time", "<i8"), ("time_msc", "<i8")])
    rows["time_msc"] = [1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_002]
    rows.setflags(write=False)
    converted = NEW_YORK.utc_ns_array(rows["time_msc"])
    assert (converted[1] - converted[0]) == 1_000_000
    assert rows["time_msc"][0] == 1_700_000_000_000


def test_empty_array_stays_empty():
    assert NEW_YORK.utc_ns_array(np.empty(0, np.int64)).tolist() == []


def test_scenario_32_fx_week_opens_on_monday_midnight_all_the_year():
    sunday = datetime(2007, 1, 7, 17)
    while sunday.year < 2038:
        opening = sunday.replace(tzinfo=ZoneInfo("America/New_York"))
        monday = milliseconds(datetime(sunday.year, sunday.month, sunday.day) + timedelta(days=1))
        assert NEW_YORK.server_msc(nanoseconds(opening.astimezone(UTC))) == monday
        assert NEW_YORK.utc_ns(monday) == nanoseconds(opening.astimezone(UTC))
        sunday += timedelta(days=7)


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        # The first bar of a week on such a server, in winter and in summer.
        (datetime(2025, 1, 6), datetime(2025, 1, 5, 22)),
        (datetime(2025, 7, 7), datetime(2025, 7, 6, 21)),
        # The weeks when America has switched and Europe has not.
        (datetime(2025, 3, 17), datetime(2025, 3, 16, 21)),
        (datetime(2025, 10, 27), datetime(2025, 10, 26, 21)),
    ],
)
def test_scenario_32_new_york_server_follows_american_summer_time(wall, utc):
    assert NEW_YORK.utc_ns(milliseconds(wall)) == nanoseconds(utc.replace(tzinfo=UTC))


def test_repeated_hour_is_taken_for_its_first_pass():
    # 2025-11-02: New York goes from 02:00 back to 01:00, so the server from 09:00 to 08:00.
    first_pass = nanoseconds(datetime(2025, 11, 2, 5, 30, tzinfo=UTC))
    second_pass = nanoseconds(datetime(2025, 11, 2, 6, 30, tzinfo=UTC))
    half_past_eight = milliseconds(datetime(2025, 11, 2, 8, 30))
    assert NEW_YORK.server_msc(first_pass) == NEW_YORK.server_msc(second_pass) == half_past_eight
    assert NEW_YORK.utc_ns(half_past_eight) == first_pass
    assert NEW_YORK.utc_ns(milliseconds(datetime(2025, 11, 2, 9))) == nanoseconds(
        datetime(2025, 11, 2, 7, tzinfo=UTC)
    )


def test_missing_hour_is_read_with_the_offset_before_the_switch():
    # 2025-03-09: New York goes from 02:00 to 03:00, so the server from 09:00 to 10:00.
    missing = NEW_YORK.utc_ns(milliseconds(datetime(2025, 3, 9, 9, 30)))
    assert missing == nanoseconds(datetime(2025, 3, 9, 7, 30, tzinfo=UTC))
    assert NEW_YORK.utc_ns(milliseconds(datetime(2025, 3, 9, 10))) == nanoseconds(
        datetime(2025, 3, 9, 7, tzinfo=UTC)
    )


def test_seconds_are_rounded_down_or_up():
    just_after = nanoseconds(datetime(2025, 1, 6, 12, tzinfo=UTC)) + 1
    noon = milliseconds(datetime(2025, 1, 6, 14)) // 1000
    assert NEW_YORK.server_seconds(just_after) == noon
    assert NEW_YORK.server_seconds(just_after, round_up=True) == noon + 1
    assert NEW_YORK.server_seconds(just_after - 1, round_up=True) == noon


def test_milliseconds_are_rounded_down():
    assert ZoneRule.parse("UTC").server_msc(1_999_999) == 1


@pytest.mark.parametrize("text", ["America/New_York+7h", "UTC+2", "UTC-3"])
def test_time_that_was_never_set_does_not_wrap_around(text):
    rule = ZoneRule.parse(text)
    assert rule.utc_ns(-(10**12)) == 0
    assert rule.utc_ns_array(np.array([-(10**12)])).tolist() == [0]


def test_zero_is_not_a_huge_number_east_of_greenwich():
    assert NEW_YORK.utc_ns(0) == 0
    assert NEW_YORK.utc_ns_array(np.zeros(1, np.int64)).tolist() == [0]


@pytest.mark.parametrize("text", ["America/New_York+7h", "Europe/Athens", "UTC", "UTC+02:00"])
def test_rules_are_written_as_they_are_parsed(text):
    assert str(ZoneRule.parse(text)) == text


def test_equal_rules_are_one_key():
    assert {ZoneRule.parse("UTC+2"): 1}[ZoneRule.parse("UTC+02:00")] == 1
    assert ZoneRule.parse("UTC+2") != ZoneRule.parse("UTC+3")


def test_rule_cannot_be_changed():
    with pytest.raises(AttributeError):
        NEW_YORK.shift = 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "utc+2",
        "+7h",
        "UTC+15",
        "UTC+2:75",
        "New_York+7h",
        "Nowhere/City",
        "America",
        "../etc/passwd",
        "Europe/Athens+7",
        "America/New_York+99h",
        "America/New_York +7h",
    ],
)
def test_what_is_no_zone_is_refused_with_what_was_expected(text):
    with pytest.raises(MT5ConfigError, match="server_time_zone must be") as refused:
        ZoneRule.parse(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize("text", ["America/New_York+7h", "Europe/Athens"])
@pytest.mark.parametrize("year", range(2020, 2031))
def test_every_switch_of_the_clock_is_one_missing_or_one_repeated_hour(text, year):
    """All minutes of the year's two nights: there and back, but for the repeated hour's second
    pass, which comes back as its first."""
    rule = ZoneRule.parse(text)
    start = datetime(year, 1, 1, tzinfo=UTC)
    hours = [start + timedelta(hours=hour) for hour in range(366 * 24)]
    walls = [rule.server_msc(nanoseconds(hour)) for hour in hours]
    steps = {
        hours[place]: after - before
        for place, (before, after) in enumerate(pairwise(walls))
        if after - before != 3_600_000
    }
    assert sorted(steps.values()) == [0, 7_200_000]
    for night, step in steps.items():
        for minute in range(-180, 240):
            utc_ns = nanoseconds(night + timedelta(minutes=minute))
            back = rule.utc_ns(rule.server_msc(utc_ns))
            is_second_pass = step == 0 and 60 <= minute < 120
            assert utc_ns - back == (3_600_000_000_000 if is_second_pass else 0)
