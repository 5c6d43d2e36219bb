"""May an instrument be traded now? `InstrumentStatus` of a symbol's state, and its reason."""

from typing import NamedTuple

from nautilus_trader.model.enums import MarketStatusAction

from tradingview_scraper.adapters.mt5.client.watches import SymbolReading
from tradingview_scraper.adapters.mt5.rules.sessions import WeeklyHours
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolTradeMode


class Status(NamedTuple):
    """What an `InstrumentStatus` says, without its times."""

    action: MarketStatusAction
    reason: str
    is_trading: bool
    is_quoting: bool
    is_short_sell_restricted: bool = False


def status_of(
    reading: SymbolReading,
    *,
    link: str | None,
    age_secs: float,
    quiet_secs: float,
    hours: WeeklyHours | None,
    server_seconds: int,
) -> Status:
    """The status of a symbol, the worst thing first: no link, no symbol, trade mode, no quotes.

    `link` says why the quotes lane is down (None: it is up), `age_secs` how old the last quote is.
    `hours` are learned, and the reason says so.
    """
    info = reading.info
    if link is not None:
        return _unavailable(f"the terminal is not reached: {link}")
    if info is None:
        return _unavailable("the terminal does not have the symbol any more")
    if not reading.connected:
        return _unavailable("the terminal has lost its trade server")
    if info.trade_mode == SymbolTradeMode.DISABLED:
        return _unavailable("trade mode: disabled")
    is_quiet = reading.quiet if reading.quiet is not None else age_secs >= quiet_secs
    if is_quiet:
        silence = f"no quote for {quiet_secs:g} s or more"
        if hours is None:
            return Status(MarketStatusAction.PAUSE, f"{silence}; hours unknown", False, False)
        if hours.is_open(server_seconds):
            said = f"{silence}, though open at this hour (learned from {hours.weeks} weeks of bars)"
            return Status(MarketStatusAction.PAUSE, said, False, False)
        said = f"{silence}; closed at this hour (learned from {hours.weeks} weeks of bars)"
        return Status(MarketStatusAction.CLOSE, said, False, False)
    match info.trade_mode:
        case SymbolTradeMode.CLOSEONLY:
            return Status(MarketStatusAction.HALT, "trade mode: close only", False, True)
        case SymbolTradeMode.LONGONLY:
            return Status(MarketStatusAction.TRADING, "trade mode: long only", True, True, True)
        case SymbolTradeMode.SHORTONLY:
            return Status(MarketStatusAction.TRADING, "trade mode: short only", True, True)
    return Status(MarketStatusAction.TRADING, "trade mode: full", True, True)


def _unavailable(reason: str) -> Status:
    return Status(MarketStatusAction.NOT_AVAILABLE_FOR_TRADING, reason, False, False)
