"""Do errors say what a caller has to decide on, and stand where their docstring draws them?"""

import inspect

import pytest

from tradingview_scraper.adapters.mt5.terminal import errors
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5AttachTimeout,
    MT5CallError,
    MT5CallTimeout,
    MT5ConfigError,
    MT5ConnectionError,
    MT5Error,
    MT5IdentityError,
    MT5LaneLost,
    MT5LibraryMissing,
)

CLASSES = {name: item for name, item in vars(errors).items() if inspect.isclass(item)}


def test_every_error_is_drawn_in_the_docstring_where_it_stands():
    drawn = {}
    path = []
    for line in errors.__doc__.splitlines():
        name = line.replace("│", " ").replace("├──", "   ").replace("└──", "   ")
        word = name.split()[0] if name.split() else ""
        if word in CLASSES and name.startswith("    "):
            depth = (len(name) - len(name.lstrip()) - 4) // 4
            path = [*path[:depth], word]
            drawn[word] = path[-2] if depth else None
    assert drawn.keys() == CLASSES.keys()
    for name, parent in drawn.items():
        if parent is not None:
            assert CLASSES[parent] in CLASSES[name].__bases__


@pytest.mark.parametrize("error", sorted(CLASSES))
def test_every_error_is_caught_as_one_of_ours(error):
    assert issubclass(CLASSES[error], MT5Error)


def test_failed_call_says_function_code_and_text():
    error = MT5CallError("order_send", -10004, "No IPC connection", sent=False)
    assert str(error) == "order_send failed: (-10004, 'No IPC connection')"
    assert (error.function, error.code, error.text) == ("order_send", -10004, "No IPC connection")
    assert error.sent is False


def test_failed_call_counts_as_sent_unless_it_is_known_not_to_be():
    assert MT5CallError("order_send", -10005, "IPC timeout").sent is True


def test_lost_lane_has_to_say_whether_the_call_was_sent():
    assert MT5LaneLost("the worker died", sent=True).sent is True
    with pytest.raises(TypeError):
        MT5LaneLost("the worker died")


def test_connection_errors_carry_the_librarys_code_where_there_is_one():
    error = MT5ConnectionError("no terminal", -10003, "IPC initialize failed")
    assert (error.code, error.text) == (-10003, "IPC initialize failed")
    for silent in (MT5LibraryMissing("x"), MT5AttachTimeout("x"), MT5LaneLost("x", sent=False)):
        assert isinstance(silent, MT5ConnectionError)
        assert (silent.code, silent.text) == (0, "")


def test_timed_out_call_says_how_long_it_was_waited_for():
    error = MT5CallTimeout("copy_ticks_from", 0.5)
    assert str(error) == "copy_ticks_from did not answer within 0.5 s; its worker was killed"


def test_unknown_outcomes_are_neither_refusals_nor_identity():
    for unknown in (MT5CallError, MT5CallTimeout, MT5LaneLost):
        assert not issubclass(unknown, MT5ConfigError | MT5IdentityError)
