"""Account figures and swap rates, for strategies that subscribe to them."""

import numpy as np
import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.data.messages import SubscribeData
from nautilus_trader.model.data import DataType, QuoteTick
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Unavailable
from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5AccountFigures, MT5SwapRates
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.swaps import swap_rates
from tradingview_scraper.adapters.mt5.simulator.control import launch
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolSwapMode
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

MT5 = ClientId("MT5")
EURUSD = InstrumentId.from_str("EURUSD.MT5")
GBPUSD = InstrumentId.from_str("GBPUSD.MT5")
FIGURES = DataType(MT5AccountFigures)
SWAPS = DataType(MT5SwapRates)
POLL = {"instrument_poll_secs": 0.05}


class Listener(Strategy):
    """Keeps the custom data that it subscribes to."""

    def __init__(self, number=2):
        super().__init__(StrategyConfig(strategy_id=f"L-{number:03}", order_id_tag=f"{number:03}"))
        self.received = []

    def on_data(self, data):
        self.received.append(data)


def push(terminal, symbol, bid):
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = bid, bid + 0.0001
    terminal.push_ticks(symbol, rows)


def data_client(rig):
    return rig.node.kernel.data_engine._clients[MT5]


@pytest.mark.parametrize(
    ("fields", "mode", "triple_day"),
    [
        ({"swap_mode": SymbolSwapMode.POINTS, "swap_rollover3days": 3}, "POINTS", "WEDNESDAY"),
        ({"swap_mode": SymbolSwapMode.DISABLED, "swap_rollover3days": 0}, "DISABLED", "SUNDAY"),
        ({"swap_mode": SymbolSwapMode.POINTS, "swap_rollover3days": 7}, "POINTS", ""),
        ({"swap_mode": 42}, "42", "WEDNESDAY"),
    ],
)
def test_swap_rates_say_their_unit_and_their_triple_day(info_of, fields, mode, triple_day):
    info = info_of("EURUSD", swap_long=-7.5, swap_short=0.25, **fields)
    rates = swap_rates(info, instrument_id=EURUSD, ts=7)
    assert (rates.long, rates.short, rates.mode, rates.triple_day) == (-7.5, 0.25, mode, triple_day)
    assert rates.instrument_id == EURUSD
    assert rates.ts_event == rates.ts_init == 7


@pytest.fixture
def small_account(terminal):
    """One that a lot of EURUSD brings near its margin call; its time stands still."""
    terminal.reset(
        {
            "extends": "demo-hedging",
            "account": {"balance": 1_500.0, "margin_so_call": 90.0, "margin_so_so": 0.1},
            "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
        }
    )
    return terminal


def test_account_figures_are_the_terminals_own_and_come_on_change(small_account, run_node):
    async def drive(rig):
        heard = []
        rig.strategy.on_data = heard.append
        rig.strategy.subscribe_data(FIGURES, client_id=MT5)
        first = (await rig.until(lambda: heard))[0]
        assert type(first) is MT5AccountFigures
        assert (first.account, first.currency) == ("MT5-5001234", "USD")
        assert (first.balance, first.equity, first.margin) == (1_500.0, 1_500.0, 0.0)
        assert (first.margin_call_level, first.stop_out_level) == (90.0, 0.1)
        assert (first.levels_in_money, first.margin_zone) == (False, "FREE")

        position = await rig.opened(rig.strategy.buy("EURUSD", "100000"))
        fell = position.avg_px_open - 0.0080
        push(small_account, "EURUSD", fell)
        await rig.until(lambda: heard[-1].margin_zone == "MARGIN_CALL")
        last, books = heard[-1], small_account.books()["account"]
        assert last.equity == pytest.approx(last.balance + last.profit)
        for name in ("balance", "equity", "profit", "margin", "margin_free", "margin_level"):
            assert getattr(last, name) == books[name], name
        push(small_account, "EURUSD", position.avg_px_open)
        await rig.until(lambda: heard[-1].margin_zone == "FREE")

    run_node(small_account, drive, terminal_fields={"account_poll_ms": 20})


def test_account_figures_that_are_the_same_are_not_said_again(small_account, run_node):
    async def drive(rig):
        heard = []
        rig.strategy.on_data = heard.append
        rig.strategy.subscribe_data(FIGURES, client_id=MT5)
        await rig.until(lambda: heard)
        asked = small_account.stats()["calls"]["account_info"]
        await rig.until(lambda: small_account.stats()["calls"]["account_info"] > asked + 5)
        assert len(heard) == 1

    run_node(small_account, drive, terminal_fields={"account_poll_ms": 20})


def world(**fields):
    return {"extends": "demo-hedging", "symbols": [{"name": "EURUSD", **fields}, "GBPUSD"]}


def test_swap_rates_of_all_instruments_come_at_once_and_then_on_change(run_node):
    async def drive(rig):
        heard = []
        rig.strategy.on_data = heard.append
        rig.strategy.subscribe_data(SWAPS, client_id=MT5)
        await rig.until(lambda: len(heard) == 2)
        assert {one.instrument_id for one in heard} == {EURUSD, GBPUSD}
        for one in heard:
            info = rig.cache.instrument(one.instrument_id).info
            assert (one.long, one.short) == (info["swap_long"], info["swap_short"])
        terminal.reset(world(swap_long=-9.5, swap_rollover3days=5))
        await rig.until(lambda: len(heard) > 2)
        (changed,) = heard[2:]
        assert (changed.instrument_id, changed.long) == (EURUSD, -9.5)
        assert changed.triple_day == "FRIDAY"

    with launch(world()) as terminal:
        run_node(terminal, drive, symbols=["EURUSD", "GBPUSD"], data_fields=POLL)


def test_each_instrument_reaches_who_asked_for_it_and_once(run_node, terminal):
    one, two, three = Listener(2), Listener(3), Listener(4)

    async def drive(rig):
        one.subscribe_data(SWAPS, instrument_id=EURUSD)
        two.subscribe_data(SWAPS, instrument_id=GBPUSD)
        await rig.until(lambda: one.received and two.received)
        three.subscribe_data(SWAPS, client_id=MT5)
        await rig.until(lambda: SWAPS in data_client(rig).subscribed_custom_data())
        terminal.reset(
            {"extends": "demo-hedging", "symbols": [{"name": "EURUSD", "swap_long": -1.25}]}
        )
        await rig.until(lambda: three.received)
        assert [rates.instrument_id for rates in one.received] == [EURUSD, EURUSD]
        assert [rates.instrument_id for rates in two.received] == [GBPUSD]
        assert [rates.long for rates in three.received] == [-1.25]

    run_node(
        terminal, drive, symbols=["EURUSD", "GBPUSD"], data_fields=POLL, others=[one, two, three]
    )


def broker(balance, **fields):
    return {
        "extends": "demo-hedging",
        "account": {"balance": balance},
        "symbols": [{"name": "EURUSD.m", "like": "EURUSD", **fields}],
    }


@pytest.mark.parametrize(
    ("data_type", "one"),
    [
        (FIGURES, {}),
        (SWAPS, {}),
        (SWAPS, {"instrument_id": InstrumentId.from_str("EURUSD.m.MT5")}),
    ],
)
def test_data_go_on_for_the_strategy_that_stays(terminal, run_node, data_type, one):
    """Nautilus tells the client that nobody is there any more when the first one leaves."""
    other = Listener()
    how = {"data_type": data_type, "client_id": MT5, **one}
    terminal.reset(broker(balance=10_000.0, swap_long=-9.5))

    async def drive(rig):
        heard = []
        rig.strategy.on_data = heard.append
        rig.strategy.subscribe_data(**how)
        await rig.until(lambda: heard)
        other.subscribe_data(**how)
        rig.strategy.unsubscribe_data(**how)
        terminal.reset(broker(balance=123.0, swap_long=-1.25))
        await rig.until(lambda: other.received)
        assert len(heard) == 1
        assert len(data_client(rig).subscribed_custom_data()) == 1
        other.unsubscribe_data(**how)
        await rig.until(lambda: not data_client(rig).subscribed_custom_data())
        feeds = data_client(rig)._custom
        await rig.until(lambda: feeds._figures is None and not feeds._swaps)

    run_node(terminal, drive, symbols=["EURUSD.m"], data_fields=POLL, others=[other])


@pytest.mark.parametrize(
    ("data_type", "instrument_id", "why"),
    [
        (DataType(MT5SwapRates, {"symbol": "EURUSD"}), None, "expected one instrument as"),
        (SWAPS, InstrumentId.from_str("NOTHERE.MT5"), "is no instrument of this terminal"),
        (DataType(QuoteTick), None, "MT5SwapRates are"),
    ],
)
def test_what_cannot_be_served_is_taken_back(terminal, run_node, data_type, instrument_id, why):
    async def drive(rig):
        client = data_client(rig)
        command = SubscribeData(
            data_type=data_type,
            instrument_id=instrument_id,
            client_id=MT5,
            venue=None,
            command_id=UUID4(),
            ts_init=0,
        )
        client._add_subscription(command.data_type)
        with pytest.raises(Unavailable, match=why):
            await client._subscribe(command)
        assert not client.subscribed_custom_data()

    run_node(terminal, drive)
