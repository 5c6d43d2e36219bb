"""Is every position protected that should be? `Protection`: raises alarms, and sets stops again."""

import asyncio
import functools

from tradingview_scraper.adapters.mt5.client.client import MT5Client
from tradingview_scraper.adapters.mt5.client.results import SendOutcome
from tradingview_scraper.adapters.mt5.nautilus_v1.alarms import Alarms
from tradingview_scraper.adapters.mt5.nautilus_v1.events import MT5AlarmKind
from tradingview_scraper.adapters.mt5.rules.protection import (
    ProtectionAudit,
    Restoration,
    Trouble,
    protection_request,
)
from tradingview_scraper.adapters.mt5.rules.retcodes import Outcome, describe
from tradingview_scraper.adapters.mt5.terminal.errors import MT5Error


class Protection:
    """Watches over the stop losses of this node's positions.

    `audit` takes what is known: `ProtectionAudit.expect` when a stop loss is put on a position,
    `ProtectionAudit.released` when it is taken off on purpose.
    """

    def __init__(
        self,
        client: MT5Client,
        alarms: Alarms,
        *,
        restores: bool,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.audit = ProtectionAudit()
        self._client = client
        self._alarms = alarms
        self._restores = restores
        self._loop = loop
        self._refused: set[int] = set()
        self._is_closed = False

    def look(self, now_ns: int) -> None:
        """Say what is missing or back, and set again what is due."""
        for finding in self.audit.look(now_ns):
            position = finding.position
            is_back = finding.trouble is Trouble.RESTORED
            if is_back:
                self._refused.discard(position.identifier)
                text = f"position {position.ticket} in {position.symbol} has a stop loss again"
            else:
                todo = "it is set again" if self._restores else "set it again or close the position"
                text = (
                    f"position {position.ticket}, {position.volume:g} lots of {position.symbol}, "
                    f"should have a stop loss at {finding.sl:.10g} at the server and has none: "
                    f"{todo}"
                )
            self._alarms.tell(
                MT5AlarmKind.STOP_LOSS_MISSING,
                text,
                is_over=is_back,
                symbol=position.symbol,
                position=position.identifier,
                limit=finding.sl,
            )
        if self._restores:
            for restoration in self.audit.restorations(now_ns):
                self._restore(restoration)

    def close(self) -> None:
        """Say nothing more."""
        self._is_closed = True

    def _restore(self, restoration: Restoration) -> None:
        done = functools.partial(self._on_outcome, restoration)
        try:
            self._client.send(protection_request(restoration), done, self._loop)
        except (MT5Error, ValueError) as error:
            self._fail(restoration, str(error))

    def _on_outcome(self, restoration: Restoration, outcome: SendOutcome) -> None:
        # Whether it is there again is what the account shows, not what the answer says.
        if self._is_closed or outcome.outcome is Outcome.ACCEPTED:
            return
        result = outcome.result
        self._fail(restoration, describe(result.retcode) if result else str(outcome.error))

    def _fail(self, restoration: Restoration, why: str) -> None:
        position = restoration.position
        if position.identifier in self._refused:
            return
        self._refused.add(position.identifier)
        self._alarms.tell(
            MT5AlarmKind.STOP_LOSS_NOT_RESTORED,
            f"the stop loss {restoration.sl:.10g} of position {position.ticket} in "
            f"{position.symbol} could not be set again: {why}. It is tried every minute; set "
            f"another one, or close the position",
            symbol=position.symbol,
            position=position.identifier,
            limit=restoration.sl,
        )
