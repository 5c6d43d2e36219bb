"""How does market data of a terminal reach Nautilus? `MT5DataClient`."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.core.message import Command
from nautilus_trader.data.messages import (
    RequestBars,
    RequestData,
    RequestInstrument,
    RequestInstruments,
    RequestOrderBookSnapshot,
    RequestQuoteTicks,
    RequestTradeTicks,
    SubscribeBars,
    SubscribeData,
    SubscribeInstrument,
    SubscribeInstrumentClose,
    SubscribeInstruments,
    SubscribeInstrumentStatus,
    SubscribeOrderBook,
    SubscribeQuoteTicks,
    SubscribeTradeTicks,
    UnsubscribeBars,
    UnsubscribeData,
    UnsubscribeInstrument,
    UnsubscribeInstrumentClose,
    UnsubscribeInstruments,
    UnsubscribeInstrumentStatus,
    UnsubscribeOrderBook,
    UnsubscribeQuoteTicks,
    UnsubscribeTradeTicks,
)
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import OrderBookDelta, OrderBookDepth10, QuoteTick, TradeTick
from nautilus_trader.model.enums import BookType
from nautilus_trader.model.identifiers import ClientId, InstrumentId

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.watches import Watch
from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5DataClientConfig,
    without_password,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.custom_data import CustomFeeds
from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Unavailable
from tradingview_scraper.adapters.mt5.nautilus_v1.feeds import Feeds
from tradingview_scraper.adapters.mt5.nautilus_v1.opening import (
    outlasting_trouble,
    outliving_workers,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.bars import timeframe_of
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing, symbol_of
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trade_ticks import has_trades
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.nautilus_v1.requests import Requests
from tradingview_scraper.adapters.mt5.nautilus_v1.terminal_news import terminal_news
from tradingview_scraper.adapters.mt5.nautilus_v1.watchlist import Watchlist
from tradingview_scraper.adapters.mt5.rules.clock import ClockState, Verdict
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error


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


def _check_book_type(book_type: BookType) -> None:
    if book_type == BookType.L3_MBO:
        raise Unavailable("the terminal shows price levels, no single orders: take L2_MBP")


class MT5DataClient(LiveMarketDataClient):
    """Instruments, quotes, trades, books and bars of one terminal, live and from its history.

    Every tick is delivered once and in order, stamped with UTC; what the terminal itself has lost
    is published as `MT5Gap`. Bars are delivered when they are closed, books as whole snapshots. A
    subscription that cannot be served is logged and taken back; a request that fails is answered,
    with nothing, and logged. Quotes carry a configured size, because the terminal has none.
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
        self._clock_watch: Watch | None = None
        self._news = terminal_news(client, msgbus)
        self._watchlist = Watchlist(self, client, instrument_provider, config, loop)
        self._feeds = Feeds(
            self, client, loop, quote_lots=config.quote_size_lots, on_refused=self._lose_book
        )
        self._custom = CustomFeeds(
            self,
            client,
            loop,
            listing_of=self._listing,
            loaded=self._loaded,
            every_secs=config.instrument_poll_secs,
        )
        self._requests = Requests(
            self,
            client,
            loop,
            quote_lots=config.quote_size_lots,
            response_rows=config.response_rows,
            sync_secs=config.history_sync_secs,
        )

    @property
    def gaps(self) -> Mapping[InstrumentId, int]:
        """How often the terminal has lost ticks of a subscribed instrument; see `MT5Gap`."""
        return Counter(self._feeds.gaps)

    async def _connect(self) -> None:
        await self._mt5.connect()
        self._is_attached = True
        self._news.join(self, self._loop)
        try:
            await outliving_workers(self._mt5, self._log, self._provider.initialize)
        except BaseException:
            await self._detach()
            raise
        self._clock_watch = self._mt5.watch_clock(self._on_clock, self._loop)
        self._publish_instruments()

    async def _disconnect(self) -> None:
        if self._clock_watch is not None:
            self._clock_watch.close()
        self._feeds.close()
        self._watchlist.close()
        self._custom.close()
        await self._detach()

    async def _subscribe_instruments(self, command: SubscribeInstruments) -> None:
        self._publish_instruments()
        for listing in self._loaded():
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
        key = command.instrument_id
        with self._taken_back(self._remove_subscription_instrument_status, key):
            listing = await self._listing(key)
        if key in self.subscribed_instrument_status():
            self._watchlist.watch_status(listing)

    async def _subscribe_instrument_close(self, command: SubscribeInstrumentClose) -> None:
        key = command.instrument_id
        with self._taken_back(self._remove_subscription_instrument_close, key):
            listing = await self._listing(key)
        if key in self.subscribed_instrument_close():
            self._watchlist.watch_close(listing)

    async def _subscribe(self, command: SubscribeData) -> None:
        with self._taken_back(self._remove_subscription, command.data_type):
            await self._custom.add(command)

    async def _subscribe_quote_ticks(self, command: SubscribeQuoteTicks) -> None:
        key = command.instrument_id
        with self._taken_back(self._remove_subscription_quote_ticks, key):
            async with self._awaited(key) as listing:
                # Waiting took a while: it may be unsubscribed by now.
                if key in self.subscribed_quote_ticks():
                    self._feeds.add_ticks(listing, QuoteTick)

    async def _subscribe_trade_ticks(self, command: SubscribeTradeTicks) -> None:
        key = command.instrument_id
        with self._taken_back(self._remove_subscription_trade_ticks, key):
            async with self._awaited(key) as listing:
                self._need_trades(listing)
                if key in self.subscribed_trade_ticks():
                    self._feeds.add_ticks(listing, TradeTick)

    async def _subscribe_order_book_deltas(self, command: SubscribeOrderBook) -> None:
        key = command.instrument_id
        with self._taken_back(self._remove_subscription_order_book_deltas, key):
            _check_book_type(command.book_type)
            async with self._awaited(key) as listing:
                self._need_depth(listing)
                if key in self.subscribed_order_book_deltas():
                    self._feeds.add_book(listing, OrderBookDelta)

    async def _subscribe_order_book_depth(self, command: SubscribeOrderBook) -> None:
        key = command.instrument_id
        with self._taken_back(self._remove_subscription_order_book_depth, key):
            _check_book_type(command.book_type)
            async with self._awaited(key) as listing:
                self._need_depth(listing)
                if key in self.subscribed_order_book_depth():
                    self._feeds.add_book(listing, OrderBookDepth10)

    async def _subscribe_bars(self, command: SubscribeBars) -> None:
        bar_type = command.bar_type
        with self._taken_back(self._remove_subscription_bars, bar_type):
            async with self._awaited(bar_type.instrument_id) as listing:
                timeframe = timeframe_of(bar_type, listing.info)
                if bar_type in self.subscribed_bars():
                    self._feeds.add_bars(listing, timeframe, bar_type)

    async def _unsubscribe(self, command: UnsubscribeData) -> None:
        if not self._custom.remove(command):
            self._add_subscription(command.data_type)

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
        self._feeds.remove_ticks(command.instrument_id, QuoteTick)

    async def _unsubscribe_trade_ticks(self, command: UnsubscribeTradeTicks) -> None:
        self._feeds.remove_ticks(command.instrument_id, TradeTick)

    async def _unsubscribe_order_book_deltas(self, command: UnsubscribeOrderBook) -> None:
        self._feeds.remove_book(command.instrument_id, OrderBookDelta)

    async def _unsubscribe_order_book_depth(self, command: UnsubscribeOrderBook) -> None:
        self._feeds.remove_book(command.instrument_id, OrderBookDepth10)

    async def _unsubscribe_bars(self, command: UnsubscribeBars) -> None:
        self._feeds.remove_bars(command.bar_type)

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
            async with self._ready(request.instrument_id) as listing:
                self._mt5.check_link()
                await self._requests.quotes(request, listing)
        except Exception as error:
            self._fail(request, f"{type(error).__name__}: {error}")

    async def _request_trade_ticks(self, request: RequestTradeTicks) -> None:
        try:
            async with self._ready(request.instrument_id) as listing:
                self._need_trades(listing)
                self._mt5.check_link()
                await self._requests.trades(request, listing)
        except Exception as error:
            self._fail(request, f"{type(error).__name__}: {error}")

    async def _request_bars(self, request: RequestBars) -> None:
        try:
            async with self._ready(request.bar_type.instrument_id) as listing:
                self._mt5.check_link()
                await self._requests.bars(request, listing)
        except Exception as error:
            self._fail(request, f"{type(error).__name__}: {error}")

    async def _request_order_book_snapshot(self, request: RequestOrderBookSnapshot) -> None:
        try:
            async with self._ready(request.instrument_id) as listing:
                self._need_depth(listing)
                await self._requests.book(request, listing)
        except Exception as error:
            self._fail(request, f"{type(error).__name__}: {error}")

    subscribe_mark_prices = _refused("mark prices")
    subscribe_index_prices = _refused("index prices")
    subscribe_funding_rates = _refused("funding rates")
    subscribe_option_greeks = _refused("option greeks")

    unsubscribe_mark_prices = _nothing
    unsubscribe_index_prices = _nothing
    unsubscribe_funding_rates = _nothing
    unsubscribe_option_greeks = _nothing

    request = _unanswerable("custom data")
    request_funding_rates = _unanswerable("funding rates")
    request_forward_prices = _unanswerable("forward prices")
    request_order_book_deltas = _unanswerable("order book deltas")
    request_order_book_depth = _unanswerable("order book depths")

    @contextmanager
    def _taken_back[K](self, remove: Callable[[K], None], key: K) -> Iterator[None]:
        """Nautilus counts a subscription before it is served: one that fails is taken out again."""
        try:
            yield
        except BaseException:
            remove(key)
            raise

    @asynccontextmanager
    async def _ready(self, instrument_id: InstrumentId) -> AsyncIterator[Listing]:
        """An instrument that the terminal has ticks of: in Market Watch within the block."""
        listing = await self._listing(instrument_id)
        async with self._mt5.selected(listing.info.name):
            yield listing

    def _awaited(self, instrument_id: InstrumentId) -> AbstractAsyncContextManager[Listing]:
        """The same for a subscription: it waits while a lane is down."""
        return outlasting_trouble(self._mt5, self._log, lambda: self._ready(instrument_id))

    def _need_trades(self, listing: Listing) -> None:
        if not has_trades(listing.info):
            raise Unavailable(f"the terminal has no last prices of {listing.info.name!r}")

    def _need_depth(self, listing: Listing) -> None:
        if not listing.info.ticks_bookdepth:
            raise Unavailable(f"the terminal has no depth of {listing.info.name!r}")

    def _lose_book(self, instrument_id: InstrumentId, why: str) -> None:
        """The terminal refuses the depth that it should have."""
        self._log.error(f"No depth of {instrument_id}: {why}")
        for kind, subscribed, remove in (
            (
                OrderBookDelta,
                self.subscribed_order_book_deltas(),
                self._remove_subscription_order_book_deltas,
            ),
            (
                OrderBookDepth10,
                self.subscribed_order_book_depth(),
                self._remove_subscription_order_book_depth,
            ),
        ):
            if instrument_id in subscribed:
                remove(instrument_id)
            self._feeds.remove_book(instrument_id, kind)

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

    def _loaded(self) -> Iterator[Listing]:
        for instrument in self._provider.list_all():
            listing = self._provider.adopt(instrument)
            if listing is not None:
                yield listing

    def _on_clock(self, verdict: Verdict) -> None:
        """Times stay what the setting makes of them: changing them mid-stream would be worse."""
        if verdict.state is ClockState.WRONG:
            self._log.error(f"The server's clock: {verdict.text}")
        else:
            self._log.info(f"The server's clock: {verdict.text}")

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
        self._news.leave(self)
        if self._is_attached:
            self._is_attached = False
            await self._mt5.disconnect()
