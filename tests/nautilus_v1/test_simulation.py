"""A backtest against the simulated terminal on the same ticks; swaps; paper without a broker."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Venue
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5.archive.archive import Archive
from tradingview_scraper.adapters.mt5.archive.download import Wish, download
from tradingview_scraper.adapters.mt5.archive.terms import Terms
from tradingview_scraper.adapters.mt5.cli.backtest.session import BacktestResult, run_backtest
from tradingview_scraper.adapters.mt5.cli.paper.session import run_paper
from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.nautilus_v1.catalog import (
    archive_listing,
    open_catalog,
    write_series,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.replay import days_of_archive, days_of_catalog
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.simulator.control import Control, launch
from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE, MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

pytestmark = pytest.mark.timeout(120)

#: NautilusTrader remembers for the whole process that a venue was simulated, and computes the
#: account of any later live client of that name: simulations here have names of their own.
VENUE = Venue("BACKTEST")
SIMULATED = InstrumentId.from_str("EURUSD.BACKTEST")
PAPER = InstrumentId.from_str("EURUSD.PAPER")
#: Ticks come only from the test.
PUSHED = {
    "extends": "demo-hedging",
    "clock": {"mode": "stepped", "start": "2025-03-12T12:00:00Z"},
    "prices": {"synthetic": False},
    "symbols": ["EURUSD"],
    "broker": {"commission_per_lot": 3.5},
}
#: At which quote which order is sent: units to open, or the number of the position to close.
PLAN: dict[int, tuple[str, str | int]] = {
    2: ("BUY", "10000"),
    3: ("SELL", "250000"),
    5: ("CLOSE", 0),
    6: ("BUY", "1000"),
    8: ("CLOSE", 1),
    9: ("CLOSE", 2),
}
BIDS = [1.08 + step * 1e-5 for step in (0, 7, -3, 12, 5, -20, 33, 18, -9, 4)]


def _tick(bid: float, spread: float = 1.3e-4) -> Any:
    row = np.zeros(1, TICK_DTYPE)
    row["bid"], row["ask"], row["flags"] = round(bid, 5), round(bid + spread, 5), 6
    return row


class Scripted(Strategy):
    """Follows a plan, quote by quote."""

    def __init__(self, plan: dict[int, tuple[str, str | int]], symbol: InstrumentId) -> None:
        super().__init__(StrategyConfig(strategy_id="S-001", order_id_tag="001"))
        self.plan = plan
        self.symbol = symbol
        self.seen = 0
        self.opened: list[Any] = []

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.symbol)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        what, which = self.plan.get(self.seen, ("", ""))
        self.seen += 1
        if what == "CLOSE":
            order = self.opened[int(which)]
            self.close_position(self.cache.position_for_order(order.client_order_id))
        elif what:
            instrument = self.cache.instrument(self.symbol)
            side = OrderSide.BUY if what == "BUY" else OrderSide.SELL
            order = self.order_factory.market(self.symbol, side, instrument.make_qty(float(which)))
            self.opened.append(order)
            self.submit_order(order)


def _facts(fills: list[Any]) -> list[tuple[str, float, float, float]]:
    return [
        (
            fill.order_side.name,
            fill.last_qty.as_double(),
            fill.last_px.as_double(),
            fill.commission.as_double(),
        )
        for fill in fills
    ]


def _download(terminal: Control, archive: Archive) -> None:
    async def run() -> None:
        client = MT5Client(MT5TerminalConfig(path=terminal.path, module=SIMULATOR_MODULE))
        await client.connect()
        try:
            await download(client, archive, Wish(("EURUSD",)), read_at_ns=1)
        finally:
            await client.disconnect()

    asyncio.run(run())


def _backtest(days: Any, archive: Archive, page: Path | None = None) -> BacktestResult:
    terms = archive.terms()
    assert terms is not None
    return run_backtest(
        Scripted(PLAN, SIMULATED),
        [archive_listing(archive, "EURUSD", venue=VENUE)],
        terms,
        ZoneRule.parse(archive.open().zone),
        days,
        venue=VENUE.value,
        balance=100_000.0,
        tearsheet=page,
    )


def test_same_ticks_give_the_same_fills_as_on_the_terminal(
    run_node: Callable[..., None], tmp_path: Path
) -> None:
    """Sides, quantities, prices equal; commissions to a cent, the balance to a cent a fill."""
    live: list[Any] = []

    async def drive(rig: Any) -> None:
        opened: list[Any] = []
        for number, bid in enumerate(BIDS):
            rig.terminal.push_ticks("EURUSD", _tick(bid))
            await rig.until(lambda count=number + 1: len(rig.strategy.quotes) >= count)
            what, which = PLAN.get(number, ("", ""))
            if what == "CLOSE":
                position = rig.cache.position_for_order(opened[int(which)].client_order_id)
                rig.strategy.close_position(position)
                await rig.until(lambda held=position: held.is_closed)
            elif what:
                send = rig.strategy.buy if what == "BUY" else rig.strategy.sell
                opened.append(send("EURUSD", which))
                await rig.opened(opened[-1])
            rig.terminal.advance(1.0)
        live.extend(rig.fills())

    archive = Archive(tmp_path / "archive")
    with launch(PUSHED) as terminal:
        run_node(terminal, drive)
        _download(terminal, archive)
        books = terminal.books()
    known = archive_listing(archive, "EURUSD", venue=VENUE)
    page = tmp_path / "out" / "tearsheet.html"
    result = _backtest(days_of_archive(archive, [known], 1, 2**32), archive, page)
    assert result.quotes == len(BIDS)
    assert len(live) == 6
    assert [fact[:3] for fact in _facts(result.fills)] == [fact[:3] for fact in _facts(live)]
    paid = [fact[3] for fact in _facts(live)]
    assert [fact[3] for fact in _facts(result.fills)] == pytest.approx(paid, abs=0.01)
    assert result.balance_end == pytest.approx(books["account"]["balance"], abs=0.06)
    assert "plotly" in page.read_text("utf-8")
    catalog = open_catalog(tmp_path / "catalog")
    for series in archive.series():
        write_series(catalog, archive, series, known)
    zone = ZoneRule.parse(archive.open().zone)
    again = _backtest(days_of_catalog(catalog, [known], [], zone, 1, 2**32), archive)
    assert _facts(again.fills) == _facts(result.fills)


def test_swap_is_booked_at_each_server_midnight_and_thrice_on_the_triple_day(
    listing_of: Callable[..., Any], zone: ZoneRule
) -> None:
    swaps = {"swap_mode": 1, "swap_long": -6.0, "swap_short": 2.0, "swap_rollover3days": 3}
    known = listing_of("EURUSD", venue=VENUE.value, **swaps)
    terms = Terms(currency="USD", currency_digits=2, leverage=100, margin_mode=2, margin_so_mode=0,
                  margin_so_call=50.0, margin_so_so=30.0)  # fmt: skip
    instrument = known.instrument

    def quote(server_second: int) -> QuoteTick:
        at = zone.utc_ns(server_second * 1000)
        price, size = instrument.make_price(1.08), instrument.lot_size
        return QuoteTick(instrument.id, price, price, size, size, at, at)

    tuesday = 1_741_651_200
    hours = [tuesday + hour * 3_600 for hour in range(12, 80, 4)]
    result = run_backtest(
        Scripted({0: ("BUY", "200000")}, known.instrument.id),
        [known],
        terms,
        zone,
        iter([[quote(at) for at in hours]]),
        venue=VENUE.value,
        balance=10_000.0,
    )
    # Tuesday's midnight once, Wednesday's thrice, Thursday's once; -6 points of 2 lots are -12.
    assert result.swap_nights == 5
    assert result.swaps == pytest.approx(-60.0)
    assert result.balance_end == pytest.approx(9_940.0)


def test_paper_order_never_reaches_the_broker() -> None:
    async def trade(terminal: Control) -> Any:
        strategy = Scripted(PLAN, PAPER)
        settings = MT5TerminalConfig(path=terminal.path, module=SIMULATOR_MODULE, login=5001234)
        account = Terms(currency="USD", currency_digits=2, leverage=100, margin_mode=2,
                        margin_so_mode=0, margin_so_call=50.0, margin_so_so=30.0)  # fmt: skip
        session = asyncio.ensure_future(
            run_paper(strategy, settings, account, [PAPER], balance=50_000.0, seconds=None)
        )
        while not strategy.is_running and not session.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for number, bid in enumerate(BIDS):
            await asyncio.to_thread(terminal.push_ticks, "EURUSD", _tick(bid))
            while strategy.seen <= number and not session.done():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            await asyncio.to_thread(terminal.advance, 1.0)
        orders = strategy.cache.orders()
        assert not session.done(), session
        session.cancel()
        await asyncio.gather(session, return_exceptions=True)
        return orders

    with launch(PUSHED) as terminal:
        before = terminal.books()
        orders = asyncio.run(trade(terminal))
        after, calls = terminal.books(), terminal.stats()["calls"]
    assert [order.status.name for order in orders] == ["FILLED"] * 6
    for part in ("orders", "deals", "positions", "history"):
        assert after[part] == before[part]
    assert after["account"]["balance"] == before["account"]["balance"]
    assert not {"order_send", "order_check"} & calls.keys()
