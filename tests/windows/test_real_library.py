"""Does the real library, attached to our terminal, see what our own module sees?

The real library waits with the GIL held and without limit, so it runs in processes of its own.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tradingview_scraper.adapters.mt5.simulator.control import launch

pytestmark = [
    pytest.mark.real_library,
    pytest.mark.skipif(
        sys.platform != "win32" or importlib.util.find_spec("MetaTrader5") is None,
        reason="needs the real MetaTrader5 library",
    ),
    # Starting processes takes seconds under Wine, and killing terminals means starting them again.
    pytest.mark.timeout(400),
]

HERE = Path(__file__).parent
REAL = "MetaTrader5"
OURS = "tradingview_scraper.adapters.mt5.simulator"
RECORDED_CALLS = HERE.parent / "data" / "library_calls.json"
STEPPED = {
    "extends": "demo-hedging",
    "clock": {"mode": "stepped", "start": "2025-03-10T12:00:00Z"},
}
PATIENCE = 180.0
CASES = (
    *("lost-before", "lost-after", "lost-during", "refused", "retcodes", "gone", "killed"),
    *("dropped", "late", "cut", "synchronising", "switched"),
)


def printed(*command):
    ran = subprocess.run(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert ran.returncode == 0
    return ran.stdout


def start(path, code):
    """A process with the real library attached to `path`, which runs `code`."""
    program = (
        "import sys, MetaTrader5 as mt5\n"
        "assert mt5.initialize(sys.argv[1]), mt5.last_error()\n" + code
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True
    )


def test_the_recorded_calls_are_those_of_the_real_library():
    rows = json.loads(printed(HERE / "record_calls.py", REAL, RECORDED_CALLS))
    assert rows == json.loads(RECORDED_CALLS.read_text("utf-8"))


def test_both_libraries_see_the_same_terminal_field_by_field():
    seen = []
    for module in (REAL, OURS):
        with launch(STEPPED) as terminal:
            output = printed(HERE / "attached_library.py", module, terminal.path)
            seen.append(json.loads(output))
    real, ours = seen
    assert list(real) == list(ours)
    for call in real:
        if "terminal_info" in call:
            # Only the paths of the two terminals differ.
            for answer in (real[call], ours[call]):
                for name in ("path", "data_path", "commondata_path"):
                    del answer[0][1][name]
        assert real[call] == ours[call], call
    assert len(real) > 160
    done = [call for call in real if "order_send" in call and "'10009'" in str(real[call])]
    assert len(done) == 11


@pytest.mark.parametrize("case", CASES)
def test_both_libraries_take_the_same_trouble_the_same_way(case):
    seen = []
    for module in (REAL, OURS):
        with launch(STEPPED) as terminal:
            output = printed(HERE / "troubled_library.py", module, terminal.path, case)
            seen.append((json.loads(output), comparable(terminal.books())))
    (real, books), (ours, our_books) = seen
    assert len(real) == len(ours)
    for theirs, our in zip(real, ours, strict=True):
        assert without_paths(theirs) == without_paths(our)
    # What was executed behind a lost answer was executed for both.
    assert books == our_books


def without_paths(row):
    if row[0] == "terminal_info":
        for name in ("path", "data_path", "commondata_path"):
            del row[2][1][name]
    return row


def comparable(books):
    return {name: books[name] for name in ("orders", "positions", "deals", "history")}


def test_the_real_library_reads_a_hundred_thousand_ticks_in_one_answer():
    with launch(STEPPED) as terminal:
        process = start(
            terminal.path,
            "rows = mt5.copy_ticks_from('BTCUSD', 1741000000, 100_000, mt5.COPY_TICKS_ALL)\n"
            "print(len(rows), mt5.last_error()[0], bool((rows['time_msc'][1:] >= "
            "rows['time_msc'][:-1]).all()))",
        )
        output, _ = process.communicate(timeout=PATIENCE)
    assert output.split() == ["100000", "1", "True"]


@pytest.mark.parametrize("asked", ["demo-netting", "DEMO-Netting"])
def test_the_real_library_attaches_by_the_name_of_a_scenario(asked, tmp_path):
    served = subprocess.Popen(
        [sys.executable, "-m", f"{OURS}.terminal.server", "demo-netting", "--books", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert served.stdout.readline().strip() == "serving demo-netting"
        process = start(asked, "print(mt5.account_info().login)")
        assert process.communicate(timeout=PATIENCE)[0].strip() == "5002234"
    finally:
        served.kill()
        served.wait()


def test_several_real_libraries_attach_at_once():
    with launch(STEPPED) as terminal:
        code = "print(sum(mt5.symbol_info('EURUSD').name != 'EURUSD' for _ in range(100)))"
        processes = [start(terminal.path, code) for _ in range(4)]
        outputs = [process.communicate(timeout=PATIENCE)[0].strip() for process in processes]
        assert outputs == ["0"] * 4
        assert terminal.stats()["calls"]["symbol_info"] == 400


def test_the_real_library_loses_its_terminal_as_recorded():
    with launch(STEPPED) as terminal:
        terminal.lose_reply("symbols_total")
        process = start(
            terminal.path,
            "codes = []\n"
            "for _ in range(2):\n"
            "    mt5.symbols_total()\n"
            "    codes.append(mt5.last_error()[0])\n"
            "print(*codes)",
        )
        assert process.communicate(timeout=PATIENCE)[0].split() == ["-10002", "-10004"]


def test_the_real_library_and_ours_share_a_terminal():
    with launch(STEPPED) as terminal:
        process = start(
            terminal.path,
            "r = mt5.order_send({'action': 1, 'symbol': 'EURUSD', 'volume': 0.1, 'type': 0,"
            " 'type_filling': 1, 'magic': 5})\n"
            "print(r.retcode, r.order)",
        )
        retcode, order = process.communicate(timeout=PATIENCE)[0].split()
        assert retcode == "10009"
        (position,) = terminal.books()["positions"]
        assert (str(position["ticket"]), position["magic"]) == (order, 5)
