"""Which feeds of the terminal run for the subscriptions of a data client? A class for each kind.

Feeds are shared: quotes and trades of a symbol come from one tick feed, deltas and depths from one
book, and bar types of one series from one bar feed. Each runs from the first subscription that
needs it to the last, and goes on by itself where it was when a worker is replaced.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import (
    BarType,
    CustomData,
    DataType,
    OrderBookDelta,
    OrderBookDepth10,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.watches import BookReading, TickGap, Watch
from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5Gap
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.bars import bars
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.books import deltas, depth10, sides
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.ticks import quote_size, quote_ticks
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.trade_ticks import (
    NOWHERE,
    Place,
    has_trades,
    place_after,
    trade_ticks,
)
from tradingview_scraper.adapters.mt5.terminal.api import Rows
from tradingview_scraper.adapters.mt5.terminal.constants import TickFlag, Timeframe

#: The data type under which gaps are published.
GAPS: Final = DataType(MT5Gap)


class Feeds:
    """All live feeds of a data client. `out` is the client that publishes.

    `gaps` counts by instrument how often the terminal lost ticks of it.
    """

    def __init__(
        self,
        out: LiveMarketDataClient,
        client: MT5Client,
        loop: asyncio.AbstractEventLoop,
        *,
        quote_lots: float,
        on_refused: Callable[[InstrumentId, str], None],
    ) -> None:
        self._out = out
        self._client = client
        self._loop = loop
        self._quote_lots = quote_lots
        self._on_refused = on_refused
        self.gaps: Counter[InstrumentId] = Counter()
        self._ticks: dict[InstrumentId, TickFeed] = {}
        self._books: dict[InstrumentId, BookFeed] = {}
        self._bars: dict[tuple[InstrumentId, Timeframe], BarFeed] = {}

    def add_ticks(self, listing: Listing, kind: type[QuoteTick] | type[TradeTick]) -> None:
        """Publish the quotes, or the trades, of a symbol that is selected."""
        key = listing.instrument.id
        feed = self._ticks.get(key)
        if feed is None:
            feed = self._ticks[key] = TickFeed(
                self._out, self._client, self._loop, listing, self._quote_lots, self.gaps
            )
        feed.kinds.add(kind)

    def add_book(
        self, listing: Listing, kind: type[OrderBookDelta] | type[OrderBookDepth10]
    ) -> None:
        """Publish the book of a symbol that is selected, as snapshots of deltas or as depths."""
        key = listing.instrument.id
        feed = self._books.get(key)
        if feed is None:
            feed = self._books[key] = BookFeed(
                self._out, self._client, self._loop, listing, self._on_refused
            )
        feed.add(kind)

    def add_bars(self, listing: Listing, timeframe: Timeframe, bar_type: BarType) -> None:
        """Publish the closed bars of a symbol that is selected."""
        key = listing.instrument.id, timeframe
        feed = self._bars.get(key)
        if feed is None:
            feed = self._bars[key] = BarFeed(
                self._out, self._client, self._loop, listing, timeframe
            )
        feed.kinds.add(bar_type)

    def remove_ticks(self, key: InstrumentId, kind: type[QuoteTick] | type[TradeTick]) -> None:
        """End one subscription; the feed ends with the last."""
        _remove(self._ticks, key, kind)

    def remove_book(
        self, key: InstrumentId, kind: type[OrderBookDelta] | type[OrderBookDepth10]
    ) -> None:
        _remove(self._books, key, kind)

    def remove_bars(self, bar_type: BarType) -> None:
        for key in list(self._bars):
            _remove(self._bars, key, bar_type)

    def close(self) -> None:
        """End all of them."""
        feeds: list[Any] = [*self._ticks.values(), *self._books.values(), *self._bars.values()]
        for feed in feeds:
            feed.watch.close()
        self._ticks.clear()
        self._books.clear()
        self._bars.clear()


def _remove(feeds: dict[Any, Any], key: Any, kind: Any) -> None:
    feed = feeds.get(key)
    if feed is None:
        return
    feed.kinds.discard(kind)
    if not feed.kinds:
        del feeds[key]
        feed.watch.close()


class TickFeed:
    """The ticks of one symbol, as the quotes and the trades that are in them."""

    def __init__(
        self,
        out: LiveMarketDataClient,
        client: MT5Client,
        loop: asyncio.AbstractEventLoop,
        listing: Listing,
        quote_lots: float,
        gaps: Counter[InstrumentId],
    ) -> None:
        self.kinds: set[type[QuoteTick] | type[TradeTick]] = set()
        self._out = out
        self._listing = listing
        self._instrument_id = listing.instrument.id
        self._price_precision: int = listing.instrument.price_precision
        self._size = quote_size(listing, quote_lots)
        self._zone = client.zone
        self._gaps = gaps
        # Every tick carries bid and ask [recorded], also the one of a trade that changed neither:
        # the first one of a subscription is its first quote.
        self._needs_quote = True
        # Counted from the feed's first tick, which begins its millisecond, for any later trade.
        self._counts_trades = has_trades(listing.info)
        self._place: Place = NOWHERE
        self.watch: Watch = client.watch_ticks(
            listing.info.name, self._publish, loop, on_gap=self._publish_gap
        )

    def _publish(self, symbol: str, rows: Rows) -> None:
        now = self._out._clock.timestamp_ns()
        found: list[Any] = []
        skipped = 0
        if QuoteTick not in self.kinds:
            self._needs_quote = True
        else:
            quotes = quote_ticks(
                _quoted(rows) if self._needs_quote else rows,
                instrument_id=self._instrument_id,
                price_precision=self._price_precision,
                size=self._size,
                zone=self._zone,
                ts_init=now,
            )
            found, skipped = quotes.ticks, quotes.skipped
            self._needs_quote = self._needs_quote and not found
        if TradeTick in self.kinds:
            trades = trade_ticks(
                rows,
                instrument_id=self._instrument_id,
                price_precision=self._price_precision,
                size_precision=self._listing.instrument.size_precision,
                lot=float(self._listing.sizing.lot),
                zone=self._zone,
                ts_init=now,
                place=self._place,
            )
            self._place = trades.place
            skipped += trades.skipped
            # In the order of time; quotes of a millisecond come before its trades.
            found = sorted([*found, *trades.ticks], key=_ts_event) if found else trades.ticks
        elif self._counts_trades:
            self._place = place_after(rows, self._place)
        publish = self._out._handle_data
        for tick in found:
            publish(tick)
        if skipped:
            self._out._log.debug(f"{symbol}: {skipped} ticks without a price or a size")

    def _publish_gap(self, gap: TickGap) -> None:
        self._gaps[self._instrument_id] += 1
        until_ns = self._zone.utc_ns(gap.until_msc)
        event = MT5Gap(
            ts_event=until_ns,
            ts_init=self._out._clock.timestamp_ns(),
            instrument_id=self._instrument_id,
            after_ns=self._zone.utc_ns(gap.after_msc),
            until_ns=until_ns,
        )
        self._out._log.warning(f"The terminal has lost ticks: {event}")
        self._out._handle_data(CustomData(GAPS, event))


class BookFeed:
    """The depth of one symbol, as snapshots: the whole book whenever it is another."""

    def __init__(
        self,
        out: LiveMarketDataClient,
        client: MT5Client,
        loop: asyncio.AbstractEventLoop,
        listing: Listing,
        on_refused: Callable[[InstrumentId, str], None],
    ) -> None:
        self.kinds: set[type[OrderBookDelta] | type[OrderBookDepth10]] = set()
        self._out = out
        self._listing = listing
        self._on_refused = on_refused
        self._sequence = 0
        self._last: BookReading | None = None
        self.watch: Watch = client.watch_book(
            listing.info.name, self._publish, loop, on_fault=self._refuse
        )

    def add(self, kind: type[OrderBookDelta] | type[OrderBookDepth10]) -> None:
        """One that comes later gets the book as it is now."""
        if kind not in self.kinds:
            self.kinds.add(kind)
            if self._last is not None:
                self._send(self._last, {kind})

    def _publish(self, reading: BookReading) -> None:
        self._last = reading
        self._sequence += 1
        self._send(reading, self.kinds)

    def _send(
        self, reading: BookReading, kinds: set[type[OrderBookDelta] | type[OrderBookDepth10]]
    ) -> None:
        levels = levels_of(reading, self._listing)
        how: dict[str, Any] = {
            "instrument_id": self._listing.instrument.id,
            "sequence": self._sequence,
            "ts_event": reading.taken_ns,
            "ts_init": self._out._clock.timestamp_ns(),
        }
        if OrderBookDelta in kinds:
            self._out._handle_data(deltas(levels, **how))
        if OrderBookDepth10 in kinds:
            self._out._handle_data(depth10(levels, **how))

    def _refuse(self, why: str) -> None:
        # A terminal that has shown the book is only in trouble, and will show it again.
        if self._last is None:
            self._on_refused(self._listing.instrument.id, why)


class BarFeed:
    """The closed bars of one series, for one or more bar types."""

    def __init__(
        self,
        out: LiveMarketDataClient,
        client: MT5Client,
        loop: asyncio.AbstractEventLoop,
        listing: Listing,
        timeframe: Timeframe,
    ) -> None:
        self.kinds: set[BarType] = set()
        self._out = out
        self._listing = listing
        self._zone = client.zone
        self.watch: Watch = client.watch_bars(listing.info.name, timeframe, self._publish, loop)

    def _publish(self, symbol: str, timeframe: Timeframe, rows: Rows) -> None:
        now = self._out._clock.timestamp_ns()
        for bar_type in tuple(self.kinds):
            found = bars(
                rows,
                bar_type=bar_type,
                timeframe=timeframe,
                listing=self._listing,
                zone=self._zone,
                ts_init=now,
            )
            for bar in found.bars:
                self._out._handle_data(bar)
            if found.skipped:
                self._out._log.warning(
                    f"{bar_type}: {found.skipped} rows of the terminal are no bars"
                )


def _quoted(rows: Rows) -> Rows:
    """`rows` with the first one marked as a quote, whatever it was that changed."""
    marked = rows.copy()
    marked["flags"][0] |= int(TickFlag.BID | TickFlag.ASK)
    return marked


def levels_of(reading: BookReading, listing: Listing) -> Any:
    """The price levels of a reading, in the instrument's precisions and units."""
    return sides(
        reading.entries,
        price_precision=listing.instrument.price_precision,
        size_precision=listing.instrument.size_precision,
        lot=float(listing.sizing.lot),
    )


_ts_event: Final = attrgetter("ts_event")
