"""A trading desk on a stepped clock: market and broker without a terminal process around them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tradingview_scraper.adapters.mt5.simulator.broker.books import Books
from tradingview_scraper.adapters.mt5.simulator.broker.broker import Broker, SendAnswer
from tradingview_scraper.adapters.mt5.simulator.clock import Clock
from tradingview_scraper.adapters.mt5.simulator.market.market import Market
from tradingview_scraper.adapters.mt5.simulator.scenario import load_scenario
from tradingview_scraper.adapters.mt5.terminal.constants import (
    OrderFilling,
    OrderReason,
    OrderType,
    TradeAction,
)
from tradingview_scraper.adapters.mt5.terminal.records import TICK_DTYPE, TradeRequest

#: A Wednesday, 14:00 at the server: every market but the stock exchange is open.
START = "2025-03-12T12:00:00Z"


class Desk:
    """A scenario at work. Prices are pushed, unless the tables say otherwise."""

    def __init__(self, tables: dict[str, Any], books: Path | None = None) -> None:
        base: dict[str, Any] = {
            "extends": "demo-hedging",
            "clock": {"mode": "stepped", "start": START},
            "prices": {"synthetic": False, "always_open": False},
            "accounts": [],
        }
        for key, value in tables.items():
            merged = isinstance(value, dict) and isinstance(base.get(key), dict)
            base[key] = {**base[key], **value} if merged else value
        if books is not None:
            base["books"] = str(books)
        self.scenario = load_scenario(base)
        self.clock = Clock(self.scenario.clock)
        self.market = Market(self.scenario, self.clock)
        self.broker = Broker(self.scenario, self.market, self.clock, Books(self.scenario.books))

    def tick(self, symbol: str, bid: float, ask: float, last: float = 0.0, volume: int = 0) -> None:
        """A tick now, and what it triggers."""
        rows = np.zeros(1, dtype=TICK_DTYPE)
        rows["bid"], rows["ask"], rows["last"] = bid, ask, last
        rows["volume"], rows["volume_real"] = volume, volume
        self.market.push_ticks(symbol, rows)
        self.broker.advance_to(self.clock.now_msc())

    def tick_at(self, symbol: str, msc: int, bid: float, ask: float) -> None:
        """A tick that is revealed when its time comes."""
        rows = np.zeros(1, dtype=TICK_DTYPE)
        rows["time_msc"], rows["bid"], rows["ask"] = msc, bid, ask
        self.market.push_ticks(symbol, rows)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.broker.advance_to(self.clock.now_msc())

    def send(self, *, by: OrderReason = OrderReason.EXPERT, **fields: Any) -> SendAnswer:
        return self.broker.send(self.request(**fields), reason=by)

    @staticmethod
    def request(**fields: Any) -> TradeRequest:
        """A trade request: a market order by IOC unless the fields say otherwise."""
        blank: dict[str, Any] = {
            name: {int: 0, float: 0.0, str: ""}[kind]
            for name, kind in TradeRequest.__annotations__.items()
        }
        blank["action"] = int(TradeAction.DEAL)
        blank["type_filling"] = int(OrderFilling.IOC)
        return TradeRequest(**{**blank, **fields})

    def buy(self, symbol: str, volume: float, **fields: Any) -> SendAnswer:
        return self.send(symbol=symbol, volume=volume, type=int(OrderType.BUY), **fields)

    def sell(self, symbol: str, volume: float, **fields: Any) -> SendAnswer:
        return self.send(symbol=symbol, volume=volume, type=int(OrderType.SELL), **fields)


@pytest.fixture(scope="session")
def open_desk() -> Callable[..., Desk]:
    """Opens a `Desk` from tables that go over the defaults; `books` is a directory."""

    def opened(books: Path | None = None, **tables: Any) -> Desk:
        return Desk(tables, books)

    return opened
