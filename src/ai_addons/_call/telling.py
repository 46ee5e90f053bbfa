"""What the hooks are told about one call: how it began, what was asked, how it ended."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from ai_addons._call.account import code_of
from ai_addons.events import AttemptMade, CacheAsked, CallCharged, CallFailed, CallRefused, CallStarted, CallTimes, emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons._call.account import Account
    from ai_addons._call.progress import Progress
    from ai_addons._call.steps import Kit
    from ai_addons.errors import AddOnsError
    from ai_addons.events import AttemptReason, CacheResult, Event
    from ai_addons.llm.base import Attempt
    from ai_addons.receipt import Receipt

R = TypeVar("R")


class Teller(Generic[R]):
    """Tells the hooks of one call; with no hooks it does nothing."""

    def __init__(self, kit: Kit, account: Account[R], progress: Progress) -> None:
        self._hooks = kit.hooks
        self._keys = kit.keys
        self._account = account
        self._progress = progress
        self._attempts: list[AttemptMade] = []
        self._id = account.identity.id
        self._feature = account.identity.feature

    @cached_property
    def _business(self) -> str:
        return self._keys.tag(self._account.identity.business)

    def started(self) -> None:
        """The call has begun."""
        if self._hooks:
            at = self._account.started_at
            self._emit(CallStarted(call_id=self._id, business=self._business, feature=self._feature, started_at=at))

    def cache(self, result: CacheResult) -> None:
        """The answer cache was asked."""
        if self._hooks:
            self._emit(CacheAsked(call_id=self._id, feature=self._feature, result=result))

    def attempts(self, made: Sequence[Attempt], why: AttemptReason) -> None:
        """A model was asked, perhaps several times; the first time for this reason."""
        if self._hooks:
            for place, attempt in enumerate(made):
                event = self._attempt(attempt, "retry" if place else why)
                self._attempts.append(event)
                self._emit(event)

    def charged(self, receipt: Receipt) -> None:
        """The call gave an answer."""
        if self._hooks:
            event = CallCharged(
                call_id=self._id,
                business=self._business,
                feature=self._feature,
                charged=receipt.charged,
                cached=receipt.cached,
                replayed=receipt.replayed,
                model=receipt.model,
                cost=receipt.cost,
                latency_ms=receipt.latency_ms,
                times=self._times(),
            )
            self._emit(event)

    def fell_back(self, error: AddOnsError) -> None:
        """The call gave its fallback."""
        if self._hooks:
            self._failed(error, fell_back=True)

    def ended_badly(self, error: BaseException) -> None:
        """The call failed, or was refused before anything happened that the books must show."""
        if not self._hooks:
            return
        if self._account.touched:
            self._failed(error, fell_back=False)
            return
        refused = CallRefused(
            feature=self._feature,
            code=code_of(error),
            call_id=self._id,
            business=self._business,
            times=self._times(),
        )
        self._emit(refused)

    def _failed(self, error: BaseException, *, fell_back: bool) -> None:
        event = CallFailed(
            call_id=self._id,
            business=self._business,
            feature=self._feature,
            code=code_of(error),
            fell_back=fell_back,
            cost=self._progress.cost,
            latency_ms=self._account.latency_ms,
            times=self._times(),
        )
        self._emit(event)

    def _times(self) -> CallTimes:
        return CallTimes(
            started_at=self._account.started_at,
            ended_at=self._account.moment(),
            steps=tuple(self._progress.steps),
            attempts=tuple(self._attempts),
        )

    def _attempt(self, attempt: Attempt, why: AttemptReason) -> AttemptMade:
        usage = attempt.usage
        return AttemptMade(
            call_id=self._id,
            feature=self._feature,
            model=attempt.model,
            reason=why,
            code=attempt.error,
            answered_by=attempt.answered_by,
            started_at=attempt.started_at,
            latency_ms=attempt.latency_ms,
            input_tokens=None if usage is None else usage.input + usage.cached + usage.cache_write,
            cached_tokens=None if usage is None else usage.cached,
            cache_write_tokens=None if usage is None else usage.cache_write,
            output_tokens=None if usage is None else usage.output + usage.reasoning,
            reasoning_tokens=None if usage is None else usage.reasoning,
            cost=attempt.cost,
        )

    def _emit(self, event: Event) -> None:
        emit(self._hooks, event)
