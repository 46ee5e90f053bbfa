"""The circuit breaker: a model that keeps failing is left alone for a while, and then tried by one call.

========== ============================================================ =======================
state      becomes                                                      when
========== ============================================================ =======================
closed     open for ``pause``                                           the provider failed ``failures`` times in a
                                                                        row, within ``window``
closed     open for the time asked for                                  it asked to wait (``Retry-After``)
closed     open for ``pause``                                           only the operator can mend it: a wrong key,
                                                                        an unknown model, an empty account
open       half open                                                    the time is over
half open  closed                                                       the one attempt let through was answered
half open  open, for twice as long as before, up to ``longest``         that attempt failed
========== ============================================================ =======================

A refusal of one request (400, a filter) says nothing against the model: it answers.
Attempts that were under way when a circuit changed say nothing about its new state.
The state belongs to one process, and is forgotten when it ends. The pattern is
Michael Nygard's (*Release It!*).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Final

from ai_addons.errors import ProviderTimeout, ProviderUnavailable
from ai_addons.events import CircuitClosed, CircuitOpened
from ai_addons.llm.base import ModelFailure, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ai_addons.clock import Clock
    from ai_addons.events import Event

_PROBE_SECONDS: Final = 1.0
"""When to come back while another call tries the model."""
_MOST_TRIPS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a circuit opens, and for how long; all times in seconds.

    Attributes:
        failures: Failures in a row that open it.
        window: Within which they must fall.
        pause: How long it is open at first.
        longest: Most seconds it stays open, whatever the provider asks for.
    """

    failures: int
    window: float
    pause: float
    longest: float


@dataclass(frozen=True, slots=True)
class Circuit:
    """The state of one model.

    Attributes:
        failures: When it failed last, in a row, monotonic seconds.
        until: When it may be tried again; None while it is closed.
        trips: How often it failed open since it last answered; each doubles the pause.
        probing: Whether the one attempt is under way.
        turn: Counts openings and closings; what began in another turn is not heard.
    """

    failures: tuple[float, ...] = ()
    until: float | None = None
    trips: int = 0
    probing: bool = False
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one attempt, to be settled by what becomes of it.

    Attributes:
        model: Route asked.
        turn: The circuit's turn when it was given.
    """

    model: str
    turn: int


def rest(circuit: Circuit, at: float) -> float:
    """Seconds until an attempt may be made; 0 if it may now."""
    if circuit.until is None:
        return 0.0
    return max(circuit.until - at, _PROBE_SECONDS if circuit.probing else 0.0)


def admitted(circuit: Circuit) -> Circuit:
    """After an attempt was let through: in a half-open circuit it is the only one."""
    return circuit if circuit.until is None else replace(circuit, probing=True)


def answered(circuit: Circuit) -> Circuit:
    """After an answer: closed, and its failures are forgotten."""
    return Circuit(turn=circuit.turn + (circuit.until is not None))


def failed(circuit: Circuit, failure: ModelFailure, at: float, rules: Rules) -> Circuit:
    """After a failure that speaks against the provider."""
    if failure.retry_after:
        return _opened(circuit, at + min(failure.retry_after, rules.longest), circuit.trips)
    recent = (*(when for when in circuit.failures if when > at - rules.window), at)
    if circuit.until is None and failure.alert is None and len(recent) < rules.failures:
        return replace(circuit, failures=recent)
    pause = min(rules.pause * 2.0**circuit.trips, rules.longest)
    return _opened(circuit, at + pause, min(circuit.trips + 1, _MOST_TRIPS))


def _opened(circuit: Circuit, until: float, trips: int) -> Circuit:
    return Circuit(until=until, trips=trips, turn=circuit.turn + 1)


def let_go(circuit: Circuit) -> Circuit:
    """After an attempt that ended without a word about the model: another one may be made."""
    return replace(circuit, probing=False)


def speaks_against(failure: ModelFailure) -> bool:
    """Whether a failure is the model's or its account's, and not that of one request or of our settings."""
    if failure.alert is not None:
        return failure.verdict is Verdict.ANSWERED and failure.next_model
    return isinstance(failure.error, (ProviderUnavailable, ProviderTimeout)) or failure.verdict is Verdict.MAYBE_BILLED


def left_alone(seconds: float) -> ModelFailure:
    """What a call hears of a model that is left alone: nothing was sent, and another model may be asked."""
    msg = (
        "AI is temporarily unavailable: the model failed before and is left alone for a while. Nothing was charged. "
        f"Try again in {max(1, ceil(seconds))} s."
    )
    return ModelFailure(ProviderUnavailable(msg), Verdict.NEVER_SENT)


class Breaker:
    """The circuits of all models in this process; for threads and tasks alike.

    Args:
        rules: When circuits open; None lets every attempt through.
        clock: Source of monotonic time.
        tell: Hears when a circuit opens or closes.
    """

    def __init__(self, rules: Rules | None, clock: Clock, tell: Callable[[Event], None]) -> None:
        self._rules = rules
        self._clock = clock
        self._tell = tell
        self._lock = threading.Lock()
        self._circuits: dict[str, Circuit] = {}

    def rest(self, route: Iterable[str]) -> float:
        """Seconds until one of these models may be asked; 0 if one may now."""
        at = self._clock.monotonic()
        with self._lock:
            return min(rest(self._circuit(model), at) for model in route)

    def admit(self, model: str) -> Permit | None:
        """Leave for one attempt, or None while the model is left alone."""
        with self._lock:
            circuit = self._circuit(model)
            if rest(circuit, self._clock.monotonic()):
                return None
            self._circuits[model] = admitted(circuit)
            return Permit(model, circuit.turn)

    def answered(self, permit: Permit) -> None:
        """The attempt was answered."""
        self._settle(permit, answered)

    def failed(self, permit: Permit, failure: ModelFailure) -> None:
        """The attempt failed."""
        rules = self._rules
        if rules is None or (failure.verdict is Verdict.NEVER_SENT and not speaks_against(failure)):
            self.let_go(permit)
        elif speaks_against(failure):
            at = self._clock.monotonic()
            after = self._settle(permit, lambda circuit: failed(circuit, failure, at, rules))
            if after is not None and after.until is not None:
                self._tell(CircuitOpened(model=permit.model, code=failure.error.code, seconds=after.until - at))
        else:
            self.answered(permit)

    def let_go(self, permit: Permit) -> None:
        """The attempt was interrupted, or not made after all."""
        self._settle(permit, let_go)

    def _settle(self, permit: Permit, change: Callable[[Circuit], Circuit]) -> Circuit | None:
        """Change a circuit and say so if that closed it; None if the attempt is of another turn."""
        with self._lock:
            before = self._circuit(permit.model)
            if before.turn != permit.turn:
                return None
            after = self._circuits[permit.model] = change(before)
        if before.until is not None and after.until is None:
            self._tell(CircuitClosed(model=permit.model))
        return after

    def _circuit(self, model: str) -> Circuit:
        return self._circuits.get(model, Circuit())
