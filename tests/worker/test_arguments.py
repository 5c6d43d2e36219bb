"""Do arguments reach the library exactly as it wants them?"""

from enum import IntEnum

import numpy as np
import pytest

from tradingview_scraper.adapters.mt5.terminal.constants import OrderType, TradeAction
from tradingview_scraper.adapters.mt5.worker.arguments import prepare, prepare_request


def kinds(values):
    return [type(value) for value in values]


def test_scenario_31_int_volumes_and_prices_become_floats_and_numpy_ints_plain_ints():
    request = prepare_request(
        {
            "action": TradeAction.DEAL,
            "symbol": "EURUSD",
            "volume": 1,
            "price": np.float64(1.1),
            "sl": np.int64(1),
            "type": OrderType.SELL,
            "magic": np.int64(12),
            "deviation": 10.0,
        }
    )

    assert kinds(request.values()) == [int, str, float, float, float, int, int, int]


@pytest.mark.parametrize(
    "wrong",
    [
        {"volume": float("nan")},
        {"volume": "0.01"},
        {"price": float("inf")},
        {"magic": 1.5},
        {"symbol": 5},
        {"type": None},
        {"stop_loss": 1.0},
        {"sl": True},
    ],
)
def test_what_the_library_would_take_wrongly_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        prepare_request({"action": 1, **wrong})


def test_a_request_without_an_action_is_refused():
    """The library sends an all-zero request for an empty dict."""
    with pytest.raises(ValueError, match="action"):
        prepare_request({})


@pytest.mark.parametrize("args,kwargs", [((), {"action": 1, "volume": 1}), (({"action": 1},), {})])
def test_a_request_goes_as_one_dict_without_keywords(args, kwargs):
    prepared, by = prepare("order_send", args, kwargs)

    assert len(prepared) == 1 and isinstance(prepared[0], dict)
    assert by == {}


def test_a_request_is_not_given_twice():
    with pytest.raises(ValueError, match="one request"):
        prepare("order_send", ({"action": 1},), {"volume": 1.0})


@pytest.mark.parametrize(
    "function,args",
    [
        ("copy_rates_from", ("EURUSD", 1, 0, 10)),
        ("copy_rates_range", ("EURUSD", 1, 5, 0)),
        ("copy_ticks_from", ("EURUSD", 0, 10, -1)),
        ("copy_ticks_range", ("EURUSD", 0, 10, -1)),
        ("history_deals_get", (0, 5)),
        ("history_deals_total", (1, 2**31)),
        ("history_orders_get", (-1, 5)),
        ("history_orders_total", ("2020", 5)),
    ],
)
def test_a_date_that_the_library_does_not_take_is_refused(function, args):
    """0 sends uninitialised memory, 2**31 arrives as -1."""
    with pytest.raises(ValueError, match="date"):
        prepare(function, args, {})


def test_dates_become_plain_ints():
    args, _ = prepare("copy_ticks_from", ("EURUSD", np.int64(5), np.int32(10), -1), {})

    assert kinds(args) == [str, int, int, int]


def test_volumes_of_a_calculation_become_floats():
    args, _ = prepare("order_calc_profit", (0, "EURUSD", 1, 1, np.float64(2.0)), {})

    assert kinds(args) == [int, str, float, float, float]


def test_enums_become_plain_ints_and_truth_stays():
    class Timeframe(IntEnum):
        M1 = 1

    args, by = prepare("symbol_select", ("EURUSD", True), {"n": Timeframe.M1})

    assert args[1] is True
    assert type(by["n"]) is int


def test_other_objects_are_refused():
    with pytest.raises(ValueError, match="list"):
        prepare("symbol_info", (["EURUSD"],), {})
