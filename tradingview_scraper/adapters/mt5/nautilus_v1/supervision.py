"""Who hears how the terminal and its lanes are? The log, the bus, and whoever wants to trade."""

import asyncio
from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.lanes import LaneState, State
from tradingview_scraper.adapters.mt5.client.supervision import TerminalState
from tradingview_scraper.adapters.mt5.client.watches import Watch
from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5TerminalStatus

#: Matched by the exact name, and by `subscribe_data`, which subscribes to the name and a star.
_TOPIC: Final = f"data.{MT5TerminalStatus.__name__}"
_FINE: Final = frozenset({State.STARTING, State.ATTACHED, State.STOPPED})


class Supervision:
    """Logs and publishes each change of the terminal and of its lanes, from `watch` to `close`."""

    def __init__(
        self, out: LiveExecutionClient, client: MT5Client, *, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._out = out
        self._client = client
        self._loop = loop
        self._watches: list[Watch] = []

    def watch(self) -> None:
        """Say how things are, and whatever changes."""
        self._watches.append(self._client.watch_terminal(self._on_terminal, self._loop))
        self._watches.append(self._client.watch_state(self._on_lane, self._loop))

    def close(self) -> None:
        """Say nothing more."""
        for watch in self._watches:
            watch.close()
        self._watches.clear()

    def halted(self) -> str:
        """Why nothing may be sent now; empty when it may."""
        state = self._client.state
        return "" if state.may_trade else f"TRADING_HALTED: the terminal is {state}"

    def check_reads(self) -> None:
        """Raises RuntimeError while what the terminal shows may be old, or cannot be read."""
        state = self._client.state
        if not state.may_trade:
            raise RuntimeError(f"how the account stands is not known: the terminal is {state}")

    def _on_terminal(self, state: TerminalState) -> None:
        if state.state in _FINE:
            self._out._log.info(f"Terminal {state}")
        elif state.may_trade:
            self._out._log.warning(f"Terminal {state}")
        else:
            self._out._log.error(f"No orders are taken: terminal {state}")
        self._publish("", state.state, state.reason, state.remedy, may_trade=state.may_trade)

    def _on_lane(self, state: LaneState) -> None:
        may_trade = self._client.state.may_trade
        self._publish(state.lane.value, state.state, state.reason, "", may_trade=may_trade)

    def _publish(
        self, lane: str, state: State, reason: str, remedy: str, *, may_trade: bool
    ) -> None:
        now = self._out._clock.timestamp_ns()
        status = MT5TerminalStatus(
            ts_event=now,
            ts_init=now,
            lane=lane,
            state=state.value,
            reason=reason,
            remedy=remedy,
            may_trade=may_trade,
            account=self._out.account_id.value,
        )
        self._out._msgbus.publish(topic=_TOPIC, msg=status)
