"""What does a broker charge per lot, judged by the deals it has done?"""

from collections import defaultdict
from collections.abc import Iterable

from tradingview_scraper.adapters.mt5.terminal.constants import DealType
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal


def commission_per_lot(deals: Iterable[TradeDeal]) -> dict[str, float]:
    """Commission and fee per lot of a deal, in the deposit currency, positive, by symbol.

    What all deals of a symbol paid, over all their lots, rounded to cents: single small deals carry
    the rounding of money. Symbols without a deal are not in it. A broker that charges at the
    opening only comes out with half of it on either side, which is the same for a round trip
    [decision]; one that charges at the end of the day, by a deal of its own, with nothing.
    """
    paid: dict[str, float] = defaultdict(float)
    volume: dict[str, float] = defaultdict(float)
    for deal in deals:
        if deal.type in (DealType.BUY, DealType.SELL) and deal.volume > 0:
            paid[deal.symbol] -= deal.commission + deal.fee
            volume[deal.symbol] += deal.volume
    return {symbol: round(max(0.0, paid[symbol] / lots), 2) for symbol, lots in volume.items()}
