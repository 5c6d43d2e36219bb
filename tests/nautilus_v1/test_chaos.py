"""Random trading in random trouble: after each round the cache equals the books."""

import pytest


@pytest.fixture(scope="session")
def chaos(beside):
    return beside("chaos")


@pytest.mark.parametrize(("account", "seed"), [("hedging", 1), ("netting", 2)])
def test_whatever_happens_each_deal_is_there_once_and_no_order_was_sent_twice(
    terminal, run_node, cells, chaos, compared, doubled_in, processes, account, seed
):
    hedging = account == "hedging"
    terminal.reset(chaos.scenario(account, seed))
    login = terminal.books()["account"]["login"]
    tally = chaos.Tally()

    async def drive(rig):
        going = chaos.Chaos(rig, processes, compared, seed=seed, hedging=hedging, tally=tally)
        await going.begin()
        for _ in range(6):
            await going.round()
        chaos.account_of(rig, tally, compared, hedging=hedging)

    run_node(terminal, drive, **chaos.fields(cells, account, login))
    assert not doubled_in(terminal.books())
    assert (tally.lost, tally.doubled, tally.missed) == (0, 0, 0)
    assert tally.resolved == tally.unknown
    assert tally.orders and tally.deals
