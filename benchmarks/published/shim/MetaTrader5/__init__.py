"""The simulated terminal under the name of the vendor's library, for what imports that name."""

from tradingview_scraper.adapters.mt5.simulator import *  # noqa: F403
