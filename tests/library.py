"""Through which library do the clients of the tests speak with the simulated terminal?

``MT5_TEST_LIBRARY=MetaTrader5`` on Windows: through the real one.
"""

import os

from tradingview_scraper.adapters.mt5.terminal.config import SIMULATOR_MODULE

LIBRARY = os.environ.get("MT5_TEST_LIBRARY", SIMULATOR_MODULE)
