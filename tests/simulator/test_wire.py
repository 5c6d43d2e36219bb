"""Does the wire carry every field to its place and back?"""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.simulator import wire
from tradingview_scraper.adapters.mt5.simulator.layout import Layout, Message, WireError
from tradingview_scraper.adapters.mt5.simulator.wire import Command
from tradingview_scraper.adapters.mt5.terminal.records import (
    RATE_DTYPE,
    TICK_DTYPE,
    TerminalInfo,
    Tick,
    TradeOrder,
    TradePosition,
)

LAYOUTS = {
    name: value
    for name, value in vars(wire).items()
    if isinstance(value, Layout) and name.isupper()
}

#: Bytes of a record, and where some of its fields lie: those at joints, and the last one.
PLACES = {
    "TICK": (60, {"time_msc": 40, "flags": 48, "volume_real": 52}),
    "BOOK": (28, {"price": 4, "volume_dbl": 20}),
    "POSITION": (320, {"magic": 44, "price_current": 96, "swap": 112, "external_id": 256}),
    "ORDER": (340, {"state": 60, "reason": 88, "price_stoplimit": 140, "external_id": 276}),
    "DEAL": (300, {"order": 8, "entry": 36, "fee": 100, "external_id": 236}),
    "REQUEST": (232, {"magic": 4, "deviation": 124, "expiration": 144, "position_by": 224}),
    "CHECK_RESULT": (252, {"balance": 4, "margin_level": 44, "comment": 52}),
    "SEND_RESULT": (260, {"deal": 4, "comment": 52, "request_id": 252, "retcode_external": 256}),
    "TERMINAL_INFO": (3162, {"build": 0, "mqid": 16, "company": 41, "tradeapi_disabled": 3161}),
    "ACCOUNT_INFO": (851, {"fifo_close": 34, "balance": 35, "server": 403, "company": 595}),
    "SYMBOL_INFO": (2993, {"select": 5, "time": 55, "bid": 145, "basis": 561, "name": 2929}),
}

NUMBERS = {
    "u8": st.booleans(),
    "u32": st.integers(0, 2**32 - 1),
    "i32": st.integers(-(2**31), 2**31 - 1),
    "u64": st.integers(0, 2**64 - 1),
    "i64": st.integers(-(2**63), 2**63 - 1),
    "f64": st.floats(allow_nan=False),
}
CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


def values_of(layout):
    return st.tuples(
        *(
            st.text(CHARACTERS, max_size=(int(kind[1:]) - 1) // 2)
            if kind[0] == "w"
            else NUMBERS[kind]
            for kind in (layout.kinds[name] for name in layout.fields)
        )
    )


def zeros(layout):
    return ["" if kind[0] == "w" else 0 for kind in (layout.kinds[name] for name in layout.fields)]


def test_every_record_has_its_places():
    assert set(PLACES) == set(LAYOUTS)


@pytest.mark.parametrize("name", sorted(PLACES))
def test_record_has_its_size_and_every_field_its_place(name):
    size, places = PLACES[name]
    layout = LAYOUTS[name]
    empty = layout.encode(zeros(layout))
    assert len(empty) == size
    for field, offset in places.items():
        values = zeros(layout)
        at = layout.fields.index(field)
        values[at] = "x" if isinstance(values[at], str) else 1
        changed = layout.encode(values)
        first = next(at for at in range(size) if changed[at] != empty[at])
        assert first in range(offset, offset + 8)
        assert changed[:offset] == empty[:offset], f"{field} lies before {offset}"


@pytest.mark.parametrize("name", sorted(PLACES))
@given(data=st.data())
def test_record_comes_back_as_it_was(name, data):
    layout = LAYOUTS[name]
    values = data.draw(values_of(layout))
    assert layout.decode(layout.encode(values)) == values


def test_values_stand_in_the_order_of_the_record_not_of_the_wire():
    info = TerminalInfo(*[True] * 10, 5833, 100_000, 1252, 12_000, 1.5, 2.5, *"CNLPDM")
    raw = wire.TERMINAL_INFO.encode(info)
    assert struct.unpack_from("<I", raw)[0] == 5833
    decoded = TerminalInfo._make(wire.TERMINAL_INFO.decode(raw))
    assert decoded == info
    assert decoded.tradeapi_disabled is True


def test_a_flag_is_a_bool_again():
    raw = bytearray(wire.TERMINAL_INFO.encode(zeros(wire.TERMINAL_INFO)))
    raw[6] = 1
    decoded = TerminalInfo._make(wire.TERMINAL_INFO.decode(bytes(raw)))
    assert decoded.connected is True
    assert decoded.mqid is False


def test_what_stands_behind_the_end_of_a_text_is_not_read():
    layout = wire.ORDER
    raw = bytearray(layout.encode(zeros(layout)))
    raw[148:160] = "AB\0CDE".encode("utf-16-le")
    assert TradeOrder._make(layout.decode(bytes(raw))).symbol == "AB"


@given(st.text(CHARACTERS, min_size=32, max_size=60))
def test_a_text_too_long_is_cut_and_terminated_and_no_character_is_halved(text):
    values = zeros(wire.POSITION)
    values[TradePosition._fields.index("symbol")] = text
    raw = wire.POSITION.encode(values)
    assert raw[128 + 62 : 128 + 64] == b"\0\0"
    kept = TradePosition._make(wire.POSITION.decode(raw)).symbol
    assert text.startswith(kept)
    assert 30 <= len(kept.encode("utf-16-le")) // 2 <= 31


@pytest.mark.parametrize("size", [0, 59, 61])
def test_a_record_of_another_size_is_refused(size):
    with pytest.raises(WireError):
        wire.TICK.decode(bytes(size))


def test_a_list_must_hold_exactly_the_records_it_counts():
    tick = Tick(1, 1.1, 1.2, 0.0, 0, 1000, 6, 0.0)
    raw = wire.TICK.encode_many([tick, tick])
    assert wire.TICK.decode_many(raw) == [tick, tick]
    for wrong in (raw[:-1], raw + b"\0", raw[:-60], b"", b"\1\0"):
        with pytest.raises(WireError):
            wire.TICK.decode_many(wrong)


@pytest.mark.parametrize(
    ("command", "values", "payload"),
    [
        (Command.HELLO, (3, "Python"), "03000000 06000000 50007900740068006f006e00"),
        (
            Command.LOGIN,
            (0, 12345678901, "", "s"),
            "00000000 351cdcdf02000000 00000000 01000000 7300",
        ),
        (Command.POSITION, (101,), "6500000000000000"),
        (
            Command.COPY_TICKS_FROM,
            ("EURUSD", 1704067200000, 1, -1),
            "06000000 450055005200550053004400 00f451c28c010000 01000000 ffffffff",
        ),
        (
            Command.COPY_RATES_FROM,
            ("EURUSD", 1, 2**31 - 1, 1),
            "06000000 450055005200550053004400 01000000 ffffff7f00000000 01000000",
        ),
        (
            Command.ORDER_CALC_PROFIT,
            (0, "EURUSD", 1.0, 1.0, 2.0),
            "00000000 06000000 450055005200550053004400 000000000000f03f 000000000000f03f"
            "0000000000000040",
        ),
        (Command.SYMBOL_SELECT, ("EURUSD", True), "06000000 450055005200550053004400 01"),
        (Command.ACCOUNT_INFO, (), ""),
        (Command.VERSION, (0,), "00000000"),
    ],
)
def test_requests_are_the_bytes_that_the_library_sends(command, values, payload):
    message = wire.REQUESTS[command]
    assert message.encode(*values) == bytes.fromhex(payload)
    assert message.decode(bytes.fromhex(payload)) == values


def test_every_command_has_a_request():
    assert set(wire.REQUESTS) == set(Command) - {Command.ORDER_SEND, Command.ORDER_CHECK}


@given(st.lists(st.sampled_from(["text", *NUMBERS]), max_size=6), st.data())
def test_a_message_comes_back_as_it_was_and_no_other_size_passes(kinds, data):
    message = Message(" ".join(kinds))
    values = tuple(
        data.draw(st.text(CHARACTERS, max_size=8) if kind == "text" else NUMBERS[kind])
        for kind in kinds
    )
    raw = message.encode(*values)
    assert message.decode(raw) == values
    with pytest.raises(WireError):
        message.decode(raw + b"\0")
    if raw:
        with pytest.raises(WireError):
            message.decode(raw[:-1])


def test_a_frame_counts_the_bytes_behind_its_size():
    assert wire.request(Command.ACCOUNT_INFO, b"") == bytes.fromhex("04000000 be000000")
    frame = wire.answer(Command.ORDERS_TOTAL, 1, wire.TOTAL.encode(3))
    assert frame == bytes.fromhex("0c000000 82000000 01000000 03000000")
    assert wire.frame_size(frame) == len(frame)
    assert wire.frame_size(frame[:3]) is None
    answer = wire.split_answer(frame[4:])
    assert answer is not None
    assert (answer[0], answer[1], bytes(answer[2])) == (Command.ORDERS_TOTAL, 1, b"\3\0\0\0")
    assert wire.split_answer(frame[4:11]) is None


def test_a_failure_needs_no_body():
    assert wire.answer(Command.SYMBOL_INFO, -4) == bytes.fromhex("08000000 aa000000 fcffffff")


def test_rows_travel_as_their_own_bytes():
    rows = np.zeros(2, TICK_DTYPE)
    rows["bid"] = (1.1, math.pi)
    raw = wire.encode_rows(rows)
    assert raw[:4] == b"\2\0\0\0"
    assert (np.frombuffer(raw[4:], TICK_DTYPE) == rows).all()
    assert wire.encode_rows(rows[::-1])[4:] == rows[::-1].tobytes()
    assert wire.encode_rows(np.zeros(0, RATE_DTYPE)) == b"\0\0\0\0"
    with pytest.raises(TypeError):
        wire.encode_rows(np.zeros(2, [("bid", "<f8")]))
