"""Execution quality: what is worse, what is better, how long it took, and how it is written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.rules.execution_quality import (
    RECENT,
    ExecutionQuality,
    Fill,
    OrderKind,
    Samples,
    kind_of,
)
from tradingview_scraper.adapters.mt5.rules.quality_metrics import metrics
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome

BUY = {"action": 1, "symbol": "EURUSD", "type": 0, "volume": 0.1, "price": 1.1}
AWAY = {"started_ns": 0, "ended_ns": 0, "at_ns": 0}


def fill(**fields) -> Fill:
    usual = {
        "is_buy": True,
        "price": 1.1,
        "asked": 1.1,
        "lots": 0.1,
        "point": 1e-5,
        "spread": 1e-4,
        "at_ns": 0,
    }
    return Fill(**usual | fields)


def only_row(quality: ExecutionQuality) -> dict:
    (row,) = quality.document()
    return row


@pytest.mark.parametrize(
    ("is_buy", "price", "points", "how"),
    [
        (True, 1.10003, 3.0, "worse"),
        (True, 1.09998, -2.0, "better"),
        (False, 1.09997, 3.0, "worse"),
        (False, 1.10002, -2.0, "better"),
        (False, 1.1, 0.0, "at_price"),
    ],
)
def test_slippage_is_positive_where_it_costs(is_buy, price, points, how):
    quality = ExecutionQuality()
    quality.filled("EURUSD", OrderKind.MARKET, fill(is_buy=is_buy, price=price))
    row = only_row(quality)
    assert row["slippage_points"]["mean"] == points
    assert row["slippage_lot_points"] == pytest.approx(points * 0.1)
    assert row["spread_points"]["p50"] == 10.0
    counts = {name: row[name] for name in ("better", "at_price", "worse")}
    assert counts == {"better": 0, "at_price": 0, "worse": 0} | {how: 1}


@pytest.mark.parametrize("unknown", [{"asked": 0.0}, {"point": 0.0}])
def test_fill_without_a_reference_is_counted_and_not_measured(unknown):
    quality = ExecutionQuality()
    quality.filled("EURUSD", OrderKind.MARKET, fill(**unknown))
    row = only_row(quality)
    assert (row["fills"], row["lots"], row["slippage_points"]) == (1, 0.1, None)
    assert row["better"] + row["at_price"] + row["worse"] == 0


def test_time_at_the_broker_is_told_from_time_in_the_adapter():
    quality = ExecutionQuality()
    quality.sent("O-1", BUY, 1_000_000)
    quality.answered(
        "O-1",
        Outcome.ACCEPTED,
        10009,
        started_ns=3_000_000,
        ended_ns=43_000_000,
        at_ns=44_000_000,
    )
    quality.filled("EURUSD", OrderKind.MARKET, fill(at_ns=46_000_000), 1_000_000)
    row = only_row(quality)
    assert row["broker_ms"]["p50"] == 40.0
    assert row["adapter_ms"]["p50"] == 3.0
    assert row["fill_ms"]["p50"] == 45.0


def test_answers_are_counted_by_what_they_prove():
    quality = ExecutionQuality()
    answers = [
        (Outcome.ACCEPTED, 10009),
        (Outcome.REJECTED, 10004),
        (Outcome.REJECTED, 10021),
        (Outcome.REJECTED, 10019),
        (Outcome.UNKNOWN, 0),
    ]
    for number, (outcome, retcode) in enumerate(answers):
        quality.sent(str(number), BUY, 0)
        quality.answered(str(number), outcome, retcode, **AWAY)
    row = only_row(quality)
    assert (row["sent"], row["accepted"], row["rejected"], row["unknown"]) == (5, 1, 3, 1)
    assert row["requotes"] == 2
    assert row["refusals"] == {"0": 1, "10004": 1, "10019": 1, "10021": 1}
    assert row["broker_ms"] is None


def test_answer_to_an_order_that_is_not_known_changes_nothing():
    quality = ExecutionQuality()
    quality.answered("O-9", Outcome.ACCEPTED, 10009, **AWAY)
    assert quality.document() == []


@pytest.mark.parametrize(
    ("request_fields", "kind"),
    [
        ({"action": 1, "type": 1}, OrderKind.MARKET),
        ({"action": 5, "type": 2}, OrderKind.LIMIT),
        ({"action": 5, "type": 5}, OrderKind.STOP),
        ({"action": 5, "type": 6}, OrderKind.STOP_LIMIT),
        ({"action": 10}, OrderKind.CLOSE_BY),
    ],
)
def test_kind_is_that_of_the_request(request_fields, kind):
    assert kind_of(request_fields) is kind


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=2 * RECENT))
def test_summary_holds_all_samples_and_the_percentiles_of_the_last(values):
    samples = Samples()
    for value in values:
        samples.add(value)
    figures = samples.summary()
    assert figures["count"] == len(values)
    assert figures["min"] == round(min(values), 6)
    assert figures["max"] == round(max(values), 6)
    assert figures["mean"] == pytest.approx(sum(values) / len(values), abs=1e-3)
    recent = values[-RECENT:]
    for percent in (50, 90, 99):
        at = samples.percentile(percent)
        assert at in recent
        assert sum(value <= at for value in recent) * 100 >= percent * len(recent)
        assert sum(value < at for value in recent) * 100 < percent * len(recent)


def test_only_the_last_orders_are_remembered():
    quality = ExecutionQuality()
    for number in range(10_001):
        quality.sent(str(number), BUY, number)
    assert quality.asked_of("0") is None
    assert quality.asked_of("1").at_ns == 1
    assert only_row(quality)["sent"] == 10_001


def test_metrics_are_lines_that_prometheus_reads():
    quality = ExecutionQuality()
    quality.sent("O-1", BUY, 0)
    quality.answered(
        "O-1", Outcome.ACCEPTED, 10009, started_ns=1, ended_ns=20_000_001, at_ns=21_000_000
    )
    quality.filled("EURUSD", OrderKind.MARKET, fill(price=1.10003))
    quality.filled('"odd\\name"', OrderKind.STOP, fill(asked=0.0))
    text = metrics(quality, "MT5-1")
    assert text.endswith("\n")
    sample = re.compile(r'[a-z_0-9]+\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\} [-0-9.e+]+')
    comment = re.compile(r"# (?:HELP|TYPE) [a-z_0-9]+ .+")
    for line in text.splitlines():
        assert sample.fullmatch(line) or comment.fullmatch(line), line
    labels = 'account="MT5-1",symbol="EURUSD",order_type="market"'
    assert f"mt5_orders_sent_total{{{labels}}} 1\n" in text
    assert f'mt5_slippage_points{{{labels},quantile="0.5"}} 3\n' in text
    assert f"mt5_broker_seconds_sum{{{labels}}} 0.02\n" in text
    assert f"mt5_broker_seconds_count{{{labels}}} 1\n" in text
    assert f'mt5_fills_total{{{labels},price="worse"}} 1\n' in text
    assert r'symbol="\"odd\\name\""' in text


def test_metric_names_have_one_type_each():
    lines = metrics(ExecutionQuality(), "MT5-1").splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) == len(lines) / 2
