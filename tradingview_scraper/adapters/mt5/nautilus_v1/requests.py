"""How is a request for historical data answered? Read, translated, and handed over in parts.

The engine works off a response in one go, on the event loop [measured: 3.5 us a tick], and takes
one response for a request. So the rows of a large answer are handed over in parts as historical
data, half of the loop's time is left to what is live between them, and the response itself carries
the last of them: a strategy sees them in order, and its callback runs when all have come. Where the
parts have to be sorted or kept together (joined requests, data that is written to a catalog) they
come whole.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from nautilus_trader.core.datetime import dt_to_unix_nanos
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.data.messages import (
    RequestBars,
    RequestData,
    RequestOrderBookSnapshot,
    RequestQuoteTicks,
    RequestTradeTicks,
)
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import DataType, OrderBookDeltas

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.watches import BookReading
from tradingview_scraper.adapters.mt5.nautilus_v1.feeds import levels_of
from tradingview_scraper.adapters.mt5.nautilus_v1.history import History
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.bars import bars, timeframe_of
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.books import deltas
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.ticks import quote_size, quote_ticks
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trade_ticks import (
    place_after,
    trade_ticks,
)
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import CopyTicks

#: Rows that are translated on the event loop; more go through a thread.
_ON_LOOP: Final = 2_000
#: What a timer of an event loop counts; Windows lets up to 16 times as much pass.
_TIMER_SECS: Final = 0.001
#: Seconds for which an empty book is waited for to fill: a terminal shows it some time after it was
#: asked for it [recorded].
_BOOK_SECS: Final = 2.0
#: Parameters of a request whose answer must come whole.
_WHOLE: Final = ("join_request", "update_catalog", "subscription_name")


class Requests:
    """Answers requests of the node. `out` is the client that answers."""

    def __init__(
        self,
        out: LiveMarketDataClient,
        client: MT5Client,
        loop: asyncio.AbstractEventLoop,
        *,
        quote_lots: float,
        response_rows: int,
        sync_secs: float,
    ) -> None:
        self._out = out
        self._client = client
        self._loop = loop
        self._quote_lots = quote_lots
        self._response_rows = response_rows
        self._history = History(client, sync_secs=sync_secs, log=out._log.info)

    async def quotes(self, request: RequestQuoteTicks, listing: Listing) -> None:
        """Raises `MT5Error`; nothing is answered then."""
        start_ns, end_ns = self._range_of(request)
        found = await self._history.ticks(
            listing.info.name,
            start_ns=start_ns,
            end_ns=end_ns,
            limit=request.limit,
            flags=CopyTicks.INFO,
        )
        size = quote_size(listing, self._quote_lots)

        def translate(rows: Rows) -> list[Any]:
            return quote_ticks(
                rows,
                instrument_id=listing.instrument.id,
                price_precision=listing.instrument.price_precision,
                size=size,
                zone=self._client.zone,
            ).ticks

        await self._answer(request, found.rows, translate)

    async def trades(self, request: RequestTradeTicks, listing: Listing) -> None:
        """Raises `MT5Error`; nothing is answered then."""
        start_ns, end_ns = self._range_of(request)
        found = await self._history.ticks(
            listing.info.name,
            start_ns=start_ns,
            end_ns=end_ns,
            limit=request.limit,
            flags=CopyTicks.TRADE,
        )
        place = place_after(found.before)

        def translate(rows: Rows) -> list[Any]:
            nonlocal place
            made = trade_ticks(
                rows,
                instrument_id=listing.instrument.id,
                price_precision=listing.instrument.price_precision,
                size_precision=listing.instrument.size_precision,
                lot=float(listing.sizing.lot),
                zone=self._client.zone,
                place=place,
            )
            place = made.place
            return made.ticks

        await self._answer(request, found.rows, translate)

    async def bars(self, request: RequestBars, listing: Listing) -> None:
        """Raises `MT5Error`, or `UnsupportedBarType`; nothing is answered then."""
        bar_type = request.bar_type
        timeframe = timeframe_of(bar_type, listing.info)
        start_ns, end_ns = self._range_of(request)
        found = await self._history.bars(
            listing.info.name, timeframe, start_ns=start_ns, end_ns=end_ns, limit=request.limit
        )

        def translate(rows: Rows) -> list[Any]:
            made = bars(
                rows,
                bar_type=bar_type,
                timeframe=timeframe,
                listing=listing,
                zone=self._client.zone,
            )
            if made.skipped:
                self._out._log.warning(f"{bar_type}: {made.skipped} rows are no bars")
            return made.bars

        await self._answer(request, found, translate)

    async def book(self, request: RequestOrderBookSnapshot, listing: Listing) -> None:
        """Raises RuntimeError when the terminal refuses; nothing is answered then."""
        instrument_id = listing.instrument.id
        reading = await self._reading(listing.info.name)
        levels = levels_of(reading, listing)
        if request.limit > 0:
            levels = levels._replace(
                bids=levels.bids[: request.limit], asks=levels.asks[: request.limit]
            )
        snapshot = deltas(
            levels,
            instrument_id=instrument_id,
            sequence=0,
            ts_event=reading.taken_ns,
            ts_init=reading.taken_ns,
        )
        self._respond(
            DataType(OrderBookDeltas, metadata={"instrument_id": instrument_id}),
            [snapshot],
            request.id,
            request,
        )

    async def _reading(self, symbol: str) -> BookReading:
        """The book when it is filled, or as it is after a while."""
        came = asyncio.Event()
        readings: list[BookReading] = []
        refusals: list[str] = []

        def take(reading: BookReading) -> None:
            readings.append(reading)
            if reading.entries:
                came.set()

        def refuse(why: str) -> None:
            refusals.append(why)
            came.set()

        watch = self._client.watch_book(symbol, take, self._loop, on_fault=refuse)
        try:
            async with asyncio.timeout(_BOOK_SECS):
                await came.wait()
        except TimeoutError:
            pass
        finally:
            watch.close()
        if not readings:
            raise RuntimeError(refusals[0] if refusals else "the terminal shows no depth")
        return readings[-1]

    async def _answer(
        self, request: RequestData, rows: Rows, translate: Callable[[Rows], list[Any]]
    ) -> None:
        params = request.params or {}
        size = self._response_rows
        if not size or any(params.get(name) for name in _WHOLE):
            size = max(len(rows), 1)
        last = max(0, (len(rows) - 1) // size * size)
        owed = 0.0
        for at in range(0, last + 1, size):
            begun = time.perf_counter()
            part = rows[at : at + size]
            if len(part) > _ON_LOOP:
                data = await asyncio.to_thread(translate, part)
            else:
                data = translate(part)
            # An id that nobody asked with: the engine publishes the data and answers nobody.
            self._respond(request.data_type, data, request.id if at == last else UUID4(), request)
            if at == last:
                return
            # The engine has two steps to go until it has worked that off.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            # An order takes several turns of the loop: half of the time is left to what is live.
            owed += time.perf_counter() - begun
            if owed >= _TIMER_SECS:
                await asyncio.sleep(owed)
                owed = 0.0

    def _respond(
        self, data_type: DataType, data: list[Any], correlation_id: UUID4, request: RequestData
    ) -> None:
        self._out._handle_data_response(
            data_type, data, correlation_id, request.start, request.end, request.params
        )

    def _range_of(self, request: RequestData) -> tuple[int | None, int]:
        start = dt_to_unix_nanos(request.start) if request.start is not None else None
        end = request.end
        return start, dt_to_unix_nanos(end) if end is not None else self._out._clock.timestamp_ns()
