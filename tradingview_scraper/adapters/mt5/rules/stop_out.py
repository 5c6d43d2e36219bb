"""How near is an account to its stop-out? `MarginWatch`."""

from enum import IntEnum
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.terminal.constants import AccountStopoutMode
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo

#: An account is out of a zone when it is so much above its level: figures move with every tick.
_MARGIN_OF_RETURN: Final = 0.05


class MarginZone(IntEnum):
    """Where the account's margin level is, the worst last."""

    FREE = 0
    #: At or below ``margin_so_call``: the broker warns.
    MARGIN_CALL = 1
    #: At or below ``margin_so_so``: the server closes positions by force.
    STOP_OUT = 2


class MarginChange(NamedTuple):
    """The account has come into another zone."""

    zone: MarginZone
    before: MarginZone
    #: Margin level in per cent, or free margin in the account's currency, as the account counts.
    figure: float
    #: The level that was crossed, in the same unit.
    level: float
    unit: str


class MarginWatch:
    """Says each crossing of an account's margin call and stop-out levels once.

    In per cent the server compares equity / margin, in money the free margin [vendor]. A level of
    zero in per cent is none (the account has no such level). It is left only when the figure is
    5 % above it.
    """

    def __init__(self) -> None:
        self._zone = MarginZone.FREE

    @property
    def zone(self) -> MarginZone:
        """Where the account was in the last reading."""
        return self._zone

    def read(self, account: AccountInfo) -> MarginChange | None:
        """What a reading of the account changes."""
        before = self._zone
        in_money = account.margin_so_mode == AccountStopoutMode.MONEY
        figure = account.margin_free if in_money else _level(account)
        self._zone = zone = self._zone_of(account, figure, in_money)
        if zone is before:
            return None
        crossed = max(zone, before)
        levels = {
            MarginZone.MARGIN_CALL: account.margin_so_call,
            MarginZone.STOP_OUT: account.margin_so_so,
        }
        unit = account.currency if in_money else "%"
        return MarginChange(zone, before, figure, levels[crossed], unit)

    def _zone_of(self, account: AccountInfo, figure: float, in_money: bool) -> MarginZone:
        if not account.margin > 0:
            return MarginZone.FREE
        zone = MarginZone.FREE
        for which, level in (
            (MarginZone.MARGIN_CALL, account.margin_so_call),
            (MarginZone.STOP_OUT, account.margin_so_so),
        ):
            if level <= 0 and not in_money:
                continue
            room = abs(level) * _MARGIN_OF_RETURN if self._zone >= which else 0.0
            if figure <= level + room:
                zone = which
        return zone


def _level(account: AccountInfo) -> float:
    return account.equity / account.margin * 100 if account.margin > 0 else 0.0
