"""``mt5 instruments``: how is it run, from the options to the exit status?"""

from pathlib import Path
from typing import Any

from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.instruments import Instrument
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tradingview_scraper.adapters.mt5.cli.answers import DONE, PARTLY, answered
from tradingview_scraper.adapters.mt5.cli.symbol_names import named_symbols
from tradingview_scraper.adapters.mt5.cli.terminal_options import (
    TerminalChoice,
    chosen_terminal,
    with_client,
)
from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.nautilus_v1.catalog import open_catalog, write_instrument
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import listing
from tradingview_scraper.adapters.mt5.rules.symbols import UnsupportedSymbol
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolTradeMode
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo


def run(
    symbols: tuple[str, ...],
    *,
    shown: str | None,
    catalog: Path | None,
    venue: str,
    terminal: TerminalChoice,
    as_json: bool,
) -> int:
    """List, show or write; 0 done, 1 some symbol cannot become an instrument, 2 could not run."""

    def work(console: Console) -> tuple[int, dict[str, Any]]:
        with chosen_terminal(terminal) as config:
            wanted = (shown,) if shown is not None else symbols
            found = with_client(config, lambda client: _look(client, wanted, venue, shown is None))
        if shown is not None:
            info, instrument, why = found[0]
            _print_one(console, info, instrument, why)
        else:
            _print_list(console, found)
        if catalog is not None:
            target = open_catalog(catalog)
            made = [one for _, one, _ in found if one is not None]
            new = sum(write_instrument(target, one) for one in made)
            console.print(f"Catalog {escape(str(catalog))}: {new} of {len(made)} were new")
        is_whole = all(instrument is not None for _, instrument, _ in found)
        return DONE if is_whole else PARTLY, {
            "ok": is_whole,
            "instruments": [
                {
                    "symbol": info.name,
                    "instrument_id": instrument.id.value if instrument is not None else None,
                    "type": type(instrument).__name__ if instrument is not None else None,
                    "refused": why or None,
                    "description": info.description,
                    **(_fields(info, instrument) if shown is not None else {}),
                }
                for info, instrument, why in found
            ],
        }

    return answered("instruments", as_json, work)


async def _look(
    client: MT5Client, words: tuple[str, ...], venue: str, may_search: bool
) -> list[tuple[SymbolInfo, Instrument | None, str]]:
    if not words:
        infos = sorted(await client.symbols_get(), key=lambda info: info.name)
    else:
        infos = await _search(client, words) if may_search else []
        infos = infos or await named_symbols(client, words)
    found: list[tuple[SymbolInfo, Instrument | None, str]] = []
    for info in infos:
        try:
            made = listing(
                info,
                venue=Venue(venue),
                leverage=client.account.leverage,
                zone=client.zone,
                ts_init=0,
            )
        except UnsupportedSymbol as error:
            found.append((info, None, str(error)))
        else:
            found.append((info, made.instrument, ""))
    return found


async def _search(client: MT5Client, words: tuple[str, ...]) -> list[SymbolInfo]:
    """Symbols with a plain word in their name, description or path, in any case."""
    plain = [word.lower() for word in words if not set(word) & set("*,!")]
    if len(plain) < len(words):
        return []
    return sorted(
        (
            info
            for info in await client.symbols_get()
            if any(
                word in f"{info.name}\n{info.description}\n{info.path}".lower() for word in plain
            )
        ),
        key=lambda info: info.name,
    )


def _print_list(console: Console, found: list[tuple[SymbolInfo, Instrument | None, str]]) -> None:
    table = Table(box=SIMPLE_HEAD, title=f"{len(found)} symbols", title_justify="left")
    for heading in ("symbol", "instrument", "type", "description", "trading"):
        table.add_column(heading)
    for info, instrument, why in found:
        table.add_row(
            escape(info.name),
            escape(instrument.id.value) if instrument is not None else "[red]none[/red]",
            type(instrument).__name__ if instrument is not None else escape(why),
            escape(info.description),
            SymbolTradeMode(info.trade_mode).name.lower(),
        )
    console.print(table)


def _print_one(console: Console, info: SymbolInfo, instrument: Instrument | None, why: str) -> None:
    broker = Table(box=SIMPLE_HEAD, title=f"{info.name}: what the broker says", show_header=False)
    for name, value in info._asdict().items():
        if value not in ("", 0, 0.0, False):
            broker.add_row(name, escape(str(value)))
    console.print(broker)
    if instrument is None:
        console.print(f"[red]No instrument:[/red] {escape(why)}")
        return
    made = Table(box=SIMPLE_HEAD, title="what Nautilus gets", show_header=False)
    for name, value in _instrument_fields(instrument).items():
        made.add_row(name, escape(str(value)))
    console.print(made)


def _fields(info: SymbolInfo, instrument: Instrument | None) -> dict[str, Any]:
    return {
        "symbol_info": info._asdict(),
        "instrument": None if instrument is None else _instrument_fields(instrument),
    }


def _instrument_fields(instrument: Instrument) -> dict[str, Any]:
    fields = type(instrument).to_dict(instrument)
    return {name: value for name, value in fields.items() if name != "info" and value is not None}
