"""How does a broker become a scenario? Its symbols, terms and habits, as far as they can be read.

Read: account terms, symbols with all their fields, trading hours of the last weeks, commission and
the length of comments in past deals, build, ping, zone. Not read, because only trading shows it:
latency of requests, slippage, the lag of deals.
"""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from tradingview_scraper.adapters.mt5.archive.names import folder_name
from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.rules.commissions import commission_per_lot
from tradingview_scraper.adapters.mt5.rules.trading_hours import trading_hours
from tradingview_scraper.adapters.mt5.simulator.scenario import ScenarioError, load_scenario
from tradingview_scraper.adapters.mt5.simulator.terminal.toml import to_toml
from tradingview_scraper.adapters.mt5.terminal.constants import (
    AccountMarginMode,
    AccountTradeMode,
    Timeframe,
)
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError, MT5ConfigError
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo, SymbolInfo, TradeDeal
from tradingview_scraper.adapters.mt5.worker.arguments import LAST_DATE

#: Three weeks of quarter-hours.
_BARS: Final = 3 * 7 * 96
_QUARTER: Final = 900
_HISTORY_SECS: Final = 90 * 86_400
#: The longest comment of a request that the library takes.
_LONGEST_COMMENT: Final = 31
_MARGIN_MODES: Final = {
    AccountMarginMode.RETAIL_NETTING: "netting",
    AccountMarginMode.EXCHANGE: "exchange",
    AccountMarginMode.RETAIL_HEDGING: "hedging",
}


class Twin(NamedTuple):
    """A scenario's tables but for its symbols, the symbols, what is said of each, what is not."""

    tables: dict[str, Any]
    symbols: list[SymbolInfo]
    habits: list[dict[str, Any]]
    left_out: list[str]


async def read_twin(client: MT5Client, symbols: list[SymbolInfo]) -> Twin:
    """Read what a twin of this broker needs. Raises `MT5Error`."""
    account = await client.account_info()
    terminal = await client.terminal_info()
    priced = [info for info in symbols if info.bid or info.last or info.ask or info.session_close]
    notes = [f"{info.name} has no price" for info in symbols if info not in priced]
    if not priced:
        raise MT5ConfigError("no symbol with a price: name some that are in Market Watch")
    priced += await _conversions(client, priced, account.currency)
    newest = max(info.time for info in priced)
    try:
        deals = await client.history_deals_get(max(1, newest - _HISTORY_SECS), LAST_DATE)
    except MT5CallError as error:
        deals = ()
        notes.append(f"past deals could not be read: {error}")
    charged = commission_per_lot(deals)
    habits: list[dict[str, Any]] = []
    for info in priced:
        said: dict[str, Any] = {"selected": True}
        bars = await client.copy_rates_from_pos(info.name, Timeframe.M15, 0, _BARS)
        hours = trading_hours(bars["time"], _QUARTER)
        if hours:
            said["sessions"] = hours
        if info.name in charged:
            said["commission_per_lot"] = charged[info.name]
        habits.append(said)
    tables = {
        "account": _account(account),
        "clock": {"mode": "real", "zone": str(client.zone)},
        "broker": {"comment_limit": _comment_limit(deals)},
        "terminal": {
            "build": terminal.build,
            "company": terminal.company,
            "maxbars": terminal.maxbars,
            "ping_last": terminal.ping_last,
        },
    }
    return Twin(tables, priced, habits, notes)


def write_twin(twin: Twin, file: Path) -> None:
    """Write a twin to `file`, its symbols beside it, and load it. Raises `MT5ConfigError`.

    The account's number, password and owner are not in it.
    """
    folder = file.with_suffix(".symbols")
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for info, habits in zip(twin.symbols, twin.habits, strict=True):
        saved = folder / f"{folder_name(info.name)}.json"
        saved.write_text(json.dumps(info._asdict(), indent=1), "utf-8")
        entries.append({"file": f"{folder.name}/{saved.name}", **habits})
    file.write_text(to_toml({"symbols": entries, **twin.tables}), "utf-8")
    try:
        load_scenario(str(file.resolve()))
    except ScenarioError as error:
        raise MT5ConfigError(f"the twin was written and does not load: {error}") from error


async def _conversions(
    client: MT5Client, symbols: list[SymbolInfo], currency: str
) -> list[SymbolInfo]:
    """Symbols that turn the money of `symbols` into the account's currency."""
    needed = {info.currency_profit for info in symbols} | {info.currency_margin for info in symbols}
    present = {(info.currency_base, info.currency_profit) for info in symbols}
    added: list[SymbolInfo] = []
    for other in sorted(needed - {currency, ""}):
        pairs = {(other, currency), (currency, other)}
        if pairs & present:
            continue
        for info in await client.symbols_get():
            if (info.currency_base, info.currency_profit) in pairs:
                await client.symbol_select(info.name, True)
                read = await client.symbol_info(info.name)
                if read.bid:
                    added.append(read)
                    break
    return added


def _account(account: AccountInfo) -> dict[str, Any]:
    is_real = account.trade_mode == AccountTradeMode.REAL
    return {
        "server": account.server,
        "company": account.company,
        "currency": account.currency,
        "currency_digits": account.currency_digits,
        "leverage": max(1, account.leverage),
        "balance": max(0.0, account.balance),
        "credit": max(0.0, account.credit),
        "margin_mode": _MARGIN_MODES.get(AccountMarginMode(account.margin_mode), "hedging"),
        "trade_mode": "real" if is_real else "demo",
        "limit_orders": account.limit_orders,
        "fifo_close": account.fifo_close,
        "margin_so_call": account.margin_so_call,
        "margin_so_so": account.margin_so_so,
    }


def _comment_limit(deals: tuple[TradeDeal, ...]) -> int:
    """The longest comment that a program's deal kept: servers cut the rest. 16 without any."""
    kept = [len(deal.comment) for deal in deals if deal.magic and not deal.comment.startswith("[")]
    longest = max(kept, default=0)
    return min(longest, _LONGEST_COMMENT) if longest else 16
