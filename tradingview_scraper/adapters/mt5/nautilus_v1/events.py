"""What does a terminal tell that Nautilus has no type for? Custom data of this adapter.

>>> self.subscribe_data(DataType(MT5Gap), client_id=ClientId("MT5"))   # then: on_data
"""

from nautilus_trader.core.data import Data
from nautilus_trader.model.identifiers import InstrumentId


class MT5Gap(Data):
    """Ticks of `instrument_id` are missing from the stream: the terminal itself has lost them.

    They lie after `after_ns`, the last tick delivered, and up to `until_ns`, the first one after
    the gap, which follows this event (UNIX nanoseconds, UTC). `ts_event` is `until_ns`. What the
    terminal has of that time can be requested as history.
    """

    def __init__(
        self, instrument_id: InstrumentId, after_ns: int, until_ns: int, ts_init: int
    ) -> None:
        self.instrument_id = instrument_id
        self.after_ns = after_ns
        self.until_ns = until_ns
        self._ts_init = ts_init

    @property
    def ts_event(self) -> int:
        return self.until_ns

    @property
    def ts_init(self) -> int:
        return self._ts_init

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(instrument_id={self.instrument_id}, after_ns={self.after_ns}, "
            f"until_ns={self.until_ns}, ts_init={self._ts_init})"
        )
