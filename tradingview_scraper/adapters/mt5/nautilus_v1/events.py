"""What does a terminal tell that Nautilus has no type for? Custom data of this adapter.

>>> self.subscribe_data(DataType(MT5Gap), client_id=ClientId("MT5"))   # then: on_data
>>> self.msgbus.subscribe("data.MT5Alarm", self.on_alarm)
>>> self.msgbus.subscribe("data.MT5TerminalStatus", self.on_terminal_status)

All can be written to a `ParquetDataCatalog`, and read with ``catalog.query(MT5Gap)``. Gaps, alarms
and states come by themselves; account figures and swap rates are read for who subscribes to them.
"""

from enum import StrEnum

from nautilus_trader.core.data import Data
from nautilus_trader.model.custom import customdataclass
from nautilus_trader.model.identifiers import InstrumentId


@customdataclass
class MT5Gap(Data):
    """Ticks of `instrument_id` are missing from the stream: the terminal itself has lost them.

    They lie after `after_ns`, the last tick delivered, and up to `until_ns`, the first one after
    the gap, which follows this event (UNIX nanoseconds, UTC). `ts_event` is `until_ns`. What the
    terminal has of that time can be requested as history.
    """

    instrument_id: InstrumentId
    after_ns: int
    until_ns: int


class MT5AlarmKind(StrEnum):
    """What a person should look at. ``docs/operations.md`` says what to do about each."""

    #: `max_daily_loss` is reached: nothing is opened until the server's midnight.
    DAILY_LOSS = "DAILY_LOSS"
    #: The terminal is on another account than the expected one: nothing is sent or read.
    ACCOUNT_SWITCHED = "ACCOUNT_SWITCHED"
    #: The server's clock does not show what `server_time_zone` says: all times are wrong by hours.
    SERVER_CLOCK_WRONG = "SERVER_CLOCK_WRONG"
    #: A switch of the terminal or the account forbids programs to trade.
    TRADING_NOT_ALLOWED = "TRADING_NOT_ALLOWED"
    #: The account's margin level is at or below its margin call level.
    MARGIN_CALL = "MARGIN_CALL"
    #: The account's margin level is at or below its stop-out level.
    STOP_OUT = "STOP_OUT"
    #: A reduce-only order has opened a position: somebody else had closed its own in that moment.
    POSITION_OPENED_BY_REDUCING = "POSITION_OPENED_BY_REDUCING"
    #: A position that should have a stop loss at the server has none.
    STOP_LOSS_MISSING = "STOP_LOSS_MISSING"
    #: A missing stop loss was to be set again, and the venue has not taken it.
    STOP_LOSS_NOT_RESTORED = "STOP_LOSS_NOT_RESTORED"


@customdataclass
class MT5Alarm(Data):
    """Something that a person should look at, or, with `is_over`, that needs it no longer.

    Published on the message bus as ``data.MT5Alarm``, and logged.
    """

    #: A `MT5AlarmKind`.
    kind: str = ""
    #: What has happened, and what to do.
    text: str = ""
    #: What this kind was raised for has ended.
    is_over: bool = False
    #: The Nautilus account.
    account: str = ""
    #: The terminal's symbol; empty for what concerns the account.
    symbol: str = ""
    #: Identifier of the position; 0 for what concerns the account.
    position: int = 0
    #: What it is, and what it may be, in the unit that the text names.
    figure: float = 0.0
    limit: float = 0.0


@customdataclass
class MT5TerminalStatus(Data):
    """How the terminal, or one of its lanes, is from now on.

    Published on the message bus as ``data.MT5TerminalStatus`` when the first client of the
    terminal is connected, and at each change: once, whether a node has a data client on it, an
    execution client, or both. ``docs/operations.md`` says what each state means.
    """

    #: "trade", "quotes" or "history"; empty for the terminal as a whole.
    lane: str = ""
    #: A `State` of the client: starting, attached, degraded, lost, failed, refused, stopped.
    state: str = ""
    reason: str = ""
    #: What a person can do; empty where there is nothing to do, and for lanes.
    remedy: str = ""
    #: Whether orders are taken now.
    may_trade: bool = False
    #: The Nautilus account; empty where no execution client is connected.
    account: str = ""


@customdataclass
class MT5AccountFigures(Data):
    """How the account stands: at the subscription, and again when a figure has changed.

    While only prices move them, the figures are read every `account_poll_ms`. Money is in the
    account's `currency`, as the terminal counts it.
    """

    #: The Nautilus account.
    account: str = ""
    currency: str = ""
    balance: float = 0.0
    credit: float = 0.0
    #: Floating profit of the open positions.
    profit: float = 0.0
    equity: float = 0.0
    margin: float = 0.0
    margin_free: float = 0.0
    #: Equity / margin in per cent; 0 without margin.
    margin_level: float = 0.0
    #: Levels at which the broker warns, and at which the server closes positions by force: free
    #: margin in money where `levels_in_money`, else margin level in per cent.
    margin_call_level: float = 0.0
    stop_out_level: float = 0.0
    levels_in_money: bool = False
    #: "FREE", "MARGIN_CALL" or "STOP_OUT". A zone is left when the figure is 5 % above its level.
    margin_zone: str = ""


@customdataclass
class MT5SwapRates(Data):
    """What holding a position of `instrument_id` over a night gives (negative: costs).

    Published at the subscription, and again when the broker has changed them; looked at every
    `instrument_poll_secs`.
    """

    instrument_id: InstrumentId
    #: Per lot and night, in the unit that `mode` says.
    long: float = 0.0
    short: float = 0.0
    #: Name of a `SymbolSwapMode`: "POINTS", "CURRENCY_DEPOSIT", "INTEREST_CURRENT"...
    mode: str = ""
    #: Name of the `DayOfWeek` whose midnight counts three nights; empty: every night counts one.
    triple_day: str = ""
