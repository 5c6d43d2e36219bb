"""Which quotes must be there before the portfolio can value what is open?

Nautilus converts margins and profits into the account's currency from the quotes of currency pairs
in its cache, and a node with a position that it cannot convert does not start. Strategies subscribe
only after the start, so the last quotes are put there before it.
"""

from collections.abc import Iterable

from nautilus_trader.cache.cache import Cache
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import PriceType
from nautilus_trader.model.objects import Price

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, currency
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.rules.symbols import Kind, UnsupportedSymbol, sizing
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo


async def provide_rates(
    client: MT5Client,
    provider: MT5InstrumentProvider,
    cache: Cache,
    listings: Iterable[Listing],
    deposit: str,
) -> list[str]:
    """Put the last quote of `listings`, and of pairs that convert them, into the cache.

    Returns the currencies that no pair of the terminal converts into `deposit`. Quotes are the
    terminal's last ones, however old: good enough to value what is open, until live ones come.
    """
    listings = list(listings)
    for listing in listings:
        await _put_quote(client, cache, listing)
    to = currency(deposit)
    missing = []
    symbols: tuple[SymbolInfo, ...] | None = None
    for code in sorted({listing.info.currency_profit for listing in listings} - {deposit}):
        if cache.get_xrate(provider.venue, currency(code), to, PriceType.MID):
            continue
        if symbols is None:
            symbols = await client.symbols_get()
        for info in sorted(symbols, key=lambda info: not info.visible):
            if not _converts(info, code, deposit):
                continue
            pair = await provider.listing_for(info.name)
            if pair is not None:
                cache.add_instrument(pair.instrument)
                await _put_quote(client, cache, pair)
                if cache.get_xrate(provider.venue, currency(code), to, PriceType.MID):
                    break
        else:
            missing.append(code)
    return missing


def _converts(info: SymbolInfo, code: str, deposit: str) -> bool:
    if {info.currency_base, info.currency_profit} != {code, deposit}:
        return False
    try:
        return sizing(info).kind is Kind.CURRENCY_PAIR
    except UnsupportedSymbol:
        return False


async def _put_quote(client: MT5Client, cache: Cache, listing: Listing) -> None:
    instrument = listing.instrument
    if cache.quote_tick(instrument.id) is not None:
        return
    try:
        await client.symbol_select(listing.info.name, True)
        tick = await client.symbol_info_tick(listing.info.name)
    except MT5CallError:
        return
    if not tick.bid or not tick.ask:
        return
    stamp = client.zone.utc_ns(tick.time_msc)
    cache.add_quote_tick(
        QuoteTick(
            instrument_id=instrument.id,
            bid_price=Price(tick.bid, instrument.price_precision),
            ask_price=Price(tick.ask, instrument.price_precision),
            bid_size=instrument.lot_size,
            ask_size=instrument.lot_size,
            ts_event=stamp,
            ts_init=stamp,
        )
    )
