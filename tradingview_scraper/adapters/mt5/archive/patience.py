"""How long does one wait for a terminal that is still synchronising? `Patience`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5CallError,
    MT5CallTimeout,
    MT5ConnectionError,
    MT5LaneLost,
    MT5LibraryMissing,
)

#: Seconds before each further try. A first call for a symbol makes the terminal download: it fails
#: meanwhile, or answers with what it has [vendor].
PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)


class Patience:
    """Tries again, with growing pauses, what a synchronising terminal cannot answer yet.

    `sleep` lets tests drive time.
    """

    def __init__(
        self,
        pauses: tuple[float, ...] = PAUSES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pauses = pauses
        self._sleep = sleep

    async def ask[T](
        self,
        call: Callable[[], Awaitable[T]],
        enough: Callable[[T], bool] = lambda answer: True,
        *,
        tries: int | None = None,
    ) -> T:
        """The first answer that is `enough`, or the last one when patience is over.

        A failed call is tried again as well, and its error raised when patience is over: a
        `MT5CallError`, `MT5CallTimeout` or `MT5LaneLost`. What trying again cannot mend
        (`MT5IdentityError`, a missing library) is raised at once.
        """
        pauses = self._pauses if tries is None else self._pauses[: tries - 1]
        for pause in (*pauses, None):
            try:
                answer = await call()
            except (MT5CallError, MT5CallTimeout, MT5LaneLost):
                if pause is None:
                    raise
            else:
                if pause is None or enough(answer):
                    return answer
            await self._sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")


def is_hopeless(error: Exception) -> bool:
    """Nothing more can be read: another terminal or account, or no library."""
    return isinstance(error, MT5LibraryMissing) or not isinstance(
        error, (MT5CallError, MT5CallTimeout, MT5ConnectionError)
    )
