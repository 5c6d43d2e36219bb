"""Which client serves this terminal? Exactly one per terminal and process."""

import os
import threading
import weakref
from pathlib import Path
from typing import Final

import msgspec

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError

_lock: Final = threading.Lock()
_clients: Final[weakref.WeakValueDictionary[tuple[str, str], MT5Client]] = (
    weakref.WeakValueDictionary()
)


def shared_client(config: MT5TerminalConfig) -> MT5Client:
    """The client of `config`'s terminal: the same for the same module and path, however spelled.

    It lives as long as anyone holds it. Fields left out are filled from the environment first.
    Raises `MT5ConfigError` when the terminal's client is in use with another configuration: an
    account switch, say, would switch it for everyone.
    """
    config = config.with_environment(os.environ)
    key = config.module, _terminal_key(config.path)
    with _lock:
        client = _clients.get(key)
        if client is not None and client.config != config:
            if client.is_used:
                raise MT5ConfigError(_difference(client.config, config))
            client = None
        if client is None:
            client = _clients[key] = MT5Client(config)
        return client


def _terminal_key(path: str | None) -> str:
    """One spelling per file; what is no file (a scenario's name) stays as it is."""
    if path is None:
        return ""
    file = Path(path)
    return os.path.normcase(file.resolve()) if file.exists() else path


def _difference(used: MT5TerminalConfig, wanted: MT5TerminalConfig) -> str:
    before, after = msgspec.structs.asdict(used), msgspec.structs.asdict(wanted)
    fields = ", ".join(name for name in before if before[name] != after[name])
    return (
        f"the terminal {used.path!r} is in use with another configuration: {fields} differ; "
        "use one MT5TerminalConfig for all clients of a terminal, and one terminal per account"
    )
