"""``mt5 paper``: how is it run, from the options to the exit status?"""

import asyncio
from pathlib import Path
from typing import Any

from nautilus_trader.model.identifiers import Venue
from rich.console import Console
from rich.markup import escape

from tradingview_scraper.adapters.mt5.archive.terms import Terms, terms_of
from tradingview_scraper.adapters.mt5.cli.answers import DONE, answered
from tradingview_scraper.adapters.mt5.cli.paper.session import PaperResult, run_paper
from tradingview_scraper.adapters.mt5.cli.strategies import load_strategy
from tradingview_scraper.adapters.mt5.cli.symbol_names import named_symbols
from tradingview_scraper.adapters.mt5.cli.terminal_options import (
    TerminalChoice,
    chosen_terminal,
    with_client,
)
from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.nautilus_v1.heap import frozen_heap
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import instrument_id
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError


def run(
    strategy: str,
    symbols: tuple[str, ...],
    *,
    config: Path | None,
    venue: str,
    balance: float,
    seconds: float | None,
    terminal: TerminalChoice,
    as_json: bool,
) -> int:
    """Run until the time is over or Ctrl-C; 0 when it ran, 2 when it could not."""

    def work(console: Console) -> tuple[int, dict[str, Any]]:
        if not symbols:
            raise MT5ConfigError("expected the symbols that the strategy trades")
        loaded = load_strategy(strategy, config)
        with chosen_terminal(terminal) as settings:
            names, terms = with_client(settings, lambda client: _known(client, symbols))
            console.print(
                "Paper: quotes of the terminal, fills of Nautilus' sandbox; "
                "no order reaches the broker. Ctrl-C ends it."
            )
            with frozen_heap():
                result = asyncio.run(
                    run_paper(
                        loaded,
                        settings,
                        terms,
                        [instrument_id(name, Venue(venue)) for name in names],
                        balance=balance,
                        seconds=seconds,
                    )
                )
        _print(console, result)
        return DONE, {
            "ok": True,
            "quotes": result.quotes,
            "orders": len(result.orders),
            "fills": len(result.fills),
            "open_positions": result.open_positions,
            "currency": result.currency,
            "balance_start": result.balance_start,
            "balance_end": result.balance_end,
        }

    return answered("paper", as_json, work)


async def _known(client: MT5Client, words: tuple[str, ...]) -> tuple[list[str], Terms]:
    infos = await named_symbols(client, words)
    return [info.name for info in infos], terms_of(client.account)


def _print(console: Console, result: PaperResult) -> None:
    for fill in result.fills:
        console.print(
            f"{escape(fill.instrument_id.value)} {fill.order_side.name} "
            f"{fill.last_qty.to_formatted_str()} at {fill.last_px}",
            soft_wrap=True,
        )
    change = result.balance_end - result.balance_start
    console.print(
        f"{result.quotes:,} quotes, {len(result.orders)} orders, {len(result.fills)} fills, "
        f"{result.open_positions} positions open; "
        f"balance {result.balance_end:,.2f} {result.currency} ({change:+,.2f}).",
        soft_wrap=True,
    )
    if not result.quotes:
        console.print("No quote came: is the market open, does the strategy subscribe to quotes?")
    elif not result.orders:
        console.print("The strategy sent no order.")
