"""Is a snapshot one consistent reading, or an error?"""

import pytest

from tradingview_scraper.adapters.mt5.worker.identity import Expected
from tradingview_scraper.adapters.mt5.worker.library import CallFailed
from tradingview_scraper.adapters.mt5.worker.snapshot import ForeignAccount, take_snapshot

EXPECTED = Expected(login=7, server="Demo", may_trade=True, allow_real_account=False)


def test_all_parts_are_there(library, make):
    library.orders, library.positions = [make.order(1)], [make.position(2)]
    library.deals, library.history = [make.deal(3, 1000)], [make.order(4, 1000)]

    orders, history, deals, positions, account = take_snapshot(library, EXPECTED, 1)

    assert [row.ticket for row in (*orders, *history, *deals, *positions)] == [1, 4, 3, 2]
    assert account.login == 7


def test_a_deal_in_between_makes_it_read_again(library, make):
    def fill(function):
        if function == "orders_get" and not library.deals:
            library.deals = [make.deal(3, 1000)]
            library.positions = [make.position(2)]

    library.on_call = fill
    _, _, deals, positions, _ = take_snapshot(library, EXPECTED, 1)

    assert len(deals) == len(positions) == 1
    assert library.count("orders_get") == 2


def test_an_account_that_does_not_keep_still_is_an_error(library, make):
    def fill(function):
        if function == "orders_get":
            library.deals.append(make.deal(len(library.deals), 1000))

    library.on_call = fill
    with pytest.raises(CallFailed, match="moved"):
        take_snapshot(library, EXPECTED, 1)
    assert library.count("orders_get") == 3


@pytest.mark.parametrize(
    "function",
    [
        "history_deals_get",
        "history_orders_get",
        "orders_get",
        "positions_get",
        "account_info",
        "history_deals_total",
        "orders_total",
    ],
)
def test_a_part_that_fails_fails_the_whole(library, function):
    library.failures[function] = [(-1, "Terminal: Call failed")]

    with pytest.raises(CallFailed) as caught:
        take_snapshot(library, EXPECTED, 1)

    assert caught.value.function == function


def test_another_account_is_no_answer(library):
    library.account = library.account._replace(login=8)

    with pytest.raises(ForeignAccount, match="expected account 7"):
        take_snapshot(library, EXPECTED, 1)


def test_without_a_start_the_newest_of_a_long_history_are_read(library, make):
    library.deals = [make.deal(n, 1_700_000_000 + 10 * n) for n in range(5_000)]

    _, _, deals, _, _ = take_snapshot(library, EXPECTED, None)

    assert len(deals) == 1_000


@pytest.mark.parametrize("breaks_at", ["terminal_info", "positions_get"])
def test_what_a_terminal_without_its_server_shows_is_no_answer(library, breaks_at):
    def cut(function):
        if function == breaks_at:
            library.is_linked = False

    library.on_call = cut
    with pytest.raises(CallFailed, match="no link to its trade server"):
        take_snapshot(library, EXPECTED, 1)
