"""What do the library's numbers mean? Its constants by name, and those that it forgets.

Names and values are those of MetaTrader5 5.0.6231. `LIBRARY_CONSTANTS` gives them back under the
library's own spelling; a test compares it with a recording of the real library.
"""

from enum import IntEnum, IntFlag
from typing import Final


class Timeframe(IntEnum):
    """Bar sizes: minutes as they are, hours | 0x4000, a week | 0x8000, a month | 0xC000."""

    M1 = 1
    M2 = 2
    M3 = 3
    M4 = 4
    M5 = 5
    M6 = 6
    M10 = 10
    M12 = 12
    M15 = 15
    M20 = 20
    M30 = 30
    H1 = 0x4001
    H2 = 0x4002
    H3 = 0x4003
    H4 = 0x4004
    H6 = 0x4006
    H8 = 0x4008
    H12 = 0x400C
    D1 = 0x4018
    W1 = 0x8001
    MN1 = 0xC001


class CopyTicks(IntEnum):
    """Which ticks ``copy_ticks_*`` returns."""

    ALL = -1
    INFO = 1
    TRADE = 2


class TickFlag(IntFlag):
    """What a tick changed. Terminals set further, undocumented bits: mask with `TICK_FLAGS`."""

    BID = 2
    ASK = 4
    LAST = 8
    VOLUME = 16
    BUY = 32
    SELL = 64


class TradeAction(IntEnum):
    """What a trade request asks for."""

    DEAL = 1
    PENDING = 5
    SLTP = 6
    MODIFY = 7
    REMOVE = 8
    CLOSE_BY = 10


class OrderType(IntEnum):
    """Direction and kind of an order."""

    BUY = 0
    SELL = 1
    BUY_LIMIT = 2
    SELL_LIMIT = 3
    BUY_STOP = 4
    SELL_STOP = 5
    BUY_STOP_LIMIT = 6
    SELL_STOP_LIMIT = 7
    CLOSE_BY = 8


class OrderFilling(IntEnum):
    """How an order may be filled. Not the bits of `SymbolFilling`."""

    FOK = 0
    IOC = 1
    RETURN = 2
    BOC = 3


class OrderTime(IntEnum):
    """How long an order lives."""

    GTC = 0
    DAY = 1
    SPECIFIED = 2
    SPECIFIED_DAY = 3


class OrderState(IntEnum):
    """Where an order is in its life."""

    STARTED = 0
    PLACED = 1
    CANCELED = 2
    PARTIAL = 3
    FILLED = 4
    REJECTED = 5
    EXPIRED = 6
    REQUEST_ADD = 7
    REQUEST_MODIFY = 8
    REQUEST_CANCEL = 9


class OrderReason(IntEnum):
    """Who placed an order."""

    CLIENT = 0
    MOBILE = 1
    WEB = 2
    EXPERT = 3
    SL = 4
    TP = 5
    SO = 6


class PositionType(IntEnum):
    """Direction of a position."""

    BUY = 0
    SELL = 1


class PositionReason(IntEnum):
    """Who opened a position."""

    CLIENT = 0
    MOBILE = 1
    WEB = 2
    EXPERT = 3


class DealType(IntEnum):
    """Kind of a deal: a trade, or one of the balance operations."""

    BUY = 0
    SELL = 1
    BALANCE = 2
    CREDIT = 3
    CHARGE = 4
    CORRECTION = 5
    BONUS = 6
    COMMISSION = 7
    COMMISSION_DAILY = 8
    COMMISSION_MONTHLY = 9
    COMMISSION_AGENT_DAILY = 10
    COMMISSION_AGENT_MONTHLY = 11
    INTEREST = 12
    BUY_CANCELED = 13
    SELL_CANCELED = 14
    DIVIDEND = 15
    DIVIDEND_FRANKED = 16
    TAX = 17


class DealEntry(IntEnum):
    """What a deal did to its position."""

    IN = 0
    OUT = 1
    INOUT = 2
    OUT_BY = 3


class DealReason(IntEnum):
    """Why a deal was made."""

    CLIENT = 0
    MOBILE = 1
    WEB = 2
    EXPERT = 3
    SL = 4
    TP = 5
    SO = 6
    ROLLOVER = 7
    VMARGIN = 8
    SPLIT = 9


class BookType(IntEnum):
    """Side and kind of an entry in the depth of market."""

    SELL = 1
    BUY = 2
    SELL_MARKET = 3
    BUY_MARKET = 4


class TradeRetcode(IntEnum):
    """The trade server's answer to a request."""

    REQUOTE = 10004
    REJECT = 10006
    CANCEL = 10007
    PLACED = 10008
    DONE = 10009
    DONE_PARTIAL = 10010
    ERROR = 10011
    TIMEOUT = 10012
    INVALID = 10013
    INVALID_VOLUME = 10014
    INVALID_PRICE = 10015
    INVALID_STOPS = 10016
    TRADE_DISABLED = 10017
    MARKET_CLOSED = 10018
    NO_MONEY = 10019
    PRICE_CHANGED = 10020
    PRICE_OFF = 10021
    INVALID_EXPIRATION = 10022
    ORDER_CHANGED = 10023
    TOO_MANY_REQUESTS = 10024
    NO_CHANGES = 10025
    SERVER_DISABLES_AT = 10026
    CLIENT_DISABLES_AT = 10027
    LOCKED = 10028
    FROZEN = 10029
    INVALID_FILL = 10030
    CONNECTION = 10031
    ONLY_REAL = 10032
    LIMIT_ORDERS = 10033
    LIMIT_VOLUME = 10034
    INVALID_ORDER = 10035
    POSITION_CLOSED = 10036
    INVALID_CLOSE_VOLUME = 10038
    CLOSE_ORDER_EXIST = 10039
    LIMIT_POSITIONS = 10040
    REJECT_CANCEL = 10041
    LONG_ONLY = 10042
    SHORT_ONLY = 10043
    CLOSE_ONLY = 10044
    FIFO_CLOSE = 10045
    HEDGE_PROHIBITED = 10046  #: forgotten by the library


class AccountTradeMode(IntEnum):
    """Whether money is at stake."""

    DEMO = 0
    CONTEST = 1
    REAL = 2


class AccountMarginMode(IntEnum):
    """How positions and margin are kept."""

    RETAIL_NETTING = 0
    EXCHANGE = 1
    RETAIL_HEDGING = 2


class AccountStopoutMode(IntEnum):
    """Unit of the stop-out levels."""

    PERCENT = 0
    MONEY = 1


class SymbolCalcMode(IntEnum):
    """How margin and profit of a symbol are calculated."""

    FOREX = 0
    FUTURES = 1
    CFD = 2
    CFDINDEX = 3
    CFDLEVERAGE = 4
    FOREX_NO_LEVERAGE = 5
    EXCH_STOCKS = 32
    EXCH_FUTURES = 33
    EXCH_OPTIONS = 34
    EXCH_OPTIONS_MARGIN = 36
    EXCH_BONDS = 37
    EXCH_STOCKS_MOEX = 38
    EXCH_BONDS_MOEX = 39
    SERV_COLLATERAL = 64


class SymbolChartMode(IntEnum):
    """Which price the bars of a symbol are built from."""

    BID = 0
    LAST = 1


class SymbolTradeMode(IntEnum):
    """What may be traded on a symbol."""

    DISABLED = 0
    LONGONLY = 1
    SHORTONLY = 2
    CLOSEONLY = 3
    FULL = 4


class SymbolTradeExecution(IntEnum):
    """How orders on a symbol are executed."""

    REQUEST = 0
    INSTANT = 1
    MARKET = 2
    EXCHANGE = 3


class SymbolSwapMode(IntEnum):
    """Unit of a symbol's swap."""

    DISABLED = 0
    POINTS = 1
    CURRENCY_SYMBOL = 2
    CURRENCY_MARGIN = 3
    CURRENCY_DEPOSIT = 4
    INTEREST_CURRENT = 5
    INTEREST_OPEN = 6
    REOPEN_CURRENT = 7
    REOPEN_BID = 8


class SymbolOrders(IntEnum):
    """How long GTC orders of a symbol really live (``order_gtc_mode``)."""

    GTC = 0
    DAILY = 1
    DAILY_NO_STOPS = 2


class SymbolOptionMode(IntEnum):
    """Style of an option."""

    EUROPEAN = 0
    AMERICAN = 1


class SymbolOptionRight(IntEnum):
    """Right of an option."""

    CALL = 0
    PUT = 1


class DayOfWeek(IntEnum):
    """Days as the terminal counts them."""

    SUNDAY = 0
    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6


class ResultCode(IntEnum):
    """Codes of ``last_error``: what became of a call to the library, not of a trade."""

    S_OK = 1
    E_FAIL = -1
    E_INVALID_PARAMS = -2
    E_NO_MEMORY = -3
    E_NOT_FOUND = -4
    E_INVALID_VERSION = -5
    E_AUTH_FAILED = -6
    E_UNSUPPORTED = -7
    E_AUTO_TRADING_DISABLED = -8
    E_INTERNAL_FAIL = -10000
    E_INTERNAL_FAIL_SEND = -10001
    E_INTERNAL_FAIL_RECEIVE = -10002
    E_INTERNAL_FAIL_INIT = -10003
    E_INTERNAL_FAIL_CONNECT = -10004
    E_INTERNAL_FAIL_TIMEOUT = -10005


class SymbolFilling(IntFlag):
    """Bits of ``filling_mode`` of a symbol; forgotten by the library. Not `OrderFilling`."""

    FOK = 1
    IOC = 2
    BOC = 4


class SymbolExpiration(IntFlag):
    """Bits ``1 << OrderTime`` of ``expiration_mode`` of a symbol; forgotten by the library."""

    GTC = 1
    DAY = 2
    SPECIFIED = 4
    SPECIFIED_DAY = 8


class SymbolOrderMode(IntFlag):
    """Bits of ``order_mode`` of a symbol; forgotten by the library."""

    MARKET = 1
    LIMIT = 2
    STOP = 4
    STOP_LIMIT = 8
    SL = 16
    TP = 32
    CLOSEBY = 64


#: The documented tick flags; other bits are set by real terminals and mean nothing that is known.
TICK_FLAGS: Final = 0x7E

#: A B3 option reports this calculation mode, though the library calls 34 the exchange options.
CALC_MODE_EXCH_OPTIONS_REPORTED: Final = 35

_PREFIXES: Final[dict[type[IntEnum] | type[IntFlag], str]] = {
    Timeframe: "TIMEFRAME_",
    CopyTicks: "COPY_TICKS_",
    TickFlag: "TICK_FLAG_",
    TradeAction: "TRADE_ACTION_",
    OrderType: "ORDER_TYPE_",
    OrderFilling: "ORDER_FILLING_",
    OrderTime: "ORDER_TIME_",
    OrderState: "ORDER_STATE_",
    OrderReason: "ORDER_REASON_",
    PositionType: "POSITION_TYPE_",
    PositionReason: "POSITION_REASON_",
    DealType: "DEAL_TYPE_",
    DealEntry: "DEAL_ENTRY_",
    DealReason: "DEAL_REASON_",
    BookType: "BOOK_TYPE_",
    TradeRetcode: "TRADE_RETCODE_",
    AccountTradeMode: "ACCOUNT_TRADE_MODE_",
    AccountMarginMode: "ACCOUNT_MARGIN_MODE_",
    AccountStopoutMode: "ACCOUNT_STOPOUT_MODE_",
    SymbolCalcMode: "SYMBOL_CALC_MODE_",
    SymbolChartMode: "SYMBOL_CHART_MODE_",
    SymbolTradeMode: "SYMBOL_TRADE_MODE_",
    SymbolTradeExecution: "SYMBOL_TRADE_EXECUTION_",
    SymbolSwapMode: "SYMBOL_SWAP_MODE_",
    SymbolOrders: "SYMBOL_ORDERS_",
    SymbolOptionMode: "SYMBOL_OPTION_MODE_",
    SymbolOptionRight: "SYMBOL_OPTION_RIGHT_",
    DayOfWeek: "DAY_OF_WEEK_",
    ResultCode: "RES_",
}

#: The same numbers under other spellings, and names that break the pattern of their group.
_SPELLED: Final = {
    "DEAL_TYPE_DIVIDEND": "DEAL_DIVIDEND",
    "DEAL_TYPE_DIVIDEND_FRANKED": "DEAL_DIVIDEND_FRANKED",
    "DEAL_TYPE_TAX": "DEAL_TAX",
}

_FORGOTTEN: Final = frozenset({"TRADE_RETCODE_HEDGE_PROHIBITED"})


def _library_constants() -> dict[str, int]:
    names: dict[str, int] = {}
    for group, prefix in _PREFIXES.items():
        for label, member in group.__members__.items():
            name = _SPELLED.get(prefix + label, prefix + label)
            if name not in _FORGOTTEN:
                names[name] = int(member)
    return names


#: Every constant of the library under its own name: ``{"ORDER_TYPE_BUY": 0, ...}``.
LIBRARY_CONSTANTS: Final = _library_constants()
