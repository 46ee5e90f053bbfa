"""The attempts of one exchange with one model: what was asked, what came of it, what may come next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from ai_addons.errors import ProviderTimeout
from ai_addons.llm.base import Attempt, Exchange, ModelFailure, Verdict
from ai_addons.llm.breaker import Permit, left_alone
from ai_addons.money import PicoUsd

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from ai_addons.clock import Clock
    from ai_addons.llm.base import ModelReply, ModelRequest, Usage
    from ai_addons.llm.breaker import Breaker
    from ai_addons.llm.costs import PriceBook

_LEAST_LEFT: Final = 1.0
_MOST_TOKENS: Final = 10**9
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 8.0
_LONGEST_ASKED_WAIT: Final = 20.0
# Of a turn that no circuit has: where nothing is sent, no circuit hears of it.
_NO_PERMIT: Final = Permit("", -1)


@dataclass(slots=True)
class Run:
    """One exchange as it goes: the attempts so far, and what may come next.

    Attributes:
        request: What is asked.
        deadline: Monotonic seconds.
        prices: What attempts cost.
        clock: Deadlines and latencies.
        most: Most attempts.
        random: A number from 0 up to 1, for the waits.
        breaker: Knows which models are left alone.
        attempts: Those made.
        maybe_billed: How many of them failed and may be on the bill.
        started: When the last one began, monotonic seconds.
        started_at: The same, UTC microseconds.
        permit: The breaker's leave for the last one.
        last: What the last one failed with.
        refused: Whether the breaker gave no leave for another.
    """

    request: ModelRequest
    deadline: float
    prices: PriceBook
    clock: Clock
    most: int
    random: Callable[[], float]
    breaker: Breaker
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    maybe_billed: int = 0
    started: float = 0.0
    started_at: int = 0
    permit: Permit = _NO_PERMIT
    last: ModelFailure | None = None
    refused: bool = False

    @property
    def left(self) -> float:
        """Seconds to the deadline."""
        return self.deadline - self.clock.monotonic()

    def next_request(self) -> ModelRequest:
        """The next attempt, in what time is left.

        Raises:
            ModelFailure: If the model is left alone: what it failed with in this exchange, or that it is.
        """
        permit = self.breaker.admit(self.request.model)
        if permit is None:
            self.refused = True
            raise self.last or left_alone(self.breaker.rest((self.request.model,)))
        self.permit = permit
        self._begin()
        return replace(self.request, timeout=min(self.request.timeout, self.deadline - self.started))

    def answered(self, reply: ModelReply) -> ModelReply:
        """Note an answer and what it cost; counts that no provider can mean are no counts."""
        self.breaker.answered(self.permit)
        if reply.usage is not None and _most(reply.usage) > _MOST_TOKENS:
            reply = replace(reply, usage=None)
        self.attempts.append(
            Attempt(
                model=self.request.model,
                answered_by=reply.model,
                usage=reply.usage,
                cost=self.prices.cost(self.request.model, reply),
                latency_ms=self._latency(),
                started_at=self.started_at,
                request_id=reply.request_id,
            )
        )
        return reply

    def failed(self, failure: ModelFailure) -> None:
        """Note a failure; only one that cannot have been billed is known to cost nothing."""
        self.last = failure
        self.breaker.failed(self.permit, failure)
        unknown = failure.verdict is Verdict.MAYBE_BILLED
        self.maybe_billed += unknown
        self.attempts.append(
            Attempt(
                model=self.request.model,
                answered_by=None,
                usage=None,
                cost=None if unknown else PicoUsd(0),
                latency_ms=self._latency(),
                started_at=self.started_at,
                error=failure.error.code,
            )
        )

    def may_retry(self, error: BaseException) -> bool:
        """Whether this failure may be followed by another attempt at all."""
        if self.refused or not isinstance(error, ModelFailure) or not error.retry or self.maybe_billed > 1:
            return False
        # Where the provider named a time, the circuit is open for just that time, which this call may wait out.
        return error.retry_after is not None or not self.breaker.rest((self.request.model,))

    def interrupted(self) -> None:
        """The attempt ended without a word about the model; one that was settled before stays so."""
        self.breaker.let_go(self.permit)

    def wait(self, state: RetryCallState) -> float:
        """Seconds before the next attempt."""
        asked = _asked_wait(state)
        if asked is not None:
            return asked
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (state.attempt_number - 1))
        return float(self.random() * longest)

    def stop(self, state: RetryCallState) -> bool:
        """Whether the next attempt would be one too many, or start too late."""
        late = self.left - state.upcoming_sleep < _LEAST_LEFT
        return state.attempt_number >= self.most or late or (_asked_wait(state) or 0) > _LONGEST_ASKED_WAIT

    def too_late(self) -> Exchange:
        """The deadline passed before the first attempt."""
        self._begin()
        failure = ModelFailure(ProviderTimeout(), Verdict.NEVER_SENT, next_model=False)
        self.failed(failure)
        return self.exchange(failure=failure)

    def exchange(self, *, reply: ModelReply | None = None, failure: ModelFailure | None = None) -> Exchange:
        """How it ended."""
        return Exchange(attempts=tuple(self.attempts), reply=reply, failure=failure)

    def _begin(self) -> None:
        self.started, self.started_at = self.clock.monotonic(), self.clock.now()

    def _latency(self) -> int:
        return round((self.clock.monotonic() - self.started) * 1_000)


def _most(usage: Usage) -> int:
    """The largest count."""
    return max(usage.input, usage.cached, usage.cache_write, usage.output, usage.reasoning)


def _asked_wait(state: RetryCallState) -> float | None:
    """What the provider asked for in its last answer, if it did."""
    error = state.outcome.exception() if state.outcome is not None else None
    return error.retry_after if isinstance(error, ModelFailure) else None
