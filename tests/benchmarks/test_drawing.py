"""Is what a run has measured drawn as it is?"""

from benchmarks import drawing
from benchmarks.figures import Figure


def test_share_above_1_is_a_missed_limit_of_either_kind() -> None:
    figures = [
        Figure("age", 5.0, "ms", limit=10.0),
        Figure("age", 20.0, "ms", limit=10.0),
        Figure("pace", 2.0, "GB/s", limit=1.0, at_least=True),
        Figure("pace", 0.5, "GB/s", limit=1.0, at_least=True),
        Figure("lost", 0.0, "", limit=0.0),
        Figure("floor", 1.0, "ms"),
    ]
    shares = drawing.shares({"work": [figure._asdict() for figure in figures]})
    assert [share for _, share in shares] == [0.5, 2.0, 0.5, 2.0]
    held = [figure.holds for figure in figures if figure.limit]
    assert [share <= 1 for _, share in shares] == held


def test_only_what_differs_is_compared() -> None:
    figures = [
        Figure("lost: ours", 0, ""),
        Figure("lost: mt5-connector", 602, ""),
        Figure("lost: mt5-connector at 10 ms", 168, ""),
        Figure("doubled: ours", 0, ""),
        Figure("doubled: mt5-connector", 0, ""),
        Figure("age: ours", 5.5, "ms"),
        Figure("age: mt5-connector", 14.4, "ms"),
        Figure("age: mt5-connector / ours", 2.6, "x"),
        Figure("sent", 750, ""),
    ]
    assert drawing.pairs([figure._asdict() for figure in figures]) == [
        ("lost", [0, 602, 168]),
        ("age (ms)", [5.5, 14.4, None]),
    ]
