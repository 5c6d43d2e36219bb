"""Law 3: a trade request is accepted, rejected or unknown, and is never sent twice."""

import asyncio

import pytest

from tradingview_scraper.adapters.mt5.client import Lane
from tradingview_scraper.adapters.mt5.rules.lifecycle import Dealt
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome
from tradingview_scraper.adapters.mt5.terminal.constants import TradeRetcode
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5CallError,
    MT5CallTimeout,
    MT5IdentityError,
    MT5LaneLost,
)


@pytest.fixture
def sent(eventually):
    """Sends a request and waits for its outcome."""

    async def sent(client, request):
        outcomes = []
        client.send(request, outcomes.append, asyncio.get_running_loop())
        await eventually(lambda: outcomes)
        assert len(outcomes) == 1
        return outcomes[0]

    return sent


def requests_seen(terminal):
    return terminal.stats()["calls"]["order_send"]


def test_an_accepted_request(terminal, connected, sent, market_order):
    async def scenario():
        async with connected(terminal) as client:
            request = market_order(magic=5)
            outcome = await sent(client, request)

            assert outcome.outcome is Outcome.ACCEPTED and outcome.sent and outcome.error is None
            assert outcome.result.retcode == TradeRetcode.DONE
            assert outcome.request == request
            assert 0 < outcome.started_ns < outcome.ended_ns
            (deal,) = [deal for deal in terminal.books()["deals"] if deal["order"]]
            assert (deal["ticket"], deal["magic"]) == (outcome.result.deal, 5)

    asyncio.run(scenario())


def test_a_refusal_that_the_terminal_sent_proves_nothing(terminal, connected, sent, market_order):
    """-2 is the library's own for a malformed request, but a terminal that has it can say so."""

    async def scenario():
        async with connected(terminal) as client:
            terminal.answer("order_send", -2, executed=True)
            outcome = await sent(client, market_order())

            assert outcome.error.text == "Terminal: Invalid params"
            assert outcome.outcome is Outcome.UNKNOWN and outcome.sent
            assert len(terminal.books()["positions"]) == 1

    asyncio.run(scenario())


def test_the_code_decides(terminal, connected, sent, market_order):
    async def scenario():
        async with connected(terminal) as client:
            for retcode, expected in (
                (TradeRetcode.REJECT, Outcome.REJECTED),
                (TradeRetcode.NO_MONEY, Outcome.REJECTED),
                (TradeRetcode.PLACED, Outcome.ACCEPTED),
                (TradeRetcode.DONE_PARTIAL, Outcome.ACCEPTED),
                (TradeRetcode.TIMEOUT, Outcome.UNKNOWN),
                (TradeRetcode.ERROR, Outcome.UNKNOWN),
                (TradeRetcode.CONNECTION, Outcome.UNKNOWN),
                (19_999, Outcome.UNKNOWN),
            ):
                before = requests_seen(terminal)
                terminal.answer("order_send", int(retcode))
                outcome = await sent(client, market_order())

                assert (outcome.outcome, outcome.sent) == (expected, True), retcode
                assert requests_seen(terminal) == before + 1

    asyncio.run(scenario())


def test_a_lost_reply_is_unknown_and_the_request_is_not_sent_again(
    terminal, connected, sent, market_order, eventually
):
    async def scenario():
        async with connected(terminal) as client:
            facts = []
            client.watch_trade(facts.extend, asyncio.get_running_loop())
            terminal.lose_reply("order_send")
            outcome = await sent(client, market_order(magic=5))

            assert (outcome.outcome, outcome.sent) == (Outcome.UNKNOWN, True)
            assert isinstance(outcome.error, MT5CallError) and outcome.error.code == -10002
            await eventually(lambda: client.is_ready)
            await eventually(lambda: [fact for fact in facts if isinstance(fact, Dealt)])
            assert requests_seen(terminal) == 1
            assert [deal["magic"] for deal in terminal.books()["deals"] if deal["order"]] == [5]

    asyncio.run(scenario())


def test_a_request_that_gets_no_answer_in_time_is_unknown(
    terminal, connected, sent, market_order, eventually
):
    async def scenario():
        async with connected(terminal, order_timeout_secs=0.5) as client:
            terminal.hang(600.0, "order_send")
            outcome = await sent(client, market_order())

            assert (outcome.outcome, outcome.sent) == (Outcome.UNKNOWN, True)
            assert isinstance(outcome.error, MT5CallTimeout)
            await eventually(lambda: client.is_ready)
            assert requests_seen(terminal) == 1

    asyncio.run(scenario())


def test_requests_behind_one_that_hangs_were_certainly_not_sent(
    terminal, connected, market_order, eventually
):
    async def scenario():
        async with connected(terminal, order_timeout_secs=0.5) as client:
            loop, outcomes = asyncio.get_running_loop(), []
            terminal.hang(600.0, "order_send")
            for _ in range(30):
                client.send(market_order(), outcomes.append, loop)
            await eventually(lambda: len(outcomes) == 30)

            first, *others = outcomes
            assert (first.outcome, first.sent) == (Outcome.UNKNOWN, True)
            assert {outcome.outcome for outcome in others} == {Outcome.REJECTED}
            assert not any(outcome.sent for outcome in others)
            assert all(isinstance(outcome.error, MT5LaneLost) for outcome in others)
            await eventually(lambda: client.is_ready)
            assert requests_seen(terminal) == 1

    asyncio.run(scenario())


def test_a_request_while_the_lane_is_down_is_not_sent_later(
    terminal, connected, sent, market_order, eventually
):
    async def scenario():
        async with connected(terminal, restart_delay_max_ms=200) as client:
            terminal.kill()
            await eventually(lambda: client.states[Lane.TRADE].state != "attached")
            outcome = await sent(client, market_order())
            assert (outcome.outcome, outcome.sent) == (Outcome.REJECTED, False)
            assert isinstance(outcome.error, MT5LaneLost)

            terminal.start()
            await eventually(lambda: client.is_ready)
            assert requests_seen(terminal) == 0

    asyncio.run(scenario())


def test_requests_leave_in_the_order_in_which_they_were_given(
    terminal, connected, market_order, eventually
):
    async def scenario():
        async with connected(terminal) as client:
            loop, outcomes = asyncio.get_running_loop(), []
            for magic in range(1, 41):
                client.send(market_order(magic=magic), outcomes.append, loop)
            await eventually(lambda: len(outcomes) == 40)

            assert [outcome.request["magic"] for outcome in outcomes] == [*range(1, 41)]
            orders = [outcome.result.order for outcome in outcomes]
            sent = {deal["order"]: deal["magic"] for deal in terminal.books()["deals"]}
            assert [sent[order] for order in orders] == [*range(1, 41)]

    asyncio.run(scenario())


def test_the_answer_is_delivered_before_its_deal(terminal, connected, market_order, eventually):
    async def scenario():
        async with connected(terminal) as client:
            loop, seen = asyncio.get_running_loop(), []
            client.watch_trade(seen.extend, loop)
            for _ in range(10):
                client.send(market_order(), seen.append, loop)

            def deals():
                return [fact for fact in seen if isinstance(fact, Dealt)]

            await eventually(lambda: len(deals()) == 10)
            answered = set()
            for news in seen:
                if hasattr(news, "outcome"):
                    answered.add(news.result.deal)
                elif isinstance(news, Dealt):
                    assert news.deal.ticket in answered

    asyncio.run(scenario())


def test_without_an_expected_login_nothing_is_traded(terminal, connected, sent, market_order):
    async def scenario():
        async with connected(terminal, login=None) as client:
            outcome = await sent(client, market_order())

            assert (outcome.outcome, outcome.sent) == (Outcome.REJECTED, False)
            assert isinstance(outcome.error, MT5IdentityError)
            assert "set login=5001234" in str(outcome.error)
            assert requests_seen(terminal) == 0
            assert (await client.account_info()).login == 5001234

    asyncio.run(scenario())


def test_a_malformed_request_is_refused_at_once(terminal, connected, market_order):
    async def scenario():
        async with connected(terminal) as client:
            with pytest.raises(ValueError, match="stop_loss"):
                client.send(market_order(stop_loss=1.0), print, asyncio.get_running_loop())
            assert requests_seen(terminal) == 0

    asyncio.run(scenario())
