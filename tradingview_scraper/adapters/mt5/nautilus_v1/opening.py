"""What if a worker dies over what a node reads? It is read again when the lanes are back."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.terminal.errors import (
    MT5CallTimeout,
    MT5ConnectionError,
    MT5LaneLost,
)

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


@asynccontextmanager
async def outlasting_trouble[T](
    client: MT5Client, log: Any, enter: Callable[[], AbstractAsyncContextManager[T]]
) -> AsyncIterator[T]:
    """What `enter` gives, within the block; while a lane is down it is waited for, without end.

    Raises as `enter` does, and the lane's error when it is given up.
    """
    async with AsyncExitStack() as stack:
        while True:
            try:
                entered = await stack.enter_async_context(enter())
                break
            except (MT5LaneLost, MT5CallTimeout) as error:
                log.warning(f"{error}. It is tried again when every lane is attached")
                while not client.is_ready:
                    if client.is_given_up:
                        raise
                    with suppress(MT5ConnectionError):
                        await client.ready()
        yield entered
