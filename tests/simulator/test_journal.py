"""Is every call written down, readably, and the same in two runs of the same scenario and calls?"""

import numpy as np
import pytest

import tradingview_scraper.adapters.mt5.simulator as mt5
from tradingview_scraper.adapters.mt5.simulator.control import launch

KEPT = {
    "extends": "demo-hedging",
    "seed": 77,
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
    "broker": {"latency_ms": 1, "latency_spread_ms": 2},
    "terminal": {"journal": True},
    "faults": [
        {"at": 30, "do": "answer", "function": "order_send", "retcode": 10018},
        {"at": 60, "do": "gap", "symbol": "EURUSD", "points": -300},
        {"at": 90, "do": "set_connected", "connected": False},
        {"at": 120, "do": "set_connected", "connected": True},
    ],
}
BUY = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "type_filling": 1, "magic": 7}


@pytest.fixture(scope="module")
def terminal():
    with launch(KEPT) as control:
        yield control


def a_day_of_trouble(control):
    """Calls of every kind, and trouble; gives the whole journal and the books."""
    assert mt5.initialize(control.path), mt5.last_error()
    random = np.random.default_rng(5)
    for _ in range(40):
        symbol = str(random.choice(["EURUSD", "GBPUSD", "XAUUSD"]))
        mt5.symbol_info(symbol)
        tick = mt5.symbol_info_tick(symbol)
        mt5.order_send({**BUY, "symbol": symbol, "type": int(random.integers(2))})
        mt5.order_check({**BUY, "symbol": symbol})
        mt5.copy_ticks_from(symbol, tick.time - 60, 1000, mt5.COPY_TICKS_ALL)
        mt5.copy_rates_from_pos(symbol, mt5.TIMEFRAME_M5, 0, 100)
        for position in mt5.positions_get()[:1]:
            mt5.order_send(
                {"action": 6, "symbol": position.symbol, "position": position.ticket, "sl": 0.5}
            )
        mt5.account_info()
        mt5.history_deals_get(tick.time - 3600, tick.time + 3600)
        control.advance(float(random.integers(1, 30)))
    control.lose_reply("account_info")
    mt5.account_info()
    mt5.shutdown()
    return control.journal(), control.books()


def test_two_runs_of_the_same_calls_have_the_same_journal(terminal):
    journals = []
    for _ in range(2):
        terminal.reset(KEPT)
        journals.append(a_day_of_trouble(terminal))
    assert journals[0] == journals[1]
    assert len(journals[0][0]) > 350
    terminal.reset({**KEPT, "seed": 78})
    assert a_day_of_trouble(terminal)[0] != journals[0][0]


def test_a_journal_reads_as_what_happened(terminal):
    terminal.reset(KEPT)
    assert mt5.initialize(terminal.path)
    assert mt5.order_send(BUY).retcode == 10009
    terminal.advance(31)
    assert mt5.order_send(BUY).retcode == 10018
    terminal.lose_reply("account_info")
    assert mt5.account_info() is None
    lines = terminal.journal()
    first, second = [line for line in lines if line.get("call") == "order_send"]
    assert first["at"] == "2025.03.10 15:00:00.000"
    assert (first["client"], first["status"]) == (1, 1)
    assert first["arguments"] == {key: value for key, value in BUY.items() if value}
    assert (first["answer"]["retcode"], first["answer"]["volume"]) == (10009, 0.1)
    assert second["answer"] == {"retcode": 10018}
    verbs = [line for line in lines if "verb" in line]
    assert [line["verb"] for line in verbs] == ["advance", "answer", "lose_reply"]
    assert verbs[1]["at"] == "2025.03.10 15:00:30.000"
    assert lines[-1]["lost"] is True
    mt5.shutdown()


def test_a_restart_goes_on_with_the_journal_and_a_reset_begins_a_new_one(terminal):
    terminal.reset(KEPT)
    assert mt5.initialize(terminal.path)
    before = terminal.journal()
    terminal.kill()
    terminal.start()
    assert terminal.journal() == before
    terminal.reset(KEPT)
    assert terminal.journal() == []
    terminal.reset({**KEPT, "terminal": {}})
    with pytest.raises(ValueError, match="journal = true"):
        terminal.journal()
