"""What does a night cost, in Nautilus' words?"""

from enum import IntEnum
from typing import Final

from nautilus_trader.model.identifiers import InstrumentId

from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5SwapRates
from tradingview_scraper.adapters.mt5.terminal.constants import DayOfWeek, SymbolSwapMode
from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

#: Fields of a symbol that are its swap rates.
SWAP_FIELDS: Final = ("swap_mode", "swap_long", "swap_short", "swap_rollover3days")


def swap_rates(info: SymbolInfo, *, instrument_id: InstrumentId, ts: int) -> MT5SwapRates:
    """The swap rates of a symbol; `ts` is when they were read.

    A mode that is not known is its number. A triple day that is no day of the week is none, as on
    24/7 symbols [recorded].
    """
    return MT5SwapRates(
        ts_event=ts,
        ts_init=ts,
        instrument_id=instrument_id,
        long=info.swap_long,
        short=info.swap_short,
        mode=_name(SymbolSwapMode, info.swap_mode) or str(info.swap_mode),
        triple_day=_name(DayOfWeek, info.swap_rollover3days),
    )


def _name(words: type[IntEnum], value: int) -> str:
    return words(value).name if value in words else ""
