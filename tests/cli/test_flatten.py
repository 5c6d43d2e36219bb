"""``mt5 flatten``: closes by ticket, cancels, verifies, and says what is left."""

import asyncio
import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.library import LIBRARY
from tradingview_scraper.adapters.mt5.cli.flatten.closing import Flattening
from tradingview_scraper.adapters.mt5.cli.flatten.plan import Selection, run_magic
from tradingview_scraper.adapters.mt5.cli.main import main
from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.rules.identity import magic, namespace_of
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    TradeAction,
)

OURS, OTHERS = magic(1000, "O-1"), magic(2000, "O-1")


def deal(terminal, symbol="EURUSD", side=OrderType.BUY, volume=0.1, **fields):
    answer = terminal.trade_by_hand(
        action=int(TradeAction.DEAL),
        symbol=symbol,
        type=int(side),
        volume=volume,
        type_filling=int(OrderFilling.IOC),
        **fields,
    )
    return answer["order"]


def pending(terminal, **fields):
    answer = terminal.trade_by_hand(
        action=int(TradeAction.PENDING),
        symbol="EURUSD",
        type=int(OrderType.BUY_LIMIT),
        volume=0.1,
        price=0.9,
        type_filling=int(OrderFilling.RETURN),
        **fields,
    )
    assert answer["retcode"] == 10009, answer
    return answer["order"]


@pytest.fixture
def flatten(terminal):
    def run(*options, login=None):
        login = login or terminal.books()["account"]["login"]
        done = CliRunner().invoke(
            main,
            [
                *("flatten", "--path", terminal.path, "--library", LIBRARY),
                *("--login", str(login), "--json", *options),
            ],
        )
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, json.loads(done.stdout.splitlines()[-1])

    return run


def test_closes_and_cancels_everything_on_a_hedging_account(terminal, flatten):
    tickets = {deal(terminal), deal(terminal, side=OrderType.SELL), deal(terminal, "USDJPY")}
    order = pending(terminal)
    status, told = flatten("--all", "--yes")
    assert (status, told["ok"], told["verified"]) == (0, True, True)
    books = terminal.books()
    assert books["positions"] == [] and books["orders"] == []
    assert {closed["position"] for closed in told["closed"]} == tickets
    assert told["cancelled"] == [order]
    assert terminal.stats()["calls"]["order_send"] == 4


@pytest.mark.parametrize("scenario", ["demo-netting", "exchange-netting"])
def test_closes_a_netted_position_without_turning_it(terminal, flatten, scenario):
    terminal.reset({"extends": scenario, "clock": {"mode": "stepped"}})
    symbol = "EURUSD" if scenario == "demo-netting" else terminal_symbol(terminal)
    volume = 0.3 if scenario == "demo-netting" else 2.0
    filling = OrderFilling.IOC if scenario == "demo-netting" else OrderFilling.RETURN
    answer = terminal.trade_by_hand(
        action=int(TradeAction.DEAL),
        symbol=symbol,
        type=int(OrderType.SELL),
        volume=volume,
        type_filling=int(filling),
    )
    assert answer["retcode"] in (10008, 10009), answer
    status, told = flatten("--all", "--yes")
    assert status == 0, told
    assert terminal.books()["positions"] == []
    assert terminal.stats()["calls"]["order_send"] == 1


def terminal_symbol(terminal):
    from tradingview_scraper.adapters.mt5.simulator.scenario import load_scenario

    return next(iter(load_scenario("exchange-netting").symbols)).info.name


def test_leaves_what_is_of_another_namespace_or_symbol(terminal, flatten):
    ours = deal(terminal, magic=OURS)
    kept = {
        deal(terminal, magic=OTHERS),
        deal(terminal),
        deal(terminal, "USDJPY", magic=OURS),
    }
    mine, others = pending(terminal, magic=OURS), pending(terminal, magic=OTHERS)
    status, told = flatten("--magic", "1000", "--symbol", "EURUSD", "--yes")
    assert status == 0
    assert [closed["position"] for closed in told["closed"]] == [ours]
    assert told["cancelled"] == [mine]
    books = terminal.books()
    assert {position["ticket"] for position in books["positions"]} == kept
    assert [order["ticket"] for order in books["orders"]] == [others]


def test_dry_run_and_no_agreement_send_nothing(terminal, flatten):
    deal(terminal)
    status, told = flatten("--all", "--dry-run")
    assert (status, told["dry_run"], len(told["positions"])) == (1, True, 1)
    status, told = flatten("--all")
    assert status == 2 and "--yes" in told["error"]
    assert "order_send" not in terminal.stats()["calls"]
    assert len(terminal.books()["positions"]) == 1


def test_needs_to_know_what_is_meant():
    for options in ([], ["--all", "--magic", "1000"]):
        done = CliRunner().invoke(main, ["flatten", *options])
        assert done.exit_code == 2 and "--magic NAMESPACE or --all" in done.output


def test_closed_market_is_left_with_the_reason(terminal, flatten):
    ticket = deal(terminal)
    other = deal(terminal, "USDJPY")
    terminal.fault("answer", "order_send", code=10018, where={"symbol": "EURUSD"})
    status, told = flatten("--all", "--yes")
    assert (status, told["verified"]) == (1, True)
    (left,) = told["left"]["positions"]
    assert left["ticket"] == ticket and "10018" in left["reason"]
    assert [closed["position"] for closed in told["closed"]] == [other]


@pytest.mark.parametrize("executed", [True, False])
def test_unknown_outcome_is_looked_up_and_not_sent_again(terminal, flatten, executed):
    ticket = deal(terminal)
    terminal.answer("order_send", 10012, executed=executed)
    status, told = flatten("--all", "--yes", "--seconds", "3")
    assert status == (0 if executed else 1)
    assert terminal.stats()["calls"]["order_send"] == 1
    if not executed:
        (left,) = told["left"]["positions"]
        assert left["ticket"] == ticket and "not known" in left["reason"]


def test_lost_reply_to_an_executed_close_is_looked_up(terminal, flatten):
    deal(terminal)
    terminal.lose_reply("order_send", when="after")
    status, told = flatten("--all", "--yes")
    assert status == 0, told
    assert terminal.stats()["calls"]["order_send"] == 1


def test_terminal_without_its_server_verifies_nothing(terminal):
    """Its reads go on succeeding: an account that looks empty is not known to be."""
    config = MT5TerminalConfig(
        path=terminal.path,
        login=terminal.books()["account"]["login"],
        module=LIBRARY,
    )

    async def run():
        client = MT5Client(config)
        await client.connect()
        try:
            terminal.set_connected(False)
            deal(terminal)
            flattening = Flattening(client, Selection(None), deviation=10, tell=print)
            return await flattening.run(5)
        finally:
            await client.disconnect()

    result = asyncio.run(run())
    assert result.positions_left == []
    assert not result.is_verified and not result.is_flat
    assert "no link to its trade server" in result.failure


def test_requote_is_tried_again(terminal, flatten):
    deal(terminal)
    terminal.requote(2)
    status, _ = flatten("--all", "--yes")
    assert status == 0 and terminal.books()["positions"] == []


def test_close_that_is_filled_in_part_is_followed_by_one_of_the_rest(terminal, flatten):
    deal(terminal, volume=0.1)
    terminal.partial_fill(0.04)
    status, told = flatten("--all", "--yes")
    assert status == 0, told
    books = terminal.books()
    assert books["positions"] == []
    assert sorted(one["volume"] for one in books["deals"] if one["entry"] == 1) == [0.04, 0.06]


def test_position_above_the_largest_volume_is_closed_in_parts(terminal, flatten):
    terminal.reset(
        {
            "extends": "demo-netting",
            "clock": {"mode": "stepped"},
            "symbols": [{"name": "EURUSD", "volume_max": 0.4}],
        }
    )
    for _ in range(3):
        deal(terminal, volume=0.4)
    status, told = flatten("--all", "--yes")
    assert status == 0, told
    assert sum(closed["volume"] for closed in told["closed"]) == pytest.approx(1.2)
    assert terminal.books()["positions"] == []


def test_another_account_is_not_touched(terminal, flatten):
    deal(terminal)
    status, told = flatten("--all", "--yes", login=5001235)
    assert status == 2 and "5001235" in told["error"]
    assert len(terminal.books()["positions"]) == 1


@given(st.integers(0, 2**62))
def test_magic_numbers_of_a_run_are_of_no_namespace(started_ns):
    first = run_magic(started_ns)
    assert namespace_of(first) is None and namespace_of(first + 99_999) is None
