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

from typing import TYPE_CHECKING, TypeVar

from ai_addons.llm.attempts import Run
from ai_addons.llm.base import ModelFailure
from ai_addons.llm.breaker import Breaker
from ai_addons.llm.listening import AsyncListener, Listener, apieces, pieces

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tenacity import AsyncRetrying, Retrying

    from ai_addons.clock import Clock
    from ai_addons.events import Event
    from ai_addons.llm.base import Exchange, Llm, ModelReply, ModelRequest
    from ai_addons.llm.costs import PriceBook


T = TypeVar("T")


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

        try:
            return run.exchange(reply=self._attempts_at(run, once))
        except ModelFailure as failure:
            return run.exchange(failure=failure)

    async def aask(self, request: ModelRequest, deadline: float) -> Exchange:
        """The same without blocking the event loop; a cancellation passes through."""
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

        try:
            return run.exchange(reply=await self._async_attempts_at(run, once))
        except ModelFailure as failure:
            return run.exchange(failure=failure)

    def open(self, request: ModelRequest, deadline: float) -> Listener | Exchange:
        """Ask for an answer in pieces, until the first text of one has come.

        Once it has, nothing is asked again: what comes after is the listener's.

        Returns:
            The answer as it arrives; or how it ended, if no text came at all.
        """
        run = self._run(request, deadline)
        if run.left <= 0:
            return run.too_late()
        llm = self._llm_for(request.model)

        def once() -> Listener | Exchange:
            attempt = run.next_request()
            return Listener.begin(run, pieces(llm, attempt), attempt.timeout)

        try:
            return self._attempts_at(run, once)
        except ModelFailure as failure:
            return run.exchange(failure=failure)

    async def aopen(self, request: ModelRequest, deadline: float) -> AsyncListener | Exchange:
        """The same without blocking the event loop."""
        run = self._run(request, deadline)
        if run.left <= 0:
            return run.too_late()
        llm = self._llm_for(request.model)

        async def once() -> AsyncListener | Exchange:
            attempt = run.next_request()
            return await AsyncListener.begin(run, apieces(llm, attempt), attempt.timeout)

        try:
            return await self._async_attempts_at(run, once)
        except ModelFailure as failure:
            return run.exchange(failure=failure)

    # Most calls end with their first attempt, and tenacity's book-keeping would cost more than all else here.

    def _attempts_at(self, run: Run, once: Callable[[], T]) -> T:
        """The first attempt, and by tenacity those that follow a failure."""
        try:
            return once()
        except ModelFailure as failure:
            turn = _after(failure, once)
        return self._policy(run)(turn)

    async def _async_attempts_at(self, run: Run, once: Callable[[], Awaitable[T]]) -> T:
        try:
            return await once()
        except ModelFailure as failure:
            turn = _async_after(failure, once)
        return await self._async_policy(run)(turn)

    def _policy(self, run: Run) -> Retrying:
        from tenacity import Retrying, retry_if_exception  # noqa: PLC0415  # only callers pay for it

        again = retry_if_exception(run.may_retry)
        return Retrying(retry=again, stop=run.stop, wait=run.wait, sleep=self._clock.sleep, reraise=True)

    def _async_policy(self, run: Run) -> AsyncRetrying:
        from tenacity import AsyncRetrying, retry_if_exception  # noqa: PLC0415  # only callers pay for it

        again = retry_if_exception(run.may_retry)
        return AsyncRetrying(retry=again, stop=run.stop, wait=run.wait, sleep=self._clock.asleep, reraise=True)

    def _run(self, request: ModelRequest, deadline: float) -> Run:
        return Run(request, deadline, self._prices, self._clock, self._attempts, self._random, self._breaker)


def _after(first: ModelFailure, once: Callable[[], T]) -> Callable[[], T]:
    """The attempts as tenacity counts them: the first, which has failed already, and then the others."""
    made = [first]

    def turn() -> T:
        if made:
            raise made.pop()
        return once()

    return turn


def _async_after(first: ModelFailure, once: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    made = [first]

    async def turn() -> T:
        if made:
            raise made.pop()
        return await once()

    return turn


def _nobody(_event: Event) -> None:
    """Without circuits there is nothing to tell."""
