"""How does a node hear how its terminal and the lanes are? In its log and on its bus, each once."""

import asyncio
from typing import Final
from weakref import WeakValueDictionary

from nautilus_trader.common.component import MessageBus
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.live.execution_client import LiveExecutionClient

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.lanes import LaneState, State
from tradingview_scraper.adapters.mt5.client.supervision import TerminalState
from tradingview_scraper.adapters.mt5.client.watches import Watch
from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5TerminalStatus

type Listener = LiveExecutionClient | LiveMarketDataClient

#: Matched by the exact name, and by `subscribe_data`, which subscribes to the name and a star.
_TOPIC: Final = f"data.{MT5TerminalStatus.__name__}"
_FINE: Final = frozenset({State.STARTING, State.ATTACHED, State.STOPPED})


class TerminalNews:
    """Logs and publishes each change of a terminal and its lanes, while clients of a node want it.

    The clients of one terminal on one node share it, so that a change is told once. Where one of
    them trades, it is told in its name.
    """

    def __init__(self, client: MT5Client) -> None:
        self._client = client
        self._listeners: list[Listener] = []
        self._watches: list[Watch] = []

    def join(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        """`listener` is connected: tell changes; how things are now, if nobody did so far."""
        self._listeners.append(listener)
        if not self._watches:
            self._watches.append(self._client.watch_terminal(self._on_terminal, loop))
            self._watches.append(self._client.watch_state(self._on_lane, loop))

    def leave(self, listener: Listener) -> None:
        """Tell nothing more for `listener`; it need not have joined."""
        self._listeners = [one for one in self._listeners if one is not listener]
        if not self._listeners:
            for watch in self._watches:
                watch.close()
            self._watches.clear()

    @property
    def _teller(self) -> Listener:
        trading = (one for one in self._listeners if isinstance(one, LiveExecutionClient))
        return next(trading, self._listeners[0])

    def _on_terminal(self, state: TerminalState) -> None:
        teller = self._teller
        if state.state in _FINE:
            teller._log.info(f"Terminal {state}")
        elif state.may_trade:
            teller._log.warning(f"Terminal {state}")
        elif isinstance(teller, LiveExecutionClient):
            teller._log.error(f"No orders are taken: terminal {state}")
        else:
            teller._log.error(f"Market data wait: terminal {state}")
        self._publish("", state.state, state.reason, state.remedy, may_trade=state.may_trade)

    def _on_lane(self, state: LaneState) -> None:
        may_trade = self._client.state.may_trade
        self._publish(state.lane.value, state.state, state.reason, "", may_trade=may_trade)

    def _publish(
        self, lane: str, state: State, reason: str, remedy: str, *, may_trade: bool
    ) -> None:
        teller = self._teller
        trades = isinstance(teller, LiveExecutionClient)
        now = teller._clock.timestamp_ns()
        status = MT5TerminalStatus(
            ts_event=now,
            ts_init=now,
            lane=lane,
            state=state.value,
            reason=reason,
            remedy=remedy,
            may_trade=may_trade,
            account=teller.account_id.value if trades else "",
        )
        teller._msgbus.publish(topic=_TOPIC, msg=status)


#: It lives as long as the clients that use it.
_shared: Final[WeakValueDictionary[tuple[MT5Client, MessageBus], TerminalNews]] = (
    WeakValueDictionary()
)


def terminal_news(client: MT5Client, msgbus: MessageBus) -> TerminalNews:
    """The one of this terminal on this node."""
    news = _shared.get((client, msgbus))
    if news is None:
        news = _shared[client, msgbus] = TerminalNews(client)
    return news
