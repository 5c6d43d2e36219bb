"""What goes wrong with a call, and when? `Faults`: scripted trouble, as data.

A fault names functions of the library, or none for all of them, and may be narrowed to calls with
certain arguments (see `conditions`). It is over after a number of calls, after a time, or never.
`Faults.plan` says for one call what is to happen to it; the terminal does it. Times are seconds of
one monotonic clock, but `Fault.ends`, which is the world's own time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple, get_args

from tradingview_scraper.adapters.mt5.simulator.terminal.conditions import fulfils

Kind = Literal["hang", "slow", "lose", "answer"]
#: The connection closes before a request is carried out, after it, or in the middle of its answer.
When = Literal["before", "after", "during"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
WHENS: Final[tuple[str, ...]] = get_args(When)


@dataclass(kw_only=True)
class Fault:
    """One scripted trouble."""

    kind: Kind
    #: The library's functions that it meets; None: every one.
    functions: frozenset[str] | None = None
    #: Tables of conditions, of which a call's arguments must fulfil one to be met; empty: any will.
    where: Sequence[Mapping[str, Any]] = ()
    #: How many calls it meets before it is over; None: all.
    count: int | None = None
    #: World time (seconds of UTC) at which it is over; None: never.
    ends: float | None = None
    #: How long a hang lasts, or how late a slow answer is.
    seconds: float = 0.0
    #: When a hang ends; it begins with the first call that it meets.
    until: float | None = None
    #: A lost request was carried out, never arrived, or a part of its answer came.
    when: When = "after"
    #: What is answered instead: a retcode of a trade request, or a negative status.
    code: int = 0
    #: The request is carried out behind the scripted answer.
    executed: bool = False


class Plan(NamedTuple):
    """What is to happen to one call."""

    #: Seconds by which the answer is late.
    delay: float = 0.0
    #: The connection closes instead of an answer.
    lost: When | None = None
    #: What is answered instead.
    code: int | None = None
    #: The request is carried out, whatever is answered.
    executed: bool = True


AS_USUAL: Final = Plan()


class Faults:
    """The faults that are in force."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, fault: Fault) -> None:
        """Put `fault` in force. A slowness of 0 seconds ends those of the same function."""
        if fault.kind == "slow" and not fault.seconds:
            self._faults = [
                other
                for other in self._faults
                if (other.kind, other.functions) != ("slow", fault.functions)
            ]
            return
        if fault.kind == "slow" and not fault.where:
            self.add(replace(fault, seconds=0.0))
        self._faults.append(replace(fault))

    def clear(self) -> None:
        """End all of them."""
        self._faults = []

    def plan(
        self,
        function: str,
        now: float,
        world_now: Callable[[], float],
        arguments: Callable[[], Mapping[str, Any]],
    ) -> Plan:
        """What is to happen to a call of `function` that arrives `now`; counts it as met.

        `world_now` and `arguments` are asked only when a fault needs them.
        """
        if not self._faults:
            return AS_USUAL
        plan = AS_USUAL
        for fault in [*self._faults]:
            over = fault.until is not None and fault.until <= now
            if over or (fault.ends is not None and fault.ends <= world_now()):
                self._faults.remove(fault)
            elif _meets(fault, function, arguments):
                plan = _met(fault, plan, now)
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self._faults.remove(fault)
        return plan


def _meets(fault: Fault, function: str, arguments: Callable[[], Mapping[str, Any]]) -> bool:
    if fault.functions is not None and function not in fault.functions:
        return False
    return not fault.where or any(fulfils(arguments(), table) for table in fault.where)


def _met(fault: Fault, plan: Plan, now: float) -> Plan:
    match fault.kind:
        case "hang":
            fault.until = now + fault.seconds if fault.until is None else fault.until
            return plan._replace(delay=max(plan.delay, fault.until - now))
        case "slow":
            return plan._replace(delay=plan.delay + fault.seconds)
        case "lose":
            return plan._replace(lost=fault.when, executed=fault.when != "before")
        case "answer":
            return plan._replace(code=fault.code, executed=fault.executed)
