"""What does a program import instead of ``MetaTrader5``? This package: the same names, a simulated
terminal behind them.

>>> import tradingview_scraper.adapters.mt5.simulator as mt5
>>> mt5.initialize("demo-hedging")

Functions, constants and structs are those of the library, with its argument rules, error codes and
waits (with the GIL held). Importing it starts nothing; `initialize` starts the terminal process of
a scenario unless it is already there. `control` scripts that terminal from tests.
"""

from typing import TYPE_CHECKING, Any, Final

from tradingview_scraper.adapters.mt5.simulator.library.functions import functions
from tradingview_scraper.adapters.mt5.simulator.library.library import Library
from tradingview_scraper.adapters.mt5.simulator.library.structs import STRUCTS
from tradingview_scraper.adapters.mt5.terminal.constants import LIBRARY_CONSTANTS

__version__: Final = "5.0.6231"
__author__: Final = "MetaQuotes Ltd."

#: One connection and one error slot per process, as in the real library.
_NAMES: Final[dict[str, Any]] = {**functions(Library()), **STRUCTS, **LIBRARY_CONSTANTS}
globals().update(_NAMES)

__all__ = [*_NAMES]  # noqa: PLE0604

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
