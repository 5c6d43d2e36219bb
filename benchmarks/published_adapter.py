"""The same work through this adapter and mt5-connector 0.7.1, by one driver, on the same terminal.

``MT5_PUBLISHED_PYTHON`` is an interpreter that has mt5-connector (``scripts/bench`` makes one). The
server's clock is UTC: on any other the published adapter does not see its fills for hours. Each has
its default intervals; mt5-connector's ticks are measured at its shortest one too, which is our
default.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.figures import Figure
from benchmarks.node import first_tick
from benchmarks.published.driver import Work
from benchmarks.published.nodes import Account
from tradingview_scraper.adapters.mt5.simulator.control import launch

_ROOT: Final = Path(__file__).parents[1]
_HERE: Final = _ROOT / "benchmarks" / "published"
_SCENARIO: Final = {
    "extends": "demo-hedging",
    "symbols": ["EURUSD"],
    "clock": {"zone": "UTC"},
    "prices": {"synthetic": False},
}
#: Milliseconds: the shortest that mt5-connector takes.
_FASTEST: Final = 10
THEIRS: Final = "mt5-connector"

type Answer = dict[str, Any]


def run(
    *, tick_secs: float = 15.0, ticks_per_sec: int = 50, orders: int = 30, hang_secs: float = 5.0
) -> list[Figure]:
    """Both and their ratios. Without the published adapter no figure, and the output says so."""
    named = os.environ.get("MT5_PUBLISHED_PYTHON")
    if not named:
        print(f"{THEIRS} is not compared: MT5_PUBLISHED_PYTHON names no interpreter with it")
        return []
    # Not resolved: a link is what makes the interpreter that of its environment.
    python = str(Path(named).absolute())
    try:
        wanted = {"tick_secs": tick_secs, "ticks_per_sec": ticks_per_sec, "hang_secs": hang_secs}
        ours = drive(sys.executable, "ours", orders=orders, **wanted)
        theirs = drive(python, "published", orders=orders, **wanted)
        fast = drive(python, "published", poll_ms=_FASTEST, **wanted)
    except subprocess.CalledProcessError as error:
        print(f"{THEIRS} is not compared, a driver failed: {error.stderr[-800:]}")
        return []
    return figures(ours, theirs, fast, orders=orders)


def drive(
    python: str,
    adapter: str,
    *,
    tick_secs: float,
    ticks_per_sec: int,
    hang_secs: float,
    orders: int = 0,
    poll_ms: int | None = None,
) -> Answer:
    """What the driver answers. Raises `subprocess.CalledProcessError` with what it printed."""
    with launch(_SCENARIO) as control:
        control.push_ticks("EURUSD", first_tick())
        account = control.books()["account"]
        who = Account(account["login"], "simulated", account["server"], control.path)
        work = Work(adapter, who, poll_ms, tick_secs, ticks_per_sec, orders, hang_secs)
        # The shim is the vendor's module, for what imports that name.
        paths = [str(_ROOT), *([str(_HERE / "shim")] if adapter == "published" else [])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "MT5_SIMULATOR_SCENARIO": control.path,
        }
        done = subprocess.run(
            [python, str(_HERE / "driver.py"), json.dumps(work._asdict())],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
    answer: Answer = json.loads(done.stdout.splitlines()[-1])
    return answer


def figures(ours: Answer, theirs: Answer, fast: Answer, *, orders: int) -> list[Figure]:
    """The two beside each other. What must never happen to ours has the limit 0."""
    found = [Figure("ticks sent", ours["ticks"]["sent"], "")]
    for what in ("lost", "doubled"):
        found += [
            Figure(f"ticks {what}: ours", ours["ticks"][what], "", limit=0.0),
            Figure(f"ticks {what}: {THEIRS}", theirs["ticks"][what], ""),
            Figure(f"ticks {what}: {THEIRS} at {_FASTEST} ms", fast["ticks"][what], ""),
        ]
    for percent in (50, 99):
        name = f"age of a tick that came, p{percent}"
        found += _compared(name, ours["ticks"]["age_ms"], theirs["ticks"]["age_ms"], percent)
        found += _percentile(f"{name}: {THEIRS} at {_FASTEST} ms", fast["ticks"]["age_ms"], percent)
    for kind in ("accepted", "filled"):
        found += [
            Figure(f"orders {kind}, of {orders}: {who}", len(answer[f"{kind}_ms"]), "")
            for who, answer in (("ours", ours), (THEIRS, theirs))
        ]
        for percent in (50, 99):
            name = f"submit_order to {kind}, p{percent}"
            found += _compared(name, ours[f"{kind}_ms"], theirs[f"{kind}_ms"], percent)
    stall = "longest stall of the loop while a call hangs"
    found += _compared(stall, [ours["stall_ms"]], [theirs["stall_ms"]], 50)
    for who, answer, limit in (("ours", ours, 0.0), (THEIRS, theirs, None)):
        lost = answer["lost_reply"]
        rejected = float(lost["verdict"] == "OrderRejected")
        found += [
            Figure(f"lost reply: deals at the broker: {who}", lost["deals"], ""),
            Figure(f"lost reply: told as rejected (1 is yes): {who}", rejected, "", limit=limit),
        ]
    return found


def _compared(name: str, ours: list[float], theirs: list[float], percent: int) -> list[Figure]:
    """Both percentiles and the ratio; what did not happen has none."""
    one = _percentile(f"{name}: ours", ours, percent)
    other = _percentile(f"{name}: {THEIRS}", theirs, percent)
    if not one or not other or not one[0].value:
        return [*one, *other]
    ratio = other[0].value / one[0].value
    return [*one, *other, Figure(f"{name}: {THEIRS} / ours", ratio, "x")]


def _percentile(name: str, spent: list[float], percent: int) -> list[Figure]:
    return [Figure(name, float(np.percentile(spent, percent)), "ms")] if spent else []
