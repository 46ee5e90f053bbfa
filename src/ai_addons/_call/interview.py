"""One question of a call: masked, answered from what is stored or by a model, checked, restored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from ai_addons._call import stored, wording
from ai_addons._call.account import code_of
from ai_addons._call.steps import AskModel, Do
from ai_addons.errors import AddOnsError, BadOutput, BudgetSpent, CallError, ContentBlocked
from ai_addons.events import OperatorAlert, emit
from ai_addons.llm.base import Attempt, ModelRequest
from ai_addons.llm.costs import prompt_bytes
from ai_addons.llm.providers import is_offline
from ai_addons.llm.schema import AnswerType, BadAnswer
from ai_addons.money import PicoUsd
from ai_addons.privacy.base import Unresolved

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ai_addons._call.account import Account
    from ai_addons._call.progress import Progress
    from ai_addons._call.steps import Call, Kit, Step
    from ai_addons.llm.base import Exchange, Message, ModelReply
    from ai_addons.privacy.base import Json, Session
    from ai_addons.prompt import Prompt

R = TypeVar("R")

_MICROSECONDS: Final = 1_000_000
_REPAIR_SECONDS: Final = 2.0
"""With less time than this left a bad answer is not repaired."""


class NoAnswer(Exception):
    """No usable answer; carries what the caller sees where there is no fallback."""

    def __init__(self, error: AddOnsError) -> None:
        super().__init__(error.code)
        self.error = error


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt made ready to send: masked, with its answer type, its name for a replay and its cache key."""

    prompt: Prompt[Any]
    answer: AnswerType
    messages: tuple[Message, ...]
    sample: str | None
    name: str
    cache_key: str


class Interview(Generic[R]):
    """Puts the questions of one call and brings back usable answers."""

    def __init__(self, call: Call[R], kit: Kit, session: Session, account: Account[R], progress: Progress) -> None:
        self._call = call
        self._kit = kit
        self._session = session
        self._account = account
        self._progress = progress
        self._to_cache: list[tuple[str, stored.Stored]] = []

    def answer(self, prompt: Prompt[Any], declared: object) -> Generator[Step, Any, Any]:
        """The restored, validated answer to one prompt: replayed, stored or asked for.

        Raises:
            NoAnswer: If there is none; the hold is still open then.
        """
        question = self._question(prompt, declared)
        if question.name not in self._progress.replay:
            found = yield from self._stored(question)
            if found is not None and (value := self._kept(question, found.answer)) is not None:
                if not self.is_free(found):
                    yield from self._account.hold()
                    self._to_cache.append((question.cache_key, found.paid_also_by(self._account.arguments_hash)))
                self._progress.model = found.model
                return value[0]
            yield from self._hold(question)
        # The hold may have found that this very call was paid for meanwhile.
        if question.name in self._progress.replay:
            text = self._progress.replay[question.name]
            if text is None:
                self._progress.answers[question.name] = None
                raise NoAnswer(BadOutput())
            if (value := self._kept(question, text)) is not None:
                return value[0]
        try:
            return (yield from self._converse(question))
        except NoAnswer:
            self._progress.answers[question.name] = None
            raise

    def is_free(self, found: stored.Stored) -> bool:
        """Whether a stored answer is this business's own, for these very arguments."""
        return self._call.free_repeats and self._account.arguments_hash in found.paid_by

    def look(self, prompt: Prompt[Any], declared: object) -> Generator[Step, Any, stored.Stored | None]:
        """What is stored for a prompt, without asking, holding or charging."""
        return (yield from self._stored(self._question(prompt, declared)))

    def remember(self) -> Generator[Step, Any, None]:
        """Store what may be repeated; only now, when it is paid for."""
        cache, keep = self._kit.cache, self._call.cache_for
        if cache is not None and keep is not None:
            tag = self._kit.keys.pseudonym(self._account.identity.business)
            for name, entry in self._to_cache:
                left = keep - (self._kit.clock.now() - entry.at) / _MICROSECONDS
                if left > 0:
                    yield Do(partial(stored.write, cache, name, entry.text(), left, tag))

    def _question(self, prompt: Prompt[Any], declared: object) -> Question:
        """Mask a prompt and lay out its messages."""
        answer = AnswerType(declared if prompt.answer is None else prompt.answer)
        (system, user), data = self._session.mask([prompt.system, prompt.user], prompt.data)
        sample = None
        if prompt.sample is not None and any(map(is_offline, self._call.route)):
            sample = self._session.mask_text(answer.dump(prompt.sample()))
        messages = wording.messages(system, user, data, masked=bool(self._session.vault.counts))
        return Question(prompt, answer, messages, sample, *self._names(messages, answer))

    def _names(self, messages: Sequence[Message], answer: AnswerType) -> tuple[str, str]:
        """The question as it was put, and as it is stored; the second changes with models and settings too."""
        business, spec = self._account.identity.business, self._call.spec
        prompt: Json = [[message.role, message.content] for message in messages]
        name = partial(
            self._kit.keys.cache_key,
            scope=business,
            feature=spec.key,
            version=spec.version,
            prompt=prompt,
            schema=answer.schema,
        )
        variant = self._kit.keys.variant(self._account.arguments_hash, spec.variants)
        settings: dict[str, Json] = {"max_tokens": self._call.max_tokens}
        return name(route=(), settings={}), name(route=self._call.route, settings=settings, variant=variant)

    def _stored(self, question: Question) -> Generator[Step, Any, stored.Stored | None]:
        if self._call.cache_for is None or self._kit.cache is None:
            return None
        found: stored.Stored | None = yield Do(partial(stored.read, self._kit.cache, question.cache_key))
        return found

    def _kept(self, question: Question, text: str) -> tuple[Any] | None:
        """A stored answer made usable; None if it was written under an older schema or check."""
        try:
            value = self._usable(question, text)
        except (BadAnswer, NoAnswer):
            return None
        self._progress.answers[question.name] = text
        return (value,)

    def _hold(self, question: Question) -> Generator[Step, Any, None]:
        """Hold the price before a model is asked.

        Raises:
            UnpricedModel: If it could cost an unknown amount.
            NoAnswer: If the provider budget has not so much left.
        """
        try:
            yield from self._account.hold(self._bound(question))
        except BudgetSpent as spent:
            raise NoAnswer(spent) from spent

    def _bound(self, question: Question) -> PicoUsd:
        """The most this question can cost: every attempt at every model, and a repair that repeats it all."""
        size = prompt_bytes(question.messages, question.answer.schema)
        for model in self._call.route:
            # A model without a price, where that is allowed, cannot be bounded and counts with nothing.
            bound = self._kit.prices.bound(model, size, self._call.max_tokens) or 0
            self._progress.bounds[model] = max(bound, self._progress.bounds.get(model, 0))
        bounds = [self._progress.bounds[model] for model in self._call.route]
        return PicoUsd(self._call.attempts * (sum(bounds) + 2 * max(bounds)))

    def _converse(self, question: Question) -> Generator[Step, Any, Any]:
        """Ask the models of the route in order until one answers.

        Raises:
            NoAnswer: If none does, or the answer stays unusable.
        """
        last: AddOnsError = BadOutput()
        for place, model in enumerate(self._call.route):
            # A model that hangs must leave time for those after it.
            now = self._kit.clock.monotonic()
            share = (self._account.deadline - now) / (len(self._call.route) - place)
            reply = yield from self._ask(model, question.messages, question, now + share)
            if isinstance(reply, AddOnsError):
                last = reply
                continue
            try:
                return self._accept(question, model, reply)
            except BadAnswer as bad:
                faulty = bad
            return (yield from self._repaired(question, model, reply, faulty))
        raise NoAnswer(last)

    def _repaired(self, question: Question, model: str, reply: ModelReply, bad: BadAnswer) -> Generator[Step, Any, Any]:
        """Let the model correct its answer, once, if there is time."""
        if self._account.deadline - self._kit.clock.monotonic() < _REPAIR_SECONDS:
            raise NoAnswer(BadOutput())
        messages = (*question.messages, *wording.repair(reply, bad, question.answer))
        second = yield from self._ask(model, messages, question, self._account.deadline)
        if isinstance(second, AddOnsError):
            raise NoAnswer(second)
        try:
            return self._accept(question, model, second)
        except BadAnswer:
            raise NoAnswer(BadOutput()) from None

    def _ask(
        self, model: str, messages: tuple[Message, ...], question: Question, deadline: float
    ) -> Generator[Step, Any, ModelReply | AddOnsError]:
        """One exchange with one model: its reply, or an error that the next model may mend.

        Raises:
            NoAnswer: If no other model can do better.
        """
        request = ModelRequest(
            model=model,
            messages=messages,
            max_tokens=self._call.max_tokens,
            schema=question.answer.schema,
            timeout=self._call.seconds,
            sample=question.sample,
            feature=self._call.spec.key,
        )
        self._progress.asked = True
        exchange = yield from self._exchange(AskModel(request, deadline))
        self._progress.attempts += exchange.attempts
        failure = exchange.failure
        if failure is None:
            if exchange.attempts[-1].cost is None:
                self._alert("unpriced_answer", model)
            return cast("ModelReply", exchange.reply)
        if failure.alert is not None:
            self._alert(failure.alert, model)
        if not failure.next_model:
            raise NoAnswer(failure.error)
        error: AddOnsError = failure.error
        return error

    def _exchange(self, step: AskModel) -> Generator[Step, Any, Exchange]:
        """Ask; what is interrupted on the way may be on the provider's bill, so its cost is unknown."""
        began = self._kit.clock.monotonic()
        try:
            exchange: Exchange = yield step
        except BaseException as error:
            if step.started:
                latency = round((self._kit.clock.monotonic() - began) * 1_000)
                lost = Attempt(
                    model=step.request.model,
                    answered_by=None,
                    usage=None,
                    cost=None,
                    latency_ms=latency,
                    error=code_of(error),
                )
                self._progress.attempts.append(lost)
            raise
        return exchange

    def _accept(self, question: Question, model: str, reply: ModelReply) -> Any:  # noqa: ANN401  # the answer's own type
        """Take a reply if it is usable, and note it for the cache and a replay."""
        if reply.finish == "blocked":
            raise NoAnswer(ContentBlocked())
        if reply.finish == "length":
            msg = "The AI model's answer was cut off at the output cap. Nothing was charged. Try again."
            raise NoAnswer(BadOutput(msg))
        text = reply.text or ""
        value = self._usable(question, text)
        self._progress.model = model
        self._progress.answers[question.name] = text
        paid_by = (self._account.arguments_hash,)
        # What the offline model says in a real one's place must not be repeated once that is there again.
        if is_offline(model) == is_offline(self._call.route[0]):
            self._to_cache.append((question.cache_key, stored.Stored(text, model, paid_by, self._kit.clock.now())))
        return value

    def _usable(self, question: Question, text: str) -> Any:  # noqa: ANN401  # the answer's own type
        """Parse, check while masked, restore, validate again with the real values.

        Raises:
            BadAnswer: Naming what is wrong, without quoting any value.
            NoAnswer: If the feature's check says that no repair can help.
        """
        parsed = question.answer.parse(text)
        if question.prompt.check is not None:
            try:
                faults = question.prompt.check(question.answer.validate(parsed))
            except CallError as hopeless:
                raise NoAnswer(hopeless) from None
            if faults:
                raise BadAnswer(tuple(faults))
        try:
            restored = self._session.vault.restore(parsed)
        except Unresolved as unknown:
            raise BadAnswer(tuple(f"{token} is not a placeholder you were given" for token in unknown.tokens)) from None
        return question.answer.validate(restored)

    def _alert(self, code: str, detail: str) -> None:
        emit(self._kit.hooks, OperatorAlert(code=code, detail=detail))
