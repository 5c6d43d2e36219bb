"""Rates as bars, and bar types as timeframes."""

import numpy as np
import pytest
from nautilus_trader.model.data import BarType

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.bars import (
    UnsupportedBarType,
    bars,
    timeframe_of,
)
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolChartMode, Timeframe
from tradingview_scraper.adapters.mt5.terminal.records import RATE_DTYPE

HOUR = 3_600_000_000_000


def rates(*rows: tuple[int, float, float, float, float]) -> np.ndarray:
    made = np.zeros(len(rows), RATE_DTYPE)
    for row, values in zip(made, rows, strict=True):
        row["time"], row["open"], row["high"], row["low"], row["close"] = values
    made["tick_volume"], made["real_volume"] = 7, 3
    return made


@pytest.fixture
def translate(listing_of, zone):
    def make(rows, timeframe=Timeframe.M1, ts_init=None, **fields):
        return bars(
            rows,
            bar_type=BarType.from_str("EURUSD.MT5-1-MINUTE-BID-EXTERNAL"),
            timeframe=timeframe,
            listing=listing_of("EURUSD", **fields),
            zone=zone,
            ts_init=ts_init,
        )

    return make


@pytest.mark.parametrize(
    ("step", "timeframe"),
    [
        *((f"{n}-MINUTE", f"M{n}") for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
        *((f"{n}-HOUR", f"H{n}") for n in (1, 2, 3, 4, 6, 8, 12)),
        ("1-DAY", "D1"),
        ("1-WEEK", "W1"),
        ("1-MONTH", "MN1"),
    ],
)
def test_scenario_16_every_timeframe_has_its_bar_type(info_of, step, timeframe):
    bar_type = BarType.from_str(f"EURUSD.MT5-{step}-BID-EXTERNAL")
    assert timeframe_of(bar_type, info_of("EURUSD")) == Timeframe[timeframe]


@pytest.mark.parametrize("step", ["7-DAY", "2-WEEK", "3-MONTH", "100-TICK", "1-SECOND", "5-HOUR"])
def test_scenario_16_step_that_the_terminal_has_not_is_refused(info_of, step):
    try:
        bar_type = BarType.from_str(f"EURUSD.MT5-{step}-BID-EXTERNAL")
    except ValueError:
        pytest.skip("Nautilus has no such step either")
    with pytest.raises(UnsupportedBarType, match="INTERNAL"):
        timeframe_of(bar_type, info_of("EURUSD"))


@pytest.mark.parametrize(
    ("mode", "price"), [(SymbolChartMode.BID, "BID"), (SymbolChartMode.LAST, "LAST")]
)
def test_price_type_follows_the_chart(info_of, mode, price):
    info = info_of("EURUSD", chart_mode=int(mode))
    for asked in ("BID", "ASK", "MID", "LAST"):
        bar_type = BarType.from_str(f"EURUSD.MT5-1-HOUR-{asked}-EXTERNAL")
        if asked == price:
            assert timeframe_of(bar_type, info) == Timeframe.H1
        else:
            with pytest.raises(UnsupportedBarType, match=price):
                timeframe_of(bar_type, info)


def test_scenario_17_bar_is_stamped_with_its_close_in_utc(translate, zone):
    opened = 1_741_608_000  # 12:00 on the server, 09:00 UTC
    (bar,) = translate(rates((opened, 1.1, 1.2, 1.0, 1.15)), Timeframe.H4).bars
    assert bar.ts_event == bar.ts_init == zone.utc_ns(opened * 1000) + 4 * HOUR
    assert str(bar.close) == "1.15000"


def test_live_bar_keeps_when_it_came(translate):
    (bar,) = translate(rates((1_741_608_000, 1.1, 1.2, 1.0, 1.15)), ts_init=9).bars
    assert bar.ts_init == 9


def test_month_closes_by_the_calendar(translate, zone):
    february, march = 1_738_368_000, 1_740_787_200
    (bar,) = translate(rates((february, 1.1, 1.2, 1.0, 1.15)), Timeframe.MN1).bars
    assert bar.ts_event == zone.utc_ns(march * 1000)


@pytest.mark.parametrize(
    ("sunday", "opens", "closes"),
    [
        # New York puts its clock forward on 2025-03-09, and back on 2025-11-02.
        ("2025-03-02", "2025-03-01T22:00", "2025-03-08T22:00"),
        ("2025-03-09", "2025-03-08T22:00", "2025-03-15T21:00"),
        ("2025-10-26", "2025-10-25T21:00", "2025-11-01T21:00"),
        ("2025-11-02", "2025-11-01T21:00", "2025-11-08T22:00"),
    ],
)
def test_scenario_32_week_of_a_dst_switch_closes_by_the_servers_calendar(
    translate, zone, sunday, opens, closes
):
    opened = int(np.datetime64(sunday, "s").astype(np.int64))
    (bar,) = translate(rates((opened, 1.1, 1.2, 1.0, 1.15)), Timeframe.W1).bars
    stamps = [np.datetime64(ns, "ns") for ns in (zone.utc_ns(opened * 1_000), bar.ts_event)]
    assert stamps == [np.datetime64(opens), np.datetime64(closes)]


def test_volume_is_ticks_or_what_was_traded(translate):
    row = rates((1_741_608_000, 1.1, 1.2, 1.0, 1.15))
    assert translate(row).bars[0].volume == 7
    assert translate(row, chart_mode=int(SymbolChartMode.LAST)).bars[0].volume == 300_000


def test_row_that_is_no_bar_is_skipped_and_counted(translate):
    rows = rates(
        (0, 1.1, 1.0, 1.2, 1.15),  # high below low
        (60, 0.0, 0.0, 0.0, 0.0),
        (120, float("nan"), 1.2, 1.0, 1.1),
        (180, 1.1, 1.2, 1.0, 1.15),
    )
    found = translate(rows)
    assert len(found.bars) == 1
    assert found.skipped == 3
