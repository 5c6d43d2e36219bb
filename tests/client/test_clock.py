"""Is a zone that the server contradicts said, and is none ever guessed or changed?"""

import asyncio
from datetime import UTC, datetime

import pytest

from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.client.clock import ServerClock
from tradingview_scraper.adapters.mt5.rules.clock import ClockState
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError, MT5ConnectionError

NS = 1_000_000_000
NEW_YORK = ZoneRule.parse("America/New_York+7h")
SUMMER = int(datetime(2025, 10, 30, 12, tzinfo=UTC).timestamp()) * NS
WINTER = int(datetime(2025, 11, 3, 12, tzinfo=UTC).timestamp()) * NS
#: On this machine's clock, as a terminal is; every symbol trades.
LIVE = {"extends": "demo-hedging", "prices": {"rate": 40.0}}


@pytest.fixture
def told():
    """A clock by New York + 7 h, of two symbols, and what it tells."""

    class Told(list):
        def __init__(self, rule=NEW_YORK):
            self.clock = ServerClock(rule, self.append)
            for symbol in ("EURUSD", "BTCUSD"):
                self.clock.watch(symbol)

        def ticks(self, at, shown_by, looks=3):
            for second in range(looks):
                now = at + second * NS
                for symbol in ("EURUSD", "BTCUSD"):
                    self.clock.seen(symbol, shown_by.server_msc(now), now)

    return Told


def test_a_verdict_is_told_once(told):
    heard = told()
    heard.ticks(SUMMER, NEW_YORK, looks=20)
    assert [verdict.state for verdict in heard] == [ClockState.VERIFIED]
    assert heard.clock.verdict(SUMMER + 20 * NS).state is ClockState.VERIFIED


def test_scenario_32_a_weekend_tells_nothing_and_proves_nothing(told):
    heard = told()
    heard.ticks(SUMMER, NEW_YORK)
    assert heard.clock.verdict(SUMMER + 48 * 3_600 * NS).state is ClockState.UNVERIFIED
    assert len(heard) == 1


def test_scenario_32_the_jump_of_a_dst_night_is_explained(told, caplog):
    heard = told()
    heard.ticks(SUMMER, NEW_YORK)
    heard.ticks(WINTER, NEW_YORK)
    assert [verdict.state for verdict in heard] == [ClockState.VERIFIED] * 2
    assert "gone from UTC+3 h to UTC+2 h, as America/New_York+7h has it" in heard[-1].text
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_scenario_32_a_jump_that_the_rule_does_not_have_is_refused(told, caplog):
    fixed = ZoneRule.parse("UTC+3")
    heard = told(fixed)
    heard.ticks(SUMMER, NEW_YORK)
    heard.ticks(WINTER, NEW_YORK, looks=9)
    assert [verdict.state for verdict in heard] == [ClockState.VERIFIED, ClockState.WRONG]
    assert "which UTC+03:00 does not explain" in heard[-1].text
    assert "set server_time_zone" in heard[-1].text
    assert heard.clock.rule == fixed
    assert [r.levelname for r in caplog.records].count("ERROR") == 1
    heard.ticks(WINTER + 3_600 * NS, fixed)
    assert heard[-1].state is ClockState.VERIFIED


def test_a_symbol_that_nobody_watches_is_no_evidence(told):
    heard = told()
    heard.ticks(SUMMER, NEW_YORK)
    heard.clock.unwatch("BTCUSD")
    found = heard.clock.verdict(SUMMER + 3 * NS)
    assert (found.state, found.symbols) == (ClockState.VERIFIED, ("EURUSD",))
    assert "no other symbol is subscribed to" in found.text


def test_a_server_in_another_zone_is_found_out_by_the_ticks_that_are_watched(connected, eventually):
    async def scenario():
        loop = asyncio.get_running_loop()
        with launch({**LIVE, "clock": {"mode": "real", "zone": "UTC-4"}}) as terminal:
            async with connected(terminal) as client:
                heard, ignored = [], []
                client.watch_clock(heard.append, loop)
                for symbol in ("EURUSD", "GBPUSD"):
                    client.watch_ticks(symbol, lambda symbol, rows: ignored.append(rows), loop)
                await eventually(lambda: heard)
                assert (heard[0].state, heard[0].offset) == (ClockState.WRONG, -4 * 3_600)
                assert "or the zone is wrong" in heard[0].text
                assert client.zone == NEW_YORK
                later = []
                client.watch_clock(later.append, loop)
                await eventually(lambda: later)
                assert later[0].state is ClockState.WRONG

    asyncio.run(scenario())


@pytest.mark.parametrize("zone", ["America/New_York+7h", "UTC-04:00"])
def test_auto_takes_the_zone_from_live_ticks(connected, config, zone):
    async def scenario():
        with launch({**LIVE, "clock": {"mode": "real", "zone": zone}}) as terminal:
            before = MT5Client(config(terminal, server_time_zone="auto"))
            with pytest.raises(MT5ConnectionError, match="detected by connect"):
                _ = before.zone
            async with connected(
                terminal, server_time_zone="auto", clock_timeout_secs=60.0
            ) as client:
                assert str(client.zone) == zone

    asyncio.run(scenario())


def test_auto_never_guesses_while_nothing_is_live(config, terminal):
    async def scenario():
        client = MT5Client(config(terminal, server_time_zone="auto", clock_timeout_secs=0.5))
        with pytest.raises(MT5ConfigError, match="no symbol moved: set server_time_zone"):
            await client.connect()
        assert not client.is_used and not client.is_ready
        assert not [pid for pid in client.pids.values() if pid]

    asyncio.run(scenario())


def test_switches_of_the_zone_are_known_before_the_first_tick(connected, terminal):
    async def scenario():
        async with connected(terminal) as client:
            assert "_table" in vars(client.zone)

    asyncio.run(scenario())
