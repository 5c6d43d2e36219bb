"""How does market data of a terminal reach Nautilus? `MT5DataClient`."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.core.datetime import dt_to_unix_nanos
from nautilus_trader.core.message import Command
from nautilus_trader.data.messages import (
    RequestBars,
    RequestData,
    RequestInstrument,
    RequestInstruments,
    RequestQuoteTicks,
    SubscribeBars,
    SubscribeInstrument,
    SubscribeInstrumentClose,
    SubscribeInstruments,
    SubscribeInstrumentStatus,
    SubscribeQuoteTicks,
    UnsubscribeBars,
    UnsubscribeInstrument,
    UnsubscribeInstrumentClose,
    UnsubscribeInstruments,
    UnsubscribeInstrumentStatus,
    UnsubscribeQuoteTicks,
)
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import Bar, BarType, QuoteTick
from nautilus_trader.model.identifiers import ClientId, InstrumentId

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.watches import Watch
from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5DataClientConfig,
    without_password,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.history import read_bars, read_ticks
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.bars import Bars, bars, timeframe_of
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, symbol_of
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.ticks import quote_ticks
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.nautilus_v1.watchlist import Watchlist
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks, Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error

#: Rows that are translated on the event loop; more go through a thread.
_ON_LOOP: Final = 2_000


class Unavailable(Exception):
    """A subscription or request that cannot be served; the text says why."""


def _refused(what: str) -> Any:
    def subscribe(self: "MT5DataClient", command: Command) -> None:
        self._log.error(f"Cannot subscribe: {what} are not available from MetaTrader 5 ({command})")

    return subscribe


def _never(self: Any, command: Command) -> None:
    """Nothing of this kind is ever subscribed."""


_nothing: Any = _never


def _unanswerable(what: str) -> Any:
    def request(self: "MT5DataClient", request: RequestData) -> None:
        self._fail(request, f"{what} are not available from MetaTrader 5")

    return request


class MT5DataClient(LiveMarketDataClient):
    """Instruments, quotes and bars of one terminal, live and from its history.

    Every tick is delivered once and in order, stamped with UTC; bars are delivered when they are
    closed. A subscription that cannot be served is logged and taken back; a request that fails is
    answered, with nothing, and logged. Quotes carry the contract size as size, because the
    terminal has none.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client: MT5Client,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
        instrument_provider: MT5InstrumentProvider,
        config: MT5DataClientConfig,
        name: str = "MT5",
    ) -> None:
        super().__init__(
            loop=loop,
            client_id=ClientId(name),
            venue=instrument_provider.venue,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=instrument_provider,
            config=without_password(config),
        )
        self._mt5 = client
        self._provider = instrument_provider
        self._is_attached = False
        self._tick_watches: dict[InstrumentId, Watch] = {}
        self._bar_watches: dict[BarType, Watch] = {}
        self._watchlist = Watchlist(self, client, instrument_provider, config, loop)

    async def _connect(self) -> None:
        await self._mt5.connect()
        self._is_attached = True
        try:
            await self._provider.initialize()
        except BaseException:
            await self._detach()
            raise
        self._publish_instruments()

    async def _disconnect(self) -> None:
        for watch in (*self._tick_watches.values(), *self._bar_watches.values()):
            watch.close()
        self._tick_watches.clear()
        self._bar_watches.clear()
        self._watchlist.close()
        await self._detach()

    async def _subscribe_instruments(self, command: SubscribeInstruments) -> None:
        self._publish_instruments()
        for instrument in self._provider.list_all():
            listing = self._provider.adopt(instrument)
            if listing is not None:
                self._watchlist.watch_definition(listing)

    async def _subscribe_instrument(self, command: SubscribeInstrument) -> None:
        try:
            listing = await self._listing(command.instrument_id)
        except (Unavailable, MT5Error):
            self._remove_subscription_instrument(command.instrument_id)
            raise
        self._handle_data(listing.instrument)
        if command.instrument_id in self.subscribed_instruments():
            self._watchlist.watch_definition(listing)

    async def _subscribe_instrument_status(self, command: SubscribeInstrumentStatus) -> None:
        try:
            listing = await self._listing(command.instrument_id)
        except (Unavailable, MT5Error):
            self._remove_subscription_instrument_status(command.instrument_id)
            raise
        if command.instrument_id in self.subscribed_instrument_status():
            self._watchlist.watch_status(listing)

    async def _subscribe_instrument_close(self, command: SubscribeInstrumentClose) -> None:
        try:
            listing = await self._listing(command.instrument_id)
        except (Unavailable, MT5Error):
            self._remove_subscription_instrument_close(command.instrument_id)
            raise
        if command.instrument_id in self.subscribed_instrument_close():
            self._watchlist.watch_close(listing)

    async def _subscribe_quote_ticks(self, command: SubscribeQuoteTicks) -> None:
        instrument_id = command.instrument_id
        if instrument_id in self._tick_watches:
            return
        try:
            listing = await self._listing(instrument_id)
            await self._select(listing.info.name)
        except (Unavailable, MT5Error):
            self._remove_subscription_quote_ticks(instrument_id)
            raise
        # Waiting took a while: unsubscribed, or subscribed by another command meanwhile.
        is_wanted = instrument_id in self.subscribed_quote_ticks()
        if is_wanted and instrument_id not in self._tick_watches:
            self._tick_watches[instrument_id] = self._mt5.watch_ticks(
                listing.info.name, self._quote_handler(listing), self._loop
            )

    async def _subscribe_bars(self, command: SubscribeBars) -> None:
        bar_type = command.bar_type
        if bar_type in self._bar_watches:
            return
        try:
            listing = await self._listing(bar_type.instrument_id)
            timeframe = timeframe_of(bar_type, listing.info)
            await self._select(listing.info.name)
        except (Unavailable, MT5Error, ValueError):
            self._remove_subscription_bars(bar_type)
            raise
        if bar_type in self.subscribed_bars() and bar_type not in self._bar_watches:
            self._bar_watches[bar_type] = self._mt5.watch_bars(
                listing.info.name, timeframe, self._bar_handler(bar_type, listing), self._loop
            )

    async def _unsubscribe_instruments(self, command: UnsubscribeInstruments) -> None:
        for instrument in self._provider.list_all():
            self._watchlist.forget_definition(instrument.id)

    async def _unsubscribe_instrument(self, command: UnsubscribeInstrument) -> None:
        self._watchlist.forget_definition(command.instrument_id)

    async def _unsubscribe_instrument_status(self, command: UnsubscribeInstrumentStatus) -> None:
        self._watchlist.forget_status(command.instrument_id)

    async def _unsubscribe_instrument_close(self, command: UnsubscribeInstrumentClose) -> None:
        self._watchlist.forget_close(command.instrument_id)

    async def _unsubscribe_quote_ticks(self, command: UnsubscribeQuoteTicks) -> None:
        watch = self._tick_watches.pop(command.instrument_id, None)
        if watch is not None:
            watch.close()

    async def _unsubscribe_bars(self, command: UnsubscribeBars) -> None:
        watch = self._bar_watches.pop(command.bar_type, None)
        if watch is not None:
            watch.close()

    async def _request_instrument(self, request: RequestInstrument) -> None:
        try:
            await self._provider.load_async(request.instrument_id)
            listing = await self._listing(request.instrument_id)
        except (Unavailable, MT5Error) as error:
            self._fail(request, str(error))
            return
        self._handle_instrument(
            listing.instrument, request.id, request.start, request.end, request.params
        )

    async def _request_instruments(self, request: RequestInstruments) -> None:
        try:
            await self._provider.load_all_async()
        except MT5Error as error:
            self._fail(request, str(error))
            return
        self._handle_instruments(
            self._provider.venue,
            self._provider.list_all(),
            request.id,
            request.start,
            request.end,
            request.params,
        )

    async def _request_quote_ticks(self, request: RequestQuoteTicks) -> None:
        try:
            ticks = await self._read_quotes(request)
        except Exception as error:
            self._fail(request, f"{type(error).__name__}: {error}")
            return
        self._handle_quote_ticks(
            request.instrument_id, ticks, request.id, request.start, request.end, request.params
        )

    async def _request_bars(self, request: RequestBars) -> None:
        try:
            found = await self._read_bars(request)
        except Exception as error:
            self._fail(request, f"{type(error).__name__}: {error}")
            return
        self._handle_bars(
            request.bar_type, found, request.id, request.start, request.end, request.params
        )

    subscribe = _refused("custom data")
    subscribe_order_book_deltas = _refused("order book deltas")
    subscribe_order_book_depth = _refused("order book depths")
    subscribe_trade_ticks = _refused("trades")
    subscribe_mark_prices = _refused("mark prices")
    subscribe_index_prices = _refused("index prices")
    subscribe_funding_rates = _refused("funding rates")
    subscribe_option_greeks = _refused("option greeks")

    unsubscribe = _nothing
    unsubscribe_order_book_deltas = _nothing
    unsubscribe_order_book_depth = _nothing
    unsubscribe_trade_ticks = _nothing
    unsubscribe_mark_prices = _nothing
    unsubscribe_index_prices = _nothing
    unsubscribe_funding_rates = _nothing
    unsubscribe_option_greeks = _nothing

    request = _unanswerable("custom data")
    request_trade_ticks = _unanswerable("trades")
    request_funding_rates = _unanswerable("funding rates")
    request_forward_prices = _unanswerable("forward prices")
    request_order_book_snapshot = _unanswerable("order book snapshots")
    request_order_book_deltas = _unanswerable("order book deltas")
    request_order_book_depth = _unanswerable("order book depths")

    def _quote_handler(self, listing: Listing) -> Callable[[str, Rows], None]:
        instrument = listing.instrument

        def handle(symbol: str, rows: Rows) -> None:
            quotes = quote_ticks(
                rows,
                instrument_id=instrument.id,
                price_precision=instrument.price_precision,
                size=instrument.lot_size,
                zone=self._mt5.zone,
                ts_init=self._clock.timestamp_ns(),
            )
            publish = self._handle_data
            for tick in quotes.ticks:
                publish(tick)
            if quotes.skipped:
                self._log.debug(f"{symbol}: {quotes.skipped} ticks without a quote")

        return handle

    def _bar_handler(
        self, bar_type: BarType, listing: Listing
    ) -> Callable[[str, Timeframe, Rows], None]:
        def handle(symbol: str, timeframe: Timeframe, rows: Rows) -> None:
            now = self._clock.timestamp_ns()
            found = self._translate_bars(rows, bar_type, timeframe, listing, now)
            for bar in self._taken(found, bar_type):
                self._handle_data(bar)

        return handle

    def _translate_bars(
        self,
        rows: Rows,
        bar_type: BarType,
        timeframe: Timeframe,
        listing: Listing,
        ts_init: int | None = None,
    ) -> Bars:
        return bars(
            rows,
            bar_type=bar_type,
            timeframe=timeframe,
            info=listing.info,
            price_precision=listing.instrument.price_precision,
            size_precision=listing.instrument.size_precision,
            zone=self._mt5.zone,
            ts_init=ts_init,
        )

    def _taken(self, found: Bars, bar_type: BarType) -> list[Bar]:
        if found.skipped:
            self._log.warning(f"{bar_type}: {found.skipped} rows of the terminal are no bars")
        return found.bars

    async def _read_quotes(self, request: RequestQuoteTicks) -> list[QuoteTick]:
        listing = await self._listing(request.instrument_id)
        start_ns, end_ns = self._range_of(request)
        await self._select(listing.info.name)
        rows = await read_ticks(
            self._mt5,
            listing.info.name,
            start_ns=start_ns,
            end_ns=end_ns,
            limit=request.limit,
            flags=CopyTicks.INFO,
        )
        instrument = listing.instrument

        def translate() -> list[QuoteTick]:
            return quote_ticks(
                rows,
                instrument_id=instrument.id,
                price_precision=instrument.price_precision,
                size=instrument.lot_size,
                zone=self._mt5.zone,
            ).ticks

        return translate() if len(rows) <= _ON_LOOP else await asyncio.to_thread(translate)

    async def _read_bars(self, request: RequestBars) -> list[Bar]:
        bar_type = request.bar_type
        listing = await self._listing(bar_type.instrument_id)
        timeframe = timeframe_of(bar_type, listing.info)
        start_ns, end_ns = self._range_of(request)
        await self._select(listing.info.name)
        rows = await read_bars(
            self._mt5,
            listing.info.name,
            timeframe,
            start_ns=start_ns,
            end_ns=end_ns,
            limit=request.limit,
        )
        if len(rows) <= _ON_LOOP:
            found = self._translate_bars(rows, bar_type, timeframe, listing)
        else:
            found = await asyncio.to_thread(
                self._translate_bars, rows, bar_type, timeframe, listing
            )
        return self._taken(found, bar_type)

    def _range_of(self, request: RequestData) -> tuple[int | None, int]:
        start = dt_to_unix_nanos(request.start) if request.start is not None else None
        end = request.end
        return start, dt_to_unix_nanos(end) if end is not None else self._clock.timestamp_ns()

    async def _listing(self, instrument_id: InstrumentId) -> Listing:
        """What is known of an instrument, loaded and published when it was not known."""
        symbol = symbol_of(instrument_id)
        known = self._provider.listing(symbol)
        if known is None and instrument_id.venue == self._provider.venue:
            known = await self._provider.listing_for(symbol)
            if known is not None:
                self._handle_data(known.instrument)
        if known is None or known.instrument.id != instrument_id:
            raise Unavailable(f"{instrument_id} is no instrument of this terminal")
        return known

    async def _select(self, symbol: str) -> None:
        """The terminal has ticks of symbols in Market Watch only."""
        if not await self._mt5.symbol_select(symbol, True):
            raise Unavailable(f"the terminal does not add {symbol!r} to Market Watch")

    def _publish_instruments(self) -> None:
        for instrument in self._provider.list_all():
            self._handle_data(instrument)

    def _fail(self, request: RequestData, why: str) -> None:
        """Answer a request that cannot be served: its callback must not wait for ever."""
        self._log.error(f"Cannot answer {request}: {why}")
        self._handle_data_response(
            request.data_type, [], request.id, request.start, request.end, request.params
        )

    async def _detach(self) -> None:
        if self._is_attached:
            self._is_attached = False
            await self._mt5.disconnect()
