"""How much was lost since the server's midnight, and has it been enough? `DailyLoss`."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from tradingview_scraper.adapters.mt5.rules.guards import Breach
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import DealType
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo, TradeDeal

_DAY_MSC: Final = 86_400_000
#: Money that is no difference: sums of floats.
_NOISE: Final = 1e-6

#: Money that is moved, not won or lost: deposits and withdrawals, credit, corrections, bonuses.
#: What a broker books for trading (commissions, interest, dividends, tax) is won or lost.
TRANSFERS: Final = frozenset(
    {
        DealType.BALANCE,
        DealType.CREDIT,
        DealType.CHARGE,
        DealType.CORRECTION,
        DealType.BONUS,
    }
)


class ServerDay:
    """Which day is it on the server's clock?

    By the zone rule, corrected by records that were made just now: their stamps show whether the
    server's clock, or ours, is not what the rule says. A record may come late, so the stamp that
    is furthest ahead is the best one: a wrong estimate ends a day too late, never too early.
    """

    def __init__(self, zone: ZoneRule) -> None:
        self._zone = zone
        self._ahead_msc: int | None = None

    def saw(self, stamp_msc: int, utc_ns: int) -> None:
        """At `utc_ns` a record came that the server had stamped `stamp_msc`."""
        ahead = stamp_msc - self._zone.server_msc(utc_ns)
        if self._ahead_msc is None or ahead > self._ahead_msc:
            self._ahead_msc = ahead

    def midnight_msc(self, utc_ns: int) -> int:
        """The server's last midnight, in milliseconds of server time."""
        now = self._zone.server_msc(utc_ns) + (self._ahead_msc or 0)
        return now - now % _DAY_MSC


class Turn(StrEnum):
    """What a look at the day's loss has found new."""

    STOPPED = "STOPPED"
    RESUMED = "RESUMED"


class DailyLoss:
    """Stops opening when the day's loss reaches a limit, until the server's next midnight.

    The loss is that of the whole account, of all programs and hands: profit, commission, swap and
    fee of the deals since midnight, without `TRANSFERS`. With `counts_floating` the profit or loss
    of what is open counts as well, the whole of it, also what it had at midnight. Money is the
    account's. Once stopped it stays so, whatever is won back.
    """

    def __init__(self, limit: float, *, zone: ZoneRule, counts_floating: bool) -> None:
        self.limit = limit
        self.stopped: Breach | None = None
        self._counts_floating = counts_floating
        self._day = ServerDay(zone)
        self._results: dict[int, tuple[int, float]] = {}
        # Not known between a deal and the next reading of the account: the deal has realised some.
        self._floating: float | None = None
        self._stopped_at = 0

    def seed(self, deals: Iterable[TradeDeal]) -> None:
        """Deals of the past: they count, and say nothing of the clock."""
        for deal in deals:
            self._count(deal)

    def dealt(self, deal: TradeDeal, utc_ns: int) -> None:
        """A deal that was made just now."""
        self._day.saw(deal.time_msc, utc_ns)
        if deal.ticket not in self._results:
            self._floating = None
        self._count(deal)

    def read(self, account: AccountInfo) -> None:
        """The account was read, after all deals that were told."""
        self._floating = account.equity - account.balance - account.credit

    def loss(self, utc_ns: int) -> float:
        """What was lost since the server's midnight; negative when more was won."""
        midnight = self._day.midnight_msc(utc_ns)
        won = sum(money for stamp, money in self._results.values() if stamp >= midnight)
        if self._counts_floating and self._floating is not None:
            won += self._floating
        return -won

    def look(self, utc_ns: int) -> Turn | None:
        """Compare the loss with the limit, and the day with the one that was stopped."""
        midnight = self._day.midnight_msc(utc_ns)
        resumed = False
        if self.stopped is not None:
            if midnight <= self._stopped_at:
                return None
            self.stopped = None
            resumed = True
            self._forget(midnight)
        loss = self.loss(utc_ns)
        if loss < self.limit - _NOISE:
            return Turn.RESUMED if resumed else None
        self._stopped_at = midnight
        self.stopped = Breach(
            "GUARD_DAILY_LOSS",
            loss,
            self.limit,
            f"GUARD_DAILY_LOSS: lost since the server's midnight={loss:.2f}, "
            f"limit={self.limit:.2f}: only orders that close are taken until its next midnight",
        )
        return Turn.STOPPED

    def _count(self, deal: TradeDeal) -> None:
        if deal.type not in TRANSFERS:
            money = deal.profit + deal.commission + deal.swap + deal.fee
            self._results[deal.ticket] = deal.time_msc, money

    def _forget(self, midnight: int) -> None:
        # A day more than is needed: an estimate of the clock may still be corrected.
        self._results = {
            ticket: result
            for ticket, result in self._results.items()
            if result[0] >= midnight - _DAY_MSC
        }
