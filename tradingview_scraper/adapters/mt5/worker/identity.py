"""Is this the account that we may trade on? Compared before every request and at every poll."""

from typing import NamedTuple

from tradingview_scraper.adapters.mt5.terminal.constants import AccountTradeMode
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo


class Expected(NamedTuple):
    """The account to be on. None is not compared."""

    login: int | None
    server: str | None
    may_trade: bool
    allow_real_account: bool

    def objection(self, account: AccountInfo) -> str | None:
        """Why `account` is not the expected one, and what to do; None when it is."""
        if self.login is not None and account.login != self.login:
            return (
                f"expected account {self.login}, the terminal is on {account.login} at "
                f"{account.server!r}; log the terminal in to {self.login}, or set its password"
            )
        if self.server is not None and account.server != self.server:
            return (
                f"expected server {self.server!r}, account {account.login} is at "
                f"{account.server!r}; correct the server in the configuration or the terminal"
            )
        if account.trade_mode == AccountTradeMode.REAL and not self.allow_real_account:
            return (
                f"account {account.login} at {account.server!r} holds real money; "
                "set allow_real_account=True if that is meant"
            )
        return None

    def trading_objection(self, account: AccountInfo) -> str | None:
        """As `objection`, and trading needs a configured login."""
        if not self.may_trade:
            return (
                f"trading needs the expected login in the configuration; set login={account.login} "
                f"if account {account.login} at {account.server!r} is meant"
            )
        return self.objection(account)

    def pinned(self, account: AccountInfo) -> "Expected":
        """Expectations for feeds: where nothing was expected, the account that was found."""
        return self._replace(
            login=account.login if self.login is None else self.login,
            server=account.server if self.server is None else self.server,
        )
