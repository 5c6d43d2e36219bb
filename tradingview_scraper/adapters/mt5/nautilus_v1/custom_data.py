"""Which custom data are subscribed to, and who reads what they need? `CustomFeeds`.

Nautilus tells a client of the first subscription to a type (and instrument) only, and of each
unsubscription, also where others stay [seen in 1.231].
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from nautilus_trader.common.data_topics import TopicCache
from nautilus_trader.data.messages import SubscribeData, UnsubscribeData
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import CustomData, DataType
from nautilus_trader.model.identifiers import AccountId, InstrumentId

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.watches import SymbolReading, Watch
from tradingview_scraper.adapters.mt5.nautilus_v1.denials import Unavailable
from tradingview_scraper.adapters.mt5.nautilus_v1.events import (
    MT5AccountFigures,
    MT5Alarm,
    MT5Gap,
    MT5SwapRates,
    MT5TerminalStatus,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.account import account_figures
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.swaps import SWAP_FIELDS, swap_rates
from tradingview_scraper.adapters.mt5.rules.facts import AccountSeen, Fact
from tradingview_scraper.adapters.mt5.rules.stop_out import MarginWatch
from tradingview_scraper.adapters.mt5.terminal.records import AccountInfo

#: Come by themselves: gaps from the feeds, alarms from the execution client, states from either.
_UNASKED: Final = (MT5Gap, MT5Alarm, MT5TerminalStatus)
_ACCOUNT_FIGURES: Final = DataType(MT5AccountFigures)
_SWAP_RATES: Final = DataType(MT5SwapRates)
_topics: Final = TopicCache()


class CustomFeeds:
    """Account figures and swap rates, for the data client `out`, which publishes.

    `listing_of` gives what is known of an instrument, and raises where there is none; `loaded` are
    the instruments that a subscription to all of them means.
    """

    def __init__(
        self,
        out: LiveMarketDataClient,
        client: MT5Client,
        loop: asyncio.AbstractEventLoop,
        *,
        listing_of: Callable[[InstrumentId], Awaitable[Listing]],
        loaded: Callable[[], Iterable[Listing]],
        every_secs: float,
    ) -> None:
        self._out = out
        self._client = client
        self._loop = loop
        self._listing_of = listing_of
        self._loaded = loaded
        self._every_secs = every_secs
        self._figures: _FiguresFeed | None = None
        self._swaps: dict[InstrumentId, Watch] = {}
        self._wanted: dict[DataType, frozenset[InstrumentId]] = {}

    async def add(self, command: SubscribeData) -> None:
        """Publish what is subscribed to, now and when it changes. Raises `Unavailable`."""
        data_type = command.data_type
        if data_type.type is MT5AccountFigures:
            if self._figures is None:
                self._figures = _FiguresFeed(self._out, self._client, self._loop)
        elif data_type.type is MT5SwapRates:
            listings = await self._wanted_by(command)
            # Waiting took a while: it may be unsubscribed by now.
            if data_type in self._out.subscribed_custom_data():
                self._add_swaps(data_type, listings)
        elif data_type.type not in _UNASKED:
            names = [one.__name__ for one in (*_UNASKED, MT5AccountFigures, MT5SwapRates)]
            raise Unavailable(f"{data_type} is no data of MetaTrader 5; {', '.join(names)} are")

    def remove(self, command: UnsubscribeData) -> bool:
        """Read no more what nobody else needs. False: another subscription is left."""
        # What a strategy subscribes to; Nautilus puts the instrument into the command's type.
        named = command.instrument_id is not None
        data_type = DataType(command.data_type.type) if named else command.data_type
        topic = _topics.get_custom_data_topic(data_type, command.instrument_id)
        if any(one.topic == topic for one in self._out._msgbus.subscriptions(topic)):
            return False
        self._forget(command.data_type)
        return True

    def close(self) -> None:
        """Publish nothing more."""
        for data_type in (_ACCOUNT_FIGURES, *self._wanted):
            self._forget(data_type)

    def _forget(self, data_type: DataType) -> None:
        if data_type.type is MT5AccountFigures and self._figures is not None:
            self._figures.close()
            self._figures = None
        self._wanted.pop(data_type, None)
        needed = frozenset[InstrumentId]().union(*self._wanted.values())
        for instrument_id in self._swaps.keys() - needed:
            self._swaps.pop(instrument_id).close()

    async def _wanted_by(self, command: SubscribeData) -> list[Listing]:
        if command.instrument_id is not None:
            return [await self._listing_of(command.instrument_id)]
        if command.data_type.metadata:
            raise Unavailable(
                f"expected one instrument as instrument_id=, or none for all that are loaded, "
                f"and no metadata, was {command.data_type}"
            )
        return list(self._loaded())

    def _add_swaps(self, data_type: DataType, listings: Iterable[Listing]) -> None:
        wanted = {listing.instrument.id: listing for listing in listings}
        self._wanted[data_type] = frozenset(wanted)
        for instrument_id, listing in wanted.items():
            if instrument_id not in self._swaps:
                self._swaps[instrument_id] = self._watch(listing)

    def _watch(self, listing: Listing) -> Watch:
        instrument_id = listing.instrument.id

        def handle(reading: SymbolReading) -> None:
            if reading.info is not None:
                now = self._out._clock.timestamp_ns()
                rates = swap_rates(reading.info, instrument_id=instrument_id, ts=now)
                self._out._handle_data(CustomData(_SWAP_RATES, rates))

        return self._client.watch_symbol(
            listing.info.name,
            handle,
            self._loop,
            fields=SWAP_FIELDS,
            every_secs=self._every_secs,
            selects=False,
        )


class _FiguresFeed:
    """The account's figures, told when one of them is another."""

    def __init__(
        self, out: LiveMarketDataClient, client: MT5Client, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._out = out
        self._margin = MarginWatch()
        self._said: AccountInfo | None = None
        self._watch = client.watch_trade(self._on_facts, loop)
        self._tell(client.account)

    def close(self) -> None:
        self._watch.close()

    def _on_facts(self, facts: list[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, AccountSeen):
                self._tell(fact.account)

    def _tell(self, account: AccountInfo) -> None:
        self._margin.read(account)
        if account == self._said:
            return
        self._said = account
        figures = account_figures(
            account,
            account_id=AccountId(f"{self._out.id}-{account.login}"),
            zone=self._margin.zone,
            ts=self._out._clock.timestamp_ns(),
        )
        self._out._handle_data(CustomData(_ACCOUNT_FIGURES, figures))
