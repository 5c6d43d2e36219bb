"""Workers that die while a node connects: it starts all the same, with all that it should know.

A part of the cases runs always, all of them with ``pytest -m "matrix or not matrix"``.
"""

from itertools import product

import pytest

from tradingview_scraper.adapters.mt5.client import Lane
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    TradeAction,
)

#: What a node reads while it connects, and what it asks when it reconciles.
READ = ("symbol_info", "history_deals_get", "positions_get", "orders_get", "symbol_info_tick")
ALWAYS = {
    ("symbol_info", Lane.QUOTES),
    ("positions_get", Lane.HISTORY),
    ("orders_get", Lane.TRADE),
}
CASES = [
    pytest.param(*case, marks=() if case in ALWAYS else pytest.mark.matrix)
    for case in product(READ, Lane)
]


@pytest.mark.parametrize(("function", "lane"), CASES)
def test_node_starts_though_a_worker_dies_over_what_it_reads(
    terminal, run_node, processes, function, lane
):
    terminal.trade_by_hand(
        action=int(TradeAction.DEAL),
        type_filling=int(OrderFilling.IOC),
        symbol="EURUSD",
        type=int(OrderType.BUY),
        volume=0.01,
    )
    terminal.slow(0.2, function)

    async def drive(rig):
        client = rig.client._mt5
        before = terminal.stats()["calls"][function]
        await rig.until(lambda: terminal.stats()["calls"][function] > before, 40)
        pid = await rig.until(lambda: client.pids.get(lane), 40)
        processes.kill(pid)
        await rig.until(lambda: client.pids.get(lane) not in (pid, None), 40)
        terminal.slow(0.0, function)
        await rig.until(lambda: rig.strategy.is_running, 60)
        assert len(rig.cache.positions_open()) == 1
        await rig.until(lambda: client.is_ready, 40)
        await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        assert len(terminal.books()["positions"]) == 2

    run_node(
        terminal,
        drive,
        starts=False,
        start_secs=60.0,
        terminal_fields={"restart_delay_ms": 50},
    )
