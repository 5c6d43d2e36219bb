"""What travels between the library and a terminal? Frames, command numbers, messages, records.

A request is a frame ``u32 size, u32 command, payload``; its one answer repeats the command and its
payload is ``i32 status, body``. `size` counts the bytes behind itself. A negative status is the
error code of the call, and its body is empty. All layouts are [recorded] from the real library,
which accepts exactly these bytes. `SEND_RESULT` and `CHECK_RESULT` have no ``request``: the library
adds its own copy.
"""

import struct
from enum import IntEnum
from typing import Final

import numpy as np

from tradingview_scraper.adapters.mt5.simulator.layout import Layout, Message
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.records import (
    RATE_DTYPE,
    TICK_DTYPE,
    AccountInfo,
    BookInfo,
    OrderCheckResult,
    OrderSendResult,
    SymbolInfo,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
    TradeRequest,
)


class Command(IntEnum):
    """The number of a request. One function of the library may have several."""

    VERSION = 0x01
    HELLO = 0x04
    LOGIN = 0x05
    COPY_TICKS_FROM = 0x68
    COPY_TICKS_RANGE = 0x69
    COPY_RATES_FROM = 0x6A
    COPY_RATES_RANGE = 0x6B
    COPY_RATES_FROM_POS = 0x6C
    CONNECTION_STATE = 0x6D
    POSITIONS_TOTAL = 0x78
    POSITIONS = 0x79
    POSITIONS_OF_SYMBOL = 0x7A
    POSITION = 0x7B
    ORDERS_TOTAL = 0x82
    ORDERS = 0x83
    ORDERS_OF_SYMBOL = 0x84
    ORDER = 0x85
    HISTORY_ORDERS_TOTAL = 0x8C
    HISTORY_ORDERS = 0x8D
    HISTORY_ORDERS_OF_POSITION = 0x8E
    HISTORY_ORDER = 0x8F
    HISTORY_DEALS_TOTAL = 0x96
    HISTORY_DEALS = 0x97
    HISTORY_DEALS_OF_POSITION = 0x98
    HISTORY_DEAL = 0x99
    ORDER_CHECK = 0xA0
    ORDER_SEND = 0xA1
    ORDER_CALC_MARGIN = 0xA2
    ORDER_CALC_PROFIT = 0xA3
    SYMBOL_INFO = 0xAA
    SYMBOL_SELECT = 0xAB
    SYMBOL_INFO_TICK = 0xAC
    SYMBOLS_TOTAL = 0xAD
    SYMBOLS = 0xAE
    SYMBOLS_OF_GROUP = 0xAF
    TERMINAL_INFO = 0xB4
    ACCOUNT_INFO = 0xBE
    MARKET_BOOK_ADD = 0xBF
    MARKET_BOOK_RELEASE = 0xC0
    MARKET_BOOK_GET = 0xC1


class State(IntEnum):
    """What `Command.CONNECTION_STATE` answers: anything else means "not yet"."""

    CONNECTING = 0
    CONNECTED = 2
    REJECTED = 3


class Status(IntEnum):
    """The status of an answer: success, or why the call failed."""

    OK = 1
    CALL_FAILED = -1
    INVALID_PARAMS = -2
    OUT_OF_MEMORY = -3
    NOT_FOUND = -4
    INCOMPATIBLE = -5
    NOT_AUTHORIZED = -6
    UNSUPPORTED = -7
    TRADE_API_DISABLED = -8


#: The payload of every request. `ORDER_CHECK` and `ORDER_SEND` carry a `REQUEST` instead.
REQUESTS: Final = {
    command: Message(declaration)
    for declaration, commands in {
        "": (
            Command.CONNECTION_STATE,
            Command.POSITIONS_TOTAL,
            Command.POSITIONS,
            Command.ORDERS_TOTAL,
            Command.ORDERS,
            Command.SYMBOLS_TOTAL,
            Command.SYMBOLS,
            Command.TERMINAL_INFO,
            Command.ACCOUNT_INFO,
        ),
        "u32": (Command.VERSION,),
        "u32 text": (Command.HELLO,),
        "u32 u64 text text": (Command.LOGIN,),
        "text i64 i32 i32": (Command.COPY_TICKS_FROM,),
        "text i64 i64 i32": (Command.COPY_TICKS_RANGE,),
        "text i32 i64 i32": (Command.COPY_RATES_FROM,),
        "text i32 i64 i64": (Command.COPY_RATES_RANGE,),
        "text i32 i32 i32": (Command.COPY_RATES_FROM_POS,),
        "i64 i64": (
            Command.HISTORY_ORDERS_TOTAL,
            Command.HISTORY_ORDERS,
            Command.HISTORY_DEALS_TOTAL,
            Command.HISTORY_DEALS,
        ),
        "u64": (
            Command.POSITION,
            Command.ORDER,
            Command.HISTORY_ORDER,
            Command.HISTORY_ORDERS_OF_POSITION,
            Command.HISTORY_DEAL,
            Command.HISTORY_DEALS_OF_POSITION,
        ),
        "u32 text f64 f64": (Command.ORDER_CALC_MARGIN,),
        "u32 text f64 f64 f64": (Command.ORDER_CALC_PROFIT,),
        "text u8": (Command.SYMBOL_SELECT,),
        "text": (
            Command.POSITIONS_OF_SYMBOL,
            Command.ORDERS_OF_SYMBOL,
            Command.SYMBOL_INFO,
            Command.SYMBOL_INFO_TICK,
            Command.SYMBOLS_OF_GROUP,
            Command.MARKET_BOOK_ADD,
            Command.MARKET_BOOK_RELEASE,
            Command.MARKET_BOOK_GET,
        ),
    }.items()
    for command in commands
}

#: Bodies of answers that are no records: a total, an amount of money, ``version``.
TOTAL: Final = Message("u32")
MONEY: Final = Message("f64")
VERSION: Final = Message("u32 u32 text")

TICK: Final = Layout(
    Tick,
    "time i64, bid f64, ask f64, last f64, volume u64, time_msc i64, flags u32, volume_real f64",
    size=60,
)
BOOK: Final = Layout(BookInfo, "type u32, price f64, volume u64, volume_dbl f64", size=28)
POSITION: Final = Layout(
    TradePosition,
    "ticket u64, time i64, time_msc i64, time_update i64, time_update_msc i64, type u32, magic u64,"
    "identifier u64, reason u32, volume f64, price_open f64, sl f64, tp f64, price_current f64,"
    "pad8, swap f64, profit f64, symbol w32, comment w32, external_id w32",
    size=320,
)
ORDER: Final = Layout(
    TradeOrder,
    "ticket u64, time_setup i64, time_setup_msc i64, time_done i64, time_done_msc i64,"
    "time_expiration i64, type u32, type_time u32, type_filling u32, state u32, magic u64,"
    "position_id u64, position_by_id u64, reason u32, volume_initial f64, volume_current f64,"
    "price_open f64, sl f64, tp f64, price_current f64, price_stoplimit f64, symbol w32,"
    "comment w32, external_id w32",
    size=340,
)
DEAL: Final = Layout(
    TradeDeal,
    "ticket u64, order u64, time i64, time_msc i64, type u32, entry u32, magic u64,"
    "position_id u64, reason u32, volume f64, price f64, commission f64, swap f64, profit f64,"
    "fee f64, symbol w32, comment w32, external_id w32",
    size=300,
)
REQUEST: Final = Layout(
    TradeRequest,
    "action u32, magic u64, order u64, symbol w32, volume f64, price f64, stoplimit f64, sl f64,"
    "tp f64, deviation u64, type u32, type_filling u32, type_time u32, expiration i64, comment w32,"
    "position u64, position_by u64",
    size=232,
)
CHECK_RESULT: Final = Layout(
    OrderCheckResult,
    "retcode u32, balance f64, equity f64, profit f64, margin f64, margin_free f64,"
    "margin_level f64, comment w100",
    size=252,
)
SEND_RESULT: Final = Layout(
    OrderSendResult,
    "retcode u32, deal u64, order u64, volume f64, price f64, bid f64, ask f64, comment w100,"
    "request_id u32, retcode_external i32",
    size=260,
)
TERMINAL_INFO: Final = Layout(
    TerminalInfo,
    "build u32, community_account u8, community_connection u8, connected u8, dlls_allowed u8,"
    "trade_allowed u8, email_enabled u8, ftp_enabled u8, notifications_enabled u8, maxbars u32,"
    "mqid u8, codepage i32, ping_last i32, community_balance f64, retransmission f64, company w260,"
    "name w260, language w260, path w260, data_path w260, commondata_path w260,"
    "tradeapi_disabled u8",
    size=3162,
)
ACCOUNT_INFO: Final = Layout(
    AccountInfo,
    "login u64, trade_mode u32, leverage u32, limit_orders u32, margin_so_mode u32,"
    "trade_allowed u8, trade_expert u8, margin_mode u32, currency_digits u32, fifo_close u8,"
    "balance f64, credit f64, profit f64, equity f64, margin f64, margin_free f64,"
    "margin_level f64, margin_so_call f64, margin_so_so f64, margin_initial f64,"
    "margin_maintenance f64, assets f64, liabilities f64, commission_blocked f64, name w128,"
    "server w64, currency w32, company w128",
    size=851,
)
SYMBOL_INFO: Final = Layout(
    SymbolInfo,
    "custom u8, chart_mode u32, select u8, visible u8, session_deals u64, session_buy_orders u64,"
    "session_sell_orders u64, volume u64, volumehigh u64, volumelow u64, time i64, digits u32,"
    "spread i32, spread_float u8, ticks_bookdepth u32, trade_calc_mode u32, trade_mode u32,"
    "start_time i64, expiration_time i64, trade_stops_level i32, trade_freeze_level i32,"
    "trade_exemode u32, swap_mode u32, swap_rollover3days u32, margin_hedged_use_leg u8,"
    "expiration_mode i32, filling_mode i32, order_mode i32, order_gtc_mode u32, option_mode u32,"
    "option_right u32, bid f64, bidhigh f64, bidlow f64, ask f64, askhigh f64, asklow f64,"
    "last f64, lasthigh f64, lastlow f64, volume_real f64, volumehigh_real f64,"
    "volumelow_real f64, option_strike f64, point f64, trade_tick_value f64,"
    "trade_tick_value_profit f64, trade_tick_value_loss f64, trade_tick_size f64,"
    "trade_contract_size f64, trade_accrued_interest f64, trade_face_value f64,"
    "trade_liquidity_rate f64, volume_min f64, volume_max f64, volume_step f64, volume_limit f64,"
    "swap_long f64, swap_short f64, margin_initial f64, margin_maintenance f64,"
    "session_volume f64, session_turnover f64, session_interest f64,"
    "session_buy_orders_volume f64, session_sell_orders_volume f64, session_open f64,"
    "session_close f64, session_aw f64, session_price_settlement f64, session_price_limit_min f64,"
    "session_price_limit_max f64, margin_hedged f64, price_change f64, price_volatility f64,"
    "price_theoretical f64, price_greeks_delta f64, price_greeks_theta f64,"
    "price_greeks_gamma f64, price_greeks_vega f64, price_greeks_rho f64, price_greeks_omega f64,"
    "price_sensitivity f64, basis w32, category w64, currency_base w16, currency_profit w16,"
    "currency_margin w16, bank w256, description w64, exchange w64, formula w256, isin w16,"
    "page w256, path w128, name w32",
    size=2993,
)

#: Ticks and bars travel as their arrays' own bytes, behind a count.
ROW_SIZE: Final = TICK_DTYPE.itemsize
if RATE_DTYPE.itemsize != ROW_SIZE or TICK.size != ROW_SIZE:
    raise AssertionError(f"rows of ticks and bars must be {TICK.size} bytes")

#: Bytes of the size in front of every frame.
SIZE_BYTES: Final = 4
_SIZE: Final = struct.Struct("<I")
_REQUEST_HEAD: Final = struct.Struct("<II")
_ANSWER_HEAD: Final = struct.Struct("<IIi")
_ANSWER_START: Final = struct.Struct("<Ii")


def request(command: int, payload: bytes) -> bytes:
    """A request as the library sends it."""
    return _REQUEST_HEAD.pack(4 + len(payload), command) + payload


def request_of(command: Command, *values: object) -> bytes:
    """A request with the values of its payload, as `REQUESTS` has them."""
    return request(command, REQUESTS[command].encode(*values))


def answer(command: int, status: int, body: bytes = b"") -> bytes:
    """An answer as the terminal sends it."""
    return _ANSWER_HEAD.pack(8 + len(body), command, status) + body


def is_success(answer: bytes) -> bool:
    """Whether an answer says that the call succeeded."""
    return bool(_ANSWER_HEAD.unpack_from(answer)[2] >= 0)


def frame_size(data: bytes | bytearray | memoryview) -> int | None:
    """Bytes of the first frame in `data`, its size included; None while even that is missing."""
    return _SIZE.unpack_from(data)[0] + SIZE_BYTES if len(data) >= SIZE_BYTES else None


def content_size(size: bytes | bytearray | memoryview) -> int:
    """Bytes that follow the size of a frame."""
    return int(_SIZE.unpack(size)[0])


def split_request(frame: bytes | memoryview) -> tuple[int, bytes]:
    """Command and payload of a whole request frame; ``(0, b"")`` when it has no command."""
    if len(frame) < _REQUEST_HEAD.size:
        return 0, b""
    return _REQUEST_HEAD.unpack_from(frame)[1], bytes(frame[_REQUEST_HEAD.size :])


def split_answer(content: bytes | bytearray | memoryview) -> tuple[int, int, memoryview] | None:
    """Command, status and body of an answer without its size; None when it is too short."""
    if len(content) < _ANSWER_START.size:
        return None
    command, status = _ANSWER_START.unpack_from(content)
    return command, status, memoryview(content)[_ANSWER_START.size :]


def encode_rows(rows: Rows) -> bytes:
    """Ticks or bars (`TICK_DTYPE`, `RATE_DTYPE`) behind their count."""
    if rows.dtype != TICK_DTYPE and rows.dtype != RATE_DTYPE:
        raise TypeError(f"rows must be ticks or bars, were {rows.dtype}")
    # As plain bytes: numpy copies records one by one, which takes ten times as long.
    plain = np.ascontiguousarray(rows).view(np.uint8)
    return b"".join((_SIZE.pack(len(rows)), plain.data))
