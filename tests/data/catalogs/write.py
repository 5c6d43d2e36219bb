"""Writes the catalogs of this folder: ``python write.py 64-bit`` on Windows, ``128-bit`` elsewhere.

Three quotes and two bars. Run once for each; the files are what other machines' tests are given.
"""

import sys

from nautilus_trader.model.data import Bar, BarType, QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.persistence.catalog import ParquetDataCatalog

EURUSD = InstrumentId.from_str("EURUSD.MT5")
HOUR = BarType.from_str("EURUSD.MT5-1-HOUR-BID-EXTERNAL")
START = 1_741_564_800_000_000_000
LOT = Quantity.from_int(100_000)


def quote(number: int) -> QuoteTick:
    bid, ask = (Price.from_str(f"1.080{side}{number}") for side in (0, 1))
    return QuoteTick(EURUSD, bid, ask, LOT, LOT, START + number, START + number)


def bar(number: int) -> Bar:
    prices = [Price.from_str(text) for text in ("1.08000", "1.08020", "1.07990", "1.08010")]
    closed = START + number * 3_600 * 10**9
    return Bar(HOUR, *prices, Quantity.from_int(7), closed, closed)


if __name__ == "__main__":
    catalog = ParquetDataCatalog(sys.argv[1])
    catalog.write_data([quote(number) for number in range(3)])
    catalog.write_data([bar(number) for number in (1, 2)])
