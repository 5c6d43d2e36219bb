"""One client per terminal: lanes of workers, deadlines, restarts, identity, cursors, lifecycle."""

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.lanes import Lane, LaneState, State
from tradingview_scraper.adapters.mt5.client.registry import shared_client
from tradingview_scraper.adapters.mt5.client.results import SendOutcome, Snapshot
from tradingview_scraper.adapters.mt5.client.supervision import TerminalState
from tradingview_scraper.adapters.mt5.client.watches import Watch

__all__ = [
    "Lane",
    "LaneState",
    "MT5Client",
    "SendOutcome",
    "Snapshot",
    "State",
    "TerminalState",
    "Watch",
    "shared_client",
]
