"""Clients of simulated terminals."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from tests.library import LIBRARY
from tradingview_scraper.adapters.mt5.client import MT5Client
from tradingview_scraper.adapters.mt5.terminal.config import (
    ENVIRONMENT,
    MT5TerminalConfig,
)

LOGIN = 5001234

#: Connects a client to a terminal, or to a path; disconnects at the end of the block.
Connected = Callable[..., AbstractAsyncContextManager[MT5Client]]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for variable in ENVIRONMENT.values():
        monkeypatch.delenv(variable, raising=False)


def config_for(terminal: Any, **fields: Any) -> MT5TerminalConfig:
    """Of a terminal, or of a path, with impatient settings."""
    path = terminal if isinstance(terminal, str) else terminal.path
    settings = {
        "path": path,
        "login": LOGIN,
        "module": LIBRARY,
        "trade_poll_ms": 20,
        "restart_delay_ms": 50,
        **fields,
    }
    return MT5TerminalConfig(**settings)


@pytest.fixture
def config() -> Callable[..., MT5TerminalConfig]:
    return config_for


@pytest.fixture
def connected() -> Connected:
    @asynccontextmanager
    async def connected(terminal: Any, **fields: Any) -> AsyncIterator[MT5Client]:
        client = MT5Client(config_for(terminal, **fields))
        await client.connect()
        try:
            yield client
        finally:
            await client.disconnect()

    return connected


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Waits until a condition holds, and fails when it does not within so many seconds."""

    async def eventually(condition: Callable[[], object], seconds: float = 30.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 (what changes is in other processes)
                await asyncio.sleep(0.01)

    return eventually


@pytest.fixture
def market_order() -> Callable[..., dict[str, Any]]:
    def market_order(symbol: str = "EURUSD", side: int = 0, **fields: Any) -> dict[str, Any]:
        request = {"action": 1, "symbol": symbol, "volume": 0.1, "type": side, "type_filling": 1}
        return {**request, **fields}

    return market_order
