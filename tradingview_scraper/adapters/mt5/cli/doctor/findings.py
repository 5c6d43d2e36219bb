"""What do the terminal's answers mean for somebody who wants to trade? A verdict and a remedy."""

import sys
from enum import StrEnum
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.rules.symbols import UnsupportedSymbol, sizing
from tradingview_scraper.adapters.mt5.terminal.constants import (
    AccountMarginMode,
    AccountTradeMode,
    ResultCode,
    SymbolFilling,
    SymbolTradeExecution,
    SymbolTradeMode,
)
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5AttachTimeout,
    MT5ConnectionError,
    MT5Error,
    MT5IdentityError,
    MT5LibraryMissing,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    SymbolInfo,
    TerminalInfo,
)

#: Symbols cannot be read by the library from older terminals [vendor].
_OLDEST_BUILD: Final = 2364
_FEW_BARS: Final = 50_000
_SLOW_PING_MS: Final = 200.0


class Verdict(StrEnum):
    """How a finding stands."""

    OK = "ok"
    #: It works, and there is something to know.
    NOTE = "note"
    #: It does not work; the remedy says what to do.
    FAIL = "fail"
    #: It could not be looked at.
    SKIP = "skip"


class Finding(NamedTuple):
    """One line: what was looked at, how it stands, and what mends it."""

    subject: str
    verdict: Verdict
    said: str
    remedy: str = ""


def of_no_terminal(error: MT5Error, platform: str = sys.platform) -> Finding:
    """Why no terminal is attached, and what to do on this operating system."""
    try_here = "to try everything without one: mt5 doctor --simulator demo-hedging"
    if isinstance(error, MT5LibraryMissing):
        if platform == "win32":
            return Finding("library", Verdict.FAIL, str(error), "pip install MetaTrader5==5.0.6231")
        name = {"linux": "Linux", "darwin": "macOS"}.get(platform, platform)
        return Finding(
            "library",
            Verdict.FAIL,
            f"the MetaTrader5 library exists for Windows only, this is {name}",
            f"run this on Windows (a VPS does), or in a Windows Python under Wine; {try_here}",
        )
    if isinstance(error, MT5IdentityError):
        return Finding(
            "account",
            Verdict.FAIL,
            str(error),
            "log the terminal in to that account, or correct --login and --server",
        )
    code = error.code if isinstance(error, MT5ConnectionError) else 0
    remedies = {
        ResultCode.E_INTERNAL_FAIL_INIT: "install the broker's MetaTrader 5 terminal, or pass "
        "--path with its terminal64.exe; it must run as the same Windows user as this program",
        ResultCode.E_INTERNAL_FAIL_TIMEOUT: "open the terminal and see that it is logged in and "
        "connected (bottom right), and that no dialog is open",
        ResultCode.E_AUTH_FAILED: "check login and server, and the password in MT5_PASSWORD",
        ResultCode.E_UNSUPPORTED: "log in by hand once: one-time passwords and certificates cannot "
        "be passed by a program",
    }
    remedy = remedies.get(ResultCode(code)) if code in ResultCode.__members__.values() else None
    if isinstance(error, MT5AttachTimeout):
        remedy = "close dialogs in the terminal; if it is updating, wait; then try again"
    return Finding("terminal", Verdict.FAIL, str(error), f"{remedy or 'start it'}; {try_here}")


def of_terminal(terminal: TerminalInfo) -> list[Finding]:
    """The program and its link to the broker."""
    old = terminal.build < _OLDEST_BUILD
    ping_ms = terminal.ping_last / 1000
    return [
        Finding(
            "terminal",
            Verdict.FAIL if old else Verdict.OK,
            f"{terminal.name}, build {terminal.build}, {terminal.path}",
            f"update the terminal: the library needs build {_OLDEST_BUILD}" if old else "",
        ),
        Finding("link", Verdict.OK, "connected to the broker")
        if terminal.connected
        else Finding(
            "link",
            Verdict.FAIL,
            "not connected to the broker: what it shows is old",
            "check the network, and the server in the terminal's log-in dialog",
        ),
        Finding(
            "ping",
            Verdict.OK if ping_ms < _SLOW_PING_MS else Verdict.NOTE,
            f"{ping_ms:.0f} ms to the broker",
            "" if ping_ms < _SLOW_PING_MS else "a VPS near the broker's server is faster",
        ),
        Finding(
            "bars",
            Verdict.OK if terminal.maxbars >= _FEW_BARS else Verdict.NOTE,
            f"at most {terminal.maxbars:,} bars in a chart",
            ""
            if terminal.maxbars >= _FEW_BARS
            else "Options, Charts, Max bars in chart: more, then restart the terminal",
        ),
    ]


def of_account(account: AccountInfo) -> list[Finding]:
    """Who is logged in, and on which terms."""
    modes = {mode.value: mode.name.lower() for mode in AccountMarginMode}
    oms = "HEDGING" if account.margin_mode == AccountMarginMode.RETAIL_HEDGING else "NETTING"
    is_real = account.trade_mode == AccountTradeMode.REAL
    return [
        Finding(
            "account",
            Verdict.OK if account.login else Verdict.FAIL,
            f"{account.login} at {account.server} ({account.company})"
            if account.login
            else "nobody is logged in",
            "" if account.login else "log in: File, Login to Trade Account",
        ),
        Finding(
            "money",
            Verdict.NOTE if is_real else Verdict.OK,
            "real money" if is_real else "no real money (demo or contest)",
            "a node trades it only with allow_real_account=True" if is_real else "",
        ),
        Finding(
            "terms",
            Verdict.OK,
            f"{account.currency}, 1:{account.leverage}, "
            f"{modes.get(account.margin_mode, account.margin_mode)}: oms_type={oms!r}",
        ),
    ]


def of_permissions(terminal: TerminalInfo, account: AccountInfo) -> list[Finding]:
    """The chain of switches that must all be on for a program to trade."""
    chain = (
        (
            "AutoTrading",
            terminal.trade_allowed,
            "the button is off",
            "press Algo Trading (Ctrl+E) in the terminal",
        ),
        (
            "Python API",
            not terminal.tradeapi_disabled,
            "trading through it is disabled",
            "Options, Expert Advisors: untick 'Disable automatic trading via external Python API'",
        ),
        (
            "log-in",
            account.trade_allowed,
            "may look, not trade (an investor's password, or the broker disabled it)",
            "log in with the master password, or ask the broker",
        ),
        (
            "programs",
            account.trade_expert,
            "the server refuses programs on this account",
            "ask the broker to allow expert advisors",
        ),
    )
    return [
        Finding(f"permission: {name}", Verdict.OK, "allowed")
        if allowed
        else Finding(f"permission: {name}", Verdict.FAIL, why, remedy)
        for name, allowed, why, remedy in chain
    ]


def of_symbol(info: SymbolInfo) -> Finding:
    """How a symbol is traded."""
    subject = f"symbol {info.name}"
    try:
        sizes = sizing(info)
    except UnsupportedSymbol as error:
        return Finding(subject, Verdict.FAIL, str(error), "it cannot be traded through Nautilus")
    execution = {mode.value: mode.name.lower() for mode in SymbolTradeExecution}
    filling = [mode.name for mode in SymbolFilling if mode.name and info.filling_mode & mode]
    said = (
        f"{sizes.kind.lower()}, {execution.get(info.trade_exemode, '?')} execution, "
        f"filling {'/'.join(filling) or 'none'}, {info.volume_min:g} to {info.volume_max:g} lots "
        f"of {info.trade_contract_size:g}, stops {info.trade_stops_level} points away"
    )
    if info.trade_mode != SymbolTradeMode.FULL:
        modes = {mode.value: mode.name for mode in SymbolTradeMode}
        return Finding(
            subject,
            Verdict.NOTE,
            f"trade mode {modes.get(info.trade_mode, info.trade_mode)}; {said}",
            "the broker takes only some orders, or none; another suffix may be the traded one",
        )
    return Finding(subject, Verdict.OK, said)


def of_clock(
    offsets: list[tuple[str, float]], zone: str, *, tolerance_secs: float = 60.0
) -> Finding:
    """The server's clock against the zone rule.

    `offsets` are, by symbol, seconds of ticks (converted by the rule) minus this machine's clock,
    of ticks that came while one looked: a stale tick is no evidence.
    """
    if not offsets:
        return Finding(
            "clock",
            Verdict.SKIP,
            f"no tick came, so the zone rule {zone} could not be tested",
            "try again while the market is open",
        )
    symbol, skew = min(offsets, key=lambda pair: abs(pair[1]))
    if abs(skew) <= tolerance_secs:
        return Finding(
            "clock", Verdict.OK, f"zone rule {zone} holds, {symbol} is {skew:+.1f} s off"
        )
    half_hours = round(skew / 1800) / 2
    if abs(skew - half_hours * 3600) > tolerance_secs:
        return Finding(
            "clock",
            Verdict.FAIL,
            f"{symbol} is {skew:+.0f} s from this machine's clock, which no zone explains",
            "set this machine's clock (Windows: Settings, Time, Sync now)",
        )
    return Finding(
        "clock",
        Verdict.FAIL,
        f"the server's clock is {half_hours:+g} h from the rule {zone}",
        f"set server_time_zone (--zone): its offset must be {half_hours:g} h larger; a UTC+n "
        "rule is right for today only, an IANA zone also for history",
    )
