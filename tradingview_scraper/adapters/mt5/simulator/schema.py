"""What may a scenario say? Its tables, field by field, and what they become."""

from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from tradingview_scraper.adapters.mt5.simulator.market.catalogue import PriceModel
from tradingview_scraper.adapters.mt5.terminal.constants import (
    AccountMarginMode,
    AccountTradeMode,
)
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

MarginMode = Literal["netting", "exchange", "hedging"]
TradeMode = Literal["demo", "contest", "real"]


_MARGIN_MODES: Final = {
    "netting": AccountMarginMode.RETAIL_NETTING,
    "exchange": AccountMarginMode.EXCHANGE,
    "hedging": AccountMarginMode.RETAIL_HEDGING,
}
_TRADE_MODES: Final = {
    "demo": AccountTradeMode.DEMO,
    "contest": AccountTradeMode.CONTEST,
    "real": AccountTradeMode.REAL,
}


class ScenarioError(MT5ConfigError):
    """A scenario that cannot work. The text names the file, the field and what was expected."""


class AccountSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account at the simulated broker."""

    #: Account number.
    login: int = 5_001_234
    #: Password that ``login`` and ``initialize`` must pass.
    password: str = "simulated"
    #: Name of the trade server.
    server: str = "Simulated-Demo"
    #: Deposit currency.
    currency: str = "USD"
    #: Decimals of the deposit currency.
    currency_digits: int = 2
    #: 100 means 1:100.
    leverage: int = 100
    #: First deposit, in `currency`.
    balance: float = 10_000.0
    #: Credit, in `currency`: counts for equity, cannot be lost by a deal.
    credit: float = 0.0
    #: How positions and margin are kept.
    margin_mode: MarginMode = "hedging"
    #: Whether money is at stake.
    trade_mode: TradeMode = "demo"
    #: Name of the broker.
    company: str = "Simulated Markets Ltd"
    #: Name of the account's owner.
    name: str = "Simulated Trader"
    #: Largest number of pending orders; 0 is no limit.
    limit_orders: int = 200
    #: Largest number of open positions; 0 is no limit. The library does not show it.
    limit_positions: int = 0
    #: Positions of a symbol must be closed in the order of their opening (hedging accounts).
    fifo_close: bool = False
    #: Opposite positions in one symbol are refused (hedging accounts).
    hedge_prohibited: bool = False
    #: Margin level in per cent at which the broker warns.
    margin_so_call: float = 50.0
    #: Margin level in per cent at which the broker closes positions.
    margin_so_so: float = 30.0
    #: False is an investor's log-in: looking, no trading.
    trade_allowed: bool = True
    #: False: the server refuses the requests of programs.
    trade_expert: bool = True

    @property
    def margin_mode_code(self) -> AccountMarginMode:
        return _MARGIN_MODES[self.margin_mode]

    @property
    def trade_mode_code(self) -> AccountTradeMode:
        return _TRADE_MODES[self.trade_mode]


class ClockSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The trade server's clock."""

    #: ``real`` follows this machine's clock, ``stepped`` stands still until it is advanced.
    mode: Literal["real", "stepped"] = "real"
    #: UTC at which a stepped clock starts, ``2025-03-10T12:00:00Z``. Only for ``stepped``.
    start: datetime | None = None
    #: Zone of the server's clock: ``Zone/Name``, ``Zone/Name+7h`` or ``UTC+2``.
    zone: str = "America/New_York+7h"


class PricesSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where prices come from."""

    #: Ticks are made from the seed. False: a symbol has only the ticks that were pushed.
    synthetic: bool = True
    #: Multiplies the number of ticks per second.
    rate: float = 1.0
    #: Multiplies how far prices move.
    volatility: float = 1.0
    #: Symbols also tick and trade outside their sessions, from the start of the terminal on (if it
    #: starts in a pause, from the beginning of that pause on). Earlier history keeps the sessions.
    always_open: bool = False
    #: First server day with synthetic history, ``YYYY-MM-DD``.
    history_from: str = "2020-01-01"


class BrokerSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker's habits."""

    #: Milliseconds that the terminal holds back the answer to ``order_send``.
    latency_ms: int = 0
    #: Charged per lot and side, in the deposit currency, on symbols of the FOREX calculation modes.
    commission_per_lot: float = 0.0
    #: Characters of a request's comment that the server keeps.
    comment_limit: int = 16
    #: Milliseconds after which a deal and its order appear in the history.
    deal_lag_ms: int = 0
    #: Points by which market orders fill worse than the quote.
    slippage_points: int = 0
    #: Points by which stop losses, take profits and stop orders fill worse than the touching tick.
    stop_slippage_points: int = 0
    #: Charged per deal, in the deposit currency, beside the commission.
    fee_per_deal: float = 0.0
    #: Lots that each tick offers on either side; 0 is without end.
    liquidity_lots: float = 0.0


class TerminalSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terminal program, as ``terminal_info`` and ``version`` show it."""

    build: int = 5_833
    released: str = "3 May 2026"
    company: str = "Simulated Markets Ltd"
    name: str = "Simulated MetaTrader 5"
    language: str = "English"
    #: Largest number of bars in one answer.
    maxbars: int = 100_000
    codepage: int = 0
    #: Microseconds to the trade server and back.
    ping_last: int = 12_000
    #: The link to the trade server is up.
    connected: bool = True
    #: The AutoTrading button.
    trade_allowed: bool = True
    #: Trading through the Python library is switched off in the options.
    tradeapi_disabled: bool = False
    dlls_allowed: bool = False
    community_account: bool = False
    community_connection: bool = False
    email_enabled: bool = False
    ftp_enabled: bool = False
    notifications_enabled: bool = False
    mqid: bool = False
    community_balance: float = 0.0
    retransmission: float = 0.0


class SymbolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol of the scenario, complete."""

    #: What never changes: the live fields (prices, volumes, times) are zero. `trade_tick_value` is
    #: in the profit currency.
    info: SymbolInfo
    #: Name of the catalogue's symbol: symbols that share it share one price path.
    like: str
    #: In Market Watch from the start.
    selected: bool
    #: How its prices move and when it trades.
    model: PriceModel
    #: Charged per lot and side in the deposit currency. None: what the broker charges.
    commission_per_lot: float | None

    @property
    def name(self) -> str:
        return self.info.name


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A whole world. Made by `load_scenario`."""

    #: Name of the built-in scenario or the path of the file; "" for a mapping.
    source: str
    seed: int
    #: The account that the terminal is on when it starts.
    account: AccountSpec
    #: Further accounts at the same broker.
    accounts: tuple[AccountSpec, ...]
    clock: ClockSpec
    prices: PricesSpec
    broker: BrokerSpec
    terminal: TerminalSpec
    symbols: tuple[SymbolSpec, ...]
    #: Directory of the broker's books. None: kept in memory, gone with the terminal.
    books: Path | None
