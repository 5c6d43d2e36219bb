"""What the trade feed misses is found by the audit, counted as a bug, and made good."""

import pytest

from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderType,
    TradeAction,
    TradeRetcode,
)

BY_HAND = {
    "action": int(TradeAction.DEAL),
    "type_filling": int(OrderFilling.IOC),
    "symbol": "EURUSD",
    "type": int(OrderType.BUY),
    "volume": 0.01,
}


def test_a_feed_that_misses_nothing_passes_every_audit(terminal, run_node):
    async def drive(rig):
        await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        terminal.trade_by_hand(**BY_HAND)
        await rig.until(lambda: rig.client.metrics.audits >= 3)
        assert rig.client.metrics.missed == 0
        assert len(rig.cache.positions_open()) == 2

    run_node(terminal, drive, exec_fields={"audit_secs": 0.05})


def test_deal_that_the_feed_missed_is_found_counted_and_told_once(terminal, run_node):
    async def drive(rig):
        await rig.opened(rig.strategy.buy("EURUSD", "1000"))
        session = rig.client._session
        session.audit._grace_secs = 0.1
        facts, *_ = session._watches
        facts.close()
        terminal.trade_by_hand(**BY_HAND)
        await rig.until(lambda: len(rig.client._mt5.positions) == 2)
        while not await session.audit.look():
            """The feed has not looked often enough yet."""
        assert rig.client.metrics.missed == 1
        await rig.until(lambda: len(rig.cache.positions_open()) == 2)
        assert await session.audit.look() == 0
        assert len(rig.fills()) == 2

    run_node(terminal, drive, exec_fields={"audit_secs": 0.0})


def test_feed_that_waits_for_the_broker_has_missed_nothing(terminal, run_node, processes):
    async def drive(rig):
        audit = rig.client._session.audit
        audit._grace_secs = 0.1
        terminal.hang(600.0, "order_send")
        order = rig.strategy.buy("EURUSD", "1000")
        await rig.until(lambda: terminal.books()["positions"])
        for _ in range(3):
            assert await audit.look() == 0
        assert rig.fills() == []
        terminal.clear_faults()
        processes.kill(rig.client._mt5.pids["trade"])
        await rig.opened(order)
        assert (audit.missed, len(rig.fills())) == (0, 1)

    fields = {"restart_delay_ms": 50}
    run_node(terminal, drive, exec_fields={"audit_secs": 0.0}, terminal_fields=fields)


@pytest.mark.parametrize("secs", [0.02, 0.0])
def test_figures_are_readable_and_count_what_is_unknown(terminal, run_node, secs):
    async def drive(rig):
        terminal.answer("order_send", int(TradeRetcode.TIMEOUT))
        order = rig.strategy.buy("EURUSD", "1000")
        await rig.until(lambda: rig.sends() == 1)
        await rig.until(lambda: rig.client.metrics.unknown_now == 1)
        figures = rig.client.metrics
        assert (figures.client.unknown_outcomes, figures.unknown_resolved) == (1, 0)
        assert "unknown outcomes 1, of these open 1" in figures.lines()[0]
        assert any("order_send 1x" in line for line in figures.lines())
        assert not order.is_closed

    run_node(terminal, drive, exec_fields={"metrics_log_secs": secs, "audit_secs": 0.0})
