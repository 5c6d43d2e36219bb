"""What a cell of the fault matrix does: one fault, during one activity of a node."""

import asyncio

import numpy as np
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from tradingview_scraper.adapters.mt5.terminal.constants import TradeAction
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE

EURUSD = InstrumentId.from_str("EURUSD.MT5")
HOUR = 3600.0

#: Settings under which trouble is seen, and its outcome proved, soon.
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


#: Another quantity is asked for: the node is between two orders, or the second is on its way.
REPLACING = ("removed", "placing")


def fields(account, login, activity=""):
    """Settings of the nodes of a cell."""
    hedging = account == "hedging"
    replaces = {"replace_to_change_quantity": activity in REPLACING}
    return {
        "oms_type": account.upper(),
        "terminal_fields": {"login": login, **QUICK},
        "exec_fields": {**PROVES_SOON, **replaces},
        "engine_fields": IMPATIENT,
        "strategy_fields": {} if hedging else {"external_order_claims": [EURUSD]},
    }


class Cell:
    """One fault during one activity."""

    def __init__(self, rig, processes, fault, activity, account):
        self.rig = rig
        self.terminal = rig.terminal
        self.processes = processes
        self.fault = fault
        self.activity = activity
        self.hedging = account == "hedging"
        self.order = None
        self.stops = []
        self.sends = 0

    @property
    def has_request(self):
        return self.activity in ("submitting", "modifying", "cancelling", "stopping")

    @property
    def requests(self):
        """How many requests the activity sends."""
        return 2 if self.activity == "stopping" else int(self.has_request)

    @property
    def function(self):
        """What is lost or hangs: the request of the activity, or a poll."""
        return "order_send" if self.has_request else "positions_get"

    @property
    def hang_secs(self):
        """For ever, where it is waited until the node has done something about it."""
        return 6.0 if self.activity in ("starting", "stopping") else 600.0

    async def prepare(self):
        """A position, and an order that waits; or a bracket."""
        rig = self.rig
        await rig.until(lambda: rig.cache.quote_tick(EURUSD))
        # Where history is late, a deal would be, too.
        if self.activity != "removed" and (self.hedging or self.activity != "bracket"):
            await rig.opened(rig.strategy.buy("EURUSD", "3000"))
        if self.activity == "bracket":
            self.stops = await self.bracket()
        self.order = self.limit(-0.003, 3_000 if self.activity == "partial" else 1_000)
        await rig.until(lambda: self.order.is_open)
        self.sends = rig.sends()

    async def bracket(self):
        rig = self.rig
        instrument = rig.cache.instrument(EURUSD)
        ask = float(rig.cache.quote_tick(EURUSD).ask_price)
        orders = rig.strategy.order_factory.bracket(
            EURUSD,
            OrderSide.BUY,
            instrument.make_qty(2_000),
            sl_trigger_price=instrument.make_price(ask - 0.002),
            tp_price=instrument.make_price(ask + 0.002),
        )
        rig.strategy.submit_order_list(orders)
        entry, *stops = orders.orders
        await rig.opened(entry)
        await rig.until(lambda: all(stop.status == OrderStatus.ACCEPTED for stop in stops))
        return stops

    def limit(self, away, units):
        rig = self.rig
        instrument = rig.cache.instrument(EURUSD)
        bid = float(rig.cache.quote_tick(EURUSD).bid_price)
        order = rig.strategy.order_factory.limit(
            EURUSD, OrderSide.BUY, instrument.make_qty(units), instrument.make_price(bid + away)
        )
        rig.strategy.submit_order(order)
        return order

    def fill(self):
        """The market comes to the order that waits, or to the stop loss of the bracket."""
        at = float(self.stops[0].trigger_price if self.stops else self.order.price)
        if self.activity == "partial":
            self.terminal.partial_fill(0.01, n=2)
        come_to(self.terminal, at)

    def arm(self):
        """What must be in place before the activity."""
        terminal, function = self.terminal, self.function
        match self.fault:
            case "reply_lost_before":
                terminal.lose_reply(function, when="before")
            case "reply_lost_after":
                terminal.lose_reply(function, when="after")
            case "hang":
                terminal.hang(self.hang_secs, function)
            case "history_delay":
                terminal.delay_history(20.0)
            case "trade_worker" | "quotes_worker" | "terminal" | "live_update" | "node":
                if self.has_request:
                    terminal.slow(0.3, "order_send")
                elif self.activity == "placing":
                    placing = {"action": int(TradeAction.PENDING)}
                    terminal.fault("slow", "order_send", seconds=0.3, where=placing)

    async def act(self):
        rig, order = self.rig, self.order
        match self.activity:
            case "submitting":
                rig.strategy.buy("EURUSD", "2000")
            case "modifying":
                rig.strategy.modify_order(order, price=Price(float(order.price) - 0.001, 5))
            case "cancelling":
                rig.strategy.cancel_order(order)
            case "stopping":
                rig.strategy.cancel_order(order)
                rig.strategy.buy("EURUSD", "2000")
        if self.activity in REPLACING:
            rig.strategy.modify_order(order, Quantity.from_int(3_000))
            await rig.until(lambda: rig.sends() == self.sends + 1 + (self.activity == "placing"))
            await rig.until(lambda: self.activity == "placing" or not waiting(self.terminal))
        elif self.has_request:
            await rig.until(self.is_out)

    def is_out(self):
        return self.rig.sends() > self.sends or self.rig.is_settled()

    async def strike(self, *, waits=True):
        """What comes in the middle of the activity; `waits` until the node knows."""
        rig, terminal = self.rig, self.terminal
        client = rig.client._mt5
        match self.fault:
            case "trade_worker" | "quotes_worker":
                lane = self.fault.removesuffix("_worker")
                pid = await rig.until(lambda: client.pids.get(lane), 40)
                self.processes.kill(pid)
                if waits:
                    await rig.until(lambda: client.pids.get(lane) != pid)
            case "terminal":
                terminal.kill()
            case "link":
                terminal.set_connected(False)
            case "account_switch":
                terminal.login(other_login(terminal))
            case "live_update":
                terminal.live_update(0.3)
            case "clock_forward":
                terminal.shift_clock(HOUR)
            case "clock_back":
                terminal.shift_clock(-HOUR)
        if waits and self.fault in ("terminal", "link", "account_switch", "live_update"):
            await rig.until(lambda: not client.state.may_trade)
        if self.fault == "terminal" and waits:
            terminal.start()
        if self.activity in ("filling", "partial", "bracket"):
            if self.fault == "live_update":
                await rig.until(lambda: answers(terminal), 40)
            self.fill()

    async def heal(self, login):
        """The fault is over, and the node has noticed."""
        rig = self.rig
        client = rig.client._mt5
        if self.fault == "hang":
            await rig.until(lambda: client.metrics.lanes["trade"].restarts, 60)
            self.terminal.clear_faults()
        await undo(self.terminal, self.fault, login, rig.until)
        if self.fault == "account_switch":
            await client.connect()
            await client.disconnect()

        def is_well():
            return client.is_ready and client.state.may_trade

        await rig.until(is_well, 40)


async def undo(terminal, fault, login, until):
    """End a fault, as far as it does not end by itself."""
    match fault:
        case "terminal":
            if not answers(terminal):
                terminal.start()
        case "link":
            terminal.set_connected(True)
        case "account_switch":
            terminal.login(login)
        case "live_update":
            await until(lambda: answers(terminal), 40)
        case "clock_back":
            terminal.advance(HOUR + 60)


def answers(terminal):
    try:
        terminal.stats()
    except ConnectionError:
        return False
    return True


def waiting(terminal):
    return terminal.books()["orders"]


def other_login(terminal):
    return 5001235 if terminal.books()["account"]["login"] != 5001235 else 1


def come_to(terminal, price):
    """A tick whose bid and ask are just below `price`."""
    rows = np.zeros(1, TICK_DTYPE)
    rows["bid"], rows["ask"] = round(price - 0.0002, 5), round(price - 0.0001, 5)
    terminal.push_ticks("EURUSD", rows)


async def agreed(rig, hedging, compare, *, step=0.5):
    """Wait until cache and books agree and nothing is in flight, while time passes."""
    for _ in range(400):
        cache, books = compare(rig, hedging)
        if cache == books and rig.is_settled():
            break
        if step:
            rig.terminal.advance(step)
        await asyncio.sleep(0.05)
    assert cache == books, f"{cache} != {books}; {rig.names()}"
    assert rig.is_settled(), rig.names()
    fills = [fill.trade_id for fill in rig.fills()]
    assert len(fills) == len(set(fills))
    assert rig.client.metrics.missed == 0
