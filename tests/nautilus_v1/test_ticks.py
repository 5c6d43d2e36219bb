"""Rows as quotes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.ticks import quote_ticks
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import TickFlag
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

ZONE = ZoneRule.parse("America/New_York+7h")
NOON = 1_741_608_000_000  # 2025-03-10 12:00 on the server's clock
HOW = {
    "instrument_id": InstrumentId.from_str("EURUSD.MT5"),
    "price_precision": 5,
    "size": Quantity.from_int(100_000),
    "zone": ZONE,
}


def ticks(*rows: tuple[float, float, int], flags: int = 6) -> np.ndarray:
    made = np.zeros(len(rows), TICK_DTYPE)
    for row, (bid, ask, msc) in zip(made, rows, strict=True):
        row["bid"], row["ask"], row["time_msc"], row["time"] = bid, ask, msc, msc // 1000
    made["flags"] = flags
    made.setflags(write=False)
    return made


def test_scenario_14_ticks_of_one_millisecond_all_come_in_their_order():
    rows = ticks((1.1, 1.2, NOON), (1.11, 1.21, NOON), (1.12, 1.22, NOON))
    quotes = quote_ticks(rows, ts_init=5, **HOW).ticks
    assert [str(quote.bid_price) for quote in quotes] == ["1.10000", "1.11000", "1.12000"]
    assert {quote.ts_event for quote in quotes} == {ZONE.utc_ns(NOON)}
    assert {quote.ts_init for quote in quotes} == {5}


def test_scenario_17_server_time_becomes_utc_and_history_is_stamped_with_its_own_time():
    (quote,) = quote_ticks(ticks((1.1, 1.2, NOON)), **HOW).ticks
    assert quote.ts_event == quote.ts_init == (NOON - 3 * 3_600_000) * 10**6


def test_scenario_30_zero_is_no_quote():
    rows = ticks((0.0, 1.2, NOON), (1.1, 0.0, NOON), (0.0, 0.0, NOON), (1.1, 1.2, NOON))
    quotes = quote_ticks(rows, **HOW)
    assert len(quotes.ticks) == 1
    assert quotes.skipped == 3


@pytest.mark.parametrize("price", [math.nan, math.inf, 1e300])
def test_number_that_is_no_price_is_skipped(price):
    quotes = quote_ticks(ticks((price, 1.2, NOON), (1.1, price, NOON)), **HOW)
    assert (quotes.ticks, quotes.skipped) == ([], 2)


def test_crossed_quote_is_delivered_as_it_is():
    (quote,) = quote_ticks(ticks((1.2, 1.1, NOON)), **HOW).ticks
    assert quote.bid_price > quote.ask_price


def test_trade_alone_is_no_quote_and_no_loss():
    rows = ticks((1.1, 1.2, NOON), flags=int(TickFlag.LAST | TickFlag.VOLUME | TickFlag.BUY))
    assert quote_ticks(rows, **HOW) == ([], 0)


def test_quote_with_a_trade_and_a_quote_with_unknown_bits_are_quotes():
    both = ticks((1.1, 1.2, NOON), flags=int(TickFlag.LAST | TickFlag.BID))
    odd = ticks((1.1, 1.2, NOON), flags=0x80)
    assert len(quote_ticks(both, **HOW).ticks) == len(quote_ticks(odd, **HOW).ticks) == 1


prices = st.integers(1, 10**9).map(lambda points: points / 10**5)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(prices, prices, st.integers(NOON, NOON + 10**9)), min_size=1, max_size=60
    ).map(lambda rows: sorted(rows, key=lambda row: row[2]))
)
def test_fast_path_gives_what_plain_constructors_give(rows):
    plain = [
        QuoteTick(
            HOW["instrument_id"],
            Price(bid, 5),
            Price(ask, 5),
            HOW["size"],
            HOW["size"],
            ZONE.utc_ns(msc),
            7,
        )
        for bid, ask, msc in rows
    ]
    for some in (rows, rows * 5):
        made = quote_ticks(ticks(*some), ts_init=7, **HOW).ticks
        expected = plain * (len(some) // len(rows))
        assert [QuoteTick.to_dict(one) for one in made] == [
            QuoteTick.to_dict(one) for one in expected
        ]


anything = st.one_of(prices, st.sampled_from([0.0, -1.5, math.nan, math.inf, -math.inf, 1e300]))


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(anything, anything, st.integers(0, 10**9), st.integers(0, 0xFFF)),
        min_size=21,
        max_size=80,
    )
)
def test_many_rows_say_what_each_row_says(rows):
    many = np.concatenate(
        [ticks((bid, ask, NOON + at), flags=flags) for bid, ask, at, flags in rows]
    )
    alone = [quote_ticks(many[n : n + 1], **HOW) for n in range(len(many))]
    together = quote_ticks(many, **HOW)
    assert together.ticks == [quote for one in alone for quote in one.ticks]
    assert together.skipped == sum(one.skipped for one in alone)
