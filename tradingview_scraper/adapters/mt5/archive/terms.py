"""On which terms does an account trade? What a backtest must mirror, without who it is."""

import msgspec

from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of an account. Its number, its owner and its money are not among them."""

    #: Deposit currency.
    currency: str
    currency_digits: int
    #: 100 means 1:100.
    leverage: int
    #: `AccountMarginMode`.
    margin_mode: int
    #: `AccountStopoutMode`; `margin_so_call` and `margin_so_so` are per cent or money by it.
    margin_so_mode: int
    margin_so_call: float
    margin_so_so: float
    #: Charged per lot and deal, in the deposit currency, by symbol, as past deals show it.
    commission_per_lot: dict[str, float] = {}


def terms_of(account: AccountInfo, commissions: dict[str, float] | None = None) -> Terms:
    """The terms of an account, with what its deals say of commissions."""
    return Terms(
        currency=account.currency,
        currency_digits=account.currency_digits,
        leverage=account.leverage,
        margin_mode=account.margin_mode,
        margin_so_mode=account.margin_so_mode,
        margin_so_call=account.margin_so_call,
        margin_so_so=account.margin_so_so,
        commission_per_lot=commissions or {},
    )
