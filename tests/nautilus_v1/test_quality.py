"""Execution quality on a broker with slippage and requotes: figures in files that are replaced."""

import json

import numpy as np
import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType
from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5ExecClientConfig,
    MT5QualityConfig,
)
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")
SLIPPING = {
    "extends": "demo-hedging",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
    "broker": {"slippage_points": 3, "stop_slippage_points": 7},
}


@pytest.fixture
def slipping(terminal):
    """A broker that fills market orders 3 points worse, and stops 7 points."""
    terminal.reset(SLIPPING)
    return terminal


@pytest.fixture
def files(tmp_path):
    """Where figures are written, and `run_node`'s fields for it."""

    class Files:
        json_path = tmp_path / "new" / "quality.json"
        prometheus_path = tmp_path / "new" / "mt5.prom"

        def fields(self, interval_secs=60.0):
            config = MT5QualityConfig(
                json_path=str(self.json_path),
                prometheus_path=str(self.prometheus_path),
                interval_secs=interval_secs,
            )
            return {"exec_fields": {"quality": config}}

        def rows(self):
            document = json.loads(self.json_path.read_text(encoding="utf-8"))
            assert document["account"] == "MT5-5001234"
            assert document["from_ns"] < document["until_ns"]
            return {(row["symbol"], row["order_type"]): row for row in document["rows"]}

    return Files()


def push(terminal, bid):
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = bid, bid + 0.0001
    terminal.push_ticks("EURUSD", rows)


async def quoted(rig, terminal, bid):
    """The node has the quote that orders are measured against."""
    push(terminal, bid)
    await rig.until(lambda: any(float(quote.bid_price) == bid for quote in rig.strategy.quotes))


def test_slippage_and_requotes_of_market_orders(slipping, run_node, files):
    async def drive(rig):
        await quoted(rig, slipping, 1.1)
        slipping.requote(2)
        for _ in range(2):
            refused = await rig.done(rig.strategy.buy("EURUSD", "1000"))
            assert refused.status == OrderStatus.REJECTED
        position = await rig.opened(rig.strategy.buy("EURUSD", "2000"))
        await rig.done(rig.strategy.sell("EURUSD", "2000", position=position))

    run_node(slipping, drive, **files.fields())
    rows = files.rows()
    assert list(rows) == [("EURUSD", "market")]
    row = rows["EURUSD", "market"]
    assert (row["sent"], row["accepted"], row["rejected"]) == (4, 2, 2)
    assert row["requotes"] == 2
    assert row["refusals"] == {"10004": 2}
    assert (row["fills"], row["lots"], row["worse"]) == (2, 0.04, 2)
    assert (row["slippage_points"]["min"], row["slippage_points"]["max"]) == (3.0, 3.0)
    assert row["slippage_lot_points"] == pytest.approx(0.12)
    assert row["spread_points"]["p50"] == 10.0
    assert row["broker_ms"]["count"] == row["adapter_ms"]["count"] == 4
    assert row["fill_ms"]["count"] == 2
    assert row["fill_ms"]["min"] >= row["broker_ms"]["min"] > 0
    text = files.prometheus_path.read_text(encoding="utf-8")
    labels = 'account="MT5-5001234",symbol="EURUSD",order_type="market"'
    assert f"mt5_requotes_total{{{labels}}} 2\n" in text
    assert f"mt5_slippage_points_sum{{{labels}}} 6\n" in text


def test_time_at_a_slow_broker_is_the_brokers(slipping, run_node, files):
    async def drive(rig):
        await quoted(rig, slipping, 1.1)
        slipping.slow(0.3, "order_send")
        await rig.done(rig.strategy.buy("EURUSD", "1000"))

    run_node(slipping, drive, **files.fields())
    row = files.rows()["EURUSD", "market"]
    # Windows' clocks move in steps of 16 ms.
    assert row["broker_ms"]["min"] >= 250
    assert row["fill_ms"]["min"] >= row["broker_ms"]["min"]


def test_lost_reply_is_unknown_and_its_fill_is_measured(slipping, run_node, files):
    async def drive(rig):
        await quoted(rig, slipping, 1.1)
        slipping.lose_reply("order_send", when="after")
        await rig.done(rig.strategy.buy("EURUSD", "1000"))

    run_node(slipping, drive, **files.fields())
    row = files.rows()["EURUSD", "market"]
    assert (row["sent"], row["accepted"], row["rejected"], row["unknown"]) == (1, 0, 0, 1)
    assert row["slippage_points"]["max"] == 3.0


def test_stop_orders_are_measured_against_their_trigger_as_it_is_last(slipping, run_node, files):
    async def drive(rig):
        await quoted(rig, slipping, 1.1)
        instrument = rig.cache.instrument(EURUSD)
        order = rig.strategy.order_factory.stop_market(
            EURUSD, OrderSide.BUY, instrument.make_qty(1000), instrument.make_price(1.1050)
        )
        rig.strategy.submit_order(order)
        await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
        rig.strategy.modify_order(order, trigger_price=instrument.make_price(1.1020))
        await rig.until(lambda: float(order.trigger_price) == 1.1020)
        push(slipping, 1.1020)  # ask 1.1021, one pip above the trigger
        await rig.done(order)
        assert float(rig.fills()[0].last_px) == pytest.approx(1.1021 + 7e-5)

    run_node(slipping, drive, **files.fields())
    row = files.rows()["EURUSD", "stop"]
    assert (row["fills"], row["worse"]) == (1, 1)
    assert row["slippage_points"]["max"] == pytest.approx(17.0)
    assert row["fill_ms"] is None


def test_limit_order_that_is_filled_better(slipping, run_node, files):
    async def drive(rig):
        await quoted(rig, slipping, 1.1)
        instrument = rig.cache.instrument(EURUSD)
        order = rig.strategy.order_factory.limit(
            EURUSD, OrderSide.BUY, instrument.make_qty(1000), instrument.make_price(1.0950)
        )
        rig.strategy.submit_order(order)
        await rig.until(lambda: order.status == OrderStatus.ACCEPTED)
        push(slipping, 1.0940)
        await rig.done(order)

    run_node(slipping, drive, **files.fields())
    row = files.rows()["EURUSD", "limit"]
    (deal,) = [deal for deal in slipping.books()["deals"] if deal["symbol"]]
    assert row["slippage_points"]["max"] == pytest.approx((deal["price"] - 1.0950) / 1e-5, abs=0.01)


def test_stop_loss_of_a_bracket_is_measured_against_its_level(slipping, run_node, files):
    async def drive(rig):
        await quoted(rig, slipping, 1.1)
        instrument = rig.cache.instrument(EURUSD)
        orders = rig.strategy.order_factory.bracket(
            EURUSD,
            OrderSide.BUY,
            instrument.make_qty(1000),
            entry_order_type=OrderType.MARKET,
            sl_trigger_price=instrument.make_price(1.0950),
            tp_price=instrument.make_price(1.1050),
        )
        rig.strategy.submit_order_list(orders)
        entry, sl, _ = orders.orders
        await rig.done(entry)
        await rig.until(lambda: sl.status == OrderStatus.ACCEPTED)
        push(slipping, 1.0948)
        await rig.done(sl)

    run_node(slipping, drive, **files.fields())
    rows = files.rows()
    assert rows["EURUSD", "market"]["fills"] == 1
    assert rows["EURUSD", "stop_loss"]["slippage_points"]["max"] == pytest.approx(27.0)
    assert rows["EURUSD", "stop_loss"]["sent"] == 0


def test_files_are_replaced_while_the_node_runs(slipping, run_node, files):
    async def drive(rig):
        await rig.until(files.json_path.exists)
        first = files.json_path.stat().st_ino, files.json_path.read_bytes()
        assert files.rows() == {}
        await rig.done(rig.strategy.buy("EURUSD", "1000"))
        await rig.until(lambda: files.rows().get(("EURUSD", "market"), {}).get("fills") == 1)
        assert (files.json_path.stat().st_ino, files.json_path.read_bytes()) != first

    run_node(slipping, drive, **files.fields(interval_secs=0.02))
    assert sorted(path.name for path in files.json_path.parent.iterdir()) == [
        "mt5.prom",
        "quality.json",
    ]


def test_file_that_cannot_be_written_does_not_stop_trading(slipping, run_node, tmp_path):
    (tmp_path / "file").write_text("no folder")
    config = MT5QualityConfig(json_path=str(tmp_path / "file" / "q.json"), interval_secs=0.02)

    async def drive(rig):
        for _ in range(2):
            order = await rig.done(rig.strategy.buy("EURUSD", "1000"))
            assert order.status == OrderStatus.FILLED

    run_node(slipping, drive, exec_fields={"quality": config})
    assert (tmp_path / "file").read_text() == "no folder"


@pytest.mark.parametrize(
    ("fields", "word"),
    [({"interval_secs": 0.0}, "interval_secs"), ({"prometheus_path": ""}, "prometheus_path")],
)
def test_setting_that_cannot_work_is_refused(fields, word):
    with pytest.raises(MT5ConfigError, match=word):
        MT5QualityConfig(**fields)


def test_setting_survives_json():
    config = MT5ExecClientConfig(
        oms_type="HEDGING", quality=MT5QualityConfig(prometheus_path="mt5.prom")
    )
    assert MT5ExecClientConfig.parse(config.json()) == config
