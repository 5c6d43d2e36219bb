"""May programs trade here, and if not, which switch forbids it, and where is it? Pure.

The chain goes from the terminal's button to the symbol; every link must allow trading [vendor].
"""

from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.terminal.constants import SymbolTradeMode
from tradingview_scraper.adapters.mt5.terminal.records import (
    AccountInfo,
    SymbolInfo,
    TerminalInfo,
)


class Finding(NamedTuple):
    """Something that forbids or restricts trading by programs."""

    #: The library's field, e.g. ``terminal_info.trade_allowed``.
    switch: str
    #: What it means.
    what: str
    #: Where it is set.
    where: str
    #: What to do.
    remedy: str
    #: Every order of a program is refused. False: only some are.
    forbids: bool = True

    def __str__(self) -> str:
        return f"{self.what} ({self.switch}; {self.where}): {self.remedy}"


def terminal_findings(terminal: TerminalInfo) -> list[Finding]:
    """Switches of the terminal that are against programs that trade."""
    found = []
    if not terminal.trade_allowed:
        found.append(
            Finding(
                "terminal_info.trade_allowed",
                "automated trading is switched off in the terminal",
                "the terminal's toolbar, or Tools > Options > Expert Advisors",
                "press the 'Algo Trading' button (Ctrl+E), so that it is green",
            )
        )
    if terminal.tradeapi_disabled:
        found.append(
            Finding(
                "terminal_info.tradeapi_disabled",
                "trading through the Python library is switched off in the terminal",
                "the terminal's Tools > Options > Expert Advisors",
                "clear 'Disable algorithmic trading via external Python API'",
            )
        )
    return found


def account_findings(account: AccountInfo) -> list[Finding]:
    """Rights that the account does not have at the server."""
    found = []
    if not account.trade_allowed:
        found.append(
            Finding(
                "account_info.trade_allowed",
                f"account {account.login} may look and not trade",
                "the password of the log-in, or the broker's server",
                "log in with the master password, not the investor's; if it was the master "
                "password, the broker has disabled the account: ask the broker",
            )
        )
    if not account.trade_expert:
        found.append(
            Finding(
                "account_info.trade_expert",
                f"the server takes no orders of programs for account {account.login}",
                "the broker's server",
                "ask the broker to allow expert advisors on the account, or take another type",
            )
        )
    return found


def symbol_findings(info: SymbolInfo) -> list[Finding]:
    """What the server does not allow on a symbol; closing may still be possible."""
    if info.trade_mode == SymbolTradeMode.FULL:
        return []
    what, forbids = _MODES.get(
        info.trade_mode, (f"has the unknown trade mode {info.trade_mode}", False)
    )
    return [
        Finding(
            "symbol_info.trade_mode",
            f"{info.name} {what}",
            "the broker's server; Market Watch > Specification shows it as 'Trade'",
            "trade another symbol (the broker may have one with a suffix), or ask the broker",
            forbids,
        )
    ]


_MODES: Final[dict[int, tuple[str, bool]]] = {
    SymbolTradeMode.DISABLED: ("cannot be traded", True),
    SymbolTradeMode.LONGONLY: ("can only be bought", False),
    SymbolTradeMode.SHORTONLY: ("can only be sold", False),
    SymbolTradeMode.CLOSEONLY: ("can only be closed", False),
}
