"""Is every tick, bar and fact handed over exactly once, whatever becomes of the workers?"""

import asyncio
import time

import numpy as np
import pytest

from tests.conftest import STEPPED
from tradingview_scraper.adapters.mt5.client import Lane
from tradingview_scraper.adapters.mt5.client.watches import TickGap
from tradingview_scraper.adapters.mt5.rules.lifecycle import (
    Dealt,
    OrderDone,
    PositionClosed,
    PositionOpened,
)
from tradingview_scraper.adapters.mt5.rules.ticks import TickCursor
from tradingview_scraper.adapters.mt5.simulator.terminal.synchronising import TICKS_AT_HAND
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE, TICK_DTYPE

#: Monday 2025-03-10 12:00 UTC on the server's clock, New York + 7 h.
NOON_MSC = 1_741_618_800_000
FROM_NOON = TickCursor(NOON_MSC, 0)


@pytest.fixture
def pushed(terminal):
    """A terminal that has only the ticks that are pushed."""
    terminal.reset({**STEPPED, "prices": {"synthetic": False}})
    return terminal


def ticks(count, first=1, every_msc=0):
    """Ticks from the stepped clock's start on; `bid` numbers them, 1 is 1.0."""
    rows = np.zeros(count, TICK_DTYPE)
    rows["time_msc"] = NOON_MSC + every_msc * np.arange(first - 1, first - 1 + count)
    rows["time"] = rows["time_msc"] // 1000
    rows["bid"] = np.arange(first, first + count)
    rows["ask"] = rows["bid"] + 0.5
    rows["flags"] = 6
    return rows


def numbers(frames):
    return [int(bid) for rows in frames for bid in rows["bid"]]


def restarted(client, lane):
    """The lane has another worker than now, and it is attached."""
    before = client.pids[lane]
    return lambda: client.is_ready and client.pids[lane] not in (before, None)


def test_the_servers_clock_is_where_the_tests_think(pushed, connected):
    async def scenario():
        async with connected(pushed) as client:
            pushed.push_ticks("EURUSD", ticks(1))
            assert (await client.symbol_info_tick("EURUSD")).time_msc == NOON_MSC

    asyncio.run(scenario())


def test_a_watcher_gets_the_current_tick_at_once_and_then_every_other(
    pushed, connected, eventually
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(pushed) as client:
            frames, symbols = [], set()

            def handler(symbol, rows):
                symbols.add(symbol)
                frames.append(rows)

            pushed.push_ticks("EURUSD", ticks(3, every_msc=0))
            client.watch_ticks("EURUSD", handler, loop)
            await eventually(lambda: numbers(frames) == [1, 2, 3])
            pushed.push_ticks("EURUSD", ticks(2, first=4))
            await eventually(lambda: numbers(frames) == [1, 2, 3, 4, 5])

            assert symbols == {"EURUSD"}
            assert frames[0].dtype == TICK_DTYPE and not frames[0].flags.writeable

    asyncio.run(scenario())


def test_scenario_14_every_tick_once_though_workers_are_killed(
    pushed, connected, eventually, processes
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(pushed) as client:
            frames = []
            client.watch_ticks(
                "EURUSD",
                lambda symbol, rows: frames.append(rows),
                loop,
                after=TickCursor(NOON_MSC, 0),
            )
            sent = 0
            for _kill in range(3):
                for _ in range(20):
                    pushed.push_ticks("EURUSD", ticks(3, first=sent + 1))
                    sent += 3
                    await asyncio.sleep(0)
                back = restarted(client, Lane.QUOTES)
                processes.kill(client.pids[Lane.QUOTES])
                pushed.push_ticks("EURUSD", ticks(3, first=sent + 1))
                sent += 3
                await eventually(back)
            await eventually(lambda: len(numbers(frames)) >= sent)

            assert numbers(frames) == [*range(1, sent + 1)]

    asyncio.run(scenario())


def test_scenario_14_first_ticks_of_a_symbol_come_though_the_worker_dies_before_them(
    pushed, connected, eventually, processes
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(pushed) as client:
            frames = []
            watch = client.watch_ticks("EURUSD", lambda symbol, rows: frames.append(rows), loop)
            await eventually(lambda: watch._empty_ns)
            back = restarted(client, Lane.QUOTES)
            processes.kill(client.pids[Lane.QUOTES])
            pushed.push_ticks("EURUSD", ticks(5, every_msc=100))
            pushed.advance(0.5)
            await eventually(back)
            await eventually(lambda: len(numbers(frames)) >= 5)
            # Between the first ticks as well.
            back = restarted(client, Lane.QUOTES)
            processes.kill(client.pids[Lane.QUOTES])
            pushed.push_ticks("EURUSD", ticks(3, first=6, every_msc=100))
            pushed.advance(0.5)
            await eventually(back)
            await eventually(lambda: len(numbers(frames)) >= 8)

            assert numbers(frames) == [*range(1, 9)]

    asyncio.run(scenario())


def test_what_the_terminal_itself_has_lost_is_a_gap_and_the_rest_follows(
    pushed, connected, eventually, processes
):
    """A terminal that was re-installed has only its newest ticks at hand."""

    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(pushed) as client:
            frames, gaps = [], []
            pushed.push_ticks("EURUSD", ticks(10))
            client.watch_ticks(
                "EURUSD",
                lambda symbol, rows: frames.append(rows),
                loop,
                after=FROM_NOON,
                on_gap=lambda gap: gaps.append((gap, len(numbers(frames)))),
            )
            await eventually(lambda: len(numbers(frames)) == 10)
            back = restarted(client, Lane.QUOTES)
            processes.kill(client.pids[Lane.QUOTES])
            pushed.delay_history(86_400.0, "short")
            pushed.advance(60.0)
            count = TICKS_AT_HAND + 3_000
            rows = ticks(count, first=11, every_msc=1)
            pushed.push_ticks("EURUSD", rows)
            await eventually(back)
            kept = rows[-TICKS_AT_HAND:]
            await eventually(lambda: len(numbers(frames)) >= 10 + TICKS_AT_HAND)

            assert numbers(frames) == [*range(1, 11), *map(int, kept["bid"])]
            lost = TickGap("EURUSD", NOON_MSC, int(kept["time_msc"][0]))
            assert gaps == [(lost, 10)]
            assert client.gaps == {"EURUSD": 1}

    asyncio.run(scenario())


def test_a_backlog_larger_than_any_buffer_comes_whole_and_in_order(pushed, connected, eventually):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(pushed) as client:
            count, frames = 300_000, []
            pushed.push_ticks("EURUSD", ticks(count, every_msc=1)[:1])
            pushed.advance(600.0)
            rows = ticks(count, first=2, every_msc=1)
            for start in range(0, count, 20_000):
                pushed.push_ticks("EURUSD", rows[start : start + 20_000])
            client.watch_ticks(
                "EURUSD",
                lambda symbol, rows: frames.append(rows),
                loop,
                after=TickCursor(NOON_MSC, 0),
            )
            await eventually(lambda: sum(map(len, frames)) >= count + 1)

            assert numbers(frames) == [*range(1, count + 2)]

    asyncio.run(scenario())


def test_a_handler_that_is_behind_makes_the_worker_wait_but_no_call(pushed, connected, eventually):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(pushed) as client:
            count, frames, answers, read = 400_000, [], [], []
            pushed.advance(600.0)
            rows = ticks(count, every_msc=1)
            for start in range(0, count, 20_000):
                pushed.push_ticks("EURUSD", rows[start : start + 20_000])

            def handler(symbol, rows):
                # Blocks the loop, as no handler should: the frames pile up in front of it.
                if not frames:
                    read.append(until_the_worker_waits(pushed))
                    call = client.submit("symbol_info", "EURUSD")
                    answers.append(call.result(30.0).name)
                frames.append(rows)

            client.watch_ticks("EURUSD", handler, loop, after=FROM_NOON)
            await eventually(lambda: sum(map(len, frames)) >= count)

            assert numbers(frames) == [*range(1, count + 1)]
            assert answers == ["EURUSD"]
            assert read[0] < len(frames)

    asyncio.run(scenario())


def until_the_worker_waits(terminal):
    """How often it had read ticks when it stopped doing so."""
    before, deadline = -1, time.monotonic() + 60.0
    while True:
        now = terminal.stats()["calls"]["copy_ticks_from"]
        if now == before:
            return now
        assert time.monotonic() < deadline
        before = now
        time.sleep(0.5)


def test_a_closed_watch_gets_nothing_more(pushed, connected, eventually):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(pushed) as client:
            first, second = [], []
            watch = client.watch_ticks("EURUSD", lambda symbol, rows: first.append(rows), loop)
            client.watch_ticks("EURUSD", lambda symbol, rows: second.append(rows), loop)
            pushed.push_ticks("EURUSD", ticks(1))
            await eventually(lambda: first and second)
            watch.close()
            watch.close()
            pushed.push_ticks("EURUSD", ticks(1, first=2))
            await eventually(lambda: numbers(second) == [1, 2])
            assert numbers(first) == [1]

    asyncio.run(scenario())


def test_a_handler_that_raises_is_logged_and_the_next_frame_comes(
    pushed, connected, eventually, caplog
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(pushed) as client:
            frames = []

            def handler(symbol, rows):
                frames.append(rows)
                raise RuntimeError("a bug in a handler")

            client.watch_ticks("EURUSD", handler, loop)
            pushed.push_ticks("EURUSD", ticks(1))
            await eventually(lambda: numbers(frames) == [1])
            pushed.push_ticks("EURUSD", ticks(1, first=2))
            await eventually(lambda: numbers(frames) == [1, 2])
            assert "a bug in a handler" in caplog.text

    asyncio.run(scenario())


def test_an_unknown_symbol_is_a_fault_in_the_log_and_harms_no_other(
    pushed, connected, eventually, caplog
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(pushed) as client:
            frames = []
            client.watch_ticks("NOSUCH", lambda symbol, rows: None, loop)
            client.watch_ticks("EURUSD", lambda symbol, rows: frames.append(rows), loop)
            pushed.push_ticks("EURUSD", ticks(1))
            await eventually(lambda: frames)
            await eventually(lambda: "symbol_select failed, polling goes on: (-4" in caplog.text)

    asyncio.run(scenario())


def test_closed_bars_come_once_and_go_on_after_a_restart(
    terminal, connected, eventually, processes
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal, bar_poll_ms=10) as client:
            frames = []

            def handler(symbol, timeframe, rows):
                assert (symbol, timeframe) == ("EURUSD", Timeframe.M1)
                frames.append(rows)

            def opened():
                return [int(at) for rows in frames for at in rows["time"]]

            seen = await client.copy_rates_from_pos("EURUSD", Timeframe.M1, 0, 4)
            client.watch_bars("EURUSD", Timeframe.M1, handler, loop, after=int(seen["time"][0]))
            await eventually(lambda: opened() == seen["time"][1:-1].tolist())
            assert frames[0].dtype == RATE_DTYPE

            back = restarted(client, Lane.HISTORY)
            processes.kill(client.pids[Lane.HISTORY])
            terminal.advance(300.0)
            await eventually(back)
            now = await client.copy_rates_range(
                "EURUSD", Timeframe.M1, int(seen["time"][1]), 2_147_483_647
            )
            await eventually(lambda: opened() == now["time"][:-1].tolist())
            assert len(opened()) > 5

    asyncio.run(scenario())


def test_facts_of_a_round_trip_come_once_and_in_order(
    terminal, connected, eventually, market_order
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal) as client:
            facts = []
            client.watch_trade(facts.extend, loop)
            opened = await client.order_send(market_order(magic=5))
            closed = await client.order_send(market_order(side=1, position=opened.order))

            def kinds():
                return [type(fact) for fact in facts]

            await eventually(lambda: PositionClosed in kinds())
            deals = [fact.deal for fact in facts if isinstance(fact, Dealt)]
            assert [(deal.entry, deal.order) for deal in deals] == [
                (0, opened.order),
                (1, closed.order),
            ]
            assert deals[0].magic == 5
            assert kinds().count(OrderDone) == 2
            assert kinds().index(Dealt) < kinds().index(PositionOpened)
            assert client.positions == {}

    asyncio.run(scenario())


def test_what_was_there_before_is_no_news(terminal, connected, eventually, market_order):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal) as client:
            await client.order_send(market_order())
        async with connected(terminal) as client:
            facts = []
            client.watch_trade(facts.extend, loop)
            assert len(client.positions) == 1
            second = await client.order_send(market_order())
            await eventually(lambda: len(client.positions) == 2)
            deals = [fact.deal for fact in facts if isinstance(fact, Dealt)]
            assert [deal.order for deal in deals] == [second.order]

    asyncio.run(scenario())


def test_what_happens_while_the_trade_lane_is_down_is_told_once(
    terminal, connected, eventually, market_order, processes
):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal) as client:
            facts = []
            client.watch_trade(facts.extend, loop)
            await client.order_send(market_order())
            await eventually(lambda: client.positions)
            back = restarted(client, Lane.TRADE)
            processes.kill(client.pids[Lane.TRADE])
            (ticket,) = client.positions
            by_hand = terminal.trade_by_hand(**market_order(side=1, position=ticket))
            assert by_hand["retcode"] == 10009
            await eventually(back)
            await eventually(lambda: [f for f in facts if isinstance(f, PositionClosed)])

            deals = [fact.deal.ticket for fact in facts if isinstance(fact, Dealt)]
            assert deals == sorted(set(deals)) and len(deals) == 2
            assert by_hand["deal"] in deals

    asyncio.run(scenario())


def test_two_watchers_hear_the_same(terminal, connected, eventually, market_order):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with connected(terminal) as client:
            first, second = [], []
            watch = client.watch_trade(first.extend, loop)
            client.watch_trade(second.extend, loop)
            await client.order_send(market_order())
            await eventually(lambda: [f for f in second if isinstance(f, PositionOpened)])
            assert first == second
            watch.close()
            heard = len(first)
            await client.order_send(market_order())
            await eventually(lambda: len([f for f in second if isinstance(f, PositionOpened)]) == 2)
            assert len(first) == heard

    asyncio.run(scenario())


def test_a_snapshot_is_the_whole_account(terminal, connected, market_order):
    async def scenario():
        async with connected(terminal) as client:
            result = await client.order_send(market_order())
            snapshot = await client.snapshot()
            assert [position.ticket for position in snapshot.positions] == [result.order]
            assert [order.ticket for order in snapshot.history] == [result.order]
            assert result.deal in [deal.ticket for deal in snapshot.deals]
            assert snapshot.orders == () and snapshot.account.login == client.account.login

            later = await client.snapshot(since=snapshot.deals[-1].time + 1)
            assert later.deals == later.history == ()
            assert later.positions == snapshot.positions

            with pytest.raises(ValueError, match="since"):
                await client.snapshot(since=0)

    asyncio.run(scenario())


@pytest.mark.parametrize("function", ["positions_get", "history_deals_get", "account_info"])
def test_a_snapshot_with_a_part_missing_raises(terminal, connected, function):
    async def scenario():
        async with connected(terminal, trade_poll_ms=3_600_000) as client:
            terminal.answer(function, -1)
            with pytest.raises(Exception, match=function):
                await client.snapshot()

    asyncio.run(scenario())
