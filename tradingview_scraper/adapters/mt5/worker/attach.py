"""How does a worker get to its terminal, and to the right account on it?

The terminal's account belongs to every program attached to it, so credentials are a last resort:
first attach without, look at the account, and log in only when it is another one or none.
"""

from typing import Any, NamedTuple

from tradingview_scraper.adapters.mt5.terminal.api import TerminalLibrary
from tradingview_scraper.adapters.mt5.terminal.constants import ResultCode
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo, TerminalInfo
from tradingview_scraper.adapters.mt5.worker.frames import Attach, FailureKind
from tradingview_scraper.adapters.mt5.worker.identity import Expected
from tradingview_scraper.adapters.mt5.worker.library import CallFailed, account_of, ask, load

_NO_ACCOUNT = frozenset({ResultCode.E_AUTH_FAILED, ResultCode.E_INTERNAL_FAIL_TIMEOUT})


class AttachFailed(Exception):
    """No terminal, or not the expected account on it. The text says what to do."""

    def __init__(self, kind: FailureKind, function: str, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.kind = kind
        self.function = function
        self.code = code
        self.text = text


class Attachment(NamedTuple):
    """A library attached to its terminal, on an account that was verified."""

    library: TerminalLibrary
    expected: Expected
    terminal: TerminalInfo
    account: AccountInfo


def attach(command: Attach) -> Attachment:
    """Attach as `command` says. Raises `AttachFailed`."""
    library = _load(command)
    try:
        _initialize(library, command)
        account = _account(library, command)
        terminal = TerminalInfo._make(ask(library, "terminal_info"))
    except CallFailed as error:
        raise AttachFailed(FailureKind.CONNECTION, error.function, error.text, error.code) from None
    expected = Expected(
        command.login, command.server, command.may_trade, command.allow_real_account
    )
    objection = expected.objection(account)
    if objection is not None:
        raise AttachFailed(FailureKind.IDENTITY, "account_info", objection)
    return Attachment(library, expected, terminal, account)


def _load(command: Attach) -> TerminalLibrary:
    try:
        return load(command.module, command.search_path)
    except ImportError as error:
        raise AttachFailed(
            FailureKind.MISSING,
            "import",
            f"the library's module {command.module!r} cannot be imported ({error}); MetaTrader5 "
            "exists for Windows only, elsewhere set "
            "module='tradingview_scraper.adapters.mt5.simulator'",
        ) from None


def _initialize(library: TerminalLibrary, command: Attach) -> None:
    path = () if command.path is None else (command.path,)
    options: dict[str, Any] = {"timeout": command.timeout_ms}
    if command.portable:
        options["portable"] = True
    try:
        ask(library, "initialize", *path, **options)
    except CallFailed as error:
        if error.code not in _NO_ACCOUNT or not _has_credentials(command):
            raise
        ask(library, "initialize", *path, **options, **_credentials(command))


def _account(library: TerminalLibrary, command: Attach) -> AccountInfo:
    try:
        account = account_of(library)
    except CallFailed as error:
        if error.link_is_gone or not _has_credentials(command):
            raise
    else:
        if not _has_credentials(command) or account.login == command.login:
            return account
    options = _credentials(command)
    ask(library, "login", options.pop("login"), **options, timeout=command.timeout_ms)
    return account_of(library)


def _has_credentials(command: Attach) -> bool:
    return command.login is not None and command.password is not None


def _credentials(command: Attach) -> dict[str, Any]:
    credentials: dict[str, Any] = {"login": command.login, "password": command.password}
    if command.server is not None:
        credentials["server"] = command.server
    return credentials
