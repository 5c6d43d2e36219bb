"""Synthetic prices: deterministic, on the grid, flagged, and equal to their own bars."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.simulator.market.bars import bars_from_ticks
from tradingview_scraper.adapters.mt5.simulator.market.catalogue import CATALOGUE
from tradingview_scraper.adapters.mt5.simulator.market.prices import FIRST_DAY, SyntheticPrices
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolChartMode, Timeframe

#: 2025-03-12, a Wednesday.
DAY = 20_159
ALL = np.ones(1440, dtype=bool)
TRADED = [name for name, entry in CATALOGUE.items() if entry.model.trade_volume > 0.0]
QUOTED = [name for name in CATALOGUE if name not in TRADED]


def prices(
    name: str, *, seed: int = 1, rate: float = 1.0, volatility: float = 1.0
) -> SyntheticPrices:
    entry = CATALOGUE[name]
    return SyntheticPrices(
        entry.info, entry.model, like=name, seed=seed, rate=rate, volatility=volatility
    )


def steps(name: str, values: Rows) -> Rows:
    return values / CATALOGUE[name].info.trade_tick_size


def test_same_seed_gives_the_same_bytes_whatever_was_asked_before() -> None:
    first, second = prices("EURUSD"), prices("EURUSD")
    second.ticks(DAY + 400, ALL)
    second.bars(DAY - 30, ALL)
    assert first.ticks(DAY, ALL).tobytes() == second.ticks(DAY, ALL).tobytes()
    assert first.bars(DAY, ALL).tobytes() == second.bars(DAY, ALL).tobytes()


def test_same_seed_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib, numpy as np\n"
        "from tradingview_scraper.adapters.mt5.simulator.market.catalogue import CATALOGUE\n"
        "from tradingview_scraper.adapters.mt5.simulator.market.prices import SyntheticPrices\n"
        "e = CATALOGUE['#AAPL']\n"
        "p = SyntheticPrices(e.info, e.model, like='#AAPL', seed=1)\n"
        f"rows = p.ticks({DAY}, np.ones(1440, dtype=bool))\n"
        "print(hashlib.sha256(rows.tobytes()).hexdigest())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rows = prices("#AAPL").ticks(DAY, ALL)
    assert done.stdout.strip() == hashlib.sha256(rows.tobytes()).hexdigest()


def test_another_seed_day_or_symbol_gives_other_prices() -> None:
    days = [
        prices("EURUSD").ticks(DAY, ALL),
        prices("EURUSD", seed=2).ticks(DAY, ALL),
        prices("EURUSD").ticks(DAY + 1, ALL),
        prices("GBPUSD").ticks(DAY, ALL),
    ]
    assert len({day["bid"][:100].tobytes() for day in days}) == 4


@pytest.mark.parametrize("name", CATALOGUE)
def test_ticks_make_exactly_the_bars_of_the_day(name: str) -> None:
    info, source = CATALOGUE[name].info, prices(name)
    for day in (DAY, DAY + 3):
        made = bars_from_ticks(
            source.ticks(day, ALL),
            Timeframe.M1,
            point=info.point,
            by_last=info.chart_mode == SymbolChartMode.LAST,
        )
        bars = source.bars(day, ALL)
        assert len(bars) > 1300
        for field in bars.dtype.names or ():
            np.testing.assert_array_equal(made[field], bars[field], err_msg=field)


@settings(max_examples=15, deadline=None)
@example(seed=772, day=17471, rate=0.3, name="#AAPL")
@given(
    seed=st.integers(0, 2**63 - 1),
    day=st.integers(FIRST_DAY, FIRST_DAY + 12_000),
    rate=st.sampled_from([0.002, 0.02, 0.3]),
    name=st.sampled_from(["EURUSD", "USDJPY", "#AAPL"]),
)
def test_thin_markets_obey_the_same_law(seed: int, day: int, rate: float, name: str) -> None:
    """Minutes with none, one, two or three ticks are where a high and a low find no room."""
    info, source = CATALOGUE[name].info, prices(name, seed=seed, rate=rate, volatility=20.0)
    by_last = info.chart_mode == SymbolChartMode.LAST
    ticks = source.ticks(day, ALL)
    made = bars_from_ticks(ticks, Timeframe.M1, point=info.point, by_last=by_last)
    np.testing.assert_array_equal(made, source.bars(day, ALL))


@pytest.mark.parametrize("name", CATALOGUE)
def test_ticks_are_ascending_on_the_grid_and_never_crossed(name: str) -> None:
    rows = prices(name).ticks(DAY, ALL)
    assert np.all(np.diff(rows["time_msc"]) >= 0)
    assert np.all(rows["time_msc"] // 86_400_000 == DAY)
    np.testing.assert_array_equal(rows["time"], rows["time_msc"] // 1000)
    assert np.all(rows["ask"] > rows["bid"])
    for field in ("bid", "ask", "last"):
        np.testing.assert_allclose(steps(name, rows[field]), np.rint(steps(name, rows[field])))
    digits = CATALOGUE[name].info.digits
    np.testing.assert_array_equal(rows["bid"], np.round(rows["bid"], digits))


@pytest.mark.parametrize("name", QUOTED)
def test_quotes_flag_every_side_that_changed(name: str) -> None:
    rows = prices(name).ticks(DAY, ALL)
    bid = np.diff(rows["bid"]) != 0
    ask = np.diff(rows["ask"]) != 0
    flags = rows["flags"]
    assert flags[0] == 6
    assert np.all(flags[1:][bid] & 2) and np.all(flags[1:][ask] & 4)
    assert np.all(ask[(flags[1:] & 4) != 0])
    assert set(np.unique(flags)) == {2, 4, 6}
    # A bid that is flagged without a change is rare [recorded: 0.4 %].
    assert np.mean(~bid & ~ask) < 0.02
    assert not rows["last"].any() and not rows["volume"].any()


@pytest.mark.parametrize("name", TRADED)
def test_trades_happen_at_the_quote_and_carry_volume(name: str) -> None:
    rows = prices(name).ticks(DAY, ALL)
    trades = rows[(rows["flags"] & 24) != 0]
    assert set(np.unique(trades["flags"])) == {8 | 16 | 32, 8 | 16 | 64}
    bought = (trades["flags"] & 32) != 0
    np.testing.assert_array_equal(trades["last"][bought], trades["ask"][bought])
    np.testing.assert_array_equal(trades["last"][~bought], trades["bid"][~bought])
    assert trades["volume"].min() >= 1
    np.testing.assert_array_equal(trades["volume_real"], trades["volume"])
    quotes = np.flatnonzero((rows["flags"] & 24) == 0)
    assert len(quotes)
    np.testing.assert_array_equal(rows["last"][quotes[1:]], rows["last"][quotes[1:] - 1])


def test_market_is_uneven() -> None:
    rows = prices("EURUSD").ticks(DAY, ALL)
    assert 50_000 < len(rows) < 200_000
    assert 0.001 < np.mean(np.diff(rows["time_msc"]) == 0) < 0.05
    per_minute = np.bincount(rows["time_msc"] // 60_000 % 1440, minlength=1440)
    night, noon = per_minute[:120].mean(), per_minute[900:1080].mean()
    assert noon > 3 * night
    assert per_minute.min() < 10
    spreads = np.rint((rows["ask"] - rows["bid"]) / 1e-5)
    assert len(np.unique(spreads)) > 4
    assert spreads.min() >= 2


def test_days_hang_together() -> None:
    source = prices("EURUSD")
    for day in range(DAY, DAY + 5):
        today, tomorrow = source.ticks(day, ALL), source.ticks(day + 1, ALL)
        assert abs(today["bid"][-1] - tomorrow["bid"][0]) < 0.0005


def test_prices_stay_around_their_start_for_decades() -> None:
    source = prices("EURUSD")
    opens = [source.bars(day, ALL)["open"][0] for day in range(FIRST_DAY, FIRST_DAY + 12_000, 97)]
    assert 0.9 < min(opens) < max(opens) < 1.5


def test_rate_and_volatility_are_factors() -> None:
    plain = prices("EURUSD").ticks(DAY, ALL)
    assert 2.7 < len(prices("EURUSD", rate=3.0).ticks(DAY, ALL)) / len(plain) < 3.3
    wild = prices("EURUSD", volatility=10.0).ticks(DAY, ALL)
    assert np.ptp(wild["bid"]) > 3 * np.ptp(plain["bid"])


def test_closed_minutes_are_left_out_and_change_nothing_else() -> None:
    source = prices("#AAPL")
    minutes = np.zeros(1440, dtype=bool)
    minutes[990:1380] = True
    whole, part = source.ticks(DAY, ALL), source.ticks(DAY, minutes)
    inside = minutes[whole["time_msc"] // 60_000 % 1440]
    assert part.tobytes() == whole[inside].tobytes()
    assert len(source.ticks(DAY, ~ALL)) == len(source.bars(DAY, ~ALL)) == 0


def test_no_prices_before_the_first_day() -> None:
    with pytest.raises(ValueError, match="2000-01-01"):
        prices("EURUSD").ticks(FIRST_DAY - 1, ALL)
