"""Which zone has the server's clock, when the configuration leaves it open (``"auto"``)?"""

import concurrent.futures
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from tradingview_scraper.adapters.mt5.client.selection import Selection
from tradingview_scraper.adapters.mt5.rules.clock import LiveTicks, Look, infer
from tradingview_scraper.adapters.mt5.rules.time import ZoneRule
from tradingview_scraper.adapters.mt5.terminal.constants import SymbolCalcMode, SymbolTradeMode
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallError, MT5ConfigError
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

_log = logging.getLogger(__name__)

#: Symbols that are looked at: those of Market Watch that were quoted last...
_MOST: Final = 8
#: ...and so many currency pairs beside them, where it has fewer than two.
_MORE: Final = 4
#: Seconds between looks, and between the first agreement and the decision: a symbol whose quotes
#: are less late may show a larger offset meanwhile.
_PAUSE: Final = 0.25
_SECOND_THOUGHT: Final = 1.5


def detect_zone(
    submit: Callable[..., "concurrent.futures.Future[Any]"], selection: Selection, secs: float
) -> ZoneRule:
    """The zone rule that live ticks show within `secs`; waits for the terminal, on a thread.

    Never guessed: two symbols must have been seen to move (one, if there is no other). Raises
    `MT5ConfigError` with what to set when they are not, and `MT5Error` when the terminal fails.
    """
    infos: tuple[SymbolInfo, ...] = submit("symbols_get").result()
    with _looked_at(infos, selection) as symbols:
        offset, live, now = _agreed(submit, symbols, secs)
    if offset is None:
        said = live.verdict(ZoneRule("UTC", 0), now, watched=len(symbols))
        seen = f"only {', '.join(said.symbols)} moved" if said.symbols else "no symbol moved"
        raise MT5ConfigError(
            f"server_time_zone='auto' needs live ticks of two symbols within {secs:g} s, but of "
            f"{', '.join(symbols) or 'no symbol'} {seen}: set server_time_zone to the server's "
            f"zone ('America/New_York+7h' for most FX servers, 'Europe/Athens', 'UTC+2'), or "
            f"start while the market is open"
        )
    rule, knows_switches = infer(offset, now)
    shown = f"live ticks show a server clock of UTC{offset / 3600:+g} h, taken for {rule}"
    if knows_switches:
        _log.info("%s; set server_time_zone if the server's zone is another", shown)
    else:
        _log.warning(
            "%s: that is right today, and wrong before and after a switch of the server's clock; "
            "set server_time_zone to its zone if it has switches",
            shown,
        )
    return rule


def _agreed(
    submit: Callable[..., "concurrent.futures.Future[Any]"], symbols: list[str], secs: float
) -> tuple[int | None, LiveTicks, int]:
    live, pause = LiveTicks(), threading.Event()
    ends, decides = time.monotonic() + secs, None
    while True:
        for asked in [(symbol, submit("symbol_info_tick", symbol)) for symbol in symbols]:
            symbol, answer = asked
            try:
                tick = answer.result()
            except MT5CallError:
                continue
            live.add(Look(symbol, tick.time_msc, time.time_ns()))
        now = time.time_ns()
        offset = live.offset(now, watched=len(symbols))
        at = time.monotonic()
        if offset is not None and decides is None:
            decides = at + _SECOND_THOUGHT
        if at >= (ends if decides is None or offset is None else decides):
            return offset, live, now
        pause.wait(_PAUSE)


@contextlib.contextmanager
def _looked_at(infos: tuple[SymbolInfo, ...], selection: Selection) -> Iterator[list[str]]:
    """The symbols to look at, in Market Watch within the block."""
    watched = sorted((info for info in infos if info.select), key=lambda info: -info.time)
    names = [info.name for info in watched[:_MOST]]
    added = []
    if len(names) < 2:
        added = [
            info.name
            for info in infos
            if not info.select
            and info.trade_mode != SymbolTradeMode.DISABLED
            and info.trade_calc_mode == SymbolCalcMode.FOREX
        ][:_MORE]
    for name in added:
        selection.hold(name)
    try:
        yield names + added
    finally:
        for name in added:
            selection.release(name)
