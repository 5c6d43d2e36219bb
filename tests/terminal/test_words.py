"""Are the words those of the real library? Compared with a recording of 5.0.6231."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from tradingview_scraper.adapters.mt5.terminal import constants
from tradingview_scraper.adapters.mt5.terminal.api import (
    FUNCTIONS,
    VENDOR_HELPERS,
    TerminalLibrary,
)
from tradingview_scraper.adapters.mt5.terminal.records import (
    RATE_DTYPE,
    RECORDS,
    TICK_DTYPE,
    Tick,
)

RECORDED = json.loads((Path(__file__).parent.parent / "data" / "library.json").read_text("utf-8"))


def test_recording_is_of_the_library_that_is_required():
    assert RECORDED["library"] == "5.0.6231"


def test_every_constant_of_the_library_has_its_name_and_value():
    assert RECORDED["constants"] == constants.LIBRARY_CONSTANTS


def test_every_function_of_the_library_is_in_the_protocol():
    assert set(RECORDED["functions"]) == FUNCTIONS | VENDOR_HELPERS


def test_every_struct_of_the_library_is_a_record_with_its_fields_in_order():
    fields = {name: list(record._fields) for name, record in RECORDS.items()}
    assert fields == RECORDED["structs"]


def test_forgotten_constants_are_not_passed_off_as_the_librarys():
    forgotten = {"TRADE_RETCODE_HEDGE_PROHIBITED", "SYMBOL_FILLING_FOK", "SYMBOL_ORDER_MARKET"}
    assert not forgotten & constants.LIBRARY_CONSTANTS.keys()
    assert constants.TradeRetcode.HEDGE_PROHIBITED == 10046


@pytest.mark.parametrize(
    ("bits", "values"),
    [
        (constants.SymbolFilling, {"FOK": 1, "IOC": 2, "BOC": 4}),
        (constants.SymbolExpiration, {"GTC": 1, "DAY": 2, "SPECIFIED": 4, "SPECIFIED_DAY": 8}),
        (
            constants.SymbolOrderMode,
            {
                "MARKET": 1,
                "LIMIT": 2,
                "STOP": 4,
                "STOP_LIMIT": 8,
                "SL": 16,
                "TP": 32,
                "CLOSEBY": 64,
            },
        ),
    ],
)
def test_bits_that_the_library_forgets(bits, values):
    assert {name: int(bit) for name, bit in bits.__members__.items()} == values


def test_expiration_bits_are_shifted_order_times():
    for time in constants.OrderTime:
        assert constants.SymbolExpiration(1 << time).name == time.name


def test_filling_bits_are_not_the_filling_enum():
    # 1 is FOK in the symbol's mask and IOC in a request: the trap that a table has to avoid.
    assert constants.SymbolFilling.FOK == 1
    assert constants.OrderFilling.IOC == 1


@pytest.mark.parametrize("dtype", [TICK_DTYPE, RATE_DTYPE])
def test_array_rows_are_packed_into_60_bytes(dtype):
    assert dtype.itemsize == 60
    assert sum(dtype[name].itemsize for name in dtype.names) == 60


def test_tick_rows_have_the_fields_of_the_tick_record():
    assert TICK_DTYPE.names == Tick._fields


def test_record_takes_a_struct_of_the_library_as_it_is():
    rows = np.zeros(1, TICK_DTYPE)
    rows["time_msc"] = 1_704_067_200_123
    assert Tick._make(rows[0].item()).time_msc == 1_704_067_200_123


def test_positional_only_functions_refuse_keywords_as_the_library_does():
    keyword_calls = [c for c in RECORDED["calls"] if c["kwargs"] and "raises" in c]
    assert keyword_calls
    for call in keyword_calls:
        signature = inspect.signature(getattr(TerminalLibrary, call["function"]))
        with pytest.raises(TypeError):
            signature.bind(None, **call["kwargs"])
