"""Whatever breaks, whatever the node was doing: when it is up again, the cache equals the books.

A fixed part of the cells runs always, all of them with ``pytest -m "matrix or not matrix"``.
"""

import asyncio
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from nautilus_trader.model.identifiers import ClientOrderId

from tradingview_scraper.adapters.mt5.rules.identity import magic, short_hash

CLOCK = {"mode": "stepped", "start": "2025-03-10T12:00:00Z"}
#: The ids of orders carry the node's time: a node without a cache needs a server of that time.
NOW = {"synthetic": True, "always_open": True}

FAULTS = (
    "node",
    "trade_worker",
    "quotes_worker",
    "terminal",
    "live_update",
    "link",
    "history_delay",
    "reply_lost_before",
    "reply_lost_after",
    "hang",
    "account_switch",
    "clock_forward",
    "clock_back",
)
ACTIVITIES = (
    "idle",
    "submitting",
    "modifying",
    "cancelling",
    "filling",
    "partial",
    "bracket",
    "starting",
    "stopping",
)
ACCOUNTS = ("hedging", "netting")
#: Cells that run always.
ALWAYS = {
    ("node", "bracket", "hedging"),
    ("trade_worker", "submitting", "hedging"),
    ("quotes_worker", "partial", "netting"),
    ("terminal", "filling", "netting"),
    ("live_update", "stopping", "hedging"),
    ("link", "starting", "netting"),
    ("history_delay", "submitting", "netting"),
    ("reply_lost_before", "submitting", "hedging"),
    ("reply_lost_after", "modifying", "netting"),
    ("hang", "cancelling", "hedging"),
    ("account_switch", "idle", "hedging"),
    ("clock_back", "bracket", "netting"),
}
CELLS = [
    pytest.param(*cell, marks=() if cell in ALWAYS else pytest.mark.matrix, id="-".join(cell))
    for cell in ((f, a, k) for f in FAULTS for a in ACTIVITIES for k in ACCOUNTS)
]
#: How long a node that starts during a fault waits for its clients.
START_SECS = 20.0
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


class Runs:
    """The nodes of a cell, one after the other, on one terminal."""

    def __init__(self, cells, terminal, run_node, compare, account):
        self.cells = cells
        self.terminal = terminal
        self.account = account
        self.hedging = account == "hedging"
        self.login = terminal.books()["account"]["login"]
        self.fields = cells.fields(account, self.login)
        self.remembered = []
        self._run_node = run_node
        self._compare = compare

    def run(self, drive, **fields):
        self._run_node(self.terminal, drive, **self.fields, **fields)

    def keep(self, rig):
        """What the cache's database would have."""
        self.remembered = rig.cache.orders()

    async def agreed(self, rig, **how):
        await self.cells.agreed(rig, self.hedging, self._compare, **how)


@pytest.fixture
def runs_on(terminal, run_node, cells, compared):
    def make(account, fault):
        times = {"prices": NOW} if fault == "node" else {"clock": CLOCK}
        terminal.reset({"extends": f"demo-{account}", **times})
        return Runs(cells, terminal, run_node, compared, account)

    return make


@pytest.mark.parametrize(("fault", "activity", "account"), CELLS)
def test_after_the_fault_the_cache_equals_the_books(
    terminal, runs_on, processes, doubled_in, fault, activity, account
):
    runs = runs_on(account, fault)
    if fault == "node":
        killed(runs, activity)
    elif activity == "starting":
        while_starting(runs, processes, fault)
    elif activity == "stopping":
        while_stopping(runs, processes, fault)
    else:
        while_running(runs, processes, fault, activity)
    assert not doubled_in(terminal.books())


def while_running(runs, processes, fault, activity):
    async def drive(rig):
        cell = runs.cells.Cell(rig, processes, fault, activity, runs.account)
        await cell.prepare()
        cell.arm()
        await cell.act()
        await cell.strike()
        await cell.heal(runs.login)
        await runs.agreed(rig)
        assert rig.sends() <= cell.sends + cell.requests

    runs.run(drive)


def while_starting(runs, processes, fault):
    """The node starts during the fault, or does not start, and the next one does."""
    terminal = runs.terminal
    is_up = False

    async def before(rig):
        await runs.cells.Cell(rig, processes, fault, "starting", runs.account).prepare()
        runs.keep(rig)

    async def during(rig):
        nonlocal is_up
        cell = runs.cells.Cell(rig, processes, fault, "starting", runs.account)
        cell.arm()
        await cell.rig.until(lambda: rig.client._mt5.pids.get("trade"), 40)
        await cell.strike(waits=False)
        await asyncio.sleep(0.1)
        await runs.cells.undo(terminal, fault, runs.login, rig.until)
        # A kernel whose engines were not connected in time says so, and stays "running".
        with suppress(AssertionError):
            await rig.until(lambda: rig.strategy.is_running, 2 * START_SECS)
        if rig.strategy.is_running:
            await runs.agreed(rig)
            runs.keep(rig)
            is_up = True

    async def after(rig):
        await runs.agreed(rig)

    runs.run(before)
    runs.run(during, starts=False, start_secs=START_SECS, remembered=runs.remembered)
    if not is_up:
        terminal.clear_faults()
        runs.run(after, remembered=runs.remembered)


def while_stopping(runs, processes, fault):
    """Requests are out when the node stops; the next one finds what became of them."""
    terminal = runs.terminal

    async def first(rig):
        cell = runs.cells.Cell(rig, processes, fault, "stopping", runs.account)
        await cell.prepare()
        cell.arm()
        await cell.act()
        await cell.strike(waits=False)
        runs.kept = rig.cache

    async def second(rig):
        await runs.agreed(rig)

    async def until(condition, seconds):
        for _ in range(int(seconds / 0.01)):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"still waiting after {seconds:g} s")

    runs.run(first)
    asyncio.run(runs.cells.undo(terminal, fault, runs.login, until))
    terminal.clear_faults()
    runs.run(second, remembered=runs.kept.orders())


def killed(runs, activity):
    """A node's process is killed, and one on a new machine, without a cache, goes on."""
    terminal = runs.terminal
    process = subprocess.Popen(
        [
            sys.executable,
            str(Path(__file__).with_name("node_to_kill.py")),
            terminal.path,
            activity,
            runs.account,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        struck, *ids = process.stdout.readline().split()
        process.kill()
    assert struck == "struck"
    if activity in ("filling", "partial", "bracket"):
        orders, positions = terminal.books()["orders"], terminal.books()["positions"]
        if activity == "partial":
            terminal.partial_fill(0.01, n=2)
        at = max(held["sl"] for held in positions) or orders[0]["price_open"]
        runs.cells.come_to(terminal, at)

    async def drive(rig):
        await runs.agreed(rig, step=0)
        books = terminal.books()
        records = (*books["orders"], *books["history"], *books["deals"])
        hashes = {short_hash(record["magic"]) for record in records}
        mine = [ClientOrderId(one) for one in ids if short_hash(magic(1000, one)) in hashes]
        if activity == "bracket":
            # The server has no order of a stop, and the entry's number tells its id.
            mine = [ClientOrderId(one) for one in ids]
        for client_order_id in mine:
            assert rig.cache.order(client_order_id) is not None
        assert mine or activity == "starting"

    runs.run(drive)


def test_the_table_in_the_docs_lists_what_is_tried():
    text = OPERATIONS.read_text("utf-8").partition("## What is tried")[2].partition("\n## ")[0]
    rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    assert tuple(re.findall(r"`(\w+)`", "".join(rows))) == FAULTS
    during = text.partition("During:")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"`(\w+)`", during)) == ACTIVITIES
    assert f"{len(CELLS)} cells" in text and f"{len(ALWAYS)} of them" in text
