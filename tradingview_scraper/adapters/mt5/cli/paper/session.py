"""How does a paper node run? Data from the terminal, execution in the sandbox, nothing else.

The node has no `MT5ExecutionClient`: no order can reach the broker, whatever a strategy does.
"""

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from nautilus_trader.adapters.sandbox import factory as sandbox
from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.config import LiveExecEngineConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, TraderId, Venue
from nautilus_trader.model.objects import Currency
from nautilus_trader.trading.strategy import Strategy

from tradingview_scraper.adapters.mt5.archive.terms import Terms
from tradingview_scraper.adapters.mt5.nautilus_v1.config import (
    MT5DataClientConfig,
    MT5InstrumentProviderConfig,
)
from tradingview_scraper.adapters.mt5.nautilus_v1.factories import MT5LiveDataClientFactory
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import currency
from tradingview_scraper.adapters.mt5.nautilus_v1.simulation import QuoteFills, oms_of
from tradingview_scraper.adapters.mt5.terminal.config import MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConnectionError

_START_SECS: Final = 90.0
_STOP_SECS: Final = 30.0
_STEP_SECS: Final = 0.1


class SandboxLiveExecClientFactory(sandbox.SandboxLiveExecClientFactory):
    """The sandbox, whose orders fill whole at the quote: the terminal's quotes have no size.

    It keeps its parent's name, by which a node knows that it needs the portfolio.
    """

    @staticmethod
    def create(*args: Any, **fields: Any) -> Any:
        """As its parent does."""
        client = sandbox.SandboxLiveExecClientFactory.create(*args, **fields)
        client.exchange.set_fill_model(QuoteFills())
        return client


class PaperResult(NamedTuple):
    """What a paper session came to; money in `currency`."""

    currency: str
    balance_start: float
    balance_end: float
    orders: list[Any]
    fills: list[OrderFilled]
    open_positions: int
    #: Quotes that came from the terminal.
    quotes: int


async def run_paper(
    strategy: Strategy,
    terminal: MT5TerminalConfig,
    terms: Terms,
    instrument_ids: list[InstrumentId],
    *,
    balance: float,
    seconds: float | None,
    log_level: str = "ERROR",
    shown: Callable[[float, int], None] = lambda elapsed, fills: None,
) -> PaperResult:
    """Run until `seconds` are over, or cancelled. Raises `MT5ConnectionError` when it cannot start.

    `terms` are those of the account: currency, and hedging or netting.
    """
    account: Currency = currency(terms.currency)
    venue = instrument_ids[0].venue.value
    config = TradingNodeConfig(
        trader_id=TraderId("PAPER-001"),
        logging=LoggingConfig(log_level=log_level),
        exec_engine=LiveExecEngineConfig(reconciliation=False),
        data_clients={
            venue: MT5DataClientConfig(
                terminal=terminal,
                venue=venue,
                instrument_provider=MT5InstrumentProviderConfig(load_ids=frozenset(instrument_ids)),
            )
        },
        exec_clients={
            venue: SandboxExecutionClientConfig(
                venue=venue,
                oms_type=oms_of(terms).name,
                account_type="MARGIN",
                base_currency=account.code,
                starting_balances=[f"{balance:.{account.precision}f} {account.code}"],
                bar_execution=False,
            )
        },
        timeout_connection=_START_SECS,
        timeout_post_stop=0.1,
    )
    others = asyncio.all_tasks()
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    node.trader.add_strategy(strategy)
    node.add_data_client_factory(venue, MT5LiveDataClientFactory)
    node.add_exec_client_factory(venue, SandboxLiveExecClientFactory)
    node.build()
    fills: list[OrderFilled] = []
    quotes = itertools.count()
    node.kernel.msgbus.subscribe("events.order.*", _keeper(fills))
    node.kernel.msgbus.subscribe("data.quotes.*", lambda quote: next(quotes))
    running = asyncio.ensure_future(node.run_async())
    try:
        await _started(strategy, running)
        begun = time.monotonic()
        while not running.done():
            elapsed = time.monotonic() - begun
            shown(elapsed, len(fills))
            if seconds is not None and elapsed >= seconds:
                break
            await asyncio.sleep(_STEP_SECS)
    finally:
        if not running.done():
            await node.stop_async()
            await asyncio.wait([running], timeout=_STOP_SECS)
        known = node.cache.account_for_venue(Venue(venue))
        left = known.balance_total(account).as_double() if known is not None else balance
        result = PaperResult(
            account.code,
            balance,
            left,
            node.cache.orders(),
            fills,
            len(node.cache.positions_open()),
            next(quotes),
        )
        # Disposing of the node would stop the loop that is running.
        node.kernel.dispose()
        rest = asyncio.all_tasks() - others
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
    return result


def _keeper(fills: list[OrderFilled]) -> Callable[[Any], None]:
    def keep(event: Any) -> None:
        if isinstance(event, OrderFilled):
            fills.append(event)

    return keep


async def _started(strategy: Strategy, running: "asyncio.Future[None]") -> None:
    end = time.monotonic() + _START_SECS
    while not strategy.is_running:
        if running.done() or time.monotonic() > end:
            raise MT5ConnectionError(
                "the node did not start; the log above says why, and so does `mt5 doctor`"
            )
        await asyncio.sleep(_STEP_SECS / 5)
