"""Do the figures say what was asked, how long it took, and what went wrong?"""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.client import Lane
from tradingview_scraper.adapters.mt5.client.metrics import Metrics
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError


@given(st.lists(st.floats(1e-5, 100.0), min_size=1, max_size=200))
def test_percentiles_are_right_to_a_tenth(durations):
    metrics = Metrics()
    for seconds in durations:
        metrics.answered(Lane.TRADE, "order_send", seconds, failed=False)
    found = metrics.figures(0).lanes[Lane.TRADE].functions["order_send"]
    ordered = sorted(durations)
    assert found.calls == len(durations) and found.failures == 0
    assert found.longest_ms == pytest.approx(1e3 * ordered[-1])
    for part, figure in ((50, found.p50_ms), (95, found.p95_ms), (99, found.p99_ms)):
        place = -(-part * len(ordered) // 100) - 1
        assert figure == pytest.approx(1e3 * ordered[place], rel=0.1)


def test_calls_restarts_polls_and_unknown_outcomes_are_counted(
    terminal, connected, eventually, market_order, processes
):
    async def scenario():
        async with connected(terminal) as client:
            for _ in range(3):
                await client.symbol_info("EURUSD")
            with pytest.raises(MT5CallError):
                await client.symbol_info("NONE")
            quotes = client.metrics.lanes[Lane.QUOTES]
            info = quotes.functions["symbol_info"]
            assert (info.calls, info.failures) == (4, 1)
            assert 0 < info.p50_ms <= info.p99_ms <= info.longest_ms
            assert client.metrics.unknown_outcomes == 0

            outcomes = []
            terminal.answer("order_send", 10012)
            client.send(market_order(), outcomes.append, asyncio.get_running_loop())
            await eventually(lambda: outcomes)
            assert client.metrics.unknown_outcomes == 1
            assert client.metrics.lanes[Lane.TRADE].functions["order_send"].calls == 1

            processes.kill(client.pids[Lane.QUOTES])
            await eventually(lambda: not client.is_ready)
            await eventually(lambda: client.is_ready)
            restarts = {lane: of.restarts for lane, of in client.metrics.lanes.items()}
            assert restarts == {Lane.TRADE: 0, Lane.QUOTES: 1, Lane.HISTORY: 0}

            await eventually(lambda: client.metrics.lanes[Lane.TRADE].polls)
            polls = client.metrics.lanes[Lane.TRADE].polls
            assert set(polls) == {"trade", "link"}
            assert 0 < polls["trade"].mean_ms <= polls["trade"].longest_ms

    asyncio.run(scenario())
