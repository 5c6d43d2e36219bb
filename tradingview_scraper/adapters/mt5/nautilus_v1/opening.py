"""What if a worker dies while a node connects? What was being read is read again."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.terminal.errors import MT5CallTimeout, MT5LaneLost

#: Workers in a row over which the same reading may fail.
_TRIES: Final = 5


async def outliving_workers[T](client: MT5Client, log: Any, work: Callable[[], Awaitable[T]]) -> T:
    """Do `work`, which changes nothing at the venue; anew when a worker was lost over it.

    Raises as `work` does, and `MT5ConnectionError` when the lanes do not come back in time.
    """
    for _ in range(_TRIES - 1):
        try:
            return await work()
        except (MT5LaneLost, MT5CallTimeout) as error:
            log.warning(f"While connecting: {error}. It is read again when every lane is attached")
            await client.ready()
    return await work()
