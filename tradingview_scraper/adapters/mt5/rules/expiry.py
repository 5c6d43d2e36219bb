"""How long may a pending order live on a symbol? By its expiration mask and its GTC mode.

Expirations are whole seconds of server time [vendor].
"""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from tradingview_scraper.adapters.mt5.rules.refusals import RequestRefused
from tradingview_scraper.adapters.mt5.terminal.constants import OrderTime, SymbolOrders
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

_DAY: Final = 86_400
_LAST: Final = 2_147_483_647  # the library's date arguments are 32-bit on Windows [recorded]


class Expiry(NamedTuple):
    """`type_time` and `expiration` (server seconds, 0 for none) of a request."""

    type_time: OrderTime
    expiration: int = 0


def good_till_cancelled(info: SymbolInfo, *, may_be_dropped: bool = False) -> Expiry:
    """Until it is cancelled.

    A server may drop such orders at the end of the day (`order_gtc_mode`): refused then, unless
    `may_be_dropped`. Raises `RequestRefused`.
    """
    expiry = _offered(info, OrderTime.GTC)
    if not may_be_dropped and not keeps_orders(info):
        raise RequestRefused(
            "UNSUPPORTED_TIME_IN_FORCE",
            f"{info.name} drops good-till-cancelled orders at the end of the server's day "
            f"({SymbolOrders(info.order_gtc_mode).name}): use DAY, or allow it in the config",
        )
    return expiry


def for_the_day(info: SymbolInfo) -> Expiry:
    """Until the end of the server's day. Raises `RequestRefused`."""
    return _offered(info, OrderTime.DAY)


def until(info: SymbolInfo, seconds: int) -> Expiry:
    """Until `seconds` of server time.

    Where only whole days can be named, `seconds` must be the end of one: 23:59:59 or the midnight
    behind it. Any other moment would let the order live longer or shorter than it was told to.
    Raises `RequestRefused`.
    """
    if not 0 < seconds <= _LAST:
        raise RequestRefused(
            "VALIDATION_FAILED",
            f"an expiration must be server seconds up to {_LAST}, was {seconds}",
        )
    if _has(info, OrderTime.SPECIFIED) or not _has(info, OrderTime.SPECIFIED_DAY):
        return _offered(info, OrderTime.SPECIFIED)._replace(expiration=seconds)
    end = -(-seconds // _DAY) * _DAY - 1
    if seconds not in (end, end + 1):
        raise RequestRefused(
            "UNSUPPORTED_TIME_IN_FORCE",
            f"orders of {info.name} end with a day of the server: the expiration must be "
            f"{_clock(end)} on its clock, was {_clock(seconds)}",
        )
    return Expiry(OrderTime.SPECIFIED_DAY, end)


def keeps_orders(info: SymbolInfo) -> bool:
    """Whether a good-till-cancelled order outlives the server's day."""
    return info.order_gtc_mode == SymbolOrders.GTC


def keeps_stops(info: SymbolInfo) -> bool:
    """Whether stop loss and take profit outlive the server's day."""
    return info.order_gtc_mode != SymbolOrders.DAILY


def _has(info: SymbolInfo, kind: OrderTime) -> bool:
    return bool(info.expiration_mode >> kind & 1)


def _offered(info: SymbolInfo, kind: OrderTime) -> Expiry:
    if _has(info, kind):
        return Expiry(kind)
    offered = ", ".join(other.name for other in OrderTime if _has(info, other)) or "none"
    raise RequestRefused(
        "UNSUPPORTED_TIME_IN_FORCE",
        f"{info.name} takes no {kind.name} orders: it offers {offered}",
    )


def _clock(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
