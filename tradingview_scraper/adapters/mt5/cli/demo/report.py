"""How does the demo look? One self-contained HTML page with prices, fills, equity, quality."""

from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tradingview_scraper.adapters.mt5.cli.demo.session import DemoResult, platform_name
from tradingview_scraper.adapters.mt5.cli.demo.view import percentiles

_BUY, _SELL, _LINE, _MUTED = "#1b7f4d", "#b3372f", "#2457a6", "#8a94a6"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>MT5 demo</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px;
        padding: 0 1rem; color: #1c2430; }}
h1 {{ font-size: 1.5rem; margin-bottom: .2rem }} h2 {{ font-size: 1.1rem; margin-top: 2rem }}
.verdict {{ padding: .6rem 1rem; border-radius: 6px; color: #fff; background: {colour} }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }}
th, td {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #e3e7ee }}
td.number, th.number {{ text-align: right }}
</style></head><body>
<h1>MetaTrader 5 demo</h1><p>{subtitle}</p><p class="verdict">{verdict}</p>
<h2>Prices, fills and equity</h2>{figure}
<h2>Latency</h2>{latency}{latencies}
<h2>Execution quality</h2>{quality}{qualities}
<h2>Fills</h2>{fills}
<h2>Comparison with the broker's books</h2>{checks}
</body></html>
"""


def write_report(result: DemoResult, folder: Path) -> Path:
    """Write ``report.html`` into `folder` (made when missing) and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "report.html"
    verdict = (
        f"The node and the broker's books agree: {len(result.fills)} fills, "
        f"{len(result.checks)} comparisons, everything closed."
        if result.agrees
        else "The node and the broker's books do NOT agree; see the comparison below."
    )
    page.write_text(
        _PAGE.format(
            colour=_BUY if result.agrees else _SELL,
            subtitle=escape(
                f"{', '.join(result.symbols)} for {result.seconds:g} s on {result.scenario}, "
                f"library {result.library}, {platform_name()}"
            ),
            verdict=escape(verdict),
            figure=_prices(result).to_html(
                full_html=False, include_plotlyjs=True, config={"displayModeBar": False}
            ),
            latency=_histograms(result).to_html(
                full_html=False, include_plotlyjs=False, config={"displayModeBar": False}
            ),
            latencies=_latency_table(result),
            quality=_quality_bars(result).to_html(
                full_html=False, include_plotlyjs=False, config={"displayModeBar": False}
            ),
            qualities=_quality_table(result),
            fills=_fill_table(result),
            checks=_check_table(result),
        ),
        encoding="utf-8",
    )
    return page


def _prices(result: DemoResult) -> go.Figure:
    rows = len(result.symbols) + 1
    titles = [*result.symbols, f"Equity ({result.books['account']['currency']})"]
    figure = make_subplots(
        rows=rows, cols=1, shared_xaxes=True, vertical_spacing=0.07, subplot_titles=titles
    )
    for row, symbol in enumerate(result.symbols, start=1):
        instrument = result.instruments[symbol]
        quotes = result.observed.quotes.get(instrument.id.value, [])
        times = _times([quote[0] for quote in quotes])
        for label, column, colour in (("ask", 2, _MUTED), ("bid", 1, _LINE)):
            figure.add_scatter(
                x=times,
                y=[quote[column] for quote in quotes],
                mode="lines",
                name=label,
                line={"color": colour, "width": 1.2, "shape": "hv"},
                legendgroup=label,
                showlegend=row == 1,
                row=row,
                col=1,
            )
        for side, marker, colour in (
            ("BUY", "triangle-up", _BUY),
            ("SELL", "triangle-down", _SELL),
        ):
            fills = [
                fill
                for fill in result.fills
                if fill.instrument_id == instrument.id and fill.order_side.name == side
            ]
            figure.add_scatter(
                x=_times([fill.ts_event for fill in fills]),
                y=[fill.last_px.as_double() for fill in fills],
                mode="markers",
                name=side.lower(),
                marker={"symbol": marker, "size": 12, "color": colour},
                text=[f"deal {fill.trade_id}, {fill.last_qty}" for fill in fills],
                legendgroup=side,
                showlegend=row == 1,
                row=row,
                col=1,
            )
        figure.update_yaxes(tickformat=f".{instrument.price_precision}f", row=row, col=1)
    figure.add_scatter(
        x=_times([sample[0] for sample in result.observed.equity]),
        y=[sample[1] for sample in result.observed.equity],
        mode="lines",
        name="equity",
        line={"color": _LINE, "width": 1.5},
        showlegend=False,
        row=rows,
        col=1,
    )
    # Not "99.99k": what a trade costs is in the last digits.
    figure.update_yaxes(tickformat=",.2f", row=rows, col=1)
    figure.update_layout(
        height=230 * rows,
        margin={"l": 70, "r": 20, "t": 40, "b": 30},
        template="plotly_white",
        hovermode="x unified",
    )
    return figure


def _histograms(result: DemoResult) -> go.Figure:
    figure = make_subplots(
        rows=1,
        cols=2,
        subplot_titles=["tick at the terminal to on_quote_tick", "submit_order to OrderFilled"],
    )
    for column, samples in (
        (1, result.observed.tick_latency_ns),
        (2, result.observed.fill_latency_ns),
    ):
        figure.add_histogram(
            x=[value / 1e6 for value in samples],
            nbinsx=40,
            marker_color=_LINE,
            showlegend=False,
            row=1,
            col=column,
        )
        figure.update_xaxes(title_text="ms", row=1, col=column)
    figure.update_layout(height=260, margin={"l": 50, "r": 20, "t": 40, "b": 40}, bargap=0.05)
    figure.update_layout(template="plotly_white")
    return figure


def _latency_table(result: DemoResult) -> str:
    rows = []
    for path, samples in (
        ("tick at the terminal to on_quote_tick", result.observed.tick_latency_ns),
        ("submit_order to OrderFilled", result.observed.fill_latency_ns),
    ):
        figures = percentiles(samples) or {"p50": 0.0, "p99": 0.0, "max": 0.0}
        rows.append([path, str(len(samples)), *(f"{value:.2f} ms" for value in figures.values())])
    return _table(["path", "samples", "p50", "p99", "max"], rows, numbers_from=1)


def _quality_bars(result: DemoResult) -> go.Figure:
    """Median time of an order, at the broker and in the adapter."""
    figure = go.Figure()
    timed = [row for row in result.quality if row["broker_ms"] is not None]
    for name, key, colour in (
        ("at the broker", "broker_ms", _MUTED),
        ("in the adapter", "adapter_ms", _LINE),
    ):
        figure.add_bar(
            y=[f"{row['symbol']} {row['order_type']}" for row in timed],
            x=[row[key]["p50"] for row in timed],
            name=name,
            orientation="h",
            marker_color=colour,
        )
    figure.update_layout(
        barmode="stack",
        height=120 + 40 * len(timed),
        margin={"l": 130, "r": 20, "t": 20, "b": 40},
        template="plotly_white",
    )
    figure.update_xaxes(title_text="ms, median")
    return figure


def _quality_table(result: DemoResult) -> str:
    def figure(row: dict[str, Any], group: str, name: str) -> str:
        return "-" if row[group] is None else f"{row[group][name]:.2f}"

    rows = [
        [
            row["symbol"],
            row["order_type"],
            str(row["sent"]),
            str(row["rejected"]),
            str(row["requotes"]),
            str(row["fills"]),
            figure(row, "slippage_points", "mean"),
            figure(row, "slippage_points", "max"),
            figure(row, "spread_points", "mean"),
            figure(row, "broker_ms", "p50"),
            figure(row, "adapter_ms", "p50"),
        ]
        for row in result.quality
    ]
    headings = [
        "symbol",
        "order type",
        "sent",
        "rejected",
        "requotes",
        "fills",
        "slippage, points (cost > 0)",
        "worst",
        "spread, points",
        "broker, ms",
        "adapter, ms",
    ]
    return _table(headings, rows, numbers_from=2)


def _fill_table(result: DemoResult) -> str:
    rows = [
        [
            fill.trade_id.value,
            fill.instrument_id.value,
            fill.order_side.name,
            f"{fill.last_qty.as_decimal():,}",
            str(fill.last_px),
            fill.commission.to_formatted_str(),
        ]
        for fill in result.fills
    ]
    headings = ["deal", "instrument", "side", "quantity", "price", "commission"]
    return _table(headings, rows, numbers_from=3)


def _check_table(result: DemoResult) -> str:
    rows = [
        [check.subject, check.node, check.books, "yes" if check.agrees else "NO"]
        for check in sorted(result.checks, key=lambda check: check.agrees)
    ]
    return _table(["subject", "node", "books", "agrees"], rows, numbers_from=9)


def _table(headings: list[str], rows: list[list[str]], *, numbers_from: int) -> str:
    def cells(tag: str, texts: list[str]) -> str:
        return "".join(
            f"<{tag}{' class=number' if place >= numbers_from else ''}>{escape(text)}</{tag}>"
            for place, text in enumerate(texts)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', headings)}</tr></thead><tbody>{body}</tbody></table>"


def _times(nanoseconds: list[int]) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
    return np.asarray(nanoseconds, dtype="datetime64[ns]")
