"""The money of one call: who it is, what is held for it, and how it ends in the books."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from ai_addons._call.steps import Do
from ai_addons.billing.records import Booked, CallIdentity, CallRecord, Finished, Hold, Outcome
from ai_addons.errors import AddOnsError, HoldExpired, StoreUnavailable
from ai_addons.events import StepTaken
from ai_addons.money import Credits, MicroGhs, PicoUsd

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ai_addons._call.progress import Progress
    from ai_addons._call.steps import Call, Kit, Step
    from ai_addons.events import StepName
    from ai_addons.privacy.base import Vault
    from ai_addons.prompt import Source

R = TypeVar("R")

logger: Final = logging.getLogger("ai_addons")

_MICROSECONDS: Final = 1_000_000
_RENEW_AGAIN: Final = 5.0
"""Seconds until a renewal is tried again after the store was away."""


class Account(Generic[R]):
    """Holds, captures and voids for one call.

    Attributes:
        arguments_hash: Keyed hash of the unmasked arguments.
        own_hash: The same for this business alone.
        identity: Which call this is.
        finished: What this very call gave before, if it was paid for.
        owes: Whether something was done that is to be paid for.
        started_at: When the call began, UTC microseconds.
    """

    def __init__(self, call: Call[R], kit: Kit, progress: Progress, vault: Vault) -> None:
        self._call = call
        self._store = kit.store
        self._clock = kit.clock
        self._leftovers = kit.leftovers
        self._progress = progress
        self._vault = vault
        self._started = kit.clock.monotonic()
        self.started_at: int = kit.clock.now()
        self._hold: Hold | None = call.reserved
        self.owes: bool = False
        self._renew_at = 0.0
        self._cacheable = call.cache_for is not None and kit.cache is not None
        self.finished: Finished | None = None
        feature, version = call.spec.key, call.spec.version
        # What is configured may change between a call and its repeat; what the caller asked for may not.
        options: tuple[dict[str, object], ...] = ({}, {"model": call.chosen})
        self.arguments_hash, request = kit.keys.request_hashes(feature, version, call.arguments, options)
        self.own_hash = kit.keys.repeat_hash(call.payer.business, self.arguments_hash)
        fresh = CallIdentity(
            business=call.payer.business,
            user=call.payer.user,
            id=kit.ids.new(self.started_at) if call.key is None else call.key,
            feature=feature,
            request_hash=request,
            keyed=call.key is not None,
        )
        self.identity: CallIdentity = fresh if call.reserved is None else call.reserved.call

    @property
    def touched(self) -> bool:
        """Whether anything happened that the books must show."""
        return self.holds or bool(self._progress.attempts) or self._progress.timed_out

    @property
    def holds(self) -> bool:
        """Whether credits are held for it."""
        return self._hold is not None

    @property
    def deadline(self) -> float:
        """When the call must be over, monotonic seconds."""
        return self._started + self._call.seconds

    @property
    def latency_ms(self) -> int:
        """Milliseconds since the call began."""
        return round((self._clock.monotonic() - self._started) * 1_000)

    def moment(self, monotonic: float | None = None) -> int:
        """A monotonic time, now if none is given, as UTC microseconds; the call's clock is read once only."""
        at = self._clock.monotonic() if monotonic is None else monotonic
        return self.started_at + round((at - self._started) * _MICROSECONDS)

    def look_up(self) -> Generator[Step, Any, None]:
        """See whether this key was paid for before; its answers are then given again."""
        # What was held beforehand was looked up then.
        if self.identity.keyed and self._hold is None:
            self.finished = yield from self._timed("find", partial(self._store.find, self.identity))
            self._progress.replay_from(self.finished)

    def hold(self, bound: PicoUsd | None = None) -> Generator[Step, Any, None]:
        """Hold the price, once a call; a free or already paid call holds nothing.

        Args:
            bound: The most the models can cost; None where none is asked.
        """
        if self.finished is not None:
            return
        self.owes = bool(self._call.price)
        if self._hold is not None:
            return
        call = self._call
        if not call.price:
            if bound is not None:
                yield Do(partial(self._store.check_budget, self.identity.business, bound))
            return
        hold = partial(self._store.hold, self.identity, call.price, price_version=call.price_version, bound=bound)
        outcome = yield from self._timed("hold", hold)
        if isinstance(outcome, Finished):
            self.finished = outcome
            self._progress.replay_from(outcome)
        else:
            self._hold = outcome
            self._renew_at = self._clock.monotonic() + self._third(outcome)

    def keep_alive(self) -> Generator[Step, Any, None]:
        """Renew the hold of a stream once a third of its time to live is over.

        One that has expired meanwhile is captured late; a store that is away is asked again later.
        """
        now = self._clock.monotonic()
        if self._hold is None or now < self._renew_at:
            return
        try:
            renewed: Hold = yield Do(partial(self._store.renew, self._hold))
        except HoldExpired:
            self._renew_at = float("inf")
        except StoreUnavailable:
            logger.warning("the hold of call %s was not renewed; it is tried again", self.identity.id)
            self._renew_at = now + _RENEW_AGAIN
        else:
            self._hold, self._renew_at = renewed, now + self._third(renewed)

    def _third(self, hold: Hold) -> float:
        """A third of the time that a hold has left, seconds."""
        return (hold.expires_at - self._clock.now()) / _MICROSECONDS / 3

    def capture(self, source: Source) -> Generator[Step, Any, Booked]:
        """Charge a held call; book one that held nothing, or nothing that it owes, as free."""
        record = self._record("ok", source, None)
        if self._hold is not None and not self.owes:
            # Held beforehand; meanwhile it could be repeated free.
            return (yield from self._void(self._hold, record))
        if self._hold is not None:
            return (yield from self._capture(partial(self._store.capture, self._hold, record)))
        if self.finished is not None and not self._progress.attempts:
            # The row of the first time stands for its replays.
            balance = yield Do(partial(self._store.available, self.identity.business))
            return Booked(charged=Credits(0), balance=balance, cost_ghs=MicroGhs(0))
        return (yield from self._free(record))

    def _capture(self, capture: Callable[[], object]) -> Generator[Step, Any, Booked]:
        """Book it; once more where nobody knows whether it was, for it is never booked twice.

        Else the caller might pay for a call that failed: its answer is at hand, and the books say that it was given.
        """
        try:
            return cast("Booked", (yield from self._timed("capture", capture)))
        except StoreUnavailable as lost:
            if not lost.in_doubt:
                raise
        return cast("Booked", (yield from self._timed("capture", capture)))

    def let_go(self, source: Source, error: AddOnsError | None) -> Generator[Step, Any, Booked]:
        """End a call that code answered: nothing is charged, what the models cost is booked."""
        record = self._record("ok" if error is None else "failed", source, error)
        if self._hold is not None:
            return (yield from self._void(self._hold, record))
        return (yield from self._free(record))

    def keep_part(self, source: Source) -> Generator[Step, Any, Booked | None]:
        """Charge a stream whose reader stopped; None if the store is away, then the hold expires by itself."""
        try:
            return (yield from self.capture(source))
        except StoreUnavailable:
            self._leave()
            return None

    def give_up(self, error: BaseException) -> Generator[Step, Any, None]:
        """Void the hold of a call that failed, and book its cost."""
        record = self._record("failed", "ai", error)
        try:
            if self._hold is not None:
                yield from self._void(self._hold, record)
            elif self.touched:
                yield from self._free(record)
        except StoreUnavailable:
            # The first error is the one to tell.
            self._leave()

    def _leave(self) -> None:
        """End without the books; a hold expires by itself."""
        self._leftovers.add([self.identity.id], [] if self._hold is None else [self._hold])

    def _void(self, hold: Hold, record: CallRecord) -> Generator[Step, Any, Booked]:
        return cast("Booked", (yield from self._timed("void", partial(self._store.void, hold, record))))

    def _free(self, record: CallRecord) -> Generator[Step, Any, Booked]:
        return cast("Booked", (yield from self._timed("record", partial(self._store.record, self.identity, record))))

    def _timed(self, name: StepName, work: Callable[[], object]) -> Generator[Step, Any, Any]:
        """Visit the books, and note how long it took."""
        began = self._clock.monotonic()
        try:
            return (yield Do(work))
        finally:
            took = round((self._clock.monotonic() - began) * _MICROSECONDS)
            self._progress.steps.append(StepTaken(name=name, started_at=self.moment(began), duration_us=took))

    def _record(self, outcome: Outcome, source: Source, error: BaseException | None) -> CallRecord:
        return CallRecord(
            outcome=outcome,
            source=source,
            prompt_version=self._call.spec.version,
            error_code=None if error is None else code_of(error),
            model=self._progress.model,
            tokens=self._progress.tokens,
            cost=self._progress.cost,
            at_most=self._progress.at_most,
            latency_ms=self.latency_ms,
            began=self._started,
            cacheable=outcome == "ok" and source != "rules" and self._cacheable,
            saved=self._progress.saved if outcome == "ok" else PicoUsd(0),
            request_meta={"masked": dict(self._vault.counts), "max_tokens": self._call.max_tokens},
            response_meta={"attempts": self._progress.attempts_meta()},
            # A call whose id nobody chose is never replayed.
            answers=self._progress.kept_answers if outcome == "ok" and self.identity.keyed else None,
            keep_for=self._call.replay_us,
        )


def code_of(error: BaseException) -> str:
    """A stable word for the books; the text of a host's exception never gets there."""
    if isinstance(error, AddOnsError):
        return error.code
    return "cancelled" if isinstance(error, (CancelledError, KeyboardInterrupt, GeneratorExit)) else "host_error"
