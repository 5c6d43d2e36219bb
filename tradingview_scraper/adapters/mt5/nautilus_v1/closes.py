"""Which closing prices of an instrument are published? Of sessions that end, and of its expiry."""

import asyncio
from typing import Any, Final

from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import InstrumentClose
from nautilus_trader.model.enums import InstrumentCloseType
from nautilus_trader.model.objects import Price

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.watches import SymbolReading, Watch
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.rules.definition import SESSION_FIELDS
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

_DAY: Final = 86_400
_NS: Final = 1_000_000_000
#: Prices at which a contract may have ended, the truest first; the sides of the book come last.
_FINAL: Final = ("session_price_settlement", "last", "session_close", "bid", "ask")


class CloseWatch:
    """The closes of one instrument from now on; the expiry also when it is over already.

    A session's close is published once a server day, when a new session's figures appear. A
    contract's end is published once, at its `expiration_time` by the zone rule and this machine's
    clock, with the terminal's settlement price where it has one and its last price otherwise.
    """

    def __init__(
        self,
        out: LiveMarketDataClient,
        client: MT5Client,
        listing: Listing,
        loop: asyncio.AbstractEventLoop,
        every_secs: float,
    ) -> None:
        self._out = out
        self._client = client
        self._listing = listing
        self._loop = loop
        self._info: SymbolInfo = listing.info
        self._figures: tuple[float, float] | None = None
        self._published_day: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_expired = False
        self._watch: Watch = client.watch_symbol(
            listing.info.name,
            self._on_reading,
            loop,
            fields=(*SESSION_FIELDS, "expiration_time", "session_price_settlement"),
            every_secs=every_secs,
            selects=True,
        )

    def close(self) -> None:
        """Publish nothing more."""
        self._watch.close()
        if self._timer is not None:
            self._timer.cancel()

    def _on_reading(self, reading: SymbolReading) -> None:
        if reading.info is not None:
            self._info = reading.info
            self._look_at_session(reading.info)
        # A broker may take an expired symbol off its list: it ends with what was seen last.
        self._look_at_expiry()

    def _look_at_session(self, info: SymbolInfo) -> None:
        if not info.session_close:
            return
        figures, day = (info.session_open, info.session_close), info.time // _DAY
        before, self._figures = self._figures, figures
        if before in (None, figures) or day == self._published_day:
            return
        self._published_day = day
        self._publish(
            info.session_close,
            InstrumentCloseType.END_OF_SESSION,
            self._client.zone.utc_ns(info.time * 1_000),
        )

    def _look_at_expiry(self) -> None:
        """Publish the end when it has come, or look again then: the terminal may have moved it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._info.expiration_time
        if self._is_expired or at <= 0:
            return
        ends_ns = self._client.zone.utc_ns(at * 1_000)
        left = (ends_ns - self._out._clock.timestamp_ns()) / _NS
        if left > 0:
            # Loops refuse waits of more than a few weeks.
            self._timer = self._loop.call_later(min(left, float(_DAY)), self._look_at_expiry)
            return
        self._is_expired = True
        price = final_price(self._info)
        if price is None:
            self._out._log.warning(
                f"{self._listing.instrument.id} has expired, and the terminal has no price of it"
            )
            return
        self._publish(price, InstrumentCloseType.CONTRACT_EXPIRED, ends_ns)

    def _publish(self, price: float, kind: InstrumentCloseType, ts_event: int) -> None:
        instrument: Any = self._listing.instrument
        self._out._handle_data(
            InstrumentClose(
                instrument_id=instrument.id,
                close_price=Price(price, instrument.price_precision),
                close_type=kind,
                ts_event=ts_event,
                ts_init=self._out._clock.timestamp_ns(),
            )
        )


def final_price(info: SymbolInfo) -> float | None:
    """The price at which a contract has ended, as far as the terminal knows; None: no price."""
    prices: list[float] = [getattr(info, field) for field in _FINAL]
    return next((price for price in prices if 0 < abs(price) < float("inf")), None)
