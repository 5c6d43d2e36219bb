"""How does the account stand, in Nautilus' words?"""

from nautilus_trader.accounting.accounts.base import Account
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.events import AccountState
from nautilus_trader.model.identifiers import AccountId
from nautilus_trader.model.objects import MONEY_MAX, AccountBalance, MarginBalance, Money

from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5AccountFigures
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import currency
from tradingview_scraper.adapters.mt5.rules.stop_out import MarginZone
from tradingview_scraper.adapters.mt5.terminal.constants import (
    AccountMarginMode,
    AccountStopoutMode,
)
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo


def oms_type_of(account: AccountInfo) -> OmsType:
    """How the account keeps positions: exchange accounts net."""
    if account.margin_mode == AccountMarginMode.RETAIL_HEDGING:
        return OmsType.HEDGING
    return OmsType.NETTING


def account_state(
    account: AccountInfo, *, account_id: AccountId, ts_event: int, ts_init: int
) -> AccountState:
    """The account in its deposit currency.

    total = balance + credit, locked = margin, free = the difference, so that Nautilus' equity
    (total and unrealised profit) is the terminal's. The terminal keeps one margin for everything:
    it stands as the account-wide maintenance margin. Equity, profit, free margin, margin level and
    credit as the terminal calculates them are in `info` [decision].
    """
    deposit = currency(account.currency)
    total = Money(account.balance + account.credit, deposit)
    locked = Money(account.margin, deposit)
    return AccountState(
        account_id=account_id,
        account_type=AccountType.MARGIN,
        base_currency=deposit,
        reported=True,
        balances=[AccountBalance(total=total, locked=locked, free=total - locked)],
        margins=[
            MarginBalance(initial=Money(0, deposit), maintenance=locked, instrument_id=None),
        ],
        info={
            "login": account.login,
            "server": account.server,
            "leverage": account.leverage,
            "balance": account.balance,
            "credit": account.credit,
            "equity": account.equity,
            "profit": account.profit,
            "margin": account.margin,
            "margin_free": account.margin_free,
            "margin_level": account.margin_level,
            "trade_allowed": account.trade_allowed,
            "trade_expert": account.trade_expert,
        },
        event_id=UUID4(),
        ts_event=ts_event,
        ts_init=ts_init,
    )


def account_figures(
    account: AccountInfo, *, account_id: AccountId, zone: MarginZone, ts: int
) -> MT5AccountFigures:
    """The account's figures as the terminal counts them; `ts` is when they were read."""
    return MT5AccountFigures(
        ts_event=ts,
        ts_init=ts,
        account=account_id.value,
        currency=account.currency,
        balance=account.balance,
        credit=account.credit,
        profit=account.profit,
        equity=account.equity,
        margin=account.margin,
        margin_free=account.margin_free,
        margin_level=account.margin_level,
        margin_call_level=account.margin_so_call,
        stop_out_level=account.margin_so_so,
        levels_in_money=account.margin_so_mode == AccountStopoutMode.MONEY,
        margin_zone=zone.name,
    )


def check_countable(account: AccountInfo, money_max: float = MONEY_MAX) -> None:
    """Raise `MT5ConfigError` when this build of NautilusTrader cannot hold the account's money.

    A sum above `money_max` would raise inside an engine's queue, which ends the process.
    """
    most = max(abs(account.balance), abs(account.credit), abs(account.equity), abs(account.margin))
    if most + abs(account.credit) > money_max:
        raise MT5ConfigError(
            f"account {account.login} holds {most:_.2f} {account.currency}, and this build of "
            f"NautilusTrader counts up to {money_max:_.0f}: use a build with high precision (Linux)"
        )


def check_reported(account: Account) -> None:
    """Raise `MT5ConfigError` when Nautilus would compute the account instead of believing reports.

    NautilusTrader remembers for the life of the process that a venue of this name was simulated (a
    backtest, a sandbox), and charges each fill's commission and profit to the account once more
    [seen in 1.231].
    """
    if account.calculate_account_state:
        issuer = account.id.get_issuer()
        raise MT5ConfigError(
            f"account {account.id} must be the one that the broker reports, but venue {issuer} was "
            "simulated in this process, so NautilusTrader would compute it: start the live node in "
            "a process of its own, or give the simulation another venue"
        )
