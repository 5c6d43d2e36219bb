"""Ranges of history: pieces put together are what one call would have said."""

import asyncio
import datetime as dt

import numpy as np
import pytest

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.nautilus_v1 import history
from tradingview_scraper.adapters.mt5.rules.bars import closing_time
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE, MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError

NOON = int(dt.datetime(2025, 3, 10, 12, tzinfo=dt.UTC).timestamp())
#: Server clock minus UTC on that day.
AHEAD = 3 * 3_600
HOUR = 3_600


@pytest.fixture
def ask(terminal):
    """Run a coroutine function with a connected client, an hour and half a minute after noon."""

    def run(questions):
        async def whole():
            config = MT5TerminalConfig(path=terminal.path, module=SIMULATOR_MODULE)
            client = MT5Client(config)
            await client.connect()
            try:
                await client.symbol_select("EURUSD", True)
                await questions(client)
            finally:
                await client.disconnect()

        terminal.advance(HOUR + 30)
        asyncio.run(whole())

    return run


def ns(seconds: float) -> int:
    return round(seconds * 1_000) * 10**6


def test_ticks_in_pieces_are_the_ticks_of_the_range(ask, monkeypatch):
    monkeypatch.setattr(history, "PAGE", 64)
    monkeypatch.setattr(history, "_FIRST_PAGE", 16)
    monkeypatch.setattr(history, "_FIRST_WINDOW_SECS", 61)

    async def questions(client):
        everything = await client.copy_ticks_range(
            "EURUSD", NOON + AHEAD - HOUR, NOON + AHEAD + 2 * HOUR, CopyTicks.INFO
        )
        stamps = everything["time_msc"] - AHEAD * 1_000
        assert len(everything) > 1_000
        for start, end, limit in (
            (NOON - 600, NOON + 600, 0),
            (NOON - 600.5, NOON + 600.25, 0),
            (NOON, NOON, 0),
            (NOON + 100, NOON + 50, 0),
            (NOON - 600, NOON + 600, 5),
            (NOON - 600, NOON + 600, 400),
            (NOON + 590, NOON + 600, 10**6),
            (NOON - 600, NOON + HOUR + 1, 50),
        ):
            rows = await history.History(client, sync_secs=0.5).ticks(
                "EURUSD",
                start_ns=ns(start),
                end_ns=ns(end),
                limit=limit,
                flags=CopyTicks.INFO,
            )
            expected = everything[(stamps >= start * 1_000) & (stamps <= end * 1_000)]
            expected = expected[-limit:] if limit else expected
            assert np.array_equal(rows.rows, expected), (start, end, limit)

    ask(questions)


def test_last_ticks_are_found_however_far_back_they_lie(ask, monkeypatch):
    monkeypatch.setattr(history, "_FIRST_WINDOW_SECS", 300)

    async def questions(client):
        rows = await history.History(client, sync_secs=0.5).ticks(
            "EURUSD",
            start_ns=None,
            end_ns=ns(NOON),
            limit=1_500,
            flags=CopyTicks.INFO,
        )
        rows = rows.rows
        assert len(rows) == 1_500
        assert rows["time_msc"][-1] <= (NOON + AHEAD) * 1_000
        assert (np.diff(rows["time_msc"]) >= 0).all()

    ask(questions)


@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.M5, Timeframe.H1])
def test_bars_in_pieces_are_the_closed_bars_of_the_range(ask, monkeypatch, timeframe):
    monkeypatch.setattr(history, "_BARS_PIECE", 7)

    async def questions(client):
        everything = await client.copy_rates_range(
            "EURUSD", timeframe, NOON + AHEAD - 12 * HOUR, NOON + AHEAD + 2 * HOUR
        )
        forming = everything["time"][-1]
        closes = np.array([closing_time(int(t), timeframe) - AHEAD for t in everything["time"]])
        closed = everything["time"] < forming
        for start, end, limit in (
            (NOON - 6 * HOUR, NOON, 0),
            (NOON - 6 * HOUR + 1, NOON - 1, 0),
            (NOON, NOON + 2 * HOUR, 0),
            (NOON - 6 * HOUR, NOON + 2 * HOUR, 3),
            (NOON, NOON - 1, 0),
        ):
            rows = await history.History(client, sync_secs=0.5).bars(
                "EURUSD", timeframe, start_ns=ns(start), end_ns=ns(end), limit=limit
            )
            expected = everything[(closes >= start) & (closes <= end) & closed]
            expected = expected[-limit:] if limit else expected
            assert rows["time"].tolist() == expected["time"].tolist(), (start, end, limit)
        last = await history.History(client, sync_secs=0.5).bars(
            "EURUSD", timeframe, start_ns=None, end_ns=ns(NOON + 2 * HOUR), limit=4
        )
        assert last["time"].tolist() == everything["time"][:-1][-4:].tolist()

    ask(questions)


def test_scenario_24_symbol_that_is_not_there_is_an_error_not_nothing(ask):
    async def questions(client):
        with pytest.raises(MT5CallError):
            await history.History(client, sync_secs=0.5).bars(
                "NOWHERE", Timeframe.M1, start_ns=None, end_ns=ns(NOON), limit=5
            )
        with pytest.raises(MT5CallError):
            await history.History(client, sync_secs=0.5).ticks(
                "NOWHERE", start_ns=None, end_ns=ns(NOON), limit=5, flags=CopyTicks.INFO
            )

    ask(questions)
