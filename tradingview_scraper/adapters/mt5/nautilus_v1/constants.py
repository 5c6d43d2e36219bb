"""Under which names does Nautilus know MetaTrader 5?"""

from typing import Final

from nautilus_trader.model.identifiers import Venue

#: Name of the clients where the node's configuration has one terminal: the keys of `data_clients`
#: and `exec_clients`. Account ids begin with it: ``MT5-1234567``.
MT5: Final = "MT5"

#: The venue of all instruments, unless a client's `venue` says otherwise.
MT5_VENUE: Final = Venue(MT5)
