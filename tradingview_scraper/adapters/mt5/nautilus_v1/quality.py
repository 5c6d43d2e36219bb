"""Where do the figures of execution quality come from, and where are they written? `Quality`."""

import asyncio
import json
import os
import threading
from pathlib import Path

from nautilus_trader.live.execution_client import LiveExecutionClient

from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket import Bracket, Stop
from tradingview_scraper.adapters.mt5.nautilus_v1.bracket_lists import Leg
from tradingview_scraper.adapters.mt5.nautilus_v1.config import MT5QualityConfig
from tradingview_scraper.adapters.mt5.nautilus_v1.journal import Entry
from tradingview_scraper.adapters.mt5.nautilus_v1.parsing.instruments import Listing
from tradingview_scraper.adapters.mt5.rules.execution_quality import (
    Asked,
    ExecutionQuality,
    Fill,
    OrderKind,
    kind_of_type,
)
from tradingview_scraper.adapters.mt5.rules.quality_metrics import metrics
from tradingview_scraper.adapters.mt5.rules.requests import Fields, terms_of
from tradingview_scraper.adapters.mt5.terminal.constants import DealType
from tradingview_scraper.adapters.mt5.terminal.records import TradeDeal, TradeOrder

_STOPS = {Leg.SL: OrderKind.STOP_LOSS, Leg.TP: OrderKind.TAKE_PROFIT}


class Quality:
    """Feeds an `ExecutionQuality` with what the execution client sends and hears.

    The figures are written to the files of the configuration every `interval_secs`, by a thread,
    and once more at the end. A file that cannot be written costs a warning, and nothing else.
    """

    def __init__(
        self, out: LiveExecutionClient, config: MT5QualityConfig, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._out = out
        self._config = config
        self._loop = loop
        self._figures = ExecutionQuality()
        self._started_ns: int = out._clock.timestamp_ns()
        self._files = _Files()
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None
        self._trouble = ""

    def start(self) -> None:
        """Begin to write the files, if any are asked for."""
        if self._config.prometheus_path is not None or self._config.json_path is not None:
            self._timer = self._loop.call_later(self._config.interval_secs, self._tick)

    def close(self) -> None:
        """Write the last figures."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        try:
            self._files.write(self._texts(), last=True)
        except OSError as error:
            self._complain(error)

    def sent(self, entry: Entry, request: Fields, at_ns: int) -> None:
        """An order was handed over."""
        self._figures.sent(entry.client_order_id.value, request, at_ns)

    def answered(self, entry: Entry, outcome: SendOutcome, at_ns: int) -> None:
        """Its answer is back, or will not come."""
        self._figures.answered(
            entry.client_order_id.value,
            outcome.outcome,
            outcome.result.retcode if outcome.result is not None else 0,
            started_ns=outcome.started_ns,
            ended_ns=outcome.ended_ns,
            at_ns=at_ns,
        )

    def filled(
        self, entry: Entry, deal: TradeDeal, order: TradeOrder | None, listing: Listing
    ) -> None:
        """A deal filled an order of this node."""
        asked = self._figures.asked_of(entry.client_order_id.value)
        if asked is not None:
            kind = asked.kind
        else:
            kind = kind_of_type(order.type) if order is not None else OrderKind.MARKET
        self._figures.filled(
            deal.symbol,
            kind,
            self._fill(deal, listing, _asked_price(entry, kind, asked, order)),
            asked.at_ns if asked is not None else 0,
        )

    def stopped(self, hit: tuple[Bracket, Stop], deal: TradeDeal, listing: Listing) -> None:
        """A deal closed a position at a stop of a bracket."""
        bracket, stop = hit
        level = bracket.levels.get(stop.leg, 0.0)
        self._figures.filled(deal.symbol, _STOPS[stop.leg], self._fill(deal, listing, level))

    def _fill(self, deal: TradeDeal, listing: Listing, asked: float) -> Fill:
        quote = self._out._cache.quote_tick(listing.instrument.id)
        return Fill(
            is_buy=deal.type == DealType.BUY,
            price=deal.price,
            asked=asked,
            lots=deal.volume,
            point=listing.info.point,
            spread=float(quote.ask_price) - float(quote.bid_price) if quote is not None else None,
            at_ns=self._out._clock.timestamp_ns(),
        )

    def _texts(self) -> dict[Path, str]:
        account = self._out.account_id.value
        texts = {}
        if self._config.prometheus_path is not None:
            texts[Path(self._config.prometheus_path)] = metrics(self._figures, account)
        if self._config.json_path is not None:
            document = {
                "account": account,
                "from_ns": self._started_ns,
                "until_ns": self._out._clock.timestamp_ns(),
                "rows": self._figures.document(),
            }
            texts[Path(self._config.json_path)] = json.dumps(document, indent=1) + "\n"
        return texts

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._config.interval_secs, self._tick)
        if self._writing is None or self._writing.done():
            self._writing = self._loop.run_in_executor(None, self._files.write, self._texts())
            self._writing.add_done_callback(self._on_written)

    def _on_written(self, writing: "asyncio.Future[None]") -> None:
        if writing.cancelled():
            return
        error = writing.exception()
        if error is None:
            self._trouble = ""
        else:
            self._complain(error)

    def _complain(self, error: BaseException) -> None:
        """Once for each trouble, not at every interval."""
        if str(error) != self._trouble:
            self._trouble = str(error)
            self._out._log.warning(f"Cannot write the figures of execution quality: {error}")


class _Files:
    """Replaces files whole: a reader sees the old text or the new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_last = False

    def write(self, texts: dict[Path, str], *, last: bool = False) -> None:
        """Raises OSError. After the `last` ones, nothing older is written any more."""
        with self._lock:
            if self._is_last:
                return
            self._is_last = last
            for path, text in texts.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
                try:
                    fresh.write_text(text, encoding="utf-8")
                    fresh.replace(path)
                except OSError:
                    fresh.unlink(missing_ok=True)
                    raise


def _asked_price(
    entry: Entry, kind: OrderKind, asked: Asked | None, order: TradeOrder | None
) -> float:
    """The price that a fill is measured against; 0 where there is none."""
    if kind is OrderKind.MARKET:
        return asked.price if asked is not None else 0.0
    if kind is OrderKind.CLOSE_BY:
        return 0.0
    terms = entry.terms
    if terms is None:
        if order is None:
            return 0.0
        terms = terms_of(order)
    if kind is OrderKind.STOP_LIMIT:
        return terms.stoplimit or terms.price
    return terms.price
