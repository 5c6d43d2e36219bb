"""Does ``mt5 doctor`` speak through the real library, with a terminal and without one?"""

import importlib.util
import json
import subprocess
import sys

import pytest

from tradingview_scraper.adapters.mt5.simulator.control import launch

pytestmark = [
    pytest.mark.real_library,
    pytest.mark.skipif(
        sys.platform != "win32" or importlib.util.find_spec("MetaTrader5") is None,
        reason="needs the real MetaTrader5 library",
    ),
    # Starting processes takes seconds under Wine.
    pytest.mark.timeout(400),
]

#: A clock that runs, and enough ticks that it can be judged.
LIVE = {"extends": "demo-hedging", "prices": {"rate": 20.0}}


def doctor(*arguments):
    """Exit status and document of the command as a user starts it."""
    ran = subprocess.run(
        [sys.executable, "-m", "tradingview_scraper.adapters.mt5", "doctor", *arguments, "--json"],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    return ran.returncode, json.loads(ran.stdout.splitlines()[-1])


def test_no_terminal_is_told_with_its_remedy(tmp_path):
    # A path, because without one the library would start the terminal of whoever runs this.
    status, document = doctor("EURUSD", "--path", str(tmp_path / "terminal64.exe"))
    assert status == 1 and not document["ok"]
    (found,) = document["findings"]
    assert (found["subject"], found["verdict"]) == ("terminal", "fail")
    assert "-10003" in found["said"]
    assert "install the broker's MetaTrader 5 terminal" in found["remedy"]


def test_every_line_is_green_on_a_terminal_in_order():
    with launch(LIVE) as terminal:
        status, document = doctor("EURUSD", "USDJPY", "--path", terminal.path)
        asked = terminal.stats()["calls"]
    assert status == 0 and document["ok"]
    # How long a call takes is the machine's affair.
    odd = [
        found
        for found in document["findings"]
        if found["verdict"] != "ok" and not found["subject"].startswith("latency ")
    ]
    assert odd == []
    subjects = {found["subject"] for found in document["findings"]}
    assert {"library", "link", "clock", "symbol EURUSD", "history USDJPY"} <= subjects
    assert "MetaTrader5 speaks with build" in document["findings"][0]["said"]
    assert asked["symbol_info_tick"] and "order_send" not in asked
