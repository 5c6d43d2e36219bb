"""How does a person hear that something needs a look? In the log, and as `MT5Alarm` on the bus."""

from typing import Final

from nautilus_trader.live.execution_client import LiveExecutionClient

from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5Alarm, MT5AlarmKind

#: Matched by the exact name, and by `subscribe_data`, which subscribes to ``data.MT5Alarm*``.
_TOPIC: Final = f"data.{MT5Alarm.__name__}"


class Alarms:
    """Raises alarms in the name of the execution client `out`."""

    def __init__(self, out: LiveExecutionClient) -> None:
        self._out = out

    def tell(
        self,
        kind: MT5AlarmKind,
        text: str,
        *,
        is_over: bool = False,
        symbol: str = "",
        position: int = 0,
        figure: float = 0.0,
        limit: float = 0.0,
    ) -> None:
        """Log and publish; an alarm as an error, its end as a warning."""
        log = self._out._log
        if is_over:
            log.warning(f"ALARM OVER {kind}: {text}")
        else:
            log.error(f"ALARM {kind}: {text}")
        now = self._out._clock.timestamp_ns()
        alarm = MT5Alarm(
            ts_event=now,
            ts_init=now,
            kind=str(kind),
            text=text,
            is_over=is_over,
            account=self._out.account_id.value,
            symbol=symbol,
            position=position,
            figure=figure,
            limit=limit,
        )
        self._out._msgbus.publish(topic=_TOPIC, msg=alarm)
