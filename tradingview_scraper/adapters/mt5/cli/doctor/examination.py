"""What does the doctor look at, and in which order? Everything is read, nothing is sent."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from tradingview_scraper.adapters.mt5.archive.periods import DAY_SECS
from tradingview_scraper.adapters.mt5.cli.doctor.findings import (
    Finding,
    Verdict,
    of_account,
    of_clock,
    of_permissions,
    of_symbol,
    of_terminal,
)
from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.rules.suggestions import did_you_mean
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, ResultCode, Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError, MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

#: Symbols of Market Watch that are looked at when none are named.
_DEFAULT_SYMBOLS: Final = 5
#: The clock is judged by ticks that come within so many looks, a quarter of a second apart.
_LOOKS: Final = 12
_LOOK_SECS: Final = 0.25
_SAMPLES: Final = 50
_SLOW_MS: Final = 100.0


class Examination(NamedTuple):
    """What was found. Latencies are milliseconds of a call from here and back, by function."""

    findings: list[Finding]
    latency_ms: dict[str, dict[str, float]]
    symbols: list[SymbolInfo]


async def examine(client: MT5Client, words: Sequence[str]) -> Examination:
    """Look at everything; sends nothing. Raises `MT5Error` when the terminal goes away."""
    version = await client.version()
    findings = [
        Finding(
            "library",
            Verdict.OK,
            f"{client.config.module} speaks with build {version[1]} of {version[2]}",
        )
    ]
    terminal, account = await client.terminal_info(), await client.account_info()
    findings += of_terminal(terminal) + of_account(account) + of_permissions(terminal, account)
    symbols, missing = await _symbols(client, words)
    findings += missing
    findings += [of_symbol(info) for info in symbols]
    if symbols:
        findings.append(of_clock(await _offsets(client, symbols), str(client.zone)))
    for info in symbols:
        findings.append(await _history(client, info.name))
    latency = await _latency(client, symbols[0].name if symbols else None)
    for function, figures in latency.items():
        slow = figures["p99"] > _SLOW_MS
        findings.append(
            Finding(
                f"latency {function}",
                Verdict.NOTE if slow else Verdict.OK,
                f"p50 {figures['p50']:.2f} ms, p99 {figures['p99']:.2f} ms, "
                f"max {figures['max']:.2f} ms",
                "the machine is busy, or the terminal is: close charts, give it more cores"
                if slow
                else "",
            )
        )
    return Examination(findings, latency, symbols)


async def _symbols(
    client: MT5Client, words: Sequence[str]
) -> tuple[list[SymbolInfo], list[Finding]]:
    if not words:
        watched = [info for info in await client.symbols_get() if info.select]
        return watched[:_DEFAULT_SYMBOLS], []
    found, missing = [], []
    for word in words:
        try:
            if not await client.symbol_select(word, True):
                missing.append(_unwatched(word))
            found.append(await client.symbol_info(word))
        except MT5CallError as error:
            if error.code != ResultCode.E_NOT_FOUND:
                raise
            names = [info.name for info in await client.symbols_get()]
            missing.append(
                Finding(
                    f"symbol {word}",
                    Verdict.FAIL,
                    "the broker has no such symbol",
                    did_you_mean(word, names),
                )
            )
    return found, missing


def _unwatched(symbol: str) -> Finding:
    return Finding(
        f"symbol {symbol}",
        Verdict.FAIL,
        "the terminal does not add it to Market Watch",
        "add it by hand, or hide others: Market Watch has a limit",
    )


async def _offsets(client: MT5Client, symbols: list[SymbolInfo]) -> list[tuple[str, float]]:
    """Server time, by the zone rule, minus this machine's, of ticks that came meanwhile."""
    before: dict[str, int] = {}
    found: dict[str, float] = {}
    for look in range(_LOOKS):
        if look:
            await asyncio.sleep(_LOOK_SECS)
        for info in symbols:
            try:
                tick = await client.symbol_info_tick(info.name)
            except MT5CallError:
                continue
            if info.name in before and tick.time_msc != before[info.name]:
                found[info.name] = client.zone.utc_ns(tick.time_msc) / 1e9 - time.time()
            before[info.name] = tick.time_msc
        if len(found) >= min(2, len(symbols)):
            break
    return list(found.items())


async def _history(client: MT5Client, symbol: str) -> Finding:
    subject = f"history {symbol}"
    try:
        minutes = await client.copy_rates_from_pos(symbol, Timeframe.M1, 0, 100)
        days = await client.copy_rates_from_pos(symbol, Timeframe.D1, 0, 100)
        last = int(minutes["time"][-1]) if len(minutes) else 0
        since = max(1, last - DAY_SECS // 24)
        ticks = await client.copy_ticks_range(symbol, since, last + 60, int(CopyTicks.ALL))
    except MT5Error as error:
        return Finding(
            subject,
            Verdict.FAIL,
            str(error),
            "open its chart and wait until it is full, then try again: the terminal downloads it",
        )
    said = (
        f"{len(minutes)} of 100 minutes, {len(days)} of 100 days, {len(ticks):,} ticks in an hour"
    )
    ready = len(minutes) and len(days) and len(ticks)
    return Finding(
        subject,
        Verdict.OK if ready else Verdict.NOTE,
        said,
        "" if ready else "open its chart: the terminal downloads what is missing",
    )


async def _latency(client: MT5Client, symbol: str | None) -> dict[str, dict[str, float]]:
    calls: dict[str, tuple[Any, ...]] = {"account_info": (), "positions_get": (), "orders_get": ()}
    if symbol is not None:
        calls |= {
            "symbol_info_tick": (symbol,),
            "symbol_info": (symbol,),
            "copy_rates_from_pos": (symbol, int(Timeframe.M1), 0, 100),
        }
    figures = {}
    for function, arguments in calls.items():
        samples = []
        for _ in range(_SAMPLES):
            started = time.perf_counter()
            try:
                await asyncio.wrap_future(client.submit(function, *arguments))
            except MT5CallError:
                break
            samples.append((time.perf_counter() - started) * 1000)
        if samples:
            p50, p99, most = np.percentile(samples, [50, 99, 100])
            figures[function] = {"p50": float(p50), "p99": float(p99), "max": float(most)}
    return figures
