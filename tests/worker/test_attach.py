"""Does a worker attach to the right account, and does it log in only when it must?"""

import sys

import pytest

from tradingview_scraper.adapters.mt5.terminal.constants import AccountTradeMode
from tradingview_scraper.adapters.mt5.worker.attach import AttachFailed, attach
from tradingview_scraper.adapters.mt5.worker.frames import Attach, FailureKind

MODULE = "scripted_mt5_library"


@pytest.fixture
def attached(library, monkeypatch):
    """Attach the scripted library with some fields of the frame changed."""
    monkeypatch.setitem(sys.modules, MODULE, library)

    def attached(**fields):
        frame = {
            "module": MODULE,
            "path": "terminal64.exe",
            "portable": False,
            "timeout_ms": 5000,
            "login": 7,
            "server": None,
            "may_trade": True,
            "password": None,
            "allow_real_account": False,
            "search_path": [],
        }
        return attach(Attach(1, **{**frame, **fields}))

    return attached


def called(library, function):
    return [(args, kwargs) for name, args, kwargs in library.calls if name == function]


def test_the_right_account_needs_no_credentials(library, attached):
    attachment = attached(password="secret", server="Demo")

    assert attachment.account.login == 7
    assert attachment.terminal.build == 5833
    assert called(library, "initialize") == [(("terminal64.exe",), {"timeout": 5000})]
    assert called(library, "login") == []


def test_without_a_path_the_library_searches(library, attached):
    attached(path=None, portable=True)

    assert called(library, "initialize") == [((), {"timeout": 5000, "portable": True})]


def test_another_account_is_changed_with_credentials(library, attached):
    attachment = attached(login=8, password="secret", server="Demo")

    assert attachment.account.login == 8
    login = {"password": "secret", "server": "Demo", "timeout": 5000}
    assert called(library, "login") == [((8,), login)]


def test_no_account_is_changed_with_credentials(library, attached):
    library.account = library.account._replace(login=0)

    assert attached(login=8, password="secret").account.login == 8


def test_a_terminal_that_does_not_start_without_credentials_gets_them(library, attached):
    library.failures["initialize"] = [(-6, "Terminal: Authorization failed")]

    attached(password="secret")

    (_, first), (_, second) = called(library, "initialize")
    assert "password" not in first
    assert second["password"] == "secret" and second["login"] == 7


def test_another_account_without_credentials_is_refused(library, attached):
    with pytest.raises(AttachFailed, match="expected account 8, the terminal is on 7") as caught:
        attached(login=8)

    assert caught.value.kind is FailureKind.IDENTITY
    assert called(library, "login") == []


def test_another_server_is_refused(attached):
    with pytest.raises(AttachFailed, match="expected server 'Live'") as caught:
        attached(server="Live")

    assert caught.value.kind is FailureKind.IDENTITY


@pytest.mark.parametrize("allowed", [False, True])
def test_real_money_must_be_asked_for(library, attached, allowed):
    library.account = library.account._replace(trade_mode=AccountTradeMode.REAL)

    if allowed:
        assert attached(allow_real_account=True).account.trade_mode == AccountTradeMode.REAL
    else:
        with pytest.raises(AttachFailed, match=r"real money.*allow_real_account") as caught:
            attached()
        assert caught.value.kind is FailureKind.IDENTITY


def test_any_account_will_do_when_none_is_expected(attached):
    assert attached(login=None, may_trade=False).account.login == 7


def test_what_the_library_says_is_passed_on(library, attached):
    library.failures["initialize"] = [(-10003, "IPC initialize failed, Process create failed")]

    with pytest.raises(AttachFailed) as caught:
        attached()

    assert (caught.value.kind, caught.value.code) == (FailureKind.CONNECTION, -10003)
    assert "Process create failed" in caught.value.text


def test_a_missing_library_says_what_to_do(attached):
    with pytest.raises(AttachFailed, match=r"Windows only.*simulator") as caught:
        attached(module="no_such_library_of_mt5")

    assert caught.value.kind is FailureKind.MISSING
