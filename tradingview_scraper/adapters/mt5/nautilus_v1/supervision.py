"""What may be sent and believed as the terminal is now?"""

from tradingview_scraper.adapters.mt5.client.client import MT5Client


class Supervision:
    """Says no while the terminal is lost."""

    def __init__(self, client: MT5Client) -> None:
        self._client = client

    def halted(self) -> str:
        """Why nothing may be sent now; empty when it may."""
        state = self._client.state
        return "" if state.may_trade else f"TRADING_HALTED: the terminal is {state}"

    def check_reads(self) -> None:
        """Raises RuntimeError while what the terminal shows may be old, or cannot be read."""
        state = self._client.state
        if not state.may_trade:
            raise RuntimeError(f"how the account stands is not known: the terminal is {state}")
