"""Which fields of a symbol define it, and which only move with the market?"""

from typing import Final

from tradingview_scraper.adapters.mt5.terminal.records import SymbolInfo

_PRICES: Final = ("bid", "ask", "last", "session_", "volumehigh", "volumelow", "price_")
_MOVING: Final = frozenset(
    {
        *("select", "visible", "time", "spread", "volume", "volume_real"),
        # Converted by quotes on most servers [recorded]: another value with every look.
        *("trade_tick_value", "trade_tick_value_profit", "trade_tick_value_loss"),
        "trade_accrued_interest",
    }
)

#: Fields whose change is a new definition: swap, margin, sizes, steps, trade mode, expiry...
DEFINITION_FIELDS: Final = tuple(
    field for field in SymbolInfo._fields if field not in _MOVING and not field.startswith(_PRICES)
)
#: Fields in which a session's end shows.
SESSION_FIELDS: Final = ("session_open", "session_close")
