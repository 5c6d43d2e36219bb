"""Rows as trades."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trade_ticks import (
    NOWHERE,
    has_trades,
    place_after,
    trade_ticks,
)
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolChartMode, TickFlag
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

NOON = 1_741_608_000_000  # 2025-03-10 12:00 on the server's clock
BUY = int(TickFlag.LAST | TickFlag.VOLUME | TickFlag.BUY)
SELL = int(TickFlag.LAST | TickFlag.VOLUME | TickFlag.SELL)
QUOTE = int(TickFlag.BID | TickFlag.ASK)
HOW = {
    "instrument_id": InstrumentId.from_str("#AAPL.MT5"),
    "price_precision": 2,
    "size_precision": 0,
    "lot": 1.0,
    "zone": ZoneRule.parse("America/New_York+7h"),
}


def ticks(*rows: tuple[int, float, float, int]) -> np.ndarray:
    """Rows of (millisecond, last, volume, flags)."""
    made = np.zeros(len(rows), TICK_DTYPE)
    for row, (msc, last, volume, flags) in zip(made, rows, strict=True):
        row["time_msc"], row["time"], row["last"], row["flags"] = msc, msc // 1000, last, flags
        row["volume"], row["volume_real"] = volume, volume
    return made


@pytest.mark.parametrize(
    ("flags", "side"),
    [
        (BUY, AggressorSide.BUYER),
        (SELL, AggressorSide.SELLER),
        (BUY | SELL, AggressorSide.NO_AGGRESSOR),
        (int(TickFlag.LAST), AggressorSide.NO_AGGRESSOR),
        (BUY | 0x400 | 0x80, AggressorSide.BUYER),
    ],
)
def test_aggressor_is_what_the_documented_flags_say(flags, side):
    (trade,) = trade_ticks(ticks((NOON, 10.0, 5, flags)), **HOW).ticks
    assert trade.aggressor_side == side
    assert (str(trade.price), str(trade.size)) == ("10.00", "5")
    assert trade.ts_event == trade.ts_init == (NOON - 3 * 3_600_000) * 10**6


def test_quotes_are_no_trades_and_unknown_bits_make_none():
    assert trade_ticks(ticks((NOON, 10.0, 5, QUOTE), (NOON, 10.0, 5, 0x480)), **HOW).ticks == []


def test_exact_volume_is_taken_and_counted_in_units():
    rows = ticks((NOON, 10.0, 0, BUY))
    rows["volume_real"] = 0.25
    (trade,) = trade_ticks(rows, **{**HOW, "lot": 100.0}).ticks
    assert str(trade.size) == "25"


def test_trade_without_price_or_volume_is_skipped_and_counted():
    made = trade_ticks(
        ticks((NOON, 0.0, 5, BUY), (NOON, 10.0, 0, BUY), (NOON, 10.0, 1, BUY)), **HOW
    )
    assert (len(made.ticks), made.skipped) == (1, 2)


def test_same_trades_of_one_millisecond_have_ids_of_their_own():
    made = trade_ticks(ticks(*[(NOON, 10.0, 5, BUY)] * 3), **HOW).ticks
    assert len({trade.trade_id for trade in made}) == 3
    assert all(len(trade.trade_id.value) <= 36 for trade in made)


@given(
    steps=st.lists(st.sampled_from([0, 0, 0, 1, 7]), min_size=1, max_size=40),
    flags=st.lists(st.sampled_from([BUY, SELL, QUOTE, BUY | QUOTE]), min_size=40, max_size=40),
    cuts=st.sets(st.integers(0, 40)),
)
def test_ids_are_the_same_however_the_rows_arrive(steps, flags, cuts):
    times = NOON + np.cumsum(steps)
    rows = ticks(*[(int(t), 10.0, 5, f) for t, f in zip(times, flags, strict=False)])
    whole = trade_ticks(rows, **HOW).ticks
    assert len({trade.trade_id for trade in whole}) == len(whole)
    pieces, place = [], NOWHERE
    for part in np.split(rows, sorted(cut for cut in cuts if cut <= len(rows))):
        made = trade_ticks(part, **HOW, place=place)
        assert made.place == place_after(part, place)
        place = made.place
        pieces += made.ticks
    assert [trade.trade_id for trade in pieces] == [trade.trade_id for trade in whole]


def test_symbols_with_last_prices_have_trades(info_of):
    assert has_trades(info_of("#AAPL", chart_mode=int(SymbolChartMode.LAST)))
    assert has_trades(info_of("EURUSD", last=1.1))
    assert not has_trades(info_of("EURUSD"))
