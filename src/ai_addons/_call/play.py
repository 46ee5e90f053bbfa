"""The course of a call: build the prompt, answer its questions, book it, write the receipt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from ai_addons._call.account import Account
from ai_addons._call.interview import Interview, NoAnswer
from ai_addons._call.progress import Progress
from ai_addons._call.steps import Do, Show
from ai_addons._call.telling import Teller
from ai_addons.billing.together import HoldRequest
from ai_addons.errors import AddOnsError, BadOutput, BudgetSpent, ConfigError, ContentBlocked, StoreUnavailable
from ai_addons.llm.providers import is_offline
from ai_addons.money import Credits
from ai_addons.prompt import Prompt, declared_answer
from ai_addons.receipt import Billed, Quote, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ai_addons._call.interview import Question
    from ai_addons._call.steps import Call, Kit, Step
    from ai_addons.billing.records import Booked
    from ai_addons.prompt import DegradedReason, RecordsOutcome, Source

T = TypeVar("T")
R = TypeVar("R")


def billed_call(call: Call[R], kit: Kit) -> Generator[Step, Any, Billed[R]]:
    """Carry out one call: mask, repeat or hold, ask, check, capture, restore.

    Raises:
        AddOnsError: If there is no result; whatever was held is void then.
    """
    run = _Run(call, kit)
    try:
        try:
            return (yield from run.play())
        finally:
            yield from run.land()
    finally:
        run.close()


def streamed_call(call: Call[str], kit: Kit, deliver: Callable[[Receipt], None]) -> Generator[Step, Any, None]:
    """Carry out one call whose answer is shown while it is written; what is known at once is one piece.

    Args:
        call: The call.
        kit: What it works with.
        deliver: Takes the receipt, also where the reader stopped.

    Raises:
        AddOnsError: If the answer is not whole; whatever was held is void then.
    """
    run = _Run(call, kit, deliver=deliver)
    try:
        try:
            value = (yield from run.play()).value
        finally:
            yield from run.land()
        if not run.shown:
            yield Show(value)
    finally:
        run.close()


def quote_call(call: Call[R], kit: Kit) -> Generator[Step, Any, Quote]:
    """Say what a call would cost, without calling or charging."""
    run = _Run(call, kit)
    try:
        return (yield from run.quote())
    finally:
        run.close()


def plan_call(call: Call[R], kit: Kit) -> Generator[Step, Any, Plan]:
    """Say what a call would have to hold, without calling, holding or telling anybody."""
    run = _Run(call, kit)
    try:
        return (yield from run.plan())
    finally:
        run.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is known of a call that will be made together with others.

    Attributes:
        wanted: What is to be held for it; None where it is free.
        key: The caller's idempotency key.
        same: Equal for calls of which one is paid for and the others repeat it free; None where each is paid for.
    """

    wanted: HoldRequest | None
    key: str | None
    same: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outlook:
    """What a call would find: whether it is free, whether an answer is stored, and its question."""

    free: bool
    cached: bool = False
    question: Question | None = None


class _Run(Generic[R]):
    """One call in progress; lives as long as its generator.

    Args:
        call: The call.
        kit: What it works with.
        deliver: Takes the receipt of a call whose answer is shown while it is written; None for any other call.
    """

    def __init__(self, call: Call[R], kit: Kit, *, deliver: Callable[[Receipt], None] | None = None) -> None:
        self._aloud = deliver is not None
        self._deliver = deliver or _kept_by_nobody
        session = kit.masker.session(call.rules)
        self._call = call
        self._kit = kit
        self._vault = session.vault
        self._progress = Progress()
        self._account = Account(call, kit, self._progress, session.vault)
        self._teller = Teller(kit, self._account, self._progress)
        self._interview = Interview(call, kit, session, self._account, self._progress, self._teller)

    @property
    def shown(self) -> bool:
        """Whether the reader saw the answer, or a part of it."""
        return self._progress.shown

    def close(self) -> None:
        """Forget the personal data of this call; nobody waits for it any more."""
        self._interview.repeats.close()
        self._vault.close()

    def land(self) -> Generator[Step, Any, None]:
        """Let calls go on that wait for this one's answer, on all hosts."""
        yield from self._interview.repeats.land()

    def play(self) -> Generator[Step, Any, Billed[R]]:
        """Run the builder and give its result, billed."""
        self._teller.started()
        try:
            yield from self._account.look_up()
            prompt = yield from self._build()
            value, source, reason, failure = yield from self._result(prompt)
            if reason is None:
                booked = yield from self._account.capture(source)
            else:
                booked = yield from self._account.let_go(source, failure)
        except NoAnswer as none:
            yield from self._fail(none.error)
            raise none.error from None
        except BaseException as error:
            # No `Exception`: not a failure of ours, but the reader who went away.
            if self.shown and not isinstance(error, Exception):
                yield from self._stopped()
            else:
                yield from self._fail(error)
            raise
        if reason is None:
            # Only what was paid for, or is free by price, may be repeated free.
            yield from self._interview.repeats.remember()
        receipt = self._receipt(source, reason, booked)
        self._deliver(receipt)
        if failure is None:
            self._teller.charged(receipt)
        else:
            self._teller.fell_back(failure)
        return Billed(value, receipt)

    def quote(self) -> Generator[Step, Any, Quote]:
        """What `play` would charge now; a builder that asks on the way is quoted at its price."""
        outlook = yield from self._outlook()
        charge = Credits(0) if outlook.free else self._call.price
        wallet = yield Do(partial(self._kit.store.wallet, self._call.payer.business))
        available = wallet.spendable(self._call.spec.key)
        short = charge - available
        return Quote(
            feature=self._call.spec.key,
            price=self._call.price,
            charge=charge,
            available=available,
            cached=outlook.cached,
            offers=self._kit.offers(wallet.policy, short) if short > Credits(0) else (),
        )

    def plan(self) -> Generator[Step, Any, Plan]:
        """What `play` would have to hold now; nothing is held, asked or told."""
        account, call = self._account, self._call
        outlook = yield from self._outlook()
        wanted = None
        if call.price and not outlook.free:
            bound = None if outlook.question is None else self._interview.bound(outlook.question)
            version = call.price_version
            wanted = HoldRequest(call=account.identity, amount=call.price, price_version=version, bound=bound)
        same = account.identity.request_hash if self._interview.repeats.on and call.free_repeats else None
        return Plan(wanted=wanted, key=call.key, same=same)

    def _outlook(self) -> Generator[Step, Any, _Outlook]:
        """What is known of a call before it is made; of a builder that asks on the way, its first question."""
        yield from self._account.look_up()
        replayed = self._account.finished is not None
        prompt, declared, asks = self._opening()
        if asks:
            question = None if prompt.result is not None else (yield from self._interview.look(prompt, declared))[1]
            return _Outlook(free=replayed, question=question)
        if prompt.result is not None:
            return _Outlook(free=True)
        found, question = yield from self._interview.look(prompt, declared)
        own = found is not None and self._interview.repeats.is_free(found)
        return _Outlook(free=own or replayed, cached=found is not None, question=question)

    def _opening(self) -> tuple[Prompt[Any], object, bool]:
        """The first prompt of the builder, the type of its answer, and whether more may follow it."""
        built = self._call.build()
        if isinstance(built, Prompt):
            return built, self._call.answer, False
        if not isinstance(built, GeneratorType):
            raise self._no_prompt(built)
        try:
            first = next(built)
        except StopIteration as stop:
            last: object = stop.value
            if not isinstance(last, Prompt):
                raise self._no_prompt(last) from None
            return cast("Prompt[R]", last), self._call.answer, False
        built.close()
        return first, declared_answer(first), True

    def _build(self) -> Generator[Step, Any, Prompt[R]]:
        """Run the builder; questions it asks on the way are asked inside this call."""
        built = self._call.build()
        if isinstance(built, Prompt):
            return built
        if not isinstance(built, GeneratorType):
            raise self._no_prompt(built)
        reply: Any = None
        error: AddOnsError | None = None
        while True:
            try:
                inner = built.send(reply) if error is None else built.throw(error)
            except StopIteration as stop:
                built_last: object = stop.value
                if not isinstance(built_last, Prompt):
                    raise self._no_prompt(built_last) from None
                return cast("Prompt[R]", built_last)
            reply, error = None, None
            try:
                reply = yield from self._value(inner, declared_answer(inner))
            except NoAnswer as none:
                if inner.fallback is None:
                    error = none.error
                else:
                    reply = inner.fallback()

    def _no_prompt(self, built: object) -> ConfigError:
        msg = (
            f"The builder of {self._call.spec.key!r} returned {type(built).__name__}, not a Prompt. "
            f"Nothing was charged. Let it `return Prompt(user=…)`."
        )
        return ConfigError(msg)

    def _result(
        self, prompt: Prompt[R]
    ) -> Generator[Step, Any, tuple[R, Source, DegradedReason | None, AddOnsError | None]]:
        """The caller's value, where it comes from, and what went wrong if a fallback gave it."""
        if prompt.result is not None:
            return prompt.result[0], "rules", _settled_reason(prompt.result[0]), None
        if self._aloud and prompt.finish is not None:
            raise self._composed()
        try:
            value = yield from self._value(prompt, self._call.answer, aloud=self._aloud)
        except NoAnswer as none:
            if prompt.fallback is None:
                raise
            reason = _reason(none.error)
            return _stamped(prompt.fallback(), "rules", reason), "rules", reason, none.error
        stale = self._progress.stale
        if stale is not None:
            late = _reason(stale)
            return _stamped(value, "cache", late), "cache", late, stale
        source = self._source()
        return _stamped(value, source, None), source, None, None

    def _source(self) -> Source:
        """Where an answer came from."""
        if not self._progress.asked:
            return "cache"
        return "offline" if is_offline(self._progress.model or "") else "ai"

    def _value(self, prompt: Prompt[Any], declared: object, *, aloud: bool = False) -> Generator[Step, Any, Any]:
        """What a prompt's answer comes to: the answer itself, or what `finish` makes of it."""
        if prompt.result is not None:
            return prompt.result[0]
        answer = yield from self._interview.answer(prompt, declared, aloud=aloud)
        return prompt.finish(answer) if prompt.finish else answer

    def _composed(self) -> ConfigError:
        msg = (
            f"{self._call.spec.key!r} composes its result from the model's answer, so there is nothing to show before "
            "it is whole. Nothing was charged. Call the feature instead of its `stream`."
        )
        return ConfigError(msg)

    def _stopped(self) -> Generator[Step, Any, None]:
        """The reader had a part of the answer and went away: it is paid for."""
        source = self._source()
        booked = yield from self._account.keep_part(source)
        if booked is None:  # pragma: no cover  # seen by a test, but CPython 3.11 traces no line after such a throw
            self._teller.ended_badly(StoreUnavailable())
            return
        receipt = self._receipt(source, None, booked)
        self._deliver(receipt)
        self._teller.charged(receipt)

    def _fail(self, error: BaseException) -> Generator[Step, Any, None]:
        """Give everything back and say so."""
        try:
            yield from self._account.give_up(error)
        finally:
            self._teller.ended_badly(error)

    def _receipt(self, source: Source, reason: DegradedReason | None, booked: Booked) -> Receipt:
        identity, progress = self._account.identity, self._progress
        return Receipt(
            id=identity.id,
            feature=identity.feature,
            business=identity.business,
            user=identity.user,
            at=self._kit.clock.now(),
            price=self._call.price,
            charged=booked.charged,
            balance=booked.balance,
            source=source,
            degraded_reason=reason,
            cached=source == "cache" and self._account.finished is None,
            stale=source == "cache" and reason is not None,
            replayed=self._account.finished is not None,
            model=progress.model,
            prompt_version=self._call.spec.version,
            masked=dict(self._vault.counts),
            usage=progress.usage,
            latency_ms=self._account.latency_ms,
            attempts=tuple(progress.attempts),
            cost=progress.cost,
            cost_ghs_micro=booked.cost_ghs,
        )


def _kept_by_nobody(_receipt: Receipt) -> None:
    """For a call whose receipt goes with its value."""


def _reason(error: AddOnsError) -> DegradedReason:
    if isinstance(error, BudgetSpent):
        return "over_budget"
    return "guard_rejected" if isinstance(error, (BadOutput, ContentBlocked)) else "provider_down"


def _settled_reason(result: object) -> DegradedReason:
    return cast("DegradedReason | None", getattr(result, "degraded_reason", None)) or "insufficient_data"


def _stamped(value: T, source: Source, reason: DegradedReason | None) -> T:
    """Let a result that wants to know say how it came about."""
    # Not `isinstance`: of a protocol that is slow, and this is done in every call.
    if not hasattr(value, "with_outcome"):
        return value
    return cast("T", cast("RecordsOutcome", value).with_outcome(source, reason))
