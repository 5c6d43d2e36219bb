"""``mt5 flatten``: how is it asked, carried out and shown?"""

import asyncio
import json
import os
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from tradingview_scraper.adapters.mt5.cli.flatten.closing import Flattening, Left, Result
from tradingview_scraper.adapters.mt5.cli.flatten.plan import Selection
from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.constants import OrderType, PositionType
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError, MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import TradeOrder, TradePosition

#: Exit statuses.
FLAT, LEFT, NOT_RUN = 0, 1, 2


def run(
    config: MT5TerminalConfig,
    selection: Selection,
    *,
    deviation: int,
    seconds: float,
    is_dry: bool,
    is_agreed: bool,
    as_json: bool,
) -> int:
    """Flatten and show it; the exit status (0 nothing is left, 1 something is, 2 it did not run).

    The terminal's other users go on: the workers are this command's own.
    """
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    try:
        config = config.with_environment(os.environ)
        if config.login is None:
            raise MT5ConfigError("name the account: --login or MT5_LOGIN")
        return asyncio.run(
            _run(
                config,
                selection,
                console,
                deviation=deviation,
                seconds=seconds,
                is_dry=is_dry,
                is_agreed=is_agreed,
                as_json=as_json,
            )
        )
    except MT5Error as error:
        console.print("[red]Nothing was done:[/red]", str(error), markup=True)
        _write({"ok": False, "error": str(error)}, as_json)
        return NOT_RUN


async def _run(
    config: MT5TerminalConfig,
    selection: Selection,
    console: Console,
    *,
    deviation: int,
    seconds: float,
    is_dry: bool,
    is_agreed: bool,
    as_json: bool,
) -> int:
    client = MT5Client(config)
    await client.connect()
    try:
        positions = selection.positions(await client.positions_get())
        orders = selection.orders(await client.orders_get())
        account = client.account
        console.print(
            f"Account {account.login} at {account.server}: {len(positions)} positions to close, "
            f"{len(orders)} orders to cancel",
            markup=False,
        )
        _show(console, [*(Left(one, "") for one in positions), *(Left(one, "") for one in orders)])
        document: dict[str, Any] = {
            "login": account.login,
            "server": account.server,
            "found": {"positions": len(positions), "orders": len(orders)},
        }
        if is_dry:
            found = {
                "positions": [one._asdict() for one in positions],
                "orders": [one._asdict() for one in orders],
            }
            _write(
                {"ok": not positions and not orders, "dry_run": True, **document, **found}, as_json
            )
            return LEFT if positions or orders else FLAT
        if (positions or orders) and not is_agreed and not _asks(console):
            raise MT5ConfigError("not agreed to; --yes agrees without a question")
        flattening = Flattening(
            client,
            selection,
            deviation=deviation,
            tell=lambda text: console.print(text, markup=False),
        )
        result = await flattening.run(seconds)
    finally:
        await client.disconnect()
    _conclude(console, result)
    _write({"ok": result.is_flat, **document, **_as_document(result)}, as_json)
    return FLAT if result.is_flat else LEFT


def _asks(console: Console) -> bool:
    if not sys.stdin.isatty():
        return False
    return console.input("Close and cancel all of it? (yes/no) ").strip().lower() in ("y", "yes")


def _show(console: Console, found: list[Left]) -> None:
    if not found:
        return
    table = Table("ticket", "what", "symbol", "lots", "magic", "why it is left")
    for left in found:
        record = left.record
        what, lots = _words(record)
        table.add_row(str(record.ticket), what, record.symbol, lots, str(record.magic), left.reason)
    console.print(table)


def _words(record: TradePosition | TradeOrder) -> tuple[str, str]:
    if isinstance(record, TradePosition):
        return f"position {PositionType(record.type).name}", f"{record.volume:g}"
    return f"order {OrderType(record.type).name}", f"{record.volume_current:g}"


def _conclude(console: Console, result: Result) -> None:
    console.print(
        f"{len(result.deals)} closing deals, {len(result.cancelled)} orders cancelled",
        markup=False,
    )
    if result.is_flat:
        console.print("[green]Nothing is left[/green] (read again after the last request)")
        return
    if result.failure:
        console.print(f"Stopped: {result.failure}", style="red", markup=False)
    if not result.is_verified:
        console.print(
            "What is left is NOT KNOWN: look at the terminal itself", style="bold red", markup=False
        )
        return
    console.print("LEFT:", style="bold red", markup=False)
    _show(console, [*result.positions_left, *result.orders_left])


def _as_document(result: Result) -> dict[str, Any]:
    return {
        "verified": result.is_verified,
        "failure": result.failure,
        "closed": [
            {
                "position": deal.position_id,
                "deal": deal.ticket,
                "symbol": deal.symbol,
                "volume": deal.volume,
                "price": deal.price,
                "profit": deal.profit,
            }
            for deal in result.deals
        ],
        "cancelled": result.cancelled,
        "left": {
            "positions": [_left(left) for left in result.positions_left],
            "orders": [_left(left) for left in result.orders_left],
        },
    }


def _left(left: Left) -> dict[str, Any]:
    return {**left.record._asdict(), "reason": left.reason}


def _write(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()
