"""Whatever breaks, whatever the node was doing: when it is up again, the cache equals the books.

A fixed part of the cells runs always, all of them with ``pytest -m matrix``.
"""

import asyncio

import numpy as np
import pytest
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price

from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")
CLOCK = {"mode": "stepped", "start": "2025-03-10T12:00:00Z"}

FAULTS = (
    "trade_worker",
    "quotes_worker",
    "terminal",
    "link",
    "history_delay",
    "reply_lost_before",
    "reply_lost_after",
    "hang",
    "account_switch",
)
ACTIVITIES = ("idle", "submitting", "modifying", "cancelling", "filling")
ACCOUNTS = ("hedging", "netting")
#: Cells that run always.
ALWAYS = {
    ("trade_worker", "submitting", "hedging"),
    ("trade_worker", "cancelling", "netting"),
    ("quotes_worker", "filling", "hedging"),
    ("terminal", "filling", "netting"),
    ("link", "filling", "hedging"),
    ("history_delay", "submitting", "netting"),
    ("reply_lost_before", "submitting", "hedging"),
    ("reply_lost_after", "modifying", "netting"),
    ("hang", "cancelling", "hedging"),
    ("account_switch", "idle", "hedging"),
}
CELLS = [
    pytest.param(*cell, marks=() if cell in ALWAYS else pytest.mark.matrix, id="-".join(cell))
    for cell in ((f, a, k) for f in FAULTS for a in ACTIVITIES for k in ACCOUNTS)
]

QUICK = {
    "link_poll_ms": 10,
    "restart_delay_ms": 50,
    "restart_delay_max_ms": 200,
    "order_timeout_secs": 1.0,
    "call_timeout_secs": 1.0,
}
PROVES_SOON = {
    "unproven_order_secs": 0.3,
    "unproven_change_secs": 0.3,
    "inflight_keepalive_secs": 0.1,
}
IMPATIENT = {
    "inflight_check_interval_ms": 100,
    "inflight_check_threshold_ms": 300,
    "inflight_check_retries": 2,
}


class Cell:
    """One fault during one activity."""

    def __init__(self, rig, processes, fault, activity):
        self.rig = rig
        self.processes = processes
        self.fault = fault
        self.activity = activity
        self.sends = 0

    @property
    def has_request(self):
        return self.activity in ("submitting", "modifying", "cancelling")

    @property
    def function(self):
        """What is lost or hangs: the request of the activity, or a poll."""
        return "order_send" if self.has_request else "positions_get"

    async def prepare(self):
        """A position, and an order that waits."""
        rig = self.rig
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        await rig.opened(rig.strategy.buy("EURUSD", "3000"))
        self.order = self.limit(-0.003)
        await rig.until(lambda: self.order.is_open)
        self.sends = rig.sends()

    def limit(self, away):
        rig = self.rig
        instrument = rig.cache.instrument(EURUSD)
        bid = float(rig.cache.quote_tick(EURUSD).bid_price)
        order = rig.strategy.order_factory.limit(
            EURUSD, OrderSide.BUY, instrument.make_qty(1_000), instrument.make_price(bid + away)
        )
        rig.strategy.submit_order(order)
        return order

    def arm(self):
        """What must be in place before the activity."""
        terminal = self.rig.terminal
        function = self.function
        match self.fault:
            case "reply_lost_before":
                terminal.lose_reply(function, when="before")
            case "reply_lost_after":
                terminal.lose_reply(function, when="after")
            case "hang":
                terminal.hang(6.0, function)
            case "history_delay":
                terminal.delay_history(20.0)
            case "trade_worker" | "quotes_worker" | "terminal" if self.has_request:
                terminal.slow(0.3, "order_send")

    async def act(self):
        rig, order = self.rig, self.order
        match self.activity:
            case "submitting":
                rig.strategy.buy("EURUSD", "2000")
            case "modifying":
                rig.strategy.modify_order(order, price=Price(float(order.price) - 0.001, 5))
            case "cancelling":
                rig.strategy.cancel_order(order)
        if self.has_request:
            await rig.until(self.is_out)

    def is_out(self):
        return self.rig.sends() > self.sends or self.rig.is_settled()

    async def strike(self):
        """What comes in the middle of the activity."""
        rig, terminal = self.rig, self.rig.terminal
        client = rig.client._mt5
        match self.fault:
            case "trade_worker" | "quotes_worker":
                pid = client.pids[self.fault.removesuffix("_worker")]
                self.processes.kill(pid)
                await rig.until(lambda: client.pids[self.fault.removesuffix("_worker")] != pid)
            case "terminal":
                terminal.kill()
                await rig.until(lambda: not client.state.may_trade)
                terminal.start()
            case "link":
                terminal.set_connected(False)
                await rig.until(lambda: not client.state.may_trade)
            case "account_switch":
                terminal.login(5001235 if terminal.books()["account"]["login"] != 5001235 else 1)
                await rig.until(lambda: not client.state.may_trade)
        if self.activity == "filling":
            at = float(self.order.price)
            rows = np.zeros(1, TICK_DTYPE)
            rows["bid"], rows["ask"] = round(at - 0.0002, 5), round(at - 0.0001, 5)
            terminal.push_ticks("EURUSD", rows)

    async def heal(self, login):
        rig, terminal = self.rig, self.rig.terminal
        client = rig.client._mt5
        match self.fault:
            case "link":
                terminal.set_connected(True)
            case "hang":
                await rig.until(lambda: client.metrics.lanes["trade"].restarts, 30)
            case "account_switch":
                terminal.login(login)
                await client.connect()
                await client.disconnect()

        def is_well():
            return client.is_ready and client.state.may_trade

        await rig.until(is_well, 40)


@pytest.mark.parametrize(("fault", "activity", "account"), CELLS)
def test_after_the_fault_the_cache_equals_the_books(
    terminal, run_node, processes, compared, fault, activity, account
):
    terminal.reset({"extends": f"demo-{account}", "clock": CLOCK})
    login = terminal.books()["account"]["login"]
    hedging = account == "hedging"

    async def drive(rig):
        cell = Cell(rig, processes, fault, activity)
        await cell.prepare()
        cell.arm()
        await cell.act()
        await cell.strike()
        await cell.heal(login)
        for _ in range(400):
            cache, books = compared(rig, hedging)
            if cache == books and rig.is_settled():
                break
            terminal.advance(0.5)
            await asyncio.sleep(0.05)
        assert cache == books, rig.names()
        assert rig.is_settled(), rig.names()
        assert terminal.stats()["calls"].get("order_send", 0) <= cell.sends + cell.has_request
        fills = [fill.trade_id for fill in rig.fills()]
        assert len(fills) == len(set(fills))
        assert rig.client.metrics.missed == 0

    run_node(
        terminal,
        drive,
        oms_type=account.upper(),
        terminal_fields={"login": login, **QUICK},
        exec_fields=PROVES_SOON,
        engine_fields=IMPATIENT,
        strategy_fields={} if hedging else {"external_order_claims": [EURUSD]},
    )
