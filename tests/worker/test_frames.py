"""Does every frame arrive as it was sent, and does none show a password?"""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingview_scraper.adapters.mt5.terminal.records import (
    RATE_DTYPE,
    TICK_DTYPE,
    OrderSendResult,
    TradeDeal,
)
from tradingview_scraper.adapters.mt5.worker import frames
from tradingview_scraper.adapters.mt5.worker.commands import Splitter

ATTACH = frames.Attach(
    1, "MetaTrader5", None, False, 1000, 5, "Demo", True, "hunter2", False, ["/somewhere"]
)


def there(report):
    data = frames.encode(report)
    assert int.from_bytes(data[:4], "little") == len(data) - 4
    return frames.decode_report(bytes(data[4:]))


@pytest.mark.parametrize("dtype", [TICK_DTYPE, RATE_DTYPE])
@pytest.mark.parametrize("count", [0, 1, 3000])
def test_rows_of_an_answer_keep_their_type_and_values(dtype, count):
    rows = np.zeros(count, dtype)
    rows["time"] = np.arange(count)
    answer = there(frames.Answer(1, frames.encode_value(rows), 1, "Success", 2, 3))

    decoded = frames.value_decoder(object)(answer.value)

    assert decoded.dtype == dtype
    np.testing.assert_array_equal(decoded, rows)
    assert not decoded.flags.writeable


def test_rows_of_a_feed_need_not_be_contiguous():
    rows = np.zeros(10, TICK_DTYPE)
    rows["time_msc"] = np.arange(10)
    report = there(frames.Ticks(1, 1, 9, 1, False, frames.row_bytes(rows[::2])))

    assert np.frombuffer(report.rows, TICK_DTYPE)["time_msc"].tolist() == [0, 2, 4, 6, 8]


def test_structs_travel_as_arrays_and_come_back_as_records(make):
    result = make.blank(
        OrderSendResult,
        retcode=10009,
        deal=2**63,
        request=make.blank(
            OrderSendResult.__annotations__["request"], symbol="EURUSD", volume=0.01
        ),
    )
    answer = there(frames.Answer(1, frames.encode_value(tuple(result)), 1, "", 0, 0))

    assert frames.value_decoder(OrderSendResult)(answer.value) == result


def test_a_trade_frame_holds_records(make):
    deals = (make.deal(5, 1_700_000_000, symbol="#AAPL", price=1.5),)
    report = there(frames.Trade(1, 1, True, (), (), (), (3,), deals, (), None, (), 1, 1))

    assert report.deals == deals
    assert isinstance(report.deals[0], TradeDeal)


def test_numbers_of_numpy_become_plain_ones():
    answer = there(frames.Answer(1, frames.encode_value(np.int64(7)), 1, "", 0, 0))

    assert frames.value_decoder(object)(answer.value) == 7


@pytest.mark.parametrize("command", [ATTACH, frames.Call(2, "login", [5], {"password": "hunter2"})])
def test_a_command_shows_no_values(command):
    assert "hunter2" not in f"{command} {command!r}"


def test_what_cannot_travel_is_refused():
    with pytest.raises(TypeError, match="expected a number"):
        frames.encode_value(object())


@given(st.lists(st.integers(1, 200)), st.lists(st.integers(1, 40), min_size=1))
def test_commands_are_whole_however_the_pipe_cuts_them(watches, cuts):
    commands = [frames.WatchTicks(n, n, "EURUSD" * (n % 5), 10, 10, None, 0) for n in watches]
    stream = b"".join(bytes(frames.encode(command)) for command in commands)
    splitter, found, at = Splitter(), [], 0
    for turn in range(len(stream) + 1):
        size = cuts[turn % len(cuts)]
        found += splitter.split(stream[at : at + size])
        at += size

    assert found == commands


def test_noise_is_no_command():
    with pytest.raises(msgspec.MsgspecError):
        Splitter().split(b"\x05\x00\x00\x00hello")
