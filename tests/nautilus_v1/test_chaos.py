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

    fields = chaos.fields(cells, account, login)

    def run(drive, **more):
        run_node(terminal, drive, **fields, **more)

    chaos.live(
        run,
        compared,
        doubled_in,
        rounds=6,
        tally=tally,
        processes=processes,
        seed=seed,
        hedging=hedging,
    )
    assert (tally.lost, tally.doubled, tally.missed) == (0, 0, 0)
    assert tally.resolved == tally.unknown
    assert tally.orders and tally.deals
