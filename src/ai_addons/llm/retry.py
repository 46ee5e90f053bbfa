"""Attempts at one model: who is asked again, when, and until when.

tenacity alone retries. The rules:

* stop at the number of attempts, or when less than a second is left;
* wait a random time that grows ("full jitter", the AWS Architecture Blog on
  exponential backoff), or as long as the provider asked for, if that fits and
  is no more than twenty seconds;
* an attempt that may have been billed is repeated once at most;
* a model that the circuit breaker leaves alone is not asked: the next one is, at once.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING, Final

from ai_addons.errors import ProviderTimeout
from ai_addons.llm.base import Attempt, Exchange, ModelFailure, Verdict
from ai_addons.llm.breaker import Breaker, Permit, left_alone
from ai_addons.money import PicoUsd

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from ai_addons.clock import Clock
    from ai_addons.events import Event
    from ai_addons.llm.base import Llm, ModelReply, ModelRequest
    from ai_addons.llm.costs import PriceBook

_LEAST_LEFT: Final = 1.0
_MOST_TOKENS: Final = 10**9
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 8.0
_LONGEST_ASKED_WAIT: Final = 20.0
# Of a turn that no circuit has: where nothing is sent, no circuit hears of it.
_NO_PERMIT: Final = Permit("", -1)


class ModelCaller:
    """Asks one model with retries, within a deadline (the `Asker` port).

    Args:
        llm_for: The adapter for a route.
        prices: What attempts cost.
        clock: Deadlines, waits and latencies.
        attempts: Most attempts at one model, one or more.
        random: A number from 0 up to 1, for the waits.
        breaker: Knows which models are left alone; None for a caller without one.
    """

    def __init__(
        self,
        llm_for: Callable[[str], Llm],
        prices: PriceBook,
        clock: Clock,
        attempts: int,
        random: Callable[[], float],
        breaker: Breaker | None = None,
    ) -> None:
        self._llm_for = llm_for
        self._prices = prices
        self._clock = clock
        self._attempts = attempts
        self._random = random
        self._breaker = breaker if breaker is not None else Breaker(None, clock, _nobody)

    def ask(self, request: ModelRequest, deadline: float) -> Exchange:
        """Ask until answered, out of attempts or at the deadline (monotonic seconds).

        Failures come back in the exchange; anything else (Ctrl-C) is raised.
        """
        from tenacity import Retrying, retry_if_exception  # noqa: PLC0415  # only callers pay for it

        run = self._run(request, deadline)
        if run.left <= 0:
            return run.too_late()
        llm = self._llm_for(request.model)

        def once() -> ModelReply:
            attempt = run.next_request()
            try:
                return run.answered(llm.complete(attempt))
            except ModelFailure as failure:
                run.failed(failure)
                raise
            except BaseException:
                run.interrupted()
                raise

        policy = Retrying(
            retry=retry_if_exception(run.may_retry), stop=run.stop, wait=run.wait, sleep=self._clock.sleep, reraise=True
        )
        try:
            return run.exchange(reply=policy(once))
        except ModelFailure as failure:
            return run.exchange(failure=failure)

    async def aask(self, request: ModelRequest, deadline: float) -> Exchange:
        """The same without blocking the event loop; a cancellation passes through."""
        from tenacity import AsyncRetrying, retry_if_exception  # noqa: PLC0415  # only callers pay for it

        run = self._run(request, deadline)
        if run.left <= 0:
            return run.too_late()
        llm = self._llm_for(request.model)

        async def once() -> ModelReply:
            attempt = run.next_request()
            try:
                return run.answered(await llm.acomplete(attempt))
            except ModelFailure as failure:
                run.failed(failure)
                raise
            except BaseException:
                run.interrupted()
                raise

        policy = AsyncRetrying(
            retry=retry_if_exception(run.may_retry),
            stop=run.stop,
            wait=run.wait,
            sleep=self._clock.asleep,
            reraise=True,
        )
        try:
            return run.exchange(reply=await policy(once))
        except ModelFailure as failure:
            return run.exchange(failure=failure)

    def _run(self, request: ModelRequest, deadline: float) -> _Run:
        return _Run(request, deadline, self._prices, self._clock, self._attempts, self._random, self._breaker)


@dataclass(slots=True)
class _Run:
    """One exchange as it goes: the attempts so far, and what may come next."""

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
        if reply.usage is not None and max(astuple(reply.usage)) > _MOST_TOKENS:
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
        """The attempt ended without a word about the model."""
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


def _asked_wait(state: RetryCallState) -> float | None:
    """What the provider asked for in its last answer, if it did."""
    error = state.outcome.exception() if state.outcome is not None else None
    return error.retry_after if isinstance(error, ModelFailure) else None


def _nobody(_event: Event) -> None:
    """Without circuits there is nothing to tell."""
