"""How is execution quality written for Prometheus? In its text format, version 0.0.4."""

from collections.abc import Callable, Mapping
from typing import Final

from tradingview_scraper.adapters.mt5.rules.execution_quality import (
    ExecutionQuality,
    Row,
    Samples,
)

type _Counts = Callable[[Row], Mapping[str, float]]

#: Name, help, the label that tells the counts of a row apart ("" where it is one), and the counts.
_COUNTERS: Final[tuple[tuple[str, str, str, _Counts], ...]] = (
    ("mt5_orders_sent_total", "Orders handed over.", "", lambda row: {"": row.sent}),
    (
        "mt5_orders_answered_total",
        "Answers by what they prove.",
        "outcome",
        lambda row: {str(outcome).lower(): count for outcome, count in row.outcomes.items()},
    ),
    (
        "mt5_orders_refused_total",
        "Answers that do not accept, by the server's code.",
        "retcode",
        lambda row: {str(code): count for code, count in sorted(row.refusals.items())},
    ),
    (
        "mt5_requotes_total",
        "Answers with another price, or none: 10004, 10020, 10021.",
        "",
        lambda row: {"": row.requotes},
    ),
    ("mt5_filled_lots_total", "Lots filled.", "", lambda row: {"": row.lots}),
    (
        "mt5_fills_total",
        "Deals, by their price against the one asked for.",
        "price",
        lambda row: {
            "better": row.better,
            "asked": row.at_price,
            "worse": row.worse,
            "unknown": row.fills - row.better - row.at_price - row.worse,
        },
    ),
)
_SUMMARIES: Final[tuple[tuple[str, str, float, Callable[[Row], Samples]], ...]] = (
    (
        "mt5_slippage_points",
        "Fill price against the price asked for, positive where it costs.",
        1.0,
        lambda row: row.slippage_points,
    ),
    (
        "mt5_spread_points",
        "Spread of the node's quote at the fill.",
        1.0,
        lambda row: row.spread_points,
    ),
    (
        "mt5_broker_seconds",
        "Time in the library's order_send: terminal and server.",
        1e-3,
        lambda row: row.broker_ms,
    ),
    (
        "mt5_adapter_seconds",
        "Time from handing an order over to its answer, less the library's call.",
        1e-3,
        lambda row: row.adapter_ms,
    ),
    (
        "mt5_fill_seconds",
        "Time from handing an order over to its fill, of orders executed at once.",
        1e-3,
        lambda row: row.fill_ms,
    ),
)


def metrics(quality: ExecutionQuality, account: str) -> str:
    """All figures of `quality`, labelled with `account`, `symbol` and `order_type`.

    Counters and sums count from the start of the node; quantiles are of the last samples. A group
    without samples has no lines.
    """
    rows = [
        ({"account": account, "symbol": symbol, "order_type": str(kind)}, row)
        for symbol, kind, row in quality.rows()
    ]
    lines: list[str] = []
    for name, text, label, counts in _COUNTERS:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} counter"]
        for labels, row in rows:
            for value, count in counts(row).items():
                own = {label: value} if label else {}
                lines.append(f"{name}{_labels(labels | own)} {count:.10g}")
    for name, text, scale, samples_of in _SUMMARIES:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} summary"]
        for labels, row in rows:
            samples = samples_of(row)
            if not samples.count:
                continue
            for percent in (50, 90, 99):
                own = {"quantile": f"{percent / 100:g}"}
                figure = samples.percentile(percent) * scale
                lines.append(f"{name}{_labels(labels | own)} {figure:.10g}")
            lines.append(f"{name}_sum{_labels(labels)} {samples.total * scale:.10g}")
            lines.append(f"{name}_count{_labels(labels)} {samples.count}")
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
