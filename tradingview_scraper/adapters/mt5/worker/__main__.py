"""How does a worker start? ``python -m tradingview_scraper.adapters.mt5.worker PARENT``."""

import os
import sys
from functools import partial

from tradingview_scraper.adapters.mt5.worker import process
from tradingview_scraper.adapters.mt5.worker.commands import open_commands
from tradingview_scraper.adapters.mt5.worker.service import Service


def main() -> None:
    reading, writing = process.take_pipes()
    process.settle(int(sys.argv[1]))
    try:
        Service(open_commands(reading), partial(process.write_all, writing)).run()
    except BrokenPipeError:
        # The node is gone, and with it everybody who could be told.
        os._exit(1)


if __name__ == "__main__":
    main()
