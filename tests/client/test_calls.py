"""Does every function of the library answer through the client, and does failure raise?"""

import asyncio
import inspect

import pytest

from tradingview_scraper.adapters.mt5.client import Lane, MT5Client
from tradingview_scraper.adapters.mt5.client.lanes import LANE_OF, OWN
from tradingview_scraper.adapters.mt5.terminal.api import FUNCTIONS
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5CallError,
    MT5ConnectionError,
    MT5LaneLost,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    RATE_DTYPE,
    TICK_DTYPE,
    AccountInfo,
    OrderCheckResult,
    OrderSendResult,
    SymbolInfo,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
    TradeRequest,
)

END = 2_147_483_647


def test_every_function_has_a_coroutine_and_a_lane():
    for function in FUNCTIONS - OWN:
        assert inspect.iscoroutinefunction(getattr(MT5Client, function)), function
        assert isinstance(LANE_OF[function], Lane)
    assert LANE_OF.keys() == FUNCTIONS - OWN


def test_answers_are_the_librarys_records(terminal, connected, market_order):
    async def scenario():
        async with connected(terminal) as client:
            assert type(await client.account_info()) is AccountInfo
            assert type(await client.terminal_info()) is TerminalInfo
            assert (await client.version())[0] == 500
            names = [info.name for info in await client.symbols_get()]
            assert await client.symbols_total() == len(names)
            assert [type(info) for info in await client.symbols_get("EURUSD")] == [SymbolInfo]
            assert (await client.symbol_info("Germany 40")).name == "Germany 40"
            assert await client.symbol_select("EURUSD") is True
            tick = await client.symbol_info_tick("EURUSD")
            assert type(tick) is Tick
            at = tick.time

            for rates in (
                await client.copy_rates_from("EURUSD", Timeframe.M1, at, 5),
                await client.copy_rates_from_pos("EURUSD", Timeframe.M1, 0, 5),
                await client.copy_rates_range("EURUSD", Timeframe.M1, at - 240, at),
            ):
                assert rates.dtype == RATE_DTYPE and 1 <= len(rates) <= 5
            ticks = await client.copy_ticks_from("EURUSD", at - 60, 10, CopyTicks.ALL)
            assert ticks.dtype == TICK_DTYPE and len(ticks) == 10
            assert len(await client.copy_ticks_range("EURUSD", at - 60, at, CopyTicks.ALL))

            result = await client.order_send(market_order(magic=77))
            assert type(result) is OrderSendResult and type(result.request) is TradeRequest
            assert (result.retcode, result.request.magic) == (10009, 77)
            assert type(await client.order_check(market_order())) is OrderCheckResult
            (position,) = await client.positions_get(symbol="EURUSD")
            assert type(position) is TradePosition
            assert await client.positions_get(ticket=position.ticket) == (position,)
            assert await client.positions_total() == 1
            (deal,) = await client.history_deals_get(position=position.ticket)
            assert type(deal) is TradeDeal and deal.magic == 77
            assert deal in await client.history_deals_get(1, END)
            (order,) = await client.history_orders_get(ticket=result.order)
            assert type(order) is TradeOrder
            assert await client.history_orders_get(1, END) == (order,)
            assert await client.history_orders_total(1, END) == 1
            assert await client.history_deals_total(1, END) >= 1
            assert await client.order_calc_margin(0, "EURUSD", 1, 1.1) > 0
            profit = await client.order_calc_profit(0, "EURUSD", 1, 1.1, 1.2)
            assert profit == pytest.approx(10_000)

    asyncio.run(scenario())


def test_an_empty_answer_is_an_answer(terminal, connected):
    async def scenario():
        async with connected(terminal) as client:
            assert await client.orders_get() == ()
            assert await client.positions_get(ticket=5) == ()
            assert await client.orders_total() == 0
            assert await client.symbols_get("nothing like it") == ()
            assert len(await client.copy_ticks_range("EURUSD", END - 1, END, -1)) == 0

    asyncio.run(scenario())


def test_a_failure_raises_with_the_librarys_code_and_is_never_empty(terminal, connected):
    async def scenario():
        async with connected(terminal) as client:
            with pytest.raises(MT5CallError) as caught:
                await client.symbol_info("NOSUCH")
            assert (caught.value.function, caught.value.code) == ("symbol_info", -4)

            terminal.answer("copy_ticks_from", -1)
            with pytest.raises(MT5CallError):
                await client.copy_ticks_from("EURUSD", 1, 5, -1)
            with pytest.raises(MT5CallError):
                await client.symbol_select("NOSUCH")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "function,args",
    [
        ("copy_ticks_from", ("EURUSD", 0, 5, -1)),
        ("order_send", ({},)),
        ("order_send", ({"action": 1, "stop_loss": 1.0},)),
        ("initialize", ()),
        ("Buy", ("EURUSD", 1.0)),
    ],
)
def test_what_the_library_would_take_wrongly_is_refused_at_once(config, function, args):
    with pytest.raises(ValueError):
        MT5Client(config("nowhere")).submit(function, *args)


def test_a_request_goes_to_the_trade_lane_only(config, market_order):
    with pytest.raises(ValueError, match="trade lane"):
        MT5Client(config("nowhere")).submit("order_send", market_order(), lane=Lane.HISTORY)


def test_a_client_that_is_not_connected_says_so(config, market_order):
    client = MT5Client(config("nowhere"))

    with pytest.raises(MT5LaneLost) as caught:
        client.submit("positions_get").result(0)
    assert caught.value.sent is False
    for name in ("account", "terminal"):
        with pytest.raises(MT5ConnectionError, match="connect"):
            getattr(client, name)
    assert not client.is_ready


def test_calls_may_come_from_any_thread(terminal, connected):
    async def scenario():
        async with connected(terminal) as client:
            answers = await asyncio.gather(
                *(
                    asyncio.to_thread(lambda: client.submit("symbol_info", "EURUSD").result(30))
                    for _ in range(8)
                )
            )
            assert {info.name for info in answers} == {"EURUSD"}

    asyncio.run(scenario())


def test_many_calls_at_once_do_not_wait_for_the_pipe(terminal, connected):
    """Far more than a pipe holds: the rest is written while the worker answers."""

    async def scenario():
        async with connected(terminal) as client:
            group = "x" * 1500
            waiting = [client.submit("symbols_get", group) for _ in range(200)]
            answers = await asyncio.gather(*map(asyncio.wrap_future, waiting))
            assert answers == [()] * 200

    asyncio.run(scenario())


def test_a_caller_that_gives_up_does_not_disturb_the_lane(terminal, connected):
    async def scenario():
        async with connected(terminal) as client:
            terminal.hang(0.5, "symbols_total")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.symbols_total(), 0.05)
            assert await client.symbols_total() > 0
            assert client.is_ready

    asyncio.run(scenario())
