"""Which instruments does a terminal have? `MT5InstrumentProvider`."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace
from nautilus_trader.common.config import resolve_path
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.model.identifiers import InstrumentId, Venue
from nautilus_trader.model.instruments import Instrument

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.margins import measured_rates
from tradingview_scraper.adapters.mt5.nautilus_v1.config import MT5InstrumentProviderConfig
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import (
    Listing,
    listing,
    listing_of,
    symbol_of,
)
from tradingview_scraper.adapters.mt5.rules.expiry import keeps_orders, keeps_stops
from tradingview_scraper.adapters.mt5.rules.margin import probe
from tradingview_scraper.adapters.mt5.rules.symbols import (
    UnsupportedSymbol,
    doubt_of_multiplier,
    sizing,
)
from tradingview_scraper.adapters.mt5.terminal.constants import ResultCode, SymbolTradeMode
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError, MT5Error
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

#: Trade modes in which positions can be opened.
_OPENING: Final = frozenset(
    {SymbolTradeMode.FULL, SymbolTradeMode.LONGONLY, SymbolTradeMode.SHORTONLY}
)
#: Instruments that are built before the event loop gets a turn.
_AT_ONCE: Final = 100


class MT5InstrumentProvider(InstrumentProvider):
    """The instruments of one terminal. Loading needs a connected client.

    A symbol that cannot become an instrument is skipped with a logged reason and never fails a
    load; a terminal that does not answer does (`MT5Error`).
    """

    def __init__(
        self,
        client: MT5Client,
        config: MT5InstrumentProviderConfig | None = None,
        venue: Venue | None = None,
    ) -> None:
        self._mt5_config = config if config is not None else MT5InstrumentProviderConfig()
        super().__init__(self._mt5_config)
        self._client = client
        self._venue = venue if venue is not None else Venue("MT5")
        self._listings: dict[str, Listing] = {}
        #: What the terminal took as margin when it was asked last, by symbol.
        self._measured: dict[str, Decimal] = {}
        path = self._mt5_config.filter_callable
        self._admits: Callable[[Instrument], bool] | None = resolve_path(path) if path else None

    @property
    def venue(self) -> Venue:
        """The venue of the instruments."""
        return self._venue

    async def load_all_async(self, filters: dict[str, Any] | None = None) -> None:
        """Load all symbols that the config lets through; `filters` overrides its fields by name.

        Raises `MT5ConfigError` for a filter that there is not.
        """
        wanted = replace(self._mt5_config, **{"filters": filters, **(filters or {})})
        group = wanted.group
        found = await (self._client.symbols_get(group) if group else self._client.symbols_get())
        chosen = [info for info in found if _is_wanted(info, wanted)]
        if wanted.max_count is not None and len(chosen) > wanted.max_count:
            self._log.warning(
                f"{len(chosen) - wanted.max_count} of {len(chosen)} symbols are not loaded: "
                f"max_count is {wanted.max_count}"
            )
            del chosen[wanted.max_count :]
        await self._take(chosen)

    async def load_ids_async(
        self, instrument_ids: list[InstrumentId], filters: dict[str, Any] | None = None
    ) -> None:
        """Load the symbols of these ids; one that the terminal does not have is logged."""
        for instrument_id in instrument_ids:
            await self.load_async(instrument_id, filters)

    async def load_async(
        self, instrument_id: InstrumentId, filters: dict[str, Any] | None = None
    ) -> None:
        """Load the symbol of this id anew."""
        if instrument_id.venue != self._venue:
            self._log.error(f"{instrument_id} is not of venue {self._venue}: not loaded")
            return
        await self._load_symbol(symbol_of(instrument_id))

    async def listing_for(self, symbol: str) -> Listing | None:
        """What is known of `symbol`, loaded when it was not; None when it cannot be traded here."""
        if symbol not in self._listings:
            await self._load_symbol(symbol)
        return self._listings.get(symbol)

    def listing(self, symbol: str) -> Listing | None:
        """What is known of `symbol` so far."""
        return self._listings.get(symbol)

    def adopt(self, instrument: Instrument) -> Listing | None:
        """The listing of an instrument that another provider loaded, or an earlier run."""
        symbol = symbol_of(instrument.id)
        known = self._listings.get(symbol)
        if known is not None or instrument.id.venue != self._venue:
            return known
        try:
            self._listings[symbol] = listing_of(instrument)
        except UnsupportedSymbol as error:
            self._log.error(str(error))
            return None
        self.add(instrument)
        return self._listings[symbol]

    async def _load_symbol(self, symbol: str) -> None:
        try:
            info = await self._client.symbol_info(symbol)
        except MT5CallError as error:
            if error.code != ResultCode.E_NOT_FOUND:
                raise
            self._log.error(f"The terminal has no symbol {symbol!r}")
            return
        await self._take([info])

    async def relist(self, info: SymbolInfo) -> Listing | None:
        """The listing of a symbol whose record has changed; None when it is none any more.

        When the terminal cannot be asked for the margin now, it is as it was.
        """
        try:
            rates = await self._rates([info])
        except MT5Error:
            rates = {}
        await self._build([info], self._measured | rates)
        known = self._listings.get(info.name)
        return known if known is not None and known.info == info else None

    async def _take(self, infos: Sequence[SymbolInfo]) -> None:
        await self._build(infos, await self._rates(infos))

    async def _build(self, infos: Sequence[SymbolInfo], rates: Mapping[str, Decimal]) -> None:
        now = time.time_ns()
        leverage = self._client.account.leverage
        for number, info in enumerate(infos):
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            try:
                made = listing(
                    info,
                    venue=self._venue,
                    leverage=leverage,
                    zone=self._client.zone,
                    ts_init=now,
                    measured=rates.get(info.name),
                )
            except (UnsupportedSymbol, ValueError) as error:
                self._log.warning(f"Skipped {info.name!r}: {error}")
                continue
            if self._admits is not None and not self._admits(made.instrument):
                continue
            if made.capped_from is not None:
                self._log.warning(
                    f"{made.instrument.id}: the largest quantity is {made.instrument.max_quantity} "
                    f"instead of {made.capped_from}: more would be worth too much to be counted"
                )
            doubt = doubt_of_multiplier(info, made.sizing, self._client.account.currency)
            if doubt is not None:
                self._log.warning(f"{made.instrument.id}: {doubt}")
            if not keeps_orders(info):
                what = "orders" if keeps_stops(info) else "orders, stop losses and take profits"
                self._log.warning(
                    f"{made.instrument.id}: the server drops good-till-cancelled {what} at the end "
                    f"of its day"
                )
            self._listings[info.name] = made
            self.add(made.instrument)

    async def _rates(self, infos: Iterable[SymbolInfo]) -> dict[str, Decimal]:
        """What the terminal itself takes as margin, for the symbols that have a price."""
        probes = []
        for info in infos:
            try:
                asked = probe(info, sizing(info))
            except UnsupportedSymbol:
                continue
            if asked is not None:
                probes.append((info.name, asked))
        rates = await measured_rates(self._client, probes)
        self._measured.update(rates)
        return rates


def _is_wanted(info: SymbolInfo, config: MT5InstrumentProviderConfig) -> bool:
    if config.market_watch_only and not info.visible:
        return False
    if config.tradable_only and info.trade_mode not in _OPENING:
        return False
    return config.calc_modes is None or info.trade_calc_mode in config.calc_modes
