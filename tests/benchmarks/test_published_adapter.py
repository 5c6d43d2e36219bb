"""Are both adapters put to the same work, and is the answer read right?"""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.published.driver import Work, scheduled, work_of
from benchmarks.published_adapter import THEIRS, drive, figures, run

pytestmark = pytest.mark.timeout(180)

TINY = {"tick_secs": 1.0, "ticks_per_sec": 20, "hang_secs": 0.5, "orders": 2}


def answer(**fields: Any) -> dict[str, Any]:
    return {
        "ticks": {"sent": 4, "lost": 0, "doubled": 0, "age_ms": [2.0, 2.0, 2.0, 2.0]},
        "accepted_ms": [1.0, 3.0],
        "filled_ms": [4.0, 4.0],
        "stall_ms": 5.0,
        "lost_reply": {"verdict": "OrderFilled", "deals": 1},
    } | fields


THEIR_ANSWER = answer(
    ticks={"sent": 4, "lost": 3, "doubled": 1, "age_ms": [50.0]},
    filled_ms=[200.0],
    stall_ms=5_000.0,
    lost_reply={"verdict": "OrderRejected", "deals": 1},
)
FAST = {"ticks": {"sent": 4, "lost": 1, "doubled": 0, "age_ms": [5.0, 5.0, 5.0]}}


def test_both_stand_beside_each_other_with_their_ratio() -> None:
    found = {one.name: one for one in figures(answer(), THEIR_ANSWER, FAST, orders=2)}
    assert found["ticks lost: ours"].value == 0
    assert found[f"ticks lost: {THEIRS}"].value == 3
    assert found[f"ticks lost: {THEIRS} at 10 ms"].value == 1
    assert found[f"age of a tick that came, p50: {THEIRS} / ours"].value == 25.0
    assert found[f"submit_order to accepted, p50: {THEIRS} / ours"].value == 1.0
    assert found[f"submit_order to filled, p99: {THEIRS} / ours"].value == 50.0
    assert found[f"orders filled, of 2: {THEIRS}"].value == 1
    assert found[f"longest stall of the loop while a call hangs: {THEIRS} / ours"].value == 1_000.0
    assert found[f"lost reply: told as rejected (1 is yes): {THEIRS}"].value == 1.0
    assert all(one.holds for one in found.values())


@pytest.mark.parametrize(
    "fields",
    [
        {"ticks": {"sent": 4, "lost": 1, "doubled": 0, "age_ms": [2.0]}},
        {"ticks": {"sent": 4, "lost": 0, "doubled": 1, "age_ms": [2.0]}},
        {"lost_reply": {"verdict": "OrderRejected", "deals": 1}},
    ],
    ids=["lost", "doubled", "told as rejected"],
)
def test_what_must_never_happen_to_ours_misses_its_limit(fields: dict[str, Any]) -> None:
    found = figures(answer(**fields), THEIR_ANSWER, FAST, orders=2)
    assert sum(not one.holds for one in found) == 1


def test_what_did_not_happen_has_no_percentile_and_no_ratio() -> None:
    silent = answer(filled_ms=[], ticks={"sent": 4, "lost": 4, "doubled": 0, "age_ms": []})
    names = [one.name for one in figures(answer(), silent, FAST, orders=2)]
    assert "submit_order to filled, p50: ours" in names
    assert not [name for name in names if "filled, p" in name and THEIRS in name]
    assert f"age of a tick that came, p50: {THEIRS} / ours" not in names


def test_each_tick_has_a_bid_of_its_own_within_the_time() -> None:
    work = work_of(
        '{"adapter": "ours", "account": [1, "p", "s", "x"], "poll_ms": null, "tick_secs": 2.0, '
        '"ticks_per_sec": 50, "orders": 0, "hang_secs": 1.0}'
    )
    assert isinstance(work, Work) and work.account.login == 1
    rows = scheduled(10_000, work)
    assert len({round(float(bid), 5) for bid in rows["bid"]}) == len(rows) == 100
    assert rows["time_msc"].min() >= 10_500 and rows["time_msc"].max() < 12_500


def test_our_adapter_does_the_work_of_the_driver() -> None:
    said = drive(sys.executable, "ours", **TINY)
    assert (said["ticks"]["sent"], said["ticks"]["lost"], said["ticks"]["doubled"]) == (20, 0, 0)
    assert len(said["accepted_ms"]) == len(said["filled_ms"]) == 2
    assert said["lost_reply"] == {"verdict": "OrderFilled", "deals": 1}


@pytest.mark.skipif(
    not os.environ.get("MT5_PUBLISHED_PYTHON"),
    reason="MT5_PUBLISHED_PYTHON names no interpreter with mt5-connector (scripts/bench makes one)",
)
def test_published_adapter_does_the_same_work() -> None:
    python = str(Path(os.environ["MT5_PUBLISHED_PYTHON"]).absolute())
    said = drive(python, "published", **TINY)
    assert said["ticks"]["sent"] == 20
    assert len(said["filled_ms"]) == 2


def test_without_the_published_adapter_nothing_is_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MT5_PUBLISHED_PYTHON", raising=False)
    assert run() == []
    assert "not compared" in capsys.readouterr().out
