"""Market data of a simulated terminal in a node."""

import asyncio
import datetime as dt
from itertools import pairwise

import numpy as np
import pytest
from nautilus_trader.model.data import Bar, BarType, DataType, QuoteTick
from nautilus_trader.model.identifiers import ClientId, InstrumentId, Venue
from nautilus_trader.model.instruments import Equity

from tradingview_scraper.adapters.mt5.client.lanes import Lane
from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5Gap
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.simulator.terminal.synchronising import TICKS_AT_HAND
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")
#: Where the stepped clock of the terminal stands.
NOON = dt.datetime(2025, 3, 10, 12, tzinfo=dt.UTC)
#: "From the beginning", because Nautilus wants a start.
BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MINUTE = BarType.from_str("EURUSD.MT5-1-MINUTE-BID-EXTERNAL")


def ticks(*prices: float) -> np.ndarray:
    rows = np.zeros(len(prices), TICK_DTYPE)
    rows["bid"], rows["ask"] = prices, np.array(prices) + 0.0001
    return rows


async def ask(rig, request, *args, **kwargs) -> list:
    """What the cache or the strategy got from a request, when it is answered."""
    answered, got = [], []
    bus = rig.node.kernel.msgbus
    bus.subscribe("historical.*", got.append)
    kwargs["callback"] = answered.append
    request(*args, **kwargs)
    await rig.until(lambda: answered)
    return got


def data_client(rig):
    return rig.node.kernel.data_engine._clients[ClientId("MT5")]


def test_scenario_14_ticks_of_one_millisecond_all_arrive_once_and_in_order(terminal, run_node):
    async def drive(rig):
        await rig.until(lambda: rig.strategy.quotes)
        rig.strategy.quotes.clear()
        prices = [1.2 + n / 10_000 for n in range(60)]
        for start in range(0, 60, 5):
            # The clock stands: all have the same millisecond.
            terminal.push_ticks("EURUSD", ticks(*prices[start : start + 5]))
        await rig.until(lambda: len(rig.strategy.quotes) >= 60)
        bids = [round(float(quote.bid_price), 5) for quote in rig.strategy.quotes]
        assert bids == [round(price, 5) for price in prices]
        assert {quote.ts_event for quote in rig.strategy.quotes} == {int(NOON.timestamp()) * 10**9}
        assert all(quote.ts_init > quote.ts_event for quote in rig.strategy.quotes)

    run_node(terminal, drive)


def test_quotes_end_with_the_subscription(terminal, run_node):
    async def drive(rig):
        await rig.until(lambda: rig.strategy.quotes)
        client = data_client(rig)
        rig.strategy.unsubscribe_quote_ticks(EURUSD)
        await rig.until(lambda: not client._feeds._ticks)
        rig.strategy.subscribe_quote_ticks(EURUSD)
        await rig.until(lambda: client._feeds._ticks)
        rig.strategy.quotes.clear()
        terminal.push_ticks("EURUSD", ticks(1.3))
        await rig.until(lambda: [q for q in rig.strategy.quotes if str(q.bid_price) == "1.30000"])

    run_node(terminal, drive)


def test_scenario_16_bars_come_when_they_are_closed(terminal, run_node):
    async def drive(rig):
        rig.strategy.subscribe_bars(MINUTE)
        seconds = 0

        def half_minutes_pass():
            nonlocal seconds
            terminal.advance(30)
            seconds += 30
            return len(rig.strategy.bars) >= 4

        await rig.until(half_minutes_pass)
        closes = [bar.ts_event for bar in rig.strategy.bars]
        minute = 60 * 10**9
        start = int(NOON.timestamp()) * 10**9
        assert closes == [closes[0] + nth * minute for nth in range(len(closes))]
        assert (closes[0] - start) % minute == 0
        assert max(closes) <= start + seconds * 10**9

    run_node(terminal, drive)


#: When the bar of noon (15:00 on the server, in summer time) closes, in UTC.
CLOSES = {
    **{f"{n}-MINUTE": f"2025-03-10T12:{n:02}" for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)},
    "1-HOUR": "2025-03-10T13:00",
    "2-HOUR": "2025-03-10T13:00",
    "3-HOUR": "2025-03-10T15:00",
    "4-HOUR": "2025-03-10T13:00",
    "6-HOUR": "2025-03-10T15:00",
    "8-HOUR": "2025-03-10T13:00",
    "12-HOUR": "2025-03-10T21:00",
    "1-DAY": "2025-03-10T21:00",
    "1-WEEK": "2025-03-15T21:00",
    "1-MONTH": "2025-03-31T21:00",
}


def test_scenario_16_the_closed_bar_of_every_timeframe_comes(terminal, run_node):
    terminal.reset(
        {
            "extends": "demo-hedging",
            "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
            "prices": {"synthetic": False},
        }
    )
    terminal.push_ticks("EURUSD", ticks(1.1))

    async def drive(rig):
        for step in CLOSES:
            bar_type = BarType.from_str(f"EURUSD.MT5-{step}-BID-EXTERNAL")
            rig.strategy.subscribe_bars(bar_type)
        await rig.until(lambda: len(data_client(rig)._feeds._bars) == len(CLOSES))
        calls = terminal.stats()["calls"]["copy_rates_from_pos"]
        # Every series has been looked at: a bar that closes from now on is news.
        await rig.until(
            lambda: terminal.stats()["calls"]["copy_rates_from_pos"] >= calls + 3 * len(CLOSES)
        )
        assert rig.strategy.bars == []
        terminal.advance(40 * 86_400)
        terminal.push_ticks("EURUSD", ticks(1.2))
        await rig.until(lambda: len(rig.strategy.bars) >= len(CLOSES))
        closed = {
            str(bar.bar_type.spec).removesuffix("-BID"): dt.datetime.fromtimestamp(
                bar.ts_event / 1e9, dt.UTC
            ).strftime("%Y-%m-%dT%H:%M")
            for bar in rig.strategy.bars
        }
        assert closed == CLOSES
        assert {float(bar.close) for bar in rig.strategy.bars} == {1.1}
        assert len(rig.strategy.bars) == len(CLOSES)

    run_node(terminal, drive)


def test_scenario_15_milliseconds_of_historic_ticks_are_kept(terminal, run_node):
    terminal.reset(
        {
            "extends": "demo-hedging",
            "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
            "prices": {"synthetic": False},
        }
    )
    milliseconds = [1, 1, 250, 999, 1_001]
    rows = ticks(*(1.1 + n / 1_000 for n in range(len(milliseconds))))
    rows["time_msc"] = int(NOON.timestamp() + 3 * 3_600) * 1_000 + np.array(milliseconds)
    rows["time"] = rows["time_msc"] // 1_000
    terminal.advance(60)
    terminal.push_ticks("EURUSD", rows)

    async def drive(rig):
        start, end = NOON, NOON + dt.timedelta(minutes=1)
        got = await ask(rig, rig.strategy.request_quote_ticks, EURUSD, start, end)
        first = int(NOON.timestamp()) * 10**9
        assert [quote.ts_event - first for quote in got] == [n * 10**6 for n in milliseconds]
        assert [quote.ts_init for quote in got] == [quote.ts_event for quote in got]

    run_node(terminal, drive)


def test_historic_quotes_are_those_of_the_range(terminal, run_node):
    terminal.advance(3_600)

    async def drive(rig):
        start, end = NOON + dt.timedelta(minutes=5), NOON + dt.timedelta(minutes=9)
        got = await ask(rig, rig.strategy.request_quote_ticks, EURUSD, start, end)
        assert got
        assert all(type(quote) is QuoteTick for quote in got)
        stamps = [quote.ts_event for quote in got]
        assert stamps == sorted(stamps)
        assert start.timestamp() * 1e9 <= stamps[0]
        assert stamps[-1] <= end.timestamp() * 1e9
        assert all(quote.ts_init == quote.ts_event for quote in got)
        rig.node.kernel.msgbus.unsubscribe("historical.*", got.append)
        last = await ask(rig, rig.strategy.request_quote_ticks, EURUSD, start, end, limit=3)
        assert last == got[-3:]

    run_node(terminal, drive)


def test_scenario_17_historic_bars_are_closed_ascending_and_stamped_with_their_close(
    terminal, run_node
):
    terminal.advance(3_600)

    async def drive(rig):
        start, end = NOON + dt.timedelta(minutes=10), NOON + dt.timedelta(minutes=20)
        got = await ask(rig, rig.strategy.request_bars, MINUTE, start, end)
        assert all(type(bar) is Bar for bar in got)
        stamps = [bar.ts_event for bar in got]
        first = int(start.timestamp()) * 10**9
        assert stamps == [first + n * 60 * 10**9 for n in range(11)]
        assert all(bar.ts_init == bar.ts_event for bar in got)

    run_node(terminal, drive)


def test_last_bars_leave_out_the_forming_one(terminal, run_node):
    terminal.advance(3_600 + 30)

    async def drive(rig):
        got = await ask(rig, rig.strategy.request_bars, MINUTE, BEGINNING, limit=5)
        stamps = [bar.ts_event for bar in got]
        last = (int(NOON.timestamp()) + 3_600) * 10**9
        assert stamps == [last - n * 60 * 10**9 for n in range(4, -1, -1)]

    run_node(terminal, drive)


def test_requests_that_cannot_be_served_are_answered_with_nothing(terminal, run_node):
    odd = BarType.from_str("EURUSD.MT5-7-DAY-BID-EXTERNAL")
    nowhere = InstrumentId.from_str("NOWHERE.MT5")

    async def drive(rig):
        strategy = rig.strategy
        for request, args in (
            (strategy.request_bars, (odd, NOON)),
            (strategy.request_quote_ticks, (nowhere, NOON)),
            (strategy.request_trade_ticks, (EURUSD, NOON)),
            (strategy.request_instrument, (nowhere,)),
        ):
            assert await ask(rig, request, *args) == []

    run_node(terminal, drive)


def test_subscriptions_that_cannot_be_served_are_taken_back(terminal, run_node):
    odd = BarType.from_str("EURUSD.MT5-7-DAY-BID-EXTERNAL")
    ask_bars = BarType.from_str("EURUSD.MT5-1-MINUTE-ASK-EXTERNAL")
    nowhere = InstrumentId.from_str("NOWHERE.MT5")

    async def drive(rig):
        client = data_client(rig)
        for bar_type in (odd, ask_bars):
            rig.strategy.subscribe_bars(bar_type)
        rig.strategy.subscribe_quote_ticks(nowhere)
        rig.strategy.subscribe_trade_ticks(EURUSD)
        rig.strategy.subscribe_order_book_deltas(EURUSD)
        rig.strategy.subscribe_instrument_status(nowhere)
        rig.strategy.subscribe_bars(MINUTE)
        await rig.until(lambda: client._feeds._bars)
        await rig.until(lambda: nowhere not in client.subscribed_quote_ticks())
        assert client.subscribed_bars() == [MINUTE]
        assert client.subscribed_quote_ticks() == [EURUSD]
        assert client.subscribed_trade_ticks() == []
        assert client.subscribed_instrument_status() == []

    run_node(terminal, drive)


def test_all_symbols_are_loaded_and_one_that_cannot_be_is_skipped(terminal, run_node):
    terminal.reset(
        {
            "extends": "demo-hedging",
            "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
            "symbols": [
                "EURUSD",
                "#AAPL",
                {"name": "@ES", "like": "US500"},
                {"name": "BOND", "like": "US500", "trade_calc_mode": 37},
            ],
        }
    )

    async def drive(rig):
        ids = {instrument.id.value for instrument in rig.cache.instruments()}
        assert ids == {"EURUSD.MT5", "#AAPL.MT5", "%40ES.MT5"}
        assert type(rig.cache.instrument(InstrumentId.from_str("#AAPL.MT5"))) is Equity

    run_node(terminal, drive, load_all=True)


def test_instruments_are_requested_and_subscribed(terminal, run_node):
    async def drive(rig):
        strategy = rig.strategy
        gold = InstrumentId.from_str("XAUUSD.MT5")
        assert rig.cache.instrument(gold) is None
        await ask(rig, strategy.request_instrument, gold)
        assert rig.cache.instrument(gold) is not None
        await ask(rig, strategy.request_instruments, Venue("MT5"))
        assert len(rig.cache.instruments()) == 12
        strategy.subscribe_instrument(InstrumentId.from_str("US500.MT5"))

    run_node(terminal, drive)


def test_internal_bars_are_built_from_our_quotes(terminal, run_node):
    internal = BarType.from_str("EURUSD.MT5-3-TICK-BID-INTERNAL")

    async def drive(rig):
        await rig.until(lambda: rig.strategy.quotes)
        rig.strategy.subscribe_bars(internal)
        await rig.until(lambda: rig.node.kernel.data_engine.subscribed_bars())
        terminal.push_ticks("EURUSD", ticks(1.3, 1.5, 1.2, 1.4, 1.4, 1.4))
        bar = await rig.until(lambda: [b for b in rig.strategy.bars if b.high == b.open])
        assert bar[0].bar_type == internal

    run_node(terminal, drive)


def test_a_gap_is_published_before_the_ticks_behind_it_and_counted(terminal, run_node, processes):
    """The terminal is re-synchronised while the worker is away: it has its newest ticks only."""

    async def drive(rig):
        await rig.until(lambda: rig.strategy.quotes)
        client, heard = data_client(rig), []
        rig.strategy.on_data = lambda gap: heard.append((gap, len(rig.strategy.quotes)))
        rig.strategy.subscribe_data(DataType(MT5Gap), client_id=ClientId("MT5"))
        await rig.until(client.subscribed_custom_data)
        before = len(rig.strategy.quotes)
        processes.kill(client._mt5.pids[Lane.QUOTES])
        terminal.delay_history(86_400.0, "short")
        terminal.advance(60)
        rows = ticks(*(1.5 + n / 100_000 for n in range(TICKS_AT_HAND)))
        terminal.push_ticks("EURUSD", rows)
        await rig.until(lambda: len(rig.strategy.quotes) >= before + TICKS_AT_HAND, 30.0)
        ((gap, published),) = heard
        quotes = rig.strategy.quotes
        assert (gap.instrument_id, published) == (EURUSD, before)
        assert gap.after_ns == quotes[before - 1].ts_event
        assert gap.until_ns == gap.ts_event == quotes[before].ts_event
        assert [str(quote.bid_price) for quote in quotes[before:]] == [
            f"{price:.5f}" for price in rows["bid"]
        ]
        assert client.gaps == {EURUSD: 1}
        assert client._mt5.gaps == {"EURUSD": 1}

    run_node(terminal, drive)


def test_a_large_answer_comes_in_parts_in_order_before_the_callback(terminal, run_node):
    terminal.advance(6 * 3_600)

    async def drive(rig):
        start, end = NOON, NOON + dt.timedelta(hours=6)
        turns, running = [], True

        async def watch_the_loop():
            while running:
                turns.append(len(got))
                await asyncio.sleep(0)

        got, answered = [], []
        rig.node.kernel.msgbus.subscribe("historical.*", got.append)
        watching = asyncio.ensure_future(watch_the_loop())
        rig.strategy.request_quote_ticks(EURUSD, start, end, callback=answered.append)
        await rig.until(lambda: answered)
        running = False
        await watching
        stamps = [quote.ts_event for quote in got]
        assert len(stamps) > 3 * 4_096 and stamps == sorted(stamps)
        assert max(b - a for a, b in pairwise(turns)) <= 4_096

    run_node(terminal, drive)


@pytest.mark.parametrize("meanwhile", ["none", "short"])
def test_scenario_24_history_that_is_being_downloaded_is_waited_for(terminal, run_node, meanwhile):
    terminal.advance(3_600)

    async def drive(rig):
        start, end = NOON - dt.timedelta(days=3), NOON - dt.timedelta(days=3, minutes=-30)
        expected = [*await ask(rig, rig.strategy.request_bars, MINUTE, start, end)]
        assert len(expected) == 31
        client = data_client(rig)
        client._requests._history._reached.clear()
        terminal.delay_history(3_600.0, meanwhile)
        answered, got = [], []
        rig.node.kernel.msgbus.subscribe("historical.*", got.append)
        rig.strategy.request_bars(MINUTE, start, end, callback=answered.append)
        asked = terminal.stats()["calls"]["copy_rates_from"]
        await rig.until(
            lambda: (
                terminal.stats()["calls"]["copy_rates_from_pos"]
                + terminal.stats()["calls"]["copy_rates_from"]
                > asked + 2
            )
        )
        assert not answered
        terminal.advance(3_600)
        await rig.until(lambda: answered)
        assert got == expected

    run_node(terminal, drive)


def test_quotes_begin_at_once_where_the_last_tick_is_a_trade(run_node):
    scenario = {
        "extends": "exchange-netting",
        "clock": {"mode": "stepped", "start": "2025-03-10T16:00:00Z"},
        "prices": {"synthetic": False},
    }
    trade = ticks(230.0)
    trade["last"], trade["volume"], trade["volume_real"], trade["flags"] = 230.0, 5, 5.0, 8 | 16

    async def drive(rig):
        (quote,) = await rig.until(lambda: rig.strategy.quotes)
        assert str(quote.bid_price) == "230.00"
        terminal.push_ticks("#AAPL", trade)
        quoted = ticks(231.0)
        quoted["flags"] = 6
        terminal.push_ticks("#AAPL", quoted)
        await rig.until(lambda: len(rig.strategy.quotes) > 1)
        # A trade in between is no quote.
        assert [str(one.bid_price) for one in rig.strategy.quotes] == ["230.00", "231.00"]

    with launch(scenario) as terminal:
        terminal.push_ticks("#AAPL", trade)
        run_node(
            terminal,
            drive,
            symbols=["#AAPL"],
            oms_type="NETTING",
            terminal_fields={"login": 5003234},
        )
