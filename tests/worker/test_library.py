"""Is a failure told from an empty answer, and is `last_error` the call's own?"""

import numpy as np
import pytest

from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE
from tradingview_scraper.adapters.mt5.worker.library import (
    CallFailed,
    account_of,
    ask,
    call,
    is_failure,
)

OK = 1
NOT_FOUND = -4


@pytest.mark.parametrize(
    "function,value,code",
    [
        ("symbols_get", None, NOT_FOUND),
        ("symbols_get", False, -2),
        ("positions_get", None, -10001),
        ("order_send", None, -2),
        ("initialize", False, -10003),
        ("login", False, -6),
        ("symbol_select", False, NOT_FOUND),
        ("market_book_add", False, OK),
        ("market_book_release", False, OK),
        ("version", (0, 0, ""), OK),
        ("positions_get", (), -1),
        ("copy_ticks_from", np.zeros(0, TICK_DTYPE), -1),
    ],
)
def test_failure(function, value, code):
    assert is_failure(function, value, code)


@pytest.mark.parametrize(
    "function,value",
    [
        ("symbols_get", ()),
        ("positions_get", ()),
        ("history_deals_get", ()),
        ("copy_ticks_from", np.zeros(0, TICK_DTYPE)),
        ("positions_total", 0),
        ("order_calc_profit", 0.0),
        ("symbol_select", True),
        ("version", (500, 5833, "3 May 2026")),
    ],
)
def test_an_empty_answer_is_an_answer(function, value):
    assert not is_failure(function, value, OK)


def test_last_error_is_read_directly_after_its_call(library):
    library.failures["orders_get"] = [(-10005, "IPC timeout")]

    failed = call(library, "orders_get")
    answered = call(library, "orders_get")

    assert (failed.value, failed.code, failed.text) == (None, -10005, "IPC timeout")
    assert (answered.value, answered.code) == ((), OK)
    assert 0 < failed.started_ns <= failed.ended_ns <= answered.started_ns


@pytest.mark.real_library
def test_a_request_is_refused_for_the_connection_and_not_for_its_form():
    """The library takes an empty keyword dict beside a request for a wrong form: -2."""
    library = pytest.importorskip("MetaTrader5")

    reply = call(library, "order_send", [{"action": 1, "symbol": "EURUSD", "volume": 0.01}], {})

    assert (reply.value, reply.code) == (None, -10004)


def test_ask_raises_what_the_library_says(library):
    library.failures["positions_get"] = [(-10002, "IPC recv failed")]

    with pytest.raises(CallFailed) as caught:
        ask(library, "positions_get")

    assert (caught.value.function, caught.value.code) == ("positions_get", -10002)
    assert caught.value.link_is_gone
    assert ask(library, "positions_get") == ()
    assert ask(library, "positions_total") == 0


def test_a_terminal_without_an_account_has_none(library):
    library.account = library.account._replace(login=0, server="")

    with pytest.raises(CallFailed, match="no account"):
        account_of(library)
