"""A MetaTrader 5 adapter for NautilusTrader, through the official ``MetaTrader5`` library.

::

    MetaTrader 5 terminal (Windows)            simulated terminal (any OS)
          |  named pipe, one protocol                |  the same protocol
     MetaTrader5 library                        simulator's library module
          +--------------------------+---------------+        MT5TerminalConfig.module
                          worker process        owns the library, one per lane
                                 | pipe, one frame per batch
                              MT5Client         lanes, deadlines, identity, cursors, lifecycle
                                 | records: the terminal's own words
                        nautilus_v1/parsing     record -> Nautilus object
                                 |
             MT5DataClient, MT5ExecutionClient  ->  engines  ->  strategy

Four verbs, one per hop: *ask* (client), *watch* (feeds), *translate* (parsing), *publish* (data and
execution clients). ``terminal`` has the words, ``rules`` their meaning, ``worker`` and
``simulator`` the two ends of the pipe, ``client`` the node's side, ``nautilus_v1`` the binding.

Names are loaded on first use: importing this package imports neither NautilusTrader nor pandas.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradingview_scraper.adapters.mt5.client.client import MT5Client
    from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
        MT5DataClientConfig,
        MT5ExecClientConfig,
        MT5GuardsConfig,
        MT5InstrumentProviderConfig,
        MT5QualityConfig,
    )
    from tradingview_scraper.adapters.mt5.nautilus_v1.constants import MT5_VENUE
    from tradingview_scraper.adapters.mt5.nautilus_v1.data import MT5DataClient
    from tradingview_scraper.adapters.mt5.nautilus_v1.events import (
        MT5AccountFigures,
        MT5Alarm,
        MT5Gap,
        MT5SwapRates,
    )
    from tradingview_scraper.adapters.mt5.nautilus_v1.execution import MT5ExecutionClient
    from tradingview_scraper.adapters.mt5.nautilus_v1.factories import (
        MT5LiveDataClientFactory,
        MT5LiveExecClientFactory,
    )
    from tradingview_scraper.adapters.mt5.nautilus_v1.providers import MT5InstrumentProvider
    from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig

__all__ = [
    "MT5_VENUE",
    "MT5AccountFigures",
    "MT5Alarm",
    "MT5Client",
    "MT5DataClient",
    "MT5DataClientConfig",
    "MT5ExecClientConfig",
    "MT5ExecutionClient",
    "MT5Gap",
    "MT5GuardsConfig",
    "MT5InstrumentProvider",
    "MT5InstrumentProviderConfig",
    "MT5LiveDataClientFactory",
    "MT5LiveExecClientFactory",
    "MT5QualityConfig",
    "MT5SwapRates",
    "MT5TerminalConfig",
]

_MODULES = {
    "MT5_VENUE": "nautilus_v1.constants",
    "MT5AccountFigures": "nautilus_v1.events",
    "MT5Alarm": "nautilus_v1.events",
    "MT5Client": "client.client",
    "MT5DataClient": "nautilus_v1.data",
    "MT5DataClientConfig": "nautilus_v1.config",
    "MT5ExecClientConfig": "nautilus_v1.config",
    "MT5ExecutionClient": "nautilus_v1.execution",
    "MT5Gap": "nautilus_v1.events",
    "MT5GuardsConfig": "nautilus_v1.config",
    "MT5InstrumentProvider": "nautilus_v1.providers",
    "MT5InstrumentProviderConfig": "nautilus_v1.config",
    "MT5LiveDataClientFactory": "nautilus_v1.factories",
    "MT5LiveExecClientFactory": "nautilus_v1.factories",
    "MT5QualityConfig": "nautilus_v1.config",
    "MT5SwapRates": "nautilus_v1.events",
    "MT5TerminalConfig": "terminal.config",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
