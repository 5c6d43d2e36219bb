"""What does an account look like as a whole, at one moment? Read until nothing moved meanwhile."""

from typing import Any, Final

from tradingview_scraper.adapters.mt5.terminal.api import TerminalLibrary
from tradingview_scraper.adapters.mt5.terminal.constants import ResultCode
from tradingview_scraper.adapters.mt5.terminal.records import TerminalInfo
from tradingview_scraper.adapters.mt5.worker.arguments import LAST_DATE
from tradingview_scraper.adapters.mt5.worker.history_window import (
    DEALS,
    ORDERS,
    Kind,
    recent_start,
)
from tradingview_scraper.adapters.mt5.worker.identity import Expected
from tradingview_scraper.adapters.mt5.worker.library import CallFailed, account_of, ask

#: Readings before it counts as a failure that the account keeps moving.
_ATTEMPTS: Final = 3

#: Orders, history orders, deals, positions, account: as the library has them.
Reading = tuple[Any, Any, Any, Any, Any]


class ForeignAccount(Exception):
    """The terminal is on another account; the text says which."""


def take_snapshot(library: TerminalLibrary, expected: Expected, since: int | None) -> Reading:
    """One consistent reading: the counts of deals, orders and positions did not move during it.

    Raises `CallFailed` when a part fails, when the terminal has no link to its trade server before
    or after (its reads are old then), or when the account moved in each of three readings;
    `ForeignAccount` when the terminal is on another account.
    """
    _check_link(library)
    deals_from = since or _drained(library, DEALS)
    orders_from = since or _drained(library, ORDERS)
    before = _counts(library, deals_from, orders_from)
    for _ in range(_ATTEMPTS):
        deals = ask(library, "history_deals_get", deals_from, LAST_DATE)
        history = ask(library, "history_orders_get", orders_from, LAST_DATE)
        orders = ask(library, "orders_get")
        positions = ask(library, "positions_get")
        account = account_of(library)
        objection = expected.objection(account)
        if objection is not None:
            raise ForeignAccount(objection)
        after = _counts(library, deals_from, orders_from)
        if before == after:
            _check_link(library)
            return orders, history, deals, positions, account
        before = after
    raise CallFailed(
        "snapshot",
        int(ResultCode.E_FAIL),
        f"the account moved during each of {_ATTEMPTS} readings; read it again in a quieter moment",
    )


def _check_link(library: TerminalLibrary) -> None:
    if not TerminalInfo._make(ask(library, "terminal_info")).connected:
        raise CallFailed(
            "snapshot",
            int(ResultCode.E_FAIL),
            "the terminal has no link to its trade server: what it shows is old",
        )


def _counts(
    library: TerminalLibrary, deals_from: int, orders_from: int
) -> tuple[int, int, int, int]:
    return (
        ask(library, "history_deals_total", deals_from, LAST_DATE),
        ask(library, "history_orders_total", orders_from, LAST_DATE),
        ask(library, "orders_total"),
        ask(library, "positions_total"),
    )


def _drained(library: TerminalLibrary, kind: Kind) -> int:
    search = recent_start(library, kind)
    while True:
        try:
            next(search)
        except StopIteration as stop:
            found: int = stop.value
            return found
