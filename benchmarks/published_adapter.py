"""The same work through the published adapter mt5-connector 0.7.1, on the same simulated terminal.

``MT5_PUBLISHED_PYTHON`` is an interpreter that has it (``scripts/bench`` makes one). The server's
clock is UTC: on any other the published adapter does not see its fills for hours.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from tradingview_scraper.adapters.mt5.simulator.control import launch

_ROOT = Path(__file__).parents[1]
_HERE = _ROOT / "benchmarks" / "published"


def run() -> list[Figure]:
    """No figure at all where the published adapter is not installed; the output says so."""
    python = os.environ.get("MT5_PUBLISHED_PYTHON")
    if not python:
        print("mt5-connector is not compared: MT5_PUBLISHED_PYTHON names no interpreter with it")
        return []
    scenario = {"extends": "demo-hedging", "symbols": ["EURUSD"], "clock": {"zone": "UTC"}}
    with launch(scenario) as control:
        account = control.books()["account"]
        paths = os.pathsep.join((str(_ROOT), str(_HERE / "shim")))
        environment = {
            **os.environ,
            "PYTHONPATH": paths,
            "MT5_SIMULATOR_SCENARIO": control.path,
        }
        arguments = [str(account["login"]), "simulated", account["server"], control.path]
        done = subprocess.run(
            [python, str(_HERE / "trader.py"), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
    if done.returncode:
        print(f"mt5-connector is not compared, it failed: {done.stderr[-500:]}")
        return []
    seen = json.loads(done.stdout.splitlines()[-1])
    lost = seen["lost_reply"]
    figures = [
        Figure("longest stall while a call hangs 5 s", seen["stall_ms"], "ms"),
        Figure("lost reply: deals at the broker", lost["deals"], ""),
        Figure("lost reply: told as rejected (1 is yes)", lost["verdict"] == "OrderRejected", ""),
        Figure("orders filled, of 30", len(seen["filled_ms"]), ""),
    ]
    for name in ("accepted", "filled"):
        if spent := seen[f"{name}_ms"]:
            for percent in (50, 99):
                value = float(np.percentile(spent, percent))
                figures.append(Figure(f"submit_order to {name}, p{percent}", value, "ms"))
    return figures
