"""Laws 3 and 6 under random trouble: no request twice, no wrong verdict, every deal told once."""

import asyncio
import random

import pytest

from tradingview_scraper.adapters.mt5.client import Lane
from tradingview_scraper.adapters.mt5.rules.lifecycle import Dealt
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome

ROUNDS = 30


def trouble(terminal, client, chance, processes):
    """Something goes wrong, or nothing does."""
    worker = client.pids[Lane.TRADE]
    if chance < 0.15 and worker is not None:
        processes.kill(worker)
    elif chance < 0.3:
        terminal.lose_reply("order_send", "before" if chance < 0.22 else "after")
    elif chance < 0.4:
        terminal.hang(1.5, "order_send")
    elif chance < 0.5:
        terminal.drop_connections()
    elif chance < 0.55:
        terminal.hang(1.5, "history_deals_get")


@pytest.mark.parametrize("seed", [1, 2])
def test_no_request_twice_no_wrong_verdict_and_every_deal_once(
    terminal, connected, eventually, market_order, processes, seed
):
    chances = random.Random(seed)

    async def scenario():
        loop = asyncio.get_running_loop()
        settings = {
            "order_timeout_secs": 0.5,
            "call_timeout_secs": 1.0,
            "restart_delay_ms": 20,
            "restart_delay_max_ms": 100,
        }
        async with connected(terminal, **settings) as client:
            outcomes, facts, sent = {}, [], 0

            def done(outcome):
                assert outcome.request["magic"] not in outcomes
                outcomes[outcome.request["magic"]] = outcome

            client.watch_trade(facts.extend, loop)
            for _ in range(ROUNDS):
                await eventually(lambda: client.is_ready)
                trouble(terminal, client, chances.random(), processes)
                for _ in range(chances.randint(1, 4)):
                    sent += 1
                    client.send(market_order(volume=0.01, magic=sent), done, loop)
                await asyncio.sleep(chances.choice([0, 0.01, 0.05]))
            await eventually(lambda: len(outcomes) == sent)
            await eventually(lambda: client.is_ready)

            books = terminal.books()
            deals = [deal for deal in books["deals"] if deal["order"]]
            traded = [deal["magic"] for deal in deals]
            assert len(traded) == len(set(traded))
            for magic, outcome in outcomes.items():
                if outcome.outcome is Outcome.ACCEPTED:
                    assert magic in traded
                if outcome.outcome is Outcome.REJECTED:
                    assert magic not in traded and not outcome.sent

            def told():
                return [fact.deal.ticket for fact in facts if isinstance(fact, Dealt)]

            await eventually(lambda: len(told()) >= len(deals))
            assert sorted(told()) == sorted(deal["ticket"] for deal in deals)
            tickets = {position["ticket"] for position in books["positions"]}
            await eventually(lambda: set(client.positions) == tickets)

    asyncio.run(scenario())
