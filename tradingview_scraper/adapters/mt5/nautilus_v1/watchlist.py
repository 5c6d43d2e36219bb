"""What becomes of the instruments that are subscribed to? Definitions, status, closing prices."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import InstrumentStatus
from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.lanes import Lane, LaneState, State
from tradingview_scraper.adapters.mt5.client.watches import SymbolReading, Watch
from tradingview_scraper.adapters.mt5.nautilus_v1.closes import CloseWatch
from tradingview_scraper.adapters.mt5.nautilus_v1.config import MT5DataClientConfig
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.status import Status, status_of
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.rules.definition import DEFINITION_FIELDS
from tradingview_scraper.adapters.mt5.rules.sessions import WeeklyHours, learn_hours
from tradingview_scraper.adapters.mt5.terminal.constants import Timeframe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error

_HOURS_PER_WEEK: Final = 168
_NS: Final = 1_000_000_000


class Watchlist:
    """Instruments whose record is watched, for the data client `out`, which publishes."""

    def __init__(
        self,
        out: LiveMarketDataClient,
        client: MT5Client,
        provider: MT5InstrumentProvider,
        config: MT5DataClientConfig,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._out = out
        self._client = client
        self._provider = provider
        self._config = config
        self._loop = loop
        self._definitions: dict[InstrumentId, Watch] = {}
        self._closes: dict[InstrumentId, CloseWatch] = {}
        self._statuses: dict[InstrumentId, _StatusWatch] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def watch_definition(self, listing: Listing) -> None:
        """Publish the instrument whenever its definition changes."""
        if listing.instrument.id in self._definitions:
            return
        known = [listing.info]

        def handle(reading: SymbolReading) -> None:
            info = reading.info
            if info is None or _definition(info) == _definition(known[0]):
                return
            known[0] = info
            self._run(self._publish_definition(info))

        self._definitions[listing.instrument.id] = self._watch(
            listing, handle, DEFINITION_FIELDS, self._config.instrument_poll_secs
        )

    def watch_status(self, listing: Listing) -> None:
        """Publish the instrument's status now, and when it changes."""
        instrument_id = listing.instrument.id
        if instrument_id in self._statuses:
            return
        status = self._statuses[instrument_id] = _StatusWatch(
            self._out, self._client, listing, self._config.status_quiet_secs
        )
        status.watches = [
            self._client.watch_state(status.on_lane, self._loop),
            self._client.watch_symbol(
                listing.info.name,
                status.on_reading,
                self._loop,
                fields=("trade_mode",),
                every_secs=self._config.status_poll_secs,
                quiet_secs=self._config.status_quiet_secs,
            ),
        ]
        if self._config.status_learn_weeks:
            self._run(self._learn(status))

    def watch_close(self, listing: Listing) -> None:
        """Publish the closing price of each session, and of the contract, that ends from now on."""
        if listing.instrument.id not in self._closes:
            self._closes[listing.instrument.id] = CloseWatch(
                self._out, self._client, listing, self._loop, self._config.status_poll_secs
            )

    def forget_definition(self, instrument_id: InstrumentId) -> None:
        _close(self._definitions.pop(instrument_id, None))

    def forget_status(self, instrument_id: InstrumentId) -> None:
        status = self._statuses.pop(instrument_id, None)
        if status is not None:
            status.close()

    def forget_close(self, instrument_id: InstrumentId) -> None:
        _close(self._closes.pop(instrument_id, None))

    def close(self) -> None:
        """Watch nothing any more."""
        for instrument_id in tuple(self._definitions):
            self.forget_definition(instrument_id)
        for instrument_id in tuple(self._closes):
            self.forget_close(instrument_id)
        for instrument_id in tuple(self._statuses):
            self.forget_status(instrument_id)
        for task in self._tasks:
            task.cancel()

    def _watch(
        self,
        listing: Listing,
        handle: Callable[[SymbolReading], None],
        fields: tuple[str, ...],
        every_secs: float,
    ) -> Watch:
        return self._client.watch_symbol(
            listing.info.name,
            handle,
            self._loop,
            fields=fields,
            every_secs=every_secs,
            selects=False,
        )

    async def _publish_definition(self, info: Any) -> None:
        changed = await self._provider.relist(info)
        if changed is not None and changed.instrument.id in self._definitions:
            self._out._handle_data(changed.instrument)

    async def _learn(self, status: "_StatusWatch") -> None:
        try:
            rows = await self._client.copy_rates_from_pos(
                status.symbol,
                int(Timeframe.H1),
                1,
                self._config.status_learn_weeks * _HOURS_PER_WEEK,
            )
        except MT5Error as error:
            self._out._log.warning(f"The hours of {status.symbol!r} are not learned: {error}")
            return
        status.learned(learn_hours(rows["time"].tolist()))

    def _run(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _StatusWatch:
    """The status of one instrument, told when it changes."""

    def __init__(
        self, out: LiveMarketDataClient, client: MT5Client, listing: Listing, quiet_secs: float
    ) -> None:
        self.symbol = listing.info.name
        self.watches: list[Watch] = []
        self._out = out
        self._client = client
        self._instrument_id = listing.instrument.id
        self._quiet_secs = quiet_secs
        self._link: str | None = None
        self._reading: SymbolReading | None = None
        self._hours: WeeklyHours | None = None
        self._said: Status | None = None
        self._is_closed = False

    def close(self) -> None:
        self._is_closed = True
        for watch in self.watches:
            watch.close()

    def on_reading(self, reading: SymbolReading) -> None:
        self._reading = reading
        self._tell()

    def on_lane(self, state: LaneState) -> None:
        if state.lane is Lane.QUOTES:
            is_up = state.state is State.ATTACHED
            self._link = None if is_up else f"{state.state} {state.reason}"
            self._tell()

    def learned(self, hours: WeeklyHours | None) -> None:
        self._hours = hours
        self._tell()

    def _tell(self) -> None:
        reading = self._reading
        if reading is None or self._is_closed:
            return
        now = self._out._clock.timestamp_ns()
        zone = self._client.zone
        quoted = zone.utc_ns(reading.info.time * 1_000) if reading.info is not None else 0
        status = status_of(
            reading,
            link=self._link,
            age_secs=(now - quoted) / _NS,
            quiet_secs=self._quiet_secs,
            hours=self._hours,
            server_seconds=zone.server_seconds(now),
        )
        if status == self._said:
            return
        self._said = status
        self._out._handle_data(
            InstrumentStatus(
                instrument_id=self._instrument_id,
                action=status.action,
                ts_event=now,
                ts_init=now,
                reason=status.reason,
                is_trading=status.is_trading,
                is_quoting=status.is_quoting,
                is_short_sell_restricted=status.is_short_sell_restricted,
            )
        )


def _definition(info: Any) -> tuple[Any, ...]:
    return tuple(getattr(info, field) for field in DEFINITION_FIELDS)


def _close(watch: Watch | CloseWatch | None) -> None:
    if watch is not None:
        watch.close()
