"""How is the demo's result shown on a terminal, and as JSON?"""

from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tradingview_scraper.adapters.mt5.cli.demo.session import DemoResult


def print_result(result: DemoResult, console: Console, page: Path | None) -> None:
    """Tables of orders, fills, positions and the account; latencies; the verdict."""
    console.print(_orders(result))
    console.print(_fills(result))
    console.print(_positions(result))
    console.print(_account(result))
    console.print(_latencies(result))
    bad = [check for check in result.checks if not check.agrees]
    if bad:
        table = _table("What the node and the broker's books disagree on", "red")
        for heading in ("subject", "node", "books"):
            table.add_column(heading)
        for check in bad:
            table.add_row(check.subject, check.node, check.books)
        console.print(table)
    if page is not None:
        console.print(f"Report: {page}")
    if result.agrees:
        console.print(
            f"[green]OK[/green]: {len(result.fills)} fills and {len(result.positions)} positions "
            f"agree with the broker's books in {len(result.checks)} comparisons; all is closed."
        )
    elif not result.fills:
        console.print("[red]FAILED[/red]: nothing was traded.")
    else:
        console.print(f"[red]FAILED[/red]: {len(bad)} of {len(result.checks)} comparisons differ.")


def as_document(result: DemoResult, page: Path | None) -> dict[str, Any]:
    """The result for machines. Latencies in milliseconds, money in the account's currency."""
    account = result.books["account"]
    return {
        "ok": result.agrees,
        "scenario": result.scenario,
        "library": result.library,
        "seconds": result.seconds,
        "symbols": list(result.symbols),
        "ticks": sum(len(quotes) for quotes in result.observed.quotes.values()),
        "orders": len(result.orders),
        "fills": len(result.fills),
        "positions": len(result.positions),
        "comparisons": len(result.checks),
        "differences": [check._asdict() for check in result.checks if not check.agrees],
        "balance": account["balance"],
        "currency": account["currency"],
        "latency_ms": {
            "tick_to_strategy": percentiles(result.observed.tick_latency_ns),
            "submit_to_fill": percentiles(result.observed.fill_latency_ns),
        },
        "execution_quality": result.quality,
        "report": None if page is None else str(page),
    }


def percentiles(samples_ns: list[int]) -> dict[str, float] | None:
    """Median, 99th percentile and maximum in milliseconds; None without samples."""
    if not samples_ns:
        return None
    p50, p99, most = np.percentile(np.asarray(samples_ns) / 1e6, [50, 99, 100])
    return {"p50": round(p50, 3), "p99": round(p99, 3), "max": round(most, 3)}


def _orders(result: DemoResult) -> Table:
    table = _table("Orders")
    for heading in ("client order id", "ticket", "symbol", "side", "quantity", "status"):
        table.add_column(heading, justify="right" if heading == "quantity" else "left")
    for order in result.orders:
        ticket = order.venue_order_id.value if order.venue_order_id else "-"
        table.add_row(
            order.client_order_id.value,
            ticket,
            order.instrument_id.symbol.value,
            order.side.name,
            f"{order.quantity.as_decimal():,}",
            order.status.name,
        )
    return table


def _fills(result: DemoResult) -> Table:
    table = _table("Fills (each is one deal of the broker)")
    for heading in ("deal", "position", "symbol", "side", "quantity", "price", "commission"):
        right = heading in ("quantity", "price", "commission")
        table.add_column(heading, justify="right" if right else "left")
    for fill in result.fills:
        table.add_row(
            fill.trade_id.value,
            fill.position_id.value if fill.position_id else "-",
            fill.instrument_id.symbol.value,
            fill.order_side.name,
            f"{fill.last_qty.as_decimal():,}",
            str(fill.last_px),
            fill.commission.to_formatted_str(),
        )
    return table


def _positions(result: DemoResult) -> Table:
    table = _table("Positions")
    for heading in ("position", "symbol", "state", "opened at", "closed at", "realized"):
        right = heading in ("opened at", "closed at", "realized")
        table.add_column(heading, justify="right" if right else "left")
    for position in result.positions:
        digits = result.instruments[position.instrument_id.symbol.value].price_precision
        table.add_row(
            position.id.value,
            position.instrument_id.symbol.value,
            "closed" if position.is_closed else position.side.name,
            f"{position.avg_px_open:.{digits}f}",
            f"{position.avg_px_close:.{digits}f}" if position.avg_px_close else "-",
            position.realized_pnl.to_formatted_str() if position.realized_pnl else "-",
        )
    return table


def _account(result: DemoResult) -> Table:
    account = result.books["account"]
    table = _table("Account, by the broker's books")
    for heading in ("login", "server", "currency", "balance", "equity", "margin"):
        table.add_column(heading)
    table.add_row(
        str(account["login"]),
        account["server"],
        account["currency"],
        f"{account['balance']:,.2f}",
        f"{account['equity']:,.2f}",
        f"{account['margin']:,.2f}",
    )
    return table


def _latencies(result: DemoResult) -> Table:
    table = _table("Latency, milliseconds")
    for heading in ("path", "samples", "p50", "p99", "max"):
        table.add_column(heading, justify="left" if heading == "path" else "right")
    for path, samples in (
        ("tick at the terminal -> on_quote_tick", result.observed.tick_latency_ns),
        ("submit_order -> OrderFilled", result.observed.fill_latency_ns),
    ):
        figures = percentiles(samples)
        shown = [f"{figures[key]:.2f}" for key in ("p50", "p99", "max")] if figures else ["-"] * 3
        table.add_row(path, str(len(samples)), *shown)
    return table


def _table(title: str, style: str = "bold") -> Table:
    return Table(title=title, title_style=style, title_justify="left", box=SIMPLE_HEAD)
