"""How does a trading node build the clients of a terminal?

>>> node.add_data_client_factory("MT5", MT5LiveDataClientFactory)
>>> node.add_exec_client_factory("MT5", MT5LiveExecClientFactory)

Nothing is started here. Clients of one terminal share one `MT5Client`, and one provider where
their venue and provider configuration are the same.
"""

import asyncio
import os
from typing import Final
from weakref import WeakValueDictionary

import msgspec
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.live.factories import LiveDataClientFactory, LiveExecClientFactory
from nautilus_trader.model.identifiers import Venue

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.registry import shared_client
from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5DataClientConfig,
    MT5ExecClientConfig,
    MT5InstrumentProviderConfig,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.data import MT5DataClient
from tradingview_scraper.adapters.mt5.nautilus_v1.execution import MT5ExecutionClient
from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

type _Key = tuple[MT5Client, str, bytes]

#: A provider lives as long as the clients that use it.
_providers: Final[WeakValueDictionary[_Key, MT5InstrumentProvider]] = WeakValueDictionary()


class MT5LiveDataClientFactory(LiveDataClientFactory):
    """Builds `MT5DataClient`."""

    @staticmethod
    def create(  # type: ignore[override]
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: MT5DataClientConfig,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
    ) -> MT5DataClient:
        """Raises `MT5ConfigError` for a name or a configuration that cannot work."""
        _check_name(name)
        config = _with_environment(config)
        client = shared_client(config.terminal)
        return MT5DataClient(
            loop=loop,
            client=client,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=_shared_provider(client, config.instrument_provider, config.venue),
            config=config,
            name=name,
        )


class MT5LiveExecClientFactory(LiveExecClientFactory):
    """Builds `MT5ExecutionClient`."""

    @staticmethod
    def create(  # type: ignore[override]
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: MT5ExecClientConfig,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
    ) -> MT5ExecutionClient:
        """Raises `MT5ConfigError` for a name or a configuration that cannot work."""
        _check_name(name)
        config = _with_environment(config)
        client = shared_client(config.terminal)
        return MT5ExecutionClient(
            loop=loop,
            client=client,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=_shared_provider(client, config.instrument_provider, config.venue),
            config=config,
            name=name,
        )


def _check_name(name: str) -> None:
    if "-" in name:
        raise MT5ConfigError(
            f"a client's name must not contain '-', was {name!r}: account ids are made from it, "
            f"and Nautilus cuts it there; use {name.replace('-', '')!r}"
        )


def _with_environment[C: (MT5DataClientConfig, MT5ExecClientConfig)](config: C) -> C:
    filled = config.terminal.with_environment(os.environ)
    return msgspec.structs.replace(config, terminal=filled)


def _shared_provider(
    client: MT5Client, config: MT5InstrumentProviderConfig, venue: str
) -> MT5InstrumentProvider:
    key = (client, venue, config.json())
    provider = _providers.get(key)
    if provider is None:
        provider = _providers[key] = MT5InstrumentProvider(client, config, Venue(venue))
    return provider
