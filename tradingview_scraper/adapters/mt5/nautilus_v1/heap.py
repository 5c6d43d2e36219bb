"""How is the garbage collector kept from stopping a node? By leaving alone what it was built of.

Python walks its whole heap every time that enough objects have outlived the younger generations,
and ticks do, in NautilusTrader's cache. A node's heap holds over 100,000 objects that stay for its
life: such a walk holds up the event loop for 50 ms, every 30,000 ticks [measured].
"""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def frozen_heap() -> Iterator[None]:
    """While inside, the collector does not look at the objects that are there now.

    For the whole process: enter it when the node is built. What becomes garbage later is freed as
    always.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
