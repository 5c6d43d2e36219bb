"""What goes wrong, and when? `Faults`: scripted trouble, as data.

A fault names a function of the library, or none for all of them. `Faults.plan` says for one call
what is to happen to it; the terminal does it. Times are seconds of one monotonic clock.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

Kind = Literal["hang", "slow", "lose", "answer"]


@dataclass(kw_only=True)
class Fault:
    """One scripted trouble."""

    kind: Kind
    #: The library's function that it meets; None: every one.
    function: str | None = None
    #: How many calls it meets before it is over; None: all.
    count: int | None = None
    #: How long a hang lasts, or how late a slow answer is.
    seconds: float = 0.0
    #: When a hang ends; it begins with the first call that it meets.
    until: float | None = None
    #: A lost request was carried out, or never arrived.
    when: Literal["before", "after"] = "after"
    #: What is answered instead: a retcode of a trade request, or a negative status.
    code: int = 0
    #: The request is carried out behind the scripted answer.
    executed: bool = False


class Plan(NamedTuple):
    """What is to happen to one call."""

    #: Seconds by which the answer is late.
    delay: float = 0.0
    #: The connection closes instead of an answer: before or after the request is carried out.
    lost: Literal["before", "after"] | None = None
    #: What is answered instead.
    code: int | None = None
    #: The request is carried out, whatever is answered.
    executed: bool = True


AS_USUAL: Final = Plan()


class Faults:
    """The faults that are in force."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put `fault` in force. A slowness of 0 seconds ends those of the same function."""
        if fault.kind == "slow":
            self._faults = [
                other
                for other in self._faults
                if (other.kind, other.function) != ("slow", fault.function)
            ]
            if not fault.seconds:
                return
        self._faults.append(replace(fault))

    def plan(self, function: str, now: float) -> Plan:
        """What is to happen to a call of `function` that arrives `now`; counts it as met."""
        if not self._faults:
            return AS_USUAL
        plan = AS_USUAL
        for fault in [*self._faults]:
            if fault.kind == "hang" and fault.until is not None and fault.until <= now:
                self._faults.remove(fault)
            elif fault.function in (None, function):
                plan = _met(fault, plan, now)
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self._faults.remove(fault)
        return plan


def _met(fault: Fault, plan: Plan, now: float) -> Plan:
    match fault.kind:
        case "hang":
            fault.until = now + fault.seconds if fault.until is None else fault.until
            return plan._replace(delay=max(plan.delay, fault.until - now))
        case "slow":
            return plan._replace(delay=plan.delay + fault.seconds)
        case "lose":
            return plan._replace(lost=fault.when, executed=fault.when == "after")
        case "answer":
            return plan._replace(code=fault.code, executed=fault.executed)
