"""``python -m tradingview_scraper.adapters.mt5``: the command line without its script."""

from tradingview_scraper.adapters.mt5.cli.main import main

if __name__ == "__main__":
    main()
