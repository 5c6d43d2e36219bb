"""What may a scenario say? Its tables, field by field, and what they become."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from tradingview_scraper.adapters.mt5.simulator.market.catalogue import PriceModel
from tradingview_scraper.adapters.mt5.terminal.constants import (
    AccountMarginMode,
    AccountStopoutMode,
    AccountTradeMode,
)
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

MarginMode = Literal["netting", "exchange", "hedging"]
TradeMode = Literal["demo", "contest", "real"]
StopOutMode = Literal["percent", "money"]


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


_STOP_OUT_MODES: Final = {
    "percent": AccountStopoutMode.PERCENT,
    "money": AccountStopoutMode.MONEY,
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
    #: What the next two are: margin levels in ``percent``, or equities in the deposit currency.
    margin_so_mode: StopOutMode = "percent"
    #: Level at which the broker warns.
    margin_so_call: float = 50.0
    #: Level at which the broker closes positions; 0 is never.
    margin_so_so: float = 30.0
    #: False is an investor's log-in: looking, no trading.
    trade_allowed: bool = True
    #: False: the server refuses the requests of programs.
    trade_expert: bool = True

    @property
    def margin_so_mode_code(self) -> AccountStopoutMode:
        return _STOP_OUT_MODES[self.margin_so_mode]

    @property
    def margin_mode_code(self) -> AccountMarginMode:
        return _MARGIN_MODES[self.margin_mode]

    @property
    def trade_mode_code(self) -> AccountTradeMode:
        return _TRADE_MODES[self.trade_mode]


class ClockSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The trade server's clock."""

    #: ``real`` follows this machine's clock, ``stepped`` stands still until it is advanced, and
    #: ``fast`` runs `factor` times as fast as this machine's.
    mode: Literal["real", "stepped", "fast"] = "real"
    #: UTC at which the clock starts, ``2025-03-10T12:00:00Z``. Not for ``real``. Left out: the 10th
    #: of March 2025 at noon when ``stepped``, now when ``fast``.
    start: datetime | None = None
    #: Seconds that pass in one of this machine's, 0.01 to 100,000. Only for ``fast``.
    factor: float = 1.0
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
    #: When the ticks of files happen: at their own times, or so that the first of all files is at
    #: the terminal's first start.
    replay: Literal["recorded", "start"] = "recorded"
    #: Rows of ``copy_ticks_*`` carry the undocumented flag bits that real history has: 0x80 on a
    #: changed bid, 0x400 on exchange symbols [recorded]. ``symbol_info_tick`` has none.
    flag_bits: bool = False
    #: The best level on each side of a book is one of market orders (types 3 and 4).
    book_market_orders: bool = False
    #: CFD symbols (calculation modes 2, 3, 4) show their tick value in the profit currency, as some
    #: servers do [recorded], and not in the account's.
    raw_tick_values: bool = False


class BrokerSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker's habits."""

    #: Milliseconds that the terminal holds back the answer to ``order_send``, at least.
    latency_ms: float = 0
    #: How much later it may be: the range of ``uniform``, the mean of ``exponential``, the median
    #: of ``lognormal`` (whose logarithm has the deviation 1). Drawn from the seed.
    latency_spread_ms: float = 0
    latency_law: Literal["uniform", "exponential", "lognormal"] = "exponential"
    #: How long a request may take. What would take longer is answered with 10012 then, and carried
    #: out all the same. 0: as long as it takes.
    timeout_ms: float = 0
    #: What a price outside of a request's deviation is answered with (Instant and Request
    #: execution): 10004 with the prices of now, 10020 or 10021.
    off_price: Literal["requote", "price_changed", "price_off"] = "requote"
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
    #: Requests that an account may send in a second; more are refused with 10024. 0: no limit.
    requests_per_second: int = 0
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
    #: Seconds of world time for which the first call for a symbol's ticks, or for the bars of a
    #: timeframe, finds them incomplete. 0: never.
    history_sync_secs: float = 0.0
    #: What calls get meanwhile: ``none`` (None, -1), or ``short`` (today's bars, 4,096 ticks).
    history_meanwhile: Literal["none", "short"] = "none"
    #: What bars get that are asked for outside of all data: ``empty``, or ``error`` (None, -1), as
    #: the documentation has it.
    outside_history: Literal["empty", "error"] = "empty"
    #: Clients that are served at once; ``initialize`` of a further one waits. 0: no limit.
    connections: int = 0
    #: Every call and every verb is written to ``journal.jsonl`` beside the books.
    journal: bool = False
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
    #: Traded on accounts with real money only; others get 10032.
    real_only: bool = False
    #: File of recorded ticks that the symbol has instead of synthetic ones.
    ticks: Path | None = None

    @property
    def name(self) -> str:
        return self.info.name


class FaultSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the timetable: a verb of `control`, which happens of itself."""

    #: Seconds of world time after the terminal's first start.
    at: float
    #: Name of the verb.
    do: str
    #: The verb's arguments: all other keys of the entry.
    arguments: dict[str, Any]


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
    #: What happens of itself.
    faults: tuple[FaultSpec, ...]
    #: Directory of the broker's books. None: kept in memory, gone with the terminal.
    books: Path | None
