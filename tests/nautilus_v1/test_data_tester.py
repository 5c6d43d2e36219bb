"""Nautilus' own data tester on a share of a simulated exchange, case by case."""

import pandas as pd
import pytest
from nautilus_trader.model.data import (
    Bar,
    BarType,
    InstrumentClose,
    InstrumentStatus,
    OrderBookDeltas,
    OrderBookDepth10,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import InstrumentCloseType
from nautilus_trader.model.identifiers import ClientId
from nautilus_trader.test_kit.strategies.tester_data import DataTester, DataTesterConfig

SHARE = "#AAPL"
MINUTE = BarType.from_str("#AAPL.MT5-1-MINUTE-LAST-EXTERNAL")
#: Within the session of the share; requests of the tester look back a long time from the real now.
EXCHANGE = {
    "extends": "exchange-netting",
    "clock": {"mode": "stepped", "start": "2025-03-10T16:00:00Z"},
}


@pytest.fixture
def exchange(terminal):
    terminal.reset(EXCHANGE)
    return terminal


class Listener(DataTester):
    """Keeps what it hears."""

    def __init__(self, config):
        super().__init__(config)
        self.heard = []
        self.historical = []

    def on_historical_data(self, data):
        self.historical.append(data)

    def on_instrument(self, instrument):
        self.heard.append(instrument)

    def on_instruments(self, instruments):
        self.historical.extend(instruments)

    def on_order_book_deltas(self, deltas):
        self.heard.append(deltas)
        super().on_order_book_deltas(deltas)

    def on_order_book_depth(self, depth):
        self.heard.append(depth)

    def on_order_book(self, order_book):
        self.heard.append(order_book)

    def on_quote_tick(self, quote):
        self.heard.append(quote)

    def on_trade_tick(self, trade):
        self.heard.append(trade)

    def on_bar(self, bar):
        self.heard.append(bar)

    def on_instrument_status(self, data):
        self.heard.append(data)

    def on_instrument_close(self, data):
        self.heard.append(data)

    def of(self, kind):
        return [data for data in self.heard if isinstance(data, kind)]


@pytest.fixture
def test_with(exchange, run_node):
    """Run the tester with a configuration for as long as `look` takes."""

    def run(look, **fields):
        async def drive(rig):
            share = next(i.id for i in rig.cache.instruments() if i.id.symbol.value == SHARE)
            tester = Listener(
                DataTesterConfig(
                    instrument_ids=[share],
                    bar_types=[MINUTE],
                    client_id=ClientId("MT5"),
                    log_data=False,
                    **fields,
                )
            )
            tester.register_base(
                portfolio=rig.node.portfolio,
                msgbus=rig.node.kernel.msgbus,
                cache=rig.cache,
                clock=rig.node.kernel.clock,
            )
            tester.start()
            client = rig.node.kernel.data_engine._clients[ClientId("MT5")]
            await look(rig, tester, client)
            tester.stop()
            feeds = client._feeds
            # What the node's own strategy has subscribed stays.
            await rig.until(lambda: not feeds._books and not feeds._bars)
            await rig.until(lambda: all(f.kinds <= {QuoteTick} for f in feeds._ticks.values()))

        run_node(
            exchange,
            drive,
            symbols=[SHARE],
            oms_type="NETTING",
            terminal_fields={"login": 5003234, "bar_poll_ms": 20, "book_poll_ms": 10},
            data_fields={"status_poll_secs": 0.05},
        )

    return run


def test_d01_instruments_are_requested(test_with):
    async def look(rig, tester, client):
        await rig.until(lambda: len(rig.cache.instruments()) >= 4)

    test_with(look, request_instruments=True)


def test_d02_d03_the_instrument_is_subscribed(test_with):
    async def look(rig, tester, client):
        await rig.until(lambda: tester.heard)

    test_with(look, subscribe_instrument=True)


def test_d10_d14_deltas_make_a_managed_book(test_with, exchange):
    async def look(rig, tester, client):
        await rig.until(lambda: exchange.stats()["calls"]["market_book_get"])
        exchange.advance(30)
        filled = await rig.until(
            lambda: [d for d in tester.of(OrderBookDeltas) if len(d.deltas) > 1]
        )
        assert all(deltas.is_snapshot for deltas in filled)
        (book,) = tester._books.values()
        await rig.until(lambda: book.best_bid_price() and book.best_ask_price())
        assert book.best_bid_price() < book.best_ask_price()

    test_with(look, subscribe_book_deltas=True, manage_book=True)


def test_d11_books_at_intervals(test_with, exchange):
    async def look(rig, tester, client):
        await rig.until(lambda: exchange.stats()["calls"]["market_book_get"])
        exchange.advance(30)
        await rig.until(lambda: tester.heard)

    test_with(look, subscribe_book_at_interval=True, book_interval_ms=100)


def test_d12_depths(test_with, exchange):
    async def look(rig, tester, client):
        await rig.until(lambda: exchange.stats()["calls"]["market_book_get"])
        exchange.advance(30)
        (*_, depth) = await rig.until(
            lambda: [d for d in tester.of(OrderBookDepth10) if d.bid_counts[0]]
        )
        assert depth.bids[0].price < depth.asks[0].price

    test_with(look, subscribe_book_depth=True)


def test_d13_one_snapshot_of_the_book(test_with, exchange):
    async def look(rig, tester, client):
        await rig.until(lambda: exchange.stats()["calls"]["market_book_get"])
        exchange.advance(30)
        (snapshot,) = await rig.until(lambda: tester.historical)
        assert isinstance(snapshot, OrderBookDeltas) and len(snapshot.deltas) > 1

    test_with(look, request_book_snapshot=True)


def test_d20_d70_quotes_until_the_tester_stops(test_with, exchange):
    async def look(rig, tester, client):
        exchange.advance(30)
        quotes = await rig.until(lambda: tester.of(QuoteTick))
        assert all(quote.bid_price < quote.ask_price and quote.bid_size > 0 for quote in quotes)

    test_with(look, subscribe_quotes=True)


def test_d30_d31_trades_have_the_same_ids_live_and_in_history(test_with, exchange):
    async def look(rig, tester, client):
        def some_came():
            exchange.advance(5)
            return len(found := tester.of(TradeTick)) > 5 and found

        live = await rig.until(some_came)
        start = pd.Timestamp(live[0].ts_event, tz="UTC")
        answered = []
        tester.request_trade_ticks(live[0].instrument_id, start, callback=answered.append)
        await rig.until(lambda: answered)
        known = {trade.trade_id: trade for trade in tester.historical}
        for trade in live:
            again = known[trade.trade_id]
            assert (again.ts_event, again.price, again.size, again.aggressor_side) == (
                trade.ts_event,
                trade.price,
                trade.size,
                trade.aggressor_side,
            )
        assert all(trade.ts_init == trade.ts_event for trade in tester.historical)

    test_with(look, subscribe_trades=True)


@pytest.mark.parametrize("limit", [0, 7])
def test_d21_d41_history_is_ascending_and_closed(test_with, exchange, limit):
    async def look(rig, tester, client):
        exchange.advance(600)
        share = tester.config.instrument_ids[0]
        start = pd.Timestamp("2025-03-10T15:50:00Z")
        for request, what, kind in (
            (tester.request_quote_ticks, share, QuoteTick),
            (tester.request_bars, MINUTE, Bar),
        ):
            tester.historical.clear()
            answered = []
            request(what, start, limit=limit, callback=answered.append)
            await rig.until(lambda answered=answered: answered)
            stamps = [data.ts_init for data in tester.historical]
            assert stamps and stamps == sorted(stamps)
            assert not limit or len(stamps) == limit
            assert all(isinstance(data, kind) for data in tester.historical)

    test_with(look)


def test_d40_bars_of_last_prices(test_with, exchange):
    async def look(rig, tester, client):
        def some_came():
            exchange.advance(30)
            return tester.of(Bar)

        bars = await rig.until(some_came)
        assert {bar.bar_type for bar in bars} == {MINUTE}
        assert all(bar.ts_event % (60 * 10**9) == 0 for bar in bars)

    test_with(look, subscribe_bars=True)


def test_d60_the_status_comes_at_once(test_with, exchange):
    async def look(rig, tester, client):
        (status, *_) = await rig.until(lambda: tester.of(InstrumentStatus))
        assert status.instrument_id == tester.config.instrument_ids[0]

    test_with(look, subscribe_instrument_status=True)


def test_d61_the_close_of_a_session(test_with, exchange):
    async def look(rig, tester, client):
        polls = exchange.stats()["calls"]["symbol_info"]
        await rig.until(lambda: exchange.stats()["calls"]["symbol_info"] > polls + 2)
        exchange.advance(24 * 3_600)
        (close, *_) = await rig.until(lambda: tester.of(InstrumentClose))
        assert close.close_type == InstrumentCloseType.END_OF_SESSION

    test_with(look, subscribe_instrument_close=True)
